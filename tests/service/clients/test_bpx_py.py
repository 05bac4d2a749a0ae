"""bpx-py, unmodified, which leaves answers as they came: every call that has an endpoint here."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from bpx.account import Account
from bpx.async_.account import Account as AsyncAccount
from bpx.public import Public

from tests.service.clients.served import DEMO_KEYS, Service

MARKET = "SOL_USDC"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def public(demo: Service) -> Public:
    """A client without a key, with nothing changed but its address."""
    client = Public()
    client.BASE_URL = f"{demo.rest}/"
    return client


@pytest.fixture(scope="module")
def account(demo: Service) -> Account:
    """A demo user's client, with nothing changed but its address."""
    client = Account(*DEMO_KEYS["user"])
    client.BPX_API_URL = f"{demo.rest}/"
    return client


def now() -> int:
    return int(time.time())


PUBLIC: dict[str, tuple[Callable[[Public], Any], Callable[[Any], bool]]] = {
    "assets": (Public.get_assets, lambda found: found[0]["symbol"] == "USDC"),
    "collateral": (Public.get_collateral, lambda found: len(found) == 4),
    "pools": (Public.get_borrow_lend_markets, lambda found: float(found[0]["utilization"]) > 0),
    "pool history": (
        lambda client: client.get_borrow_lend_market_history("1d", "USDC"),
        lambda found: float(found[0]["lentQuantity"]) > 0,
    ),
    "markets": (Public.get_markets, lambda found: found[0]["filters"]["price"]["tickSize"] > "0"),
    "ticker": (lambda client: client.get_ticker(MARKET), lambda found: found["symbol"] == MARKET),
    "tickers": (Public.get_tickers, lambda found: len(found) == 3),
    "depth": (
        lambda client: client.get_depth(MARKET),
        lambda found: float(found["bids"][-1][0]) < float(found["asks"][0][0]),
    ),
    "klines": (
        lambda client: client.get_klines(MARKET, "1m", now() - 600),
        lambda found: float(found[-1]["high"]) >= float(found[-1]["low"]),
    ),
    "open interest": (Public.get_open_interest, lambda found: found == []),
    "funding": (
        lambda client: client.get_funding_interval_rates(MARKET),
        lambda found: found == [],
    ),
    "status": (Public.get_status, lambda found: found["status"] == "Ok"),
    "ping": (Public.get_ping, lambda found: found == "pong"),
    "time": (Public.get_time, lambda found: abs(found / 1000 - now()) < 60),
    "trades": (lambda client: client.get_recent_trades(MARKET), lambda found: found[0]["id"] > 0),
    "past trades": (
        lambda client: client.get_history_trades(MARKET, 1, 0),
        lambda found: len(found) == 1,
    ),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_data(public: Public, account: Account, name: str) -> None:
    account.execute_order(MARKET, "Bid", "Market", quantity="1")
    question, is_right = PUBLIC[name]
    found = question(public)
    assert is_right(found), found


def test_an_account_and_its_limits(account: Account) -> None:
    assert account.update_account(leverage_limit="4") == ""
    found = account.get_account()
    assert (found["leverageLimit"], found["liquidating"]) == ("4", False)
    account.update_account(leverage_limit="10")
    assert float(account.get_max_borrow_quantity("BTC")["maxBorrowQuantity"]) > 0
    order = account.get_max_order_quantity(MARKET, "Bid", price="180", auto_borrow=True)
    assert (order["autoBorrow"], float(order["maxOrderQuantity"]) > 100) == (True, True)
    leave = account.get_max_withdrawal_quantity("BTC", auto_borrow=False, auto_lend_redeem=True)
    assert leave["maxWithdrawalQuantity"] == "2"


def test_lend_borrow_repay_and_redeem(account: Account) -> None:
    for quantity, side, symbol in (
        ("100", "Lend", "USDC"),
        ("0.01", "Borrow", "BTC"),
        ("0.005", "Lend", "BTC"),
        ("50", "Borrow", "USDC"),
    ):
        assert account.execute_borrow_lend(quantity, side, symbol) == ""
    positions = {each["symbol"]: each for each in account.get_borrow_lend_positions()}
    assert float(positions["USDC"]["netQuantity"]) == pytest.approx(50)
    assert float(positions["BTC"]["netQuantity"]) == pytest.approx(-0.005, rel=1e-4)
    moved = account.get_borrow_history(limit=4)
    kinds = ["LendRedeem", "BorrowRepay", "Borrow", "Lend"]
    assert [row["eventType"] for row in moved] == kinds
    (borrowed,) = account.get_borrow_history("Borrow", "Manual", symbol="BTC")
    assert borrowed["positionId"] == positions["BTC"]["id"]
    assert isinstance(account.get_interest_history(asset="BTC", source="BorrowLend"), list)
    margin = account.get_collateral(subaccount_id=0)
    assert {row["symbol"] for row in margin["collateral"]} == {"USDC", "BTC", "ETH", "SOL"}
    assert float(margin["netEquity"]) < float(margin["assetsValue"])


def test_balances_deposits_and_withdrawals(account: Account) -> None:
    before = float(account.get_balances()["USDC"]["available"])
    # The client sends its name for the withdrawal as a number.
    sent = account.withdrawal("somewhere", "USDC", "Solana", "10", client_id=5)
    assert (sent["status"], sent["clientId"]) == ("confirmed", "5")
    assert float(account.get_balances()["USDC"]["available"]) == pytest.approx(before - 10)
    assert account.get_withdrawals(from_=(now() - 600) * 1000)[0]["id"] == sent["id"]
    assert {row["symbol"] for row in account.get_deposits()} == {"USDC", "BTC", "ETH", "SOL"}
    assert account.get_deposits(to=1) == []
    assert account.get_deposit_address("Solana")["address"].startswith("account-")


def test_orders(account: Account) -> None:
    placed = account.execute_order(
        MARKET,
        "Bid",
        "Limit",
        "GTC",
        quantity="1",
        price="150",
        client_id=9,
        post_only=True,
        auto_borrow=True,
        self_trade_prevention="RejectMaker",
    )
    assert (placed["status"], placed["clientId"], placed["postOnly"]) == ("New", 9, True)
    assert account.get_open_order(MARKET, client_id=9) == placed
    assert account.get_open_orders("SPOT", MARKET) == [placed]
    assert account.cancel_order(MARKET, client_id=9) == placed | {"status": "Cancelled"}
    gone = account.cancel_order(MARKET, order_id=placed["id"])
    assert (gone["code"], gone["message"]) == ("RESOURCE_NOT_FOUND", "Order Not Found")
    sold = account.execute_order(MARKET, "Ask", "Market", quantity="1")
    bought = account.execute_order(MARKET, "Bid", "Market", quote_quantity="100")
    assert (sold["status"], bought["status"]) == ("Filled", "Filled")
    ids = [row["id"] for row in account.get_order_history(MARKET, market_type="SPOT", limit=3)]
    assert ids == [bought["id"], sold["id"], placed["id"]]
    fills = account.get_fill_history(MARKET, fill_type="User", from_=(now() - 600) * 1000)
    assert {fill["orderId"] for fill in fills} >= {bought["id"], sold["id"]}
    assert float(account.get_settlements_history()[0]["quantity"]) < 0
    assert account.cancel_all_orders(MARKET) == []


def test_an_order_that_waits(account: Account) -> None:
    waits = account.execute_order(MARKET, "Ask", "Market", quantity="1", trigger_price="1")
    assert (waits["status"], waits["triggerBy"]) == ("TriggerPending", "MarkPrice")
    assert account.get_open_orders("SPOT", MARKET) == [waits]
    assert account.cancel_order(MARKET, order_id=waits["id"]) == waits | {"status": "Cancelled"}


def test_what_is_not_served_says_so(account: Account) -> None:
    refused = account.execute_order(
        MARKET, "Bid", "Market", quantity="1", stop_loss_trigger_price="200"
    )
    assert refused["code"] == "NOT_IMPLEMENTED"
    assert account.get_open_positions() == account.get_funding_payments() == []
    assert account.get_profit_and_loss_history() == "not found"


def test_the_asynchronous_client(demo: Service) -> None:
    async def ask() -> tuple[Any, Any]:
        client = AsyncAccount(*DEMO_KEYS["user-2"])
        client.BPX_API_URL = f"{demo.rest}/"
        done = await client.execute_borrow_lend("100", "Lend", "USDC")
        return done, await client.get_borrow_lend_positions()

    done, positions = asyncio.run(ask())
    assert done == ""
    assert float(positions[0]["netQuantity"]) == pytest.approx(100)
