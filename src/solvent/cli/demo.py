"""`solvent demo`: a real crash through the whole waterfall, with one command."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.running import EngineKind, Request, carry_out
from solvent.domain.parameters import Policy

SCENARIO = "crash-2025-10-10"


def demo(
    *,
    policy: Policy | None = None,
    accounts: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    seed: Annotated[int | None, Parameter(validator=Number(gte=0))] = None,
    out: Path = Path("solvent-demo"),
    json: bool = False,
    engine: EngineKind = EngineKind.FAST,
) -> None:
    """Replay the crash of 10 October 2025 through the whole waterfall.

    Parameters
    ----------
    policy
        How ADL picks counterparties.
    accounts
        How many accounts to populate the market with.
    seed
        Seed of the population and of the liquidation engine's draws.
    out
        Folder for the report, the event log and the receipts; a former run's folder is replaced.
    json
        Print one JSON object with all figures, and nothing else, on standard output.
    engine
        The fast engine, or the reference, which gives the same bytes more slowly.
    """
    carry_out(
        Request(
            SCENARIO,
            policy=policy,
            accounts=accounts,
            seed=seed,
            out=out,
            as_json=json,
            engine=engine,
        )
    )
