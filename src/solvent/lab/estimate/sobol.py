"""Sobol indices over a grid: how much of what a figure varies each field explains.

Every point of the grid counts alike. With f the figure by point,

    first order   Var(E[f | x]) / Var(f)         what x explains alone
    total         1 - Var(E[f | others]) / Var(f)    what goes away when x is held fixed

On a whole grid both are plain sums, exact for the sample. How sure they are is seen by drawing
paths again with replacement (a bootstrap), the same ones for all points, which share their paths.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvent.lab.estimate.figures import LEVEL, Estimate
from solvent.lab.paths.streams import Streams

RESAMPLES = 200

Figures = NDArray[np.float64]
Statistic = Callable[[Figures], Figures]
"""From losses (points, paths) to a figure by point."""


@dataclass(frozen=True, slots=True)
class Index:
    """A field's first-order and total index, with the bootstrap's intervals."""

    first: Estimate
    total: Estimate


def indices(
    losses: Figures, levels: Sequence[int], statistic: Statistic, level: float = LEVEL
) -> list[Index] | None:
    """The indices of each field, in the grid's order; None where the figure does not vary.

    `losses` is (points, paths), points in the order of the product of `levels`.
    """
    whole = _indices(statistic(losses), levels)
    if whole is None:
        return None
    count = losses.shape[1]
    again = []
    for number in range(RESAMPLES):
        taken = (Streams("sobol", number).uniforms("paths", count) * count).astype(np.int64)
        found = _indices(statistic(losses[:, taken]), levels)
        if found is not None:
            again.append(found)
    low, high = np.quantile(np.array(again), [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    return [
        Index(*(Estimate(whole[k][side], low[k][side], high[k][side], count) for side in (0, 1)))
        for k in range(len(levels))
    ]


def _indices(figures: Figures, levels: Sequence[int]) -> list[tuple[float, float]] | None:
    table = figures.reshape(levels)
    variance = float(table.var())
    if not variance > 0.0:
        return None
    found = []
    for axis in range(len(levels)):
        others = tuple(other for other in range(len(levels)) if other != axis)
        alone = float(table.mean(axis=others).var())
        rest = float(table.mean(axis=axis).var())
        found.append((alone / variance, 1.0 - rest / variance))
    return found


def mean_of(losses: Figures) -> Figures:
    """The mean by point."""
    found: Figures = losses.mean(axis=1)
    return found


def worst_of(part: float) -> Statistic:
    """The mean of the worst part 1 - `part` by point, whole paths, one at least."""

    def shortfall(losses: Figures) -> Figures:
        count = max(1, round(losses.shape[1] * (1.0 - part)))
        found: Figures = np.sort(losses, axis=1)[:, -count:].mean(axis=1)
        return found

    return shortfall
