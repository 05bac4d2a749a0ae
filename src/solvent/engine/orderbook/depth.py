"""Depth in kernels: what the book holds for a taker, asked without moving anything.

As in `reference.orderbook.depth`; the accounts that a walk has met are those whose row has its
number.
"""

from typing import NamedTuple

from solvent.domain.commands import Side
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.units import INT64_MAX, RATIO
from solvent.engine.ledger import account_row, asset_row
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Order
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import crosses, is_exposed, opposite
from solvent.engine.orderbook.levels import best_slot, next_slot, order_row
from solvent.engine.orderbook.matching import maker_refusal, offered
from solvent.engine.units import divide_up
from solvent.kernels.language import Wide, kernel, narrow, wide


@kernel
def best_maker(s: Store, asset: int, side: Side, account: int) -> int:
    """Slot of the first order that a taker could trade with, or NONE.

    It is another account's, and can be paid whole.
    """
    slot = best_slot(s, asset, opposite(side))
    while slot != NONE:
        maker = order_row(s, slot)
        if maker.account != account:
            quantity = offered(s, maker)
            if quantity and not maker_refusal(s, maker, quantity):
                return slot
        slot = next_slot(s, slot)
    return NONE


@kernel
def impact_limit(s: Store, asset: int, side: Side, account: int) -> int:
    """Worst price a taker may reach, or NONE: the best opposite one times the band."""
    slot = best_maker(s, asset, side, account)
    if slot == NONE:
        return NONE
    best = order_row(s, slot).price
    market = asset_row(s, asset)
    if side == Side.BID:
        highest = wide(best) * market.max_impact_multiplier // RATIO
        return narrow(min(highest, INT64_MAX))
    return narrow(divide_up(wide(best) * market.min_impact_multiplier, RATIO))


class Walk(NamedTuple):
    """What a taker would get: base atoms and the quote, without fees."""

    quantity: int
    quote: Wide


@kernel
def walk(
    s: Store, account: int, asset: int, side: Side, limit: int, quantity: int, sure: bool
) -> Walk:
    """Look how much of `quantity` the book holds for a taker within `limit`.

    With `sure` only makers count that must be able to fill whatever happens before their turn.
    """
    s.globals.walks += sure
    market = asset_row(s, asset)
    got = 0
    exact, received = wide(0), wide(0)
    slot = best_slot(s, asset, opposite(side))
    while slot != NONE and got != quantity:
        maker = order_row(s, slot)
        own = maker.account == account
        if not crosses(side, limit, maker.price) or (own and sure):
            break
        slot = next_slot(s, slot)
        if own:
            continue
        part = min(quantity - got, offered(s, maker))
        if sure and not _surely_fills(s, maker, part):
            continue
        got += part
        worth = wide(part) * maker.price
        exact += worth
        received += worth // market.value_divisor
    if side == Side.BID:
        return Walk(got, divide_up(exact, market.value_divisor))
    return Walk(got, received)


@kernel
def _surely_fills(s: Store, maker: Order, quantity: int) -> bool:
    """Of a maker fully funded: who owes nothing, or whose first order it is and who passes now."""
    if maker.unfunded or (maker.reduce_only and maker.side == Side.BID):
        return False
    holder = account_row(s, maker.account)
    if is_exposed(s, maker.account):
        met = holder.last_walk == s.globals.walks
        if met or maker_refusal(s, maker, quantity):
            return False
        holder.last_walk = s.globals.walks
    return True


@kernel
def base_for_quote(
    s: Store, account: int, asset: int, side: Side, limit: int, quote: int, sure: bool
) -> int:
    """Whole lots that a taker within `limit` trades until another would pass `quote` USDC atoms.

    What a buyer spends includes the taker's fee.
    """
    s.globals.walks += sure
    market = asset_row(s, asset)
    divisor = market.value_divisor
    left = wide(quote)
    if side == Side.BID:
        left = left * RATIO // (RATIO + s.rules.taker_fee) * divisor
    got = 0
    slot = best_slot(s, asset, opposite(side))
    while slot != NONE and got < MAX_SUPPLY:
        maker = order_row(s, slot)
        own = maker.account == account
        if not crosses(side, limit, maker.price) or (own and sure):
            break
        slot = next_slot(s, slot)
        if own:
            continue
        whole = offered(s, maker)
        part = narrow(min(whole, _most_for(side, left, maker.price, divisor)))
        if sure and not _surely_fills(s, maker, part):
            continue
        got += part
        if part < whole:
            break
        worth = wide(part) * maker.price
        left -= worth if side == Side.BID else worth // divisor
    return min(got, MAX_SUPPLY) // market.lot * market.lot


@kernel
def _most_for(side: Side, left: Wide, price: int, divisor: int) -> Wide:
    """The most atoms that `left`, exact for a bid and in USDC atoms for an ask, pays at `price`."""
    if side == Side.BID:
        return left // price
    return ((left + 1) * divisor - 1) // price
