"""The service: signed orders and batches, from the ASGI call to the durable answer.

One process, no socket: what a request costs here is the service's own work, its journal's sync, its
views and its streams included. Orders come one a request, with so many in flight; batches come with
a hundred commands under one signature. A core's second is a second of processor time, of whatever
thread: it counts what runs beside the event loop, and until the views have seen the last command.

The limit beside both is the check of the signatures alone. The peer of the orders is the same
endpoint written with FastAPI (`fastapi_peer`), that of the batches the engine with the same
commands.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benches.common.measure import WrongAnswerError
from benches.common.rows import AT_LEAST, TIMES, Figure, Row, Target, of
from benches.service.fastapi_peer import Asgi, in_front, one_by_one
from benches.service.signed import (
    PER_BATCH,
    Request,
    admissions,
    admit,
    batch_commands,
    batches,
    checks,
    endless,
    market_of_now,
    orders,
)
from solvent.engine.engine import FastEngine
from solvent.engine.memory.command_rows import encode_batch
from solvent.service.core.node import Node
from solvent.service.core.opening import Start, open_node
from solvent.service.serve import application

NAME = "service"
IN_FLIGHT = 64
ONE_BY_ONE_SHARE = 10
"""The peer that syncs every order is given so many times fewer."""
_OK = 200


class Size(NamedTuple):
    """How many requests of each kind, how often."""

    orders: int
    batches: int
    times: int


class Run(NamedTuple):
    """Requests answered, seconds of the clock, seconds of processor time."""

    requests: int
    seconds: float
    worked: float


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Signed orders a second, and commands a second in signed batches."""
    size = Size(200, 10, 2) if quick else Size(8_000, 300, 3)
    yield from asyncio.run(_measure(size))


async def _measure(size: Size) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        node = open_node(Path(folder) / "market", Start(market_of_now()))
        await node.start(keeps_time=False)
        try:
            await admit(node)
            app = application(node, endless())
            front = in_front(node)
            plain = one_by_one(Path(folder) / "plain", node.market.parameters)
            found: list[list[Run]] = [[], [], [], [], []]
            # In turn, so that all are disturbed alike.
            for _ in range(size.times):
                found[0].append(await _run(app, orders(size.orders), node))
                found[1] += await _run_peer(front, size.orders, node)
                found[2] += await _run_peer(plain, size.orders // ONE_BY_ONE_SHARE, None)
                found[3].append(_alone(orders(size.orders)))
                found[4].append(await _run(app, batches(size.batches), node))
            engine = [_engine(node, size.batches) for _ in range(size.times)]
        finally:
            await node.close()
    return [*_order_rows(*found[:4]), *_batch_rows(found[4], found[3], of("commands/s", engine))]


def _order_rows(
    ours: Sequence[Run], front: Sequence[Run], plain: Sequence[Run], alone: Sequence[Run]
) -> Iterator[Row]:
    measured = f"signed orders, {IN_FLIGHT} in flight, a core"
    a_core = _a_core("orders/s", ours)
    peers = (
        ("checks of their signatures alone", alone, Target(AT_LEAST, 6_000)),
        ("FastAPI in front of the same node", front, Target(TIMES, 2.5)),
        ("FastAPI, an order and a sync at a time", plain, None),
    )
    for name, runs, target in peers:
        figure = _a_core("orders/s", runs) if runs else None
        yield Row(NAME, measured, a_core, name, figure, target)
    measured = f"signed orders, {IN_FLIGHT} in flight, by the clock"
    by_clock = _by_clock("orders/s", ours)
    for name, runs, _ in peers[1:]:
        yield Row(NAME, measured, by_clock, name, _by_clock("orders/s", runs) if runs else None)


def _batch_rows(ours: Sequence[Run], alone: Sequence[Run], engine: Figure) -> Iterator[Row]:
    measured = f"signed batches of {PER_BATCH} commands"
    a_core = _a_core("commands/s", ours, PER_BATCH)
    yield Row(
        NAME,
        f"{measured}, a core",
        a_core,
        "checks of their signatures alone",
        _a_core("commands/s", alone, PER_BATCH),
        Target(AT_LEAST, 300_000),
    )
    yield Row(NAME, f"{measured}, a core", a_core, "the engine alone", engine)
    yield Row(NAME, f"{measured}, by the clock", _by_clock("commands/s", ours, PER_BATCH))


def _a_core(unit: str, runs: Iterable[Run], each: int = 1) -> Figure:
    return of(unit, [run.requests * each / run.worked for run in runs])


def _by_clock(unit: str, runs: Iterable[Run], each: int = 1) -> Figure:
    return of(unit, [run.requests * each / run.seconds for run in runs])


async def _run_peer(app: Asgi | None, count: int, node: Node | None) -> list[Run]:
    return [] if app is None else [await _run(app, orders(count), node)]


async def _run(app: Asgi, requests: Sequence[Request], node: Node | None) -> Run:
    """Send requests, so many at a time; the views' work counts as processor time."""
    waiting = iter(requests)

    async def client() -> None:
        for request in waiting:
            await _send(app, request)

    worked, start = time.process_time(), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
    seconds = time.perf_counter() - start
    if node is not None:
        await node.past(lambda views: views.applied)
    return Run(len(requests), seconds, time.process_time() - worked)


async def _send(app: Asgi, request: Request) -> None:
    said: dict[str, Any] = {}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        said.update(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": request.path,
        "raw_path": request.path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": request.headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    if said["status"] != _OK:
        raise WrongAnswerError(f"{request.path} was answered {said['body']!r}")


def _alone(requests: Sequence[Request]) -> Run:
    worked, start = time.process_time(), time.perf_counter()
    checks(requests)
    return Run(len(requests), time.perf_counter() - start, time.process_time() - worked)


def _engine(node: Node, count: int) -> float:
    """Commands a second of the engine by itself, in rows that are ready."""
    engine = FastEngine(node.market.parameters)
    for record in admissions(node.market.parameters):
        engine.apply(record.decoded)
    rows = encode_batch(batch_commands(count))
    start = time.process_time()
    engine.apply_rows(rows)
    return len(rows) / (time.process_time() - start)
