"""`solvent compare`: a scenario as it is, and with one rule or policy changed at a time."""

import json as text
from enum import StrEnum

from solvent.cli.options import Accounts, EngineOption, Json, Seed
from solvent.cli.progress import say
from solvent.cli.runs.running import EngineKind, engine_factory


class Choice(StrEnum):
    """What is changed from row to row."""

    RULES = "rules"
    POLICIES = "policies"
    DEFAULT_POLICIES = "default-policies"


def compare(
    scenario: str,
    /,
    *,
    change: Choice = Choice.RULES,
    accounts: Accounts = None,
    seed: Seed = None,
    json: Json = False,
    engine: EngineOption = EngineKind.FAST,
) -> None:
    """Run a scenario once for each rule switched off, or for each policy, and put them in a table.

    Parameters
    ----------
    scenario
        Name of a packaged scenario (see `solvent scenarios`) or path of a TOML file.
    change
        What is changed: a row for each rule switched back, or for each policy of a case.
    """
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.comparison import RULES, comparison_sheets, policies
    from solvent.lab.comparison import compare as runs
    from solvent.lab.scenario.catalog import load_scenario

    found = load_scenario(scenario)
    variants = RULES
    if change is not Choice.RULES:
        variants = policies(default=change is Choice.DEFAULT_POLICIES)
    factory, rows = engine_factory(engine), []
    for row in runs(found, variants, accounts=accounts, seed=seed, engine_factory=factory):
        say(f"{found.name}, {row.name}: done")
        rows.append(row)
    if json:
        print(text.dumps({row.name: row.figures for row in rows}))
        return
    for sheet in comparison_sheets(rows):
        print_sheet(sheet)
