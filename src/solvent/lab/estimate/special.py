"""The distribution functions that intervals need: beta, binomial and Student's, and their inverses.

The incomplete beta function is Lentz's continued fraction (Numerical Recipes 6.4), right to about
1e-13 and quick for any sample size met here; inverses are found by bisection.
"""

from collections.abc import Callable
from functools import lru_cache
from math import exp, lgamma, log, log1p

_TINY, _CLOSE, _MOST_TERMS = 1e-300, 1e-15, 20_000
_HALVINGS = 200


def beta_chance(x: float, a: float, b: float) -> float:
    """The chance that a beta(a, b) number is at most x; a and b above 0."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function."""
    above, below = 1.0, _kept(1.0 - (a + b) * x / (a + 1.0))
    below = 1.0 / below
    total = below
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        step = 1.0
        for term in (even, odd):
            below = 1.0 / _kept(1.0 + term * below)
            above = _kept(1.0 + term / above)
            step = below * above
            total *= step
        if abs(step - 1.0) < _CLOSE:
            break
    return total


def _kept(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


def _inverse(chance: float, function: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function reaches a chance."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        low, high = (middle, high) if function(middle) < chance else (low, middle)
    return high


def beta_quantile(chance: float, a: float, b: float) -> float:
    """The beta distribution's quantile."""
    return _inverse(chance, lambda x: beta_chance(x, a, b), 0.0, 1.0)


def binomial_chance(count: int, trials: int, chance: float) -> float:
    """The chance of at most `count` successes in so many trials."""
    if count < 0 or count >= trials:
        return 0.0 if count < 0 else 1.0
    return beta_chance(1.0 - chance, trials - count, count + 1.0)


@lru_cache(maxsize=1024)
def student_quantile(chance: float, degrees: int) -> float:
    """Student's quantile at a chance above a half."""

    def below(t: float) -> float:
        return 1.0 - 0.5 * beta_chance(degrees / (degrees + t * t), degrees / 2.0, 0.5)

    high = 1.0
    while below(high) < chance:
        high *= 2.0
    return _inverse(chance, below, 0.0, high)
