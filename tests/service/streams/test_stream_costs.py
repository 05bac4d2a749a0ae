"""What streams cost: handshakes and frames take the tokens of their address, as requests do."""

from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from solvent.service import limits
from solvent.service.api.buckets import Buckets, Rate
from tests.service.streams.served import Served, in_loop


def small(served: Served, tokens: int) -> None:
    """Give each address so many tokens, and none later."""
    served.endpoint.spend = Buckets({"address": Rate(1, tokens)}, clock=lambda: 0).take


def test_frames_that_are_none_are_paid_for_over_connections() -> None:
    """S04: each connection may be wrong so often, but who came again had no bound."""

    async def story(served: Served) -> None:
        small(served, 30 * limits.REFUSED_TOKENS)
        said = [await _wrong(served) for _ in range(2)]
        assert said == ["too many invalid frames", "too many requests of one address"]
        with pytest.raises(InvalidStatus):
            await connect(served.url)
        async with connect(served.url, local_addr=("127.0.0.9", 0)):
            pass

    in_loop(story)


async def _wrong(served: Served) -> str | None:
    """Why a connection is cut that says what is no frame."""
    async with served.client() as client:
        for _ in range(limits.FRAME_ERRORS):
            with suppress(ConnectionClosed):
                await client.say({"method": "NONE"})
        return (await client.ended())[1]


def test_frames_cost_what_requests_do() -> None:
    """S04: a token, and one for each KiB; right ones too, on however many connections."""

    async def story(served: Served) -> None:
        small(served, 2 * limits.HANDSHAKE_TOKENS + 30)
        frame = {"method": "CONNECTION"}
        async with served.client() as first, served.client() as second:
            for _ in range(10):
                await first.say(frame)
                await first.raw()
            await second.say({**frame, "id": "a" * 10_300})
            await second.raw()
            for _ in range(9):
                await first.say(frame)
                await first.raw()
            await second.say(frame)
            assert await second.ended() == (1008, "too many requests of one address")

    in_loop(story)


def test_a_handshake_is_paid_for() -> None:
    async def story(served: Served) -> None:
        small(served, 3 * limits.HANDSHAKE_TOKENS)
        for _ in range(3):
            async with connect(served.url):
                pass
        with pytest.raises(InvalidStatus):
            await connect(served.url)

    in_loop(story)
