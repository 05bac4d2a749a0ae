"""Selection in kernels: those with the largest keys get theirs, without a sort.

To fill places in an order until a total is used up, it is enough to know the key at which it runs
out. That key is found digit by digit, from sums of what each digit's places can take, in time
proportional to the number of places whatever they hold. Keys may be longer than a word: then only
those alike in one word are asked for the next.
"""

from collections.abc import Callable
from typing import NamedTuple

from solvent.engine.language import (
    Memory,
    Store,
    allocate,
    bit,
    fail,
    kernel,
    leading_zeros,
    release,
    shift_left,
)
from solvent.engine.layout import SCRATCH_TOP
from solvent.engine.scratch import take

Room = Callable[[Memory, int], int]
"""(rooms, place) -> how much the place can take, at least 0."""
Word = Callable[[Memory, int, int, int], int]
"""(rows, shift, place, number) -> the word of this number, from 1 on, of the place's key (>= 0)."""

_DIGIT = 12
"""Bits a digit: as many sums stay in the processor's nearest cache."""
_DIGITS = 1 << _DIGIT
_WORD_BITS = 64


class Cut(NamedTuple):
    """The key at which a total is used up, and how much is left for those with this very key."""

    key: int
    left: int


@kernel
def one(rooms: Memory, place: int) -> int:  # noqa: ARG001
    """Room for one, everywhere."""
    return 1


@kernel
def listed(rooms: Memory, place: int) -> int:
    """Room as a row says."""
    return rooms[place]


@kernel
def fill_largest(
    s: Store,
    keys: Memory,
    count: int,
    words: int,
    word: Word,
    rows: Memory,
    shift: int,
    room: Room,
    rooms: Memory,
    total: int,
    parts: Memory,
) -> None:
    """Add `total` to `parts`, place by place to its room, the largest key first, ties by place.

    `keys` are the first of `words` words of each key; a place with a negative one takes no part.
    `total` is at most what those who take part have room for.
    """
    if total == 0:
        return
    cut = _cut(s, keys, count, room, rooms, total)
    alike = 0
    for place in range(count):
        if keys[place] > cut.key:
            parts[place] += room(rooms, place)
        elif keys[place] == cut.key:
            alike += 1
    places = allocate(alike)
    found = 0
    for place in range(count):
        if keys[place] == cut.key:
            places[found] = place
            found += 1
    left = cut.left
    number = 1
    while number < words and found > 1:
        left, found = _fill_alike(
            s, places, found, number, word, rows, shift, room, rooms, left, parts
        )
        number += 1
    for which in range(found):
        part = min(left, room(rooms, places[which]))
        parts[places[which]] += part
        left -= part
    release(places)
    if left:
        fail()


@kernel
def _fill_alike(
    s: Store,
    places: Memory,
    count: int,
    number: int,
    word: Word,
    rows: Memory,
    shift: int,
    room: Room,
    rooms: Memory,
    total: int,
    parts: Memory,
) -> tuple[int, int]:
    """One more word of the keys: fill those above the cut; keep, and count, those at it."""
    keys = allocate(count)
    own_rooms = allocate(count)
    for which in range(count):
        keys[which] = word(rows, shift, places[which], number)
        own_rooms[which] = room(rooms, places[which])
    cut = _cut(s, keys, count, listed, own_rooms, total)
    kept = 0
    for which in range(count):
        place = places[which]
        if keys[which] > cut.key:
            parts[place] += own_rooms[which]
        elif keys[which] == cut.key:
            places[kept] = place
            kept += 1
    release(own_rooms)
    release(keys)
    return cut.left, kept


@kernel
def _cut(s: Store, keys: Memory, count: int, room: Room, rooms: Memory, total: int) -> Cut:
    """The largest key such that all from it on have room for `total` (above 0)."""
    largest = 0
    for place in range(count):
        largest = max(largest, keys[place])
    top = s.globals[SCRATCH_TOP]
    sums = take(s, _DIGITS)
    # Keys alike in all bits from `shift + width` on are counted by the next `width` bits.
    shift = _WORD_BITS - leading_zeros(largest)
    key = 0
    left = total
    while shift:
        width = min(shift, _DIGIT)
        shift -= width
        for digit in range(bit(width)):
            sums[digit] = 0
        mask = bit(width) - 1
        for place in range(count):
            upper = keys[place] >> shift
            if upper >> width == key:
                sums[upper & mask] += room(rooms, place)
        digit = mask
        while sums[digit] < left:
            left -= sums[digit]
            digit -= 1
            if digit < 0:
                fail()
        key = shift_left(key, width) | digit
    s.globals[SCRATCH_TOP] = top
    return Cut(key, left)
