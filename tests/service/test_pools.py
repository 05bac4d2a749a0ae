"""What a pool says of itself: its state in a word, and what may leave it, to the atom."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.service.harness import House, opened
from tests.tables.market import plain_parameters, with_setting

SETTINGS = (
    "SOL pool.throttle_threshold 0.5",
    "SOL pool.max_utilization 0.9",
    "SOL pool.curve.points 0:0.1 1:0.5",
)


def lived(folder: Path, life: Callable[[House], Awaitable[None]]) -> None:
    """Live in a house in which the throttle of SOL begins at a half."""

    async def run() -> None:
        parameters = plain_parameters()
        for setting in SETTINGS:
            parameters = with_setting(parameters, setting.split())
        house = await opened(folder, parameters)
        await house.start()
        await house.ann.send(
            "POST", "/api/v1/borrowLend", "borrowLendExecute", **_loan("Lend", 100)
        )
        await life(house)
        await house.http.aclose()
        await house.node.close()

    asyncio.run(run())


def _loan(side: str, quantity: int) -> dict[str, str]:
    return {"side": side, "symbol": "SOL", "quantity": str(quantity)}


async def _pool(house: House) -> dict[str, Any]:
    pools = (await house.http.get("/solvent/v1/pools")).json()
    found: dict[str, Any] = next(each for each in pools if each["symbol"] == "SOL")
    return found


async def _most(house: House, action: str) -> str:
    who = house.ann if action == "redeem" else house.bob
    limits = (await who.get("/solvent/v1/limits", "limitsQuery", symbol="SOL")).json()
    most: str = limits[action]["quantity"]
    return most


def test_what_may_leave_is_what_those_who_may_are_told(tmp_path: Path) -> None:
    """At every utilization the one lender and a rich borrower have the pool's own figures."""

    async def life(house: House) -> None:
        # What bob has of his own is in the way of his borrowing.
        assert (await _pool(house))["condition"] == "Open"
        for borrowed in (10, 20, 19):
            done = await house.bob.send(
                "POST", "/api/v1/borrowLend", "borrowLendExecute", **_loan("Borrow", borrowed)
            )
            assert done.status_code == 200, done.text
            pool = await _pool(house)
            assert pool["redeemable"] == await _most(house, "redeem")
            most = Decimal(await _most(house, "borrow"))
            # The first hour's interest is paid at once and counts as borrowed.
            assert Decimal(0) <= Decimal(pool["borrowable"]) - most <= Decimal("0.001")

    lived(tmp_path, life)


def test_a_pool_at_its_bound_is_throttled_and_says_so(tmp_path: Path) -> None:
    async def life(house: House) -> None:
        most = await _most(house, "borrow")
        fields = _loan("Borrow", 0) | {"quantity": most}
        await house.bob.send("POST", "/api/v1/borrowLend", "borrowLendExecute", **fields)
        pool = await _pool(house)
        assert Decimal(pool["utilization"]) > Decimal("0.4999")
        assert Decimal(pool["redeemable"]) < Decimal("0.01")
        risk = {"symbol": "SOL", "field": "THROTTLE_THRESHOLD", "value": 400_000_000}
        assert (
            await house.client("risk").send(
                "POST", "/solvent/v1/risk/proposals", "riskPropose", **risk
            )
        ).json()
        await house.client("risk-2").send(
            "POST", "/solvent/v1/proposals/approvals", "proposalApprove", proposal=1
        )
        pool = await _pool(house)
        assert (pool["condition"], pool["redeemable"], pool["borrowable"]) == (
            "Throttled",
            "0",
            "0",
        )
        assert [at for at, _ in pool["curve"]] == ["0", "1"]

    lived(tmp_path, life)
