"""What lenders settled by ADL were paid: by account, and by what it was and became.

Counted leg by leg at the marks of the moment, as `settlement_figures` does. What a booking takes of
a lender's claims is in `write_downs`.
"""

from collections.abc import Mapping
from typing import Any

from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, LegForm
from solvent.domain.units import format_decimal
from solvent.domain.waterfall_events import AdlLeg, AdlMatched, AdlOpened
from solvent.foresight.marks import Marks, value_text

RECOVERY_PLACES = 9


class Recovery:
    """Sums by lender and by what was paid; feed it the events of `KINDS`."""

    KINDS = (AdlOpened, AdlLeg, AdlMatched)

    def __init__(self, marks: Marks, names: Mapping[int, str]) -> None:
        self._marks = marks
        self._names = names
        self._is_opposites = False
        self._legs: list[AdlLeg] = []
        self._lenders: dict[int, dict[str, int]] = {}
        self._paid: dict[tuple[int, str], list[int]] = {}

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, AdlOpened):
            self._is_opposites = event.case is AdlCase.OPPOSITES
        elif self._is_opposites:
            return
        elif isinstance(event, AdlLeg):
            self._legs.append(event)
        elif isinstance(event, AdlMatched):
            self._match(event)

    def _match(self, match: AdlMatched) -> None:
        lender = self._lenders.setdefault(match.lender, {"matches": 0, "owed": 0, "received": 0})
        lender["matches"] += 1
        lender["owed"] += self._marks.exact(match.asset, match.quantity)
        for leg in self._legs:
            # A fee that goes to the fund is a leg too.
            if leg.receiver == match.lender:
                worth = self._marks.exact(leg.asset, leg.quantity)
                lender["received"] += worth
                form = "a claim" if leg.form is LegForm.CLAIM else "tokens"
                paid = self._paid.setdefault((leg.asset, form), [0, 0])
                paid[0] += leg.quantity
                paid[1] += worth
        self._legs.clear()

    def lenders(self) -> list[dict[str, Any]]:
        """One record a lender, those who got least of what they were owed first."""
        return [
            {
                "account": number,
                "name": self._names.get(number, str(number)),
                "matches": each["matches"],
                "owed": value_text(each["owed"]),
                "received": value_text(each["received"]),
                "change": value_text(each["received"] - each["owed"]),
                "recovery": round(each["received"] / each["owed"], RECOVERY_PLACES)
                if each["owed"]
                else None,
            }
            for number, each in sorted(
                self._lenders.items(),
                key=lambda item: (item[1]["received"] - item[1]["owed"], item[0]),
            )
        ]

    def paid(self) -> list[dict[str, Any]]:
        """What was paid in, when it was paid and at the marks in force now."""
        return [
            {
                "asset": self._marks.symbols[asset],
                "form": form,
                "quantity": format_decimal(quantity, self._marks.decimals[asset]),
                "paid": value_text(worth),
                "worth": value_text(self._marks.exact(asset, quantity)),
            }
            for (asset, form), (quantity, worth) in sorted(self._paid.items())
        ]
