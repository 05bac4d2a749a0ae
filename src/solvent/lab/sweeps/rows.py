"""A row: one path at one point, as exact figures and the hashes that they came with, or an error.

Money is decimal text in USDC as the run's report has it, never a float; what is made of many rows
is computed in `estimate`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from solvent.lab.driving import EngineFactory
from solvent.lab.paths.drawing import drawn
from solvent.lab.runner import run
from solvent.lab.scenario.model import Scenario

METRICS = (
    "deficit",
    "owed",
    "received",
    "in_kind",
    "adl",
    "adl_share",
    "cleared",
    "book",
    "backstop",
    "liquidated",
    "closed",
    "peak_utilization",
    "minutes_full",
    "lend_rate",
    "asked",
    "largest_share",
    "regret",
    "gini",
    "out_of_order",
    "sybil_gain",
    "health",
    "hurt",
)
"""What a row says of its path: USDC but for counts of accounts, ratios and minutes."""
BURDEN = METRICS[METRICS.index("asked") :]
"""Who bore ADL (`lab.adl.burden`)."""
SHARES = ("adl_share", "largest_share", "regret", "gini", "out_of_order", "sybil_gain")
"""Figures that cannot leave 0 to 1."""

HASHES = ("state_hash", "event_hash")
COLUMNS = ("point", "path", *METRICS, *HASHES, "error")


@dataclass(frozen=True, slots=True)
class Row:
    """A path's figures by `METRICS` and `HASHES`, or what was wrong with it."""

    point: int
    path: int
    figures: Mapping[str, str]
    error: str = ""

    @property
    def key(self) -> tuple[int, int]:
        """Where it stands among all rows."""
        return self.point, self.path

    def cells(self) -> list[str]:
        """The row by `COLUMNS`."""
        told = [self.figures.get(name, "") for name in (*METRICS, *HASHES)]
        return [str(self.point), str(self.path), *told, self.error]

    def value(self, metric: str) -> Decimal:
        """One figure of a path that ran."""
        return Decimal(self.figures[metric])


def row_of(cells: list[str]) -> Row:
    """The row of these cells. ValueError where they are none."""
    if len(cells) != len(COLUMNS):
        raise ValueError(f"has {len(cells)} cells, not {len(COLUMNS)}")
    point, path, *told, error = cells
    names = (*METRICS, *HASHES)
    figures = {} if error else dict(zip(names, told, strict=True))
    return Row(int(point), int(path), figures, error)


def run_path(
    scenario: Scenario,
    root: str,
    point: int,
    path: int,
    accounts: int | None,
    engine_factory: EngineFactory,
) -> Row:
    """Carry one path out; whatever goes wrong with it is told in its row."""
    try:
        weather = drawn(scenario, root, path)
        figures = run(weather, accounts=accounts, engine_factory=engine_factory).figures
    except Exception as error:
        return Row(point, path, {}, " ".join(f"{type(error).__name__}: {error}".split()))
    return Row(point, path, row_figures(figures))


def row_figures(figures: Mapping[str, Any]) -> dict[str, str]:
    """The figures of a run (`runner.run`) that a row keeps."""
    stages = {each["stage"]: Decimal(each["value"]) for each in figures["stages"]}
    lenders, pools = figures["lenders"], figures["pools"]
    adl = sum((value for stage, value in stages.items() if stage.startswith("adl_")), Decimal())
    cleared = sum(stages.values(), Decimal())
    return {
        **{name: lenders[name] for name in ("deficit", "owed", "received", "in_kind")},
        "adl": str(adl),
        "adl_share": f"{adl / cleared if cleared else Decimal():.9f}",
        "cleared": str(cleared),
        "book": str(stages["book"]),
        "backstop": str(stages["backstop"]),
        "liquidated": str(figures["liquidated_accounts"]),
        "closed": str(figures["closed_accounts"]),
        "peak_utilization": str(max(pool["peak_utilization"] for pool in pools)),
        "minutes_full": str(max(pool["minutes_full"] for pool in pools)),
        "lend_rate": f"{figures['lend_rate']:.9f}",
        **{name: str(figures["burden"][name]) for name in BURDEN},
        **{name: figures[name] for name in HASHES},
    }


def figures_by_path(rows: Sequence[Row], point: int, metric: str) -> dict[int, float]:
    """A figure of a point's paths that ran, by path number."""
    return {
        row.path: float(row.value(metric)) for row in rows if row.point == point and not row.error
    }
