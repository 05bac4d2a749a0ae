"""Oracle commands in kernels: a source's quote, and an asset's price halted or let go on.

As in `reference.oracle`: what refuses, then the deed, then the accounts that became liquidatable.
"""

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_VALUE
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INT64_MAX
from solvent.engine.ledger import asset_row, borrowed_total, pool_row
from solvent.engine.memory.layout import (
    ASSETS,
    HALTED,
    LARGEST,
    OUTSIDE,
    SOURCES,
    VALUE_DIVISOR,
    field_of,
)
from solvent.engine.prices import price_row, record_quote, refresh_staleness
from solvent.engine.refusals import refuse
from solvent.engine.waterfall.liquidation import watch
from solvent.kernels.language import Memory, Store, kernel, narrow, wide

_QUOTED_ASSET = field_of(c.UpdatePrice, "asset")
_SOURCE = field_of(c.UpdatePrice, "source")
_QUOTED_BID = field_of(c.UpdatePrice, "bid")
_QUOTED_ASK = field_of(c.UpdatePrice, "ask")
_QUOTED_LAST = field_of(c.UpdatePrice, "last")
_HALT_ASSET = field_of(c.HaltPrice, "asset")
_IS_HALTED = field_of(c.HaltPrice, "halted")


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
