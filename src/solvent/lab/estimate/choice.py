"""Choosing among points: the best of several, or a refusal while they cannot be told apart.

Points are compared in pairs, path by path, which takes away what their paths share. The level is
shared among all pairs (Bonferroni), so with it all intervals hold at once, and a best that is named
is the best with at least that level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from solvent.lab.estimate.figures import LEVEL, Estimate, difference

Values = Mapping[int, float]
"""A figure by path number; a path that failed is not there."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The point with the least mean, or None with the pairs that overlap.

    `overlapping` are the points that are not surely worse than the least.
    """

    best: int | None
    overlapping: tuple[int, ...]


def paired(ours: Values, theirs: Values, level: float = LEVEL) -> Estimate | None:
    """The mean of ours - theirs over the paths that both have; None where there are none."""
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        return None
    return difference([ours[path] for path in shared], [theirs[path] for path in shared], level)


def choose(points: Sequence[Values], level: float = LEVEL) -> Choice:
    """The point whose mean is surely least, of two points or more."""
    pairs = list(combinations(range(len(points)), 2))
    each = 1.0 - (1.0 - level) / len(pairs)
    worse: list[set[int]] = [set() for _ in points]
    """By point, those that are surely worse."""
    for left, right in pairs:
        found = paired(points[left], points[right], each)
        if found is not None and found.high < 0.0:
            worse[left].add(right)
        elif found is not None and found.low > 0.0:
            worse[right].add(left)
    best = max(range(len(points)), key=lambda point: len(worse[point]))
    others = tuple(
        point for point in range(len(points)) if point != best and point not in worse[best]
    )
    return Choice(None if others else best, tuple(sorted({best, *others})) if others else ())


def pareto(points: Sequence[Sequence[float]]) -> tuple[int, ...]:
    """The points that no other is at least as good as in all figures, and better in one; less is
    better. Of points that are alike in all of them every one is kept.
    """
    return tuple(
        number
        for number, ours in enumerate(points)
        if not any(
            all(left <= right for left, right in zip(theirs, ours, strict=True))
            and tuple(theirs) != tuple(ours)
            for theirs in points
        )
    )
