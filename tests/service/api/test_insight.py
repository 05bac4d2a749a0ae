"""What an account may still do, what would liquidate it, and the receipts of what was settled.

Every answer is held against what happens when somebody acts on it.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from solvent.domain.parameters import EngineParameters
from solvent.domain.rejections import Limit
from solvent.service.api.objects.enums import LimitName
from solvent.service.api.shapes import words
from solvent.service.core.node import wall_clock
from tests.proof import proves
from tests.service.harness import Client, House, opened, with_house
from tests.tables.market import plain_parameters, with_setting

LIMITS = "/solvent/v1/limits"
ORDER_LIMIT = "/solvent/v1/limits/order"
PRICE = "/api/v1/borrowLend/position/liquidationPrice"
Shape = dict[str, Any]
Done = TypeVar("Done")


async def borrow_lend(who: Client, side: str, symbol: str, quantity: str) -> httpx.Response:
    fields = {"side": side, "symbol": symbol, "quantity": quantity}
    return await who.send("POST", "/api/v1/borrowLend", "borrowLendExecute", **fields)


async def done(reply: httpx.Response) -> None:
    assert reply.status_code == 200, reply.text


def in_house(
    folder: Path,
    story: Callable[[House], Awaitable[Done]],
    parameters: EngineParameters | None = None,
) -> Done:
    """Run a story in a house whose time can be stepped, new or as it was left."""

    async def run() -> Done:
        begun = replace(parameters or plain_parameters(), start_time=wall_clock())
        house = await opened(folder, begun)
        try:
            if not house.node.market.commands:
                await house.start()
            return await story(house)
        finally:
            await house.http.aclose()
            await house.node.close()

    return asyncio.run(run())


# Limits.


def one_more(quantity: str, decimals: int) -> str:
    """The next larger quantity of an asset with so many decimals."""
    whole, _, part = quantity.partition(".")
    digits = str(int(whole + part.ljust(decimals, "0")) + 1).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


@proves("A14", "I37")
def test_what_is_named_as_the_limit_is_what_refuses(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ann, bob = house.ann, house.bob
        await done(await borrow_lend(ann, "Lend", "USDC", "500000"))
        for who, symbol, decimals in ((ann, "USDC", 6), (bob, "SOL", 9), (bob, "USDC", 6)):
            found = (await who.get(LIMITS, "limitsQuery", symbol=symbol)).json()
            deeds = {"lend": "Lend", "borrow": "Borrow"}
            if found["redeem"]["quantity"] != "0":
                deeds = {"lend": "Lend", "redeem": "Borrow"}
            for name, side in deeds.items():
                more = one_more(found[name]["quantity"], decimals)
                refused = await borrow_lend(who, side, symbol, more)
                assert refused.status_code == 400, (name, found)
                assert refused.json() == {
                    "code": found[name]["code"],
                    "message": found[name]["message"],
                }
                if found[name]["quantity"] != "0":
                    await done(await borrow_lend(who, side, symbol, found[name]["quantity"]))
                    back = "Borrow" if side == "Lend" else "Lend"
                    await done(await borrow_lend(who, back, symbol, found[name]["quantity"]))

    with_house(tmp_path, story)


@proves("A3", "A4", "A13", "A14")
def test_each_limit_is_named(tmp_path: Path) -> None:
    parameters = with_setting(plain_parameters(), ["SOL", "pool.throttle_threshold", "0.5"])

    async def story(house: House) -> None:
        ann, bob = house.ann, house.bob

        async def limit(who: Client, action: str, symbol: str, **fields: Any) -> tuple[str, str]:
            found = (await who.get(LIMITS, "limitsQuery", symbol=symbol, **fields)).json()
            return found[action]["quantity"], found[action]["limit"]

        assert await limit(ann, "lend", "SOL") == ("1000", "AvailableBalance")
        assert await limit(ann, "withdraw", "SOL") == ("1000", "AvailableBalance")
        assert await limit(ann, "redeem", "SOL") == ("0", "LentClaim")
        assert await limit(ann, "repay", "SOL") == ("0", "OutstandingDebt")
        assert await limit(ann, "borrow", "SOL") == ("0", "PoolCash")
        await done(await borrow_lend(ann, "Lend", "SOL", "1000"))
        assert await limit(ann, "borrow", "SOL") == ("0", "BorrowRequiresLendRedeem")
        assert await limit(bob, "borrow", "SOL") == ("500", "UtilizationBound")
        with_redeem = await limit(ann, "withdraw", "SOL", autoLendRedeem=True)
        assert with_redeem == ("1000", "LentClaim")
        await done(await borrow_lend(bob, "Borrow", "SOL", "400"))
        assert await limit(ann, "redeem", "SOL") == ("200", "UtilizationBound")
        assert await limit(bob, "lend", "SOL") == ("0", "LendRequiresBorrowRepay")
        assert await limit(bob, "repay", "SOL") == ("400", "OutstandingDebt")

    in_house(tmp_path, story, parameters)


@proves("A13", "A14")
def test_the_limits_of_orders_are_named(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ann, bob = house.ann, house.bob

        async def limit(who: Client, **fields: Any) -> tuple[str, str]:
            fields = {"symbol": "SOL_USDC", **fields}
            found = (await who.get(ORDER_LIMIT, "limitsOrderQuery", **fields)).json()
            if "code" in found and found["quantity"] == "0":
                order = {**fields, "orderType": "Limit", "quantity": "0.0001"}
                refused = await who.send("POST", "/api/v1/order", "orderExecute", **order)
                assert refused.json()["code"] == found["code"]
            return found["quantity"], found["limit"]

        assert await limit(ann, side="Ask", price="200") == ("1000", "AvailableBalance")
        assert await limit(ann, side="Bid", price="200") == ("5000", "AvailableBalance")
        assert await limit(ann, side="Bid", price="900") == ("0", "PriceBand")
        assert await limit(ann, side="Bid", price="200.001") == ("0", "InvalidPrice")
        assert await limit(ann, side="Bid", price="200", reduceOnly=True) == (
            "0",
            "OutstandingDebt",
        )
        assert await limit(ann, side="Bid") == ("0", "BookLiquidity")
        fields = {"symbol": "SOL_USDC", "side": "Ask", "orderType": "Limit"}
        order = {**fields, "price": "201", "quantity": "5"}
        await done(await bob.send("POST", "/api/v1/order", "orderExecute", **order))
        assert await limit(ann, side="Bid") == ("5", "BookLiquidity")
        assert await limit(ann, side="Ask", price="200", autoBorrow=True) == ("1000", "PoolCash")

    with_house(tmp_path, story)


def test_every_limit_has_a_name_in_the_document() -> None:
    names = set(LimitName)
    limits = {words(limit.name) for limit in Limit} - {"None", "CommittedCapacity"}
    assert limits < names


# Liquidation prices of what was not done.


def payload(**fields: str) -> str:
    """A payload as its clients write it, without padding."""
    return base64.b64encode(json.dumps(fields).encode()).decode().rstrip("=")


async def price_of(who: Client, side: str, symbol: str, quantity: str) -> httpx.Response:
    borrow = payload(side=side, symbol=symbol, quantity=quantity)
    return await who.get(PRICE, "borrowLendPositionLiquidationPrice", borrow=borrow)


async def held(who: Client, symbol: str) -> Shape:
    reply = await who.get("/api/v1/borrowLend/positions", "borrowLendPositionQuery")
    return next(row for row in reply.json() if row["symbol"] == symbol)


@proves("A13", "A14", "I37")
def test_the_price_foreseen_is_the_price_of_the_position_that_follows(tmp_path: Path) -> None:
    """A borrowed asset that rises, and a collateral that falls."""

    async def story(house: House) -> None:
        ann, bob = house.ann, house.bob
        await done(await borrow_lend(ann, "Lend", "SOL", "1000"))
        await done(await borrow_lend(ann, "Lend", "USDC", "1000000"))
        eve = house.client("eve")
        await house.open(eve)
        await house.give(eve, USDC="3000")
        steps = (
            (eve, "Borrow", "SOL", "10"),
            (eve, "Lend", "SOL", "4"),
            (bob, "Lend", "SOL", "700"),
            (bob, "Borrow", "SOL", "300"),
        )
        debt = {"side": "Borrow", "symbol": "USDC", "quantity": "900000"}
        await done(await bob.send("POST", "/api/v1/borrowLend", "borrowLendExecute", **debt))
        for who, side, symbol, quantity in steps:
            state = house.node.market.engine.state_hash()
            found = (await price_of(who, side, symbol, quantity)).json()
            assert house.node.market.engine.state_hash() == state
            await done(await borrow_lend(who, side, symbol, quantity))
            position = await held(who, symbol)
            assert position["estLiquidationPrice"] == (found["liquidationPrice"] or "0")
            assert position["markPrice"] == found["markPrice"] == "200"
        rises = await held(eve, "SOL")
        assert float(rises["estLiquidationPrice"]) > 200

    with_house(tmp_path, story)


@proves("A13", "A14")
def test_the_account_is_liquidated_at_the_price_foreseen_and_not_before(tmp_path: Path) -> None:
    """The whole dollar before it leaves the account alone, the next one does not."""

    async def story(house: House) -> None:
        ann = house.ann
        await done(await borrow_lend(ann, "Lend", "SOL", "1000"))
        eve = house.client("eve")
        await house.open(eve)
        await house.give(eve, USDC="3000")
        await done(await borrow_lend(eve, "Borrow", "SOL", "9"))
        memo = {"address": "home", "blockchain": "Solana"}
        fields = {"symbol": "SOL", "quantity": "9", **memo}
        await done(await eve.send("POST", "/wapi/v1/capital/withdrawals", "withdraw", **fields))
        found = (await price_of(eve, "Borrow", "SOL", "1")).json()
        await done(await borrow_lend(eve, "Borrow", "SOL", "1"))
        price = int(float(found["liquidationPrice"]))

        async def liquidating() -> bool:
            return bool((await eve.get("/api/v1/account", "accountQuery")).json()["liquidating"])

        await house.quote(SOL=price)
        assert not await liquidating()
        await house.quote(SOL=price + 1)
        assert await liquidating()

    with_house(tmp_path, story)


def test_who_owes_nothing_has_no_such_price_and_who_may_not_borrow_is_told_why(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        found = (await price_of(house.ann, "Lend", "SOL", "1")).json()
        assert found == {"liquidationPrice": None, "markPrice": "200"}
        for side, symbol, quantity in (
            ("Borrow", "SOL", "1"),
            ("Lend", "SOL", "1000.000000001"),
            ("Lend", "SOL", "0"),
            ("Lend", "SOL", "x"),
            ("Sideways", "SOL", "1"),
            ("Lend", "DOGE", "1"),
        ):
            foreseen = await price_of(house.ann, side, symbol, quantity)
            refused = await borrow_lend(house.ann, side, symbol, quantity)
            assert (foreseen.status_code, foreseen.json()) == (400, refused.json())

    with_house(tmp_path, story)


@pytest.mark.parametrize(
    "text",
    ["", "*", "e30", "W10", payload(side="Lend", symbol="SOL"), "eyJhIjoxLCJhIjoyfQ", "gICA"],
)
def test_a_payload_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    async def story(house: House) -> None:
        reply = await house.ann.get(PRICE, "borrowLendPositionLiquidationPrice", borrow=text)
        assert (reply.status_code, reply.json()["code"]) == (400, "INVALID_CLIENT_REQUEST")

    with_house(tmp_path, story)


def test_a_payload_with_another_field_is_refused(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        text = payload(side="Lend", symbol="SOL", quantity="1", more="1")
        reply = await house.ann.get(PRICE, "borrowLendPositionLiquidationPrice", borrow=text)
        assert reply.json()["message"] == "borrow: unknown field 'more'"

    with_house(tmp_path, story)
