"""Oracle commands in kernels: a source's quote, and an asset's price halted or let go on.

As in `reference.oracle`: what refuses, then the change, and at the end of a moment the accounts
that became liquidatable.
"""

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_ATOM_VALUE, MAX_VALUE
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INT64_MAX
from solvent.engine.ledger import asset_row, borrowed_total, pool_row
from solvent.engine.memory.store import Store
from solvent.engine.prices import give_halt, give_quote, price_row, take_effect
from solvent.engine.refusals import refuse
from solvent.engine.waterfall.gate import reckon_doubts, reckon_gate
from solvent.engine.waterfall.liquidation import watch
from solvent.kernels.language import kernel, narrow, wide


@kernel
def update_price(s: Store, command: c.UpdatePrice) -> int:
    """Take one source's quote."""
    asset = command.asset
    if not 0 < asset < s.globals.assets:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    source = command.source
    if not 0 <= source < asset_row(s, asset).sources:
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    bid = command.bid
    ask = command.ask
    last = command.last
    if min(bid, ask, last) < 1 or bid > ask:
        return refuse(RejectionCode.INVALID_PRICE, Limit.NONE)
    highest = _highest_price(s, asset)
    if max(bid, ask, last) > highest:
        s.globals.largest = highest
        return refuse(RejectionCode.INVALID_PRICE, Limit.SUPPLY_CAP)
    coarsest = wide(MAX_ATOM_VALUE) * asset_row(s, asset).value_divisor
    highest = narrow(min(wide(highest), coarsest))
    if price_row(s, asset).index == 0 and max(bid, ask, last) > highest:
        s.globals.largest = highest
        return refuse(RejectionCode.INVALID_PRICE, Limit.ATOM_VALUE)
    give_quote(s, asset, source, bid, ask, last)
    if not command.more:
        _end_moment(s)
    return 0


@kernel
def _highest_price(s: Store, asset: int) -> int:
    """The highest price at which the whole supply's value still fits, at most a 64-bit half."""
    pool = pool_row(s, asset)
    supply = max(1, -pool.external, borrowed_total(pool))
    worth = wide(MAX_VALUE) * asset_row(s, asset).value_divisor // supply
    return narrow(min(INT64_MAX // 4, worth))


@kernel
def halt_price(s: Store, command: c.HaltPrice) -> int:
    """Halt an asset's price or let it go on."""
    asset = command.asset
    if not 0 < asset < s.globals.assets:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    give_halt(s, asset, command.halted)
    if not command.more:
        _end_moment(s)
    return 0


@kernel
def _end_moment(s: Store) -> None:
    """Let all prices take effect, then find the accounts that they made liquidatable."""
    take_effect(s)
    watch(s)
    reckon_gate(s)
    reckon_doubts(s)
