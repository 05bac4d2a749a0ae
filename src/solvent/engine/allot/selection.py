"""Selection in kernels: those with the largest keys get theirs, without a sort.

To fill places in an order until a total is used up, it is enough to know the key at which it runs
out. That key is found digit by digit, from sums of what each digit's places can take, in time
proportional to the number of places whatever they hold. Keys may be longer than a word: then only
those alike in one word are asked for the next.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.kernels.language import allocate, bit, fail, kernel, leading_zeros, release, shift_left
from solvent.kernels.rows import Memory

Room = Callable[[Memory, int], int]
"""(rooms, place) -> how much the place can take, at least 0."""
Read = TypeVar("Read")
Word = Callable[[Read, int, int, int], int]
"""(rows, shift, place, number) -> the word of this number, from 1 on, of the place's key."""

_DIGIT = 11
"""Bits a digit: as many sums stay in the processor's nearest cache."""
_DIGITS = 1 << _DIGIT
_WORD_BITS = 64


class Keys(NamedTuple):
    """Keys of `length` places, in words of 63 bits, the upper one first.

    `first` is the row of their first words; a place with a negative one takes no part. The other
    words, where there are more than one, are asked for with `shift`.
    """

    first: Memory
    length: int
    words: int
    shift: int


class Cut(NamedTuple):
    """The key or digit at which a total is used up, and how much is left for those that have it."""

    key: int
    left: int


class Alike(NamedTuple):
    """The places that are alike so far, in order, and what is left for them."""

    places: Memory
    length: int
    left: int


@kernel
def room_for_one(rooms: Memory, place: int) -> int:  # noqa: ARG001
    """One, everywhere."""
    return 1


@kernel
def room_listed(rooms: Memory, place: int) -> int:
    """As a row says."""
    return rooms[place]


@kernel
def fill_largest(
    s: Store,
    keys: Keys,
    word: Word[Read],
    rows: Read,
    room: Room,
    rooms: Memory,
    total: int,
    parts: Memory,
) -> None:
    """Add `total` to `parts`, place by place to its room, the largest key first, ties by place.

    Words of keys after the first are read from `rows`.

    `total` is at most what those who take part have room for together, which is below 2^63.
    """
    if total == 0:
        return
    alike = _fill_by_first_digit(s, keys, room, rooms, total, parts)
    places = alike.places
    number = 0
    while number < keys.words and alike.length > 1:
        alike = _fill_alike(s, alike, keys, word, rows, number, room, rooms, parts)
        number += 1
    left = alike.left
    for which in range(alike.length):
        part = min(left, room(rooms, places[which]))
        parts[places[which]] += part
        left -= part
    release(places)


@kernel
def _fill_by_first_digit(
    s: Store, keys: Keys, room: Room, rooms: Memory, total: int, parts: Memory
) -> Alike:
    """Fill those above the cut by the first digit of their keys, and keep those at it."""
    first = keys.first
    shift = max(0, _bits_of_largest(first, keys.length) - _DIGIT)
    top = s.globals.scratch_top
    sums = take(s, _DIGITS)
    for digit in range(_DIGITS):
        sums[digit] = 0
    for place in range(keys.length):
        if first[place] >= 0:
            sums[first[place] >> shift] += room(rooms, place)
    cut = _run_out(sums, _DIGITS - 1, total)
    s.globals.scratch_top = top
    count = 0
    for place in range(keys.length):
        count += first[place] >> shift == cut.key
    places = allocate(count)
    kept = 0
    for place in range(keys.length):
        digit = first[place] >> shift
        # No branch, for as many may be above as below.
        whole = room(rooms, place)
        parts[place] += whole if digit > cut.key else 0
        if digit == cut.key:
            places[kept] = place
            kept += 1
    return Alike(places, kept, cut.left)


@kernel
def _fill_alike(
    s: Store,
    alike: Alike,
    keys: Keys,
    word: Word[Read],
    rows: Read,
    number: int,
    room: Room,
    rooms: Memory,
    parts: Memory,
) -> Alike:
    """By one more word of their keys: fill those above the cut, and keep those at it."""
    words = allocate(alike.length)
    own_rooms = allocate(alike.length)
    for which in range(alike.length):
        place = alike.places[which]
        words[which] = word(rows, keys.shift, place, number) if number else keys.first[place]
        own_rooms[which] = room(rooms, place)
    cut = _cut(s, words, alike.length, room_listed, own_rooms, alike.left)
    kept = 0
    for which in range(alike.length):
        place = alike.places[which]
        if words[which] > cut.key:
            parts[place] += own_rooms[which]
        elif words[which] == cut.key:
            alike.places[kept] = place
            kept += 1
    release(own_rooms)
    release(words)
    return Alike(alike.places, kept, cut.left)


@kernel
def _cut(s: Store, keys: Memory, count: int, room: Room, rooms: Memory, total: int) -> Cut:
    """The largest key such that all from it on have room for `total` (> 0)."""
    top = s.globals.scratch_top
    sums = take(s, _DIGITS)
    shift = _bits_of_largest(keys, count)
    key = 0
    left = total
    while shift:
        width = min(shift, _DIGIT)
        shift -= width
        for digit in range(bit(width)):
            sums[digit] = 0
        # Those that are alike above this digit, by the digit.
        mask = bit(width) - 1
        for place in range(count):
            upper = keys[place] >> shift
            if upper >> width == key:
                sums[upper & mask] += room(rooms, place)
        cut = _run_out(sums, mask, left)
        key = shift_left(key, width) | cut.key
        left = cut.left
    s.globals.scratch_top = top
    return Cut(key, left)


@kernel
def _bits_of_largest(keys: Memory, count: int) -> int:
    """How many bits the largest key has."""
    largest = 0
    for place in range(count):
        largest = max(largest, keys[place])
    return _WORD_BITS - leading_zeros(largest)


@kernel
def _run_out(sums: Memory, largest: int, total: int) -> Cut:
    """The digit, from the largest on down, at which `total` is used up."""
    digit = largest
    left = total
    while sums[digit] < left:
        left -= sums[digit]
        digit -= 1
        if digit < 0:
            fail()
    return Cut(digit, left)
