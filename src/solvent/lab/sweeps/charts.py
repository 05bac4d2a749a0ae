"""Charts of a sweep: what a share of its paths stays below, by point, from the best to the worst.

Where two points' lines part is where a parameter matters, and how seldom.
"""

from collections.abc import Sequence

from solvent.lab.report.drawing.charts import Chart, Form, Line, share_time
from solvent.lab.sweeps.frontier import LOSS
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.rows import Row, figures_by_path
from solvent.lab.sweeps.summary import point_name

STYLES = ("c1", "c2 dash", "c3 dots", "c4 long", "c5", "c6 dash")
"""A line each: so many points are drawn, the scenario as it is first."""
PLACES = 100
DRAWN: tuple[tuple[str, str, Form], ...] = (
    (LOSS, "Lenders' loss, USDC", "money"),
    ("adl", "Moved by ADL, USDC", "money"),
    ("liquidated", "Accounts liquidated", "count"),
    ("peak_utilization", "Highest utilization of a pool", "percent"),
)


def charts(plan: Plan, rows: Sequence[Row]) -> list[Chart]:
    """The charts of a sweep; none where no path ran at some point that is drawn."""
    shares = [place / PLACES for place in range(PLACES + 1)]
    points = list(enumerate(plan.points))[: len(STYLES)]
    found = []
    for metric, title, form in DRAWN:
        columns = [sorted(figures_by_path(rows, place, metric).values()) for place, _ in points]
        if not all(columns):
            return []
        lines = [
            Line(point_name(point), [_below(column, share) for share in shares], style)
            for (_, point), column, style in zip(points, columns, STYLES, strict=False)
        ]
        chart = Chart(
            name=metric.replace("_", "-"),
            title=title,
            description="Across, the share of all paths with at most so much; worst at the right.",
            times=[share_time(share) for share in shares],
            lines=lines,
            label=_percent if form == "percent" else _number,
            axis=_percent if form == "percent" else _short,
            bottom=0.0,
            form=form,
            across="share",
        )
        found.append(chart)
    return found


def _below(ranked: Sequence[float], share: float) -> float:
    """The value that a share of the paths stays at or below."""
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _number(value: float) -> str:
    return f"{value:,.2f}"


def _short(value: float) -> str:
    return f"{value:,.0f}"
