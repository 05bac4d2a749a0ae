"""The endpoint over real sockets: who hears what, what is refused, and who is cut off."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from solvent.domain import commands as c
from solvent.domain.units import PRICE_SCALE
from solvent.service.api.front import Front
from solvent.service.streams.sockets import Bounds
from solvent.service.streams.subscriptions import Topic
from tests.service.streams.served import ANN, BOB, NOW_MS, SOL, Client, Served, in_loop, serving
from tests.service.streams.stage import Message

BID, ASK = c.Side.BID, c.Side.ASK
OWN = "account.orderUpdate"


def test_a_trade_is_heard_on_every_stream() -> None:
    """Case f05: the number of a best price is a number, not a text."""

    async def story(served: Served) -> None:
        streams = ["depth", "bookTicker", "trade", "ticker", "kline.1m", "markPrice"]
        async with served.client() as client:
            await client.subscribe(*(f"{stream}.SOL_USDC" for stream in streams))
            served.place(ANN, ASK, 200, 3000)
            served.place(BOB, BID, 200, 1000)
            served.quote(201)
            heard: dict[str, Message] = {}
            while len(heard) < len(streams):
                message = await client.hear()
                heard[message.stream.removesuffix(".SOL_USDC")] = message
            now = served.now
        assert heard["trade"].data == {
            "e": "trade",
            "E": now - 10**6,
            "s": "SOL_USDC",
            "T": now - 10**6,
            "p": "200",
            "q": "1",
            "b": "2",
            "a": "1",
            "t": 1,
            "m": False,
        }
        assert heard["depth"].levels("a") == {"200": "2"}
        assert heard["bookTicker"].data.keys() == set("eEsTaAbBu")
        assert type(heard["bookTicker"].data["u"]) is int
        assert heard["bookTicker"].number("u") == heard["depth"].number("u")
        assert heard["ticker"].data.keys() == set("eEsoclhvVn")
        assert heard["kline.1m"].data.keys() == set("eEstToclhvnX")
        assert heard["markPrice"].data.keys() == set("eEspfinT")

    in_loop(story)


def test_private_streams_are_heard_by_their_owner_alone() -> None:
    async def story(served: Served) -> None:
        async with served.client() as ann, served.client() as bob:
            await ann.subscribe(OWN, "account.balanceUpdate", signature=served.sign(ANN))
            await bob.subscribe(f"{OWN}.SOL_USDC", signature=served.sign(BOB))
            served.place(ANN, ASK, 200, 1000)
            served.place(BOB, BID, 200, 1000)
            kinds = [(await bob.hear()).text("e") for _ in range(2)]
            assert kinds == ["orderAccepted", "orderFill"]
            first, second = await ann.hear(), await ann.hear()
            assert [first.text("e"), second.text("e")] == ["orderAccepted", "orderFill"]
            assert second.data["m"] is True
            shown: dict[str, tuple[str, str]] = {}
            while shown.get("SOL") != ("9999", "0") or shown.get("USDC") != ("1000200", "0"):
                message = await ann.hear()
                assert message.stream == "account.balanceUpdate"
                shown[message.text("a")] = message.text("A"), message.text("L")

    in_loop(story)


def test_an_order_is_told_with_all_its_fields() -> None:
    async def story(served: Served) -> None:
        async with served.client() as client:
            await client.subscribe(OWN, signature=served.sign(BOB))
            served.place(ANN, ASK, 200, 500)
            served.apply(
                c.PlaceOrder(
                    BOB, SOL, BID, c.OrderType.MARKET, quote_quantity=100 * 10**6, client_id=7
                )
            )
            accepted, filled, ended = [await client.hear() for _ in range(3)]
        head = {"E": served.now, "T": served.now, "s": "SOL_USDC", "c": 7, "S": "Bid"}
        head |= {"o": "MARKET", "f": "GTC", "Q": "100", "i": "2", "V": "RejectTaker"}
        head |= {"O": "USER", "y": False, "r": False}
        assert accepted.data == head | {"e": "orderAccepted", "X": "New", "z": "0", "Z": "0"}
        assert filled.data == head | {
            "e": "orderFill",
            "X": "PartiallyFilled",
            "z": "0.5",
            "Z": "100",
            "t": 1,
            "l": "0.5",
            "L": "200",
            "m": False,
            "n": "0",
            "N": "USDC",
        }
        # How an order by quote ended is known when nothing more of the quote buys a lot.
        assert ended.data == head | {
            "e": "orderExpired",
            "X": "Filled",
            "R": "ImmediateOrCancel",
            "z": "0.5",
            "Z": "100",
        }

    in_loop(story)


def test_an_order_that_waits_is_told_as_it_waits_enters_and_fails() -> None:
    async def story(served: Served) -> None:
        async with served.client() as client:
            await client.subscribe(OWN, signature=served.sign(BOB))
            placed_at = served.now
            for quantity in (1, 10**6):
                order = c.PlaceOrder(
                    BOB, SOL, ASK, price=210 * PRICE_SCALE, quantity=quantity * 10**9, client_id=7
                )
                served.apply(c.waiting_order(order, 190 * PRICE_SCALE, c.TriggerBy.INDEX))
            served.quote(189)
            heard = [await client.hear() for _ in range(4)]
        head = {"s": "SOL_USDC", "c": 7, "S": "Ask", "o": "LIMIT", "f": "GTC", "p": "210"}
        head |= {"P": "190", "B": "IndexPrice", "z": "0", "Z": "0", "V": "RejectTaker", "O": "USER"}
        head |= {"y": False, "r": False}
        first = head | {"i": "1", "q": "1", "Y": "1"}
        second = head | {"i": "2", "q": "1000000", "Y": "1000000"}
        then, now = {"E": placed_at, "T": placed_at}, {"E": served.now, "T": served.now}
        waits = {"e": "triggerPlaced", "X": "TriggerPending"}
        fails = {"e": "triggerFailed", "X": "TriggerFailed", "R": "InsufficientFunds"}
        assert [each.data for each in heard] == [
            first | then | waits,
            second | then | waits,
            first | now | {"e": "orderAccepted", "X": "New"},
            second | now | fails,
        ]

    in_loop(story)


FRAMES = [
    ("", 4001),
    ("null", 4001),
    ("[]", 4001),
    ("{", 4001),
    ('{"method":"SUBSCRIBE"}', 4001),
    ('{"method":"SUBSCRIBE","params":[]}', 4001),
    ('{"method":"SUBSCRIBE","params":"trade.SOL_USDC"}', 4001),
    ('{"method":"SUBSCRIBE","params":[1]}', 4001),
    ('{"method":"subscribe","params":["trade.SOL_USDC"]}', 4001),
    ('{"method":["SUBSCRIBE"],"params":["trade.SOL_USDC"]}', 4001),
    ('{"method":"SUBSCRIBE","method":"SUBSCRIBE","params":["trade.SOL_USDC"]}', 4001),
    ('{"method":"SUBSCRIBE","params":["trade.SOL_USDC"],"more":1}', 4001),
    ('{"method":"SUBSCRIBE","params":["trade.SOL_USDC"],"signature":["a"]}', 4001),
    ('{"method":"SUBSCRIBE","params":["trade.SOL_USDC"],"signature":"abcd"}', 4001),
    ('{"method":"SUBSCRIBE","params":["trade.SOL_USDC","trade.XRP_USDC"]}', 4006),
    ('{"method":"SUBSCRIBE","params":["trade"]}', 4006),
    ('{"method":"SUBSCRIBE","params":["kline.7m.SOL_USDC"]}', 4006),
    ('{"method":"UNSUBSCRIBE","params":["nothing.SOL_USDC"]}', 4006),
    ('{"method":"SUBSCRIBE","params":["account.orderUpdate"]}', 4002),
    ('{"method":"SUBSCRIBE","params":["account.orderUpdate"],"signature":["a","b","c","d"]}', 4002),
    (json.dumps({"method": "SUBSCRIBE", "params": ["trade.SOL_USDC"] * 600}), 4003),
]


@pytest.mark.parametrize(("frame", "code"), FRAMES)
def test_a_bad_frame_is_answered_and_changes_nothing(frame: str, code: int) -> None:
    async def story(served: Served) -> None:
        async with served.client() as client:
            await client.socket.send(frame)
            error = await client.error()
            assert error["code"] == code
            if code == 4006:
                assert error["message"] == "Invalid stream"
            served.place(ANN, ASK, 200, 1000)
            served.place(BOB, BID, 200, 1000)
            await client.subscribe("trade.SOL_USDC")

    in_loop(story)


def test_a_signature_by_another_key_is_refused() -> None:
    async def story(served: Served) -> None:
        async with served.client() as client:
            good, other = served.sign(ANN), served.sign(BOB)
            forged = [good[0], other[1], *good[2:]]
            later = [*good[:2], str(NOW_MS + 1), good[3]]
            old = served.sign(ANN, NOW_MS - 5001)
            for signature in (forged, later, old, [*good[:3], "60000"]):
                frame = {"method": "SUBSCRIBE", "params": [OWN], "signature": signature}
                await client.say(frame)
                assert (await client.error())["code"] == 4002
            served.place(ANN, ASK, 200, 1000)
            await client.settle()

    in_loop(story)


def test_silent_streams_are_accepted() -> None:
    async def story(served: Served) -> None:
        async with served.client() as client:
            own = ("account.positionUpdate", "account.rfqUpdate")
            silent = (*own, *(f"{name}.SOL_USDC" for name in (*own, "openInterest")))
            await client.subscribe(*silent, signature=served.sign(ANN))
            served.place(ANN, ASK, 200, 1000)
            served.place(BOB, BID, 200, 1000)
            served.quote(201)
            await client.settle()

    in_loop(story)


def test_unsubscribing_ends_a_stream_and_leaves_the_others() -> None:
    async def story(served: Served) -> None:
        async with served.client() as client:
            await client.subscribe("trade.SOL_USDC", "bookTicker.SOL_USDC")
            await client.subscribe(OWN, signature=served.sign(ANN))
            await client.unsubscribe("trade.SOL_USDC", OWN)
            served.place(ANN, ASK, 200, 1000)
            served.place(BOB, BID, 200, 400)
            assert (await client.hear()).stream == "bookTicker.SOL_USDC"
            await client.settle()

    in_loop(story)


async def _said(client: Client, *frames: str | bytes) -> tuple[int | None, str | None]:
    for frame in frames:
        await client.socket.send(frame)
    return await client.ended()


def test_who_breaks_a_bound_is_cut_off_with_a_reason() -> None:
    async def story(served: Served) -> None:
        async with served.client() as client:
            assert await _said(client, "x" * 3000) == (1009, "a frame has at most 2000 bytes")
        async with served.client() as client:
            assert await _said(client, *["{"] * 5) == (1008, "too many invalid frames")
        async with served.client() as client:
            frame = json.dumps({"method": "SUBSCRIBE", "params": ["trade.SOL_USDC"]})
            assert await _said(client, *[frame] * 9) == (1008, "more than 8 frames in a minute")
        async with served.client() as client:
            assert await client.ended() == (1008, "idle: nothing was subscribed to")

    in_loop(story, Bounds(frame_bytes=2000, errors=5, frames_per_minute=8, idle_seconds=0.2))


def test_who_disconnects_listens_no_more() -> None:
    async def story(served: Served) -> None:
        async with served.client() as kept:
            await kept.subscribe("trade.SOL_USDC")
            async with served.client() as client:
                await client.subscribe("trade.SOL_USDC")
                client.socket.transport.abort()
            while served.endpoint.connections > 1:
                await asyncio.sleep(0.01)
            served.place(ANN, ASK, 200, 1000)
            served.place(BOB, BID, 200, 1000)
            assert (await kept.hear()).number("t") == 1

    in_loop(story)


def test_connections_beyond_the_bound_are_refused() -> None:
    async def story(served: Served) -> None:
        async with served.client(), served.client():
            with pytest.raises(InvalidStatus) as refused:
                await connect(served.url)
            assert refused.value.response.status_code == 403
        while served.endpoint.connections:
            await asyncio.sleep(0.01)
        async with served.client() as client:
            await client.settle()

    in_loop(story, Bounds(per_address=2))


def test_only_the_root_path_and_known_origins_are_served() -> None:
    async def run() -> None:
        async with serving(front=Front(("https://market.example",))) as served:
            for url, origin in (
                (f"{served.url}/other", "https://market.example"),
                (served.url, "https://evil.example"),
            ):
                with pytest.raises(InvalidStatus):
                    await connect(url, origin=Origin(origin))
            async with connect(served.url, origin=Origin("https://market.example")) as socket:
                await socket.send("{")
                assert "4001" in str(await socket.recv())

    asyncio.run(run())


SLOW = Bounds(messages=300, cut_seconds=0.2)
PATIENT = SLOW._replace(cut_seconds=10)


async def _trade(served: Served, trades: int) -> None:
    for _ in range(trades):
        served.place(ANN, ASK, 200, 1)
        served.place(BOB, BID, 200, 1)


def test_a_slow_client_is_cut_off_and_delays_nobody() -> None:
    async def story(served: Served) -> None:
        async with served.client() as quick, served.client(reads=False) as slow:
            await quick.subscribe("trade.SOL_USDC")
            await slow.subscribe("trade.SOL_USDC", OWN, signature=served.sign(BOB))
            trades = 0
            while served.endpoint.connections == 2:
                await _trade(served, 50)
                for _ in range(50):
                    trades += 1
                    assert (await quick.hear()).number("t") == trades
            code, _ = await slow.ended()
            assert code in (1006, 1008)

    in_loop(story, SLOW)


def test_a_client_that_reads_again_learns_why_it_was_cut_off() -> None:
    async def story(served: Served) -> None:
        async with served.client(reads=False) as slow:
            await slow.subscribe("trade.SOL_USDC", OWN, signature=served.sign(BOB))
            while served.publisher.subscriptions.has(Topic("trade.SOL_USDC")):
                await _trade(served, 50)
                await asyncio.sleep(0.001)
            assert await slow.ended() == (1008, "too slow: 301 messages waited to be read")

    in_loop(story, PATIENT)


def test_everybody_is_told_when_the_service_ends() -> None:
    async def story(served: Served) -> None:
        async with served.client() as first, served.client() as second:
            await first.subscribe("trade.SOL_USDC")
            await second.settle()
            await served.endpoint.close()
            for client in (first, second):
                assert await client.ended() == (1001, "the service is shutting down")
            with pytest.raises((InvalidStatus, ConnectionClosed)):
                await connect(served.url)

    in_loop(story)
