"""`solvent lab compare`: policies or rules on the same paths, and who bears what under each."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.lab.sweep import MOST_WORKERS
from solvent.cli.options import COUNT, NAMED, WHOLE, Accounts


class Change(StrEnum):
    """What is changed from point to point."""

    POLICIES = "policies"
    DEFAULT_POLICIES = "default-policies"
    RULES = "rules"
    STAGES = "stages"


def compare(
    scenario: str,
    /,
    *,
    out: Annotated[Path, NAMED],
    change: Change = Change.POLICIES,
    paths: Annotated[int, WHOLE, COUNT] = 100,
    accounts: Accounts = None,
    workers: Annotated[
        int | None, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_WORKERS))
    ] = None,
) -> None:
    """Run many paths under each policy, or without each rule or stage, and say who bears what.

    It is a sweep: the same command goes on with it, and `solvent lab verify` checks it.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    out
        The folder of the sweep.
    change
        What is changed: the policy of a case, one rule at a time, or one stage or rule at a time
        with what that does to lenders' loss, the share of ADL, borrowers and yield.
    paths
        How many paths each policy or rule has, the same ones for all.
    workers
        How many processes compute; all cores by default.
    """
    from dataclasses import replace

    from solvent.cli.lab.shown import show_sweep
    from solvent.cli.lab.sweeping import carry_out, plan_of
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.sweeps.burden_sheets import burden_sheets, effect_sheets
    from solvent.lab.sweeps.points import policy_points, rule_points, stage_points

    points = {
        Change.POLICIES: policy_points(default=False),
        Change.DEFAULT_POLICIES: policy_points(default=True),
        Change.RULES: rule_points(),
        Change.STAGES: stage_points(),
    }[change]
    plan = replace(plan_of(scenario, points, paths), accounts=accounts)
    rows = carry_out(plan, out, workers)
    found = [] if change is Change.STAGES else burden_sheets(plan, rows)
    if change in (Change.RULES, Change.STAGES):
        found += effect_sheets(plan, rows)
    for sheet in found:
        print_sheet(sheet)
        for note in sheet.notes:
            print(note)
    if not found:
        print("Nobody was asked on any path: all policies do the same.")
    show_sweep(plan, rows, out)
