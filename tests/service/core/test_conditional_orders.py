"""Orders that wait for a price, through the API: placed, listed, fired, failed, cancelled, kept."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.proof import proves
from tests.service.harness import Client, House, opened, with_house

MARKET = "SOL_USDC"
STOP: dict[str, Any] = {
    "symbol": MARKET,
    "side": "Ask",
    "orderType": "Market",
    "triggerPrice": "190",
    "triggerQuantity": "2",
}
"""Sells 2 SOL when their mark, 200, has fallen to 190."""


async def place(client: Client, **fields: Any) -> httpx.Response:
    """A stop with other fields; None takes one away."""
    body = {name: value for name, value in (STOP | fields).items() if value is not None}
    return await client.send("POST", "/api/v1/order", "orderExecute", **body)


async def bid(client: Client, price: str, quantity: str) -> None:
    """An order that rests."""
    fields: dict[str, Any] = {"side": "Bid", "orderType": "Limit", "price": price}
    fields["quantity"] = quantity
    fields |= dict.fromkeys(("triggerPrice", "triggerQuantity"))
    assert (await place(client, **fields)).json()["status"] == "New"


async def listed(client: Client) -> list[dict[str, Any]]:
    """What of the client rests or waits."""
    reply = await client.get("/api/v1/orders", "orderQueryAll", symbol=MARKET)
    found: list[dict[str, Any]] = reply.json()
    return found


async def past(client: Client, number: str) -> dict[str, Any]:
    """An order in the history."""
    path = "/wapi/v1/history/orders"
    (row,) = (await client.get(path, "orderHistoryQueryAll", orderId=number)).json()
    found: dict[str, Any] = row
    return found


async def cancel_all(client: Client, **fields: str) -> list[str]:
    """The numbers of the orders that were cancelled."""
    reply = await client.send("DELETE", "/api/v1/orders", "orderCancelAll", symbol=MARKET, **fields)
    assert reply.status_code == 200, reply.text
    assert {each["status"] for each in reply.json()} <= {"Cancelled"}
    return [each["id"] for each in reply.json()]


def test_an_order_waits_and_holds_nothing_until_its_price_is_reached(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ann = house.ann
        placed = (await place(ann, clientId=5)).json()
        shown = {name: placed[name] for name in ("status", "quantity", "triggerQuantity")}
        assert shown == {"status": "TriggerPending", "quantity": "2", "triggerQuantity": "2"}
        shown = {name: placed[name] for name in ("triggerPrice", "triggerBy", "triggeredAt")}
        assert shown == {"triggerPrice": "190", "triggerBy": "MarkPrice", "triggeredAt": None}
        assert await listed(ann) == [placed]
        for name in ({"clientId": 5}, {"orderId": placed["id"]}):
            reply = await ann.get("/api/v1/order", "orderQuery", symbol=MARKET, **name)
            assert reply.json() == placed
        account = (await ann.get("/api/v1/account", "accountQuery")).json()
        assert (account["limitOrders"], account["triggerOrders"]) == (0, 1)
        balances = (await ann.get("/api/v1/capital", "balanceQuery")).json()
        assert balances["SOL"]["locked"] == "0"
        assert (await past(ann, placed["id"]))["status"] == "TriggerPending"

        await bid(house.bob, "188", "5")
        await house.quote(SOL=188)
        assert await listed(ann) == []
        sold = await past(ann, placed["id"])
        assert (sold["status"], sold["executedQuantity"]) == ("Filled", "2")
        assert (sold["triggerPrice"], sold["triggerQuantity"]) == ("190", "2")
        assert sold["triggerBy"] == "MarkPrice"
        (fill,) = (
            await ann.get("/wapi/v1/history/fills", "fillHistoryQueryAll", orderId=placed["id"])
        ).json()
        assert (fill["price"], fill["quantity"], fill["clientId"]) == ("188", "2", "5")
        account = (await ann.get("/api/v1/account", "accountQuery")).json()
        assert account["triggerOrders"] == 0

    with_house(tmp_path, story)


def test_a_limit_order_that_fires_rests_under_its_number(tmp_path: Path) -> None:
    """And says when its price was reached."""

    async def story(house: House) -> None:
        fields: dict[str, Any] = {"orderType": "Limit", "price": "210", "triggerBy": "IndexPrice"}
        # The other name of the quantity.
        fields |= {"triggerQuantity": None, "quantity": "2", "triggerPrice": "205"}
        placed = (await place(house.ann, **fields)).json()
        assert (placed["status"], placed["triggerBy"]) == ("TriggerPending", "IndexPrice")
        await house.quote(SOL=206)
        (now,) = await listed(house.ann)
        assert (now["id"], now["status"], now["price"]) == (placed["id"], "New", "210")
        assert now["triggeredAt"] >= now["createdAt"] == placed["createdAt"]
        depth = (await house.http.get("/api/v1/depth", params={"symbol": MARKET})).json()
        assert depth["asks"] == [["210", "2"]]

    with_house(tmp_path, story)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"orderType": "Limit", "price": "189", "triggerQuantity": "2000"}, "InsufficientFunds"),
        ({"reduceOnly": True, "side": "Bid"}, "ReduceOnlyNotReduced"),
        ({"orderType": "Limit", "price": "100", "postOnly": True}, "PriceOutOfBounds"),
        ({"orderType": "Limit", "price": "187", "postOnly": True}, "PostOnlyTaker"),
    ],
)
def test_an_order_that_is_refused_when_it_fires_has_failed(
    fields: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    async def story(house: House) -> None:
        placed = (await place(house.ann, **fields)).json()
        await bid(house.bob, "188", "5")
        await house.quote(SOL=188)
        assert await listed(house.ann) == []
        failed = await past(house.ann, placed["id"])
        assert (failed["status"], failed["expiryReason"]) == ("TriggerFailed", reason)

    with_house(tmp_path, story)


def test_what_rests_and_what_waits_are_cancelled_apart_or_together(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ann = house.ann

        async def three() -> list[str]:
            await bid(ann, "150", "1")
            for client_id in (1, 2):
                await place(ann, clientId=client_id)
            return [each["id"] for each in await listed(ann)]

        rests, *waiting = await three()
        await place(house.bob)
        assert await cancel_all(ann, orderType="RestingLimitOrder") == [rests]
        assert await cancel_all(ann, orderType="RestingLimitOrder") == []
        assert await cancel_all(ann, orderType="ConditionalOrder") == waiting
        assert sorted(await three()) == sorted(await cancel_all(ann))
        _, first, second = await three()
        for name in ({"orderId": first}, {"clientId": 2}):
            fields = {"symbol": MARKET, **name}
            reply = await ann.send("DELETE", "/api/v1/order", "orderCancel", **fields)
            assert reply.json()["status"] == "Cancelled"
        assert (await past(ann, second))["status"] == "Cancelled"
        reply = await ann.get("/api/v1/order", "orderQuery", symbol=MARKET, orderId=first)
        assert reply.status_code == 404
        assert len(await listed(house.bob)) == 1

    with_house(tmp_path, story)


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"stopLossTriggerPrice": "180"}, "NOT_IMPLEMENTED", "no order is attached to another"),
        ({"takeProfitLimitPrice": "250"}, "NOT_IMPLEMENTED", "no order is attached to another"),
        ({"triggerQuantity": "50%"}, "INVALID_CLIENT_REQUEST", "must be without"),
        ({"slippageTolerance": "1"}, "NOT_IMPLEMENTED", "slippage tolerance is not served"),
        ({"triggerPrice": None}, "INVALID_CLIENT_REQUEST", "given without triggerPrice"),
        ({"quantity": "2"}, "INVALID_CLIENT_REQUEST", "only one of quantity and triggerQuantity"),
        ({"triggerBy": "Moon"}, "INVALID_CLIENT_REQUEST", "known are MarkPrice, LastPrice"),
        ({"triggerPrice": "x"}, "INVALID_PRICE", "triggerPrice"),
        ({"triggerPrice": "200"}, "INVALID_PRICE", "reached already"),
        ({"triggerBy": "LastPrice"}, "INVALID_PRICE", "a price that there is none of"),
        ({"triggerQuantity": None}, "INVALID_QUANTITY", "Invalid quantity"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_cannot_wait_is_refused_with_what_to_do(
    fields: dict[str, Any], code: str, said: str, tmp_path: Path
) -> None:
    async def story(house: House) -> None:
        reply = await place(house.ann, **fields)
        assert reply.json()["code"] == code, reply.text
        assert reply.status_code >= 400
        assert said in reply.json()["message"]
        assert await listed(house.ann) == []

    with_house(tmp_path, story)


def test_orders_that_wait_come_in_batches(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ann, path = house.ann, "/solvent/v1/batch"
        items = [STOP, STOP | {"triggerPrice": "200"}]
        for found in (
            (await ann.send_list("/api/v1/orders", "orderExecute", items)).json(),
            (
                await ann.send_digest(
                    path,
                    "batchExecute",
                    {"commands": [{"verb": "order", **item} for item in items]},
                )
            ).json(),
        ):
            assert [each["operation"] for each in found] == ["Ok", "Err"]
            assert found[0]["status"] == "TriggerPending"
        body = {"commands": [{"verb": "order", **STOP, "triggerQuantity": "50%"}]}
        refused = (await ann.send_digest(path, "batchExecute", body)).json()
        assert refused["code"] == "NOT_IMPLEMENTED"
        assert "per cent of a position is not served" in refused["message"]
        body = {"commands": [{"verb": "cancelAll", "symbol": MARKET}]}
        assert (await ann.send_digest(path, "batchExecute", body)).status_code == 200
        assert await listed(ann) == []

    with_house(tmp_path, story)


@proves("I35")
def test_an_order_that_waits_comes_once(tmp_path: Path) -> None:
    """By its client id, also after it fired, and until it ends."""

    async def story(house: House) -> None:
        ann = house.ann
        fields = {"clientId": 9, "orderType": "Limit", "price": "210", "triggerPrice": "205"}
        first = (await place(ann, **fields)).json()
        assert (await place(ann, **fields)).json() == first
        assert (await place(ann, **fields | {"price": "211"})).json()["code"] == "INVALID_ORDER"
        await house.quote(SOL=206)
        assert (await place(ann, **fields)).json() == first
        assert len(await listed(ann)) == 1
        await cancel_all(ann)
        again = (await place(ann, **fields | {"triggerPrice": "220"})).json()
        assert (again["status"], again["id"] != first["id"]) == ("TriggerPending", True)

    with_house(tmp_path, story)


@proves("I35", "I36")
@pytest.mark.parametrize("is_saved", [True, False], ids=["a snapshot", "the journal alone"])
def test_what_waits_is_there_after_a_restart_and_fires(tmp_path: Path, *, is_saved: bool) -> None:
    async def before() -> dict[str, Any]:
        house = await opened(tmp_path)
        await house.start()
        placed: dict[str, Any] = (await place(house.ann, clientId=5)).json()
        await bid(house.bob, "188", "5")
        await house.http.aclose()
        await house.node.close()
        return placed

    async def after(placed: dict[str, Any]) -> None:
        house = await opened(tmp_path)
        assert await listed(house.ann) == [placed]
        await house.quote(SOL=188)
        assert (await past(house.ann, placed["id"]))["status"] == "Filled"
        await house.http.aclose()
        await house.node.close()

    placed = asyncio.run(before())
    if not is_saved:
        for path in tmp_path.rglob("*snapshot*"):
            path.unlink()
    asyncio.run(after(placed))
