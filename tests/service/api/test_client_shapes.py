"""What published clients send and expect, as running them showed.

docs/decisions/2026-11-30-client-shapes.md says what each case is one of.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from solvent.domain.units import PRICE_SCALE, SECOND
from solvent.service.api.endpoints import Endpoint
from solvent.service.core.node import wall_clock
from solvent.service.limits import KLINES_MOST
from solvent.service.routes.all import ENDPOINTS
from solvent.service.routes.market_data import change_text
from tests.service.api.examples import EXAMPLES
from tests.service.api.published import openapi
from tests.service.api.published_fields import FIELDS
from tests.service.harness import Client, House, opened, with_house

MARKET = "SOL_USDC"
ORDER: dict[str, Any] = {
    "symbol": MARKET,
    "side": "Bid",
    "orderType": "Limit",
    "price": "190",
    "quantity": "1",
}


async def place(client: Client, **fields: Any) -> httpx.Response:
    """An order."""
    return await client.send("POST", "/api/v1/order", "orderExecute", **{**ORDER, **fields})


async def send_both(
    client: Client, path: str, instruction: str, query: dict[str, Any], body: dict[str, Any]
) -> httpx.Response:
    """A DELETE with fields in query and body, each signed once."""
    headers = client.headers(instruction, query | body)
    return await client.http.request("DELETE", path, params=query, json=body, headers=headers)


# The same field in query and body.


def test_a_field_may_be_in_query_and_body_when_both_say_the_same(tmp_path: Path) -> None:
    """Case f03: a public bot cancels so; numbers and texts of one form are the same."""

    async def story(house: House) -> None:
        ann, path = house.ann, "/api/v1/order"
        for client_id in (5, 6):
            assert (await place(ann, clientId=client_id)).status_code == 200
        number = (await place(ann)).json()["id"]
        by_number = {"orderId": number, "symbol": MARKET}
        reply = await send_both(ann, path, "orderCancel", by_number, by_number)
        assert (reply.status_code, reply.json()["status"]) == (200, "Cancelled")
        by_client = {"clientId": 5, "symbol": MARKET}
        reply = await send_both(ann, path, "orderCancel", {"symbol": MARKET}, by_client)
        assert (reply.status_code, reply.json()["clientId"]) == (200, 5)
        of_market = {"symbol": MARKET}
        reply = await send_both(ann, "/api/v1/orders", "orderCancelAll", of_market, of_market)
        assert [each["clientId"] for each in reply.json()] == [6]
        assert house.node.market.orders.all() == []

    with_house(tmp_path, story)


def test_a_field_that_differs_in_query_and_body_is_refused(tmp_path: Path) -> None:
    """Whichever of the two was signed."""

    async def story(house: House) -> None:
        ann = house.ann
        await place(ann, clientId=5)
        query: dict[str, Any] = {"clientId": 6, "symbol": MARKET}
        body = query | {"clientId": 5}
        for signed in (query, body):
            headers = ann.headers("orderCancel", signed)
            reply = await house.http.request(
                "DELETE", "/api/v1/order", params=query, json=body, headers=headers
            )
            assert reply.status_code == 400
            assert reply.json()["message"] == "clientId is in query and body and differs"
        assert len(house.node.market.orders.all()) == 1

    with_house(tmp_path, story)


# Fields that nobody asked for.


class Asked:
    """A house of which every GET is asked, on a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.house = self.runner.run(opened(folder))
        self.runner.run(self.house.start())

    def get(self, endpoint: Endpoint, **more: str) -> httpx.Response:
        """The example of an endpoint, with more fields."""
        example = EXAMPLES["GET", endpoint.path]
        fields = {name: str(value) for name, value in example.fields.items()} | more
        if endpoint.instruction is None:
            return self.runner.run(self.house.http.get(endpoint.path, params=fields))
        client = self.house.client(example.who)
        return self.runner.run(client.get(endpoint.path, endpoint.instruction, **fields))

    def close(self) -> None:
        """End in order."""
        self.runner.run(self.house.http.aclose())
        self.runner.run(self.house.node.close())
        self.runner.close()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    asked = Asked(tmp_path_factory.mktemp("asked"))
    yield asked
    asked.close()


GETS = [each for each in ENDPOINTS if each.method == "GET"]


@pytest.mark.parametrize("endpoint", GETS, ids=lambda each: str(each.path))
def test_a_query_may_say_more_than_is_asked(asked: Asked, endpoint: Endpoint) -> None:
    """Case f06: clients add `subaccountId`, `limit` and their own; it is signed and passed over."""
    more = {"klinePriceType": "Last", "sauce": "1"}
    plain, answer = asked.get(endpoint), asked.get(endpoint, **more)
    assert answer.status_code == plain.status_code, answer.text
    assert not answer.is_server_error


def test_a_body_or_a_query_that_changes_something_says_no_more_than_is_asked(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        reply = await place(house.ann, sauce="1")
        assert (reply.status_code, reply.json()["message"]) == (400, "unknown field 'sauce'")
        query = {"sauce": "1"}
        reply = await send_both(
            house.ann, "/api/v1/orders", "orderCancelAll", query, {"symbol": MARKET}
        )
        assert (reply.status_code, reply.json()["message"]) == (400, "unknown field 'sauce'")

    with_house(tmp_path, story)


# Ratios and numbers.


@pytest.mark.parametrize(
    ("first", "change", "said"),
    [
        ("327.38", "-10.24", "-0.031279"),
        ("200", "10", "0.05"),
        ("3", "1", "0.333333"),
        ("3", "2", "0.666667"),
        ("3", "-1", "-0.333333"),
        ("3", "-2", "-0.666667"),
        ("150", "0", "0"),
        ("0", "0", "0"),
    ],
)
def test_a_change_is_a_ratio_of_six_digits(first: str, change: str, said: str) -> None:
    """Case f04."""
    prices = [int(float(text) * 100) * PRICE_SCALE // 100 for text in (first, change)]
    assert change_text(prices[0], prices[1]) == said


# Candles.


async def candles(house: House, **fields: Any) -> list[dict[str, Any]]:
    """Candles of the market."""
    reply = await house.http.get("/api/v1/klines", params={"symbol": MARKET, **fields})
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()
    return found


def test_candles_are_a_row_an_interval(tmp_path: Path) -> None:
    """Case f06."""

    async def story(house: House) -> None:
        await place(house.ann, side="Ask", price="200")
        assert (await place(house.bob, price="200", timeInForce="IOC")).json()["status"] == "Filled"
        traded = (await house.http.get("/api/v1/trades", params={"symbol": MARKET})).json()
        second = traded[0]["timestamp"] // 1000
        rows = await candles(house, interval="1s", startTime=second - 29, endTime=second + 1)
        assert len(rows) == 30
        form = "%Y-%m-%d %H:%M:%S"
        times = [datetime.strptime(row["start"], form).replace(tzinfo=UTC) for row in rows]
        assert [int(time.timestamp()) for time in times] == list(range(second - 29, second + 1))
        assert [row["end"] for row in rows[:-1]] == [row["start"] for row in rows[1:]]
        prices = ("open", "high", "low", "close")
        for row in rows[:-1]:
            assert {name: row[name] for name in prices} == dict.fromkeys(prices)
            assert (row["volume"], row["quoteVolume"], row["trades"]) == ("0", "0", "0")
        assert {rows[-1][name] for name in prices} == {"200"}
        assert rows[-1]["trades"] == "1"

    with_house(tmp_path, story)


def test_candles_end_with_the_interval_that_has_begun(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        now = wall_clock() // SECOND
        later = await candles(house, interval="1m", startTime=now - 600, endTime=now + 86_400)
        assert len(later) in (10, 11)
        assert later == await candles(house, interval="1m", startTime=now - 600)
        assert await candles(house, interval="1m", startTime=now + 600) == []
        assert await candles(house, interval="1d", startTime=now, endTime=now) == []
        months = await candles(house, interval="1month", startTime=now - 80 * 86_400)
        assert [row["start"][8:] for row in months] == ["01 00:00:00"] * len(months)
        assert len(months) in (2, 3)
        most = await candles(house, interval="1s", startTime=0)
        assert len(most) <= KLINES_MOST

    with_house(tmp_path, story)


# Objects: every published key, always.


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_an_answer_has_every_published_key_and_no_other(name: str) -> None:
    """One that may be null, and no more than those, is there as null where it does not apply."""
    schema = openapi()["components"]["schemas"][name]
    published = {field.rstrip("?"): field.endswith("?") for field in FIELDS[name]}
    assert set(schema["properties"]) == set(published)
    assert set(schema["required"]) == set(published), "a key may be left out"
    nullable = {field for field, shown in schema["properties"].items() if _is_nullable(shown)}
    assert {field for field in nullable if not published[field]} <= NULL_HERE.get(name, set())


NULL_HERE = {"PositionEstimatedLiquidationPrice": {"liquidationPrice"}}
"""What is null here and not as published: said in COMPATIBILITY.md."""


def _is_nullable(shown: dict[str, Any]) -> bool:
    kinds = shown.get("anyOf", [shown])
    return any(kind.get("type") == "null" for kind in kinds)


def test_orders_and_fills_have_their_optional_keys(tmp_path: Path) -> None:
    """Case f09: also an order by quote, whose quantity is what it got."""

    async def story(house: House) -> None:
        await place(house.ann, side="Ask", price="200", quantity="5")
        fields = {"symbol": MARKET, "side": "Bid", "orderType": "Market", "quoteQuantity": "50"}
        reply = await house.bob.send("POST", "/api/v1/order", "orderExecute", **fields)
        order = reply.json()
        assert (order["quantity"], order["quoteQuantity"]) == ("0.25", "50")
        assert order["executedQuantity"] == "0.25"
        for name in ("clientId", "price", "postOnly", "triggerPrice", "relatedOrderId"):
            assert order[name] is None
        asked = {"orderId": order["id"]}
        (past,) = (
            await house.bob.get("/wapi/v1/history/orders", "orderHistoryQueryAll", **asked)
        ).json()
        assert (past["quantity"], past["quoteQuantity"]) == ("0.25", "50")
        (fill,) = (
            await house.bob.get("/wapi/v1/history/fills", "fillHistoryQueryAll", **asked)
        ).json()
        assert (fill["clientId"], fill["systemOrderType"]) == (None, None)
        resting = (await house.ann.get("/api/v1/orders", "orderQueryAll")).json()[0]
        assert (resting["quoteQuantity"], resting["strategyId"]) == (None, None)

    with_house(tmp_path, story)


# Orders that are not there.


def test_an_order_that_is_not_there_is_a_bad_request_to_cancel(tmp_path: Path) -> None:
    """Case f10: and not found to ask for; an item of a batch says the same."""

    async def story(house: House) -> None:
        ann = house.ann
        for name in ({"orderId": "999999999"}, {"clientId": 4}, {"orderId": "no number"}):
            fields = {"symbol": MARKET, **name}
            reply = await ann.send("DELETE", "/api/v1/order", "orderCancel", **fields)
            assert reply.status_code == 400
            assert reply.json() == {"code": "RESOURCE_NOT_FOUND", "message": "Order Not Found"}
            reply = await ann.get("/api/v1/order", "orderQuery", **fields)
            assert (reply.status_code, reply.json()["code"]) == (404, "RESOURCE_NOT_FOUND")
        batch = {"commands": [{"verb": "cancel", "orderId": 999999999}]}
        (item,) = (await ann.send_digest("/solvent/v1/batch", "batchExecute", batch)).json()
        assert (item["operation"], item["code"]) == ("Err", "RESOURCE_NOT_FOUND")

    with_house(tmp_path, story)


def test_only_a_query_of_one_thing_says_that_it_is_not_there() -> None:
    """404 is published for one GET; what changes something is answered with 400."""
    missing = {
        (method, path)
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
        if "404" in operation["responses"] and not path.startswith("/solvent/")
    }
    assert missing == {("get", "/api/v1/order")}
