"""`solvent run`: any scenario, on any price file."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import (
    NAMED,
    Accounts,
    DefaultPolicy,
    EngineOption,
    Json,
    LenderPolicy,
    Seed,
)
from solvent.cli.running import EngineKind, Request, carry_out


def run(
    scenario: str,
    /,
    *,
    prices: Annotated[Path | None, NAMED] = None,
    sort_prices: bool = False,
    symbol: str | None = None,
    policy: LenderPolicy = None,
    default_policy: DefaultPolicy = None,
    accounts: Accounts = None,
    seed: Seed = None,
    out: Annotated[Path | None, NAMED] = None,
    json: Json = False,
    engine: EngineOption = EngineKind.FAST,
) -> None:
    """Run a scenario: a packaged one by name, or a file of your own.

    Parameters
    ----------
    scenario
        Name of a packaged scenario (see `solvent scenarios`) or path of a TOML file.
    prices
        Price file instead of the scenario's: CSV or Parquet with time, symbol and close or OHLC.
    sort_prices
        Put the rows of an unsorted price file in order instead of refusing it.
    symbol
        Symbol of a price file that has no symbol column.
    out
        Folder for the report, the event log and the receipts; a former run's folder is replaced.
        Without it nothing is written.
    """
    carry_out(
        Request(
            scenario=scenario,
            prices=prices,
            sort_prices=sort_prices,
            symbol=symbol,
            policy=policy,
            default_policy=default_policy,
            accounts=accounts,
            seed=seed,
            out=out,
            as_json=json,
            engine=engine,
        )
    )
