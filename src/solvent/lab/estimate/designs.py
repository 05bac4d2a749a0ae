"""Figures of a sample that was drawn by design: in strata of known chances, of paths with weights.

A design is a list of strata, each with its chance and its paths; a path is a list of (weight,
value), one of weight one where it was not split. With g what is asked of a value,

    Y = sum over a path's leaves of weight * g(value)
    estimate = sum of chance * mean of Y        variance = sum of chance^2 * variance of Y / paths

Paths are independent, leaves of one path are not: intervals are of the Y alone (Student's, with
Welch and Satterthwaite's degrees). Where fewer than `LEAST_CARRIED` paths carry a chance, its upper
bound is that of each stratum's chance that a path has any such leaf, which is not smaller: exact,
and there also when nothing was seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum, inf, sqrt

from solvent.lab.estimate.figures import LEAST_CARRIED, LEVEL, Estimate, chance
from solvent.lab.estimate.special import student_quantile

PathValues = Sequence[tuple[float, float]]
"""(weight, value) of each leaf."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Its chance, and its paths: two at least."""

    chance: float
    paths: Sequence[PathValues]


@dataclass(frozen=True)
class Design:
    """A sample in strata whose chances sum to one."""

    strata: Sequence[Stratum]

    def mean(self, of: Callable[[float], float] = float, level: float = LEVEL) -> Estimate:
        """The mean of `of` over what could have happened; no bounds where too few carry it."""
        value, spread, degrees, carried = self._sums(of)
        if carried < LEAST_CARRIED:
            return Estimate(value, -inf, inf, carried)
        half = student_quantile((1.0 + level) / 2.0, degrees) * spread
        return Estimate(value, value - half, value + half, carried)

    def chance(self, above: float = 0.0, level: float = LEVEL) -> Estimate:
        """The chance of more than `above`."""
        found = self.mean(lambda x: float(x > above), level)
        if found.carried >= LEAST_CARRIED:
            return Estimate(found.value, max(0.0, found.low), min(1.0, found.high), found.carried)
        # Each stratum's bound holds with its share of the level, so with it their sum does.
        shared = 1.0 - (1.0 - level) / len(self.strata)
        high = fsum(
            each.chance
            * chance(
                sum(1 for path in each.paths if any(w and x > above for w, x in path)),
                len(each.paths),
                shared,
            ).high
            for each in self.strata
        )
        return Estimate(found.value, 0.0, min(1.0, high), found.carried)

    def value_at_risk(self, part: float, level: float = LEVEL) -> Estimate:
        """The smallest loss with a chance of at most 1 - `part` of more (Woodruff's interval)."""
        rest = 1.0 - part
        value = self._first(lambda found: found.value <= rest, level)
        low = self._first(lambda found: found.low <= rest, level)
        high = self._first(lambda found: found.high <= rest, level)
        return Estimate(value, low, high, self.chance(value, level).carried)

    def expected_shortfall(self, part: float, level: float = LEVEL) -> Estimate:
        """The mean of the worst part 1 - `part`: VaR and the mean excess over it."""
        edge = self.value_at_risk(part, level).value
        excess = self.mean(lambda x: max(0.0, x - edge), level)
        low, high = (edge + x / (1.0 - part) for x in (excess.low, excess.high))
        return Estimate(edge + excess.value / (1.0 - part), low, high, excess.carried)

    def effective(self, of: Callable[[float], float] = float) -> float:
        """How many plain paths would tell the mean of `of` as well; 0 where it does not vary."""
        value, spread, *_ = self._sums(of)
        if not spread > 0.0:
            return 0.0
        second = self._sums(lambda x: of(x) ** 2)[0]
        return max(0.0, second - value * value) / spread**2

    def _sums(self, of: Callable[[float], float]) -> tuple[float, float, int, int]:
        """The mean, its standard error and degrees of freedom, and how many paths carry it."""
        value, parts, carried = 0.0, list[tuple[float, int]](), 0
        for each in self.strata:
            sums = [fsum(weight * of(x) for weight, x in path) for path in each.paths]
            count, middle = len(sums), fsum(sums) / len(sums)
            spread = fsum((x - middle) ** 2 for x in sums) / (count - 1)
            value += each.chance * middle
            parts.append((each.chance**2 * spread / count, count - 1))
            carried += sum(1 for x in sums if x)
        variance = fsum(part for part, _ in parts)
        told = fsum(part * part / degrees for part, degrees in parts)
        return value, sqrt(variance), max(1, int(variance**2 / told)) if told else 1, carried

    @cached_property
    def _values(self) -> list[float]:
        """Every value that was seen, and nothing lost, ascending."""
        seen = {x for each in self.strata for path in each.paths for _, x in path}
        return sorted(seen | {0.0})

    def _first(self, holds: Callable[[Estimate], bool], level: float) -> float:
        """The least value seen whose chance of more is as asked; infinite where none is."""
        low, high = 0, len(self._values)
        while low < high:
            middle = (low + high) // 2
            if holds(self.chance(self._values[middle], level)):
                high = middle
            else:
                low = middle + 1
        return self._values[low] if low < len(self._values) else inf
