"""`solvent up`: the market as a service."""

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import COUNT, INT32_MAX, NAMED, WHOLE
from solvent.domain.errors import InputError
from solvent.service.limits import LOOPBACK

if TYPE_CHECKING:
    from typing import Annotated

    from solvent.lab.scenario.model import Scenario
else:
    from typing import Annotated

PORT = 8620
MEMORY_FOLDER = "solvent-market"


def up(
    *,
    folder: Annotated[Path, NAMED] = Path(MEMORY_FOLDER),
    host: str = "127.0.0.1",
    port: Annotated[int, WHOLE, Parameter(validator=Number(gte=0, lt=2**16))] = PORT,
    scenario: str = "demo-market",
    views: str | None = None,
    operator_key: str | None = None,
    approvals: Annotated[int, WHOLE, COUNT] = 1,
    delay: Annotated[int, WHOLE, Parameter(validator=Number(gte=0, lte=INT32_MAX))] = 0,
    demo: bool = False,
    replay: Annotated[str | None, Parameter(help="Play a scenario's crash in the market.")] = None,
    speed: Annotated[float, Parameter(validator=Number(gt=0))] = 1.0,
    accounts: Annotated[int | None, WHOLE, COUNT] = None,
    accept_clock: bool = False,
) -> int:
    """Serve the market: REST and WebSocket over a durable journal.

    Parameters
    ----------
    folder
        Where the journal and the views are. A folder without a market gets a new one.
    host
        Address to listen on: this machine only, unless another is named.
    port
        Port to listen on.
    scenario
        Scenario whose parameters a new market has: a packaged one or a file.
    views
        Database of the views, sqlite:///FILE or postgresql://...; the folder's own by default.
    operator_key
        Public key (base64) of the operator of a new market, which admits all others.
    approvals
        How many keys a parameter change needs in a new market, the proposer's among them.
    delay
        Seconds that a parameter change waits in a new market.
    demo
        Begin a new market with agents, market makers, prices and published keys.
    speed
        Seconds of the scenario a second, for --replay.
    accounts
        How many accounts the agents have, for --demo and --replay.
    accept_clock
        Serve although the machine's clock is far from the market's last record.
    """
    from solvent.cli.live import Plan, run_live
    from solvent.lab.scenario.catalog import load_scenario

    if (demo or replay is not None) and host not in LOOPBACK:
        raise InputError("--host", host, "demo keys are known to everybody: serve 127.0.0.1 only")
    played: Scenario = load_scenario(scenario if replay is None else replay)
    plan = Plan(
        folder,
        host,
        port,
        played,
        views,
        operator_key,
        approvals,
        delay,
        is_demo=demo or replay is not None,
        is_replay=replay is not None,
        speed=speed,
        accounts=accounts,
        accepts_clock=accept_clock,
    )
    return run_live(plan)
