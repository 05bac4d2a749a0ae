"""The clock: a time step makes passes, one an interval while an account is liquidating.

A pass moves interest, prices, throttles and the waterfall, in this order. Passes in which nothing
could change are not made; which these are depends on the state alone, so that the same passes are
made however time was cut into steps.

Specification: section 7.2.
"""

from collections.abc import Iterator

from solvent.domain import commands as c
from solvent.domain.events import Stepped
from solvent.domain.rejections import Refusal, RejectionCode
from solvent.domain.units import HOUR, divide_up
from solvent.reference import prices
from solvent.reference.lending.interest import accrue
from solvent.reference.lending.throttle import step_bounds
from solvent.reference.orderbook.triggers import fire, next_due
from solvent.reference.standby import posted
from solvent.reference.state import State
from solvent.reference.waterfall.draws import is_drawn, next_drawn
from solvent.reference.waterfall.gate import reckon_doubts, reckon_gate
from solvent.reference.waterfall.insolvency import is_loss_due, next_loss
from solvent.reference.waterfall.liquidation import step_waterfall, watch
from solvent.reference.waterfall.notices import next_notice, withdraw_commitments

MAX_HOURS_PER_STEP = 366 * 24
"""A time step may pass at most a leap year, so that it ends."""


def time_refusal(state: State, command: c.TimeStep) -> Refusal | None:
    """Time goes forward, and not too far at once."""
    hours = command.time // HOUR - state.hour()
    if command.time <= state.now or hours > MAX_HOURS_PER_STEP:
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    return None


def time_step(state: State, command: c.TimeStep) -> Refusal | None:
    """Move the clock to the command's time, pass by pass."""
    refusal = time_refusal(state, command)
    if refusal is not None:
        return refusal
    prices.take_effect(state)
    if not state.asleep:
        # What was tried in the running interval was tried before what happened since.
        state.stirred = max(state.stirred, state.interval() + 1)
    while state.now < command.time:
        advance(state, next_pass(state, command.time))
        if is_pass_due(state):
            make_pass(state)
        reckon_doubts(state)
        state.emit(Stepped(state.now, len(state.liquidating)))
        if state.now < command.time:
            _fire_due(state)
    reckon_gate(state)
    return None


def _fire_due(state: State) -> None:
    """Fire what waits for the prices of a pass, as where a step ends with it."""
    if next_due(state) is None:
        return
    reckon_gate(state)
    while (trigger := next_due(state)) is not None:
        fire(state, trigger)
    state.stirred = max(state.stirred, state.interval() + 1)


def advance(state: State, time: int) -> None:
    """Move the clock: interest, prices, bounds, and who became liquidatable by them."""
    while state.now < time:
        _move(state, min(time, _next_moment(state)))
    withdraw_commitments(state)
    posted.end_notices(state)
    # Before the waterfall, which ignores the bound and may leave utilization above it.
    step_bounds(state)
    watch(state)


def _move(state: State, time: int) -> None:
    """Interest and prices until a time at which the next of them may change by itself."""
    intervals = time // state.parameters.waterfall.interval - state.interval()
    # The samples of all intervals but the last, for which nothing has changed yet.
    prices.follow_books(state, intervals - 1)
    # Before marks and the waterfall: health is judged on debts with their interest.
    accrue(state, state.now, time)
    state.now = time
    prices.step_prices(state, min(1, intervals))


def _next_moment(state: State) -> int:
    """The time of the first interval in which a price, or what its book is asked, may change."""
    interval = state.parameters.waterfall.interval
    return interval * max(state.interval() + 1, min(_moments(state)))


def next_pass(state: State, end: int) -> int:
    """The time to which nothing could change but by time itself, at most `end`.

    Where no account is liquidating that is the end: interest and premium are found there.
    """
    if not state.liquidating:
        return end
    number = state.interval() + 1
    if state.asleep:
        number = max(number, min(_changes(state)))
    return min(end, number * state.parameters.waterfall.interval)


def _changes(state: State) -> Iterator[int]:
    """Intervals in which something may come to pass although nothing happened.

    An account that has tried since all is as it is would do the same again.
    """
    interval = state.parameters.waterfall.interval
    top = _top(state)
    yield next_loss(state, top)
    for account in state.liquidating:
        if state.accounts[account].attempted < state.stirred:
            yield next_drawn(state, account, top)
    for due in (next_notice(state), posted.next_notice(state)):
        if due is not None:
            yield divide_up(due, interval)
    yield from _moments(state)


def _top(state: State) -> int:
    """The first interval of the next hour."""
    return divide_up((state.hour() + 1) * HOUR, state.parameters.waterfall.interval)


def _moments(state: State) -> Iterator[int]:
    """Intervals in which a price may change by time alone, or what its book is asked."""
    interval = state.parameters.waterfall.interval
    yield _top(state)
    for asset, price in enumerate(state.prices):
        if price.in_doubt and not price.halted and prices.has_quorum(state, asset):
            yield state.interval() + 1
        oldest = state.now - state.asset(asset).price.max_age
        for quote in price.quotes:
            if quote.time >= max(0, oldest):
                yield (quote.time + state.asset(asset).price.max_age) // interval + 1


def is_pass_due(state: State) -> bool:
    """Whether the waterfall may do something now.

    Something happened since its last pass, an account has its draw, an hour's interest came, or
    what interest made accounts lack is to be booked.
    """
    if not state.liquidating or not state.asleep:
        return bool(state.liquidating)
    interval = state.parameters.waterfall.interval
    if state.now % interval:
        return False
    if (state.now - interval) // HOUR != state.hour():
        return True
    if is_loss_due(state):
        return True
    return any(
        state.accounts[account].attempted < state.stirred
        and is_drawn(state, account, state.interval())
        for account in state.liquidating
    )


def make_pass(state: State) -> None:
    """One pass of the waterfall; note whether it changed anything."""
    if not state.asleep:
        state.stirred = max(state.stirred, state.interval())
    state.asleep = True
    step_waterfall(state)
    # Its own trades may make others liquidatable; they wait for the next pass.
    watch(state)
    if not state.asleep:
        state.stirred = state.interval() + 1
