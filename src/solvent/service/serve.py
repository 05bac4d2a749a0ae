"""Serving: the application on a socket, from the first request to a clean end.

The server closes a connection whose headers come too slowly; bodies are timed in `http`. It ends on
SIGINT or SIGTERM, or when the writer stops: then with another exit code, for nothing may be
answered that is not on the disk. Whoever listens to streams is told that the service goes away
before its socket does.
"""

import asyncio
import logging
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import FrameType
from typing import NamedTuple

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketSpec  # type: ignore[attr-defined]
from granian.server.embed import Server

from solvent.domain.errors import InputError
from solvent.service.api.buckets import Buckets
from solvent.service.api.calls import Call
from solvent.service.api.front import Front
from solvent.service.api.http import App
from solvent.service.console.bundle import Console
from solvent.service.core.cluster.replicated import ReplicatedSequencer
from solvent.service.core.node import Node
from solvent.service.door import Door
from solvent.service.gate import Gate
from solvent.service.limits import (
    BACKLOG,
    CONNECTIONS,
    HEAD_BYTES,
    HEADER_MS,
    LISTENERS,
    PROBE_SECONDS,
    PROBES,
    QUIET_SECONDS,
    RECEIVE_BUFFER_BYTES,
    UNREAD_MS,
)
from solvent.service.logs import SERVER_LOGS
from solvent.service.nodes_door import AmongNodes, nodes_door
from solvent.service.proxies import Proxies
from solvent.service.routes import health
from solvent.service.routes.all import ENDPOINTS
from solvent.service.streams.sockets import StreamEndpoint
from solvent.service.warden import Warden

LOG = logging.getLogger("solvent.serve")
STOPPED = 3
"""Exit code when the writer stopped: start again to recover from the disk."""
POLL_SECONDS = 0.05
OWN_FILES = 256
"""Room for the journal, the views and the like beside the connections."""
END_SECONDS = 5.0
"""How long open connections may take to end."""


class _Server(Server):
    """The server, with a socket whose connections end when nobody is at the other end any more.

    What a client does not take for `UNREAD_MS` ends its connection, and so does silence when it is
    asked whether it is there: the kernel asks, for the server sends no pings. Accepted sockets
    inherit all of it from the one that listens.
    """

    def _init_shared_socket(self) -> None:
        held = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        with socket.socket(fileno=os.dup(held.get_fd())) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            for name, value in _TCP:
                if hasattr(socket, name):
                    listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._shd = held  # type: ignore[assignment]
        self._sfd = held.get_fd()


_TCP = (
    ("TCP_KEEPIDLE", QUIET_SECONDS),
    ("TCP_KEEPINTVL", PROBE_SECONDS),
    ("TCP_KEEPCNT", PROBES),
    ("TCP_USER_TIMEOUT", UNREAD_MS),
)
"""Options of connections, where the system has them."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int


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
) -> int:
    """Serve a node until it is told to end; return the exit code.

    `on_ready` is told the address, whose port the system chose where 0 was asked for. `front` says
    whose pages and which names of the host are served; the name in `address` is. A node of a
    cluster answers the others `among` them.

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
                app = application(node, buckets, front)
                await _serve(node, address, ended, on_ready, app, front)
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
) -> None:
    # Behind a gate the server listens where only this machine can come, at a port of its own.
    inner = free_address(Address("127.0.0.1", 0)) if front.has_proxy_line else address
    server = _Server(
        app,
        address=inner.host,
        port=inner.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS, max_buffer_size=HEAD_BYTES),
        log_level=LogLevels.error,
        log_dictconfig=SERVER_LOGS,
    )
    serving = asyncio.create_task(server.serve())
    watching = asyncio.create_task(_watch(node, serving, ended))
    try:
        await _listening(inner, serving)
        async with _guarded(node, app, address, inner, front):
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
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait([serving], timeout=END_SECONDS)


@asynccontextmanager
async def _guarded(
    node: Node, app: App, address: Address, inner: Address, front: Front
) -> AsyncIterator[None]:
    """The server with its warden, its gate and its door, as far as they are asked for."""
    is_exempt = (lambda _: True) if front.has_proxy_line else app.proxies.is_one
    warden, gate, door = Warden(inner.port, is_exempt), Gate(app.proxies, inner.port), _door(node)
    warden.start()
    app.streams.warden = warden
    try:
        if front.has_proxy_line:
            await gate.open(address.host, address.port)
        if front.health_port is not None:
            port = await door.open(address.host, front.health_port)
            LOG.info("health", extra={"address": f"{address.host}:{port}"})
        yield
    finally:
        await door.close()
        await gate.close()
        warden.close()


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
        said = await found[path](Call(node, {}, None, {}, None, lambda _: None))
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


def allow_open_files() -> None:
    """Let the process have as many files as its connections and itself need, or what it may."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + LISTENERS + OWN_FILES
    if least != resource.RLIM_INFINITY and least < wanted:
        least = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))


def free_address(address: Address) -> Address:
    """The address in numbers, with a port where none was named.

    Raises InputError where this machine has no such address, or another process listens there: the
    server itself would share the port, and requests would go to either.
    """
    if not address.host:
        # To a socket the empty host means every address of the machine.
        raise InputError("--host", "address", "is empty; name one of this machine's")
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        found = socket.getaddrinfo(*address, family=family, type=socket.SOCK_STREAM)
        with socket.create_server(found[0][4][:2], family=family) as probe:
            return Address(*probe.getsockname()[:2])
    except (OSError, UnicodeError) as error:
        place = f"{address.host}:{address.port}"
        said = getattr(error, "strerror", None) or str(error)
        reason = f"cannot be listened on ({said}); name another --host or --port"
        raise InputError(place, "address", reason) from error


async def _listening(address: Address, serving: "asyncio.Task[None]") -> None:
    """Wait until somebody who connects is let in. Raises what ended the server."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(*address)
        except OSError:
            await asyncio.sleep(POLL_SECONDS)
        else:
            writer.close()
            return
    serving.result()


async def _watch(node: Node, serving: "asyncio.Task[None]", ended: asyncio.Event) -> None:
    """End when the writer or the server does."""
    while not (node.sequencer.has_ended or serving.done()):
        await asyncio.sleep(POLL_SECONDS)
    ended.set()
