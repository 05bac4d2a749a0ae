"""Apportionment in kernels: a whole split in proportion to weights, each part within its cap.

As `apportion` of `reference.waterfall.policies`, in time proportional to the number of places. Who
is at his cap is found without a sort: parts are cut at the common rate, whoever reaches his cap is
fixed at it, and what is left is cut anew. The rate only rises, so this ends at the same caps as
going by cap per weight, after a few turns (Newton's method on a concave function of the rate).
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from solvent.engine.allot.selection import Keys, fill_largest, room_for_one
from solvent.engine.memory.store import Store
from solvent.kernels.language import (
    Wide,
    allocate,
    bit,
    huge,
    kernel,
    leading_zeros,
    narrow,
    release,
    thin,
    wide,
    wrapping_add,
    wrapping_mul,
    wrapping_sub,
)
from solvent.kernels.rows import Memory

_LOWER_BITS = 62
_LOWER = 1 << _LOWER_BITS
_WORD_BITS = 64
_NO_PART = -1


class Places(NamedTuple):
    """`length` places: their caps, and their parts."""

    caps: Memory
    parts: Memory
    length: int


class Rate(NamedTuple):
    """A turn's rate: so much of what is left for `weights` together.

    Where those are below 2^62, `short` is they, and the rate is also `whole` for one and `share` /
    2^62 more, rounded down.
    """

    spread: int
    weights: Wide
    short: int
    whole: int
    share: int


class Rests(NamedTuple):
    """A remainder for each place, in one word or as upper and lower bits in two.

    The first word is negative for a place that takes no part or is at its cap.
    """

    upper: Memory
    lower: Memory
    words: int


Weighed = TypeVar("Weighed")
Weight = Callable[[Weighed, int], Wide]
"""(rows, place) -> the weight at that place, at least 0."""
Divide = Callable[[Rests, int, Rate, Wide], int]
"""(rests, place, rate, weight) -> spread * weight / weights, the remainder noted."""


@kernel
def apportion(
    s: Store, total: int, weights: Memory, caps: Memory, count: int, parts: Memory
) -> None:
    """Split `total` in proportion to `weights`, each part at most its cap, exactly."""
    apportion_by(s, total, _listed, weights, Places(caps, parts, count))


@kernel
def _listed(weights: Memory, place: int) -> Wide:
    return wide(weights[place])


@kernel
def apportion_by(
    s: Store, total: int, weigh: Weight[Weighed], rows: Weighed, places: Places
) -> None:
    """Split `total` in proportion to weights by water-filling over the caps, exactly.

    What rounding leaves goes by largest remainder, then by place; what weighted places cannot take
    goes to the others in order of place.
    """
    parts = places.parts
    count = places.length
    reachable = wide(0)
    weights = wide(0)
    for place in range(count):
        cap = places.caps[place]
        parts[place] = 0
        reachable += cap
        if cap:
            weights += weigh(rows, place)
    if reachable <= total:
        for place in range(count):
            parts[place] = places.caps[place]
        return
    upper = allocate(count)
    if weights < _LOWER:
        left = _share(s, total, weights, weigh, rows, places, _divide, Rests(upper, upper, 1))
    else:
        lower = allocate(count)
        rests = Rests(upper, lower, 2)
        left = _share(s, total, weights, weigh, rows, places, _divide_long, rests)
        release(lower)
    release(upper)
    place = 0
    while left:
        extra = min(left, places.caps[place] - parts[place])
        parts[place] += extra
        left -= extra
        place += 1


@kernel
def _share(
    s: Store,
    total: int,
    weights: Wide,
    weigh: Weight[Weighed],
    rows: Weighed,
    places: Places,
    divide: Divide,
    rests: Rests,
) -> int:
    """Give places with weights their parts of `total`; return what they cannot take."""
    left = total
    weight_left = weights
    shared = 0
    is_first = True
    unsettled = weights > 0
    while unsettled:
        unsettled = False
        rate = _rate(left, weight_left)
        shared = 0
        for place in range(places.length):
            if is_first or rests.upper[place] != _NO_PART:
                cap = places.caps[place]
                weight = weigh(rows, place) if cap else wide(0)
                part = divide(rests, place, rate, weight) if weight else 0
                if part >= cap or weight == 0:
                    rests.upper[place] = _NO_PART
                    part = min(part, cap)
                    left -= part
                    weight_left -= weight
                    unsettled = unsettled or part > 0
                else:
                    shared += part
                places.parts[place] = part
        is_first = False
        unsettled = unsettled and weight_left > 0
    if weight_left == 0:
        return left
    keys = Keys(rests.upper, places.length, rests.words, 0)
    left -= shared
    fill_largest(s, keys, _lower_word, rests.lower, room_for_one, rests.upper, left, places.parts)
    return 0


@kernel
def _lower_word(rows: Memory, shift: int, place: int, number: int) -> int:  # noqa: ARG001
    return rows[place]


@kernel
def _rate(spread: int, weights: Wide) -> Rate:
    if weights >= _LOWER:
        return Rate(spread, weights, 0, 0, 0)
    short = narrow(weights)
    share = wide(spread % short) * _LOWER // short
    return Rate(spread, weights, short, spread // short, narrow(share))


@kernel
def _divide(rests: Rests, place: int, rate: Rate, weight: Wide) -> int:
    """For weights that are below 2^62 together: by the rate, which gives at most one too little.

    The share is off by less than 2^-62 and the weight below 2^62. What rests is then less than two
    times the weights, so 64 bits of it are all.
    """
    own = narrow(weight)
    part = own * rate.whole + narrow(wide(own) * rate.share // _LOWER)
    rest = wrapping_sub(wrapping_mul(rate.spread, own), wrapping_mul(part, rate.short))
    if rest >= rate.short:
        rest = wrapping_sub(rest, rate.short)
        part = wrapping_add(part, 1)
    rests.upper[place] = rest
    return part


@kernel
def _divide_long(rests: Rests, place: int, rate: Rate, weight: Wide) -> int:
    """For longer weights: from their leading 62 bits first, which gives at most a few too little.

    A weight has at most 103 bits, a position of 63 times a leverage of 40, and so have all of one
    pool's borrowers or lenders together; with the spread's 63 it takes more than 128.
    """
    spread, weights = rate.spread, rate.weights
    unit = bit(_WORD_BITS - leading_zeros(narrow(weights // _LOWER)))
    part = narrow(wide(spread) * narrow(weight // unit) // (narrow(weights // unit) + 1))
    rest = thin(huge(weight) * spread - huge(weights) * part)
    while rest >= weights:
        rest -= weights
        part += 1
    rests.upper[place] = narrow(rest // _LOWER)
    rests.lower[place] = narrow(rest - wide(rests.upper[place]) * _LOWER)
    return part
