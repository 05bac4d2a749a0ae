"""Who bears ADL at each point of a sweep, on the paths where anybody is asked at some point.

The points share these paths, so what a point changes is seen path by path.
"""

from collections import Counter
from collections.abc import Sequence
from math import isinf

from solvent.lab.estimate.choice import paired
from solvent.lab.estimate.figures import LEVEL, Estimate, mean
from solvent.lab.report.formatting import ABSENT, number
from solvent.lab.report.summary import Sheet
from solvent.lab.sweeps.frontier import LOSS
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.rows import BURDEN, Row, figures_by_path
from solvent.lab.sweeps.summary import point_name

TITLES = {
    "adl": "Moved by ADL",
    "asked": "Accounts asked",
    "largest_share": "Largest share",
    "regret": "Regret",
    "gini": "Gini",
    "out_of_order": "Out of order",
    "liquidated": "Liquidated",
    LOSS: "Lenders' loss",
}
PLACES = 3
NOTE = (
    "Shares are parts of a position that all rounds took of it. Regret: the largest share less the"
    " common one. Out of order: the part that was taken while a more levered one had more to give."
)


def burden_sheets(plan: Plan, rows: Sequence[Row]) -> list[Sheet]:
    """Means, and differences from the scenario as it is; none where nobody was asked."""
    asked = {row.path for row in rows if not row.error and row.value(BURDEN[0]) > 0}
    ran = Counter(row.path for row in rows if not row.error)
    paths = sorted(path for path in asked if ran[path] == len(plan.points))
    if not paths:
        return []
    return [_means(plan, rows, paths), *_differences(plan, rows, paths)]


def _means(plan: Plan, rows: Sequence[Row], paths: Sequence[int]) -> Sheet:
    lines = []
    for metric, title in TITLES.items():
        for place, point in enumerate(plan.points):
            found = mean(list(_on(rows, place, metric, paths).values()))
            lines.append((title, point_name(point), _interval(found), number(found.carried)))
    caption = f"Who bears ADL: means of the {number(len(paths))} paths where anybody is asked"
    head = ("Figure", "", "Mean", "Carried by paths")
    return Sheet(caption, head, lines, text_columns=2, notes=(NOTE,))


def _differences(plan: Plan, rows: Sequence[Row], paths: Sequence[int]) -> list[Sheet]:
    """Paired differences, the level of a figure shared among all points."""
    others = len(plan.points) - 1
    if not others:
        return []
    lines = []
    for metric, title in TITLES.items():
        base = _on(rows, 0, metric, paths)
        for place, point in enumerate(plan.points[1:], start=1):
            theirs = _on(rows, place, metric, paths)
            found = paired(theirs, base, 1.0 - (1.0 - LEVEL) / others)
            assert found is not None
            lines.append((title, point_name(point), _interval(found), number(found.carried)))
    head = ("Figure", "", "Mean difference", "Pairs that differ")
    caption = "Against the scenario as it is, path by path, 95 % for all rows of a figure together"
    return [Sheet(caption, head, lines, text_columns=2)]


def _on(rows: Sequence[Row], point: int, metric: str, paths: Sequence[int]) -> dict[int, float]:
    found = figures_by_path(rows, point, metric)
    return {path: found[path] for path in paths}


def _interval(found: Estimate) -> str:
    ends = (ABSENT if isinf(x) else number(x, PLACES) for x in (found.low, found.high))
    return f"{number(found.value, PLACES)} [{', '.join(ends)}]"
