"""What could take it, in kernels: the book, providers, cash; and what lenders would lose.

At the marks of one point, which are written into the prices of the store, an image's.
"""

from solvent.domain.commands import Side
from solvent.domain.parameters import USDC
from solvent.domain.units import RATIO
from solvent.engine.foresight.ahead import put_marks
from solvent.engine.foresight.rows import CapacityRow
from solvent.engine.ledger import account_row, asset_row, commitment, is_stale, mark_of, pool_row
from solvent.engine.lending.pool import redeemable
from solvent.engine.margin import Doubt, health_of, is_liquidatable, liquidatable
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Order
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.levels import best_slot, next_slot, order_row
from solvent.engine.units import divide_up, value_down
from solvent.engine.waterfall.gate import reckon_gate
from solvent.kernels.language import kernel, narrow, wide
from solvent.kernels.rows import Memory, Rows


@kernel
def read_capacities(s: Store, marks: Memory, out: Rows[CapacityRow]) -> None:
    """Write what could take some of each asset at the marks of a point."""
    put_marks(s, marks)
    for asset in range(s.globals.assets):
        row = out[asset]
        row.redeemable = redeemable(pool_row(s, asset))
        if asset != USDC and not is_stale(s, asset):
            row.bids = _depth(s, asset, Side.BID)
            row.asks = _depth(s, asset, Side.ASK)
    for place in range(s.globals.provider_count):
        _add_commitments(s, s.providers[place], out)


@kernel
def _depth(s: Store, asset: int, side: Side) -> int:
    """Value of the orders of one side that a liquidation could trade with, at the mark."""
    mark = mark_of(s, asset)
    discount = s.rules.max_discount
    lowest = narrow(divide_up(wide(mark) * (RATIO - discount), RATIO))
    highest = narrow(wide(mark) * (RATIO + discount) // RATIO)
    total = wide(0)
    slot = best_slot(s, asset, side)
    while slot != NONE:
        order = order_row(s, slot)
        if order.price < lowest if side == Side.BID else order.price > highest:
            break
        if _surely_rests(s, order):
            total += order.quantity
        slot = next_slot(s, slot)
    return narrow(total * mark // asset_row(s, asset).value_divisor)


@kernel
def _surely_rests(s: Store, order: Order) -> bool:
    """Whether an order is funded by what it locks, and its owner keeps it at these marks."""
    if order.unfunded or (order.reduce_only and order.side == Side.BID):
        return False
    return not liquidatable(s, order.account)


@kernel
def _add_commitments(s: Store, provider: int, out: Rows[CapacityRow]) -> None:
    """Add the commitments of a provider who has his initial margin at these marks."""
    if account_row(s, provider).is_liquidating:
        return
    values = health_of(s, provider, Doubt.AGAINST_ACCOUNT)
    if is_liquidatable(values) or values.net_equity < values.initial:
        return
    for asset in range(s.globals.assets):
        committed = commitment(s, provider, asset).committed
        if committed and not is_stale(s, asset):
            value = value_down(committed, mark_of(s, asset), asset_row(s, asset))
            out[asset].committed += value


@kernel
def read_impairment(s: Store, marks: Memory, found: Memory, count: int, out: Memory) -> None:
    """Write the fraction, 10^-18, by which each pool's claims would be impaired at these marks.

    `found` are the accounts at MMR 100 % there. Everything but the marks is as before.
    """
    put_marks(s, marks)
    before = s.globals.liquidating_count
    for place in range(count):
        if not account_row(s, found[place]).is_liquidating:
            s.liquidating[s.globals.liquidating_count] = found[place]
            s.globals.liquidating_count += 1
            account_row(s, found[place]).is_liquidating = 1
    for asset in range(s.globals.assets):
        out[asset] = pool_row(s, asset).impaired
    reckon_gate(s)
    for asset in range(s.globals.assets):
        reckoned = pool_row(s, asset).impaired
        pool_row(s, asset).impaired = out[asset]
        out[asset] = reckoned
    for place in range(before, s.globals.liquidating_count):
        account_row(s, s.liquidating[place]).is_liquidating = 0
    s.globals.liquidating_count = before
