"""Depth in kernels: what the book holds for a taker, asked without moving anything.

As `walk` in `reference.orderbook.matching`; the accounts that it has met are those whose row has
its number. What a quote is good for is found on one way through the book instead of by trying
quantities.
"""

from typing import NamedTuple

from solvent.domain.commands import Side
from solvent.domain.parameters import MAX_SUPPLY
from solvent.engine.ledger import account_row, asset_row
from solvent.engine.memory.layout import (
    LAST_WALK,
    NONE,
    ORDER_ACCOUNT,
    ORDER_ASSET,
    ORDER_PRICE,
    ORDER_QUANTITY,
    ORDER_UNFUNDED,
    REDUCE_ONLY,
    VALUE_DIVISOR,
    WALKS,
)
from solvent.engine.orderbook.book import crosses, is_exposed, opposite
from solvent.engine.orderbook.levels import best_slot, next_slot, order_row
from solvent.engine.orderbook.matching import maker_refusal
from solvent.engine.units import value_down, value_up
from solvent.kernels.language import Memory, Store, Wide, kernel, narrow, wide


class Walk(NamedTuple):
    """What a taker would get: base atoms and the quote, without fees."""

    quantity: int
    quote: Wide


@kernel
def walk(
    s: Store, account: int, asset: int, side: int, limit: int, quantity: int, sure: bool
) -> Walk:
    """Look how much of `quantity` the book holds for a taker within `limit`.

    With `sure` only makers count that must be able to fill whatever happens before their turn.
    """
    s.globals[WALKS] += sure
    got = 0
    quote = wide(0)
    slot = best_slot(s, asset, opposite(side))
    while slot != NONE and got != quantity:
        maker = order_row(s, slot)
        own = maker[ORDER_ACCOUNT] == account
        if not crosses(side, limit, maker[ORDER_PRICE]) or (own and sure):
            break
        slot = next_slot(s, slot)
        part = min(quantity - got, maker[ORDER_QUANTITY])
        if own or (sure and not _surely_fills(s, maker, part)):
            continue
        got += part
        quote += _quote(s, side, maker, part)
    return Walk(got, quote)


@kernel
def _quote(s: Store, side: int, maker: Memory, quantity: int) -> int:
    """What a taker on `side` pays, rounded up, or gets, rounded down, for `quantity`."""
    market = asset_row(s, maker[ORDER_ASSET])
    if side == Side.BID:
        return value_up(quantity, maker[ORDER_PRICE], market)
    return value_down(quantity, maker[ORDER_PRICE], market)


@kernel
def _surely_fills(s: Store, maker: Memory, quantity: int) -> bool:
    """Of a maker fully funded: who owes nothing, or whose first order it is and who passes now."""
    if maker[ORDER_UNFUNDED] or maker[REDUCE_ONLY]:
        return False
    holder = account_row(s, maker[ORDER_ACCOUNT])
    if is_exposed(s, maker[ORDER_ACCOUNT]):
        if holder[LAST_WALK] == s.globals[WALKS] or maker_refusal(s, maker, quantity):
            return False
        holder[LAST_WALK] = s.globals[WALKS]
    return True


@kernel
def base_for_quote(s: Store, account: int, asset: int, side: int, limit: int, quote: int) -> int:
    """Base atoms that a taker within `limit` trades until another would pass `quote` USDC atoms."""
    market = asset_row(s, asset)
    got = 0
    left = wide(quote)
    slot = best_slot(s, asset, opposite(side))
    while slot != NONE and got < MAX_SUPPLY:
        maker = order_row(s, slot)
        price = maker[ORDER_PRICE]
        if not crosses(side, limit, price):
            break
        slot = next_slot(s, slot)
        if maker[ORDER_ACCOUNT] == account:
            continue
        part = narrow(min(maker[ORDER_QUANTITY], _most_for(side, left, price, market)))
        got += part
        if part < maker[ORDER_QUANTITY]:
            break
        left -= _quote(s, side, maker, part)
    return got


@kernel
def _most_for(side: int, quote: Wide, price: int, market: Memory) -> Wide:
    """The most atoms for which `_quote` is at most `quote`."""
    if side == Side.BID:
        return quote * market[VALUE_DIVISOR] // price
    return ((quote + 1) * market[VALUE_DIVISOR] - 1) // price
