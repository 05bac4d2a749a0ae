"""Price levels in kernels: where resting orders are kept, and in which order they are met.

Each side of a market is an array of price levels, worst first, so that what happens near the best
price moves little. A level is a doubly linked list of order slots, oldest first; the orders of an
account are another. Slots that are free form a list, and the last one freed is used first.
"""

from solvent.domain.commands import Side
from solvent.engine.ledger import account_row
from solvent.engine.memory.layout import (
    ACCOUNT_NEXT,
    ACCOUNT_PREVIOUS,
    BOOK_WIDTH,
    FIRST_ORDER,
    FREE_ORDER,
    LAST_ORDER,
    LEVEL_CAPACITY,
    LEVEL_COUNT,
    LEVEL_FIRST,
    LEVEL_LAST,
    LEVEL_PRICE,
    LEVEL_WIDTH,
    NONE,
    ORDER_ACCOUNT,
    ORDER_ASSET,
    ORDER_CAPACITY,
    ORDER_COUNT,
    ORDER_ID,
    ORDER_NEXT,
    ORDER_PREVIOUS,
    ORDER_PRICE,
    ORDER_SIDE,
    ORDER_SLOTS,
    ORDER_WIDTH,
)
from solvent.kernels.language import Memory, Store, fail, kernel

_SIDES = 2


@kernel
def order_row(s: Store, slot: int) -> Memory:
    """The order in `slot`."""
    return s.orders.at(slot * ORDER_WIDTH)


@kernel
def take_slot(s: Store) -> int:
    """A free slot, for an order about to rest; there is always one, `columns` sees to it."""
    slot = s.globals[FREE_ORDER]
    if slot != NONE:
        s.globals[FREE_ORDER] = order_row(s, slot)[ORDER_NEXT]
        return slot
    slot = s.globals[ORDER_SLOTS]
    if slot == s.globals[ORDER_CAPACITY]:
        fail()
    s.globals[ORDER_SLOTS] = slot + 1
    return slot


@kernel
def free_slot(s: Store, slot: int) -> None:
    """Give the slot of an order that is in no list any more back."""
    order = order_row(s, slot)
    order[ORDER_ID] = 0
    order[ORDER_NEXT] = s.globals[FREE_ORDER]
    s.globals[FREE_ORDER] = slot


@kernel
def book_row(s: Store, asset: int, side: int) -> Memory:
    """One side of a market."""
    return s.books.at((_SIDES * asset + side) * BOOK_WIDTH)


@kernel
def level_rows(s: Store, asset: int, side: int) -> Memory:
    """The levels of one side of a market, worst first."""
    return s.levels.at((_SIDES * asset + side) * s.globals[LEVEL_CAPACITY] * LEVEL_WIDTH)


@kernel
def best_slot(s: Store, asset: int, side: int) -> int:
    """Slot of the order that is met first on a side, or NONE."""
    count = book_row(s, asset, side)[LEVEL_COUNT]
    if count == 0:
        return NONE
    return level_rows(s, asset, side)[(count - 1) * LEVEL_WIDTH + LEVEL_FIRST]


@kernel
def next_slot(s: Store, slot: int) -> int:
    """Slot of the order that is met after the one in `slot`, or NONE."""
    order = order_row(s, slot)
    if order[ORDER_NEXT] != NONE:
        return order[ORDER_NEXT]
    asset, side = order[ORDER_ASSET], order[ORDER_SIDE]
    place = _place_of(s, asset, side, order[ORDER_PRICE])
    if place == 0:
        return NONE
    return level_rows(s, asset, side)[(place - 1) * LEVEL_WIDTH + LEVEL_FIRST]


@kernel
def _place_of(s: Store, asset: int, side: int, price: int) -> int:
    """How many levels of a side are worse than `price`: where its level is or belongs."""
    levels = level_rows(s, asset, side)
    low = 0
    high = book_row(s, asset, side)[LEVEL_COUNT]
    while low < high:
        middle = (low + high) // 2
        other = levels[middle * LEVEL_WIDTH + LEVEL_PRICE]
        worse = other < price if side == Side.BID else other > price
        if worse:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def join_level(s: Store, slot: int) -> None:
    """Put the order in `slot` behind all orders at its price."""
    order = order_row(s, slot)
    asset, side, price = order[ORDER_ASSET], order[ORDER_SIDE], order[ORDER_PRICE]
    place = _place_of(s, asset, side, price)
    level = level_rows(s, asset, side).at(place * LEVEL_WIDTH)
    order[ORDER_NEXT] = NONE
    if place == book_row(s, asset, side)[LEVEL_COUNT] or level[LEVEL_PRICE] != price:
        _open_level(s, asset, side, place)
        level[LEVEL_PRICE] = price
        level[LEVEL_FIRST] = slot
        order[ORDER_PREVIOUS] = NONE
    else:
        last = order_row(s, level[LEVEL_LAST])
        last[ORDER_NEXT] = slot
        order[ORDER_PREVIOUS] = level[LEVEL_LAST]
    level[LEVEL_LAST] = slot


@kernel
def _open_level(s: Store, asset: int, side: int, place: int) -> None:
    """Make room for a level at `place` by moving the better ones."""
    book = book_row(s, asset, side)
    levels = level_rows(s, asset, side)
    count = book[LEVEL_COUNT]
    if count == s.globals[LEVEL_CAPACITY]:
        fail()
    for number in range(count * LEVEL_WIDTH - 1, place * LEVEL_WIDTH - 1, -1):
        levels[number + LEVEL_WIDTH] = levels[number]
    book[LEVEL_COUNT] = count + 1


@kernel
def leave_level(s: Store, slot: int) -> None:
    """Take the order in `slot` out of its level, and the level out if nothing is left of it."""
    order = order_row(s, slot)
    younger, older = order[ORDER_NEXT], order[ORDER_PREVIOUS]
    if younger != NONE:
        follower = order_row(s, younger)
        follower[ORDER_PREVIOUS] = older
    if older != NONE:
        leader = order_row(s, older)
        leader[ORDER_NEXT] = younger
    if younger != NONE and older != NONE:
        return
    asset, side = order[ORDER_ASSET], order[ORDER_SIDE]
    place = _place_of(s, asset, side, order[ORDER_PRICE])
    level = level_rows(s, asset, side).at(place * LEVEL_WIDTH)
    if younger != NONE:
        level[LEVEL_FIRST] = younger
    elif older != NONE:
        level[LEVEL_LAST] = older
    else:
        _close_level(s, asset, side, place)


@kernel
def _close_level(s: Store, asset: int, side: int, place: int) -> None:
    book = book_row(s, asset, side)
    levels = level_rows(s, asset, side)
    count = book[LEVEL_COUNT] - 1
    for number in range(place * LEVEL_WIDTH, count * LEVEL_WIDTH):
        levels[number] = levels[number + LEVEL_WIDTH]
    book[LEVEL_COUNT] = count


@kernel
def join_account(s: Store, slot: int) -> None:
    """Make the order in `slot` its account's youngest."""
    order = order_row(s, slot)
    holder = account_row(s, order[ORDER_ACCOUNT])
    order[ACCOUNT_NEXT] = NONE
    order[ACCOUNT_PREVIOUS] = holder[LAST_ORDER]
    if holder[LAST_ORDER] == NONE:
        holder[FIRST_ORDER] = slot
    else:
        last = order_row(s, holder[LAST_ORDER])
        last[ACCOUNT_NEXT] = slot
    holder[LAST_ORDER] = slot
    holder[ORDER_COUNT] += 1


@kernel
def leave_account(s: Store, slot: int) -> None:
    """Take the order in `slot` out of its account's list."""
    order = order_row(s, slot)
    holder = account_row(s, order[ORDER_ACCOUNT])
    younger, older = order[ACCOUNT_NEXT], order[ACCOUNT_PREVIOUS]
    if younger == NONE:
        holder[LAST_ORDER] = older
    else:
        follower = order_row(s, younger)
        follower[ACCOUNT_PREVIOUS] = older
    if older == NONE:
        holder[FIRST_ORDER] = younger
    else:
        leader = order_row(s, older)
        leader[ACCOUNT_NEXT] = younger
    holder[ORDER_COUNT] -= 1
