"""Latency: how long a signed order takes from a client to the durable answer, over a socket.

The server is a process of its own; clients are connections on loopback that stay open. First all of
them send as fast as they are answered: that is what the server takes. Then orders are due at a
steady pace, half of that, whether or not earlier ones were answered (an open loop): an order's
latency counts from the moment at which it was due, so that a stall counts for every order that it
delays.

The client's own work is in it, in a process that shares the machine with the server.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benches.common.measure import WrongAnswerError
from benches.common.rows import Row, of
from benches.service.served import HOST, Served, served
from benches.service.signed import on_the_wire, orders

NAME = "latency"
CONNECTIONS = 64
LOAD = 0.5
"""The share of what the server takes that is offered to it."""
_END = b"\r\n\r\n"
_OK = b"HTTP/1.1 200 "
_LENGTH = b"content-length: "


class Size(NamedTuple):
    """Orders to find out what the server takes; seconds of the pace; how often."""

    orders: int
    seconds: float
    times: int


class _Paced(NamedTuple):
    """One run: orders a second, and the latency of each in seconds, sorted."""

    pace: float
    latencies: list[float]

    def percentile(self, share: float) -> float:
        """Milliseconds within which such a share was answered."""
        place = min(len(self.latencies) - 1, int(share * len(self.latencies)))
        return self.latencies[place] * 1000


def bench(*, quick: bool = False) -> Iterator[Row]:
    """What the server takes, and latency at half of it."""
    size = Size(200, 0.2, 1) if quick else Size(6_000, 8.0, 3)
    with served() as server:
        yield from asyncio.run(_measure(server, size))


async def _measure(server: Served, size: Size) -> list[Row]:
    clients = [await SocketClient.connected(server.port) for _ in range(CONNECTIONS)]
    try:
        rates, worked = [], []
        for _ in range(size.times):
            before = server.worked
            rates.append(await as_fast_as_answered(clients, size.orders))
            worked.append(size.orders / max(server.worked - before, 1e-2))
        pace = LOAD * min(rates)
        runs = [await _at_a_pace(clients, pace, size.seconds) for _ in range(size.times)]
    finally:
        for client in clients:
            client.close()
    at_pace = f"signed orders at {LOAD:.0%} of that, open loop: "
    rows = [
        Row(NAME, f"signed orders over {CONNECTIONS} sockets", of("orders/s", rates)),
        Row(NAME, "the same for a second of the server's work", of("orders/s", worked)),
    ]
    for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)):
        latencies = of("ms", [run.percentile(share) for run in runs])
        rows.append(Row(NAME, f"{at_pace}{name}", latencies))
    return rows


class SocketClient:
    """A connection that sends requests one after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connected(cls, port: int) -> "SocketClient":
        """One that is open."""
        return cls(*await asyncio.open_connection(HOST, port))

    async def send(self, data: bytes) -> None:
        """Send a request and wait for its answer. Raises WrongAnswerError unless it is 200."""
        self._writer.write(data)
        head = await self._reader.readuntil(_END)
        place = head.index(_LENGTH) + len(_LENGTH)
        body = await self._reader.readexactly(int(head[place : head.index(b"\r", place)]))
        if not head.startswith(_OK):
            raise WrongAnswerError(f"an order was answered {head[:20]!r} {body!r}")

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def as_fast_as_answered(clients: Sequence[SocketClient], count: int) -> float:
    """Orders a second."""
    waiting = iter([on_the_wire(request) for request in orders(count)])

    async def go(client: SocketClient) -> None:
        for data in waiting:
            await client.send(data)

    start = time.perf_counter()
    await asyncio.gather(*map(go, clients))
    return count / (time.perf_counter() - start)


async def _at_a_pace(clients: Sequence[SocketClient], pace: float, seconds: float) -> _Paced:
    """Latencies of orders due at a pace; an order that is due takes the next free connection."""
    due = [(number / pace, data) for number, data in enumerate(_signed(pace * seconds))]
    latencies = []
    free: asyncio.Queue[SocketClient] = asyncio.Queue()
    for client in clients:
        free.put_nowait(client)

    async def go(client: SocketClient, since: float, data: bytes) -> None:
        await client.send(data)
        latencies.append(time.perf_counter() - since)
        free.put_nowait(client)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for offset, data in due:
            wait = start + offset - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            group.create_task(go(await free.get(), start + offset, data))
    return _Paced(pace, sorted(latencies))


def _signed(count: float) -> list[bytes]:
    return [on_the_wire(request) for request in orders(max(1, int(count)))]
