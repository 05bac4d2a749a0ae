"""What `solvent up` puts together: a node, a server, and agents that act in the market."""

import asyncio
import json
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from solvent.cli.cluster.joining import ClusterNode, among_nodes, joining
from solvent.cli.cluster.trial import LOGS, Trial, begin_trial
from solvent.cli.progress import say
from solvent.cli.runs.folder import RUN_FILES
from solvent.cli.runs.playing import Playing
from solvent.domain.errors import InputError
from solvent.history.retention import Keep
from solvent.journal.durable import holds_journal
from solvent.lab.live.driver import (
    DEMO_STEP,
    DEMO_TRADERS,
    LiveAgents,
    parameters_at,
    speed_rate,
    start_of,
)
from solvent.lab.live.keys import DemoKey, demo_accounts, demo_keys
from solvent.lab.people.population import crowd
from solvent.lab.prices.paths import time_text
from solvent.lab.scenario.model import Scenario
from solvent.service.api.front import Front
from solvent.service.authority.acts import AdmitKey, encode_act
from solvent.service.authority.model import HOUSE, Terms
from solvent.service.console.bundle import HOW_TO_BUILD, Console
from solvent.service.core.clock import MarketClock, wall_clock
from solvent.service.core.keys import Role, parse_public_key
from solvent.service.core.node import Demo, Node
from solvent.service.core.node_engine import NodeEngine
from solvent.service.core.opening import (
    JOURNAL,
    Start,
    begin_journal,
    first_key,
    head_of,
    is_set_up,
    open_node,
)
from solvent.service.core.records import Record, RecordKind
from solvent.service.core.sequencer import AskAgainError
from solvent.service.limits import LOOPBACK
from solvent.service.listening import Address, free_address
from solvent.service.logs import set_up_logs
from solvent.service.nodes_door import AmongNodes
from solvent.service.recovering import Far, answering
from solvent.service.serve import serve

DEMO_SEED = 1
STAFF_SECRET, STAFF_KEYS = "demo-staff.secret", "demo-staff.json"
SECRET_BYTES = 32
TENTHS = 10
TELL_SECONDS = 0.2
StaffKey = tuple[Role, str]
"""A role and a public key in base64."""
NO_ACCOUNT = -1


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for on the command line."""

    folder: Path
    host: str
    port: int
    scenario: Scenario
    views: str | None
    first_keys: tuple[StaffKey, ...]
    front: Front
    terms: Terms
    is_demo: bool
    is_replay: bool
    speed: float
    accounts: int | None
    accepts_clock: bool
    snapshot_every: int
    keep: Keep | None
    archive: Path | None
    logs_access: bool
    gateways: int = 0
    cluster: ClusterNode | None = None


def run_live(plan: Plan) -> int:
    """Serve until told to end; return the exit code."""
    set_up_logs(access=plan.logs_access)
    rate = _refuse_unusable(plan)
    start = start_of(plan.scenario, wall_clock(), rate)
    begin = Start(
        parameters_at(plan.scenario, start),
        plan.terms,
        plan.first_keys,
    )
    if plan.cluster is not None:
        begin_journal(plan.folder, plan.cluster.settings.head)
    _refuse_lonely(plan)
    clock = MarketClock()
    far = [Far(0, 0)]
    with answering(plan.host, plan.port, lambda: far[0]):
        node = open_node(
            plan.folder,
            begin,
            views_url=plan.views,
            clock=clock,
            is_clock_accepted=plan.accepts_clock,
            snapshot_every=plan.snapshot_every,
            keep=plan.keep,
            archive=plan.archive,
            on_progress=lambda done, of: far.__setitem__(0, Far(done, of)),
            replicate=None if plan.cluster is None else joining(plan.cluster),
        )
    try:
        _refuse_other_operators(plan, node)
        is_new = _is_to_be_set_up(plan, node)
    except InputError:
        asyncio.run(node.close())
        raise
    if not plan.is_demo:
        return asyncio.run(
            serve(
                node,
                Address(plan.host, plan.port),
                on_ready=lambda at: _say(plan, node, at, []),
                front=_front(plan),
                among=_among(plan),
                gateways=plan.gateways,
            )
        )
    market_start = node.market.engine.parameters.start_time
    engine = NodeEngine(node)
    agents = LiveAgents(
        plan.scenario,
        engine,
        start=market_start,
        accounts=plan.accounts,
        speed=plan.speed,
        step=None if plan.is_replay else DEMO_STEP,
        traders=DEMO_TRADERS,
        keeps_time=plan.is_replay,
        follows_wall=not plan.is_replay,
        latest=clock.signing,
        on_end=_cast_ended,
    )
    node.demo = Demo()
    if plan.is_replay:
        clock.follow(agents.clock)
        node.demo = Demo(Playing(plan.scenario.name, node, agents))
    return asyncio.run(_play(plan, node, agents, engine, is_new=is_new))


def run_trial(plan: Plan, nodes: int) -> int:
    """Run a cluster of so many nodes on this machine until told to end; return the exit code."""
    rate = speed_rate(plan.scenario, plan.speed, follows_wall=not plan.is_replay)
    if plan.is_replay:
        raise InputError("--cluster", "replay", "is played by one node alone; leave --cluster out")
    _refuse_lonely(plan)
    start = start_of(plan.scenario, wall_clock(), rate)
    head = head_of(Start(parameters_at(plan.scenario, start), plan.terms, plan.first_keys))
    settings = begin_trial(plan.folder, nodes, plan.host, plan.port, head)
    if plan.is_demo:
        secret = _staff_secret(plan.folder)
        for number in range(nodes):
            place = plan.folder / f"node-{number}"
            place.mkdir(exist_ok=True)
            (place / STAFF_SECRET).write_bytes(secret)
    say(f"{nodes} nodes and {LOGS} servers of a log on one machine: a trial, which protects")
    say("against the death of processes and of nothing else")
    return Trial(plan.folder, settings, _options_of_nodes(sys.argv[2:])).run()


def _options_of_nodes(given: list[str]) -> list[str]:
    """What `up` was given, without what each node has of its own."""
    kept: list[str] = []
    words = iter(given)
    for word in words:
        name, has_value, _ = word.partition("=")
        if name not in _OWN:
            kept.append(word)
        elif not has_value:
            next(words, None)
    return kept


_OWN = frozenset({"--cluster", "--folder", "--host", "--port"})


def _refuse_unusable(plan: Plan) -> int:
    """The speed in thousandths.

    Raises InputError for what can be known to be wrong before the folder is touched.
    """
    free_address(Address(plan.host, plan.port))
    if plan.archive is not None and any(
        each.exists() and not each.is_dir() for each in (plan.archive, *plan.archive.parents)
    ):
        raise InputError(str(plan.archive), "--archive", "is not a folder, or lies in none")
    if not holds_journal(plan.folder / JOURNAL):
        ran = sorted(name for name in RUN_FILES if (plan.folder / name).exists())
        if ran:
            reason = f"holds {ran[0]}, which a run wrote; name another folder for a market"
            raise InputError(str(plan.folder), "--folder", reason)
    if not plan.is_demo:
        return speed_rate(plan.scenario, 1, follows_wall=True)
    crowd(plan.scenario, plan.accounts)
    return speed_rate(plan.scenario, plan.speed, follows_wall=not plan.is_replay)


def _refuse_lonely(plan: Plan) -> None:
    """Raise InputError for a new market whose operators could not let anybody in."""
    if plan.is_demo or holds_journal(plan.folder / JOURNAL):
        return
    operators = sum(role is Role.OPERATOR for role, _ in plan.first_keys)
    if operators < plan.terms.approvals:
        reason = (
            f"must be given {plan.terms.approvals} times for a new market, once for each operator: "
            "so many people stand behind a key; one alone needs --approvals 1"
        )
        raise InputError("market", "--operator-key", reason)


def _refuse_other_operators(plan: Plan, node: Node) -> None:
    """Raise InputError where the market was there before and has other operators."""
    for role, text in plan.first_keys:
        found = node.market.keys.find(first_key(role, text))
        if found is None or found.role is not role:
            reason = (
                "is for a new market, and this one is older; keys are let in by its operators, or "
                f"where none is left by: solvent readmit {plan.folder} --operator-key KEY"
            )
            raise InputError(str(plan.folder), "--operator-key or --first-key", reason)


def _is_to_be_set_up(plan: Plan, node: Node) -> bool:
    """Whether the demo is still to begin. Raises InputError where the market cannot be served."""
    keys = [parse_public_key(key.public) for key in demo_keys(DEMO_SEED)]
    if plan.host not in LOOPBACK and any(node.market.keys.find(key) for key in keys):
        reason = "the market has demo keys, which are known to everybody: serve 127.0.0.1 only"
        raise InputError("--host", plan.host, reason)
    if plan.cluster is not None:
        # Another node may be about it: see `_leads_first`.
        return plan.is_demo and node.market.keys.find(keys[-1]) is None
    return plan.is_demo and not is_set_up(node, keys[-1])


async def _play(
    plan: Plan, node: Node, agents: LiveAgents, engine: NodeEngine, *, is_new: bool
) -> int:
    keys = demo_keys(DEMO_SEED, _staff_secret(plan.folder))
    telling: list[asyncio.Task[None]] = []

    async def ready(at: Address) -> None:
        began = time.monotonic()
        if is_new and await _leads_first(node, keys):
            await asyncio.to_thread(agents.set_up)
            await _admit(node, keys, agents.next_account)
        else:
            agents.resume()
        agents.start()
        await _say(plan, node, at, keys, time.monotonic() - began)
        if plan.is_replay:
            telling.append(asyncio.create_task(_tell_progress(node, agents)))

    async def ending() -> None:
        for task in telling:
            task.cancel()
        engine.stop()
        await asyncio.to_thread(agents.stop)

    return await serve(
        node,
        Address(plan.host, plan.port),
        keeps_time=not plan.is_replay,
        on_ready=ready,
        on_end=ending,
        front=_front(plan),
        among=_among(plan),
        gateways=plan.gateways,
    )


def _among(plan: Plan) -> AmongNodes | None:
    return None if plan.cluster is None else among_nodes(plan.cluster, plan.host)


def _front(plan: Plan) -> Front:
    """Also the pages of a cluster's other nodes may speak to this one."""
    if plan.cluster is None:
        return plan.front
    return plan.front.among(each.url for each in plan.cluster.settings.nodes)


async def _leads_first(node: Node, keys: list[DemoKey]) -> bool:
    """Whether this node sets a demo up: the only one, or the first of a cluster that leads."""
    last = parse_public_key(keys[-1].public)
    while not node.sequencer.leads:
        if node.market.keys.find(last) is not None:
            return False
        await asyncio.sleep(TELL_SECONDS)
    return not is_set_up(node, last)


def _staff_secret(folder: Path) -> bytes:
    """What the keys of a demo's staff are drawn from, kept for who may read the folder."""
    path = folder / STAFF_SECRET
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(SECRET_BYTES))
    return path.read_bytes()


def _write_staff_keys(folder: Path, keys: list[DemoKey]) -> Path:
    """A file with the key pairs of a demo's staff, for who may read the folder."""
    path = folder / STAFF_KEYS
    path.touch(mode=0o600)
    found = {key.name: {"publicKey": key.public, "secret": key.secret} for key in keys if key.staff}
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path


async def _admit(node: Node, keys: list[DemoKey], first_account: int) -> None:
    """Open the accounts and let in the keys of a demo; the last key says that all is there."""
    await node.command(*demo_accounts(first_account, node.market.parameters))
    for key in keys:
        account = key.account(first_account)
        act = AdmitKey(
            parse_public_key(key.public),
            Role(key.role),
            NO_ACCOUNT if account is None else account,
        )
        body = encode_act(act)
        await node.submit(Record(RecordKind.ACT, node.clock(), body=body, actor=HOUSE))


async def _tell_progress(node: Node, agents: LiveAgents) -> None:
    """Say on standard error how far a scenario is played, tenth by tenth, and when it has ended."""
    start, tenth = node.market.parameters.start_time, 0
    while tenth < TENTHS:
        await asyncio.sleep(TELL_SECONDS)
        now = node.market.engine.now
        reached = min(TENTHS, (now - start) * TENTHS // (agents.end - start))
        if reached > tenth:
            tenth = reached
            say(f"the market's time is {time_text(now)}: {tenth * 10} % of the scenario is played")
    say("the scenario has ended; its agents go on at prices of their own until the service ends")


def _cast_ended(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, AskAgainError):
        print(f"solvent: the agents stopped: {error}", file=sys.stderr)


def _market_name(plan: Plan, node: Node) -> str:
    """The scenario's name where the market has its parameters, otherwise the market's assets.

    An existing market keeps its own parameters, whatever scenario was named, and its journal does
    not say what the scenario was called.
    """
    own = node.market.parameters
    if own == parameters_at(plan.scenario, own.start_time):
        return plan.scenario.name
    return f"a market of {', '.join(asset.symbol for asset in own.assets)}"


def _console(address: str) -> str:
    """Where the console is, or how to have one."""
    if Console().is_built:
        return f"http://{address}/"
    return f"is not built; {HOW_TO_BUILD}"


async def _say(
    plan: Plan, node: Node, at: Address, keys: list[DemoKey], seconds: float = 0.0
) -> None:
    """Print what is served, where, and with which keys a demo can be tried."""
    address = f"{plan.host}:{at.port}"
    lines = [
        f"serving {_market_name(plan, node)} from {plan.folder}",
        f"  console    {_console(address)}",
        f"  REST       http://{address}",
        f"  streams    ws://{address}",
        f"  documents  http://{address}/docs and http://{address}/openapi.json",
    ]
    if keys:
        user = keys[0]
        staff = _write_staff_keys(plan.folder, keys)
        lines += [
            f"  the market was filled in {seconds:.1f} s; its staff's keys are in {staff}",
            "  this user's key is for everybody to try",
            f"  key        {user.public}",
            f"  secret     {user.secret}",
            "  ccxt       ccxt.backpack({'apiKey': KEY, 'secret': SECRET, 'urls': {'api': {",
            f"                 'public': 'http://{address}', 'private': 'http://{address}'}}}}}})",
        ]
    print("\n".join(lines), flush=True)
