"""`solvent run`: any scenario, on any price file."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.running import EngineKind, Request, carry_out
from solvent.domain.parameters import Policy


def run(
    scenario: str,
    /,
    *,
    prices: Path | None = None,
    sort_prices: bool = False,
    symbol: str | None = None,
    policy: Policy | None = None,
    accounts: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    seed: Annotated[int | None, Parameter(validator=Number(gte=0))] = None,
    out: Path | None = None,
    json: bool = False,
    engine: EngineKind = EngineKind.FAST,
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
    policy
        How ADL picks counterparties.
    accounts
        How many accounts to populate the market with.
    seed
        Seed of the population and of the liquidation engine's draws.
    out
        Folder for the report, the event log and the receipts; a former run's folder is replaced.
        Without it nothing is written.
    json
        Print one JSON object with all figures, and nothing else, on standard output.
    engine
        The fast engine, or the reference, which gives the same bytes more slowly.
    """
    carry_out(
        Request(
            scenario=scenario,
            prices=prices,
            sort_prices=sort_prices,
            symbol=symbol,
            policy=policy,
            accounts=accounts,
            seed=seed,
            out=out,
            as_json=json,
            engine=engine,
        )
    )
