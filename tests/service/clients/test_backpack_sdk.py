"""backpack-exchange-sdk, unmodified: its calls come through, and refusals as its own errors."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from backpack_exchange_sdk import AuthenticationClient, PublicClient
from backpack_exchange_sdk._base.errors import (
    BackpackAPIError,
    BackpackInsufficientFundsError,
    BackpackInvalidRequestError,
    BackpackNotFoundError,
)

from tests.service.clients.served import DEMO_KEYS, Service

MARKET = "SOL_USDC"


def client_of(service: Service, name: str) -> AuthenticationClient:
    """A demo user's client, pointed at the service."""
    return AuthenticationClient(*DEMO_KEYS[name], base_url=f"{service.rest}/")


@pytest.fixture(scope="module")
def public(demo: Service) -> PublicClient:
    """A client without a key."""
    return PublicClient(base_url=f"{demo.rest}/")


@pytest.fixture(scope="module")
def user(demo: Service) -> AuthenticationClient:
    """The first demo user's client."""
    return client_of(demo, "user")


PUBLIC: dict[str, tuple[dict[str, Any], Callable[[Any], bool]]] = {
    "get_assets": ({}, lambda found: found[0]["symbol"] == "USDC"),
    "get_borrow_lend_markets": ({}, lambda found: float(found[0]["borrowInterestRate"]) > 0),
    "get_borrow_lend_market_history": ({"interval": "1w"}, lambda found: len(found) == 4),
    "get_collateral": ({}, lambda found: found[0]["haircutFunction"]["weight"] == "1"),
    "get_depth": ({"symbol": MARKET}, lambda found: found["lastUpdateId"].isdigit()),
    "get_funding_interval_rates": ({"symbol": MARKET}, lambda found: found == []),
    "get_historical_trades": ({"symbol": MARKET}, lambda found: found[0]["id"] > 0),
    "get_klines": (
        {"symbol": MARKET, "interval": "1m", "start_time": int(time.time()) - 600},
        lambda found: found[-1]["trades"] != "0",
    ),
    "get_mark_price": ({"symbol": MARKET}, lambda found: float(found[0]["markPrice"]) > 0),
    "get_market": ({"symbol": MARKET}, lambda found: found["baseSymbol"] == "SOL"),
    "get_markets": ({}, lambda found: len(found) == 3),
    "get_open_interest": ({"symbol": MARKET}, lambda found: found == []),
    "get_recent_trades": ({"symbol": MARKET}, lambda found: float(found[0]["quantity"]) > 0),
    "get_status": ({}, lambda found: found["status"] == "Ok"),
    "get_system_time": ({}, lambda found: abs(int(found) / 1000 - time.time()) < 60),
    "get_ticker": ({"symbol": MARKET}, lambda found: float(found["volume"]) > 0),
    "get_tickers": ({}, lambda found: len(found) == 3),
    "get_wallets": ({}, lambda found: found == []),
    "send_ping": ({}, lambda found: found == "pong"),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_data(public: PublicClient, user: AuthenticationClient, name: str) -> None:
    user.execute_order("Market", "Bid", MARKET, quantity="1")
    arguments, is_right = PUBLIC[name]
    found = getattr(public, name)(**arguments)
    assert is_right(found), found


def test_settings_stay_where_they_are_put(user: AuthenticationClient) -> None:
    user.update_account(autoLend=False, autoRepayBorrows=True, leverageLimit="3")
    found = user.get_account()
    assert (found["autoLend"], found["autoRepayBorrows"]) == (False, True)
    assert found["leverageLimit"] == "3"
    user.update_account(autoRepayBorrows=False, leverageLimit="10")
    assert user.get_account()["autoRepayBorrows"] is False


def test_lend_borrow_repay_and_redeem(user: AuthenticationClient) -> None:
    user.execute_borrow_lend("5", "Lend", "SOL")
    user.execute_borrow_lend("0.01", "Borrow", "BTC")
    positions = {each["symbol"]: each for each in user.get_borrow_lend_positions()}
    assert float(positions["SOL"]["netQuantity"]) == pytest.approx(5)
    assert float(positions["BTC"]["netQuantity"]) == pytest.approx(-0.01, rel=1e-4)
    user.execute_borrow_lend("0.005", "Lend", "BTC")
    user.execute_borrow_lend("4", "Borrow", "SOL")
    moved = user.get_borrow_history(limit=4, sortDirection="Desc")
    assert [row["eventType"] for row in moved] == ["LendRedeem", "BorrowRepay", "Borrow", "Lend"]
    (loan,) = user.get_borrow_position_history(side="Borrow", state="Open")
    assert loan["positionId"] == positions["BTC"]["id"]
    assert user.get_interest_history(positionId=loan["positionId"], source="UnrealizedPnl") == []
    with pytest.raises(BackpackInvalidRequestError, match="plain decimal"):
        user.execute_borrow_lend("-5", "Lend", "SOL")


def test_limits_allow_what_they_say(user: AuthenticationClient) -> None:
    largest = user.get_max_borrow_quantity("ETH")["maxBorrowQuantity"]
    user.execute_borrow_lend(largest, "Borrow", "ETH")
    user.execute_borrow_lend(largest, "Lend", "ETH")
    leave = user.get_max_withdrawal_quantity("SOL", autoBorrow=False, autoLendRedeem=True)
    assert leave["autoLendRedeem"] is True
    order = user.get_max_order_quantity(MARKET, "Ask", price="170", reduceOnly=False)
    assert float(leave["maxWithdrawalQuantity"]) >= float(order["maxOrderQuantity"]) > 400


def test_collateral_adds_up(user: AuthenticationClient) -> None:
    margin = user.get_collateral(0)
    values = sum(float(row["balanceNotional"]) for row in margin["collateral"])
    assert float(margin["assetsValue"]) == pytest.approx(values)
    weights = {row["symbol"]: row["collateralWeight"] for row in margin["collateral"]}
    assert weights == {"USDC": "1", "BTC": "0.95", "ETH": "0.93", "SOL": "0.9"}


def test_deposits_and_withdrawals(user: AuthenticationClient) -> None:
    deposits = user.get_deposits(limit=2, excludePlatform=False)
    assert [row["symbol"] for row in deposits] == ["SOL", "ETH"]
    sent = user.request_withdrawal(
        "somewhere", "Solana", "10", "USDC", client_id="my own/name", auto_lend_redeem=True
    )
    assert user.get_withdrawals()[0] == sent
    assert sent["clientId"] == "my own/name"
    assert user.get_withdrawal_delay() is None
    with pytest.raises(BackpackInsufficientFundsError, match="largest quantity"):
        user.request_withdrawal("somewhere", "Solana", "10000000", "USDC")


def test_orders(user: AuthenticationClient) -> None:
    placed = user.execute_order(
        "Limit", "Bid", MARKET, clientId=19, price="150", quantity="1", brokerId=5
    )
    assert placed["status"] == "New"
    assert user.get_users_open_orders(MARKET, clientId=19) == placed
    assert user.get_open_orders(MARKET, "SPOT") == [placed]
    assert user.cancel_open_order(MARKET, clientId=19)["status"] == "Cancelled"
    with pytest.raises(BackpackNotFoundError, match="Order Not Found"):
        user.cancel_open_order(MARKET, clientId=19)
    with pytest.raises(BackpackInvalidRequestError, match="exactly one"):
        user.cancel_open_order(MARKET, clientId=19, orderId="4")
    (found,) = user.get_order_history(orderId=placed["id"])
    assert found["status"] == "Cancelled"


def test_a_batch_of_orders(user: AuthenticationClient) -> None:
    def order(price: str) -> dict[str, Any]:
        kind = {"symbol": MARKET, "side": "Bid", "orderType": "Limit", "timeInForce": "GTC"}
        return kind | {"price": price, "quantity": "1", "postOnly": True}

    results = user.execute_batch_orders([order("150"), order("151"), order("200")])
    assert [each["operation"] for each in results] == ["Ok", "Ok", "Err"]
    assert results[2]["code"] == "INVALID_ORDER"
    cancelled = user.cancel_open_orders(MARKET, "RestingLimitOrder")
    assert [each["id"] for each in cancelled] == [each["id"] for each in results[:2]]


def test_two_accounts_trade_with_each_other(demo: Service, user: AuthenticationClient) -> None:
    other = client_of(demo, "user-2")
    depth = PublicClient(base_url=f"{demo.rest}/").get_depth(MARKET)
    price = depth["asks"][0][0]
    below = f"{float(price) - 0.01:.2f}"
    made = user.execute_order("Limit", "Ask", MARKET, price=below, quantity="0.5")
    took = other.execute_order(
        "Limit", "Bid", MARKET, price=below, quantity="0.5", timeInForce="IOC"
    )
    assert took["status"] == "Filled"
    (sold,) = user.get_fill_history(orderId=made["id"], fillType="User")
    (bought,) = other.get_fill_history(orderId=took["id"])
    assert (sold["isMaker"], bought["isMaker"]) == (True, False)
    assert sold["tradeId"] == bought["tradeId"]
    (fee, *_) = other.get_settlement_history(source="TradingFees")
    assert fee["quantity"] == f"-{bought['fee']}"


def test_dust_is_converted(user: AuthenticationClient) -> None:
    # A claim counts too: what is lent is dust with the rest.
    held = float(
        user.get_max_withdrawal_quantity("SOL", autoLendRedeem=True)["maxWithdrawalQuantity"]
    )
    quantity = f"{held - 0.0004:.9f}"
    user.request_withdrawal("somewhere", "Solana", quantity, "SOL", auto_lend_redeem=True)
    user.convert_dust("SOL")
    (row,) = user.get_dust_history(symbol="SOL")
    assert float(row["quantity"]) == pytest.approx(0.0004, rel=1e-4)
    assert float(row["usdcReceived"]) > 0


def test_what_a_borrow_would_do_to_the_liquidation_price(user: AuthenticationClient) -> None:
    def foreseen(side: str, symbol: str, quantity: str) -> dict[str, str]:
        payload = json.dumps({"quantity": quantity, "side": side, "symbol": symbol}).encode()
        # No value may have `=`: blanks behind the object take the place of padding.
        payload += b" " * (-len(payload) % 3)
        found: dict[str, str] = user.get_estimated_liquidation_price(
            base64.b64encode(payload).decode()
        )
        return found

    most = user.get_max_borrow_quantity("BTC")["maxBorrowQuantity"]
    found = foreseen("Borrow", "BTC", most)
    assert float(found["liquidationPrice"]) > float(found["markPrice"]) > 0
    assert foreseen("Lend", "BTC", "0.001")["liquidationPrice"] is None
    with pytest.raises(BackpackAPIError, match="INVALID_QUANTITY"):
        foreseen("Borrow", "BTC", "0")


def test_what_is_not_served_says_so(user: AuthenticationClient) -> None:
    assert user.get_open_positions() == user.get_position_history() == []
    with pytest.raises(BackpackAPIError, match="NOT_IMPLEMENTED"):
        user.create_withdrawal_delay(24, "123456")
    with pytest.raises(BackpackAPIError, match="NOT_IMPLEMENTED"):
        user.execute_order("Market", "Bid", MARKET, quantity="1", stopLossTriggerPrice="200")
