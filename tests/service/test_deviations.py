"""What COMPATIBILITY.md says of endpoints that are served in part is so."""

from pathlib import Path
from typing import Any

import pytest

from tests.service.harness import Client, House, with_house

ORDER: dict[str, Any] = {
    "symbol": "SOL_USDC",
    "side": "Bid",
    "orderType": "Limit",
    "price": "190",
    "quantity": "1",
}
OPEN = (
    "/api/v1/openInterest",
    "/api/v1/fundingRates?symbol=SOL_USDC",
    "/api/v1/securities",
    "/api/v1/market-sessions",
    "/api/v1/wallets",
)
SIGNED = (
    ("/api/v1/position", "positionQuery"),
    ("/wapi/v1/history/position", "positionHistoryQueryAll"),
    ("/wapi/v1/history/funding", "fundingHistoryQueryAll"),
)
ATTACHED = [
    f"{kind}{what}"
    for kind in ("stopLoss", "takeProfit")
    for what in ("LimitPrice", "TriggerBy", "TriggerPrice")
]
SLIPPAGE = {"slippageTolerance": "1", "slippageToleranceType": "Percent"}
VALUES = dict.fromkeys(ATTACHED, "180") | SLIPPAGE
VALUES |= {f"{kind}TriggerBy": "MarkPrice" for kind in ("stopLoss", "takeProfit")}


async def order(client: Client, **fields: str) -> dict[str, Any]:
    """What an order is answered."""
    reply = await client.send("POST", "/api/v1/order", "orderExecute", **{**ORDER, **fields})
    found: dict[str, Any] = reply.json()
    return found


def test_there_are_no_futures_sessions_and_chains(tmp_path: Path) -> None:
    """Their lists are empty, also for who trades, borrows and lends."""

    async def story(house: House) -> None:
        await order(house.ann, side="Ask", price="200")
        assert (await order(house.bob, price="200"))["status"] == "Filled"
        for side, symbol in (("Lend", "USDC"), ("Borrow", "BTC")):
            fields = {"symbol": symbol, "side": side, "quantity": "1"}
            lender = house.ann if side == "Lend" else house.bob
            if side == "Borrow":
                await _move(house.ann, {**fields, "side": "Lend", "quantity": "5"})
            await _move(lender, fields)
        for path in OPEN:
            reply = await house.http.get(path)
            assert (reply.status_code, reply.json()) == (200, []), path
        for client in (house.ann, house.bob):
            for path, instruction in SIGNED:
                reply = await client.get(path, instruction)
                assert (reply.status_code, reply.json()) == (200, []), path

    with_house(tmp_path, story)


async def _move(client: Client, fields: dict[str, str]) -> None:
    reply = await client.send("POST", "/api/v1/borrowLend", "borrowLendExecute", **fields)
    assert reply.status_code == 200, reply.text


def test_rates_have_no_tiers_and_no_staking(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        found = (await house.http.get("/api/v1/borrowLend/apy")).json()
        assert found.pop("staking") == []
        assert found.keys() == {"borrowLend"}
        rows = found["borrowLend"]
        assert [each["symbol"] for each in rows] == ["USDC", "BTC", "SOL"]
        assert {name for each in rows for name in each} == {"symbol", "borrowRate", "lendRate"}

    with_house(tmp_path, story)


def test_an_address_names_the_account(tmp_path: Path) -> None:
    """On whatever chain: a deposit is an operator's or a funder's act."""

    async def story(house: House) -> None:
        for client in (house.ann, house.bob):
            for chain in ("Solana", "Ethereum"):
                path = "/wapi/v1/capital/deposit/address"
                reply = await client.get(path, "depositAddressQuery", blockchain=chain)
                assert reply.json() == {"address": f"account-{house.accounts[client.public]}"}

    with_house(tmp_path, story)


def test_a_withdrawal_is_confirmed_at_once_and_never_delayed(tmp_path: Path) -> None:
    """Without a second factor; a delay cannot be asked for, and there is none afterwards."""

    async def story(house: House) -> None:
        ann, delay = house.ann, "/wapi/v1/capital/withdrawals/delay"
        for method, name in (("POST", "withdrawalDelayCreate"), ("PATCH", "withdrawalDelayUpdate")):
            reply = await ann.send(method, delay, name, withdrawalDelayHours=24)
            assert (reply.status_code, reply.json()["code"]) == (400, "NOT_IMPLEMENTED")
            said = await ann.get(delay, "withdrawalDelayQuery")
            assert (said.status_code, said.content) == (204, b"")
        before = (await ann.get("/api/v1/capital", "balanceQuery")).json()["SOL"]["available"]
        fields = {"address": "x", "blockchain": "Solana", "quantity": "1", "symbol": "SOL"}
        fields["twoFactorToken"] = "no second factor is asked for"
        reply = await ann.send("POST", "/wapi/v1/capital/withdrawals", "withdraw", **fields)
        assert reply.status_code == 200, reply.text
        found = reply.json()
        assert (found["status"], found["fee"], found["transactionHash"]) == ("confirmed", "0", None)
        after = (await ann.get("/api/v1/capital", "balanceQuery")).json()["SOL"]["available"]
        assert float(before) - float(after) == 1

    with_house(tmp_path, story)


@pytest.mark.parametrize("name", VALUES)
def test_what_an_order_may_not_say_is_refused_by_name(name: str, tmp_path: Path) -> None:
    """Alone, and in a list, of which nothing is placed then."""

    async def story(house: House) -> None:
        ann = house.ann
        refused = await order(ann, **{name: VALUES[name]})
        assert refused["code"] == "NOT_IMPLEMENTED"
        assert refused["message"].startswith(f"{name}: ")
        items = [ORDER | {name: VALUES[name]}, ORDER]
        reply = await ann.send_list("/api/v1/orders", "orderExecute", items)
        assert (reply.status_code, reply.json()["code"]) == (400, "NOT_IMPLEMENTED")
        assert name in reply.json()["message"]
        assert (await ann.get("/api/v1/orders", "orderQueryAll")).json() == []

    with_house(tmp_path, story)


def test_a_quantity_in_per_cent_is_refused(tmp_path: Path) -> None:
    """Of a position, of which there are none."""

    async def story(house: House) -> None:
        fields = {"side": "Ask", "price": "210", "triggerPrice": "205", "triggerQuantity": "50%"}
        body = {name: value for name, value in (ORDER | fields).items() if name != "quantity"}
        reply = await house.ann.send("POST", "/api/v1/order", "orderExecute", **body)
        assert (reply.status_code, reply.json()["code"]) == (400, "INVALID_CLIENT_REQUEST")
        assert (await house.ann.get("/api/v1/orders", "orderQueryAll")).json() == []

    with_house(tmp_path, story)
