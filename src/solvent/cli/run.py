"""`solvent run`: any scenario, on any price file."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import (
    NAMED,
    Accounts,
    DefaultPolicy,
    EngineOption,
    Json,
    LenderPolicy,
    Seed,
)
from solvent.cli.runs.price_options import PriceOptions
from solvent.cli.runs.running import EngineKind, Request, carry_out
from solvent.domain.errors import InputError
from solvent.domain.units import RATIO


def run(
    scenario: str,
    /,
    *,
    prices: PriceOptions | None = None,
    positions: Annotated[Path | None, NAMED] = None,
    policy: LenderPolicy = None,
    default_policy: DefaultPolicy = None,
    accounts: Accounts = None,
    seed: Seed = None,
    depth: Annotated[float, Parameter(validator=Number(gte=0.001, lte=1000))] = 1.0,
    check_depth: bool = False,
    out: Annotated[Path | None, NAMED] = None,
    json: Json = False,
    engine: EngineOption = EngineKind.FAST,
) -> None:
    """Run a scenario: a packaged one by name, or a file of your own.

    Parameters
    ----------
    scenario
        Name of a packaged scenario (see `solvent scenarios`) or path of a TOML file.
    positions
        Accounts from a CSV or Parquet file instead of the scenario's groups: account, asset and
        held, lent or owed, in whole tokens.
    depth
        The depth of the scenario's order books times this.
    check_depth
        Carry the run out twice more, with half and with twice the depth, and show all three.
    out
        Folder for the report, the event log and the receipts; a former run's folder is replaced.
        Without it nothing is written.
    """
    if positions is not None and accounts is not None:
        reason = "does not go with --positions, whose file says how many there are; leave it out"
        raise InputError("run", "--accounts", reason)
    carry_out(
        Request(
            scenario=scenario,
            positions=positions,
            prices=None if prices is None else prices.foreign(),
            policy=policy,
            default_policy=default_policy,
            accounts=accounts,
            seed=seed,
            depth=round(depth * RATIO),
            check_depth=check_depth,
            out=out,
            as_json=json,
            engine=engine,
        )
    )
