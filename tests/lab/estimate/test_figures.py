"""Figures of samples whose law is known: intervals hold what they should as often as they say."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from solvent.lab.estimate.choice import choose, paired, pareto
from solvent.lab.estimate.figures import (
    Estimate,
    bounded_mean,
    chance,
    difference,
    expected_shortfall,
    mean,
    value_at_risk,
)
from solvent.lab.estimate.special import beta_quantile, binomial_chance, student_quantile
from solvent.lab.estimate.until import chance_sequence, parse_target

SAMPLES = 400
# Four standard errors of a coverage of 95 % over so many samples.
SLACK = 4 * (0.95 * 0.05 / SAMPLES) ** 0.5


def covered(
    figure: Callable[[list[float]], Estimate],
    draw: Callable[[np.random.Generator], np.ndarray],
    truth: float,
) -> float:
    """How often the interval of a figure holds the truth."""
    random, held = np.random.default_rng(5), 0
    for _ in range(SAMPLES):
        found = figure(draw(random).tolist())
        held += found.low <= truth <= found.high
    return held / SAMPLES


@pytest.mark.parametrize(
    ("count", "trials", "p"), [(0, 10, 0.2), (3, 10, 0.2), (9, 10, 0.5), (40, 400, 0.12)]
)
def test_the_binomial_distribution_is_its_own_sum(count: int, trials: int, p: float) -> None:
    exact = sum(math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(count + 1))
    assert math.isclose(binomial_chance(count, trials, p), exact, rel_tol=1e-10)


@pytest.mark.parametrize(
    ("degrees", "table"), [(1, 12.70620474), (5, 2.570581836), (30, 2.042272456)]
)
def test_students_quantile_is_that_of_the_tables(degrees: int, table: float) -> None:
    assert math.isclose(student_quantile(0.975, degrees), table, rel_tol=1e-9)


def test_a_chance_never_seen_has_an_upper_bound() -> None:
    found = chance(0, 100)
    assert (found.value, found.low, found.carried) == (0.0, 0.0, 0)
    assert math.isclose(found.high, 1 - 0.05 ** (1 / 100), rel_tol=1e-9)
    assert abs(found.high - 3 / 100) < 0.001
    assert chance(100, 100).high == 1.0
    # Clopper and Pearson's own example: 4 of 10 lie between 0.122 and 0.738.
    assert math.isclose(chance(4, 10).low, 0.12155, abs_tol=1e-4)
    assert math.isclose(chance(4, 10).high, 0.73762, abs_tol=1e-4)
    assert math.isclose(beta_quantile(0.5, 2.0, 2.0), 0.5, rel_tol=1e-12)


@pytest.mark.parametrize("truth", [0.002, 0.03, 0.5])
def test_a_chance_is_covered_at_least_as_often_as_said(truth: float) -> None:
    def figure(values: list[float]) -> Estimate:
        return chance(sum(1 for x in values if x), len(values))

    assert covered(figure, lambda random: random.random(300) < truth, truth) >= 0.95 - SLACK


def exponential(random: np.random.Generator) -> np.ndarray:
    return random.exponential(1.0, 1000)


def test_a_mean_is_covered() -> None:
    assert abs(covered(mean, exponential, 1.0) - 0.95) < SLACK


@pytest.mark.parametrize("part", [0.5, 0.95, 0.99])
def test_value_at_risk_is_covered_whatever_the_law(part: float) -> None:
    truth = -math.log(1 - part)
    share = covered(lambda values: value_at_risk(values, part), exponential, truth)
    assert share >= 0.95 - SLACK
    cubes = covered(lambda v: value_at_risk([x**3 for x in v], part), exponential, truth**3)
    assert cubes == share


@pytest.mark.parametrize("part", [0.9, 0.95])
def test_expected_shortfall_is_covered(part: float) -> None:
    truth = 1.0 - math.log(1 - part)
    share = covered(lambda values: expected_shortfall(values, part), exponential, truth)
    assert abs(share - 0.95) < SLACK + 0.02


def test_value_at_risk_and_shortfall_are_as_defined() -> None:
    values = [float(x) for x in range(1, 101)]
    assert value_at_risk(values, 0.95).value == 95.0
    assert value_at_risk(values, 0.951).value == 96.0
    assert value_at_risk(values, 0.95).carried == 6
    assert expected_shortfall(values, 0.95).value == pytest.approx((96 + 97 + 98 + 99 + 100) / 5)
    # The worst 4.5 paths: half of 96, and the four beyond.
    assert expected_shortfall(values, 0.955).value == pytest.approx((48 + 97 + 98 + 99 + 100) / 4.5)


def test_where_the_sample_does_not_reach_there_is_no_bound() -> None:
    assert value_at_risk([float(x) for x in range(100)], 0.99).high == math.inf
    assert expected_shortfall([float(x) for x in range(100)], 0.95).high == math.inf
    assert mean([0.0] * 500).high == math.inf
    assert mean([0.0] * 500 + [1.0] * 9).high == math.inf
    assert mean([0.0] * 500 + [1.0] * 10).high < 0.05


def test_a_paired_difference_is_surer_than_two_means() -> None:
    random = np.random.default_rng(3)
    weather = random.exponential(100.0, 200)
    ours, theirs = (weather + 1).tolist(), (weather + random.normal(0, 0.1, 200)).tolist()
    found = difference(ours, theirs)
    assert found.low > 0.9
    assert found.half_width < mean(ours).half_width / 100


def test_the_best_is_named_only_where_it_is_sure() -> None:
    weather = np.random.default_rng(4).exponential(100.0, 400)
    worse = dict(enumerate((weather * 1.1).tolist()))
    good = dict(enumerate(weather.tolist()))
    alike = {path: x + (-1) ** path * 0.01 for path, x in good.items()}
    assert choose([worse, good]).best == 1
    both = choose([worse, good, alike])
    assert both.best is None
    assert both.overlapping == (1, 2)
    assert choose([{}, good]).best is None
    assert paired({}, good) is None


def test_a_best_that_is_named_is_seldom_wrong() -> None:
    """Five points of one law: to name any of them is an error."""
    random = np.random.default_rng(6)
    named = 0
    for _ in range(200):
        points = [dict(enumerate(random.normal(0, 1, 60).tolist())) for _ in range(5)]
        named += choose(points).best is not None
    assert named <= 200 * 0.05


def test_the_frontier_keeps_what_nothing_beats() -> None:
    assert pareto([(1, 5), (2, 2), (5, 1), (3, 3), (2, 2)]) == (0, 1, 2, 4)
    assert pareto([]) == ()


class TestUntil:
    """Targets are read as they are written, and looks are paid for."""

    @pytest.mark.parametrize("text", ["deficit_p99 ± 5 %", "deficit_p99 +- 5%", "deficit_p99±5%"])
    def test_a_target_is_read(self, text: str) -> None:
        target = parse_target(text, ["deficit"])
        assert (target.metric, target.statistic, target.half, target.relative) == (
            "deficit",
            "p99",
            5.0,
            True,
        )

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "deficit",
            "deficit_p99",
            "deficit_max ± 1",
            "other_p99 ± 1",
            "deficit_p99 ± 0",
            "deficit_mean ± 1.2.3",
        ],
    )
    def test_what_is_no_target_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="--until"):
            parse_target(text, ["deficit"])

    def test_a_later_look_claims_less(self) -> None:
        values = np.random.default_rng(1).exponential(1.0, 1000).tolist()
        target = parse_target("x_p90 ± 5 %", ["x"])
        widths = [target.estimate(values, look).half_width for look in (1, 2, 5)]
        assert widths[0] < widths[1] < widths[2]
        assert not target.met([], 1)
        assert parse_target("x_p90 ± 1", ["x"]).met(values, 1)

    def test_a_chance_may_be_looked_at_after_every_path(self) -> None:
        """An interval of one look is left sooner or later; the sequence holds at all of them."""
        random, missed, fixed = np.random.default_rng(2), 0, 0
        for _ in range(100):
            hits = np.cumsum(random.random(600) < 0.1)
            looks = range(40, 601, 40)
            sequence = [chance_sequence(int(hits[n - 1]), n) for n in looks]
            single = [chance(int(hits[n - 1]), n, 0.95) for n in looks]
            missed += any(not each.low <= 0.1 <= each.high for each in sequence)
            fixed += any(not each.low <= 0.1 <= each.high for each in single)
        assert missed <= 100 * 0.05
        assert fixed > 100 * 0.1


def share(random: np.random.Generator) -> np.ndarray:
    """Nearly always nothing, seldom all: what misleads Student's interval."""
    return (random.random(200) < 0.02) * 1.0


@pytest.mark.parametrize("law", [share, lambda random: random.random(200)])
def test_the_mean_of_a_share_is_covered_whatever_the_law(
    law: Callable[[np.random.Generator], np.ndarray],
) -> None:
    truth = 0.02 if law is share else 0.5
    assert covered(lambda values: bounded_mean(values, 1.0), law, truth) >= 0.95 - SLACK


def test_the_mean_of_a_share_stays_within_its_bounds_and_narrows() -> None:
    few, many = ([0.0, 1.0] * count for count in (5, 5000))
    assert (bounded_mean(few, 1.0).low, bounded_mean(few, 1.0).high) == (0.0, 1.0)
    found = bounded_mean(many, 1.0)
    told = math.log(3 / 0.05)
    assert found.half_width == pytest.approx(math.sqrt(0.5 * told / 10**4) + 3 * told / 10**4)
    assert bounded_mean([0.0] * 1000, 1.0).low == 0.0
    assert 0.0 < bounded_mean([0.0] * 1000, 1.0).high < 0.02
    target = parse_target("gini_mean ± 0.02", ["gini"], ["gini"])
    assert not target.met([0.0, 1.0] * 500, 1)
    assert target.met([0.0] * 10_000, 3)
