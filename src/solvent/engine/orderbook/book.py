"""The order book in kernels: price-time priority, one market per asset against USDC.

As in `reference.orderbook.book`; `levels` keeps the orders in their order, and a table from ids to
slots finds one. An order is named by its slot where it is taken out, and by its row where it is
read.
"""

from typing import NamedTuple

from solvent.domain.commands import PlaceTrigger, Side
from solvent.domain.events import OrderCancelled, OrderExpired
from solvent.domain.labels import ExpiryReason
from solvent.domain.parameters import USDC
from solvent.domain.units import RATIO
from solvent.engine.ledger import account_row, asset_row, available, commitment, locked, move
from solvent.engine.limits import largest_passing
from solvent.engine.memory.layout import FIRST_WAITING, INDEX_BLOCK, INDEX_FACTOR, NONE
from solvent.engine.memory.rows import Entry, Order
from solvent.engine.memory.store import Store
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
    bit,
    emit,
    kernel,
    leading_zeros,
    message,
    narrow,
    shift_right,
    wide,
    wrapping_mul,
)
from solvent.kernels.rows import Row


class Purchase(Row):
    """What a buyer asks who may be ahead: about which asset, at which price and fee."""

    asset: int
    price: int
    fee_rate: int
    quote_ahead: int
    fee_ahead: int
    budget: int


@kernel
def pays_with(side: Side, asset: int) -> int:
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


class Bill(NamedTuple):
    """What a buyer pays for a fill, USDC atoms, and how far its order then is ahead."""

    quote: int
    fee: int
    quote_ahead: int
    fee_ahead: int


@kernel
def bill_of(
    s: Store, asset: int, price: int, quantity: int, rate: int, quote_ahead: int, fee_ahead: int
) -> Bill:
    """What one more fill costs a buyer whose order is ahead so far: the sums round up once."""
    divisor = asset_row(s, asset).value_divisor
    exact = wide(quantity) * price - quote_ahead
    quote = narrow(divide_up(exact, divisor))
    fee, ahead = fee_of(quote, rate, fee_ahead)
    return Bill(quote, fee, narrow(wide(quote) * divisor - exact), ahead)


@kernel
def bill_total(bill: Bill) -> int:
    """Quote and fee."""
    return bill.quote + bill.fee


@kernel
def fee_of(quote: int, rate: int, fee_ahead: int) -> tuple[int, int]:
    """Fee on `quote` more, where `fee_ahead` was charged beyond the exact sum, and what is then."""
    exact = wide(quote) * rate - fee_ahead
    fee = narrow(divide_up(exact, RATIO))
    return fee, narrow(wide(fee) * RATIO - exact)


@kernel
def borne_rate(side: Side, price: int, bearable: int, rate: int) -> int:
    """A taker's fee, cut to what a fill at `price` leaves to the `bearable` one; 0 cuts nothing."""
    if bearable == 0:
        return rate
    spare = bearable - price if side == Side.BID else price - bearable
    return narrow(max(wide(0), min(wide(rate), wide(spare) * RATIO // price)))


@kernel
def opposite(side: Side) -> Side:
    """The other side."""
    return Side.ASK if side == Side.BID else Side.BID


@kernel
def crosses(side: Side, limit: int, price: int) -> bool:
    """Whether a taker on `side` with `limit` would trade at `price`."""
    return price <= limit if side == Side.BID else price >= limit


@kernel
def best_price(s: Store, asset: int, side: Side) -> int:
    """Best resting price of a side, 10^-10 USDC per whole token, or NONE when it is empty."""
    slot = best_slot(s, asset, side)
    return order_row(s, slot).price if slot != NONE else NONE


@kernel
def is_exposed(s: Store, account: int) -> bool:
    """Whether an account owes anything or has orders that would borrow."""
    holder = account_row(s, account)
    return holder.debts != 0 or holder.unfundeds != 0


@kernel
def insert(s: Store, slot: int) -> None:
    """Let the order that is written in `slot` rest or wait, behind all orders at its price."""
    order = order_row(s, slot)
    join_level(s, slot)
    join_account(s, slot)
    _enter(s, order.order, slot)
    s.globals.orders += 1
    s.globals.waiting += waits(order)
    asset = pays_with(order.side, order.asset)
    _change_unfunded(s, order.account, asset, order.unfunded)


@kernel
def waits(order: Order) -> bool:
    """Whether an order waits for a price, and does not rest in the book."""
    return order.line >= FIRST_WAITING


@kernel
def remove(s: Store, slot: int) -> None:
    """Take an order out and free what it still locks and what it would have borrowed."""
    order = order_row(s, slot)
    leave_level(s, slot)
    leave_account(s, slot)
    _leave(s, order.order)
    s.globals.orders -= 1
    s.globals.waiting -= waits(order)
    set_funding(s, order, 0, 0)
    free_slot(s, slot)


@kernel
def set_funding(s: Store, order: Order, lock: int, unfunded: int) -> None:
    """Make an order lock `lock` atoms (at most what it locks now) and `unfunded` more on credit."""
    account = order.account
    asset = pays_with(order.side, order.asset)
    move(s, asset, order.locked - lock, locked(account), available(account))
    _change_unfunded(s, account, asset, unfunded - order.unfunded)
    order.locked = lock
    order.unfunded = unfunded


@kernel
def _change_unfunded(s: Store, account: int, asset: int, change: int) -> None:
    row = commitment(s, account, asset)
    row.unfunded += change
    holder = account_row(s, account)
    if row.unfunded:
        holder.unfundeds = holder.unfundeds | bit(asset)
    else:
        holder.unfundeds = holder.unfundeds & ~bit(asset)


@kernel
def cancel(s: Store, slot: int) -> None:
    """End an order that rests or waits at its owner's wish."""
    order = order_row(s, slot)
    number = order.order
    remove(s, slot)
    emit(s, OrderCancelled(order=number, account=order.account, quantity=order.quantity))


@kernel
def expire(s: Store, slot: int, reason: ExpiryReason) -> None:
    """End an order that rests or waits for a reason its owner did not choose."""
    order = order_row(s, slot)
    number = order.order
    unspent = 0
    if waits(order):
        unspent = message(PlaceTrigger, s.triggers[slot].asked).quote_quantity
    remove(s, slot)
    emit(
        s,
        OrderExpired(
            order=number,
            account=order.account,
            quantity=order.quantity,
            reason=reason,
            unspent=unspent,
        ),
    )


@kernel
def expire_all(s: Store, account: int, reason: ExpiryReason) -> None:
    """End all of an account's orders, oldest first; nothing of it is locked afterwards (I20)."""
    holder = account_row(s, account)
    while holder.first_order != NONE:
        expire(s, holder.first_order, reason)


@kernel
def expire_paying(s: Store, account: int, asset: int, reason: ExpiryReason) -> None:
    """End the orders of an account that pay with `asset`, oldest first; none of it is locked."""
    slot = account_row(s, account).first_order
    while slot != NONE:
        order = order_row(s, slot)
        following = order.account_next
        if not waits(order) and pays_with(order.side, order.asset) == asset:
            expire(s, slot, reason)
        slot = following


@kernel
def required_lock(s: Store, order: Order) -> int:
    """What the rest of an order needs to be paid in full at its limit, maker's fee included."""
    if order.side == Side.ASK:
        return order.quantity
    return bill_total(next_bill(s, order, order.quantity))


@kernel
def next_bill(s: Store, order: Order, quantity: int) -> Bill:
    """What a resting bid pays for `quantity` at its price."""
    rate, quote_ahead, fee_ahead = s.rules.maker_fee, order.quote_ahead, order.fee_ahead
    return bill_of(s, order.asset, order.price, quantity, rate, quote_ahead, fee_ahead)


@kernel
def affordable(s: Store, purchase: Purchase, wanted: int) -> int:
    """Most of `wanted`, in whole lots, that the purchase's budget buys, fee included."""
    if _buys(s, purchase, wanted):
        return wanted
    lot = asset_row(s, purchase.asset).lot
    return largest_passing(_buys_lots, s, purchase, wanted // lot) * lot


@kernel
def _buys_lots(s: Store, purchase: Purchase, lots: int) -> bool:
    return _buys(s, purchase, lots * asset_row(s, purchase.asset).lot)


@kernel
def _buys(s: Store, purchase: Purchase, quantity: int) -> bool:
    asset, price, rate = purchase.asset, purchase.price, purchase.fee_rate
    quote_ahead, fee_ahead = purchase.quote_ahead, purchase.fee_ahead
    bill = bill_of(s, asset, price, quantity, rate, quote_ahead, fee_ahead)
    return bill_total(bill) <= purchase.budget


@kernel
def find(s: Store, order: int) -> int:
    """Slot of the order with the id `order` that rests or waits, or NONE."""
    entry = _entry(s, _place_of(s, order))
    return entry.slot if entry.order else NONE


@kernel
def _entry(s: Store, place: int) -> Entry:
    return s.order_index[place]


@kernel
def _home(s: Store, order: int) -> int:
    """Where the table would have an id if no other were in the way."""
    bits = leading_zeros(s.globals.order_index_size // INDEX_BLOCK) + 1
    block = shift_right(wrapping_mul(order // INDEX_BLOCK, INDEX_FACTOR), bits)
    return block * INDEX_BLOCK + order % INDEX_BLOCK


@kernel
def _place_of(s: Store, order: int) -> int:
    """Place in the table of an id, or the free one where it belongs."""
    last = s.globals.order_index_size - 1
    place = _home(s, order)
    other = _entry(s, place).order
    while other and other != order:
        place = (place + 1) & last
        other = _entry(s, place).order
    return place


@kernel
def _enter(s: Store, order: int, slot: int) -> None:
    entry = _entry(s, _place_of(s, order))
    entry.order = order
    entry.slot = slot


@kernel
def _leave(s: Store, order: int) -> None:
    """Take an id out of the table and let those that it was in the way of move up."""
    last = s.globals.order_index_size - 1
    hole = _place_of(s, order)
    place = (hole + 1) & last
    other = _entry(s, place)
    while other.order:
        way = (place - _home(s, other.order)) & last
        if way >= (place - hole) & last:
            entry = _entry(s, hole)
            entry.order = other.order
            entry.slot = other.slot
            hole = place
        place = (place + 1) & last
        other = _entry(s, place)
    entry = _entry(s, hole)
    entry.order = 0
