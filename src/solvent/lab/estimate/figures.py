"""One number of a sample with its interval: chances, means, value at risk, expected shortfall.

    chance    of a loss above zero           exact binomial (Clopper and Pearson)
    mean      of the paths, or of pairs      Student's interval
    mean      of what lies within bounds     empirical Bernstein: right for any law and any sample
    VaR q     smallest x with a part q of    order statistics: nothing is assumed of the law, and
              paths at or below it           above where the sample does not reach there is no bound
    ES q      mean of the worst part 1 - q   Student's interval of what lies beyond VaR

`carried` is how many paths carry the number: its effective sample. Those that lost carry a chance,
those beyond it a tail, those that are not zero a mean; with fewer than `LEAST_CARRIED` of them ES
and means claim no bounds, for a Student's interval would then promise too much.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, fsum, inf, log, sqrt

from solvent.lab.estimate.special import beta_quantile, binomial_chance, student_quantile

LEVEL = 0.95
LEAST_CARRIED = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, between what bounds it lies with the level asked for, and what carries it."""

    value: float
    low: float
    high: float
    carried: int

    @property
    def half_width(self) -> float:
        """Half the interval."""
        return (self.high - self.low) / 2.0


def chance(hits: int, trials: int, level: float = LEVEL) -> Estimate:
    """The chance of what happened in `hits` of `trials` paths, which are one at least.

    Where it was never seen the upper bound is 1 - (1 - level)^(1/trials), about 3 / trials: the
    whole of what may be wrong lies above.
    """
    wrong = (1.0 - level) / (2.0 if 0 < hits < trials else 1.0)
    low = beta_quantile(wrong, hits, trials - hits + 1.0) if hits else 0.0
    high = beta_quantile(1.0 - wrong, hits + 1.0, trials - hits) if hits < trials else 1.0
    return Estimate(hits / trials, low, high, hits)


def mean(values: Sequence[float], level: float = LEVEL) -> Estimate:
    """The mean of a sample of one or more.

    It is carried by the values that are not zero: where nearly all paths lose nothing, a mean hangs
    on the few that do, and with fewer than `LEAST_CARRIED` of them there are no bounds.
    """
    count = len(values)
    middle = fsum(values) / count
    carried = sum(1 for x in values if x)
    if carried < LEAST_CARRIED:
        return Estimate(middle, -inf, inf, carried)
    spread = sqrt(fsum((x - middle) ** 2 for x in values) / (count - 1))
    half = student_quantile((1.0 + level) / 2.0, count - 1) * spread / sqrt(count)
    return Estimate(middle, middle - half, middle + half, carried)


def bounded_mean(values: Sequence[float], most: float, level: float = LEVEL) -> Estimate:
    """The mean of one or more values that cannot leave 0 to `most`, whatever their law.

    The empirical Bernstein bound of Audibert, Munos and Szepesvari (2009): with V the variance of
    the sample and d = 1 - level it lies within sqrt(2 V ln(3/d) / n) + 3 most ln(3/d) / n.
    """
    count = len(values)
    middle = fsum(values) / count
    variance, told = fsum((x - middle) ** 2 for x in values) / count, log(3.0 / (1.0 - level))
    half = sqrt(2.0 * variance * told / count) + 3.0 * most * told / count
    low, high = max(0.0, middle - half), min(most, middle + half)
    return Estimate(middle, low, high, sum(1 for x in values if x))


def difference(ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> Estimate:
    """The mean of ours - theirs over the same paths."""
    return mean([left - right for left, right in zip(ours, theirs, strict=True)], level)


def value_at_risk(values: Sequence[float], part: float, level: float = LEVEL) -> Estimate:
    """The quantile at `part` of a sample of one or more."""
    ranked, count = sorted(values), len(values)
    place = _rank(part, count)
    wrong = (1.0 - level) / 2.0
    low = _first(count, lambda k: binomial_chance(k, count, part) > wrong)
    high = _first(count, lambda k: binomial_chance(k, count, part) >= 1.0 - wrong)
    return Estimate(
        ranked[place - 1],
        ranked[low - 1] if low else -inf,
        ranked[high] if high < count else inf,
        count - place + 1,
    )


def _rank(part: float, count: int) -> int:
    """The place of the smallest value with a part of the sample at or below it, from 1."""
    # A float such as 0.95 * 100 may lie a hair above the whole number that is meant.
    return min(count, max(1, ceil(part * count - 1e-9)))


def _first(count: int, holds: Callable[[int], bool]) -> int:
    """The first number from 0 to `count` for which a rising property holds."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def expected_shortfall(values: Sequence[float], part: float, level: float = LEVEL) -> Estimate:
    """The mean of the worst part 1 - `part`: VaR and the mean excess over it, over 1 - `part`."""
    count, edge = len(values), value_at_risk(values, part).value
    excess = [max(0.0, x - edge) for x in values]
    value = edge + fsum(excess) / (count * (1.0 - part))
    beyond = sum(1 for x in values if x > edge)
    if beyond < LEAST_CARRIED:
        return Estimate(value, -inf, inf, beyond)
    spread, wanted = mean(excess, level), (1.0 + level) / 2.0
    # Only what lies beyond tells of the tail's spread.
    scale = student_quantile(wanted, beyond - 1) / student_quantile(wanted, count - 1)
    half = spread.half_width * scale / (1.0 - part)
    return Estimate(value, value - half, value + half, beyond)
