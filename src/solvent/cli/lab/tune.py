"""`solvent lab tune`: search many parameters at once, where a grid would have too many points."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.lab.sweep import MOST_WORKERS
from solvent.cli.options import COUNT, NAMED, WHOLE, Accounts
from solvent.domain.errors import InputError


def tune(
    scenario: str,
    /,
    *,
    out: Annotated[Path, NAMED],
    vary: Annotated[list[str], Parameter(negative_iterable=())],
    least: str = "deficit_mean",
    trials: Annotated[int, WHOLE, Parameter(validator=Number(gte=1, lte=1000))] = 50,
    paths: Annotated[int, WHOLE, COUNT] = 100,
    seed: Annotated[int, WHOLE, Parameter(validator=Number(gte=0, lte=2**32 - 1))] = 0,
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
) -> None:
    """Search many parameters: each trial is proposed by what came of those before.

    For more than six fields, where a grid has too many points. What comes out is a sweep of all
    points that were tried. The same command goes on with a search that was interrupted. Needs the
    extra `solvent[tune]`.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    out
        The folder of the sweep.
    vary
        A field of the scenario's file and its range, fund.balance=0..100000, or its values,
        waterfall.patience=1,2,4. May be given again.
    least
        What is made small: deficit_mean, deficit_es99, adl_share_mean and the like.
    trials
        How many points are tried, beside the scenario as it is.
    paths
        How many paths each point has, the same ones for all.
    seed
        Of the proposals.
    workers
        How many processes compute; all cores by default.
    """
    from solvent.cli.lab.shown import show_sweep
    from solvent.cli.lab.sweeping import plan_of
    from solvent.cli.progress import progress, say
    from solvent.engine.engine import machine
    from solvent.lab.sweeps.sweeping import read_rows
    from solvent.lab.sweeps.tuning import Search, parse_least, parse_span
    from solvent.lab.sweeps.tuning import tune as search
    from solvent.lab.sweeps.workers import local_pool

    parse_least(least)
    spans = tuple(parse_span(text) for text in vary)
    if len({span.field for span in spans}) < len(spans):
        raise InputError("tune", "--vary", "names a field twice; give it one range")
    ends = tuple({span.field: span.ends[end] for span in spans} for end in (0, 1))
    plan = replace(plan_of(scenario, ({}, *ends), paths), accounts=accounts, points=({},))
    asked = Search(plan, spans, trials, least, seed)
    machine(say)
    with progress(f"tuning {Path(scenario).name}", "trials") as report:
        whole = search(out, asked, local_pool(workers or os.cpu_count() or 1), report)
    show_sweep(whole, read_rows(out), out)
