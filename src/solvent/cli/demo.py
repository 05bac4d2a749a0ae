"""`solvent demo`: a real crash through the whole waterfall, with one command."""

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
from solvent.cli.runs.running import EngineKind, Request, carry_out

SCENARIO = "crash-2025-10-10"


def demo(
    *,
    policy: LenderPolicy = None,
    default_policy: DefaultPolicy = None,
    accounts: Accounts = None,
    seed: Seed = None,
    out: Annotated[Path, NAMED] = Path("solvent-demo"),
    json: Json = False,
    engine: EngineOption = EngineKind.FAST,
) -> None:
    """Replay the crash of 10 October 2025 through the whole waterfall.

    Parameters
    ----------
    out
        Folder for the report, the event log and the receipts; a former run's folder is replaced.
    """
    carry_out(
        Request(
            SCENARIO,
            policy=policy,
            default_policy=default_policy,
            accounts=accounts,
            seed=seed,
            out=out,
            as_json=json,
            engine=engine,
        )
    )
