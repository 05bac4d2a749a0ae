"""Losers leave a sweep early: points that another one surely beats, look by look.

A point is left out from the next look on where another one surely has the smaller mean loss, by
paired differences, and is surely worse in nothing else that the frontier weighs. So a point that
pays for its losses stays. Half of what may be wrong is spent on this, shared among the
looks and among all pairs of a look; the other half is the final choice's.

The scenario as it is stays: all differences are taken from it.
"""

from collections.abc import Sequence
from itertools import permutations
from math import comb

from solvent.lab.estimate.choice import Values, paired
from solvent.lab.estimate.figures import LEVEL
from solvent.lab.estimate.until import level_at
from solvent.lab.sweeps.frontier import BETTER_LESS, FRONTIER, LOSS
from solvent.lab.sweeps.rows import Row, figures_by_path

HALF = 1.0 - (1.0 - LEVEL) / 2.0
"""The level that is left to the looks, and as much to the final choice."""


def survivors(rows: Sequence[Row], points: Sequence[int], look: int) -> list[int]:
    """Those of the points that go on after the `look`-th look, from 1, at these rows."""
    table = {point: [figures_by_path(rows, point, name) for name in FRONTIER] for point in points}
    each = 1.0 - (1.0 - level_at(look, HALF)) / max(1, comb(len(points), 2))
    beaten = {
        worse
        for better, worse in permutations(points, 2)
        if worse and _beats(table[better], table[worse], each)
    }
    return [point for point in points if point not in beaten]


def _beats(ours: Sequence[Values], theirs: Sequence[Values], level: float) -> bool:
    loss = paired(theirs[FRONTIER.index(LOSS)], ours[FRONTIER.index(LOSS)], level)
    if loss is None or not loss.low > 0.0:
        return False
    for name, left, right in zip(FRONTIER, theirs, ours, strict=True):
        found = paired(left, right, level)
        if found is not None and (found.high if name in BETTER_LESS else -found.low) < 0.0:
            return False
    return True


def alive(rows: Sequence[Row], points: int) -> list[int]:
    """The points that went on to the end: those that have most rows."""
    counts = [0] * points
    for row in rows:
        counts[row.point] += 1
    return [point for point, count in enumerate(counts) if count == max(counts)]
