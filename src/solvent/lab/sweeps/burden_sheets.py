"""Who bears ADL at each point of a sweep, and what each point does to all parties.

Who bears it is told of the paths where anybody is asked at some point, effects of all paths. The
points share their paths, so what a point changes is seen path by path.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isinf

from solvent.lab.estimate.choice import paired
from solvent.lab.estimate.figures import LEVEL, Estimate, mean
from solvent.lab.report.formatting import ABSENT, number
from solvent.lab.report.summary import Sheet
from solvent.lab.sweeps.frontier import LOSS
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.points import Point
from solvent.lab.sweeps.rows import BURDEN, Row, figures_by_path
from solvent.lab.sweeps.summary import AS_IT_IS

TITLES = {
    "adl": "Moved by ADL",
    "asked": "Accounts asked",
    "largest_share": "Largest share",
    "regret": "Regret",
    "gini": "Gini",
    "out_of_order": "Out of order",
    "sybil_gain": "Sybil gain",
    "health": "Health",
    "hurt": "Hurt",
    "liquidated": "Liquidated",
    LOSS: "Lenders' loss",
}
EFFECTS = {
    LOSS: "Lenders' loss",
    "adl_share": "Share of ADL",
    "adl": "Moved by ADL",
    "liquidated": "Liquidated",
    "closed": "Closed",
    "lend_rate": "Lend rate",
}
"""Whom a stage or a rule serves: lenders, payers, borrowers, and lenders again."""
PLACES = 3
NOTE = (
    "Shares are parts of a position that all rounds took of it. Regret: the largest share less the"
    " common one. Out of order: the part that was taken while a more levered one had more to give."
    " Sybil gain: the part that the largest payer of a round would have saved by splitting his"
    " account. Health: USDC by which rounds raised net equity above maintenance, payers and lenders"
    " together; hurt: by which they lowered it."
)


def burden_sheets(plan: Plan, rows: Sequence[Row]) -> list[Sheet]:
    """Means, and differences from the scenario as it is; none where nobody was asked."""
    asked = {row.path for row in rows if not row.error and row.value(BURDEN[0]) > 0}
    paths = sorted(asked & _whole(plan, rows))
    if not paths:
        return []
    caption = f"Who bears ADL: means of the {number(len(paths))} paths where anybody is asked"
    means = _means(plan, rows, paths, TITLES, caption, NOTE)
    return [means, *_differences(plan, rows, paths, TITLES)]


def effect_sheets(plan: Plan, rows: Sequence[Row]) -> list[Sheet]:
    """What each point does to lenders, payers and borrowers; none where no path ran."""
    paths = sorted(_whole(plan, rows))
    if not paths:
        return []
    caption = f"What each does: means of {number(len(paths))} paths"
    means = _means(plan, rows, paths, EFFECTS, caption)
    return [means, *_differences(plan, rows, paths, EFFECTS)]


def _whole(plan: Plan, rows: Sequence[Row]) -> set[int]:
    """The paths that ran at every point."""
    ran = Counter(row.path for row in rows if not row.error)
    return {path for path, points in ran.items() if points == len(plan.points)}


def _means(
    plan: Plan,
    rows: Sequence[Row],
    paths: Sequence[int],
    titles: Mapping[str, str],
    caption: str,
    *notes: str,
) -> Sheet:
    lines = []
    for metric, title in titles.items():
        for place, point in enumerate(plan.points):
            found = mean(list(_on(rows, place, metric, paths).values()))
            lines.append((title, _short(point), _interval(found), number(found.carried)))
    head = ("Figure", "", "Mean", "Carried by paths")
    return Sheet(caption, head, lines, text_columns=2, notes=notes)


def _short(point: Point) -> str:
    """A point by the last part of its fields; a policy by its own name."""
    words = [
        value if field.endswith("policy") else f"{field.rpartition('.')[2]} = {value}"
        for field, value in point.items()
    ]
    return ", ".join(words) or AS_IT_IS


def _differences(
    plan: Plan, rows: Sequence[Row], paths: Sequence[int], titles: Mapping[str, str]
) -> list[Sheet]:
    """Paired differences, the level of a figure shared among all points."""
    others = len(plan.points) - 1
    if not others:
        return []
    lines = []
    for metric, title in titles.items():
        base = _on(rows, 0, metric, paths)
        for place, point in enumerate(plan.points[1:], start=1):
            theirs = _on(rows, place, metric, paths)
            found = paired(theirs, base, 1.0 - (1.0 - LEVEL) / others)
            assert found is not None
            lines.append((title, _short(point), _interval(found), number(found.carried)))
    head = ("Figure", "", "Mean difference", "Pairs that differ")
    caption = "Against the scenario as it is, path by path, 95 % for all rows of a figure together"
    return [Sheet(caption, head, lines, text_columns=2)]


def _on(rows: Sequence[Row], point: int, metric: str, paths: Sequence[int]) -> dict[int, float]:
    found = figures_by_path(rows, point, metric)
    return {path: found[path] for path in paths}


def _interval(found: Estimate) -> str:
    ends = (ABSENT if isinf(x) else number(x, PLACES) for x in (found.low, found.high))
    return f"{number(found.value, PLACES)} [{', '.join(ends)}]"
