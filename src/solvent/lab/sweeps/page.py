"""The report of a sweep: one HTML file that opens from disk, loads nothing, and can be signed.

`render` is a pure function of a plan and its rows: equal sweeps give equal bytes. It says what was
asked and over which horizon, the hashes of scenario, data and engine, every figure with its
interval and what carries it, what can and cannot be recommended, the worst paths with the commands
that run them again, and how to verify all of it.
"""

from collections.abc import Sequence
from pathlib import Path
from string import Template

from solvent.lab.models.sheets import headline, tables
from solvent.lab.prices.paths import time_text
from solvent.lab.report.drawing.charts import Chart, draw
from solvent.lab.report.drawing.live import chart_data, policy
from solvent.lab.report.drawing.markup import Markup, escaped, facts, join, table, tag
from solvent.lab.report.formatting import number, utc
from solvent.lab.report.page import TEMPLATES
from solvent.lab.report.summary import Sheet
from solvent.lab.scenario.model import Scenario
from solvent.lab.sweeps.burden_sheets import burden_sheets, effect_sheets
from solvent.lab.sweeps.charts import STYLES, charts
from solvent.lab.sweeps.frontier import LOSS
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.rows import Row
from solvent.lab.sweeps.summary import replay_words, worst

REPORT = "report.html"
LIMITS = (
    "Every figure is one of the scenario, its price model and its people; another model may rank"
    " parameters otherwise. Sweep under each model that you believe in.",
    "Value at risk at a level is the smallest loss with at least that part of all paths at or below"
    " it; expected shortfall is the mean of the worst rest, the path at the boundary counted in"
    " part. The horizon of both is the scenario's.",
    "Intervals are at 95 %: chances exact (Clopper and Pearson), quantiles by order statistics,"
    " means and shortfalls by Student's t. A dash is a bound that the sample does not reach.",
    "Points share the weather, the people and the engine's draws of each path, so differences are"
    " taken path by path. A point is recommended only where its mean loss is surely below all"
    " others', the level shared among all pairs.",
)


def render(plan: Plan, scenario: Scenario, rows: Sequence[Row]) -> str:
    """The whole page; `scenario` is that of point 0."""
    style, script = (
        (TEMPLATES / name).read_text(encoding="utf-8").strip()
        for name in ("report.css", "report.js")
    )
    shown = [
        *tables(plan, rows),
        *burden_sheets(plan, rows),
        *(effect_sheets(plan, rows) if len(plan.points) > 1 else ()),
    ]
    drawn = charts(plan, rows)
    body = join(
        [
            _head(plan, scenario, rows),
            _section("What it comes to", tag("p", headline(plan, rows)), *map(_card, shown)),
            _drawings(plan, drawn),
            _section("The worst paths", _worst(plan, rows)),
            _section("What failed", _failed(rows)),
            _section("What it claims, and what not", tag("ul", *(tag("li", x) for x in LIMITS))),
            _section("Check it yourself", _checks(plan)),
            tag("footer", "Values are in USDC at the mark price."),
        ]
    )
    template = (TEMPLATES / "report.html").read_text(encoding="utf-8").strip()
    return Template(template).substitute(
        title=escaped(f"Solvent: sweep of {scenario.name}"),
        policy=policy(style, script),
        style=style,
        script=script,
        data=chart_data(drawn),
        body=body,
    )


def write_page(folder: Path, plan: Plan, scenario: Scenario, rows: Sequence[Row]) -> None:
    """Write the report into the sweep's folder."""
    (folder / REPORT).write_bytes(render(plan, scenario, rows).encode("utf-8", "replace"))


def _section(title: str, *content: str) -> Markup:
    return tag("section", tag("h2", title), *content)


def _card(sheet: Sheet) -> Markup:
    notes = join(tag("p", note, class_="note") for note in sheet.notes)
    shown = table(sheet.caption, sheet.head, sheet.rows, sheet.text_columns)
    return tag("div", shown, notes, class_="card")


def _head(plan: Plan, scenario: Scenario, rows: Sequence[Row]) -> Markup:
    asked = (
        ("Scenario", scenario.name),
        ("Horizon", f"{utc(time_text(scenario.start))} to {utc(time_text(scenario.end))}"),
        ("Points", number(len(plan.points))),
        ("Paths a point", number(len(rows) // len(plan.points))),
        ("Accounts", number(plan.accounts or scenario.accounts)),
        ("Until", plan.until or "all paths are run"),
        (
            "Price model",
            type(scenario.prices.model).__name__ if scenario.prices.model else "one path",
        ),
        ("Paths that failed", number(sum(1 for row in rows if row.error))),
    )
    return tag(
        "header",
        tag("h1", f"Sweep of {scenario.name}"),
        tag("p", scenario.description, class_="lede"),
        tag("div", facts(asked), class_="card facts"),
    )


def _drawings(plan: Plan, drawn: Sequence[Chart]) -> Markup:
    said = "Across, the share of all paths with at most so much: the worst stand at the right."
    if len(plan.points) > len(STYLES):
        said += f" The first {len(STYLES)} points are drawn; the tables have all."
    shown = tag("div", *map(draw, drawn), class_="charts") if drawn else tag("p", "No path ran.")
    return _section("Path by path", tag("p", said, class_="note"), shown)


def _worst(plan: Plan, rows: Sequence[Row]) -> Markup:
    lines = [
        (tag("code", replay_words(plan, row)), f"{row.value(LOSS):,.2f}") for row in worst(rows)
    ]
    return _card(Sheet("Each by the command that runs it again", ("Command", "Loss, USDC"), lines))


def _failed(rows: Sequence[Row]) -> Markup:
    lines = [(str(row.point), str(row.path), row.error) for row in rows if row.error][:50]
    return _card(Sheet("Paths that failed, the first 50", ("Point", "Path", "Error"), lines, 3))


def _checks(plan: Plan) -> Markup:
    hashes = (("plan", plan.digest), ("scenario", plan.root), ("sources", plan.sources))
    said = (
        "In the folder of this report the command computes some of its paths again, drawn afresh,"
        " and compares every figure and hash (in a clone its run script stands for solvent):"
    )
    return tag(
        "div",
        tag("p", said),
        tag("pre", tag("code", "solvent lab verify .")),
        facts((name, tag("code", value)) for name, value in hashes),
        class_="card hashes",
    )
