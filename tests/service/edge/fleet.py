"""A house whose market listens twice: by itself, and through gateways that are real processes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from solvent.domain.engine_face import EngineFactory
from solvent.engine.engine import FastEngine
from solvent.service.api.buckets import Buckets
from solvent.service.api.front import Front
from solvent.service.edge.crew import PROGRAM, behind
from solvent.service.listening import Address, free_address, listening
from solvent.service.serve import application
from tests.service.harness import Client, House, endless, opened

HOST = "127.0.0.1"
FRONT = Front(hosts={HOST})
CONNECTIONS = 16
"""So many connections that each of two gateways has some: all at one is seen once in 32,768."""


class Fleet:
    """The house, the port of its gateways and the one at which its own process listens."""

    def __init__(self, house: House, port: int, own_port: int) -> None:
        self.house = house
        self.port = port
        self.own_port = own_port
        self._open: list[httpx.AsyncClient] = []

    def connection(self, port: int | None = None) -> httpx.AsyncClient:
        """One that stays open, to a gateway unless another port is named."""
        url = f"http://{HOST}:{self.port if port is None else port}"
        limits = httpx.Limits(max_connections=1)
        client = httpx.AsyncClient(base_url=url, limits=limits, timeout=30, trust_env=False)
        self._open.append(client)
        return client

    def connections(self, count: int = CONNECTIONS) -> list[httpx.AsyncClient]:
        """So many."""
        return [self.connection() for _ in range(count)]

    def as_(self, who: Client, http: httpx.AsyncClient) -> Client:
        """The same person on another connection."""
        other = Client(http, "nobody")
        other.signing, other.public = who.signing, who.public
        return other

    async def everywhere(
        self,
        connections: Sequence[httpx.AsyncClient],
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
    ) -> list[httpx.Response]:
        """The answers to one and the same request on all connections at once."""
        headers = headers | {"content-type": "application/json"}
        return await asyncio.gather(
            *(each.request(method, path, content=body, headers=headers) for each in connections)
        )

    async def close(self) -> None:
        """Hang up."""
        for client in self._open:
            await client.aclose()


def gateways(parent: int | None = None) -> list[int]:
    """The processes of the gateways of a process, this one unless another is named."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        is_ours = int(fields[1]) == (os.getpid() if parent is None else parent)
        if is_ours and fields[0] != "Z" and PROGRAM.encode() in words:
            found.append(int(entry.name))
    return sorted(found)


def kill(process: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a gateway that this test began."""
    os.kill(process, number)


@asynccontextmanager
async def fleet(
    folder: Path,
    *,
    count: int = 2,
    buckets: Buckets | None = None,
    front: Front = FRONT,
    engines: EngineFactory = FastEngine,
) -> AsyncIterator[Fleet]:
    """A house with people, served both ways until the block ends."""
    house = await opened(folder, engines=engines)
    try:
        await house.start()
        buckets = buckets or endless()
        app = application(house.node, buckets, front)
        address = free_address(Address(HOST, 0))
        own = free_address(Address(HOST, 0))
        async with (
            listening(app, own, FRONT),
            behind(count, house.node, app, buckets, address, front),
        ):
            there = Fleet(house, address.port, own.port)
            try:
                yield there
                await app.streams.close()
            finally:
                await there.close()
    finally:
        await house.http.aclose()
        await house.node.close()
