"""The clock: one time step moves interest, prices, throttles and the waterfall, in this order.

Specification: section 7.2.
"""

from solvent.domain import commands as c
from solvent.domain.events import Stepped
from solvent.domain.rejections import Refusal, RejectionCode
from solvent.domain.units import HOUR
from solvent.reference import prices
from solvent.reference.lending import pool
from solvent.reference.lending.throttle import step_bounds
from solvent.reference.state import State
from solvent.reference.waterfall.liquidation import step_waterfall, watch

MAX_HOURS_PER_STEP = 366 * 24
"""A time step may pass at most a leap year, so that it ends."""


def time_step(state: State, command: c.TimeStep) -> Refusal | None:
    """Move the clock: interest, marks, bounds, then one step of the waterfall."""
    hours = command.time // HOUR - state.hour()
    if command.time <= state.now or hours > MAX_HOURS_PER_STEP:
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    prices.take_effect(state)
    elapsed = command.time - state.now
    # Interest is charged for the hour that begins, so the running one is paid for already.
    first = state.hour() + 1
    state.now = command.time
    state.steps += 1
    # Before marks and the waterfall: health is judged on debts with their interest.
    for hour in range(first, first + hours):
        for asset in range(len(state.pools)):
            pool.charge_hour(state, asset, hour)
    prices.step_prices(state, elapsed)
    # Before the waterfall, which ignores the bound and may leave utilization above it.
    step_bounds(state)
    # Twice: the waterfall takes what the new marks made liquidatable, and its own trades may
    # make others so.
    watch(state)
    step_waterfall(state)
    watch(state)
    state.emit(Stepped(state.now, len(state.liquidating)))
    return None
