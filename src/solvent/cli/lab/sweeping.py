"""What `lab sweep` and `lab compare` share: a plan of a scenario, and how it is carried out."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solvent.lab.sweeps.plan import Plan
    from solvent.lab.sweeps.points import Point
    from solvent.lab.sweeps.rows import Row


def plan_of(scenario: str, points: "tuple[Point, ...]", paths: int) -> "Plan":
    """The plan of so many paths at these points, in one part. InputError as of the scenario."""
    from solvent.lab.paths.drawing import scenario_hash
    from solvent.lab.scenario.catalog import load_scenario, scenario_path
    from solvent.lab.sweeps.plan import Plan, sources_hash
    from solvent.lab.sweeps.points import scenario_at

    file = scenario_path(scenario)
    for point in points:
        scenario_at(file, point)
    root = scenario_hash(load_scenario(file))
    return Plan(name_of(scenario, file), root, sources_hash(), points, paths)


def carry_out(
    plan: "Plan", out: Path, workers: int | None, cluster: str | None = None
) -> "list[Row]":
    """Begin a sweep, or go on with it, on so many workers or all cores; its rows.

    `cluster` is the address of a Dask scheduler whose workers compute instead.
    """
    from solvent.cli.progress import progress, say
    from solvent.engine.engine import machine
    from solvent.lab.sweeps.sweeping import begin, sweep
    from solvent.lab.sweeps.workers import local_pool

    if cluster is None:
        pool = local_pool(workers or os.cpu_count() or 1)
    else:
        from solvent.lab.sweeps.dask_pool import dask_pool

        pool = dask_pool(cluster)
    begin(out, plan)
    # Compiled once here, and found on disk by every worker.
    machine(say)
    with progress(f"sweeping {Path(plan.scenario).name}", "paths") as report:
        return sweep(out, pool, report)


def name_of(scenario: str, file: Path) -> str:
    """A packaged scenario by its name, a file by its whole path: workers may start elsewhere."""
    from solvent.lab.scenario.catalog import list_scenarios

    return scenario if scenario in list_scenarios() else str(file.resolve())
