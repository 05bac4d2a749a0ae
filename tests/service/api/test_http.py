"""HTTP: what is refused before a handler runs, and what was once carried out and must not be."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from solvent.service.api import bodies
from solvent.service.api.buckets import RATES, Buckets, Rate
from solvent.service.api.http import App
from solvent.service.core.keys import Role
from solvent.service.serve import application
from tests.proof import proves
from tests.service.harness import Client, House, with_house

BATCHES: list[tuple[list[Any], str]] = [
    ([{"verb": ["lend"]}], "commands[0]: verb must be one of"),
    ([{"verb": {}}], "commands[0]: verb must be one of"),
    (["lend"], "commands[0]: verb must be one of"),
    ([{"verb": "cancelAll"}, {"verb": "lend", "amount": "1"}], "commands[1]: unknown field"),
    ([{"verb": "lend", "symbol": "SOL", "quantity": "9" * 20}], "is too large"),
    ([{"verb": "borrow", "symbol": "SOL", "quantity": "9223372036.854775808"}], "too large"),
]


@pytest.mark.parametrize(("commands", "said"), BATCHES)
def test_a_batch_with_a_wrong_item_is_refused_whole(
    tmp_path: Path, commands: list[Any], said: str
) -> None:
    async def story(house: House) -> None:
        before = house.node.market.commands
        reply = await house.ann.send_digest(
            "/solvent/v1/batch", "batchExecute", {"commands": commands}
        )
        assert reply.status_code == 400
        assert said in reply.json()["message"]
        assert house.node.market.commands == before

    with_house(tmp_path, story)


MISSING = [
    ("oracle", "oracle/halt", "oracleHalt", {"symbol": "BTC"}, "halted"),
    ("oracle", "oracle/halt", "oracleHalt", {"symbol": "BTC", "halted": None}, "halted"),
    ("funder", "admin/deposits", "adminDeposit", {"symbol": "BTC", "quantity": "1"}, "account"),
    ("risk", "risk/proposals", "riskPropose", {"field": "POOL_FEE"}, "value"),
]


@pytest.mark.parametrize(("who", "path", "instruction", "fields", "name"), MISSING)
def test_what_is_missing_is_not_made_up(
    tmp_path: Path, who: str, path: str, instruction: str, fields: dict[str, Any], name: str
) -> None:
    async def story(house: House) -> None:
        before = house.node.market.engine.state_hash()
        signed = {key: value for key, value in fields.items() if value is not None}
        client = house.client(who)
        headers = client.headers(instruction, signed)
        reply = await house.http.post(f"/solvent/v1/{path}", json=fields, headers=headers)
        assert (reply.status_code, reply.json()["message"]) == (400, f"{name} is missing")
        assert house.node.market.engine.state_hash() == before

    with_house(tmp_path, story)


def test_an_unknown_field_of_a_quote_is_refused(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        quote = {"symbol": "SOL", "bid": "1", "ask": "1", "last": "1", "sauce": 1}
        reply = await house.client("oracle").send_digest(
            "/solvent/v1/oracle/prices", "oraclePrices", {"prices": [quote]}
        )
        assert (reply.status_code, reply.json()["message"]) == (
            400,
            "prices: unknown field 'sauce'",
        )

    with_house(tmp_path, story)


@proves("I34")
@pytest.mark.parametrize("name", ["X-API-Key", "X-Signature", "X-Timestamp", "X-Window"])
def test_a_header_of_a_signature_that_comes_twice_is_refused(tmp_path: Path, name: str) -> None:
    """Also when both say the same: another reader might take the other one."""

    async def story(house: House) -> None:
        headers = house.ann.headers("collateralQuery", {})
        for second in (headers[name], "AAAA"):
            doubled = [*headers.items(), (name, second)]
            reply = await house.http.get("/api/v1/capital/collateral", headers=doubled)
            assert reply.status_code == 400
            assert reply.json() == {
                "code": "INVALID_CLIENT_REQUEST",
                "message": f"{name} comes more than once",
            }
        reply = await house.http.get("/api/v1/capital/collateral", headers=headers)
        assert reply.status_code == 200

    with_house(tmp_path, story)


ENDLESS = Rate(10**9, 10**9)


@pytest.mark.parametrize(("kind", "shares"), [("account", True), ("key", False)])
def test_keys_of_one_account_share_its_bucket(tmp_path: Path, kind: str, shares: bool) -> None:
    """A second key brings no more room; a request that can only reduce risk has its own."""

    async def story(house: House) -> None:
        rates = dict.fromkeys(RATES, ENDLESS) | {kind: Rate(1, 2)}
        transport = httpx.ASGITransport(application(house.node, Buckets(rates)))
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as asked:
            first, second = Client(asked, "ann"), Client(asked, "ann's other key")
            await house.admit(second, Role.USER, house.accounts[first.public])
            path, instruction = "/api/v1/capital/collateral", "collateralQuery"
            codes = [(await first.get(path, instruction)).status_code for _ in range(3)]
            assert codes == [200, 200, 429]
            reply = await second.get(path, instruction)
            assert reply.status_code == (429 if shares else 200)
            if shares:
                assert reply.json()["code"] == "TOO_MANY_REQUESTS"
                assert reply.headers["retry-after"] == "1"
            fields = {"symbol": "SOL_USDC"}
            reply = await first.send("DELETE", "/api/v1/orders", "orderCancelAll", **fields)
            assert reply.status_code == 200

    with_house(tmp_path, story)


def test_another_account_has_a_bucket_of_its_own(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        rates = dict.fromkeys(RATES, ENDLESS) | {"account": Rate(1, 1)}
        transport = httpx.ASGITransport(application(house.node, Buckets(rates)))
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as asked:
            for name in ("ann", "bob"):
                client = Client(asked, name)
                path = "/api/v1/capital/collateral"
                assert (await client.get(path, "collateralQuery")).status_code == 200
                assert (await client.get(path, "collateralQuery")).status_code == 429

    with_house(tmp_path, story)


def test_a_step_of_time_that_is_refused_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """More than a year after the last one: the market's clock would stand still unnoticed."""

    async def story(house: House) -> None:
        before = house.node.market.engine.now
        caplog.clear()
        with caplog.at_level(logging.ERROR, "solvent.node"):
            await house.node.step_to(before + 3600 * 10**6)
        assert caplog.messages == []
        now = house.node.market.engine.now
        assert now == before + 3600 * 10**6
        with caplog.at_level(logging.ERROR, "solvent.node"):
            await house.node.step_to(now + 400 * 24 * 3600 * 10**6)
        assert caplog.messages == ["a step of time was refused: the market's time stands still"]
        assert house.node.market.engine.now == now

    with_house(tmp_path, story)


# Bodies that come too slowly.


async def _ask(app: App, receive: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """What a request of this body is answered."""
    said: dict[str, Any] = {}

    async def send(message: Any) -> None:
        said.update(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/order",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    return said


def test_bodies_that_come_too_slowly_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own time from its own start, and a caller that goes away is no slow body."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 1.0)

    async def story(house: House) -> None:
        app = application(house.node)
        never = asyncio.Event()

        async def drip() -> dict[str, Any]:
            await asyncio.sleep(0.05)
            return {"type": "http.request", "body": b" ", "more_body": True}

        async def nothing() -> dict[str, Any]:
            await never.wait()
            return {}

        async def whole() -> dict[str, Any]:
            await asyncio.sleep(0.1)
            return {"type": "http.request", "body": b"{}", "more_body": False}

        for _ in range(2):
            slow = [asyncio.create_task(_ask(app, drip))]
            await asyncio.sleep(0.05)
            gone = asyncio.create_task(_ask(app, nothing))
            slow.append(asyncio.create_task(_ask(app, nothing)))
            quick = await _ask(app, whole)
            assert quick["status"] != 408
            gone.cancel()
            assert [(await each)["status"] for each in slow] == [408, 408]
            with pytest.raises(asyncio.CancelledError):
                await gone
            assert not any(task.cancelling() for task in slow)

    with_house(tmp_path, story)
