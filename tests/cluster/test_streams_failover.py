"""Streams over a kill -9 of the leader: no gap and no repeat that a client could mistake."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import ccxt.pro
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.cluster.nats_servers import until
from tests.cluster.trials import NODES, Clients, pid_of, running, url_of

pytestmark = pytest.mark.slow
BOOK, TRADES = "depth.SOL_USDC", "trade.SOL_USDC"
SECONDS = 60.0
CALM = 2.0
Message = dict[str, Any]
Levels = dict[str, str]


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    with running(tmp_path) as served:
        yield served


async def listen(port: int, heard: list[Message]) -> None:
    """One connection, until it ends; every message with its stream."""
    with suppress(ConnectionClosed, InvalidHandshake, OSError):
        async with connect(url_of(port).replace("http", "ws"), compression=None) as socket:
            await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [BOOK, TRADES]}))
            while True:
                heard.append(json.loads(await socket.recv()))


def of(heard: Sequence[Message], stream: str) -> list[Message]:
    return [each["data"] for each in heard if each["stream"] == stream]


async def trading(clients: Clients) -> AsyncIterator[None]:
    """An order that takes from the book, at whoever leads, again and again."""
    while True:
        await asyncio.to_thread(clients.ask, _trade)
        yield


def _trade(client: Any) -> None:
    client.create_order("SOL/USDC", "market", "buy", 0.05)


def kill_leader(folder: Path, clients: Clients) -> int:
    leader, _ = clients.ask(
        lambda client: client.create_order("SOL/USDC", "limit", "buy", 0.01, 90)
    )
    pid = pid_of(folder, f"node-{leader}")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return leader


def leader_of(port: int) -> int:
    for number in range(NODES):
        with suppress(httpx.HTTPError):
            said = httpx.get(f"{url_of(port + number)}/solvent/v1/cluster").json()
            if said["part"] == "leads":
                return int(said["node"])
    raise AssertionError("no node leads")


def test_a_stream_of_a_node_that_follows_has_neither_gap_nor_repeat(
    trial: tuple[Path, int],
) -> None:
    """And two nodes tell the same trades under the same numbers."""
    folder, port = trial
    clients = Clients([port + number for number in range(NODES)])
    leader = leader_of(port)
    others = [number for number in range(NODES) if number != leader]
    heard: dict[int, list[Message]] = {number: [] for number in others}

    async def story() -> None:
        listening = [asyncio.create_task(listen(port + number, heard[number])) for number in others]
        acts = trading(clients)
        for _ in range(5):
            await anext(acts)
        assert await asyncio.to_thread(kill_leader, folder, clients) == leader
        for _ in range(5):
            await anext(acts)
        await asyncio.sleep(CALM)
        for task in listening:
            assert not task.done()
            task.cancel()

    asyncio.run(story())
    seen = []
    for number in others:
        updates = of(heard[number], BOOK)
        assert len(updates) > 3
        assert all(after["U"] == before["u"] + 1 for before, after in pairwise(updates))
        trades = [trade["t"] for trade in of(heard[number], TRADES)]
        assert len(trades) >= 10
        assert all(before < after for before, after in pairwise(trades))
        seen.append({trade["t"]: (trade["p"], trade["q"]) for trade in of(heard[number], TRADES)})
    past = traded(port + others[0])
    for told in seen:
        assert told == {each: past[each] for each in past if min(told) <= each <= max(told)}


def traded(port: int) -> dict[int, tuple[str, str]]:
    """All trades of the market, by number, as a node's history has them."""
    asked = {"symbol": "SOL_USDC", "limit": "1000"}
    said = httpx.get(f"{url_of(port)}/api/v1/trades", params=asked)
    said.raise_for_status()
    return {each["id"]: (each["price"], each["quantity"]) for each in said.json()}


class Follower:
    """A client that keeps a book and all trades, on whichever node answers.

    On a new connection it takes the book by REST, of a node that knows what it knows, and asks for
    the trades that it lacks; then it goes on by numbers alone.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = ports
        self.heard: list[Message] = []
        self.update = 0
        self.levels: dict[str, Levels] = {"a": {}, "b": {}}
        self.trades: dict[int, tuple[str, str]] = {}
        self.sequence = "0"
        self.connections = 0
        self.gaps = 0

    async def run(self) -> None:
        """Node after node, for as long as one is told to."""
        number = 0
        while True:
            with suppress(ConnectionClosed, InvalidHandshake, OSError, httpx.HTTPError):
                await self._follow(self.ports[number % len(self.ports)])
            number += 1
            await asyncio.sleep(0.05)

    async def _follow(self, port: int) -> None:
        async with connect(url_of(port).replace("http", "ws"), compression=None) as socket:
            await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [BOOK, TRADES]}))
            await self._begin(port)
            self.connections += 1
            async for text in socket:
                message = json.loads(text)
                if message["stream"] == BOOK:
                    self._take(message["data"])
                else:
                    self._trade(message["data"]["t"], message["data"]["p"], message["data"]["q"])

    async def _begin(self, port: int) -> None:
        asked = {"X-Solvent-Min-Sequence": self.sequence}
        async with httpx.AsyncClient(base_url=url_of(port), headers=asked) as client:
            said = await client.get("/api/v1/depth", params={"symbol": "SOL_USDC", "limit": "1000"})
            said.raise_for_status()
            book = said.json()
            # A node that knows as much never shows an older book than one that was seen.
            assert int(book["lastUpdateId"]) >= self.update
            self.update = int(book["lastUpdateId"])
            self.levels = {"a": dict(book["asks"]), "b": dict(book["bids"])}
            self.sequence = said.headers["x-solvent-sequence"]
            past = await client.get("/api/v1/trades", params={"symbol": "SOL_USDC", "limit": 1000})
            past.raise_for_status()
        for trade in past.json():
            self._trade(trade["id"], trade["price"], trade["quantity"])

    def _take(self, update: Message) -> None:
        if update["u"] <= self.update:
            return
        self.gaps += update["U"] > self.update + 1
        self.update = update["u"]
        for side in ("a", "b"):
            for price, quantity in update[side]:
                self.levels[side][price] = quantity
                if not float(quantity):
                    del self.levels[side][price]

    def _trade(self, number: int, price: str, quantity: str) -> None:
        """A number means one trade, whichever node told of it."""
        assert self.trades.setdefault(number, (price, quantity)) == (price, quantity)


def test_a_client_that_goes_to_another_node_keeps_the_book_and_every_trade(
    trial: tuple[Path, int],
) -> None:
    folder, port = trial
    clients = Clients([port + number for number in range(NODES)])
    leader = leader_of(port)
    # Connected to the one that will die.
    follower = Follower([port + (leader + each) % NODES for each in range(NODES)])

    async def story() -> None:
        running_on = asyncio.create_task(follower.run())
        acts = trading(clients)
        for _ in range(5):
            await anext(acts)
        assert await asyncio.to_thread(kill_leader, folder, clients) == leader
        for _ in range(8):
            await anext(acts)
        async with asyncio.timeout(SECONDS):
            while not await _is_the_book(follower, port + (leader + 1) % NODES):
                await asyncio.sleep(0.01)
        assert not running_on.done()
        running_on.cancel()

    asyncio.run(story())
    assert follower.connections > 1
    assert follower.gaps == 0
    assert len(follower.trades) >= 13
    past = traded(port + (leader + 1) % NODES)
    assert follower.trades == {each: past[each] for each in past if each <= max(follower.trades)}


async def _is_the_book(follower: Follower, port: int) -> bool:
    async with httpx.AsyncClient(base_url=url_of(port)) as client:
        said = await client.get("/api/v1/depth", params={"symbol": "SOL_USDC", "limit": "1000"})
    book = said.json()
    levels = {"a": dict(book["asks"]), "b": dict(book["bids"])}
    return follower.update == int(book["lastUpdateId"]) and follower.levels == levels


def test_ccxt_goes_on_with_the_next_address_and_has_the_book(trial: tuple[Path, int]) -> None:
    folder, port = trial
    clients = Clients([port + number for number in range(NODES)])
    leader = leader_of(port)

    async def story() -> None:
        first = await _watched(port + leader)
        assert await asyncio.to_thread(kill_leader, folder, clients) == leader
        async with asyncio.timeout(SECONDS):
            with pytest.raises(ccxt.NetworkError):
                await _watch_on(first)
        await first.close()
        second = await _watched(port + (leader + 1) % NODES)
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    kept = await second.watch_order_book("SOL/USDC")
                    said = await second.fetch_order_book("SOL/USDC", 20)
                    if all(
                        [level[:2] for level in kept[side][:5]] == said[side][:5]
                        for side in ("bids", "asks")
                    ):
                        break
        finally:
            await second.close()

    asyncio.run(story())
    until(lambda: pid_of(folder, f"node-{leader}") is not None, 30)


async def _watch_on(client: "ccxt.pro.backpack") -> None:
    while True:
        await client.watch_order_book("SOL/USDC")


async def _watched(port: int) -> "ccxt.pro.backpack":
    http = url_of(port)
    client = ccxt.pro.backpack({"options": {"watchOrderBook": {"snapshotDelay": 3}}})
    web = http.replace("http", "ws")
    client.urls["api"] = {
        "public": http,
        "private": http,
        "ws": {"public": web, "private": web},
    }
    await client.watch_order_book("SOL/USDC")
    return client
