"""What lenders got back in ADL, and that no settlement changed what anybody is worth.

Recovery counts what lenders gave up (claims closed at the mark, and their part of deficits) against
what they received, leg by leg at the marks in force, without the engine's own valuation of a leg.

Conservation adds up, from the balances of all parties before and after each match, everybody's
total value, exactly. The largest difference is given in USDC and in atoms: how many atoms of the
coarsest asset of that match it is worth. Where the fund pays for a debtor, what the fund loses is
what the debtor gains, and the two are taken as one party.
"""

from typing import Any

from solvent.domain.events import Event
from solvent.domain.labels import LegForm, Stage
from solvent.domain.parameters import USDC
from solvent.domain.units import format_decimal
from solvent.domain.waterfall_events import (
    AdlLeg,
    AdlMatched,
    AdlOpened,
    DeficitBooked,
    PartyBalance,
)
from solvent.lab.marks import Marks, exact_text, value_number, value_text

RECOVERY_PLACES = 9
ATOM_PLACES = 3
FORMS = ("in_token", "in_usdc", "in_kind", "as_claims")


class LenderFigures:
    """What lenders were owed and received; feed it the events of `KINDS`."""

    KINDS = (AdlOpened, AdlMatched, AdlLeg, DeficitBooked)

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._asset = 0
        self._matched = 0
        self._received = dict.fromkeys(FORMS, 0)
        self._deficit = 0
        self.deficits: list[dict[str, Any]] = []

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, AdlOpened):
            self._asset = event.asset
        elif isinstance(event, AdlMatched):
            self._matched += self._marks.exact(self._asset, event.quantity)
        elif isinstance(event, AdlLeg):
            self._received[self._form(event)] += self._marks.exact(event.asset, event.quantity)
        elif isinstance(event, DeficitBooked):
            self._book(event)

    def _form(self, leg: AdlLeg) -> str:
        if leg.form is LegForm.CLAIM:
            return "as_claims"
        if leg.asset == self._asset:
            return "in_token"
        return "in_usdc" if leg.asset == USDC else "in_kind"

    def _book(self, event: DeficitBooked) -> None:
        self._deficit += self._marks.exact(event.asset, event.lenders)
        decimals = self._marks.decimals[event.asset]
        self.deficits.append(
            {
                "asset": self._marks.symbols[event.asset],
                "quantity": format_decimal(event.quantity, decimals),
                "value": value_text(self._marks.exact(event.asset, event.quantity)),
                "lenders": format_decimal(event.lenders, decimals),
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
        }
        figures |= {form: value_text(value) for form, value in self._received.items()}
        figures["deficit"] = value_text(self._deficit)
        owed = self._owed
        figures["recovery"] = round(received / owed, RECOVERY_PLACES) if owed else None
        return figures


class Conservation:
    """The largest drift of anybody's total value in a match; feed it the events of `KINDS`."""

    KINDS = (AdlOpened, AdlMatched, AdlLeg, PartyBalance)

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._key = (0, 0)
        self._asset = 0
        self._match: AdlMatched | None = None
        self._before: dict[int, int] = {}
        self._after: dict[int, int] = {}
        self._assets: set[int] = set()
        self.settlements = 0
        self._drift = 0
        self._atoms = (0, 1)
        self._account: int | None = None

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, AdlOpened):
            self._asset = event.asset
        elif isinstance(event, PartyBalance):
            self._balance(event)
        elif isinstance(event, AdlLeg):
            self._assets.add(event.asset)
        elif isinstance(event, AdlMatched):
            self.settlements += 1
            self._match = event

    def _balance(self, event: PartyBalance) -> None:
        if event.stage is not Stage.ADL:
            return
        if (event.number, event.match) != self._key:
            self.close()
            self._key = (event.number, event.match)
        held = event.available + event.locked + event.lent - event.debt
        worth = self._after if event.after else self._before
        value = self._marks.exact(event.asset, held)
        worth[event.account] = worth.get(event.account, 0) + value

    def close(self) -> None:
        """Judge the match whose balances have all been seen; marks must not have moved since."""
        if self._match is not None:
            coarsest = max(self._marks.exact(asset, 1) for asset in (*self._assets, self._asset))
            for account, drift in self._drifts(self._match).items():
                self._judge(account, abs(drift), coarsest)
        self._match = None
        self._before, self._after, self._assets = {}, {}, set()

    def _drifts(self, match: AdlMatched) -> dict[int, int]:
        accounts = self._before.keys() | self._after.keys()
        drifts = {
            account: self._after.get(account, 0) - self._before.get(account, 0)
            for account in sorted(accounts)
        }
        if match.giver != match.payer:
            drifts[match.payer] = drifts.get(match.payer, 0) + drifts.pop(match.giver, 0)
        return drifts

    def _judge(self, account: int, drift: int, atom: int) -> None:
        if drift > self._drift or self._account is None:
            self._drift, self._account = drift, account
        if drift * self._atoms[1] > self._atoms[0] * atom:
            self._atoms = (drift, atom)

    def result(self) -> dict[str, Any]:
        """The record of conservation; atoms are rounded up to a thousandth."""
        self.close()
        drift, atom = self._atoms
        thousandths = -(-drift * 10**ATOM_PLACES // atom)
        return {
            "settlements": self.settlements,
            "largest_drift_usdc": exact_text(self._drift),
            "largest_drift_atoms": format_decimal(thousandths, ATOM_PLACES),
            "largest_drift_account": self._account,
        }
