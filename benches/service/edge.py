"""The edge: signed orders over sockets to a market that listens by itself, or by gateways.

Markets with 0, 1 and 2 gateways are up together and are asked in turn, as fast as they answer, so
that all are disturbed alike. The client is a process of its own on the same machine, which takes a
share of the cores that the orders a second are measured by. What an order costs the writer's
process and the gateways is their own processor time, and does not depend on that.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

from benches.common.rows import Row, of
from benches.service.latency import CONNECTIONS, SocketClient, as_fast_as_answered
from benches.service.served import Served, served

NAME = "edge"
GATEWAYS = (0, 1, 2)
MICROSECONDS = 10**6


class Size(NamedTuple):
    """Orders of a turn; how many turns."""

    orders: int
    times: int


class Run(NamedTuple):
    """Orders a second; microseconds of the writer's process and of the gateways an order."""

    rate: float
    writer: float
    gateways: float


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Orders a second by the number of gateways, and what an order costs whom."""
    size = Size(200, 1) if quick else Size(4_000, 5)
    with ExitStack() as stack:
        markets = {count: stack.enter_context(served(count)) for count in GATEWAYS}
        yield from _rows(asyncio.run(_measure(markets, size)))


async def _measure(markets: dict[int, Served], size: Size) -> dict[int, list[Run]]:
    found: dict[int, list[Run]] = {count: [] for count in markets}
    for _ in range(size.times):
        for count, market in markets.items():
            found[count].append(await _turn(market, size.orders))
    return found


async def _turn(market: Served, orders: int) -> Run:
    # Connections that are idle while others have their turn would be ended.
    clients = [await SocketClient.connected(market.port) for _ in range(CONNECTIONS)]
    try:
        writer, gateways = market.worked, market.gateways_worked
        rate = await as_fast_as_answered(clients, orders)
        each = MICROSECONDS / orders
        return Run(
            rate,
            (market.worked - writer) * each,
            (market.gateways_worked - gateways) * each,
        )
    finally:
        for client in clients:
            client.close()


def _rows(found: dict[int, list[Run]]) -> Iterator[Row]:
    alone = of("orders/s", [run.rate for run in found[0]])
    work = of("us", [run.writer for run in found[0]])
    for count, runs in found.items():
        name = ("no gateway", "1 gateway", "2 gateways")[count]
        peer = "no gateway" if count else None
        rate = of("orders/s", [run.rate for run in runs])
        yield Row(
            NAME,
            f"signed orders over {CONNECTIONS} sockets, {name}",
            rate,
            peer,
            alone if count else None,
        )
        writer = of("us", [run.writer for run in runs])
        yield Row(
            NAME,
            f"work of the writer's process an order, {name}",
            writer,
            peer,
            work if count else None,
        )
        if count:
            both = of("us", [run.gateways for run in runs])
            yield Row(NAME, f"work of the gateways an order, {name}", both)
