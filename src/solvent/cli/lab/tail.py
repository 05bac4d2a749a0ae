"""`solvent lab tail`: what happens seldom, by strata of jumps or by splitting paths."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.lab.sweep import MOST_WORKERS
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
) -> None:
    """Estimate what lenders lose where they seldom do, with fewer paths than it takes to see it.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    out
        A file for all rows as CSV, which must not exist yet.
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
    """
    from solvent.cli.progress import progress, say
    from solvent.cli.runs.tables import print_sheet
    from solvent.engine.engine import machine
    from solvent.lab.scenario.catalog import load_scenario
    from solvent.lab.sweeps.workers import local_pool
    from solvent.lab.tail.sampling import Asked, chances, places, sample
    from solvent.lab.tail.sheets import cost_words, tail_sheet, write_rows
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
    if out.exists():
        raise InputError(str(out), "--out", "is there already; name a new file")
    asked = Asked(scenario, paths, strata, split, named if split > 1 else (), accounts)
    chances(load_scenario(scenario), strata)
    machine(say)
    rows = []
    total = len(list(places(asked)))
    with (
        local_pool(workers or os.cpu_count() or 1).make() as executor,
        progress(f"sampling {Path(scenario).name}", "paths") as report,
    ):
        for done, found in enumerate(sample(asked, executor), start=1):
            rows += found
            report(done, total)
    write_rows(out, rows)
    print_sheet(tail_sheet(asked, rows))
    print(cost_words(asked, rows))
    print(f"rows   {out}")
