"""The order book in kernels: price-time priority, one market per asset against USDC.

As in `reference.orderbook.book`; `levels` keeps the orders in their order, and a table from ids to
slots finds one. An order is named by its slot where it is taken out, and by its row where it is
read.
"""

from solvent.domain.commands import Side
from solvent.domain.parameters import USDC
from solvent.domain.units import INT64_MAX, RATIO
from solvent.engine.ledger import account_row, asset_row, available, locked, move, pledge
from solvent.engine.limits import largest_passing
from solvent.engine.memory.layout import (
    DEBTS,
    ENTRY_ORDER,
    ENTRY_SLOT,
    ENTRY_WIDTH,
    FIRST_ORDER,
    INDEX_BLOCK,
    INDEX_FACTOR,
    LOT,
    MAKER_FEE,
    MAX_IMPACT_MULTIPLIER,
    MIN_IMPACT_MULTIPLIER,
    NONE,
    ORDER_ACCOUNT,
    ORDER_ASSET,
    ORDER_CANCELLED,
    ORDER_EXPIRED,
    ORDER_ID,
    ORDER_INDEX_SIZE,
    ORDER_LOCKED,
    ORDER_PRICE,
    ORDER_QUANTITY,
    ORDER_SIDE,
    ORDER_UNFUNDED,
    ORDERS,
    SCRATCH_TOP,
    UNFUNDED,
    UNFUNDEDS,
)
from solvent.engine.memory.scratch import take
from solvent.engine.orderbook.levels import (
    best_slot,
    free_slot,
    join_account,
    join_level,
    leave_account,
    leave_level,
    order_row,
)
from solvent.engine.units import divide_up, mul_div_up, value_up
from solvent.kernels.language import (
    Memory,
    Store,
    bit,
    emit,
    kernel,
    leading_zeros,
    narrow,
    shift_right,
    wide,
    wrapping_mul,
)

_ASSET = 0
_PRICE = 1
_BUDGET = 2
_FEE_RATE = 3
_CONTEXT_WIDTH = 4


@kernel
def pays_with(side: int, asset: int) -> int:
    """The asset that an order gives: USDC for a bid, the base asset for an ask."""
    return USDC if side == Side.BID else asset


@kernel
def fee_up(quote: int, rate: int) -> int:
    """Trading fee on `quote` USDC atoms."""
    return mul_div_up(quote, rate, RATIO)


@kernel
def cost_up(s: Store, asset: int, price: int, quantity: int, fee_rate: int) -> int:
    """USDC atoms that a buyer of `quantity` at `price` pays, fee included."""
    quote = value_up(quantity, price, asset_row(s, asset))
    return quote + fee_up(quote, fee_rate)


@kernel
def opposite(side: int) -> int:
    """The other side."""
    return Side.ASK if side == Side.BID else Side.BID


@kernel
def crosses(side: int, limit: int, price: int) -> bool:
    """Whether a taker on `side` with `limit` would trade at `price`."""
    return price <= limit if side == Side.BID else price >= limit


@kernel
def best_price(s: Store, asset: int, side: int) -> int:
    """Best resting price of a side, 10^-10 USDC per whole token, or NONE when it is empty."""
    slot = best_slot(s, asset, side)
    return order_row(s, slot)[ORDER_PRICE] if slot != NONE else NONE


@kernel
def impact_limit(s: Store, asset: int, side: int) -> int:
    """Worst price a taker on `side` may reach, or NONE: the best opposite one times the band."""
    best = best_price(s, asset, opposite(side))
    if best == NONE:
        return NONE
    market = asset_row(s, asset)
    if side == Side.BID:
        highest = wide(best) * market[MAX_IMPACT_MULTIPLIER] // RATIO
        return narrow(min(highest, INT64_MAX))
    return narrow(divide_up(wide(best) * market[MIN_IMPACT_MULTIPLIER], RATIO))


@kernel
def is_exposed(s: Store, account: int) -> bool:
    """Whether an account owes anything or has orders that would borrow."""
    holder = account_row(s, account)
    return holder[DEBTS] != 0 or holder[UNFUNDEDS] != 0


@kernel
def insert(s: Store, slot: int) -> None:
    """Let the order that is written in `slot` rest, behind all orders at its price."""
    order = order_row(s, slot)
    join_level(s, slot)
    join_account(s, slot)
    _enter(s, order[ORDER_ID], slot)
    s.globals[ORDERS] += 1
    asset = pays_with(order[ORDER_SIDE], order[ORDER_ASSET])
    _change_unfunded(s, order[ORDER_ACCOUNT], asset, order[ORDER_UNFUNDED])


@kernel
def remove(s: Store, slot: int) -> None:
    """Take a resting order out and free what it still locks and what it would have borrowed."""
    order = order_row(s, slot)
    leave_level(s, slot)
    leave_account(s, slot)
    _leave(s, order[ORDER_ID])
    s.globals[ORDERS] -= 1
    set_funding(s, order, 0, 0)
    free_slot(s, slot)


@kernel
def set_funding(s: Store, order: Memory, lock: int, unfunded: int) -> None:
    """Make an order lock `lock` atoms (at most what it locks now) and `unfunded` more on credit."""
    account = order[ORDER_ACCOUNT]
    asset = pays_with(order[ORDER_SIDE], order[ORDER_ASSET])
    move(s, asset, order[ORDER_LOCKED] - lock, locked(account), available(account))
    _change_unfunded(s, account, asset, unfunded - order[ORDER_UNFUNDED])
    order[ORDER_LOCKED] = lock
    order[ORDER_UNFUNDED] = unfunded


@kernel
def _change_unfunded(s: Store, account: int, asset: int, change: int) -> None:
    row = pledge(s, account, asset)
    row[UNFUNDED] += change
    holder = account_row(s, account)
    if row[UNFUNDED]:
        holder[UNFUNDEDS] = holder[UNFUNDEDS] | bit(asset)
    else:
        holder[UNFUNDEDS] = holder[UNFUNDEDS] & ~bit(asset)


@kernel
def cancel(s: Store, slot: int) -> None:
    """End a resting order at its owner's wish."""
    order = order_row(s, slot)
    number = order[ORDER_ID]
    remove(s, slot)
    emit(s, ORDER_CANCELLED, number, order[ORDER_ACCOUNT], order[ORDER_QUANTITY])


@kernel
def expire(s: Store, slot: int, reason: int) -> None:
    """End a resting order for a reason its owner did not choose."""
    order = order_row(s, slot)
    number = order[ORDER_ID]
    remove(s, slot)
    emit(s, ORDER_EXPIRED, number, order[ORDER_ACCOUNT], order[ORDER_QUANTITY], reason)


@kernel
def expire_all(s: Store, account: int, reason: int) -> None:
    """End all of an account's orders, oldest first; nothing of it is locked afterwards (I20)."""
    holder = account_row(s, account)
    while holder[FIRST_ORDER] != NONE:
        expire(s, holder[FIRST_ORDER], reason)


@kernel
def required_lock(s: Store, order: Memory) -> int:
    """What the rest of an order needs to be paid in full at its limit, maker's fee included."""
    if order[ORDER_SIDE] == Side.ASK:
        return order[ORDER_QUANTITY]
    fee = s.rules[MAKER_FEE]
    return cost_up(s, order[ORDER_ASSET], order[ORDER_PRICE], order[ORDER_QUANTITY], fee)


@kernel
def affordable(s: Store, asset: int, price: int, budget: int, fee_rate: int, wanted: int) -> int:
    """Most of `wanted`, in whole lots, that `budget` USDC buys at `price`, fee included."""
    if cost_up(s, asset, price, wanted, fee_rate) <= budget:
        return wanted
    lot = asset_row(s, asset)[LOT]
    top = s.globals[SCRATCH_TOP]
    context = take(s, _CONTEXT_WIDTH)
    context[_ASSET] = asset
    context[_PRICE] = price
    context[_BUDGET] = budget
    context[_FEE_RATE] = fee_rate
    lots = largest_passing(_buys, s, context, wanted // lot)
    s.globals[SCRATCH_TOP] = top
    return lots * lot


@kernel
def _buys(s: Store, context: Memory, lots: int) -> bool:
    asset = context[_ASSET]
    quantity = lots * asset_row(s, asset)[LOT]
    return cost_up(s, asset, context[_PRICE], quantity, context[_FEE_RATE]) <= context[_BUDGET]


@kernel
def find(s: Store, order: int) -> int:
    """Slot of the resting order with the id `order`, or NONE."""
    entry = _entry(s, _place_of(s, order))
    return entry[ENTRY_SLOT] if entry[ENTRY_ORDER] else NONE


@kernel
def _entry(s: Store, place: int) -> Memory:
    return s.order_index.at(place * ENTRY_WIDTH)


@kernel
def _home(s: Store, order: int) -> int:
    """Where the table would have an id if no other were in the way."""
    bits = leading_zeros(s.globals[ORDER_INDEX_SIZE] // INDEX_BLOCK) + 1
    block = shift_right(wrapping_mul(order // INDEX_BLOCK, INDEX_FACTOR), bits)
    return block * INDEX_BLOCK + order % INDEX_BLOCK


@kernel
def _place_of(s: Store, order: int) -> int:
    """Place in the table of an id, or the free one where it belongs."""
    last = s.globals[ORDER_INDEX_SIZE] - 1
    place = _home(s, order)
    other = _entry(s, place)[ENTRY_ORDER]
    while other and other != order:
        place = (place + 1) & last
        other = _entry(s, place)[ENTRY_ORDER]
    return place


@kernel
def _enter(s: Store, order: int, slot: int) -> None:
    entry = _entry(s, _place_of(s, order))
    entry[ENTRY_ORDER] = order
    entry[ENTRY_SLOT] = slot


@kernel
def _leave(s: Store, order: int) -> None:
    """Take an id out of the table and let those that it was in the way of move up."""
    last = s.globals[ORDER_INDEX_SIZE] - 1
    hole = _place_of(s, order)
    place = (hole + 1) & last
    other = _entry(s, place)
    while other[ENTRY_ORDER]:
        way = (place - _home(s, other[ENTRY_ORDER])) & last
        if way >= (place - hole) & last:
            entry = _entry(s, hole)
            entry[ENTRY_ORDER] = other[ENTRY_ORDER]
            entry[ENTRY_SLOT] = other[ENTRY_SLOT]
            hole = place
        place = (place + 1) & last
        other = _entry(s, place)
    entry = _entry(s, hole)
    entry[ENTRY_ORDER] = 0
