"""Depth in kernels: what the book holds for a taker, asked without moving anything.

As `walk` in `reference.orderbook.matching`; the accounts that it has met are those whose row has
its number. What a quote is good for is found on one way through the book instead of by trying
quantities.
"""

from typing import NamedTuple

from solvent.domain.commands import Side
from solvent.domain.parameters import MAX_SUPPLY
from solvent.engine.ledger import account_row, asset_row
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Asset, Order
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import crosses, is_exposed, opposite
from solvent.engine.orderbook.levels import best_slot, next_slot, order_row
from solvent.engine.orderbook.matching import maker_refusal
from solvent.engine.units import value_down, value_up
from solvent.kernels.language import Wide, kernel, narrow, wide


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
    got = 0
    quote = wide(0)
    slot = best_slot(s, asset, opposite(side))
    while slot != NONE and got != quantity:
        maker = order_row(s, slot)
        own = maker.account == account
        if not crosses(side, limit, maker.price) or (own and sure):
            break
        slot = next_slot(s, slot)
        part = min(quantity - got, maker.quantity)
        if own or (sure and not _surely_fills(s, maker, part)):
            continue
        got += part
        quote += _quote(s, side, maker, part)
    return Walk(got, quote)


@kernel
def _quote(s: Store, side: Side, maker: Order, quantity: int) -> int:
    """What a taker on `side` pays, rounded up, or gets, rounded down, for `quantity`."""
    market = asset_row(s, maker.asset)
    if side == Side.BID:
        return value_up(quantity, maker.price, market)
    return value_down(quantity, maker.price, market)


@kernel
def _surely_fills(s: Store, maker: Order, quantity: int) -> bool:
    """Of a maker fully funded: who owes nothing, or whose first order it is and who passes now."""
    if maker.unfunded or maker.reduce_only:
        return False
    holder = account_row(s, maker.account)
    if is_exposed(s, maker.account):
        if holder.last_walk == s.globals.walks or maker_refusal(s, maker, quantity):
            return False
        holder.last_walk = s.globals.walks
    return True


@kernel
def base_for_quote(s: Store, account: int, asset: int, side: Side, limit: int, quote: int) -> int:
    """Base atoms that a taker within `limit` trades until another would pass `quote` USDC atoms."""
    market = asset_row(s, asset)
    got = 0
    left = wide(quote)
    slot = best_slot(s, asset, opposite(side))
    while slot != NONE and got < MAX_SUPPLY:
        maker = order_row(s, slot)
        price = maker.price
        if not crosses(side, limit, price):
            break
        slot = next_slot(s, slot)
        if maker.account == account:
            continue
        part = narrow(min(maker.quantity, _most_for(side, left, price, market)))
        got += part
        if part < maker.quantity:
            break
        left -= _quote(s, side, maker, part)
    return got


@kernel
def _most_for(side: Side, quote: Wide, price: int, market: Asset) -> Wide:
    """The most atoms for which `_quote` is at most `quote`."""
    if side == Side.BID:
        return quote * market.value_divisor // price
    return ((quote + 1) * market.value_divisor - 1) // price
