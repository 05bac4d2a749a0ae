"""Who was liquidated, when, why, what cleared it and what it cost: a record an account.

The cost of an account is what the waterfall took from it beside the debts that it paid, each at the
mark of its moment: in the book how far fills were from the mark, and fees; at the providers what
went with a debt beyond its value; in ADL the fee of the liquidated side. What prices did to it is
no cost of the waterfall. A deficit is what others bore for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from solvent.domain.commands import Side
from solvent.domain.events import Event, Filled, Repaid
from solvent.domain.labels import AdlCase, Reason, Source, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import VALUE_DECIMALS, format_decimal
from solvent.domain.waterfall_events import (
    AdlMatched,
    AdlOpened,
    BackstopFilled,
    BackstopLeg,
    DebtWrittenOff,
    HandedOver,
    LiquidationEnded,
    LiquidationStarted,
)
from solvent.foresight.marks import Marks, value_text
from solvent.foresight.stage_figures import ADL_STAGES, BACKSTOP, BOOK, DEFICIT, STAGES
from solvent.lab.prices.paths import time_text
from solvent.lab.report.parties import Party

RESTORED, CLOSED, STILL = "restored", "closed", "in the waterfall"


@dataclass(slots=True)
class _Account:
    """One account so far; amounts are 10^-22 USDC."""

    begun: LiquidationStarted
    started: int
    times: int = 0
    ended: int | None = None
    outcome: str = STILL
    cost: int = 0
    cleared: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    reasons: dict[Reason, None] = field(default_factory=dict)
    debts: dict[str, None] = field(default_factory=dict)


class Liquidated:
    """Follows every account in the waterfall; feed it the events of `KINDS`.

    `now` says the moment of the event, `names` what a book calls an account.
    """

    KINDS = (
        LiquidationStarted,
        LiquidationEnded,
        HandedOver,
        Filled,
        Repaid,
        BackstopFilled,
        BackstopLeg,
        AdlOpened,
        AdlMatched,
        DebtWrittenOff,
    )

    def __init__(
        self,
        marks: Marks,
        parties: Sequence[Party],
        names: Mapping[int, str],
        now: Callable[[], int],
    ) -> None:
        self._marks = marks
        self._now = now
        self._parties = parties
        self._names = names
        self._accounts: dict[int, _Account] = {}
        self._case = AdlCase.OPPOSITES
        self._fills: dict[int, int] = {}

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, LiquidationStarted):
            account = self._accounts.setdefault(event.account, _Account(event, self._now()))
            account.times, account.outcome, account.ended = account.times + 1, STILL, None
        elif isinstance(event, LiquidationEnded):
            account = self._accounts[event.account]
            account.ended = self._now()
            account.outcome = RESTORED if event.exposure else CLOSED
        elif isinstance(event, HandedOver):
            self._accounts[event.account].reasons[event.reason] = None
        elif isinstance(event, Filled):
            if event.system_order is SystemOrder.BOOK_LIQUIDATION:
                self._fill(event)
        elif isinstance(event, Repaid):
            if event.source is Source.LIQUIDATION:
                self._clear(BOOK, event.account, event.asset, event.quantity)
        elif isinstance(event, DebtWrittenOff):
            if not event.dust:
                self._clear(DEFICIT, event.account, event.asset, event.quantity)
        else:
            self._settle(event)

    def _settle(self, event: Event) -> None:
        """What a provider or ADL did."""
        if isinstance(event, BackstopFilled):
            self._fills = {event.fill: event.account}
            self._clear(BACKSTOP, event.account, event.debt_asset, event.debt_quantity)
            worth = self._marks.exact(event.debt_asset, event.debt_quantity)
            self._accounts[event.account].cost -= worth
        elif isinstance(event, BackstopLeg):
            account = self._accounts[self._fills[event.fill]]
            account.cost += self._marks.exact(event.asset, event.quantity)
        elif isinstance(event, AdlOpened):
            self._case = event.case
        elif isinstance(event, AdlMatched):
            is_default = self._case is AdlCase.BORROWER_DEFAULT
            side = event.payer if is_default else event.lender
            self._clear(ADL_STAGES[self._case], side, event.asset, event.quantity)
            if side in self._accounts:
                # A fee is 10^-6 USDC, as an atom of USDC is.
                self._accounts[side].cost += self._marks.exact(USDC, event.fee)

    def _fill(self, event: Filled) -> None:
        """How far a fill was from the mark, against the liquidated account, and its fee."""
        worth = self._marks.exact(event.asset, event.quantity)
        paid = self._marks.exact(USDC, event.quote)
        away = paid - worth if event.side is Side.BID else worth - paid
        fee = self._marks.exact(USDC, event.taker_fee)
        self._accounts[event.taker].cost += away + fee

    def _clear(self, stage: str, account: int, asset: int, quantity: int) -> None:
        """A debt of an account was closed; of one that is not in the waterfall it is no record."""
        if account in self._accounts:
            found = self._accounts[account]
            found.cleared[stage] += self._marks.exact(asset, quantity)
            found.debts[self._marks.symbols[asset]] = None

    def outcomes(self) -> list[str]:
        """The last word of every account that came in."""
        return [each.outcome for each in self._accounts.values()]

    def result(self) -> list[dict[str, Any]]:
        """One record an account, those of which most was cleared first."""
        party = {account: each.name for each in self._parties for account in each.accounts}
        ordered = sorted(
            self._accounts.items(), key=lambda item: (-sum(item[1].cleared.values()), item[0])
        )
        return [
            self._record(number, party.get(number, "accounts"), account)
            for number, account in ordered
        ]

    def _record(self, number: int, party: str, account: _Account) -> dict[str, Any]:
        return {
            "account": number,
            "name": self._names.get(number, str(number)),
            "party": party,
            "started": time_text(account.started),
            "ended": None if account.ended is None else time_text(account.ended),
            "times": account.times,
            "outcome": account.outcome,
            "net_equity": format_decimal(account.begun.net_equity, VALUE_DECIMALS),
            "maintenance": format_decimal(account.begun.maintenance, VALUE_DECIMALS),
            "owed": format_decimal(account.begun.exposure, VALUE_DECIMALS),
            "debts": list(account.debts),
            "reasons": [reason.name.lower() for reason in account.reasons],
            "cleared": value_text(sum(account.cleared.values())),
            **{stage: value_text(value) for stage, value in account.cleared.items()},
            "cost": value_text(account.cost),
        }
