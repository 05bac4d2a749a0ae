"""`solvent lab tail`: what happens seldom, by strata of jumps or by splitting paths."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.called import called
from solvent.cli.lab.sweep import MOST_WORKERS, Shard, read_shard
from solvent.cli.lab.sweeping import name_of
from solvent.cli.options import COUNT, NAMED, WHOLE, Accounts
from solvent.domain.errors import InputError

MOST_WAYS = 16


def tail(
    scenario: str,
    /,
    *,
    out: Annotated[Path, NAMED],
    paths: Annotated[int, WHOLE, COUNT] = 100,
    strata: Annotated[int, WHOLE, Parameter(validator=Number(gte=0, lte=50))] = 0,
    split: Annotated[int, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WAYS))] = 1,
    levels: str = "liquidation,pool95,pool100,adl",
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
    shard: Shard = None,
) -> None:
    """Estimate what lenders lose where they seldom do, with fewer paths than it takes to see it.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    out
        The folder of the sample; the same command goes on with one that was killed.
    paths
        How many paths begin.
    strata
        Draw paths in so many strata of their number of jumps; 0 for none.
    split
        Go on as so many paths whenever a level is first crossed; 1 for no splitting.
    levels
        Which of liquidation, pool95, pool100, adl, deficit split a path.
    workers
        How many processes compute; all cores by default.
    shard
        Compute only a part, like 3/16, for `solvent lab merge`.
    """
    from solvent.cli.lab.shown import show_tail
    from solvent.cli.progress import progress, say
    from solvent.engine.engine import machine
    from solvent.lab.paths.drawing import scenario_hash
    from solvent.lab.scenario.catalog import load_scenario, scenario_path
    from solvent.lab.sweeps.plan import sources_hash
    from solvent.lab.sweeps.workers import local_pool
    from solvent.lab.tail.folder import TailPlan, begin
    from solvent.lab.tail.folder import carry_out as sampled
    from solvent.lab.tail.sampling import Asked, chances

    named = _levels(levels, strata, split, paths)
    loaded = load_scenario(scenario)
    name = name_of(scenario, scenario_path(scenario))
    splits = named if split > 1 else ()
    asked = Asked(name, paths, strata, split, splits, accounts, read_shard(shard))
    chances(loaded, strata)
    begin(out, TailPlan(asked, scenario_hash(loaded), sources_hash()))
    machine(say)
    with (
        local_pool(workers or os.cpu_count() or 1).make() as executor,
        progress(f"sampling {Path(scenario).name}", "paths") as report,
    ):
        rows = sampled(out, executor, report)
    if asked.shard[1] > 1:
        print(f"{len(rows)} rows of shard {shard} are in {out}; when all shards are done:")
        print(f"  {called()} lab merge FOLDER FOLDER ... --out FOLDER")
        return
    show_tail(asked, rows, out)


def _levels(levels: str, strata: int, split: int, paths: int) -> tuple[str, ...]:
    """The names of the levels. InputError where what was asked for does not go together."""
    from solvent.lab.tail.trajectory import LEVELS

    named = tuple(part.strip() for part in levels.split(","))
    if strange := [name for name in named if name not in LEVELS]:
        reason = f"there is no {strange[0]!r}; choose from {', '.join(LEVELS)}"
        raise InputError("tail", "--levels", reason)
    if strata and split > 1:
        reason = "does not go with --split: what is left to come hangs on the jumps so far"
        raise InputError("tail", "--strata", reason)
    if paths < 2 * max(1, strata):
        raise InputError("tail", "--paths", f"must be at least {2 * max(1, strata)}, two a stratum")
    return named
