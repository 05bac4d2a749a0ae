"""`solvent lab exits`: ways out of a pool that is nearly full, compared."""

from solvent.cli.options import Accounts, EngineOption
from solvent.cli.runs.running import EngineKind, engine_factory


def exits(
    scenario: str,
    /,
    *,
    accounts: Accounts = None,
    engine: EngineOption = EngineKind.FAST,
) -> None:
    """Run a scenario's withdrawals under each exit, and say who gets out, when, and how evenly.

    Parameters
    ----------
    scenario
        Name of a packaged scenario, or path of a TOML file, in which somebody withdraws.
    """
    from solvent.cli.progress import say
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.exits import exits as carried_out
    from solvent.lab.exits import exits_sheet
    from solvent.lab.scenario.catalog import load_scenario

    found, rows = load_scenario(scenario), []
    for row in carried_out(found, accounts=accounts, engine_factory=engine_factory(engine)):
        say(f"{found.name}, {row.exit.name}: done")
        rows.append(row)
    sheet = exits_sheet(rows)
    print_sheet(sheet)
    for note in sheet.notes:
        print(note)
