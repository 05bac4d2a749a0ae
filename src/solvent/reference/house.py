"""House commands: prices, time, parameters and fees, which belong to no account.

Each has the shape of the account commands in `dispatch`: what refuses, then the deed. Prices, time
and parameters end by looking for accounts that became liquidatable.
"""

from solvent.domain import commands as c
from solvent.domain.events import (
    FeesCollected,
    ParameterChanged,
    Stepped,
)
from solvent.domain.parameters import (
    MAX_VALUE,
    ParameterError,
    changed_parameters,
)
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import HOUR, INT64_MAX, value_divisor
from solvent.reference import prices
from solvent.reference.ledger import POOL, available, borrowed_total, move
from solvent.reference.lending import pool
from solvent.reference.lending.throttle import step_bounds
from solvent.reference.state import TREASURY, Quote, State
from solvent.reference.waterfall.liquidation import step_waterfall, watch

MAX_HOURS_PER_STEP = 366 * 24
"""A time step may pass at most a leap year, so that it ends."""


def update_price(state: State, command: c.UpdatePrice) -> Refusal | None:
    """Take one source's quote, then look for accounts it made liquidatable."""
    asset = command.asset
    if not 0 < asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    if not 0 <= command.source < len(state.prices[asset].quotes):
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    quoted = (command.bid, command.ask, command.last)
    if min(quoted) < 1 or command.bid > command.ask:
        return Refusal(RejectionCode.INVALID_PRICE)
    highest = _highest_price(state, asset)
    if max(quoted) > highest:
        return Refusal(RejectionCode.INVALID_PRICE, Limit.SUPPLY_CAP, highest)
    prices.record_quote(state, asset, command.source, Quote(*quoted, state.now))
    watch(state, asset)
    return None


def _highest_price(state: State, asset: int) -> int:
    """The highest price at which the whole supply's value still fits, at most a 64-bit half."""
    supply = max(1, -state.outside[asset], borrowed_total(state.pools[asset]))
    divisor = value_divisor(state.asset(asset).decimals)
    return min(INT64_MAX // 4, MAX_VALUE * divisor // supply)


def halt_price(state: State, command: c.HaltPrice) -> Refusal | None:
    """Halt an asset's price or let it go on."""
    if not 0 < command.asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    state.prices[command.asset].halted = command.halted
    prices.refresh_staleness(state, command.asset)
    watch(state, command.asset)
    return None


def time_step(state: State, command: c.TimeStep) -> Refusal | None:
    """Move the clock: interest, marks, bounds, then one step of the waterfall."""
    hours = command.time // HOUR - state.hour()
    if command.time <= state.now or hours > MAX_HOURS_PER_STEP:
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    elapsed = command.time - state.now
    first = state.hour() + 1
    state.now = command.time
    state.steps += 1
    for hour in range(first, first + hours):
        for asset in range(len(state.pools)):
            pool.charge_hour(state, asset, hour)
    prices.step_prices(state, elapsed)
    step_bounds(state)
    watch(state)
    step_waterfall(state)
    watch(state)
    state.emit(Stepped(state.now, len(state.liquidating)))
    return None


def change_parameter(state: State, command: c.ChangeParameter) -> Refusal | None:
    """Put one parameter in force, validated with all the others."""
    try:
        state.parameters = changed_parameters(state.parameters, command)
    except ParameterError:
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    state.emit(ParameterChanged(command.asset, command.field, command.index, command.value))
    for asset in range(1, len(state.pools)):
        prices.refresh_staleness(state, asset)
    watch(state)
    return None


def collect_fees(state: State, command: c.CollectFees) -> Refusal | None:
    """Move a pool's fees to the treasury, as far as there is cash."""
    if not 0 <= command.asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    source = state.pools[command.asset]
    quantity = min(source.fees, source.cash)
    if quantity == 0:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.POOL_CASH)
    source.fees -= quantity
    move(state, command.asset, quantity, POOL, available(TREASURY))
    state.emit(FeesCollected(command.asset, quantity))
    return None
