"""Market orders that meet several makers at several levels, through the API, on either engine."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from solvent.domain.engine_face import EngineFactory
from solvent.domain.units import RATIO
from solvent.engine.engine import FastEngine
from solvent.reference.engine import ReferenceEngine
from tests.service.harness import Client, House, opened
from tests.tables.market import plain_parameters

SYMBOL = "SOL_USDC"
NEAR, FAR = ("199.95", "24.79"), ("200", "74.302")
"""Price and quantity of the two levels, each of a maker of its own."""
ALL = "99.092"
OVER = ("45.101", "45.1", "77.777", "90.5", "61.3", "24.7901", ALL)
"""Quantities that need both levels."""
FEE = RATIO // 2000
"""5 basis points, paid beside what an order costs."""


async def order(client: Client, **fields: str) -> dict[str, Any]:
    """What an order is answered."""
    reply = await client.send("POST", "/api/v1/order", "orderExecute", symbol=SYMBOL, **fields)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def asks(house: House) -> list[list[str]]:
    """The levels that are offered."""
    reply = await house.http.get("/api/v1/depth", params={"symbol": SYMBOL})
    found: list[list[str]] = reply.json()["asks"]
    return found


async def offered(house: House, makers: tuple[Client, Client]) -> None:
    """Two levels and nothing else."""
    for maker, (price, quantity) in zip(makers, (NEAR, FAR), strict=True):
        await maker.send("DELETE", "/api/v1/orders", "orderCancelAll", symbol=SYMBOL)
        fields = {"side": "Ask", "orderType": "Limit", "price": price, "quantity": quantity}
        assert (await order(maker, **fields))["status"] == "New"
    assert await asks(house) == [list(NEAR), list(FAR)]


def cost(quantity: str) -> Decimal:
    """What a bid over both levels costs without its fee."""
    near = Decimal(NEAR[1])
    return near * Decimal(NEAR[0]) + (Decimal(quantity) - near) * Decimal(FAR[0])


@pytest.mark.parametrize("engines", [FastEngine, ReferenceEngine], ids=["fast", "reference"])
def test_a_market_bid_over_two_makers_is_filled_whole(
    engines: EngineFactory, tmp_path: Path
) -> None:
    """Cases f01 and f02: to the last lot; fill-or-kill of a lot more than there is takes none."""

    async def story(house: House) -> None:
        await house.start()
        eve = house.client("eve")
        await house.open(eve)
        await house.give(eve, SOL="1000")
        makers = (house.ann, eve)
        bid = {"side": "Bid", "orderType": "Market"}
        for force in ("FOK", "IOC"):
            for quantity in OVER:
                await offered(house, makers)
                taken = await order(house.bob, **bid, quantity=quantity, timeInForce=force)
                assert (taken["status"], taken["executedQuantity"]) == ("Filled", quantity)
                assert Decimal(taken["executedQuoteQuantity"]) == cost(quantity)
                left = Decimal(ALL) - Decimal(quantity)
                assert [Decimal(each[1]) for each in await asks(house)] == [left] * bool(left)
        await offered(house, makers)
        before = (await house.bob.get("/api/v1/capital", "balanceQuery")).json()
        more = str(Decimal(ALL) + Decimal("0.0001"))
        killed = await order(house.bob, **bid, quantity=more, timeInForce="FOK")
        assert (killed["status"], killed["executedQuantity"]) == ("Expired", "0")
        asked = {"orderId": killed["id"]}
        path = "/wapi/v1/history/orders"
        (past,) = (await house.bob.get(path, "orderHistoryQueryAll", **asked)).json()
        assert (past["status"], past["expiryReason"]) == ("Expired", "FillOrKill")
        assert await asks(house) == [list(NEAR), list(FAR)]
        assert (await house.bob.get("/api/v1/capital", "balanceQuery")).json() == before

    async def run() -> None:
        parameters = replace(plain_parameters(), taker_fee=FEE)
        house = await opened(tmp_path, parameters, engines)
        try:
            await story(house)
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(run())
