"""Charts as inline SVG: lines or stacked areas, drawn without a library or a script.

Theory of operation. A chart is data (`Chart`) and one pure function draws it, so that equal data
give equal bytes. Across it is time, or a share of many paths (`share_time`). Points are thinned to
what can be seen: each narrow span keeps its first,
lowest, highest and last value, so no peak is lost. Values under the pointer are SVG titles on
invisible columns. Colours are classes (`c1` to `c6`) that the page's style sheet sets for light and
dark; every line also has its own dash, so that a chart does not speak in colour alone.

Deliberately absent: interaction beyond titles, animation, logarithmic axes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Literal

from solvent.lab.report.drawing.markup import Markup, tag
from solvent.lab.report.formatting import moment

WIDTH, HEIGHT = 560, 270
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 12, 32
SPANS = 280
COLUMNS = 96
VALUE_TICKS = 5
TIME_TICKS, SHARE_TICKS = 6, 4
NICE_STEPS = (1, 2, 2.5, 5, 10)
TIME_STEPS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400, 43200)
)
DAY = timedelta(days=1)
EPOCH = moment("1970-01-01")


Form = Literal["percent", "money", "price", "count"]
Across = Literal["time", "share"]


def share_time(share: float) -> str:
    """A share of all paths as a place across a chart: the whole is as wide as a day."""
    return (EPOCH + share * DAY).isoformat()


@dataclass(frozen=True, slots=True)
class Line:
    """One row of values over the chart's times; `style` is a colour class and maybe a dash."""

    label: str
    values: Sequence[float]
    style: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. `times` are ISO 8601, as many as each line has values.

    `label` writes a value in a title, `axis` on the axis; `bottom` and `top` hold the axis where
    they are given. `across` says what the times are. `stacked` piles the lines up as areas.
    `form` is how the script writes a value.
    """

    name: str
    title: str
    description: str
    times: Sequence[str]
    lines: Sequence[Line]
    label: Callable[[float], str]
    axis: Callable[[float], str]
    bottom: float | None = None
    top: float | None = None
    stacked: bool = False
    form: Form = "count"
    across: Across = "time"


@dataclass(frozen=True, slots=True)
class Frame:
    """Where times and values lie on the drawing."""

    start: datetime
    end: datetime
    low: float
    high: float

    def x(self, when: datetime) -> float:
        """Across, in drawing units."""
        span = (self.end - self.start).total_seconds() or 1.0
        share = (when - self.start).total_seconds() / span
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Down, in drawing units."""
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def draw(chart: Chart) -> Markup:
    """The chart as a figure: caption, drawing, legend. A chart without times says so."""
    caption = tag("figcaption", chart.title)
    if not chart.times or not chart.lines:
        return tag("figure", caption, tag("p", "No figures in this run.", class_="none"))
    times = [moment(text) for text in chart.times]
    tops, frame = _tops(chart), frame_of(chart)
    drawing = tag(
        "svg",
        tag("title", chart.title, id=f"{chart.name}-title"),
        tag("desc", chart.description, id=f"{chart.name}-desc"),
        *_value_axis(chart, frame),
        *(_time_axis(frame) if chart.across == "time" else _share_axis(frame)),
        *(_areas(frame, times, tops, chart) if chart.stacked else _lines(frame, times, chart)),
        *_columns(frame, times, chart),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{chart.name}-title {chart.name}-desc",
    )
    return tag("figure", caption, drawing, _legend(chart), data_chart=chart.name)


def _tops(chart: Chart) -> list[Sequence[float]]:
    """The upper edge of each line: its own values, or the sum with those below it."""
    if not chart.stacked:
        return [line.values for line in chart.lines]
    rows = zip(*(line.values for line in chart.lines), strict=True)
    return list(zip(*(tuple(accumulate(row)) for row in rows), strict=True))


def frame_of(chart: Chart) -> Frame:
    """The frame that holds every line of a chart, whose times and lines there must be."""
    tops = _tops(chart)
    start, end = moment(chart.times[0]), moment(chart.times[-1])
    low = min(min(values) for values in tops) if chart.bottom is None else chart.bottom
    high = max(max(values) for values in tops) if chart.top is None else chart.top
    if high <= low:
        high = low + 1
    step = nice_step((high - low) / VALUE_TICKS)
    if chart.bottom is None:
        low = math.floor(low / step) * step
    if chart.top is None:
        high = math.ceil(high / step) * step
    return Frame(start, end, low, high)


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that is at least `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(nice * power for nice in NICE_STEPS if nice * power >= rough * (1 - 1e-9))


def _value_axis(chart: Chart, frame: Frame) -> list[Markup]:
    step = nice_step((frame.high - frame.low) / VALUE_TICKS)
    marks = []
    for index in range(math.floor((frame.high - frame.low) / step + 1e-9) + 1):
        value = frame.low + index * step
        y = _written(frame.y(value))
        marks.append(tag("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        marks.append(tag("text", chart.axis(value), class_="value", x=LEFT - 8, y=y, dy="0.32em"))
    return marks


def _time_axis(frame: Frame) -> list[Markup]:
    span = frame.end - frame.start
    step = next((step for step in TIME_STEPS if span / step <= TIME_TICKS), None)
    step = step or DAY * math.ceil(span / DAY / TIME_TICKS)
    first = EPOCH + math.ceil((frame.start - EPOCH) / step) * step
    marks = []
    for index in range(math.floor((frame.end - first) / step) + 1):
        when = first + index * step
        x = _written(frame.x(when))
        midnight = when.hour == when.minute == 0
        text = f"{when.day} {when:%b}" if step >= DAY or midnight else f"{when:%H:%M}"
        foot = HEIGHT - BOTTOM
        marks.append(tag("line", class_="tick", x1=x, x2=x, y1=foot, y2=foot + 5))
        shape = "time minor" if index % 2 else "time"
        marks.append(tag("text", text, class_=shape, x=x, y=foot + 20))
    return marks


def _share_axis(frame: Frame) -> list[Markup]:
    marks, foot = [], HEIGHT - BOTTOM
    for index in range(SHARE_TICKS + 1):
        x = _written(frame.x(EPOCH + DAY * index / SHARE_TICKS))
        marks.append(tag("line", class_="tick", x1=x, x2=x, y1=foot, y2=foot + 5))
        shape, text = "time minor" if index % 2 else "time", f"{100 * index // SHARE_TICKS} %"
        marks.append(tag("text", text, class_=shape, x=x, y=foot + 20))
    return marks


def _lines(frame: Frame, times: list[datetime], chart: Chart) -> list[Markup]:
    return [
        tag("path", class_=f"line {line.style}", d=_path(frame, times, line.values))
        for line in chart.lines
    ]


def _areas(
    frame: Frame, times: list[datetime], tops: list[Sequence[float]], chart: Chart
) -> list[Markup]:
    """The highest area first: those below are drawn over it."""
    left, right, foot = (_written(at) for at in (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM))
    return [
        tag(
            "path",
            class_=f"area {line.style}",
            d=f"{_path(frame, times, values)}L{right} {foot}L{left} {foot}Z",
        )
        for line, values in reversed(list(zip(chart.lines, tops, strict=True)))
    ]


def _path(frame: Frame, times: list[datetime], values: Sequence[float]) -> str:
    points = [
        f"{_written(frame.x(times[at]))} {_written(frame.y(_held(values[at], frame)))}"
        for at in thinned(values)
    ]
    kept = [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]
    return "M" + "L".join(kept)


def _held(value: float, frame: Frame) -> float:
    return min(max(value, frame.low), frame.high)


def thinned(values: Sequence[float]) -> list[int]:
    """Places to draw: of each of SPANS spans the first, lowest, highest and last, in order."""
    size = max(1, math.ceil(len(values) / SPANS))
    places: set[int] = set()
    for start in range(0, len(values), size):
        span = range(start, min(start + size, len(values)))
        lowest = min(span, key=values.__getitem__)
        places |= {span[0], lowest, max(span, key=values.__getitem__), span[-1]}
    return sorted(places)


def _columns(frame: Frame, times: list[datetime], chart: Chart) -> list[Markup]:
    """Invisible columns over the whole drawing, each with the values at its middle as title."""
    count = min(COLUMNS, len(times))
    width = (WIDTH - LEFT - RIGHT) / count
    span = frame.end - frame.start
    columns = []
    place = 0
    for column in range(count):
        middle = frame.start + span * ((column + 0.5) / count)
        while place + 1 < len(times) and times[place + 1] <= middle:
            place += 1
        when = times[place]
        said = [f"{when.day} {when:%b %Y %H:%M} UTC"]
        if chart.across == "share":
            said = [f"{100 * ((when - EPOCH) / DAY):.0f} % of paths"]
        said += [f"{line.label}: {chart.label(line.values[place])}" for line in chart.lines]
        columns.append(
            tag(
                "rect",
                tag("title", "\n".join(said)),
                class_="column",
                x=_written(LEFT + column * width),
                y=TOP,
                width=_written(width),
                height=HEIGHT - TOP - BOTTOM,
            )
        )
    return columns


def _legend(chart: Chart) -> Markup:
    kind = "area" if chart.stacked else "line"
    shape = {"line": "M0 6H26", "area": "M0 1H26V11H0Z"}[kind]
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag(
                    "svg",
                    tag("path", class_=f"{kind} {line.style}", d=shape),
                    viewBox="0 0 26 12",
                    aria_hidden="true",
                ),
                line.label,
            )
            for line in chart.lines
        ),
        class_="legend",
    )


def _written(at: float) -> str:
    """A place on the drawing, to a tenth of a unit."""
    return f"{at:.1f}".removesuffix(".0")
