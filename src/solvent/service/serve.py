"""Serving: the application on a socket, from the first request to a clean end.

The server closes a connection whose headers come too slowly; bodies are timed in `http`. It ends on
SIGINT or SIGTERM, or when the writer stops: then with another exit code, for nothing may be
answered that is not on the disk.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from solvent.service.buckets import Buckets
from solvent.service.desk import Desk
from solvent.service.http import App
from solvent.service.limits import HEADER_MS
from solvent.service.logs import SERVER_LOGS
from solvent.service.once import Once
from solvent.service.routes.all import ENDPOINTS
from solvent.service.streams.sockets import StreamEndpoint

LOG = logging.getLogger("solvent.serve")
STOPPED = 3
"""Exit code when the writer stopped: start again to recover from the disk."""
POLL_SECONDS = 0.05
END_SECONDS = 5.0
"""How long open connections may take to end."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int


async def serve(
    desk: Desk,
    address: Address,
    *,
    keeps_time: bool = True,
    on_ready: Callable[[], Awaitable[None]] | None = None,
    on_end: Callable[[], Awaitable[None]] | None = None,
    buckets: Buckets | None = None,
) -> int:
    """Serve a desk until it is told to end; return the exit code.

    Raises OSError where the address cannot be had.
    """
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        address = _free(address)
        await desk.start(keeps_time=keeps_time)
        await _serve(desk, address, ended, on_ready, buckets)
    finally:
        if on_end is not None:
            await on_end()
        await desk.close()
    fault = desk.sequencer.fault
    if fault is not None:
        LOG.error("the writer stopped", extra={"reason": str(fault)})
        return STOPPED
    LOG.info("ended")
    return 0


async def _serve(
    desk: Desk,
    address: Address,
    ended: asyncio.Event,
    on_ready: Callable[[], Awaitable[None]] | None,
    buckets: Buckets | None,
) -> None:
    server = Server(
        application(desk, buckets),
        address=address.host,
        port=address.port,
        interface=Interfaces.ASGINL,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS),
        log_level=LogLevels.error,
        log_dictconfig=SERVER_LOGS,
    )
    serving = asyncio.create_task(server.serve())
    watching = asyncio.create_task(_watch(desk, serving, ended))
    try:
        await _listening(address, serving)
        LOG.info("serving", extra={"address": f"{address.host}:{address.port}"})
        if on_ready is not None:
            await on_ready()
        await ended.wait()
    finally:
        watching.cancel()
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait([serving], timeout=END_SECONDS)


def application(desk: Desk, buckets: Buckets | None = None) -> App:
    """The ASGI application of a desk."""
    streams = StreamEndpoint(desk.publisher, desk.authenticate)
    once = Once()
    endpoints = [once.guard(endpoint) for endpoint in ENDPOINTS]
    return App(desk, endpoints, buckets or Buckets(), streams)


def _free(address: Address) -> Address:
    """The address, with a port where none was named. Raises OSError where another one listens.

    The server itself would share the port, and requests would go to either.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.create_server(address, family=family) as probe:
        return Address(address.host, probe.getsockname()[1])


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


async def _watch(desk: Desk, serving: "asyncio.Task[None]", ended: asyncio.Event) -> None:
    """End when the writer or the server does."""
    while not (desk.sequencer.has_ended or serving.done()):
        await asyncio.sleep(POLL_SECONDS)
    ended.set()
