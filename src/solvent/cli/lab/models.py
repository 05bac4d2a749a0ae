"""`solvent lab models`: the same sweep under four models of its prices."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.lab.sweep import MOST_WORKERS
from solvent.cli.options import COUNT, NAMED, WHOLE, Accounts


def models(
    scenario: str,
    /,
    *,
    out: Annotated[Path, NAMED],
    vary: Annotated[list[str] | None, Parameter(negative_iterable=())] = None,
    paths: Annotated[int, WHOLE, COUNT] = 100,
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
) -> None:
    """Run the same points under four models of the scenario's prices, and say whether they agree.

    The models are fitted to the price file that the scenario names, and held against the crashes
    that are shipped. It is a sweep: the same command goes on with it, and `solvent lab verify`
    checks it.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file, with a price file.
    out
        The folder of the sweep.
    vary
        A field of the scenario's file and its values, as of `solvent lab sweep`.
    paths
        How many paths each point has under each model.
    workers
        How many processes compute; all cores by default.
    """
    from solvent.cli.lab.shown import show_sweep
    from solvent.cli.lab.sweeping import carry_out, plan_of
    from solvent.lab.models.fitting import fitted
    from solvent.lab.models.points import model_points
    from solvent.lab.scenario.catalog import load_scenario
    from solvent.lab.sweeps.points import grid, parse_varied

    points = grid([parse_varied(text) for text in vary or []])
    whole = model_points(fitted(load_scenario(scenario)), points)
    plan = replace(plan_of(scenario, whole, paths), accounts=accounts)
    show_sweep(plan, carry_out(plan, out, workers), out)
