"""The clock in kernels: one time step, as in `reference.clock`."""

from solvent.domain import commands as c
from solvent.domain.events import Stepped
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import HOUR
from solvent.engine.lending.pool import charge_hour
from solvent.engine.lending.throttle import step_bounds
from solvent.engine.memory.store import Store
from solvent.engine.prices import step_prices, take_effect
from solvent.engine.refusals import refuse
from solvent.engine.waterfall.liquidation import step_waterfall, watch
from solvent.kernels.language import emit, kernel

MAX_HOURS_PER_STEP = 366 * 24
"""A time step may pass at most a leap year, so that it ends."""


@kernel
def time_step(s: Store, command: c.TimeStep) -> int:
    """Move the clock: interest, marks, bounds, then one step of the waterfall."""
    now = s.globals.now
    time = command.time
    hour = now // HOUR
    last = time // HOUR
    if time <= now or last - hour > MAX_HOURS_PER_STEP:
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    take_effect(s)
    s.globals.now = time
    s.globals.steps += 1
    for begun in range(hour + 1, last + 1):
        for asset in range(s.globals.assets):
            charge_hour(s, asset, begun)
    step_prices(s, time - now)
    step_bounds(s)
    watch(s)
    step_waterfall(s)
    watch(s)
    emit(s, Stepped(time=time, liquidating=s.globals.liquidating_count))
    return 0
