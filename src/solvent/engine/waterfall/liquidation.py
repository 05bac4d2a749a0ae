"""Liquidation in kernels: the waterfall's one parent, as in `reference.waterfall.liquidation`.

`watch` marks accounts at MMR >= 100 %, `step_waterfall` takes every one of them through the stages
once. The marked ones are the list `liquidating`, which is in order of id only within a step; what
becomes of each in a step is a row of attempts (`layout`).
"""

from solvent.domain.labels import ExpiryReason
from solvent.engine.allot.sorting import sort_ascending
from solvent.engine.ledger import account_row
from solvent.engine.margin import (
    Doubt,
    Health,
    below_auto_close,
    health_of,
    is_liquidatable,
    liquidatable,
    report,
    target_restored,
    total_value,
)
from solvent.engine.memory.layout import (
    ATTEMPT_ACCOUNT,
    ATTEMPT_ACTED,
    ATTEMPT_BACKSTOP_REASON,
    ATTEMPT_BOOK_REASON,
    ATTEMPT_DEFAULTED,
    ATTEMPT_IS_STUCK_LENDER,
    ATTEMPT_POSTPONED,
    ATTEMPT_STUCK,
    ATTEMPT_TRIED,
    ATTEMPT_WIDTH,
    IS_LIQUIDATING,
    LIQUIDATING_COUNT,
    LIQUIDATION_ENDED,
    LIQUIDATION_STARTED,
    NO_REASON,
)
from solvent.engine.orderbook.book import expire_all
from solvent.engine.watch.rows import touched
from solvent.engine.watch.watch import candidates
from solvent.engine.waterfall.adl import settle_stuck_lenders
from solvent.engine.waterfall.backstop import take_over
from solvent.engine.waterfall.book_stage import book_stage
from solvent.engine.waterfall.default import settle_defaults
from solvent.kernels import language
from solvent.kernels.language import Memory, Store, allocate, emit, kernel


@kernel
def watch(s: Store) -> None:
    """Find accounts that reached MMR 100 %, cancel their orders and mark them.

    They are written where they will be listed, behind those that are marked already.
    """
    found = s.liquidating.at(s.globals[LIQUIDATING_COUNT])
    for place in range(candidates(s, found)):
        _start(s, found[place])


@kernel
def _start(s: Store, account: int) -> None:
    count = s.globals[LIQUIDATING_COUNT]
    s.liquidating[count] = account
    s.globals[LIQUIDATING_COUNT] = count + 1
    holder = account_row(s, account)
    holder[IS_LIQUIDATING] = 1
    expire_all(s, account, ExpiryReason.LIQUIDATION)
    _emit_summary(s, LIQUIDATION_STARTED, account, health_of(s, account, Doubt.NONE))


@kernel
def _emit_summary(s: Store, kind: int, account: int, values: Health) -> None:
    summary = report(values)
    emit(
        s,
        kind,
        account,
        summary.net_equity,
        summary.maintenance,
        summary.exposure,
        summary.total_value,
    )


@kernel
def release(s: Store, attempts: Memory, count: int) -> None:
    """Let go of accounts whose target health is restored or who owe nothing.

    An account for which the book can do nothing more, as its row among `count` attempts says, is
    let go as soon as it is healthy. The list of liquidating accounts must be in order.
    """
    kept = 0
    attempt = 0
    for place in range(s.globals[LIQUIDATING_COUNT]):
        account = s.liquidating[place]
        while attempt < count and attempts[attempt * ATTEMPT_WIDTH + ATTEMPT_ACCOUNT] < account:
            attempt += 1
        idle = attempt < count and _is_idle(attempts.at(attempt * ATTEMPT_WIDTH), account)
        values = health_of(s, account, Doubt.FOR_ACCOUNT)
        if (idle and not is_liquidatable(values)) or target_restored(s, values):
            holder = account_row(s, account)
            holder[IS_LIQUIDATING] = 0
            touched(s, account)
            _emit_summary(s, LIQUIDATION_ENDED, account, values)
        else:
            s.liquidating[kept] = account
            kept += 1
    s.globals[LIQUIDATING_COUNT] = kept


@kernel
def _is_idle(attempt: Memory, account: int) -> bool:
    """Whether this is `account`'s and the book could not have acted with another draw either."""
    if attempt[ATTEMPT_ACCOUNT] != account:
        return False
    return attempt[ATTEMPT_ACTED] == 0 and attempt[ATTEMPT_POSTPONED] == 0


@kernel
def step_waterfall(s: Store) -> None:
    """Take every liquidating account through the stages once."""
    marked = s.globals[LIQUIDATING_COUNT]
    if marked == 0:
        return
    sort_ascending(s, s.liquidating, marked)
    attempts = allocate(marked * ATTEMPT_WIDTH)
    release(s, attempts, 0)
    count = s.globals[LIQUIDATING_COUNT]
    _take_through(s, attempts, count)
    release(s, attempts, count)
    language.release(attempts)


@kernel
def _take_through(s: Store, attempts: Memory, count: int) -> None:
    """The stages in order, each for all accounts; none of them marks or lets go of any."""
    for place in range(count):
        book_stage(s, s.liquidating[place], attempts.at(place * ATTEMPT_WIDTH))
    for place in range(count):
        attempt = attempts.at(place * ATTEMPT_WIDTH)
        account = attempt[ATTEMPT_ACCOUNT]
        if attempt[ATTEMPT_BOOK_REASON] != NO_REASON and liquidatable(s, account):
            attempt[ATTEMPT_BACKSTOP_REASON] = take_over(s, account)
        if attempt[ATTEMPT_STUCK] and _handed_over(attempt):
            attempt[ATTEMPT_IS_STUCK_LENDER] = 1
    settle_stuck_lenders(s, attempts, count)
    for place in range(count):
        attempt = attempts.at(place * ATTEMPT_WIDTH)
        if _handed_over(attempt) and _in_default(s, attempt):
            attempt[ATTEMPT_DEFAULTED] = 1
    settle_defaults(s, attempts, count)


@kernel
def _handed_over(attempt: Memory) -> bool:
    """Whether both the book and the backstop left the account."""
    book, backstop = attempt[ATTEMPT_BOOK_REASON], attempt[ATTEMPT_BACKSTOP_REASON]
    return book != NO_REASON and backstop != NO_REASON


@kernel
def _in_default(s: Store, attempt: Memory) -> bool:
    """Whether nothing but case B is left: the book could not act and MF < ACMF, or TV <= 0."""
    account = attempt[ATTEMPT_ACCOUNT]
    if not liquidatable(s, account):
        return False
    values = health_of(s, account, Doubt.NONE)
    if total_value(values) <= 0:
        return True
    failed = attempt[ATTEMPT_TRIED] != 0 and attempt[ATTEMPT_ACTED] == 0
    could_not = failed or attempt[ATTEMPT_STUCK] != 0
    return could_not and below_auto_close(s, values)
