"""Liquidation: the waterfall's one parent.

`watch` finds accounts at MMR >= 100 %, in real time: after every change of price, interest or
parameters. They are `liquidating` from then until target health NE >= M * (1 + buffer): their own
commands are refused but deposit and repay, their orders are gone. Each time step the parent takes
every one of them through the stages in order (A6, I15):

    book -> backstop providers -> ADL (case L, then case B) -> deficit

and each stage acts on what the one before left and says why it left it. The book works until target
health; the stages that touch others act only while the account is at MMR >= 100 % (I14).

Specification: sections 7.1, 7.2.
"""

from solvent.domain.labels import ExpiryReason
from solvent.domain.waterfall_events import LiquidationEnded, LiquidationStarted
from solvent.reference.margin import (
    Doubt,
    Health,
    below_auto_close,
    health_of,
    liquidatable,
    target_restored,
)
from solvent.reference.orderbook.book import expire_all
from solvent.reference.state import Account, State
from solvent.reference.waterfall.adl import settle_stuck_lenders
from solvent.reference.waterfall.backstop import take_over
from solvent.reference.waterfall.book_stage import Attempt, book_stage
from solvent.reference.waterfall.default import settle_defaults


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
            state.emit(LiquidationEnded(account, *_summary(values)))


def step_waterfall(state: State) -> None:
    """Take every liquidating account through the stages once."""
    release(state)
    attempts = [book_stage(state, account) for account in sorted(state.liquidating)]
    for attempt in attempts:
        if attempt.book_reason is not None and liquidatable(state, attempt.account):
            attempt.backstop_reason = take_over(state, attempt.account)
    stuck = {
        attempt.account: (attempt.book_reason, attempt.backstop_reason)
        for attempt in attempts
        if attempt.stuck and attempt.book_reason and attempt.backstop_reason
    }
    settle_stuck_lenders(state, stuck)
    defaulted = {
        attempt.account: (attempt.book_reason, attempt.backstop_reason)
        for attempt in attempts
        if attempt.book_reason and attempt.backstop_reason and _in_default(state, attempt)
    }
    settle_defaults(state, defaulted)
    release(state, frozenset(attempt.account for attempt in attempts if attempt.idle))


def _in_default(state: State, attempt: Attempt) -> bool:
    """Whether nothing but case B is left: the book could not act and MF < ACMF, or TV <= 0."""
    if not liquidatable(state, attempt.account):
        return False
    values = health_of(state, attempt.account)
    if values.total_value <= 0:
        return True
    could_not = (attempt.tried and not attempt.acted) or attempt.stuck
    return could_not and below_auto_close(state, values)
