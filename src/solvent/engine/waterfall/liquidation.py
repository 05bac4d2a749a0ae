"""Liquidation in kernels: the waterfall's one parent, as in `reference.waterfall.liquidation`.

`watch` marks accounts at MMR >= 100 %, `step_waterfall` takes every one of them through the stages
once. The marked ones are the list `liquidating`, which is in order of id only within a step; what
becomes of each in a step is a row of attempts (`layout`).
"""

from solvent.domain.labels import ExpiryReason
from solvent.domain.waterfall_events import LiquidationEnded, LiquidationStarted
from solvent.engine.allot.sorting import sort_ascending
from solvent.engine.ledger import account_row
from solvent.engine.margin import (
    Doubt,
    HealthReport,
    below_auto_close,
    health_of,
    is_liquidatable,
    liquidatable,
    report,
    target_restored,
    total_value,
)
from solvent.engine.memory.layout import NO_REASON
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import expire_all
from solvent.engine.watch.rows import touched
from solvent.engine.watch.watch import candidates
from solvent.engine.waterfall.adl import settle_stuck_lenders
from solvent.engine.waterfall.backstop import take_over
from solvent.engine.waterfall.book_stage import book_stage
from solvent.engine.waterfall.default import settle_defaults
from solvent.kernels import language
from solvent.kernels.language import allocate_rows, emit, kernel
from solvent.kernels.rows import Rows


@kernel
def watch(s: Store) -> None:
    """Find accounts that reached MMR 100 %, cancel their orders and mark them.

    They are written where they will be listed, behind those that are marked already.
    """
    found = s.liquidating.at(s.globals.liquidating_count)
    for place in range(candidates(s, found)):
        _start(s, found[place])


@kernel
def _start(s: Store, account: int) -> None:
    count = s.globals.liquidating_count
    s.liquidating[count] = account
    s.globals.liquidating_count = count + 1
    holder = account_row(s, account)
    holder.is_liquidating = 1
    expire_all(s, account, ExpiryReason.LIQUIDATION)
    summary = report(health_of(s, account, Doubt.NONE))
    emit(
        s,
        LiquidationStarted(
            account=account,
            net_equity=summary.net_equity,
            maintenance=summary.maintenance,
            exposure=summary.exposure,
            total_value=summary.total_value,
        ),
    )


@kernel
def release(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """Let go of accounts whose target health is restored or who owe nothing.

    An account for which the book can do nothing more, as its row among `count` attempts says, is
    let go as soon as it is healthy. The list of liquidating accounts must be in order.
    """
    kept = 0
    attempt = 0
    for place in range(s.globals.liquidating_count):
        account = s.liquidating[place]
        while attempt < count and attempts[attempt].account < account:
            attempt += 1
        idle = attempt < count and _is_idle(attempts[attempt], account)
        values = health_of(s, account, Doubt.FOR_ACCOUNT)
        if (idle and not is_liquidatable(values)) or target_restored(s, values):
            holder = account_row(s, account)
            holder.is_liquidating = 0
            touched(s, account)
            _emit_ended(s, account, report(values))
        else:
            s.liquidating[kept] = account
            kept += 1
    s.globals.liquidating_count = kept


@kernel
def _emit_ended(s: Store, account: int, summary: HealthReport) -> None:
    emit(
        s,
        LiquidationEnded(
            account=account,
            net_equity=summary.net_equity,
            maintenance=summary.maintenance,
            exposure=summary.exposure,
            total_value=summary.total_value,
        ),
    )


@kernel
def _is_idle(attempt: Attempt, account: int) -> bool:
    """Whether this is `account`'s and the book could not have acted with another draw either."""
    if attempt.account != account:
        return False
    return attempt.acted == 0 and attempt.postponed == 0


@kernel
def step_waterfall(s: Store) -> None:
    """Take every liquidating account through the stages once."""
    marked = s.globals.liquidating_count
    if marked == 0:
        return
    sort_ascending(s, s.liquidating, marked)
    attempts = allocate_rows(Attempt, marked)
    release(s, attempts, 0)
    count = s.globals.liquidating_count
    _take_through(s, attempts, count)
    release(s, attempts, count)
    language.release(attempts)


@kernel
def _take_through(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """The stages in order, each for all accounts; none of them marks or lets go of any."""
    for place in range(count):
        book_stage(s, s.liquidating[place], attempts[place])
    for place in range(count):
        attempt = attempts[place]
        account = attempt.account
        if attempt.book_reason != NO_REASON and liquidatable(s, account):
            attempt.backstop_reason = take_over(s, account)
        if attempt.stuck and _handed_over(attempt):
            attempt.is_stuck_lender = 1
    settle_stuck_lenders(s, attempts, count)
    for place in range(count):
        attempt = attempts[place]
        if _handed_over(attempt) and _in_default(s, attempt):
            attempt.defaulted = 1
    settle_defaults(s, attempts, count)


@kernel
def _handed_over(attempt: Attempt) -> bool:
    """Whether both the book and the backstop left the account."""
    book, backstop = attempt.book_reason, attempt.backstop_reason
    return book != NO_REASON and backstop != NO_REASON


@kernel
def _in_default(s: Store, attempt: Attempt) -> bool:
    """Whether nothing but case B is left: the book could not act and MF < ACMF, or TV <= 0."""
    account = attempt.account
    if not liquidatable(s, account):
        return False
    values = health_of(s, account, Doubt.NONE)
    if total_value(values) <= 0:
        return True
    failed = attempt.tried != 0 and attempt.acted == 0
    could_not = failed or attempt.stuck != 0
    return could_not and below_auto_close(s, values)
