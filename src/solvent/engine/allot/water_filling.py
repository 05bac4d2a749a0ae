"""Water-filling in kernels: the level at which what stands above it in all glasses is so much.

A glass is filled from its floor to its top and holds, above a level, area times height: with level
a leverage, top the assets, area the total value and top - floor the cap, that is what draining an
account to that leverage takes (top and floor are heights times area). The sum falls as the level
rises, linearly between the breakpoints top / area and floor / area, of which only the two around
the level sought matter. So they are not sorted: one near the middle says on which side of it the
level lies, and glasses without a breakpoint on that side are summed up and left out.
"""

from typing import NamedTuple

from solvent.engine.allot.sorting import sort_by
from solvent.kernels.language import (
    Memory,
    Store,
    Wide,
    allocate,
    huge,
    kernel,
    release,
    wide,
)

GLASS_TOP = 0
GLASS_FLOOR = 1
"""At least 0, below the top."""
GLASS_AREA = 2
"""Above 0."""
GLASS_WIDTH = 3

_NUMERATOR = 0
_DENOMINATOR = 1
_GLASS = 2
_IS_FLOOR = 3
_POINT_WIDTH = 4
_FEW = 24
"""So many glasses are walked at last; of as many the pivot is the middle one."""
_MOST_TURNS = 64
"""Pivots tried at most. Each leaves about half, unless somebody arranged accounts against it."""


class Level(NamedTuple):
    """A level, as a fraction."""

    top: Wide
    bottom: Wide


class Bounds(NamedTuple):
    """The level is at least `low` and below `high`, two fractions; 1 / 0 is above all."""

    low_top: int
    low_bottom: int
    high_top: int
    high_bottom: int


class Sums(NamedTuple):
    """Above a level, emptied + tops - level * areas stands in the glasses that are summed up here.

    `emptied` is all that those hold whose floor is not below the level, `tops` and `areas` are of
    those that the level divides. The first `active` of the table are not summed up: those with a
    breakpoint within the bounds.
    """

    emptied: Wide
    tops: Wide
    areas: Wide
    active: int


@kernel
def find_level(s: Store, glasses: Memory, count: int, volume: int) -> Level:
    """The highest level above which `volume` stands: above 0, below what is in all glasses.

    The order of the table, and who is in it, is not kept.
    """
    bounds = Bounds(0, 1, 1, 0)
    sums = Sums(wide(0), wide(0), wide(0), count)
    turns = 0
    while sums.active > _FEW and turns < _MOST_TURNS:
        top, bottom = _pivot(s, glasses, sums.active, bounds)
        if _reaches(_summed_at(glasses, sums, top, bottom), volume, top, bottom):
            bounds = Bounds(top, bottom, bounds.high_top, bounds.high_bottom)
        else:
            bounds = Bounds(bounds.low_top, bounds.low_bottom, top, bottom)
        sums = _leave_out(glasses, sums, bounds)
        turns += 1
    sums = _walk(s, glasses, sums, volume, bounds)
    return Level(sums.emptied + sums.tops - volume, sums.areas)


@kernel
def _reaches(sums: Sums, volume: int, top: int, bottom: int) -> bool:
    """Whether at least `volume` stands above the level top / bottom."""
    above = sums.emptied + sums.tops - volume
    return huge(above) * bottom >= huge(sums.areas) * top


@kernel
def _is_within(bounds: Bounds, top: int, bottom: int) -> bool:
    """Whether the fraction lies strictly between the bounds."""
    if wide(top) * bounds.low_bottom <= wide(bounds.low_top) * bottom:
        return False
    return wide(top) * bounds.high_bottom < wide(bounds.high_top) * bottom


@kernel
def _pivot(s: Store, glasses: Memory, count: int, bounds: Bounds) -> tuple[int, int]:
    """The middle one of some breakpoints within the bounds, tops and floors by turns."""
    points = allocate(_FEW * _POINT_WIDTH)
    order = allocate(_FEW)
    for which in range(_FEW):
        place = which * count // _FEW
        glass = glasses.at(place * GLASS_WIDTH)
        is_floor = which % 2
        if not _is_within(bounds, glass[GLASS_TOP + is_floor], glass[GLASS_AREA]):
            is_floor = 1 - is_floor
        _put_point(points.at(which * _POINT_WIDTH), glass, place, is_floor)
        order[which] = which
    sort_by(s, order, _FEW, _is_higher, points)
    middle = points.at(order[_FEW // 2] * _POINT_WIDTH)
    top, bottom = middle[_NUMERATOR], middle[_DENOMINATOR]
    release(order)
    release(points)
    return top, bottom


@kernel
def _put_point(point: Memory, glass: Memory, place: int, is_floor: int) -> None:
    """Write the breakpoint at which the level comes to a glass's top, or to its floor."""
    point[_NUMERATOR] = glass[GLASS_TOP + is_floor]
    point[_DENOMINATOR] = glass[GLASS_AREA]
    point[_GLASS] = place
    point[_IS_FLOOR] = is_floor


@kernel
def _summed_at(glasses: Memory, sums: Sums, top: int, bottom: int) -> Sums:
    """The sums with those still active, at the level top / bottom."""
    emptied, tops, areas, active = sums
    for place in range(active):
        glass = glasses.at(place * GLASS_WIDTH)
        level = wide(top) * glass[GLASS_AREA]
        if wide(glass[GLASS_FLOOR]) * bottom >= level:
            emptied += glass[GLASS_TOP] - glass[GLASS_FLOOR]
        elif wide(glass[GLASS_TOP]) * bottom > level:
            tops += glass[GLASS_TOP]
            areas += glass[GLASS_AREA]
    return Sums(emptied, tops, areas, active)


@kernel
def _leave_out(glasses: Memory, sums: Sums, bounds: Bounds) -> Sums:
    """Keep the glasses with a breakpoint within the bounds, and sum up the others."""
    emptied, tops, areas, active = sums
    kept = 0
    for place in range(active):
        glass = glasses.at(place * GLASS_WIDTH)
        top, floor, area = glass[GLASS_TOP], glass[GLASS_FLOOR], glass[GLASS_AREA]
        if _is_within(bounds, top, area) or _is_within(bounds, floor, area):
            keep = glasses.at(kept * GLASS_WIDTH)
            keep[GLASS_TOP] = top
            keep[GLASS_FLOOR] = floor
            keep[GLASS_AREA] = area
            kept += 1
        elif wide(floor) * bounds.high_bottom >= wide(bounds.high_top) * area:
            emptied += top - floor
        elif wide(top) * bounds.low_bottom > wide(bounds.low_top) * area:
            tops += top
            areas += area
    return Sums(emptied, tops, areas, kept)


@kernel
def _walk(s: Store, glasses: Memory, sums: Sums, volume: int, bounds: Bounds) -> Sums:
    """Go down from the upper bound, breakpoint by breakpoint, to where `volume` is reached."""
    emptied, tops, areas, active = sums
    points = allocate(2 * active * _POINT_WIDTH)
    order = allocate(2 * active)
    count = 0
    for place in range(active):
        glass = glasses.at(place * GLASS_WIDTH)
        for is_floor in range(2):
            if _is_within(bounds, glass[GLASS_TOP + is_floor], glass[GLASS_AREA]):
                _put_point(points.at(count * _POINT_WIDTH), glass, place, is_floor)
                order[count] = count
                count += 1
            elif not is_floor:
                tops += glass[GLASS_TOP]
                areas += glass[GLASS_AREA]
    sort_by(s, order, count, _is_higher, points)
    for number in range(count):
        point = points.at(order[number] * _POINT_WIDTH)
        here = Sums(emptied, tops, areas, 0)
        if _reaches(here, volume, point[_NUMERATOR], point[_DENOMINATOR]):
            break
        glass = glasses.at(point[_GLASS] * GLASS_WIDTH)
        if point[_IS_FLOOR]:
            tops -= glass[GLASS_TOP]
            areas -= glass[GLASS_AREA]
            emptied += glass[GLASS_TOP] - glass[GLASS_FLOOR]
        else:
            tops += glass[GLASS_TOP]
            areas += glass[GLASS_AREA]
    release(order)
    release(points)
    return Sums(emptied, tops, areas, 0)


@kernel
def _is_higher(s: Store, points: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    """Breakpoints by level, highest first; the order of equal ones changes no sum."""
    first, second = points.at(one * _POINT_WIDTH), points.at(other * _POINT_WIDTH)
    left = wide(first[_NUMERATOR]) * second[_DENOMINATOR]
    right = wide(second[_NUMERATOR]) * first[_DENOMINATOR]
    return one < other if left == right else left > right
