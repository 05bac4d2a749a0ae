"""Rates: what utilization costs, against exact fractions, at kinks and with many points."""

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from solvent.domain.parameters import MAX_SUPPLY, Curve, PoolParameters
from solvent.domain.units import INT64_MAX, RATIO
from solvent.reference.lending.rates import (
    PiecewiseRate,
    borrow_apr,
    lend_apr,
    utilization_up,
)
from tests.proof import proves

KINKED = Curve(((0, 0), (RATIO * 8 // 10, RATIO * 8 // 100), (RATIO, RATIO)))
levels = st.integers(0, RATIO)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Any curve of 2 to 16 points."""
    inner = draw(st.sets(st.integers(1, RATIO - 1), max_size=14))
    rates = sorted(draw(st.lists(st.integers(0, 10 * RATIO), min_size=16, max_size=16)))
    utilizations = [0, *sorted(inner), RATIO]
    return Curve(tuple(zip(utilizations, rates, strict=False)))


def pool_of(curve: Curve, fee: int = 0) -> PoolParameters:
    """A pool that prices by `curve`."""
    return PoolParameters(curve, fee, 0, RATIO, RATIO)


def exact_rate(curve: Curve, level: int) -> Fraction:
    """The rate by linear interpolation."""
    points = [(Fraction(x), Fraction(y)) for x, y in curve.points]
    for (left, low), (right, high) in pairwise(points):
        if left <= level <= right:
            return low + (high - low) * (level - left) / (right - left)
    raise AssertionError(level)


@proves("A1")
@given(curves(), levels)
def test_the_rate_is_the_line_between_two_points_rounded_up(curve: Curve, level: int) -> None:
    assert PiecewiseRate(curve).rate(level) == ceil(exact_rate(curve, level))


@proves("A1", "A2")
@given(curves(), levels, levels)
def test_the_rate_never_falls_as_utilization_rises(curve: Curve, one: int, two: int) -> None:
    low, high = sorted((one, two))
    model = PiecewiseRate(curve)
    assert model.rate(low) <= model.rate(high)


@given(curves())
def test_the_rate_meets_every_point(curve: Curve) -> None:
    for utilization, rate in curve.points:
        assert PiecewiseRate(curve).rate(utilization) == rate


@proves("A1", "A2")
@pytest.mark.parametrize(
    ("percent", "apr"),
    [(0, 0), (40, 4), (80, 8), (85, 31), (90, 54), (95, 77), (100, 100)],
)
def test_past_the_optimum_the_rate_rises_much_more_steeply(percent: int, apr: int) -> None:
    # 0.1 % of rate a point before the kink, 4.6 % a point after it.
    assert borrow_apr(pool_of(KINKED), RATIO * percent // 100) == RATIO * apr // 100


def test_the_curve_reads_utilization_capped_at_one() -> None:
    assert borrow_apr(pool_of(KINKED), RATIO + 1) == borrow_apr(pool_of(KINKED), RATIO) == RATIO
    assert lend_apr(pool_of(KINKED), 2 * RATIO) == RATIO


@given(curves(), levels, levels)
@example(KINKED, RATIO, RATIO)
@example(KINKED, 0, 0)
def test_lenders_get_what_borrowers_pay_less_the_fee(curve: Curve, level: int, fee: int) -> None:
    parameters = pool_of(curve, fee)
    borrowers = Fraction(borrow_apr(parameters, level) * level, RATIO)
    assert lend_apr(parameters, level) == floor(borrowers * (RATIO - fee) / RATIO)


@proves("A1")
@pytest.mark.parametrize(
    ("borrowed", "lent", "level"),
    [
        (0, 0, 0),
        (0, 5, 0),
        (1, 0, RATIO),
        (5, 5, RATIO),
        (1, 3, 333_333_334),
        (1, 10**18, 1),
        (6, 5, 1_200_000_000),
    ],
)
def test_utilization_is_borrowed_over_lent(borrowed: int, lent: int, level: int) -> None:
    assert utilization_up(borrowed, lent) == level


def test_utilization_is_at_most_what_a_record_holds() -> None:
    """A loss may leave lenders an atom of a claim while much is still owed."""
    most = INT64_MAX // RATIO
    assert utilization_up(most, 1) == most * RATIO
    assert utilization_up(most + 1, 1) == INT64_MAX
    assert utilization_up(MAX_SUPPLY, 1) == INT64_MAX
