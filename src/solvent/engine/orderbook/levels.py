"""Price levels in kernels: where orders that rest or wait are kept, in the order they are met.

Each side of a market, and each line of what waits in it, is an array of price levels, worst first,
so that what happens near the best price moves little. A level is a doubly linked list of order
slots, oldest first; the orders of an account are another. Slots that are free form a list, and the
last one freed is used first.
"""

from solvent.engine.ledger import account_row
from solvent.engine.memory.layout import LINES, NONE
from solvent.engine.memory.rows import Book, Level, Order
from solvent.engine.memory.store import Store
from solvent.kernels.language import copy_row, fail, kernel
from solvent.kernels.rows import Rows


@kernel
def order_row(s: Store, slot: int) -> Order:
    """The order in `slot`."""
    return s.orders[slot]


@kernel
def take_slot(s: Store) -> int:
    """A free slot for an order about to rest or wait; there is always one, `columns` sees to it."""
    slot = s.globals.free_order
    if slot != NONE:
        s.globals.free_order = order_row(s, slot).next
        return slot
    slot = s.globals.order_slots
    if slot == s.globals.order_capacity:
        fail()
    s.globals.order_slots = slot + 1
    return slot


@kernel
def free_slot(s: Store, slot: int) -> None:
    """Give the slot of an order that is in no list any more back."""
    order = order_row(s, slot)
    order.order = 0
    order.next = s.globals.free_order
    s.globals.free_order = slot


@kernel
def book_row(s: Store, asset: int, line: int) -> Book:
    """One line of a market: a side, or what waits."""
    return s.books[LINES * asset + line]


@kernel
def level_rows(s: Store, asset: int, line: int) -> Rows[Level]:
    """The levels of one line of a market, worst first."""
    return s.levels.at((LINES * asset + line) * s.globals.level_capacity)


@kernel
def best_slot(s: Store, asset: int, line: int) -> int:
    """Slot of the order that is met first in a line, or NONE."""
    count = book_row(s, asset, line).level_count
    if count == 0:
        return NONE
    return level_rows(s, asset, line)[count - 1].first


@kernel
def next_slot(s: Store, slot: int) -> int:
    """Slot of the order that is met after the one in `slot`, or NONE."""
    order = order_row(s, slot)
    if order.next != NONE:
        return order.next
    asset, line = order.asset, order.line
    place = _place_of(s, asset, line, order.price)
    if place == 0:
        return NONE
    return level_rows(s, asset, line)[place - 1].first


@kernel
def _place_of(s: Store, asset: int, line: int, price: int) -> int:
    """How many levels of a line are worse than `price`: where its level is or belongs."""
    levels = level_rows(s, asset, line)
    low = 0
    high = book_row(s, asset, line).level_count
    while low < high:
        middle = (low + high) // 2
        other = levels[middle].price
        worse = other > price if line % 2 else other < price
        if worse:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def join_level(s: Store, slot: int) -> None:
    """Put the order in `slot` behind all orders at its price."""
    order = order_row(s, slot)
    asset, line, price = order.asset, order.line, order.price
    place = _place_of(s, asset, line, price)
    level = level_rows(s, asset, line)[place]
    order.next = NONE
    if place == book_row(s, asset, line).level_count or level.price != price:
        _open_level(s, asset, line, place)
        level.price = price
        level.first = slot
        order.previous = NONE
    else:
        last = order_row(s, level.last)
        last.next = slot
        order.previous = level.last
    level.last = slot


@kernel
def _open_level(s: Store, asset: int, line: int, place: int) -> None:
    """Make room for a level at `place` by moving the better ones."""
    book = book_row(s, asset, line)
    levels = level_rows(s, asset, line)
    count = book.level_count
    if count == s.globals.level_capacity:
        fail()
    for number in range(count - 1, place - 1, -1):
        copy_row(levels[number], levels[number + 1])
    book.level_count = count + 1


@kernel
def leave_level(s: Store, slot: int) -> None:
    """Take the order in `slot` out of its level, and the level out if nothing is left of it."""
    order = order_row(s, slot)
    younger, older = order.next, order.previous
    if younger != NONE:
        follower = order_row(s, younger)
        follower.previous = older
    if older != NONE:
        leader = order_row(s, older)
        leader.next = younger
    if younger != NONE and older != NONE:
        return
    asset, line = order.asset, order.line
    place = _place_of(s, asset, line, order.price)
    level = level_rows(s, asset, line)[place]
    if younger != NONE:
        level.first = younger
    elif older != NONE:
        level.last = older
    else:
        _close_level(s, asset, line, place)


@kernel
def _close_level(s: Store, asset: int, line: int, place: int) -> None:
    book = book_row(s, asset, line)
    levels = level_rows(s, asset, line)
    count = book.level_count - 1
    for number in range(place, count):
        copy_row(levels[number + 1], levels[number])
    book.level_count = count


@kernel
def join_account(s: Store, slot: int) -> None:
    """Make the order in `slot` its account's youngest."""
    order = order_row(s, slot)
    holder = account_row(s, order.account)
    order.account_next = NONE
    order.account_previous = holder.last_order
    if holder.last_order == NONE:
        holder.first_order = slot
    else:
        last = order_row(s, holder.last_order)
        last.account_next = slot
    holder.last_order = slot
    holder.order_count += 1


@kernel
def leave_account(s: Store, slot: int) -> None:
    """Take the order in `slot` out of its account's list."""
    order = order_row(s, slot)
    holder = account_row(s, order.account)
    younger, older = order.account_next, order.account_previous
    if younger == NONE:
        holder.last_order = older
    else:
        follower = order_row(s, younger)
        follower.account_previous = older
    if older == NONE:
        holder.first_order = younger
    else:
        leader = order_row(s, older)
        leader.account_next = younger
    holder.order_count -= 1
