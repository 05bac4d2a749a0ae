"""Fan-out: messages of one stream to a hundred WebSocket clients, over a real server.

Trades are made by the server itself, durable as always, so that nothing but the stream is between
them and the clients. All trades of a round are made together, each is one message to each client,
and the next round begins when every client has all of them: none is cut off for being slow. Clients
are connections of one other process that counts frames; it shares the machine with the server.
"""

import asyncio
import json
import os
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benches.common.measure import WrongAnswerError
from benches.common.rows import Row, of
from benches.service.served import HOST, Served, served
from benches.service.signed import symbol

NAME = "fan-out"
CLIENTS = 100
_TEXT = 0x81
_SHORT, _LONG = 126, 127


class Size(NamedTuple):
    """Trades of a round; how many rounds; how many single trades."""

    trades: int
    rounds: int
    singles: int


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Messages delivered a second, and how long one trade takes to the last client."""
    size = Size(20, 2, 3) if quick else Size(500, 9, 200)
    with served() as server:
        yield from asyncio.run(_measure(server, size))


async def _measure(server: Served, size: Size) -> list[Row]:
    listeners = [await _Listener.listening(server.port) for _ in range(CLIENTS)]
    await _all_hear(server, listeners)
    rates, worked = [], []
    for _ in range(size.rounds):
        before = server.worked
        seconds = await _round(server, listeners, size.trades)
        rates.append(size.trades * CLIENTS / seconds)
        worked.append(server.worked - before)
    delays = [await _round(server, listeners, 1) for _ in range(size.singles)]
    for listener in listeners:
        listener.close()
    delays.sort()
    messages = size.trades * CLIENTS * size.rounds
    return [
        Row(NAME, f"{size.trades} trades at once to {CLIENTS} clients", of("messages/s", rates)),
        Row(
            NAME,
            "the same for a second of the server's work",
            of("messages/s", [messages / max(sum(worked), 1e-2)]),
        ),
        Row(
            NAME,
            f"one trade, from order to the last of {CLIENTS} clients",
            of("ms", [delay * 1000 for delay in delays]),
        ),
        Row(
            NAME,
            f"one trade, from order to the last of {CLIENTS} clients: p99",
            of("ms", [delays[int(0.99 * len(delays))] * 1000]),
        ),
    ]


async def _all_hear(server: Served, listeners: Sequence["_Listener"]) -> None:
    """Trade until every client has heard of one: from then on none misses any."""
    while not all(listener.heard for listener in listeners):
        server.trade(1)
        await asyncio.sleep(0.2)
    before = [-1]
    while before != (before := [listener.heard for listener in listeners]):
        await asyncio.sleep(0.2)


async def _round(server: Served, listeners: Sequence["_Listener"], trades: int) -> float:
    """Seconds until every client has heard of so many trades."""
    hearing = [listener.until(trades) for listener in listeners]
    start = time.perf_counter()
    server.trade(trades)
    await asyncio.gather(*hearing)
    return time.perf_counter() - start


class _Listener(asyncio.Protocol):
    """A WebSocket client that counts the messages it is sent."""

    def __init__(self) -> None:
        self.heard = 0
        self._wanted = 0
        self._done: asyncio.Future[None] | None = None
        self._data = bytearray()
        self._is_open = asyncio.get_running_loop().create_future()
        self._transport: asyncio.WriteTransport | None = None

    @classmethod
    async def listening(cls, port: int) -> "_Listener":
        """One that has asked for the trades of a market."""
        loop = asyncio.get_running_loop()
        transport, listener = await loop.create_connection(cls, HOST, port)
        listener._transport = transport
        key = b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET / HTTP/1.1\r\nhost: {HOST}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n".encode()
        )
        await listener._is_open
        ask = {"method": "SUBSCRIBE", "params": [f"trade.{symbol()}"]}
        text = json.dumps(ask).encode()
        # A client's frames are masked; with zeros they stay as they are.
        transport.write(bytes((_TEXT, 0x80 | len(text))) + bytes(4) + text)
        return listener

    def until(self, more: int) -> "asyncio.Future[None]":
        """Done when so many more messages have come."""
        self._wanted = self.heard + more
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    def close(self) -> None:
        """Hang up."""
        assert self._transport is not None
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Count the frames that are whole."""
        self._data += data
        if not self._is_open.done():
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self._is_open.set_exception(WrongAnswerError(f"no WebSocket: {head[:40]!r}"))
                return
            self._is_open.set_result(None)
            self._data = rest
        self._count()
        if self._done is not None and not self._done.done() and self.heard >= self._wanted:
            self._done.set_result(None)

    def _count(self) -> None:
        found, place = self._data, 0
        while len(found) >= place + 4:
            length, start = found[place + 1], place + 2
            if length == _LONG:
                raise WrongAnswerError("a trade has a frame of more than 64 KiB")
            if length == _SHORT:
                length, start = int.from_bytes(found[start : start + 2]), start + 2
            if len(found) < start + length:
                break
            self.heard += found[place] == _TEXT
            place = start + length
        del found[:place]
