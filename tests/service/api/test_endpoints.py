"""Every endpoint answers an example as the published schemas say.

One house lives through lending, borrowing, trading, interest, a withdrawal, dust and a liquidation;
then each example runs against it, on an engine of each kind. An endpoint without an example fails.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from solvent.domain.engine_face import EngineFactory
from solvent.domain.units import HOUR, SECOND
from solvent.engine.engine import FastEngine
from solvent.receipts.verify.check import verify_receipt
from solvent.reference.engine import ReferenceEngine
from solvent.service.api.endpoints import JSON, Endpoint
from solvent.service.core.node import Demo, wall_clock
from solvent.service.routes.all import ENDPOINTS
from solvent.service.routes.receipts import LINES_TYPE
from tests.service.api.examples import EXAMPLES, LISTS, Example
from tests.service.api.published import answer_of, problems
from tests.service.harness import Client, House, opened
from tests.service.players import Still
from tests.tables.market import plain_parameters, with_setting

STATUS = {
    "GET /wapi/v1/capital/withdrawals/delay": 204,
    "POST /wapi/v1/capital/withdrawals/delay": 400,
    "PATCH /wapi/v1/capital/withdrawals/delay": 400,
}
EMPTY = {
    "/api/v1/openInterest",
    "/api/v1/fundingRates",
    "/api/v1/securities",
    "/api/v1/market-sessions",
    "/api/v1/position",
    "/wapi/v1/history/position",
    "/wapi/v1/history/funding",
    "/api/v1/wallets",
}
"""Lists that are always empty; every other list has rows to look at."""
PAGES = ("x-page-count", "x-current-page", "x-page-size", "x-total")
PAGED = ("/wapi/v1/history/", "/wapi/v1/capital/deposits", "/wapi/v1/capital/withdrawals")
SETTINGS = (
    "USDC pool.fee 0.1",
    "USDC pool.curve.points 0:0.1 1:0.5",
    "SOL pool.curve.points 0:0.1 1:0.5",
    "waterfall.book_fee 0.01",
    "taker_fee 0.01",
)


class Street:
    """A house in which much has happened, on a loop of its own."""

    def __init__(self, folder: Path, engines: EngineFactory) -> None:
        self.runner = asyncio.Runner()
        parameters = plain_parameters()
        for setting in SETTINGS:
            parameters = with_setting(parameters, setting.split())
        parameters = replace(parameters, start_time=wall_clock())
        self.house: House = self.runner.run(opened(folder, parameters, engines))
        self.house.node.demo = Demo(Still())
        self.runner.run(self._live())

    def close(self) -> None:
        """End in order."""
        self.runner.run(self.house.http.aclose())
        self.runner.run(self.house.node.close())
        self.runner.close()

    async def _live(self) -> None:
        house = self.house
        await house.start()
        for number in (1, 2):
            fields = {"symbol": "BTC", "field": "POOL_FEE", "value": number}
            reply = await house.client("risk").send(
                "POST", "/solvent/v1/risk/proposals", "riskPropose", **fields
            )
            assert reply.json() == {"state": "waiting", "proposal": number}
        ann, bob, eve = house.ann, house.bob, house.client("eve")
        await house.open(eve)
        dan = house.client("dan")
        await house.open(dan)
        await house.give(dan, SOL="0.00005")
        zoe = house.client("zoe")
        await house.open(zoe, "blp")
        fields = {"symbol": "SOL", "quantity": "1"}
        await zoe.send("POST", "/solvent/v1/backstop", "backstopPost", **fields)
        fields = {"quantity": "100", "premium": "0.01"}
        await zoe.send("POST", "/solvent/v1/standby", "standbyPost", **fields)
        await self._provide(house)
        await house.give(eve, SOL="1000", BTC="0.00001")
        fay = house.client("fay")
        await house.open(fay)
        await house.give(fay, BTC="1")
        await _done(ann, "borrowLend", "borrowLendExecute", symbol="USDC", quantity="500000")
        for who, quantity in ((bob, "1000"), (eve, "150000"), (fay, "90000")):
            await _done(
                who, "borrowLend", "borrowLendExecute", "Borrow", symbol="USDC", quantity=quantity
            )
        await _order(ann, "Ask", "210", "5", clientId=7)
        await _order(bob, "Bid", "190", "1000", clientId=8)
        await _order(bob, "Bid", "210", "2")
        await _done(eve, "account/convertDust", "convertDust", symbol="BTC")
        await _withdraw(bob, symbol="SOL", quantity="1", clientId="w-1")
        await _withdraw(eve, symbol="USDC", quantity="150000")
        await _withdraw(fay, symbol="USDC", quantity="90000")
        later = wall_clock() + 2 * HOUR
        await house.node.step_to(later)
        await house.quote()
        await house.quote(SOL=160)
        await house.node.step_to(later + HOUR)
        await house.quote(SOL=160)
        for second in range(1, 4):
            await house.quote(SOL=160, BTC=91_000)
            await house.node.step_to(later + HOUR + second * SECOND)

    async def _provide(self, house: House) -> None:
        """A backstop provider with a commitment."""
        pat = house.client("pat")
        fields = {"role": "blp", "publicKey": pat.public, "proof": house.proof(pat, "blp", "new")}
        reply = await house.operator.send_digest("/solvent/v1/admin/accounts", "adminOpen", fields)
        house.accounts[pat.public] = reply.json()["account"]
        await house.give(pat, USDC="100000")
        fields = {"symbol": "SOL", "quantity": "5"}
        reply = await pat.send("POST", "/solvent/v1/backstop", "backstopPost", **fields)
        assert reply.status_code == 200, reply.text

    def send(self, example: Example, endpoint: Endpoint) -> httpx.Response:
        """Carry an example out."""
        return self.runner.run(self._send(example, endpoint))

    async def _send(self, example: Example, endpoint: Endpoint) -> httpx.Response:
        client = self.house.client(example.who)
        fields = dict(example.fields)
        fields = self.house.filled(fields, endpoint.path, client)
        if endpoint.instruction is None:
            if endpoint.body is not None:
                return await self.house.http.request(example.method, example.path, json=fields)
            return await self.house.http.get(example.path, params=fields)
        if example.method == "GET":
            return await client.get(example.path, endpoint.instruction, **fields)
        if endpoint.signs_digest:
            return await client.send_digest(
                example.path, endpoint.instruction, fields, method=example.method
            )
        if endpoint.is_batch:
            return await client.send_list(example.path, endpoint.instruction, [fields, fields])
        return await client.send(example.method, example.path, endpoint.instruction, **fields)


async def _done(who: Client, path: str, instruction: str, side: str = "", **fields: Any) -> None:
    if path == "borrowLend":
        fields["side"] = side or "Lend"
    reply = await who.send("POST", f"/api/v1/{path}", instruction, **fields)
    assert (reply.status_code, reply.content) == (200, b""), reply.text


async def _withdraw(who: Client, **fields: Any) -> None:
    fields |= {"address": "home", "blockchain": "Solana"}
    reply = await who.send("POST", "/wapi/v1/capital/withdrawals", "withdraw", **fields)
    assert reply.status_code == 200, reply.text


async def _order(who: Client, side: str, price: str, quantity: str, **fields: Any) -> None:
    fields |= {"side": side, "price": price, "quantity": quantity}
    fields |= {"symbol": "SOL_USDC", "orderType": "Limit"}
    reply = await who.send("POST", "/api/v1/order", "orderExecute", **fields)
    assert reply.status_code == 200, reply.text


@pytest.fixture(scope="module", params=[FastEngine, ReferenceEngine], ids=["fast", "reference"])
def street(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Street]:
    """The house of all examples, on an engine of each kind."""
    street = Street(tmp_path_factory.mktemp("street"), request.param)
    yield street
    street.close()


def test_every_endpoint_has_an_example() -> None:
    served = {(each.method, each.path) for each in ENDPOINTS}
    assert set(EXAMPLES) | {("POST", path) for path in LISTS} == served
    assert len(served) == len(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each.method} {each.path}")
def test_endpoint(street: Street, endpoint: Endpoint) -> None:
    """The example of an endpoint is answered as published."""
    if endpoint.path in LISTS:
        who, name, items = LISTS[endpoint.path]
        client = street.house.client(who)
        body = {name: items}
        reply = street.runner.run(
            client.send_digest(endpoint.path, endpoint.instruction or "", body)
        )
    else:
        reply = street.send(EXAMPLES[endpoint.method, endpoint.path], endpoint)
    status = STATUS.get(f"{endpoint.method} {endpoint.path}", 200)
    assert reply.status_code == status, reply.text
    if status == 400:
        assert reply.json()["code"] == "NOT_IMPLEMENTED"
        assert list(problems(reply.json(), answer_of(endpoint, status))) == []
    elif status == 204 or endpoint.returns is None:
        assert answer_of(endpoint, status) == {}
        assert reply.content == b""
        assert reply.headers["content-length"] == "0"
    elif endpoint.media == LINES_TYPE:
        _check_lines(reply)
    elif endpoint.media != JSON:
        assert reply.headers["content-type"].startswith(endpoint.media)
        assert reply.text
    else:
        _check_json(endpoint, reply)


def _check_lines(reply: httpx.Response) -> None:
    assert reply.headers["content-type"] == "application/x-ndjson"
    documents = [json.loads(line) for line in reply.content.splitlines()]
    assert documents
    assert [problem for document in documents for problem in verify_receipt(document)] == []
    assert int(reply.headers["x-total"]) >= len(documents)


def _check_json(endpoint: Endpoint, reply: httpx.Response) -> None:
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    found = reply.json()
    assert list(problems(found, answer_of(endpoint, 200))) == []
    if isinstance(found, list):
        assert bool(found) == (endpoint.path not in EMPTY)
    if endpoint.method == "GET" and endpoint.path.startswith(PAGED) and isinstance(found, list):
        counts = [int(reply.headers[name]) for name in PAGES]
        assert counts[1] == 1
        assert counts[3] >= len(found)
        assert counts[0] == -(-counts[3] // counts[2])
