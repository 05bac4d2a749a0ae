"""Which charts a report shows, and in what order: prices, utilization, stages, recovery, accounts.

Each is made from one row of a run's series; a table under the charts holds the same figures for
readers that do not see a drawing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from solvent.lab.report.drawing.charts import Chart, Line, draw
from solvent.lab.report.drawing.markup import Markup, join, table, tag
from solvent.lab.report.formatting import (
    STAGE_TITLES,
    money,
    number,
    percent,
    trimmed,
    utc,
)
from solvent.lab.report.summary import Figures

Series = Mapping[str, Any]

TABLE_ROWS = 25
INDEXED_TO = 100.0
COARSE = 0.1

ASSET_STYLES = ("c1", "c2 dash", "c3 dots", "c4 long", "c5", "c6 dash")
STAGE_STYLES = ("c3", "c1", "c6 dash", "c4", "c2", "c5")


def all_charts(figures: Figures, series: Series) -> list[Chart]:
    """Every chart, in reading order."""
    return [
        price_chart(figures, series),
        stage_chart(series),
        recovery_chart(series),
        liquidating_chart(series),
        *utilization_charts(figures, series),
        *(
            rate_chart(series, key, title)
            for key, title in (("borrow_rate", "Borrow rate"), ("lend_rate", "Lend rate"))
        ),
        depth_chart(series),
        *mark_charts(series),
    ]


def charts(drawn: Sequence[Chart], series: Series) -> Markup:
    """Charts, and the table that stands for them."""
    return join(
        [
            tag("div", *(draw(chart) for chart in drawn), class_="charts"),
            tag(
                "details",
                tag("summary", "The same figures as a table"),
                _table(drawn, series["times"]),
            ),
        ]
    )


def price_chart(figures: Figures, series: Series) -> Chart:
    """The mark of each asset, indexed to 100 at the start. USDC is one throughout and left out."""
    lines = [
        Line(symbol, [INDEXED_TO * mark / marks[0] for mark in marks], style)
        for (symbol, marks), style in zip(_moving(series["marks"]), _styles(), strict=False)
    ]
    return Chart(
        name="prices",
        title="Mark price, start = 100",
        description=f"Mark price of each asset from {utc(figures['start'])} on, indexed to 100.",
        times=series["times"],
        lines=lines,
        label=lambda value: number(value, 1),
        axis=lambda value: f"{value:g}",
        form="price",
    )


def mark_charts(series: Series) -> list[Chart]:
    """The mark of each asset in USDC, one chart an asset: they differ by orders of magnitude."""
    return [
        Chart(
            name=f"mark-{place}",
            title=f"Mark price of {symbol}, USDC",
            description=f"Mark price of a whole {symbol} in USDC.",
            times=series["times"],
            lines=[Line(symbol, marks, style)],
            label=lambda value: trimmed(f"{value:.10f}"),
            axis=lambda value: f"{value:,g}",
            form="price",
        )
        for place, ((symbol, marks), style) in enumerate(
            zip(_moving(series["marks"]), _styles(), strict=False)
        )
    ]


def rate_chart(series: Series, key: str, title: str) -> Chart:
    """A rate a year of every pool."""
    rates = series[key]
    highest = max((max(values, default=0.0) for values in rates.values()), default=0.0)
    return Chart(
        name=key.replace("_", "-"),
        title=f"{title} a year, by pool",
        description=f"{title} a year of each pool.",
        times=series["times"],
        lines=[
            Line(symbol, values, style)
            for (symbol, values), style in zip(rates.items(), _styles(), strict=False)
        ],
        label=lambda value: percent(value, 2),
        axis=lambda value: percent(value, 0 if highest > COARSE else 2),
        bottom=0.0,
        form="percent",
    )


def depth_chart(series: Series) -> Chart:
    """What rests near the mark on the thinner side of each book, once makers have quoted."""
    return Chart(
        name="depth",
        title="Depth within 1 % of the mark, thinner side, USDC",
        description="USDC resting within 1 % of the mark on the thinner side of each order book.",
        times=series["times"],
        lines=[
            Line(symbol, values, style)
            for (symbol, values), style in zip(_moving(series["depth"]), _styles(), strict=False)
        ],
        label=money,
        axis=_short,
        bottom=0.0,
        form="money",
    )


def _moving(marks: Mapping[str, Sequence[float]]) -> list[tuple[str, Sequence[float]]]:
    return [(symbol, values) for symbol, values in marks.items() if symbol != "USDC"]


def _styles() -> list[str]:
    """Styles of assets; from the seventh on they come round again."""
    return [*ASSET_STYLES] * 11


def utilization_charts(figures: Figures, series: Series) -> list[Chart]:
    """One chart a pool: utilization, the bound that binds it, and the throttle threshold."""
    peaks = {pool["asset"]: pool["peak_utilization"] for pool in figures["pools"]}
    drawn = []
    for place, (symbol, values) in enumerate(series["utilization"].items()):
        threshold = [series["threshold"][symbol]] * len(values)
        lines = [
            Line("Throttle bound", series["bound"][symbol], "c6 dash"),
            Line("Throttle threshold", threshold, "c2 dots"),
            Line("Utilization", values, "c1"),
        ]
        said = f"Peak {percent(peaks[symbol])}." if symbol in peaks else ""
        drawn.append(
            Chart(
                name=f"pool-{place}",
                title=f"Utilization of the {symbol} pool",
                description=f"Borrowed over lent in the {symbol} pool. {said}",
                times=series["times"],
                lines=lines,
                label=percent,
                axis=lambda value: percent(value, 0),
                bottom=0.0,
                top=1.0,
                form="percent",
            )
        )
    return drawn


def stage_chart(series: Series) -> Chart:
    """Debt cleared by each stage since the start, piled up."""
    lines = [
        Line(STAGE_TITLES[stage], values, style)
        for (stage, values), style in zip(series["stage_value"].items(), STAGE_STYLES, strict=False)
    ]
    return Chart(
        name="stages",
        title="Debt cleared by stage since the start, USDC",
        description="Cumulative value that each stage of the waterfall cleared.",
        times=series["times"],
        lines=lines,
        label=money,
        axis=_short,
        bottom=0.0,
        stacked=True,
        form="money",
    )


def recovery_chart(series: Series) -> Chart:
    """What lenders settled by ADL were owed and what they received, since the start."""
    lenders = series["lenders"]
    return Chart(
        name="recovery",
        title="Lenders settled by ADL since the start, USDC",
        description="Cumulative value owed to lenders and received by them. Where all is paid, "
        "the two lines lie on each other.",
        times=series["times"],
        lines=[
            Line("Owed", lenders["owed"], "c3 wide"),
            Line("Received", lenders["received"], "c3"),
        ],
        label=money,
        axis=_short,
        bottom=0.0,
        form="money",
    )


def liquidating_chart(series: Series) -> Chart:
    """Accounts in liquidation at each moment."""
    return Chart(
        name="liquidating",
        title="Accounts in liquidation",
        description="Number of accounts in liquidation at each moment.",
        times=series["times"],
        lines=[Line("Accounts", series["liquidating"], "c2")],
        label=lambda value: number(value, 0),
        axis=lambda value: f"{value:,g}",
        bottom=0.0,
    )


def _short(value: float) -> str:
    """A value on an axis: 2,500,000 is 2.5 M."""
    for scale, unit in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if value >= scale:
            return f"{value / scale:,g}{unit}"
    return f"{value:g}"


def _table(drawn: Sequence[Chart], times: Sequence[str]) -> Markup:
    """Evenly spread moments, first and last among them, with the value of every line."""
    last = len(times) - 1
    places = sorted({round(last * row / (TABLE_ROWS - 1)) for row in range(TABLE_ROWS)})
    tables = [
        table(
            chart.title,
            ("Time", *(line.label for line in chart.lines)),
            [
                (utc(times[at]), *(chart.label(line.values[at]) for line in chart.lines))
                for at in places
            ]
            if times
            else [],
        )
        for chart in drawn
    ]
    return join(tables)
