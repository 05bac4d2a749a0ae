"""Verifying a sweep: some of its paths are computed again and must come out to the last bit.

Which paths is drawn from a seed that the verifier chooses, so who made the report cannot know them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solvent.engine.engine import FastEngine
from solvent.lab.people.sampling import draw_word
from solvent.lab.scenario.catalog import scenario_path
from solvent.lab.sweeps.plan import Plan, read_plan
from solvent.lab.sweeps.points import scenario_at
from solvent.lab.sweeps.rows import Row, run_path
from solvent.lab.sweeps.sweeping import read_rows
from solvent.lab.sweeps.workers import check


@dataclass(frozen=True, slots=True)
class Verified:
    """A row as the sweep has it, and as it comes out now."""

    said: Row
    found: Row

    @property
    def same(self) -> bool:
        """Whether they agree in every cell."""
        return self.said.cells() == self.found.cells()


def chosen(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    """So many rows, or all of them, as the seed says."""
    drawn = sorted(rows, key=lambda row: (draw_word(seed, *row.key), row.key))
    return sorted(drawn[:count], key=lambda row: row.key)


def verify(folder: Path, count: int, seed: int) -> list[Verified]:
    """Compute rows of a sweep again. InputError where the sweep, or what made it, is not there."""
    plan = read_plan(folder)
    check(plan.scenario, plan.root, plan.sources)
    return [Verified(row, again(plan, row)) for row in chosen(read_rows(folder), count, seed)]


def again(plan: Plan, row: Row) -> Row:
    """The row computed anew."""
    scenario = scenario_at(scenario_path(plan.scenario), plan.points[row.point])
    return run_path(scenario, plan.root, row.point, row.path, plan.accounts, FastEngine)
