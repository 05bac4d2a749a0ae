"""Liquidation: the waterfall's one parent.

`watch` finds accounts at MMR >= 100 %, in real time: after every change of price, interest or
parameters. They are `liquidating` from then until target health NE >= M * (1 + buffer): their own
commands are refused but deposit and repay, their orders are gone. In each pass the parent settles
those that are worth nothing, and takes those whose interval is one of attempts through the stages
in order (A6, I15):

    book -> backstop providers -> ADL (opposites, case L, then case B) -> deficit

and each stage acts on what the one before left and says why it left it. The book works until target
health; the stages that touch others act only while the account is at MMR >= 100 % (I14). Case B
waits until the book's patience is used up.

Specification: sections 7.1, 7.2.
"""

from collections.abc import Iterable

from solvent.domain.labels import ExpiryReason, Reason, Stage
from solvent.domain.parameters import USDC
from solvent.domain.waterfall_events import HandedOver, LiquidationEnded, LiquidationStarted
from solvent.reference.margin import (
    Doubt,
    Health,
    health_of,
    liquidatable,
    portfolio_of,
    target_restored,
)
from solvent.reference.orderbook.book import expire_all
from solvent.reference.state import Account, State
from solvent.reference.waterfall.adl import settle_stuck_lenders
from solvent.reference.waterfall.backstop import take_over
from solvent.reference.waterfall.book_stage import Attempt, book_stage, repay_from_holdings
from solvent.reference.waterfall.bookings import book_losses
from solvent.reference.waterfall.default import settle_defaults
from solvent.reference.waterfall.draws import is_drawn
from solvent.reference.waterfall.insolvency import is_worthless
from solvent.reference.waterfall.opposites import settle_opposites
from solvent.reference.waterfall.rounds import Reasons
from solvent.reference.waterfall.sizing import debts_largest_first


def watch(state: State, asset: int | None = None) -> None:
    """Find accounts that reached MMR 100 %, cancel their orders and mark them.

    With `asset`, only accounts that hold or owe it are asked: nobody else's health can have moved.
    """
    for account, holder in enumerate(state.accounts):
        if account in state.liquidating or not any(holder.debt_shares):
            continue
        if asset is not None and not _touches(holder, asset):
            continue
        if liquidatable(state, account):
            state.liquidating.add(account)
            holder.attempted = state.interval()
            state.asleep = False
            # Its first attempt is in a later interval, for which all is new to it.
            state.stirred = max(state.stirred, state.interval() + 1)
            expire_all(state, account, ExpiryReason.LIQUIDATION)
            values = health_of(state, account)
            state.emit(LiquidationStarted(account, *_summary(values)))


def _touches(holder: Account, asset: int) -> bool:
    return bool(
        holder.debt_shares[asset]
        or holder.lent_shares[asset]
        or holder.available[asset]
        or holder.locked[asset]
    )


def _summary(values: Health) -> tuple[int, int, int, int]:
    report = values.report()
    return report.net_equity, report.maintenance, report.exposure, report.total_value


def release(state: State, idle: frozenset[int] = frozenset()) -> None:
    """Let go of accounts whose target health is restored or who owe nothing.

    An account for which the book can do nothing more is let go as soon as it is healthy.
    """
    for account in sorted(state.liquidating):
        values = health_of(state, account, Doubt.FOR_ACCOUNT)
        healthy = account in idle and not values.liquidatable
        if healthy or target_restored(state, values):
            state.liquidating.discard(account)
            holder = state.accounts[account]
            holder.attempted = holder.shortage = 0
            state.asleep = False
            state.emit(LiquidationEnded(account, *_summary(values)))


def step_waterfall(state: State) -> None:
    """One pass through the stages; each acts on what the one before left.

    The worthless wait for nothing. The others are worked on in their intervals of attempts.
    """
    release(state)
    book_losses(state)
    # Lenders whose claims fell may be liquidatable now, or may have come to owe what they lost.
    watch(state)
    worthless = [account for account in sorted(state.liquidating) if _is_lost(state, account)]
    settle_worthless(state, worthless)
    attempts = [
        book_stage(state, account)
        for account in sorted(state.liquidating)
        if account not in worthless and is_drawn(state, account, state.interval())
    ]
    for attempt in attempts:
        if attempt.book_reason is not None and liquidatable(state, attempt.account):
            attempt.backstop_reason = take_over(state, attempt.account)
    left = [attempt for attempt in attempts if attempt.book_reason and attempt.backstop_reason]
    exhausted = [attempt for attempt in left if attempt.exhausted]
    settle_opposites(state, _reasons(exhausted))
    received = settle_stuck_lenders(state, _reasons(attempt for attempt in left if attempt.stuck))
    # What case L brought an account is still to be sold.
    defaulted = [attempt for attempt in exhausted if not received.get(attempt.account)]
    settle_defaults(state, _reasons(defaulted))
    release(state, frozenset(attempt.account for attempt in attempts if attempt.idle))


def _is_lost(state: State, account: int) -> bool:
    """Whether a worthless account is at MMR >= 100 %: nobody but the book works on one that is not.

    One of some thousandths of USDC that keeps its margin is let go once the book had its chance.
    """
    return is_worthless(state, account) and liquidatable(state, account)


def settle_worthless(state: State, accounts: list[int]) -> None:
    """Opposites and case B at once for accounts worth nothing: nobody before can help them."""
    for account in accounts:
        state.accounts[account].attempted = state.interval()
        repay_from_holdings(state, account)
        debts = debts_largest_first(state, portfolio_of(state, account))
        value = health_of(state, account).report().debts_value
        for stage in (Stage.BOOK, Stage.BACKSTOP):
            asset = debts[0] if debts else USDC
            state.emit(HandedOver(account, stage, Reason.PRICE_GAP, asset, value))
    reasons = dict.fromkeys(accounts, (Reason.PRICE_GAP, Reason.PRICE_GAP))
    settle_opposites(state, reasons)
    settle_defaults(state, reasons)


def _reasons(attempts: Iterable[Attempt]) -> Reasons:
    """Why book and backstop left each of these accounts."""
    reasons = {}
    for attempt in attempts:
        assert attempt.book_reason is not None
        assert attempt.backstop_reason is not None
        reasons[attempt.account] = (attempt.book_reason, attempt.backstop_reason)
    return reasons
