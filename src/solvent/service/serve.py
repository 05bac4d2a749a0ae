"""Serving: the application on a socket, from the first request to a clean end.

The server closes a connection whose headers come too slowly; bodies are timed in `http`. It ends on
SIGINT or SIGTERM, or when the writer stops: then with another exit code, for nothing may be
answered that is not on the disk. Whoever listens to streams is told that the service goes away
before its socket does.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from types import FrameType

from solvent.domain.errors import InputError
from solvent.service.api.buckets import Buckets
from solvent.service.api.calls import Call
from solvent.service.api.front import Front
from solvent.service.api.http import App
from solvent.service.api.intake import Toll
from solvent.service.console.bundle import Console
from solvent.service.core.cluster.replicated import ReplicatedSequencer
from solvent.service.core.node import Node
from solvent.service.door import Door
from solvent.service.edge.crew import behind
from solvent.service.listening import (
    END_SECONDS,
    POLL_SECONDS,
    Address,
    allow_open_files,
    free_address,
    listening,
)
from solvent.service.nodes_door import AmongNodes, nodes_door
from solvent.service.proxies import Proxies
from solvent.service.routes import health
from solvent.service.routes.all import ENDPOINTS
from solvent.service.streams.sockets import StreamEndpoint

LOG = logging.getLogger("solvent.serve")
STOPPED = 3
"""Exit code when the writer stopped: start again to recover from the disk."""


async def serve(
    node: Node,
    address: Address,
    *,
    keeps_time: bool = True,
    on_ready: Callable[[Address], Awaitable[None]] | None = None,
    on_end: Callable[[], Awaitable[None]] | None = None,
    buckets: Buckets | None = None,
    front: Front | None = None,
    among: AmongNodes | None = None,
    gateways: int = 0,
) -> int:
    """Serve a node until it is told to end; return the exit code.

    `on_ready` is told the address, whose port the system chose where 0 was asked for. `front` says
    whose pages and which names of the host are served; the name in `address` is. A node of a
    cluster answers the others `among` them. With `gateways` so many processes listen in its place.

    Raises InputError where the address cannot be had.
    """
    allow_open_files()
    front = front or Front()
    front = front._replace(hosts={address.host.lower(), *(front.hosts or ())})
    with _ended_by_signal() as ended:
        try:
            address = free_address(address)
            async with _answering_nodes(node, among):
                await node.start(keeps_time=keeps_time)
                buckets = buckets or Buckets()
                app = application(node, buckets, front)
                server = (
                    behind(gateways, node, app, buckets, address, front)
                    if gateways
                    else listening(app, address, front)
                )
                await _serve(node, address, ended, on_ready, app, front, server)
        finally:
            if on_end is not None:
                await on_end()
            await node.close()
    fault = node.sequencer.fault
    if fault is not None:
        LOG.error("the writer stopped", extra={"reason": str(fault)})
        return STOPPED
    LOG.info("ended")
    return 0


@contextmanager
def _ended_by_signal() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set.

    A handler of the loop's own would miss a signal that comes while the loop is busy and so much
    was handed to it that its wake-up pipe is full. This one needs no pipe: the loop looks up soon.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(ended.set)

    former = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


async def _serve(
    node: Node,
    address: Address,
    ended: asyncio.Event,
    on_ready: Callable[[Address], Awaitable[None]] | None,
    app: App,
    front: Front,
    server: "AbstractAsyncContextManager[asyncio.Task[None]]",
) -> None:
    async with server as serving, _health(node, address, front):
        watching = asyncio.create_task(_watch(node, serving, ended))
        try:
            LOG.info("serving", extra={"address": f"{address.host}:{address.port}"})
            if on_ready is not None:
                await on_ready(address)
            await ended.wait()
            # Whoever follows leads while this node takes its time to end.
            node.sequencer.hand_over()
            with suppress(TimeoutError):
                await asyncio.wait_for(app.streams.close(), END_SECONDS)
        finally:
            watching.cancel()


@asynccontextmanager
async def _health(node: Node, address: Address, front: Front) -> AsyncIterator[None]:
    """The door for health and metrics, if it is asked for."""
    door = _door(node)
    try:
        if front.health_port is not None:
            port = await door.open(address.host, front.health_port)
            LOG.info("health", extra={"address": f"{address.host}:{port}"})
        yield
    finally:
        await door.close()


@asynccontextmanager
async def _answering_nodes(node: Node, among: AmongNodes | None) -> AsyncIterator[None]:
    """The door between nodes, where there are others. Raises InputError."""
    if among is None:
        yield
        return
    assert isinstance(node.sequencer, ReplicatedSequencer)
    door = nodes_door(node.sequencer, among.secret)
    try:
        await door.open(among.host, among.port)
    except OSError as error:
        reason = f"cannot be listened on ({error.strerror or error}); is another node there?"
        raise InputError(f"{among.host}:{among.port}", "peer", reason) from error
    try:
        yield
    finally:
        await door.close()


def _door(node: Node) -> Door:
    found = {each.path: each.handler for each in health.ENDPOINTS}

    async def reply(path: str) -> tuple[int, str, bytes]:
        said = await found[path](Call(node, {}, None, {}, None, Toll(Buckets())))
        return said.status, said.content_type, said.body

    return Door(lambda path: reply(path) if path in found else None)


def application(node: Node, buckets: Buckets | None = None, front: Front | None = None) -> App:
    """The ASGI application of a node; its streams hear of every act of staff."""
    front = front or Front()
    proxies = Proxies(front.proxies)
    buckets = buckets or Buckets()
    streams = StreamEndpoint(
        node.publisher,
        node.authenticate,
        node.market.keys,
        front=front,
        proxies=proxies,
        spend=buckets.take,
    )
    node.hear_act = streams.hear_act
    console = Console(nodes=front.nodes)
    return App(node, ENDPOINTS, buckets, streams, front, proxies, console)


async def _watch(node: Node, serving: "asyncio.Task[None]", ended: asyncio.Event) -> None:
    """End when the writer or the server does."""
    while not (node.sequencer.has_ended or serving.done()):
        await asyncio.sleep(POLL_SECONDS)
    ended.set()
