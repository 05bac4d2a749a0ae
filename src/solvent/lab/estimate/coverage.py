"""Coverage backtests: were a model's values at risk passed as often as they say, and not in a row?

    Kupiec           the share of passes is 1 - q                  chi-squared, 1 degree
    Christoffersen   a pass does not make the next one likelier    chi-squared, 1 degree

Both are likelihood ratios; a small chance speaks against the model. Few passes tell little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import erfc, log, sqrt


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often a level was passed, how often it should be, and the tests' chances."""

    count: int
    passes: int
    expected: float
    kupiec: float
    christoffersen: float | None
    """None where there was no pass, so that nothing can follow one."""


def coverage(passed: Sequence[bool], part: float) -> Coverage:
    """The tests of a level `part` over at least two moments in order."""
    count, passes = len(passed), sum(passed)
    rest = 1.0 - part
    ratio = _told(passes, count, passes / count) - _told(passes, count, rest)
    return Coverage(count, passes, rest * count, _chance(2.0 * ratio), _independence(passed))


def _independence(passed: Sequence[bool]) -> float | None:
    """The chance of a likelihood ratio as large where passes do not hang on the one before."""
    table = {(now, after): 0 for now in (False, True) for after in (False, True)}
    for pair in pairwise(map(bool, passed)):
        table[pair] += 1
    after_calm = table[False, False] + table[False, True]
    after_pass = table[True, False] + table[True, True]
    if not after_pass or not after_calm:
        return None
    passes = table[False, True] + table[True, True]
    whole = _told(passes, after_calm + after_pass, passes / (after_calm + after_pass))
    apart = _told(table[False, True], after_calm, table[False, True] / after_calm) + _told(
        table[True, True], after_pass, table[True, True] / after_pass
    )
    return _chance(2.0 * (apart - whole))


def _told(hits: int, count: int, chance: float) -> float:
    """The logarithm of the likelihood of so many hits."""
    misses = count - hits
    return (hits * log(chance) if hits else 0.0) + (misses * log(1.0 - chance) if misses else 0.0)


def _chance(ratio: float) -> float:
    """The chance that chi-squared with one degree is at least this."""
    return erfc(sqrt(max(0.0, ratio) / 2.0))
