"""Water-filling in kernels: the level at which what stands above it in all vessels is so much.

A vessel is filled from its floor to its top and holds, above a level, area times height: with level
a leverage, top the assets, area the total value and top - floor the cap, that is what draining an
account to that leverage takes (top and floor are heights times area). The sum falls as the level
rises, linearly between the breakpoints top / area and floor / area, of which only the two around
the level sought matter. So they are not sorted: one near the middle says on which side of it the
level lies, and vessels without a breakpoint on that side are summed up and left out.
"""

from typing import NamedTuple

from solvent.engine.allot.sorting import sort_by
from solvent.engine.memory.store import Store
from solvent.kernels.language import Wide, allocate, allocate_rows, huge, kernel, release, wide
from solvent.kernels.rows import Row, Rows


class Vessel(Row):
    """A vessel; `top` and `floor` are heights times area."""

    top: int
    floor: int
    """At least 0, below the top."""
    area: int
    """Above 0."""


class Point(Row):
    """A breakpoint: the level, as a fraction, of a vessel's top or of its floor."""

    numerator: int
    denominator: int
    vessel: int
    is_floor: bool


_FEW = 24
"""So many vessels are walked at last; of as many the pivot is the middle one."""
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
    """Above a level, emptied + tops - level * areas stands in the vessels that are summed up here.

    `emptied` is all that those hold whose floor is not below the level, `tops` and `areas` are of
    those that the level divides. The first `active` of the table are not summed up: those with a
    breakpoint within the bounds.
    """

    emptied: Wide
    tops: Wide
    areas: Wide
    active: int


@kernel
def find_level(s: Store, vessels: Rows[Vessel], count: int, volume: int) -> Level:
    """The highest level above which `volume` stands: above 0, below what is in all vessels.

    The order of the table, and who is in it, is not kept.
    """
    bounds = Bounds(0, 1, 1, 0)
    sums = Sums(wide(0), wide(0), wide(0), count)
    turns = 0
    while sums.active > _FEW and turns < _MOST_TURNS:
        top, bottom = _pivot(s, vessels, sums.active, bounds)
        if _reaches(_summed_at(vessels, sums, top, bottom), volume, top, bottom):
            bounds = Bounds(top, bottom, bounds.high_top, bounds.high_bottom)
        else:
            bounds = Bounds(bounds.low_top, bounds.low_bottom, top, bottom)
        sums = _leave_out(vessels, sums, bounds)
        turns += 1
    sums = _walk(s, vessels, sums, volume, bounds)
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
def _pivot(s: Store, vessels: Rows[Vessel], count: int, bounds: Bounds) -> tuple[int, int]:
    """The middle one of some breakpoints within the bounds, tops and floors by turns."""
    points = allocate_rows(Point, _FEW)
    order = allocate(_FEW)
    for which in range(_FEW):
        place = which * count // _FEW
        vessel = vessels[place]
        is_floor = which % 2 == 1
        if not _is_within(bounds, _breakpoint(vessel, is_floor), vessel.area):
            is_floor = not is_floor
        _put_point(points[which], vessel, place, is_floor)
        order[which] = which
    sort_by(s, order, _FEW, _is_higher, points)
    middle = points[order[_FEW // 2]]
    top, bottom = middle.numerator, middle.denominator
    release(order)
    release(points)
    return top, bottom


@kernel
def _breakpoint(vessel: Vessel, is_floor: bool) -> int:
    """A vessel's floor, or its top."""
    return vessel.floor if is_floor else vessel.top


@kernel
def _put_point(point: Point, vessel: Vessel, place: int, is_floor: bool) -> None:
    """Write the breakpoint at which the level comes to a vessel's top, or to its floor."""
    point.numerator = _breakpoint(vessel, is_floor)
    point.denominator = vessel.area
    point.vessel = place
    point.is_floor = is_floor


@kernel
def _summed_at(vessels: Rows[Vessel], sums: Sums, top: int, bottom: int) -> Sums:
    """The sums with those still active, at the level top / bottom."""
    emptied, tops, areas, active = sums
    for place in range(active):
        vessel = vessels[place]
        level = wide(top) * vessel.area
        if wide(vessel.floor) * bottom >= level:
            emptied += vessel.top - vessel.floor
        elif wide(vessel.top) * bottom > level:
            tops += vessel.top
            areas += vessel.area
    return Sums(emptied, tops, areas, active)


@kernel
def _leave_out(vessels: Rows[Vessel], sums: Sums, bounds: Bounds) -> Sums:
    """Keep the vessels with a breakpoint within the bounds, and sum up the others."""
    emptied, tops, areas, active = sums
    kept = 0
    for place in range(active):
        vessel = vessels[place]
        top, floor, area = vessel.top, vessel.floor, vessel.area
        if _is_within(bounds, top, area) or _is_within(bounds, floor, area):
            keep = vessels[kept]
            keep.top = top
            keep.floor = floor
            keep.area = area
            kept += 1
        elif wide(floor) * bounds.high_bottom >= wide(bounds.high_top) * area:
            emptied += top - floor
        elif wide(top) * bounds.low_bottom > wide(bounds.low_top) * area:
            tops += top
            areas += area
    return Sums(emptied, tops, areas, kept)


@kernel
def _walk(s: Store, vessels: Rows[Vessel], sums: Sums, volume: int, bounds: Bounds) -> Sums:
    """Go down from the upper bound, breakpoint by breakpoint, to where `volume` is reached."""
    emptied, tops, areas, active = sums
    points = allocate_rows(Point, 2 * active)
    order = allocate(2 * active)
    count = 0
    for place in range(active):
        vessel = vessels[place]
        for end in range(2):
            is_floor = end == 1
            if _is_within(bounds, _breakpoint(vessel, is_floor), vessel.area):
                _put_point(points[count], vessel, place, is_floor)
                order[count] = count
                count += 1
            elif not is_floor:
                tops += vessel.top
                areas += vessel.area
    sort_by(s, order, count, _is_higher, points)
    for number in range(count):
        point = points[order[number]]
        here = Sums(emptied, tops, areas, 0)
        if _reaches(here, volume, point.numerator, point.denominator):
            break
        vessel = vessels[point.vessel]
        if point.is_floor:
            tops -= vessel.top
            areas -= vessel.area
            emptied += vessel.top - vessel.floor
        else:
            tops += vessel.top
            areas += vessel.area
    release(order)
    release(points)
    return Sums(emptied, tops, areas, 0)


@kernel
def _is_higher(s: Store, points: Rows[Point], one: int, other: int) -> bool:  # noqa: ARG001
    """Breakpoints by level, highest first; the order of equal ones changes no sum."""
    first, second = points[one], points[other]
    left = wide(first.numerator) * second.denominator
    right = wide(second.numerator) * first.denominator
    return one < other if left == right else left > right
