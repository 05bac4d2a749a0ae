"""`solvent lab cover`: what lenders lose if the n largest providers and borrowers fail together."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.lab.sweep import MOST_WORKERS
from solvent.cli.options import COUNT, WHOLE, Accounts

MOST_GONE = 1000


def cover(
    scenario: str,
    /,
    *,
    most: Annotated[int, WHOLE, Parameter(validator=Number(gte=0, lte=MOST_GONE))] = 10,
    paths: Annotated[int, WHOLE, COUNT] = 20,
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
) -> None:
    """Run paths with the n largest providers gone and the n largest borrowers in default.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    most
        n goes from 0 to so many.
    paths
        How many paths each n has, the same ones for all.
    workers
        How many processes compute; all cores by default.
    """
    from functools import partial

    from solvent.cli.progress import progress, say
    from solvent.cli.runs.tables import print_sheet
    from solvent.engine.engine import machine
    from solvent.lab.cover import cover_sheet, covered
    from solvent.lab.scenario.catalog import load_scenario, scenario_path
    from solvent.lab.sweeps.workers import local_pool

    load_scenario(scenario)
    file = str(scenario_path(scenario).resolve())
    wanted = [(count, path) for count in range(most + 1) for path in range(paths)]
    machine(say)
    rows = []
    with (
        local_pool(workers or os.cpu_count() or 1).make() as executor,
        progress(f"covering {Path(scenario).name}", "paths") as report,
    ):
        work = partial(covered, file, accounts)
        for done, row in enumerate(executor.map(work, wanted), start=1):
            rows.append(row)
            report(done, len(wanted))
    print_sheet(cover_sheet(rows))
    failed = [row for row in rows if row.error]
    if failed:
        print(f"{len(failed)} paths failed; the first: path {failed[0].path}: {failed[0].error}")
