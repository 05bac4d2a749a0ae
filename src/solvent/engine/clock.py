"""The clock in kernels: passes, one an interval while an account is liquidating.

As in `reference.clock`; passes in which nothing could change are not made.
"""

from solvent.domain import commands as c
from solvent.domain.events import Stepped
from solvent.domain.parameters import USDC
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import HOUR, INT64_MAX
from solvent.engine.ledger import asset_row
from solvent.engine.lending.interest import accrue
from solvent.engine.lending.throttle import step_bounds
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.triggers import is_any_due, look
from solvent.engine.prices import (
    follow_books,
    has_quorum,
    price_row,
    quote_row,
    step_prices,
    take_effect,
)
from solvent.engine.refusals import refuse
from solvent.engine.standby import posted
from solvent.engine.units import divide_up
from solvent.engine.waterfall.draws import interval_of, is_drawn, next_drawn
from solvent.engine.waterfall.gate import reckon_doubts, reckon_gate
from solvent.engine.waterfall.insolvency import is_loss_due, next_loss
from solvent.engine.waterfall.liquidation import step_waterfall, watch
from solvent.engine.waterfall.notices import next_notice, withdraw_commitments
from solvent.kernels.language import emit, kernel, narrow, wide

MAX_HOURS_PER_STEP = 366 * 24
"""A time step may pass at most a leap year, so that it ends."""


@kernel
def time_step(s: Store, command: c.TimeStep) -> int:
    """Move the clock to the command's time, pass by pass."""
    end = command.time
    if end <= s.globals.now or end // HOUR - s.globals.now // HOUR > MAX_HOURS_PER_STEP:
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    take_effect(s)
    if not s.globals.asleep:
        s.globals.stirred = max(s.globals.stirred, interval_of(s) + 1)
    while s.globals.now < end:
        advance(s, next_pass(s, end))
        if is_pass_due(s):
            make_pass(s)
        reckon_doubts(s)
        emit(s, Stepped(time=s.globals.now, liquidating=s.globals.liquidating_count))
        if s.globals.now < end:
            _fire_due(s)
    reckon_gate(s)
    return 0


@kernel
def hear(s: Store) -> None:
    """Note that a command was accepted: the waterfall is awake, and the next interval books."""
    s.globals.asleep = 0
    s.globals.heard = interval_of(s) + 1


@kernel
def _fire_due(s: Store) -> None:
    """Fire what waits for the prices of a pass, as where a step ends with it."""
    if not is_any_due(s):
        return
    reckon_gate(s)
    look(s)
    s.globals.stirred = max(s.globals.stirred, interval_of(s) + 1)


@kernel
def advance(s: Store, time: int) -> None:
    """Move the clock: interest, prices, bounds, and who became liquidatable by them."""
    while s.globals.now < time:
        _move(s, min(time, _next_moment(s)))
    withdraw_commitments(s)
    posted.end_notices(s)
    step_bounds(s)
    watch(s)


@kernel
def _move(s: Store, time: int) -> None:
    """Interest and prices until a time at which the next of them may change by itself."""
    intervals = time // s.rules.interval - interval_of(s)
    follow_books(s, intervals - 1)
    accrue(s, s.globals.now, time)
    s.globals.now = time
    step_prices(s, min(1, intervals))


@kernel
def _next_moment(s: Store) -> int:
    """The time of the first interval in which a price, or what its book is asked, may change."""
    number = max(interval_of(s) + 1, min(_top(s), _next_stale(s)))
    return narrow(min(wide(INT64_MAX), wide(number) * s.rules.interval))


@kernel
def _top(s: Store) -> int:
    """The first interval of the next hour."""
    return narrow(divide_up((wide(s.globals.now // HOUR) + 1) * HOUR, s.rules.interval))


@kernel
def next_pass(s: Store, end: int) -> int:
    """The time to which nothing could change but by time itself, at most `end`.

    Where no account is liquidating that is the end: interest and premium are found there.
    """
    if s.globals.liquidating_count == 0:
        return end
    number = interval_of(s) + 1
    if s.globals.asleep:
        number = max(number, _next_change(s))
    return narrow(min(wide(end), wide(number) * s.rules.interval))


@kernel
def _next_change(s: Store) -> int:
    """The first interval in which something may come to pass although nothing happened."""
    interval = s.rules.interval
    first = min(next_loss(s, _top(s)), _next_stale(s))
    for place in range(s.globals.liquidating_count):
        account = s.liquidating[place]
        if s.waiting[account].attempted < s.globals.stirred:
            first = min(first, next_drawn(s, account, first))
    return min(first, narrow(divide_up(wide(min(next_notice(s), posted.next_notice(s))), interval)))


@kernel
def _next_stale(s: Store) -> int:
    """The first interval in which a quote is too old, or an index in doubt moves."""
    interval = s.rules.interval
    first = s.globals.now // interval + 1 + HOUR
    for asset in range(USDC + 1, s.globals.assets):
        price = price_row(s, asset)
        if price.in_doubt and not price.halted and has_quorum(s, asset):
            first = min(first, interval_of(s) + 1)
        row = asset_row(s, asset)
        for source in range(row.sources):
            time = quote_row(s, asset, source).time
            if time >= max(0, s.globals.now - row.max_age):
                first = min(first, (time + row.max_age) // interval + 1)
    return first


@kernel
def is_pass_due(s: Store) -> bool:
    """Whether the waterfall may do something now.

    Something happened since its last pass, an account has its draw, an hour's interest came, or
    what interest made accounts lack is to be booked.
    """
    if s.globals.liquidating_count == 0 or not s.globals.asleep:
        return s.globals.liquidating_count > 0
    now, interval = s.globals.now, s.rules.interval
    if now % interval:
        return False
    if (now - interval) // HOUR != now // HOUR:
        return True
    if is_loss_due(s):
        return True
    for place in range(s.globals.liquidating_count):
        account = s.liquidating[place]
        waits = s.waiting[account].attempted < s.globals.stirred
        if waits and is_drawn(s, account, now // interval):
            return True
    return False


@kernel
def make_pass(s: Store) -> None:
    """One pass of the waterfall; note whether it changed anything."""
    if not s.globals.asleep:
        s.globals.stirred = max(s.globals.stirred, interval_of(s))
    s.globals.asleep = 1
    step_waterfall(s)
    watch(s)
    if not s.globals.asleep:
        s.globals.stirred = interval_of(s) + 1
