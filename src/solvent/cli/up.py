"""`solvent up`: the market as a service."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import COUNT, INT32_MAX, NAMED, WHOLE
from solvent.domain.errors import InputError
from solvent.service.limits import LOOPBACK

if TYPE_CHECKING:
    from typing import Annotated

    from solvent.cli.live import Plan, StaffKey
    from solvent.history.retention import Keep
    from solvent.lab.scenario.model import Scenario
    from solvent.service.api.front import Front
    from solvent.service.authority.model import Terms
else:
    from typing import Annotated

PORT = 8620
MEMORY_FOLDER = "solvent-market"
FUNDING = 10**12
MOST_DAYS = 100_000
MOST_GATEWAYS = 64
_REPEATED = Parameter(consume_multiple=False, negative_iterable=(), show_default=False)
OperatorKeys = Annotated[
    tuple[str, ...],
    _REPEATED,
    Parameter(
        help="Public key (base64) of an operator of a new market; give it once for each operator."
    ),
]
FirstKeys = Annotated[
    tuple[str, ...],
    _REPEATED,
    Parameter(help="ROLE=KEY: another first key of a new market, like oracle=...; any number."),
]
Origins = Annotated[
    tuple[str, ...],
    _REPEATED,
    Parameter(help="Origin of pages that may speak to the service, like https://host; any number."),
]
HostNames = Annotated[
    tuple[str, ...],
    _REPEATED,
    Parameter(help="Name under which the service may be asked, besides --host; any number."),
]
TrustedProxies = Annotated[
    tuple[str, ...],
    _REPEATED,
    Parameter(help="Network of a proxy that says who asks, like 10.0.0.0/8; any number."),
]
ProxyProtocol = Annotated[
    bool,
    Parameter(help="Each connection begins with a PROXY line of a trusted proxy."),
]
HealthPort = Annotated[
    int | None,
    WHOLE,
    Parameter(
        validator=Number(gte=0, lt=2**16),
        help="Port of --host for health, readiness and metrics alone, with places of its own.",
    ),
]
Host = Annotated[
    str,
    Parameter(help="Address to listen on: this machine only, unless another is named."),
]
Port = Annotated[
    int,
    WHOLE,
    Parameter(validator=Number(gte=0, lt=2**16), help="Port to listen on."),
]
ScenarioName = Annotated[
    str,
    Parameter(help="Scenario whose parameters a new market has: a packaged one or a file."),
]
ViewsUrl = Annotated[
    str | None,
    Parameter(
        help="Database of the views, sqlite:///FILE or postgresql://...; by default in the folder."
    ),
]
Speed = Annotated[
    float,
    Parameter(validator=Number(gt=0), help="Seconds of the scenario a second, for --replay."),
]
AgentAccounts = Annotated[
    int | None,
    WHOLE,
    COUNT,
    Parameter(help="How many accounts the agents have, for --demo and --replay."),
]
SnapshotEvery = Annotated[
    int,
    WHOLE,
    COUNT,
    Parameter(
        help="Snapshot after so many records; sooner where reading them again would take seconds."
    ),
]
KeepHistory = Annotated[
    int,
    WHOLE,
    Parameter(
        validator=Number(gte=0, lte=MOST_DAYS),
        help="Days that histories are kept, orders without a fill a week at most; 0: for ever.",
    ),
]
Archive = Annotated[
    Path | None,
    NAMED,
    Parameter(help="Folder that the journal's segments leave for when opening needs them no more."),
]
AccessLog = Annotated[
    bool,
    Parameter(help="Log a line a request on standard error: path, status, time, address."),
]
AcceptsClock = Annotated[
    bool,
    Parameter(help="Serve although the machine's clock is far from the market's last record."),
]
Sources = Annotated[
    int,
    WHOLE,
    Parameter(
        validator=Number(gte=1, lte=8),
        help="Sources of a price in a new market, of equal weight, where its scenario names one.",
    ),
]
Approvals = Annotated[
    int | None,
    WHOLE,
    COUNT,
    Parameter(help="How many people stand behind a parameter or key in a new market: 2, a demo 1."),
]
Delay = Annotated[
    int | None,
    WHOLE,
    Parameter(
        validator=Number(gte=0, lte=INT32_MAX),
        help="Seconds that parameters and keys wait in a new market: 3600, in a demo 0.",
    ),
]
Funding = Annotated[
    int | None,
    WHOLE,
    Parameter(
        validator=Number(gte=0, lte=FUNDING),
        help="Whole USDC an hour that funders of a new market may book alone: 100000.",
    ),
]


Cluster = Annotated[
    str | None,
    Parameter(
        help="File of a cluster that this is a node of; or a number of nodes, for a trial of them "
        "all on this machine."
    ),
]
NodeNumber = Annotated[
    int | None,
    WHOLE,
    Parameter(help="Which node of the --cluster this is, from 0."),
]


Gateways = Annotated[
    int,
    WHOLE,
    Parameter(
        validator=Number(gte=0, lte=MOST_GATEWAYS),
        help="Processes that listen on the port in place of the market's own.",
    ),
]


def up(
    *,
    folder: Annotated[Path, NAMED] = Path(MEMORY_FOLDER),
    host: Host = "127.0.0.1",
    port: Port = PORT,
    scenario: ScenarioName = "demo-market",
    sources: Sources = 3,
    views: ViewsUrl = None,
    operator_key: OperatorKeys = (),
    first_key: FirstKeys = (),
    approvals: Approvals = None,
    delay: Delay = None,
    funding: Funding = None,
    origin: Origins = (),
    host_name: HostNames = (),
    trusted_proxy: TrustedProxies = (),
    proxy_protocol: ProxyProtocol = False,
    health_port: HealthPort = None,
    demo: bool = False,
    replay: Annotated[str | None, Parameter(help="Play a scenario's crash in the market.")] = None,
    speed: Speed = 1.0,
    accounts: AgentAccounts = None,
    accept_clock: AcceptsClock = False,
    snapshot_every: SnapshotEvery = 1_000_000,
    keep_history: KeepHistory = 90,
    archive: Archive = None,
    access_log: AccessLog = False,
    cluster: Cluster = None,
    node: NodeNumber = None,
    gateways: Gateways = 0,
) -> int:
    """Serve the market: REST and WebSocket over a durable journal.

    Parameters
    ----------
    folder
        Where the journal and the views are. A folder without a market gets a new one.
    demo
        Begin a new market with agents, market makers, prices and published keys.
    """
    from solvent.cli.live import Plan

    _refuse_shown_password(views)
    if (demo or replay is not None) and host not in LOOPBACK:
        raise InputError("--host", host, "demo keys are known to everybody: serve 127.0.0.1 only")
    plan = Plan(
        folder,
        host,
        port,
        _played(scenario, sources, replay),
        views,
        _first_keys(operator_key, first_key),
        _front(origin, host_name, trusted_proxy, proxy_protocol, health_port),
        _terms(approvals, delay, funding, is_demo=demo or replay is not None),
        is_demo=demo or replay is not None,
        is_replay=replay is not None,
        speed=speed,
        accounts=accounts,
        accepts_clock=accept_clock,
        snapshot_every=snapshot_every,
        keep=_keep(keep_history),
        archive=archive,
        logs_access=access_log,
        gateways=gateways,
    )
    return _serve(plan, cluster, node)


def _serve(plan: "Plan", cluster: str | None, node: int | None) -> int:
    """Serve alone, as a node of a cluster's file, or as all the nodes of a trial."""
    from solvent.cli.cluster.joining import cluster_node
    from solvent.cli.cluster.settings import read_cluster
    from solvent.cli.live import run_live, run_trial

    if cluster is None:
        if node is not None:
            raise InputError("--node", str(node), "is of a cluster; name its file with --cluster")
        return run_live(plan)
    if cluster.isdecimal():
        if not int(cluster):
            raise InputError("--cluster", cluster, "must be nodes, one at least, or a file")
        return run_trial(plan, int(cluster))
    return run_live(replace(plan, cluster=cluster_node(read_cluster(Path(cluster)), node)))


def _played(scenario: str, sources: int, replay: str | None) -> "Scenario":
    """A replay's scenario as it is; one that people trade in with guards on its prices."""
    from solvent.lab.live.guards import guarded
    from solvent.lab.scenario.catalog import load_scenario

    return (
        load_scenario(replay) if replay is not None else guarded(load_scenario(scenario), sources)
    )


def _keep(days: int) -> "Keep | None":
    from solvent.history.retention import Keep

    return Keep.of_days(days) if days else None


def _front(
    origins: tuple[str, ...],
    hosts: tuple[str, ...],
    proxies: tuple[str, ...],
    has_proxy_line: bool,
    health_port: int | None,
) -> "Front":
    from solvent.service.api.front import Front, is_host_name, is_origin

    for name, texts, is_good, like in (
        ("--origin", origins, is_origin, "https://host or http://host:8080, as browsers say it"),
        ("--host-name", hosts, is_host_name, "market.example, without scheme and port"),
    ):
        for text in texts:
            if not is_good(text):
                raise InputError("market", name, f"{text!r} must be like {like}")
    if has_proxy_line and not proxies:
        reason = "lets trusted proxies in and nobody else; name one with --trusted-proxy"
        raise InputError("market", "--proxy-protocol", reason)
    named = frozenset(name.lower() for name in hosts)
    return Front(frozenset(origins), named, _networks(proxies), has_proxy_line, health_port)


def _refuse_shown_password(views: str | None) -> None:
    """Raise InputError where the list of processes shows the password of the views' database."""
    from solvent.history.tables.database import holds_secret, without_secret

    if views is None or not holds_secret(views) or not any(views in word for word in sys.argv):
        return
    reason = (
        "holds a password, which everybody on this machine can read in the list of processes; "
        "give the address in SOLVENT_UP_VIEWS or in the file that SOLVENT_CONFIG names, or the "
        "password in PGPASSWORD or the file that PGPASSFILE names"
    )
    raise InputError(without_secret(views), "--views", reason)


def _first_keys(operators: tuple[str, ...], others: tuple[str, ...]) -> "tuple[StaffKey, ...]":
    """Roles and keys. Raises InputError for a text that names no role."""
    from solvent.service.core.keys import WITH_ACCOUNT, Role

    found = [(Role.OPERATOR, key) for key in operators]
    roles = {role.value: role for role in Role if role not in WITH_ACCOUNT}
    for text in others:
        name, is_pair, key = text.partition("=")
        if name not in roles or not is_pair:
            reason = f"{text!r} must be ROLE=KEY, with a role of {', '.join(roles)}"
            raise InputError("market", "--first-key", reason)
        found.append((roles[name], key))
    return tuple(found)


def _networks(given: tuple[str, ...]) -> tuple[str, ...]:
    """Networks of proxies. Raises InputError for a text that is none."""
    from solvent.service.proxies import Proxies

    try:
        Proxies(given)
    except ValueError as error:
        raise InputError("market", "--trusted-proxy", str(error)) from None
    return given


def _terms(
    approvals: int | None, delay: int | None, funding: int | None, *, is_demo: bool
) -> "Terms":
    """What was asked for, and otherwise two people and an hour, but in a demo."""
    from solvent.domain.units import SECOND
    from solvent.service.authority.model import Terms

    terms = Terms(1, 0) if is_demo else Terms()
    if approvals is not None:
        terms = terms._replace(approvals=approvals)
    if delay is not None:
        terms = terms._replace(delay=delay * SECOND)
    return terms if funding is None else terms._replace(funding=funding)
