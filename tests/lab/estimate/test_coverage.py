"""Coverage backtests: known ratios, and right models are refused as seldom as said."""

import math

import numpy as np
import pytest

from solvent.lab.estimate.coverage import coverage


def test_kupiecs_ratio_is_that_of_the_formula() -> None:
    """Four passes of 250 at 99 %: a ratio of 0.769, as every table of the traffic light has it."""
    found = coverage([True] * 4 + [False] * 246, 0.99)
    assert (found.passes, found.count) == (4, 250)
    assert found.expected == pytest.approx(2.5)
    assert found.kupiec == pytest.approx(math.erfc(math.sqrt(0.7691 / 2)), abs=1e-3)
    assert coverage([False] * 100, 0.95).christoffersen is None
    assert coverage([False] * 100, 0.95).kupiec < 0.01
    assert coverage([True] * 100, 0.95).kupiec < 1e-20


def test_passes_in_a_row_speak_against_independence() -> None:
    apart = coverage([place % 20 == 0 for place in range(400)], 0.95)
    together = coverage([place < 20 for place in range(400)], 0.95)
    assert apart.passes == together.passes == 20
    assert apart.kupiec == together.kupiec == pytest.approx(1.0)
    assert apart.christoffersen is not None
    assert together.christoffersen is not None
    assert together.christoffersen < 1e-10 < 0.1 < apart.christoffersen


def test_a_right_model_is_refused_as_seldom_as_said_and_a_wrong_one_mostly() -> None:
    random = np.random.default_rng(2)
    right, wrong = (
        [coverage((random.random(500) < chance).tolist(), 0.95) for _ in range(300)]
        for chance in (0.05, 0.12)
    )
    assert 0.02 < sum(each.kupiec < 0.05 for each in right) / 300 < 0.09
    assert sum((each.christoffersen or 1.0) < 0.05 for each in right) / 300 < 0.12
    assert sum(each.kupiec < 0.05 for each in wrong) / 300 > 0.95
