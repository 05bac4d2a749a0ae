"""`solvent lab run`: one path of a scenario, as `solvent run` shows any run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE, Accounts, EngineOption, Json
from solvent.cli.runs.running import EngineKind, Request, carry_out
from solvent.domain.errors import InputError

Fields = Annotated[list[str] | None, Parameter(name="--set", negative_iterable=())]


def run(
    scenario: str,
    /,
    *,
    path: Annotated[int, WHOLE, Parameter(validator=Number(gte=0))] = 0,
    fields: Fields = None,
    jumps: Annotated[int | None, WHOLE, Parameter(validator=Number(gte=0, lte=1000))] = None,
    accounts: Accounts = None,
    out: Annotated[Path | None, NAMED] = None,
    json: Json = False,
    engine: EngineOption = EngineKind.FAST,
) -> None:
    """Run one path of a scenario: its weather, its people and its draws, by number.

    Parameters
    ----------
    scenario
        Name of a packaged scenario or path of a TOML file.
    path
        The path's number.
    fields
        A field of the scenario's file and its value, like fund.balance=1000; may be given again.
    jumps
        Fix how many jumps the path has, where the price model has jumps.
    out
        Folder for the report, the event log and the receipts, as of `solvent run`.
    """
    from solvent.lab.paths.drawing import drawn, scenario_hash
    from solvent.lab.scenario.catalog import load_scenario, scenario_path
    from solvent.lab.sweeps.points import scenario_at

    point = {}
    for text in fields or []:
        field, sign, value = text.partition("=")
        if not (field.strip() and sign and value.strip()):
            raise InputError("run", "--set", f"{text!r} is no field; write fund.balance=1000")
        point[field.strip()] = value.strip()
    file = scenario_path(scenario)
    root = scenario_hash(load_scenario(file))
    weather = drawn(scenario_at(file, point), root, path, jumps)
    carry_out(
        Request(
            scenario=scenario,
            drawn=weather,
            accounts=accounts,
            out=out,
            as_json=json,
            engine=engine,
        )
    )
