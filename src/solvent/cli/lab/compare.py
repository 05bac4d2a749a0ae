"""`solvent lab compare`: policies or rules on the same paths, and who bears what under each."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.compare import Choice
from solvent.cli.lab.sweep import MOST_WORKERS
from solvent.cli.options import COUNT, NAMED, WHOLE, Accounts


def compare(
    scenario: str,
    /,
    *,
    out: Annotated[Path, NAMED],
    change: Choice = Choice.POLICIES,
    paths: Annotated[int, WHOLE, COUNT] = 100,
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
) -> None:
    """Run many paths under each policy, or with each rule switched off, and say who bears what.

    It is a sweep: the same command goes on with it, and `solvent lab verify` checks it.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    out
        The folder of the sweep.
    change
        What is changed: the policy of a case, or one rule at a time.
    paths
        How many paths each policy or rule has, the same ones for all.
    workers
        How many processes compute; all cores by default.
    """
    from dataclasses import replace

    from solvent.cli.lab.shown import show_sweep
    from solvent.cli.lab.sweeping import carry_out, plan_of
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.sweeps.burden_sheets import NOTE, burden_sheets
    from solvent.lab.sweeps.points import policy_points, rule_points

    points = rule_points()
    if change is not Choice.RULES:
        points = policy_points(default=change is Choice.DEFAULT_POLICIES)
    plan = replace(plan_of(scenario, points, paths), accounts=accounts)
    rows = carry_out(plan, out, workers)
    sheets = burden_sheets(plan, rows)
    for sheet in sheets:
        print_sheet(sheet)
    print(NOTE if sheets else "Nobody was asked on any path: all policies do the same.")
    show_sweep(plan, rows, out)
