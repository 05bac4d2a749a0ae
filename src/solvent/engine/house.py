"""House commands in kernels: prices, time, parameters and fees, which belong to no account.

As in `reference.house`: what refuses, then the deed. Parameters are validated outside of kernels;
`parameters_changed` is what follows once the new ones are in force.
"""

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_VALUE
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import HOUR, INT64_MAX
from solvent.engine.ledger import (
    POOL_PLACE,
    asset_row,
    available,
    borrowed_total,
    move,
    pool_row,
)
from solvent.engine.lending.pool import charge_hour
from solvent.engine.lending.throttle import step_bounds
from solvent.engine.memory.layout import (
    ASSETS,
    CASH,
    FEES,
    FEES_COLLECTED,
    HALTED,
    LARGEST,
    LIQUIDATING_COUNT,
    NONE,
    NOW,
    OUTSIDE,
    PARAMETER_CHANGED,
    REFUSED,
    SOURCES,
    STEPPED,
    STEPS,
    TREASURY,
    VALUE_DIVISOR,
    field_of,
    kind_of,
)
from solvent.engine.prices import price_row, record_quote, refresh_staleness, step_prices
from solvent.engine.refusals import refuse
from solvent.engine.waterfall.liquidation import step_waterfall, watch
from solvent.kernels.language import Memory, Store, emit, kernel, narrow, wide

MAX_HOURS_PER_STEP = 366 * 24
"""A time step may pass at most a leap year, so that it ends."""

_QUOTED_ASSET = field_of(c.UpdatePrice, "asset")
_SOURCE = field_of(c.UpdatePrice, "source")
_QUOTED_BID = field_of(c.UpdatePrice, "bid")
_QUOTED_ASK = field_of(c.UpdatePrice, "ask")
_QUOTED_LAST = field_of(c.UpdatePrice, "last")
_HALT_ASSET = field_of(c.HaltPrice, "asset")
_IS_HALTED = field_of(c.HaltPrice, "halted")
_TIME = field_of(c.TimeStep, "time")
_CHANGED_ASSET = field_of(c.ChangeParameter, "asset")
_CHANGED_FIELD = field_of(c.ChangeParameter, "field")
_CHANGED_VALUE = field_of(c.ChangeParameter, "value")
_CHANGED_INDEX = field_of(c.ChangeParameter, "index")
_FEE_ASSET = field_of(c.CollectFees, "asset")
_CHANGE_PARAMETER = kind_of(c.ChangeParameter)


@kernel
def update_price(s: Store, command: Memory) -> int:
    """Take one source's quote, then look for accounts it made liquidatable."""
    asset = command[_QUOTED_ASSET]
    if not 0 < asset < s.globals[ASSETS]:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    source = command[_SOURCE]
    if not 0 <= source < asset_row(s, asset)[SOURCES]:
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    bid = command[_QUOTED_BID]
    ask = command[_QUOTED_ASK]
    last = command[_QUOTED_LAST]
    if min(bid, ask, last) < 1 or bid > ask:
        return refuse(RejectionCode.INVALID_PRICE, Limit.NONE)
    highest = _highest_price(s, asset)
    if max(bid, ask, last) > highest:
        s.globals[LARGEST] = highest
        return refuse(RejectionCode.INVALID_PRICE, Limit.SUPPLY_CAP)
    record_quote(s, asset, source, bid, ask, last)
    watch(s)
    return 0


@kernel
def _highest_price(s: Store, asset: int) -> int:
    """The highest price at which the whole supply's value still fits, at most a 64-bit half."""
    pool = pool_row(s, asset)
    supply = max(1, -pool[OUTSIDE], borrowed_total(pool))
    worth = wide(MAX_VALUE) * asset_row(s, asset)[VALUE_DIVISOR] // supply
    return narrow(min(INT64_MAX // 4, worth))


@kernel
def halt_price(s: Store, command: Memory) -> int:
    """Halt an asset's price or let it go on."""
    asset = command[_HALT_ASSET]
    if not 0 < asset < s.globals[ASSETS]:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    price = price_row(s, asset)
    price[HALTED] = command[_IS_HALTED]
    refresh_staleness(s, asset)
    watch(s)
    return 0


@kernel
def time_step(s: Store, command: Memory) -> int:
    """Move the clock: interest, marks, bounds, then one step of the waterfall."""
    now = s.globals[NOW]
    time = command[_TIME]
    hour = now // HOUR
    last = time // HOUR
    if time <= now or last - hour > MAX_HOURS_PER_STEP:
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    s.globals[NOW] = time
    s.globals[STEPS] += 1
    for begun in range(hour + 1, last + 1):
        for asset in range(s.globals[ASSETS]):
            charge_hour(s, asset, begun)
    step_prices(s, time - now)
    step_bounds(s)
    watch(s)
    step_waterfall(s)
    watch(s)
    emit(s, STEPPED, time, s.globals[LIQUIDATING_COUNT])
    return 0


@kernel
def parameters_changed(s: Store, command: Memory) -> None:
    """Say that a parameter was put in force, and find what that made stale or liquidatable."""
    emit(
        s,
        PARAMETER_CHANGED,
        command[_CHANGED_ASSET],
        command[_CHANGED_FIELD],
        command[_CHANGED_INDEX],
        command[_CHANGED_VALUE],
    )
    for asset in range(1, s.globals[ASSETS]):
        refresh_staleness(s, asset)
    watch(s)


@kernel
def parameters_refused(s: Store, command: Memory) -> None:
    """Say that a parameter was found not to be valid."""
    code = RejectionCode.INVALID_CLIENT_REQUEST
    emit(s, REFUSED, _CHANGE_PARAMETER, NONE, command[_CHANGED_ASSET], code, Limit.NONE, 0)


@kernel
def collect_fees(s: Store, command: Memory) -> int:
    """Move a pool's fees to the treasury, as far as there is cash."""
    asset = command[_FEE_ASSET]
    if not 0 <= asset < s.globals[ASSETS]:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    pool = pool_row(s, asset)
    quantity = min(pool[FEES], pool[CASH])
    if quantity == 0:
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.POOL_CASH)
    pool[FEES] -= quantity
    move(s, asset, quantity, POOL_PLACE, available(TREASURY))
    emit(s, FEES_COLLECTED, asset, quantity)
    return 0
