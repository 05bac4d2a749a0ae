"""Gateways: processes that listen in the market's place, and whom nobody can tell from it."""

import asyncio
import base64
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from solvent.service.api.buckets import RATES, Buckets, Rate
from solvent.service.core.node import wall_clock
from tests.service.api.malformed import Maker, Request
from tests.service.clients.served import DEMO_KEYS, serving, until
from tests.service.edge.fleet import CONNECTIONS, HOST, Fleet, fleet, gateways, kill
from tests.service.edge.test_places import process_at
from tests.service.harness import Client, endless
from tests.sizes import sized

pytestmark = pytest.mark.slow
MALFORMED = sized(quick=150, usual=2_000, full=20_000)
SECONDS = sized(quick=30, usual=120, full=1_200)
"""After which a story has come to nothing."""
ORDER = "/api/v1/order"
PASSING = (b"date:", b"x-market-time:", b"x-solvent-sequence:")
"""Headers that tell of a moment."""


def with_fleet(folder: Path, story: Callable[[Fleet], Awaitable[None]], **options: Any) -> None:
    """Run a story."""

    async def run() -> None:
        async with fleet(folder, **options) as there, asyncio.timeout(SECONDS):
            await story(there)

    asyncio.run(run())


def bid(number: int, **more: Any) -> dict[str, Any]:
    """An order that rests, far from the market."""
    fields = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "clientId": number}
    return fields | {"price": "100", "quantity": "0.1"} | more


def request(who: Client, fields: dict[str, Any], instruction: str = "orderExecute") -> Any:
    """Headers and body of a request."""
    return who.headers(instruction, fields, window=60_000), json.dumps(fields).encode()


def orders_of(there: Fleet, who: Client) -> list[Any]:
    """The orders that rest."""
    return list(there.house.node.market.orders.of(there.house.accounts[who.public]))


def test_one_request_at_all_gateways_has_one_effect_and_one_answer(tmp_path: Path) -> None:
    async def story(there: Fleet) -> None:
        ann, before = there.house.ann, there.house.node.sequencer.journal.sequence
        connections = there.connections()
        said = await there.everywhere(connections, "POST", ORDER, *request(ann, bid(7)))
        again = await there.everywhere(
            [there.connection(there.own_port)], "POST", ORDER, *request(ann, bid(8))
        )
        assert {each.status_code for each in said + again} == {200}
        assert len({each.content for each in said}) == 1
        assert [each.client_id for each in orders_of(there, ann)] == [7, 8]
        assert there.house.node.sequencer.journal.sequence == before + 2
        # Who asks again where he did not ask first, or of the process itself, gets that answer too.
        fields = request(ann, bid(9))
        one = (await there.everywhere([connections[0]], "POST", ORDER, *fields))[0]
        rest = [*connections[1:], there.connection(there.own_port)]
        said = await there.everywhere(rest, "POST", ORDER, *fields)
        assert {each.content for each in said} == {one.content}
        assert len(orders_of(there, ann)) == 3

    with_fleet(tmp_path, story)


def test_a_key_that_was_removed_is_nobodys_at_once_and_one_let_in_is_somebodys(
    tmp_path: Path,
) -> None:
    async def story(there: Fleet) -> None:
        house, connections = there.house, there.connections()
        operator = there.as_(house.operator, connections[0])
        for turn in range(sized(quick=3, usual=10, full=50)):
            who = house.client(f"comes and goes {turn}")
            fields = {
                "publicKey": who.public,
                "role": "user",
                "proof": house.proof(who, "user", "new"),
            }
            reply = await operator.send_digest("/solvent/v1/admin/accounts", "adminOpen", fields)
            assert reply.status_code == 200
            house.accounts[who.public] = reply.json()["account"]
            said = await there.everywhere(connections, "POST", ORDER, *request(who, bid(1)))
            # Known everywhere: it has no means, which only who is known is told.
            assert {each.json()["code"] for each in said} == {"INSUFFICIENT_FUNDS"}
            path = "/solvent/v1/admin/keys"
            gone = {"publicKey": who.public}
            reply = await operator.send_digest(path, "adminKeyRemove", gone, method="DELETE")
            assert reply.json() == {"state": "made"}
            said = await there.everywhere(connections, "POST", ORDER, *request(who, bid(2)))
            assert {each.status_code for each in said} == {401}

    with_fleet(tmp_path, story)


def test_a_gateway_that_does_not_hear_of_a_removal_is_ended_before_it_is_told(
    tmp_path: Path,
) -> None:
    async def story(there: Fleet) -> None:
        house, deaf = there.house, gateways()[0]
        kill(deaf, signal.SIGSTOP)
        gone = {"publicKey": house.bob.public}
        reply = await house.operator.send_digest(
            "/solvent/v1/admin/keys", "adminKeyRemove", gone, method="DELETE"
        )
        assert reply.json() == {"state": "made"}
        assert deaf not in gateways()
        async with asyncio.timeout(30):
            while len(gateways()) < 2:
                await asyncio.sleep(0.05)
        said = await there.everywhere(
            there.connections(), "POST", ORDER, *request(house.bob, bid(1))
        )
        assert {each.status_code for each in said} == {401}

    with_fleet(tmp_path, story)


@pytest.mark.parametrize("kind", ["key", "account", "address"])
def test_buckets_hold_in_sum(tmp_path: Path, kind: str) -> None:
    size, buckets = 20, endless()
    rates = dict(buckets.rates) | {kind: Rate(1, size)}
    own = Buckets({name: rates[name] for name in RATES})

    async def story(there: Fleet) -> None:
        connections = there.connections()
        start = wall_clock()
        said = []
        for turn in range(4):
            asked = []
            for place, http in enumerate(connections):
                headers, body = request(there.house.ann, bid(100 * turn + place))
                asked.append(http.post(ORDER, content=body, headers=headers))
            said += await asyncio.gather(*asked)
        passed = (wall_clock() - start) // 10**6 + 1
        done = [each for each in said if each.status_code == 200]
        assert size <= len(done) <= size + passed
        others = [each for each in said if each.status_code != 200]
        assert {each.json()["code"] for each in others} == {"TOO_MANY_REQUESTS"}
        assert all(int(each.headers["retry-after"]) >= 1 for each in others)
        assert len(orders_of(there, there.house.ann)) == len(done)

    with_fleet(tmp_path, story, buckets=own)


def test_garbage_at_all_gateways_is_paid_for_at_each(tmp_path: Path) -> None:
    rates = dict(endless().rates) | {"address": Rate(1, 1_000)}

    async def story(there: Fleet) -> None:
        connections, refused = there.connections(), 0
        for _ in range(8):
            for http in connections:
                reply = await http.post(ORDER, content=b"{}")
                refused += reply.status_code != 429
        # Of a thousand tokens each takes a hundred and one; what is told on the way is not counted.
        assert 9 <= refused <= 12

    with_fleet(tmp_path, story, buckets=Buckets(rates))


async def _spoken(port: int, data: bytes) -> list[bytes]:
    """What comes back, without what tells of a moment."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(data)
        async with asyncio.timeout(30):
            said = await reader.read()
    finally:
        writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    return [*sorted(line for line in lines if not line.startswith(PASSING)), body]


def _raw(asked: Request) -> bytes:
    target = asked.path.encode("utf-8", "replace")
    if asked.query:
        target += b"?" + asked.query
    lines = [asked.method.encode() + b" " + target + b" HTTP/1.1", b"host: 127.0.0.1"]
    lines += [name + b": " + value for name, value in asked.headers]
    lines += [b"connection: close", b"content-length: %d" % len(asked.body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + asked.body


def test_malformed_requests_are_answered_in_the_same_bytes(tmp_path: Path) -> None:
    async def story(there: Fleet) -> None:
        maker, found = Maker(15), Counter[bytes]()
        for _ in range(MALFORMED):
            asked = maker.draw()
            data = _raw(asked)
            alone = await _spoken(there.own_port, data)
            status = next(line for line in alone if line.startswith(b"HTTP/"))[9:12]
            if status >= b"300":
                # What is read says of which moment it is.
                assert await _spoken(there.port, data) == alone, asked
            found[status] += 1
        assert {b"400", b"401", b"403", b"404"} <= found.keys(), found

    with_fleet(tmp_path, story)


def test_streams_go_through_a_gateway_and_are_cut_with_their_key(tmp_path: Path) -> None:
    async def story(there: Fleet) -> None:
        house, url = there.house, f"ws://{HOST}:{there.port}"
        async with connect(url) as public, connect(url) as own, connect(url) as other:
            await public.send(json.dumps({"method": "SUBSCRIBE", "params": ["depth.SOL_USDC"]}))
            for socket, who in ((own, house.bob), (other, house.ann)):
                signature = list(who.headers("subscribe", {}).values())
                frame = {"method": "SUBSCRIBE", "params": ["account.orderUpdate"]}
                await socket.send(json.dumps(frame | {"signature": signature}))
            # An answer to another frame says that these were carried out.
            for socket in (public, own, other):
                await socket.send(json.dumps({"method": "CONNECTION"}))
                assert "connection" in json.loads(await socket.recv())
            reply = await there.as_(house.bob, there.connection()).send(
                "POST", ORDER, "orderExecute", **bid(3)
            )
            assert reply.status_code == 200
            assert json.loads(await own.recv())["data"]["c"] == 3
            assert json.loads(await public.recv())["stream"] == "depth.SOL_USDC"
            gone = {"publicKey": house.bob.public}
            await there.as_(house.operator, there.connection()).send_digest(
                "/solvent/v1/admin/keys", "adminKeyRemove", gone, method="DELETE"
            )
            with pytest.raises(ConnectionClosed) as caught:
                await own.recv()
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1008
            await there.as_(house.ann, there.connection()).send(
                "POST", ORDER, "orderExecute", **bid(4)
            )
            assert json.loads(await other.recv())["data"]["c"] == 4

    with_fleet(tmp_path, story)


def test_a_gateway_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async def story(there: Fleet) -> None:
        ann, total = there.house.ann, sized(quick=300, usual=600, full=20_000)
        numbers, first = iter(range(1, total + 1)), dict[int, bytes]()

        async def placed(headers: dict[str, str], body: bytes) -> bytes:
            """The answer, asked for until there is one."""
            while True:
                http = free.pop() if free else there.connection()
                try:
                    reply = await http.post(ORDER, content=body, headers=headers)
                except httpx.TransportError:
                    continue
                free.append(http)
                assert reply.status_code == 200, reply.text
                return reply.content

        async def trader() -> None:
            for number in numbers:
                headers, body = request(ann, bid(number, timeInForce="IOC"))
                first[number] = await placed(headers, body)
                sent[number] = headers, body

        free: list[httpx.AsyncClient] = []
        sent: dict[int, Any] = {}
        trading = asyncio.gather(*(trader() for _ in range(CONNECTIONS)))
        kills = 0
        while not trading.done():
            await asyncio.sleep(0.2)
            if len(gateways()) == 2 and not trading.done():
                kill(gateways()[kills % 2])
                kills += 1
        await trading
        assert kills
        # Orders are numbered one after another, so none was placed twice.
        assert {int(json.loads(each)["id"]) for each in first.values()} == set(range(1, total + 1))
        headers, body = request(ann, bid(total + 1))
        reply = await there.connection().post(ORDER, content=body, headers=headers)
        assert reply.json()["id"] == str(total + 1)
        again = there.connection(there.own_port)
        for number in list(first)[-CONNECTIONS:]:
            headers, body = sent[number]
            reply = await again.post(ORDER, content=body, headers=headers)
            assert reply.content == first[number]

    with_fleet(tmp_path, story)


def _are_gone(processes: list[int]) -> bool:
    return not any(Path(f"/proc/{each}").exists() for each in processes)


def test_a_writer_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Its gateways end with it, and whoever asks the next one again gets the first answer."""
    key = DEMO_KEYS["user"]
    who = SigningKey(base64.b64decode(key.secret))
    options = ("--demo", "--gateways", "2")
    sent: dict[int, Any] = {}
    first: dict[int, bytes] = {}

    def asked(number: int) -> Any:
        if number not in sent:
            fields = bid(number, price="1", quantity="10", timeInForce="IOC")
            words = "".join(f"&{name}={fields[name]}" for name in sorted(fields))
            stamp = wall_clock() // 1000
            text = f"instruction=orderExecute{words}&timestamp={stamp}&window=60000"
            signed = base64.b64encode(who.sign(text.encode()).signature).decode()
            headers = {"X-API-Key": key.public, "X-Signature": signed}
            headers |= {"X-Timestamp": str(stamp), "X-Window": "60000"}
            sent[number] = headers, json.dumps(fields).encode()
        return sent[number]

    async def trade(port: int, numbers: Iterator[int]) -> None:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False) as http:
            with suppress(httpx.TransportError):
                for number in numbers:
                    headers, body = asked(number)
                    reply = await http.post(ORDER, content=body, headers=headers)
                    if reply.status_code == 503:
                        assert "ask again" in reply.text
                        return
                    assert reply.status_code == 200, reply.text
                    assert first.setdefault(number, reply.content) == reply.content

    async def trade_all(port: int, numbers: Iterator[int]) -> None:
        await asyncio.gather(*(trade(port, numbers) for _ in range(CONNECTIONS)))

    numbers = iter(range(1, 10**6))
    for _ in range(sized(quick=1, usual=3, full=20)):
        with serving(tmp_path, *options, ends=-signal.SIGKILL) as service:
            port = int(service.address.rpartition(":")[2])
            writer = process_at(port)
            orphans = gateways(writer)
            assert len(orphans) == 2
            threading.Timer(1.0, os.kill, (writer, signal.SIGKILL)).start()
            asyncio.run(trade_all(port, numbers))
            until(partial(_are_gone, orphans), 2.0)
    with serving(tmp_path, *options) as service:
        port = int(service.address.rpartition(":")[2])
        asyncio.run(trade_all(port, iter(sent)))
        assert first.keys() == sent.keys()
        ids = {json.loads(each)["id"] for each in first.values()}
        assert len(ids) == len(sent) > CONNECTIONS
        # The account's own history has each of them once, and no other.
        assert sorted(_history(service.rest, key.public, who)) == sorted(ids)
        said = until(partial(_counted, f"{service.rest}/solvent/v1/metrics", "Orders"))
        assert said >= len(sent)


def _history(url: str, public: str, who: SigningKey) -> list[str]:
    """The numbers of all orders of a key's account."""
    found: list[str] = []
    while True:
        stamp = wall_clock() // 1000
        fields = {"limit": "1000", "offset": str(len(found))}
        text = "&".join(f"{name}={value}" for name, value in fields.items())
        text = f"instruction=orderHistoryQueryAll&{text}&timestamp={stamp}&window=60000"
        headers = {
            "X-API-Key": public,
            "X-Signature": base64.b64encode(who.sign(text.encode()).signature).decode(),
            "X-Timestamp": str(stamp),
            "X-Window": "60000",
        }
        reply = httpx.get(
            f"{url}/wapi/v1/history/orders", params=fields, headers=headers, trust_env=False
        )
        assert reply.status_code == 200, reply.text
        rows = reply.json()
        found += [row["id"] for row in rows]
        if not rows:
            return found


def _counted(url: str, tag: str) -> float:
    """How many requests were answered with 200, as the metrics of all processes say."""
    lines = httpx.get(url, trust_env=False).text.splitlines()
    words = ("solvent_requests_total{", f'tag="{tag}"', 'status="200"')
    found = [line for line in lines if all(word in line for word in words)]
    return float(found[0].split()[-1]) if found else 0.0
