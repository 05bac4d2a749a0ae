"""When a sweep is sure enough: `--until "deficit_p99 ± 5 %"`.

    deficit_p99 ± 5 %      value at risk at 99 %, half its interval within 5 % of it
    deficit_es95 ± 1000    expected shortfall at 95 %, half its interval within 1,000
    adl_mean ± 10 %        the mean
    gini_mean ± 0.02       the mean of what lies between 0 and 1, by a bound that no law escapes
    deficit_chance ± 0.01  the chance of any, by a sequence of intervals that holds at every look

Several may be given, parted by `;`. A sweep looks often, and each look could be the lucky one. So
the k-th look of a quantile or a mean is held to the level 1 - alpha / (k (k + 1)), whose failures
sum to alpha. A chance has the beta-binomial mixture (Robbins 1970), which needs no such care; the
mean of a share, which cannot leave 0 to 1, has the empirical Bernstein bound instead of Student's.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import lgamma, log, log1p

from solvent.domain.errors import InputError
from solvent.lab.estimate.figures import (
    LEVEL,
    Estimate,
    bounded_mean,
    expected_shortfall,
    mean,
    value_at_risk,
)

PERCENT = 100.0
_TARGET = re.compile(r"(\w+)_(mean|chance|p\d{2,4}|es\d{2,4})\s*(?:±|\+-|\+/-)\s*([\d.]+)\s*(%?)")
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Target:
    """A statistic of one figure, and how wide half its interval may be.

    A `bounded` figure cannot leave 0 to 1.
    """

    metric: str
    statistic: str
    half: float
    relative: bool
    bounded: bool = False

    def estimate(self, values: Sequence[float], look: int) -> Estimate:
        """The statistic of a sample as its `look`-th look, from 1, may claim it."""
        if self.statistic == "chance":
            return chance_sequence(sum(1 for x in values if x > 0.0), len(values))
        level = level_at(look)
        if self.statistic == "mean":
            return bounded_mean(values, 1.0, level) if self.bounded else mean(values, level)
        if self.statistic.startswith("es"):
            return expected_shortfall(values, part_of(self.statistic), level)
        return value_at_risk(values, part_of(self.statistic), level)

    def met(self, values: Sequence[float], look: int) -> bool:
        """Whether the sample is sure enough; a figure that is surely zero is."""
        if not values:
            return False
        found = self.estimate(values, look)
        allowed = self.half / PERCENT * abs(found.value) if self.relative else self.half
        return found.half_width <= allowed


def level_at(look: int, level: float = LEVEL) -> float:
    """What the `look`-th look may claim so that all of them together hold with `level`."""
    return 1.0 - (1.0 - level) / (look * (look + 1))


def parse_target(text: str, metrics: Sequence[str], bounded: Collection[str] = ()) -> Target:
    """A target as it was written; `bounded` figures cannot leave 0 to 1.

    InputError where it cannot be read.
    """
    found = _TARGET.fullmatch(text.strip())
    if found is None:
        reason = f'{text.strip()!r} is no target; write it like "deficit_p99 ± 5 %"'
        raise InputError("sweep", "--until", reason)
    metric, statistic, half, percent = found.groups()
    if metric not in metrics:
        reason = f"there is no {metric!r}; choose from {', '.join(metrics)}"
        raise InputError("sweep", "--until", reason)
    try:
        width = float(half)
    except ValueError:
        raise InputError("sweep", "--until", f"{half!r} is no number") from None
    if not width > 0.0:
        raise InputError("sweep", "--until", f"{text.strip()!r} can never be met; allow some width")
    return Target(metric, statistic, width, bool(percent), metric in bounded)


def part_of(statistic: str) -> float:
    """The part that p95, p999 or es99 speaks of."""
    digits = statistic.lstrip("pes")
    return float(f"0.{digits}")


def chance_sequence(hits: int, trials: int, level: float = LEVEL) -> Estimate:
    """An interval of a chance that holds at all sample sizes at once.

    It holds every p that the mixture of all chances, each as likely, does not beat 1 / (1 - level)
    times: B(hits + 1, misses + 1) <= p^hits (1 - p)^misses / (1 - level).
    """
    misses = trials - hits
    mixed = lgamma(hits + 1) + lgamma(misses + 1) - lgamma(trials + 2) + log(1.0 - level)
    centre = hits / trials

    def kept(p: float) -> bool:
        told = (hits * log(p) if hits else 0.0) + (misses * log1p(-p) if misses else 0.0)
        return told >= mixed

    low = _edge(kept, centre, 0.0) if hits else 0.0
    high = _edge(kept, centre, 1.0) if misses else 1.0
    return Estimate(centre, low, high, hits)


def _edge(kept: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where one stops being kept on the way from inside to outside."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2.0
        if kept(middle):
            inside = middle
        else:
            outside = middle
    return outside
