"""Costs: limits come before the work that they bound, and who makes work pays for it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from solvent.service import limits, strict_json
from solvent.service.api import http, signing
from solvent.service.api.buckets import Buckets, Rate
from solvent.service.serve import application
from tests.service.harness import Client, House, opened, with_house

NEVER = Rate(10**9, 10**9)
EMPTY_ITEMS = json.dumps([{}] * 21_000, separators=(",", ":")).encode()
ORDER = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "price": "1", "quantity": "1"}


def signature(house: House) -> dict[str, str]:
    """Headers that are well formed and sign nothing."""
    return house.client("nobody").headers("none", {})


class Counted:
    """How often something was called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        self.calls = 0
        real: Callable[..., Any] = getattr(module, name)

        def counting(*given: Any, **named: Any) -> Any:
            self.calls += 1
            return real(*given, **named)

        monkeypatch.setattr(module, name, counting)


def test_a_batch_of_too_many_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S04: 64 KiB of empty orders cost half a second; now no JSON is read, no text is made."""
    assert len(EMPTY_ITEMS) <= limits.BODY_BYTES
    read = Counted(monkeypatch, http, "decode")
    made = Counted(monkeypatch, signing, "_body_pairs")

    async def story(house: House) -> None:
        reads, texts = read.calls, made.calls
        reply = await house.http.post(
            "/api/v1/orders", content=EMPTY_ITEMS, headers=signature(house)
        )
        assert (reply.status_code, reply.json()["message"]) == (400, "at most 100 orders a request")
        assert (read.calls, made.calls) == (reads, texts)

    with_house(tmp_path, story)


SMALL_PARTS = {
    "lists": b"[" + b"[]," * 21_000 + b"[]]",
    "numbers": b"[" + b"0," * 32_000 + b"0]",
    "lists in lists": b"[" + b"[[[[[[[]]]]]]]," * 4_300 + b"[]]",
    "objects and a blank": b"[ " + b"{}," * 21_000 + b"{}]",
    "fields of a list": b'[{"a":[' + b"{}," * 21_000 + b"{}]}]",
    "a field a hundred times": b"[" + b'{"symbol":"SOL","symbol":"SOL"},' * 2_000 + b"{}]",
}


@pytest.mark.parametrize("name", SMALL_PARTS)
@pytest.mark.parametrize("path", ["/api/v1/orders", "/api/v1/order", "/api/v1/borrowLend"])
def test_what_is_of_many_parts_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    """S04: as lists of empty orders, so lists of anything small; nobody is known to have signed."""
    body = SMALL_PARTS[name]
    assert len(body) <= limits.BODY_BYTES
    read = Counted(monkeypatch, strict_json, "_decode_slowly")
    made = Counted(monkeypatch, signing, "_body_pairs")

    async def story(house: House) -> None:
        counts = read.calls, made.calls
        reply = await house.http.post(path, content=body, headers=signature(house))
        assert (reply.status_code, "at most" in reply.json()["message"]) == (400, True)
        assert (read.calls, made.calls) == counts

    with_house(tmp_path, story)


def test_who_signs_bodies_of_many_parts_pays_for_them(tmp_path: Path) -> None:
    """S04: a key that is known may not make others wait by lists that are read and refused."""

    async def story(house: House) -> None:
        body: dict[str, object] = {"commands": [], "more": [[] for _ in range(8_000)]}
        path, instruction = "/solvent/v1/batch", "batchExecute"
        said = [await house.ann.send_digest(path, instruction, body) for _ in range(5)]
        assert [reply.status_code for reply in said] == [400] * 4 + [429]
        more = {"commands": [], "more": ["," * 17_000]}
        reply = await house.bob.send_digest(path, instruction, more)
        assert "at most 16384 brackets and commas" in reply.text

    with_buckets(tmp_path, {"key": Rate(1, 1_000)}, story)


def test_of_a_digest_the_signature_comes_before_the_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Counted(monkeypatch, http, "decode")

    async def story(house: House) -> None:
        reads = read.calls
        body = b'{"commands":' + EMPTY_ITEMS + b"}"
        reply = await house.http.post(
            "/solvent/v1/batch", content=body[: limits.BODY_BYTES], headers=signature(house)
        )
        assert reply.json()["message"] == "Invalid signature"
        assert read.calls == reads

    with_house(tmp_path, story)


@pytest.mark.parametrize("pairs", [65, 1000])
def test_a_query_of_too_many_fields_is_not_taken_apart(tmp_path: Path, pairs: int) -> None:
    async def story(house: House) -> None:
        query = "&".join(f"a{number}=1" for number in range(pairs))[: limits.QUERY_BYTES - 1]
        reply = await house.http.get(f"/api/v1/capital?{query}", headers=signature(house))
        assert (reply.status_code, reply.json()["message"]) == (400, "the query is not well formed")

    with_house(tmp_path, story)


Ask = Callable[[House], Awaitable[httpx.Response]]


def with_buckets(tmp_path: Path, rates: dict[str, Rate], story: Callable[[House], Any]) -> None:
    """Run a story where some buckets are small."""

    async def run() -> None:
        house = await opened(tmp_path)
        try:
            await house.start()
            buckets = Buckets(
                dict.fromkeys(("address", "key", "account", "journal"), NEVER) | rates
            )
            app = application(house.node, buckets)
            transport = httpx.ASGITransport(app=app, client=("10.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://node") as small:
                before, house.http = house.http, small
                house.ann.http = small
                await story(house)
                house.http = before
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(run())


def test_who_is_refused_unknown_pays_for_it(tmp_path: Path) -> None:
    """Also for a body; who signed rightly, and may not, does not pay so."""

    async def story(house: House) -> None:
        headers = signature(house)
        for _ in range(3):
            reply = await house.http.get("/api/v1/capital", headers=headers)
            assert reply.status_code == 400
        reply = await house.http.get("/api/v1/capital", headers=headers)
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "1")

    rate = Rate(1, 3 * (limits.REFUSED_TOKENS + 1))
    with_buckets(tmp_path / "refused", {"address": rate}, story)

    async def forbidden(house: House) -> None:
        for _ in range(20):
            reply = await house.ann.get("/solvent/v1/audit", "auditQuery")
            assert reply.status_code == 403

    with_buckets(tmp_path / "forbidden", {"address": rate}, forbidden)


def test_a_body_costs_a_token_a_kibibyte(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        sized = [await house.http.post("/api/v1/order", content=b" " * 40_000) for _ in range(2)]
        assert [reply.status_code for reply in sized] == [400, 429]

    with_buckets(tmp_path, {"address": Rate(1, 60)}, story)


def batch(client: Client, count: int, number: int) -> Awaitable[httpx.Response]:
    """A signed batch of orders that rest."""
    commands = [
        {"verb": "order", **ORDER, "clientId": number * 1000 + place} for place in range(count)
    ]
    return client.send_digest("/solvent/v1/batch", "batchExecute", {"commands": commands})


@pytest.mark.parametrize("kind", ["key", "account"])
def test_a_command_of_a_batch_costs_a_token(tmp_path: Path, kind: str) -> None:
    """S07: 500 orders counted as one request."""

    async def story(house: House) -> None:
        statuses = [(await batch(house.ann, 40, number)).status_code for number in range(3)]
        assert statuses == [200, 200, 429]
        orders = [ORDER | {"clientId": 90_000 + number} for number in range(25)]
        reply = await house.ann.send_list("/api/v1/orders", "orderExecute", orders)
        assert reply.status_code == 429

    with_buckets(tmp_path, {kind: Rate(1, 100)}, story)


def test_the_bytes_that_an_account_leaves_behind_are_bounded(tmp_path: Path) -> None:
    """S07: by what its journal grows by, to which the bound of an hour is kept."""

    async def story(house: House) -> None:
        taken = 0
        began = time.monotonic()
        for number in range(400):
            reply = await batch(house.ann, 50, number)
            if reply.status_code == 429:
                break
            assert reply.status_code == 200
            taken += 1
        assert 1 < taken < 100
        seconds = time.monotonic() - began
        assert taken * 50 * 100 <= 200_000 + 1_000 * (seconds + 1)
        reply = await house.ann.send(
            "DELETE", "/api/v1/orders", "orderCancelAll", symbol="SOL_USDC"
        )
        assert reply.status_code == 200, "who is throttled can still cancel"

    with_buckets(tmp_path, {"journal": Rate(1_000, 200_000)}, story)
    size, rate = limits.JOURNAL_RATE[1], limits.JOURNAL_RATE[0]
    assert size + 3600 * rate <= 128 * 1024 * 1024


def test_rows_that_are_passed_over_cost_their_address(tmp_path: Path) -> None:
    """S18: a page far back is counted over; the next page by number is not."""

    async def story(house: House) -> None:
        path = "/api/v1/trades/history?symbol=SOL_USDC"
        far = [(await house.http.get(f"{path}&offset=100000")).status_code for _ in range(3)]
        assert far == [200, 200, 429]

    with_buckets(tmp_path / "far", {"address": Rate(1, 2_100)}, story)


def test_rows_that_are_too_far_are_refused_and_cost_nothing(tmp_path: Path) -> None:
    """What no bucket can pay for was refused for ever as too many requests."""
    size, rows = limits.ADDRESS_RATE[1], limits.OFFSET_MOST // limits.OFFSET_ROWS_A_TOKEN

    async def story(house: House) -> None:
        path = "/api/v1/trades/history?symbol=SOL_USDC"
        for offset in (limits.OFFSET_MOST + 1, 2**53 - 1, 2**53, 10**40):
            reply = await house.http.get(f"{path}&offset={offset}")
            assert (reply.status_code, "offset" in reply.text) == (400, True)
        reply = await house.http.get(f"{path}&offset={limits.OFFSET_MOST}")
        assert (reply.status_code, reply.json()) == (200, [])
        assert "x-total" in reply.headers
        assert (await house.http.get(path)).status_code == 200

    spent = 4 * (limits.REFUSED_TOKENS + 1) + rows + 2
    assert spent < size
    with_buckets(tmp_path, {"address": Rate(1, spent)}, story)


def test_trades_are_paged_by_number(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        sell = {"symbol": "SOL_USDC", "side": "Ask", "orderType": "Limit", "price": "200"}
        for who, side in ((house.ann, "Ask"), (house.bob, "Bid")):
            for number in range(7):
                fields = sell | {"side": side, "quantity": f"0.{number + 1}"}
                reply = await who.send("POST", "/api/v1/order", "orderExecute", **fields)
                assert reply.status_code == 200
        path = "/api/v1/trades/history?symbol=SOL_USDC"
        whole = (await house.http.get(path)).json()
        assert len(whole) >= 7
        found, before = [], ""
        while page := (await house.http.get(f"{path}&limit=3{before}")).json():
            found += page
            before = f"&before={page[-1]['id']}"
        assert found == whole

    with_house(tmp_path, story)
