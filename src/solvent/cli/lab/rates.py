"""`solvent lab rates`: kinked, adaptive and PID curves, and what parking utilization gains."""

from typing import Annotated

from cyclopts import Parameter

from solvent.cli.options import Accounts, EngineOption
from solvent.cli.runs.running import EngineKind, engine_factory


def rates(
    scenario: str,
    /,
    *,
    attackers: Annotated[str, Parameter()],
    accounts: Accounts = None,
    engine: EngineOption = EngineKind.FAST,
) -> None:
    """Run a scenario under each rate model, with and without the deeds of some groups.

    Parameters
    ----------
    scenario
        Path of a TOML file with [[governors]], or name of a packaged scenario.
    attackers
        Names of the groups whose actions are the attack, parted by commas.
    """
    from solvent.cli.progress import say
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.rates import rates_sheet, tried
    from solvent.lab.scenario.catalog import load_scenario

    found = load_scenario(scenario)
    names = [name.strip() for name in attackers.split(",") if name.strip()]
    rows = []
    for row in tried(found, names, accounts=accounts, engine_factory=engine_factory(engine)):
        say(f"{found.name}, {row.rule.name.lower()}: done")
        rows.append(row)
    sheet = rates_sheet(rows)
    print_sheet(sheet)
    for note in sheet.notes:
        print(note)
