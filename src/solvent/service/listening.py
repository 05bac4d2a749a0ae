"""Listening: the HTTP server on a socket, with what watches its connections beside it.

The server closes a connection whose headers come too slowly; bodies are timed in `http`. Several
processes may listen at one address: the system gives each new connection to one of them.
"""

import asyncio
import os
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketSpec  # type: ignore[attr-defined]
from granian.server.embed import Server

from solvent.domain.errors import InputError
from solvent.service.api.front import Front
from solvent.service.api.http import App
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
from solvent.service.warden import Warden

POLL_SECONDS = 0.05
OWN_FILES = 256
"""Room for the journal, the views and the like beside the connections."""
END_SECONDS = 5.0
"""How long open connections may take to end."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int


@asynccontextmanager
async def listening(
    app: App, address: Address, front: Front, *, is_shared: bool = False
) -> "AsyncIterator[asyncio.Task[None]]":
    """The server with its warden and its gate, until the block ends; its task ends if it fails.

    An address that `is_shared` has several processes that listen. Raises what ended the server
    before it let anybody in.
    """
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
    try:
        await _let_in(inner, serving)
        is_exempt = (lambda _: True) if front.has_proxy_line else app.proxies.is_one
        warden, gate = Warden(inner.port, is_exempt), Gate(app.proxies, inner.port)
        warden.start()
        app.streams.warden = warden
        try:
            if front.has_proxy_line:
                await gate.open(address.host, address.port, is_shared=is_shared)
            yield serving
        finally:
            await gate.close()
            warden.close()
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait([serving], timeout=END_SECONDS)


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


async def _let_in(address: Address, serving: "asyncio.Task[None]") -> None:
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
