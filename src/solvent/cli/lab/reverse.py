"""`solvent lab reverse`: the least implausible day on which a lender loses."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.lab.sweep import MOST_WORKERS
from solvent.cli.options import WHOLE, Accounts

MOST_DIRECTIONS = 10_000
DAY_SECONDS = 86_400


def reverse(
    scenario: str,
    /,
    *,
    directions: Annotated[int, WHOLE, Parameter(validator=Number(gte=0, lte=MOST_DIRECTIONS))] = 16,
    over: Annotated[int, WHOLE, Parameter(validator=Number(gte=1, lte=DAY_SECONDS))] = 600,
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
) -> None:
    """Find the shortest shock, in standard deviations, that fills a pool, or costs a lender.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file, with a price model.
    directions
        How many directions are drawn, beside each asset alone both ways.
    over
        Seconds that the move takes.
    workers
        How many processes compute; all cores by default.
    """
    from functools import partial

    from solvent.cli.progress import progress, say
    from solvent.cli.runs.tables import print_sheet
    from solvent.domain.units import SECOND
    from solvent.engine.engine import machine
    from solvent.lab.paths.drawing import scenario_hash
    from solvent.lab.scenario.catalog import load_scenario, scenario_path
    from solvent.lab.sweeps.workers import local_pool
    from solvent.lab.tail.reverse import covariance, search
    from solvent.lab.tail.reverse import directions as drawn
    from solvent.lab.tail.sheets import reverse_sheet

    loaded = load_scenario(scenario)
    covariance(loaded)
    file = str(scenario_path(scenario).resolve())
    assets = len(loaded.parameters.assets) - 1
    wanted = list(drawn(scenario_hash(loaded), assets, directions))
    machine(say)
    work = partial(search, file, over * SECOND, accounts)
    found = []
    with (
        local_pool(workers or os.cpu_count() or 1).make() as executor,
        progress(f"searching {Path(scenario).name}", "directions") as report,
    ):
        for done, each in enumerate(executor.map(work, wanted), start=1):
            found += each
            report(done, len(wanted))
    print_sheet(reverse_sheet(loaded, found))
    print(f"{len(wanted)} directions were searched; between them a shorter shock may lie.")
