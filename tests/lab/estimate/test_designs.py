"""Designs of samples: weights and strata leave means alone, and intervals hold."""

from math import inf, isclose, sqrt
from random import Random

import pytest

from solvent.lab.estimate.designs import Design, Stratum
from solvent.lab.estimate.figures import chance, expected_shortfall, mean, value_at_risk


def plain(values: list[float]) -> Design:
    return Design([Stratum(1.0, [[(1.0, x)] for x in values])])


VALUES = [0.0] * 60 + [float(x * x) for x in range(1, 41)]


def test_one_stratum_without_weights_is_a_plain_sample() -> None:
    found, usual = plain(VALUES).mean(), mean(VALUES)
    assert found == usual
    assert plain(VALUES).chance().value == chance(40, 100).value
    assert plain(VALUES).value_at_risk(0.95).value == value_at_risk(VALUES, 0.95).value
    ours, theirs = (
        each.value
        for each in (plain(VALUES).expected_shortfall(0.9), expected_shortfall(VALUES, 0.9))
    )
    assert isclose(ours, theirs)


def test_leaves_of_a_path_count_once() -> None:
    """Copies of a leaf with parts of its weight change nothing, not even how sure one is."""
    split = Design([Stratum(1.0, [[(0.25, x)] * 4 for x in VALUES])])
    assert split.mean() == plain(VALUES).mean()


def test_nothing_seen_has_a_bound() -> None:
    found = plain([0.0] * 50).chance()
    assert (found.value, found.low, found.carried) == (0.0, 0.0, 0)
    assert found.high == chance(0, 50).high
    two = Design([Stratum(0.9, [[(1.0, 0.0)]] * 50), Stratum(0.1, [[(1.0, 0.0)]] * 50)])
    assert two.chance().high == pytest.approx(chance(0, 50, 0.975).high)
    assert plain([0.0] * 50).mean().high == inf
    assert plain([0.0] * 50).effective() == 0.0


def test_a_few_seen_have_the_bound_of_paths_that_have_any() -> None:
    """Two paths of fifty, each with a leaf of a ninth: at most what two of fifty are."""
    seen = [[(1 / 9, 5.0), (8 / 9, 0.0)]] * 2 + [[(1.0, 0.0)]] * 48
    found = Design([Stratum(1.0, seen)]).chance()
    assert found.value == pytest.approx(2 / 9 / 50)
    assert (found.low, found.high, found.carried) == (0.0, chance(2, 50).high, 2)


def test_strata_weigh_as_their_chances() -> None:
    """Welch's interval of two samples of 100: means 0 and 10, chances 0.9 and 0.1."""
    calm, wild = [float(x % 2) for x in range(100)], [10.0 + x % 5 for x in range(100)]
    found = Design(
        [Stratum(c, [[(1.0, x)] for x in xs]) for c, xs in ((0.9, calm), (0.1, wild))]
    ).mean()
    assert found.value == pytest.approx(0.9 * 0.5 + 0.1 * 12.0)
    variance = 0.81 * 25 / 99 / 100 + 0.01 * 200 / 99 / 100
    assert found.half_width == pytest.approx(1.98 * sqrt(variance), rel=0.01)


def test_effective_paths_are_those_a_plain_sample_would_need() -> None:
    assert plain(VALUES).effective() == pytest.approx(99.0)
    sure = Design(
        [Stratum(0.99, [[(1.0, 0.0)]] * 50), Stratum(0.01, [[(1.0, 1.0)]] * 49 + [[(1.0, 0.0)]])]
    )
    assert sure.effective() > 1000


def test_intervals_hold_as_often_as_they_say() -> None:
    """400 samples of 60 paths in two strata, of a mean that is known."""
    held = 0
    for seed in range(400):
        draw = Random(seed)
        strata = [
            Stratum(part, [[(1.0, draw.gauss(middle, spread))] for _ in range(30)])
            for part, middle, spread in ((0.8, 0.0, 1.0), (0.2, 5.0, 4.0))
        ]
        found = Design(strata).mean()
        held += found.low <= 1.0 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_a_quantile_lies_in_its_interval_and_may_have_no_upper_end() -> None:
    found = plain(VALUES).value_at_risk(0.9)
    assert found.low <= found.value <= found.high
    assert plain(VALUES).value_at_risk(0.99).high == inf
