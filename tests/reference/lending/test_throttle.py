"""The throttle's rule: bound = clamp(U + f (max - U), t, max)."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.parameters import Curve, PoolParameters
from solvent.domain.units import RATIO
from solvent.reference.lending.throttle import bound_by_rule, bound_in_force, within
from solvent.reference.state import Pool
from tests.proof import proves

PERCENT = RATIO // 100
levels = st.integers(0, RATIO)


def parameters(threshold: int, highest: int, fraction: int) -> PoolParameters:
    """A pool with this throttle."""
    flat = Curve(((0, 0), (RATIO, 0)))
    return PoolParameters(flat, 0, 0, highest, threshold, fraction)


@proves("A3", "I13")
@pytest.mark.parametrize(
    ("threshold", "highest", "fraction", "level", "bound"),
    [
        (90, 100, 0, 0, 90),
        (90, 100, 0, 89, 90),
        (90, 100, 0, 90, 90),
        (90, 100, 0, 95, 95),          # a full pause: what is left may not rise
        (90, 100, 0, 100, 100),
        (80, 100, 50, 0, 80),
        (80, 100, 50, 80, 90),
        (80, 100, 50, 90, 95),
        (80, 95, 50, 95, 95),
        (80, 95, 100, 80, 95),
        (80, 95, 50, 99, 95),          # above the maximum: the maximum
        (80, 80, 50, 80, 80),
    ],
)  # fmt: skip
def test_the_rule(threshold: int, highest: int, fraction: int, level: int, bound: int) -> None:
    pool = parameters(threshold * PERCENT, highest * PERCENT, fraction * PERCENT)
    assert bound_by_rule(pool, level * PERCENT) == bound * PERCENT


@proves("I13")
@given(levels, levels, levels, st.integers(0, 2 * RATIO))
def test_the_rule_stays_between_threshold_and_maximum(
    one: int, two: int, fraction: int, level: int
) -> None:
    threshold, highest = sorted((one, two))
    bound = bound_by_rule(parameters(threshold, highest, fraction), level)
    exact = level + Fraction(fraction * (highest - level), RATIO)
    assert bound == max(threshold, min(floor(exact), highest))
    assert threshold <= bound <= highest


@proves("I13")
@given(levels, levels, st.integers(0, 1000))
def test_in_force_is_the_lower_of_the_stored_and_the_present(
    stored: int, fraction: int, borrowed: int
) -> None:
    rule = parameters(RATIO // 2, RATIO, fraction)
    pool = Pool(cash=1000 - borrowed, lend_shares=1000, debt_shares=borrowed, bound=stored)
    assert bound_in_force(rule, pool) == min(stored, bound_by_rule(rule, borrowed * 1_000_000))


@given(st.integers(0, 10**18), st.integers(0, 10**18), levels)
def test_within_compares_without_dividing(borrowed: int, lent: int, bound: int) -> None:
    if borrowed == 0:
        expected = True
    elif lent == 0:
        expected = False
    else:
        expected = Fraction(borrowed, lent) <= Fraction(bound, RATIO)
    assert within(borrowed, lent, bound) is expected
