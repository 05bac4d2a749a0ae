"""Rows: what was measured, how it compares with a peer, and whether it is what it should be."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import NamedTuple

from benches.common.measure import Timing

NOT_INSTALLED = "not installed"
_RATE = "/s"
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A median with the least and the most of so many repeats, in `unit`."""

    value: float
    least: float
    most: float
    repeats: int
    unit: str

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith(_RATE)

    @property
    def spread(self) -> float:
        """(most - least) / median."""
        return (self.most - self.least) / self.value if self.value else 0.0

    def times_better_than(self, other: "Figure") -> float:
        """How many times better this is, by medians."""
        better, worse = (self, other) if self.is_rate else (other, self)
        return better.value / worse.value


def each(timing: Timing, count: int, unit: str = "ns") -> Figure:
    """Time for each of `count` things, in seconds ("s"), "ms" or "ns"."""
    scale = {"s": 1.0, "ms": 1e3, "ns": 1e9}[unit.partition("/")[0]]
    return of(unit, [seconds * scale / count for seconds in timing.seconds])


def rate(timing: Timing, count: int, things: str) -> Figure:
    """Millions of things a second: `things` is their name."""
    return of(f"M {things}{_RATE}", [count / seconds / 1e6 for seconds in timing.seconds])


def of(unit: str, values: Iterable[float]) -> Figure:
    """The figure that these repeats make."""
    found = sorted(values)
    return Figure(statistics.median(found), found[0], found[-1], len(found), unit)


class Target(NamedTuple):
    """What a row should reach: its figure at most or at least so much, or so many times a peer."""

    kind: str
    limit: float

    def __str__(self) -> str:
        """As it is written in decimals."""
        return {AT_MOST: "≤ {:g}", AT_LEAST: "≥ {:g}", TIMES: "≥ {:g}x"}[self.kind].format(
            self.limit
        )


AT_MOST = "at most"
AT_LEAST = "at least"
TIMES = "times"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a bench. `peer` is what it is compared with, if anything; `peer_figure` is
    None where the peer is not installed.
    """

    bench: str
    measured: str
    figure: Figure
    peer: str | None = None
    peer_figure: Figure | None = None
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer."""
        if self.peer_figure is None:
            return None
        return self.figure.times_better_than(self.peer_figure)

    @property
    def verdict(self) -> str:
        """Met, or missed by how much."""
        if self.target is None:
            return "reported"
        if self.target.kind == TIMES:
            if self.ratio is None:
                return NOT_INSTALLED
            short = self.target.limit / self.ratio
        elif self.target.kind == AT_MOST:
            short = self.figure.value / self.target.limit
        else:
            short = self.target.limit / self.figure.value
        return "met" if short <= 1 else f"missed by {short:.2f}x"

    def as_object(self) -> dict[str, object]:
        """For JSON."""
        return {
            "bench": self.bench,
            "measured": self.measured,
            "figure": asdict(self.figure) | {"spread": self.figure.spread},
            "peer": self.peer,
            "peer_figure": None if self.peer_figure is None else asdict(self.peer_figure),
            "ratio": self.ratio,
            "target": None if self.target is None else str(self.target),
            "verdict": self.verdict,
        }


def shown(value: float) -> str:
    """A number with three digits that count."""
    whole = len(f"{abs(value):.0f}")
    places = max(0, _DIGITS - whole) if abs(value) >= 1 else _DIGITS
    return f"{value:,.{places}f}"
