"""`solvent lab sweep`: many paths at many points, on all cores, to be gone on with at any time."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.called import called
from solvent.cli.options import COUNT, NAMED, WHOLE, Accounts
from solvent.domain.errors import InputError

if TYPE_CHECKING:
    from solvent.lab.sweeps.plan import Plan

MOST_WORKERS = 1024
MOST_SHARDS = 100_000

Shard = Annotated[str | None, Parameter()]


def sweep(
    scenario: str,
    /,
    *,
    out: Annotated[Path, NAMED],
    vary: Annotated[list[str] | None, Parameter(negative_iterable=())] = None,
    paths: Annotated[int, WHOLE, COUNT] = 100,
    until: str = "",
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
    shard: Shard = None,
) -> None:
    """Run many paths of a scenario at many points of its parameters.

    The same command again goes on with a sweep that was interrupted or killed. What comes out is
    the same to the byte for any number of workers, shards and interruptions.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    out
        The folder of the sweep.
    vary
        A field of the scenario's file and its values: waterfall.patience=1,2,4 or, evenly apart,
        fund.balance=0..100000:5. May be given again; all combinations are run, and the scenario as
        it is.
    paths
        How many paths each point has; at most so many with --until.
    until
        Stop as soon as every point is so sure: "deficit_p99 ± 5 %", "deficit_chance ± 0.01".
    workers
        How many processes compute; all cores by default.
    shard
        Compute only a part, like 3/16, for `solvent lab merge`.
    """
    from solvent.cli.lab.shown import show_sweep
    from solvent.cli.progress import progress, say
    from solvent.engine.engine import machine
    from solvent.lab.scenario.catalog import scenario_path
    from solvent.lab.sweeps.points import scenario_at
    from solvent.lab.sweeps.sweeping import begin, targets_of
    from solvent.lab.sweeps.sweeping import sweep as compute
    from solvent.lab.sweeps.workers import local_pool

    if until and shard:
        reason = "needs all paths; leave --shard out, or give a number of --paths"
        raise InputError("sweep", "--until", reason)
    targets_of(until)
    file = scenario_path(scenario)
    part = replace(_whole(scenario, file, vary or [], paths), accounts=accounts, until=until)
    plan = replace(part, shard=_shard(shard))
    for point in plan.points:
        scenario_at(file, point)
    count = workers or os.cpu_count() or 1
    begin(out, plan)
    # Compiled once here, and found on disk by every worker.
    machine(say)
    with progress(f"sweeping {scenario}", "paths") as report:
        rows = compute(out, local_pool(count), count, report)
    if plan.shard[1] == 1:
        show_sweep(plan, rows, out)
    else:
        print(f"{len(rows)} rows of shard {shard} are in {out}; when all shards are done:")
        print(f"  {called()} lab merge FOLDER FOLDER ... --out FOLDER")


def _whole(scenario: str, file: Path, vary: Sequence[str], paths: int) -> "Plan":
    """The plan of so many paths at every combination, in one part."""
    from solvent.lab.paths.drawing import scenario_hash
    from solvent.lab.scenario.catalog import load_scenario
    from solvent.lab.sweeps.plan import Plan, sources_hash
    from solvent.lab.sweeps.points import grid, parse_varied

    root = scenario_hash(load_scenario(file))
    points = grid([parse_varied(text) for text in vary])
    return Plan(_name(scenario, file), root, sources_hash(), points, paths)


def _name(scenario: str, file: Path) -> str:
    """A packaged scenario by its name, a file by its whole path: workers may start elsewhere."""
    from solvent.lab.scenario.catalog import list_scenarios

    return scenario if scenario in list_scenarios() else str(file.resolve())


def _shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 1, 1
    place, sign, count = text.partition("/")
    if not (sign and place.isdecimal() and count.isdecimal()):
        raise InputError("sweep", "--shard", f"{text!r} is no part; write it like 3/16")
    if not 1 <= int(place) <= int(count) <= MOST_SHARDS:
        raise InputError("sweep", "--shard", f"{text!r} must lie between 1/N and N/N")
    return int(place), int(count)
