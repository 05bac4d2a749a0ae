"""What each stage of the waterfall cleared, for how many accounts, and why it came to it.

A stage's value is the debt it closed, at the mark: in the book what liquidations repaid, at the
providers what they took over, in ADL what was matched, and last what was booked as a deficit. The
reasons of a stage are those for which the stage before had handed over the accounts it then acted
on, each account counted once a reason.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from solvent.domain.events import Event, Repaid
from solvent.domain.labels import AdlCase, Reason, Source, Stage
from solvent.domain.waterfall_events import (
    AdlMatched,
    AdlOpened,
    BackstopFilled,
    DebtWrittenOff,
    HandedOver,
)
from solvent.foresight.marks import Marks, value_number, value_text

BOOK = "book"
BACKSTOP = "backstop"
OPPOSITES = "adl_opposites"
STUCK = "adl_stuck_lender"
DEFAULT = "adl_borrower_default"
DEFICIT = "deficit"
STAGES = (BOOK, BACKSTOP, OPPOSITES, STUCK, DEFAULT, DEFICIT)

ADL_STAGES = {
    AdlCase.OPPOSITES: OPPOSITES,
    AdlCase.STUCK_LENDER: STUCK,
    AdlCase.BORROWER_DEFAULT: DEFAULT,
}

SHARE_PLACES = 9


@dataclass(slots=True)
class Cleared:
    """One stage so far: exact value, accounts, and (account, reason) pairs."""

    value: int = 0
    accounts: set[int] = field(default_factory=set)
    reasons: set[tuple[int, Reason]] = field(default_factory=set)


class StageFigures:
    """Sums of all stages; feed it the events of `KINDS`."""

    KINDS = (Repaid, HandedOver, BackstopFilled, AdlOpened, AdlMatched, DebtWrittenOff)

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._cleared = {stage: Cleared() for stage in STAGES}
        self._left: dict[tuple[int, Stage], Reason] = {}
        self._case = AdlCase.STUCK_LENDER

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, Repaid):
            if event.source is Source.LIQUIDATION:
                self._clear(BOOK, event.account, event.asset, event.quantity)
        elif isinstance(event, HandedOver):
            self._left[event.account, event.stage] = event.reason
        elif isinstance(event, AdlOpened):
            self._case = event.case
        elif isinstance(event, BackstopFilled):
            self._clear(BACKSTOP, event.account, event.debt_asset, event.debt_quantity, Stage.BOOK)
        elif isinstance(event, AdlMatched):
            account = event.payer if self._case is AdlCase.BORROWER_DEFAULT else event.lender
            self._clear(
                ADL_STAGES[self._case], account, event.asset, event.quantity, Stage.BACKSTOP
            )
        elif isinstance(event, DebtWrittenOff) and not event.dust:
            self._clear(DEFICIT, event.account, event.asset, event.quantity)

    def _clear(
        self, stage: str, account: int, asset: int, quantity: int, before: Stage | None = None
    ) -> None:
        cleared = self._cleared[stage]
        cleared.value += self._marks.exact(asset, quantity)
        cleared.accounts.add(account)
        if before is not None and (account, before) in self._left:
            cleared.reasons.add((account, self._left[account, before]))

    def values(self) -> dict[str, float]:
        """Value cleared so far by stage, in USDC, to draw with."""
        return {stage: value_number(self._cleared[stage].value) for stage in STAGES}

    def result(self) -> list[dict[str, Any]]:
        """One record a stage, in order."""
        total = sum(cleared.value for cleared in self._cleared.values())
        return [
            {
                "stage": stage,
                "accounts": len(cleared.accounts),
                "value": value_text(cleared.value),
                "share": round(cleared.value / total, SHARE_PLACES) if total else 0.0,
                "reasons": _counts(cleared.reasons),
                **_sums(cleared),
            }
            for stage, cleared in self._cleared.items()
        ]


def _sums(cleared: Cleared) -> dict[str, int]:
    """How many of its accounts came for `several` reasons, and how many `without` any."""
    found = Counter(account for account, _ in cleared.reasons)
    return {
        "several": sum(1 for times in found.values() if times > 1),
        "without": len(cleared.accounts) - len(found),
    }


def _counts(reasons: set[tuple[int, Reason]]) -> dict[str, int]:
    """How many accounts by reason, in the order of the reasons."""
    found = sorted(reason for _, reason in reasons)
    return {reason.name.lower(): found.count(reason) for reason in dict.fromkeys(found)}
