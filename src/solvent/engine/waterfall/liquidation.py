"""Liquidation in kernels: the waterfall's one parent, as in `reference.waterfall.liquidation`.

`watch` marks accounts at MMR >= 100 %, `step_waterfall` takes them through the stages of one pass.
The marked ones are the list `liquidating`, which is in order of id only within a pass; what becomes
of each in a pass is a row of attempts.
"""

from solvent.domain.labels import ExpiryReason, Reason, Stage
from solvent.domain.parameters import USDC
from solvent.domain.waterfall_events import HandedOver, LiquidationEnded, LiquidationStarted
from solvent.engine.allot.sorting import sort_ascending
from solvent.engine.ledger import account_row
from solvent.engine.margin import (
    Doubt,
    HealthReport,
    health_of,
    is_liquidatable,
    liquidatable,
    portfolio_of,
    report,
    target_restored,
)
from solvent.engine.memory.layout import NO_REASON
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import expire_all
from solvent.engine.watch.rows import touched
from solvent.engine.watch.watch import candidates
from solvent.engine.waterfall.adl import settle_stuck_lenders
from solvent.engine.waterfall.backstop import take_over
from solvent.engine.waterfall.book_stage import book_stage, repay_from_holdings
from solvent.engine.waterfall.bookings import book_losses
from solvent.engine.waterfall.default import settle_defaults
from solvent.engine.waterfall.draws import interval_of, is_drawn
from solvent.engine.waterfall.insolvency import is_worthless
from solvent.engine.waterfall.opposites import settle_opposites
from solvent.engine.waterfall.sizing import debts_largest_first
from solvent.kernels import language
from solvent.kernels.language import allocate_rows, clear, emit, kernel
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
    s.waiting[account].attempted = interval_of(s)
    s.globals.asleep = 0
    # Its first attempt is in a later interval, for which all is new to it.
    s.globals.stirred = max(s.globals.stirred, interval_of(s) + 1)
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
            clear(s.waiting[account])
            s.globals.asleep = 0
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
    """Whether this is `account`'s and the book can do nothing for it, or had its chance."""
    if attempt.account != account:
        return False
    return attempt.exhausted != 0 or attempt.acted == 0


@kernel
def step_waterfall(s: Store) -> None:
    """One pass through the stages; each acts on what the one before left.

    The worthless wait for nothing. The others are worked on in their intervals of attempts.
    """
    sort_ascending(s, s.liquidating, s.globals.liquidating_count)
    nobody = allocate_rows(Attempt, 0)
    release(s, nobody, 0)
    language.release(nobody)
    book_losses(s)
    watch(s)
    marked = s.globals.liquidating_count
    sort_ascending(s, s.liquidating, marked)
    worthless = allocate_rows(Attempt, marked)
    attempts = allocate_rows(Attempt, marked)
    count = settle_worthless(s, worthless)
    count = _put_attempts(s, worthless, count, attempts)
    if count:
        _take_through(s, attempts, count)
    release(s, attempts, count)
    language.release(attempts)
    language.release(worthless)


@kernel
def settle_worthless(s: Store, attempts: Rows[Attempt]) -> int:
    """Case B at once for accounts worth nothing: neither book nor providers can help them.

    Writes a row for each, in order of id; returns how many they are.
    """
    count = 0
    for place in range(s.globals.liquidating_count):
        account = s.liquidating[place]
        # One that keeps its margin is let go once the book had its chance.
        if is_worthless(s, account) and liquidatable(s, account):
            attempt = attempts[count]
            clear(attempt)
            attempt.account = account
            attempt.book_reason = Reason.PRICE_GAP
            attempt.backstop_reason = Reason.PRICE_GAP
            attempt.unsold = 1
            attempt.defaulted = 1
            s.waiting[account].attempted = interval_of(s)
            count += 1
    for place in range(count):
        repay_from_holdings(s, attempts[place].account)
        _hand_over_worthless(s, attempts[place].account)
    if count:
        settle_opposites(s, attempts, count)
        settle_defaults(s, attempts, count)
    return count


@kernel
def _hand_over_worthless(s: Store, account: int) -> None:
    """Say that neither book nor backstop can help."""
    top = s.globals.scratch_top
    portfolio = take(s, 3 * s.globals.assets)
    debts = take(s, s.globals.assets)
    portfolio_of(s, account, portfolio)
    asset = debts[0] if debts_largest_first(s, portfolio, debts) else USDC
    s.globals.scratch_top = top
    value = report(health_of(s, account, Doubt.NONE)).debts_value
    reason = Reason.PRICE_GAP
    emit(
        s,
        HandedOver(account=account, stage=Stage.BOOK, reason=reason, asset=asset, value=value),
    )
    emit(
        s,
        HandedOver(account=account, stage=Stage.BACKSTOP, reason=reason, asset=asset, value=value),
    )


@kernel
def _put_attempts(s: Store, worthless: Rows[Attempt], known: int, attempts: Rows[Attempt]) -> int:
    """Write a row for each account whose interval is an attempt; return how many they are.

    The `known` worthless ones, in order of id, have had their turn.
    """
    count = 0
    past = 0
    for place in range(s.globals.liquidating_count):
        account = s.liquidating[place]
        if past < known and worthless[past].account == account:
            past += 1
        elif is_drawn(s, account, interval_of(s)):
            attempts[count].account = account
            count += 1
    return count


@kernel
def _take_through(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """The stages in order, each for all accounts; none of them marks or lets go of any."""
    for place in range(count):
        book_stage(s, attempts[place].account, attempts[place])
    for place in range(count):
        attempt = attempts[place]
        account = attempt.account
        if attempt.book_reason != NO_REASON and liquidatable(s, account):
            attempt.backstop_reason = take_over(s, account)
        if _is_left(attempt):
            attempt.is_stuck_lender = attempt.stuck
            attempt.unsold = attempt.exhausted
    settle_opposites(s, attempts, count)
    settle_stuck_lenders(s, attempts, count)
    for place in range(count):
        attempt = attempts[place]
        # What case L brought an account is still to be sold.
        if attempt.unsold and attempt.received == 0:
            attempt.defaulted = 1
    settle_defaults(s, attempts, count)


@kernel
def _is_left(attempt: Attempt) -> bool:
    """Whether both the book and the backstop left the account."""
    book, backstop = attempt.book_reason, attempt.backstop_reason
    return book != NO_REASON and backstop != NO_REASON
