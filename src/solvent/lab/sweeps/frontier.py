"""The frontier of a sweep: the points that nothing beats in all that is weighed against each other.

Lenders' loss, ADL's share of what the waterfall cleared, how many accounts were liquidated, and
what lenders earned. Less of the first three is better, more of the last.
"""

from collections.abc import Sequence

from solvent.lab.estimate.choice import pareto
from solvent.lab.sweeps.rows import Row, figures_by_path

LOSS = "deficit"
BETTER_LESS = (LOSS, "adl_share", "liquidated")
FRONTIER = (*BETTER_LESS, "lend_rate")


def frontier(rows: Sequence[Row], points: Sequence[int]) -> tuple[int, ...]:
    """Those of the points that no other beats, by the means alone; none where no path ran."""
    table = []
    for point in points:
        columns = [figures_by_path(rows, point, metric) for metric in FRONTIER]
        if not columns[0]:
            return ()
        means = [sum(column.values()) / len(column) for column in columns]
        table.append(
            [x if name in BETTER_LESS else -x for name, x in zip(FRONTIER, means, strict=True)]
        )
    return tuple(points[place] for place in pareto(table))
