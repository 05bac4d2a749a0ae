"""What lenders got back in ADL.

Recovery counts what lenders gave up (claims closed at the mark, and their part of deficits) against
what they received, leg by leg at the marks in force, without the engine's own valuation of a leg.
"""

from typing import Any

from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, LegForm
from solvent.domain.parameters import USDC
from solvent.domain.units import format_decimal
from solvent.domain.waterfall_events import (
    AdlLeg,
    AdlMatched,
    AdlOpened,
    DebtWrittenOff,
    PoolWrittenDown,
)
from solvent.foresight.marks import Marks, value_number, value_text

RECOVERY_PLACES = 9
FORMS = ("in_token", "in_usdc", "in_kind", "as_claims")


class LenderFigures:
    """What lenders were owed and received; feed it the events of `KINDS`."""

    KINDS = (AdlOpened, AdlMatched, AdlLeg, DebtWrittenOff, PoolWrittenDown)

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._asset = 0
        self._is_opposites = False
        self._legs: list[AdlLeg] = []
        self._matched = 0
        self._received = dict.fromkeys(FORMS, 0)
        self._deficit = 0
        self._fees = 0
        self.deficits: list[dict[str, Any]] = []

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, AdlOpened):
            self._asset = event.asset
            # Lenders keep their claims where opposites are closed: nobody is paid as a lender.
            self._is_opposites = event.case is AdlCase.OPPOSITES
        elif self._is_opposites and isinstance(event, AdlMatched | AdlLeg):
            return
        elif isinstance(event, AdlLeg):
            self._legs.append(event)
        elif isinstance(event, AdlMatched):
            owed = self._marks.exact(event.asset, event.quantity)
            self._matched += owed
            # In USDC the fee goes to the fund; in another token it is part of what a lender gets.
            if self._legs and self._legs[0].asset != USDC:
                self._fees += self._marks.exact(USDC, event.fee)
            for leg in self._legs:
                # A fee that goes to the fund is a leg too.
                if leg.receiver == event.lender:
                    self._received[self._form(leg)] += self._marks.exact(leg.asset, leg.quantity)
            self._legs.clear()
        elif isinstance(event, DebtWrittenOff) and not event.dust:
            self._book(event)
        elif isinstance(event, PoolWrittenDown):
            self._deficit += self._marks.exact(event.asset, event.lenders)

    def _form(self, leg: AdlLeg) -> str:
        if leg.form is LegForm.CLAIM:
            return "as_claims"
        if leg.asset == self._asset:
            return "in_token"
        return "in_usdc" if leg.asset == USDC else "in_kind"

    def _book(self, event: DebtWrittenOff) -> None:
        decimals = self._marks.decimals[event.asset]
        self.deficits.append(
            {
                "asset": self._marks.symbols[event.asset],
                "quantity": format_decimal(event.quantity, decimals),
                "value": value_text(self._marks.exact(event.asset, event.quantity)),
                "account": event.account,
            }
        )

    @property
    def _owed(self) -> int:
        return self._matched + self._deficit

    def so_far(self) -> tuple[float, float]:
        """Owed and received up to now in USDC, to draw with."""
        return value_number(self._owed), value_number(sum(self._received.values()))

    def result(self) -> dict[str, Any]:
        """The record of recovery; a recovery of nothing owed is None."""
        received = sum(self._received.values())
        figures: dict[str, Any] = {
            "owed": value_text(self._owed),
            "received": value_text(received),
            "fees": value_text(self._fees),
        }
        figures |= {form: value_text(value) for form, value in self._received.items()}
        figures["deficit"] = value_text(self._deficit)
        owed = self._owed
        figures["recovery"] = round(received / owed, RECOVERY_PLACES) if owed else None
        return figures
