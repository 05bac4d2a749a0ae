"""Pings: listeners are asked whether they are there, and who is not there is found."""

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.client import connect

from solvent.domain import commands as c
from solvent.service.streams.sockets import Bounds
from solvent.service.streams.subscriptions import CloseCode, Topic
from solvent.service.warden import IS_ABLE, Warden
from tests.service.streams.served import ANN, BOB, PATIENCE, Served, in_loop

pytestmark = pytest.mark.skipif(not IS_ABLE, reason="the system does not tell")
OPEN = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PING, PONG = b"\x89\x00", b"\x8a\x80\x00\x00\x00\x00"
CLOSE = 0x88
QUICK = Bounds(ping_seconds=0.2, pong_seconds=0.6)
TRADES = 400
_STREAM = Topic("trade.SOL_USDC")


def watched(story: Callable[[Served], Awaitable[None]], bounds: Bounds) -> None:
    """Run a story with a served market whose warden finds the sockets of its streams."""

    async def with_warden(served: Served) -> None:
        warden = Warden(int(served.url.rpartition(":")[2]))
        warden.start()
        served.endpoint.warden = warden
        try:
            async with asyncio.timeout(PATIENCE):
                await story(served)
        finally:
            warden.close()

    in_loop(with_warden, bounds)


async def opened(served: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of somebody who answers nothing by himself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rpartition(":")[2]))
    writer.write(OPEN)
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def test_who_answers_stays_and_who_does_not_is_cut_off() -> None:
    async def story(served: Served) -> None:
        reader, writer = await opened(served)
        for _ in range(8):
            assert await reader.readexactly(len(PING)) == PING
            assert served.endpoint.connections == 1
            writer.write(PONG)
        unanswered = 0
        while (frame := await reader.readexactly(len(PING))) == PING:
            unanswered += 1
        assert frame[0] == CLOSE
        code, reason = struct.unpack("!H", await reader.readexactly(2))[0], await reader.read()
        assert (code, reason) == (CloseCode.POLICY, b"a ping was not answered")
        assert 2 <= unanswered <= 5
        writer.close()

    watched(story, QUICK)


def test_a_client_library_answers_by_itself() -> None:
    async def story(served: Served) -> None:
        async with connect(served.url, ping_interval=None) as client:
            await asyncio.sleep(10 * QUICK.pong_seconds / 3)
            await client.send(json.dumps({"method": "CONNECTION"}))
            assert "connection" in json.loads(await client.recv())

    watched(story, QUICK)


def test_pings_between_messages_leave_every_message_whole() -> None:
    """A ping each millisecond beside some hundred trades: each of them is heard, in order."""

    async def story(served: Served) -> None:
        async with connect(served.url, ping_interval=None) as client:
            await client.send(json.dumps({"method": "SUBSCRIBE", "params": ["trade.SOL_USDC"]}))
            while not served.endpoint.publisher.subscriptions.has(_STREAM):
                await asyncio.sleep(0.01)
            told = asyncio.create_task(_trades(client.recv))
            for number in range(TRADES):
                served.place(ANN, c.Side.ASK, 200, 1)
                served.place(BOB, c.Side.BID, 200, 1)
                await asyncio.sleep(0.005 if number % 7 == 0 else 0)
            numbers = await told
            assert numbers == sorted(set(numbers))
            assert len(numbers) == TRADES

    watched(story, Bounds(ping_seconds=0.001, pong_seconds=PATIENCE))


async def _trades(receive: Callable[[], Awaitable[str | bytes]]) -> list[int]:
    return [json.loads(await receive())["data"]["t"] for _ in range(TRADES)]
