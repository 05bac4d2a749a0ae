"""bpx-api-client from npm, unmodified: it counts nothing but status 200 as success.

It is installed at test time as `npm/package-lock.json` has it. It names a package `fs`, which it
never loads and some registries do not have, so the lock has another small one in its place.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.service.clients.npm_packages import NODE, installed, names_no_registry
from tests.service.clients.served import DEMO_KEYS, PATIENCE, Service

HERE = Path(__file__).parent
SCRIPT = HERE / "bpx_api_client.cjs"
LOCK = HERE / "npm"
MARKET = "SOL_USDC"
OK = 200
Call = tuple[Any, ...]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed client."""
    return installed(LOCK, tmp_path_factory.mktemp("npm")) / "bpx-api-client"


def test_the_lock_names_no_registry() -> None:
    assert names_no_registry(LOCK, "bpx-api-client") == "0.1.2"


class Client:
    """Lets node carry calls out for a demo user."""

    def __init__(self, package: Path, service: Service, name: str) -> None:
        key = DEMO_KEYS[name]
        self._command = [NODE, SCRIPT, package]
        self._config = {
            "apiKey": key.public,
            "apiSecret": key.secret,
            "httpUrl": service.rest,
            "wsUrl": service.streams,
        }

    def __call__(self, *calls: Call) -> list[dict[str, Any]]:
        """What each call gave."""
        text = json.dumps({"config": self._config, "calls": calls})
        done = subprocess.run(
            self._command,
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def data(self, *calls: Call) -> list[Any]:
        """The data of calls that all succeed."""
        found = self(*calls)
        for call, answer in zip(calls, found, strict=True):
            assert answer["statusCode"] == OK, (call, answer)
        return [answer["data"] for answer in found]


@pytest.fixture(scope="module")
def client(package: Path, demo: Service) -> Client:
    """The first demo user's client."""
    return Client(package, demo, "user")


@pytest.mark.slow
def test_public_data(client: Client) -> None:
    markets, assets, terms, pools, book, ticker, tickers, marks, trades, status, pong, now = (
        client.data(
            ("markets.getMarkets",),
            ("assets.getAssets",),
            ("assets.getCollateral",),
            ("borrowLendMarkets.getBorrowLendMarkets",),
            ("markets.getDepth", MARKET),
            ("markets.getTicker", {"symbol": MARKET}),
            ("markets.getTickers",),
            ("markets.getMarkPrices", MARKET),
            ("trades.getRecentTrades", {"symbol": MARKET, "limit": 5}),
            ("system.status",),
            ("system.ping",),
            ("system.getSystemTime",),
        )
    )
    assert {market["symbol"] for market in markets} == {"BTC_USDC", "ETH_USDC", "SOL_USDC"}
    assert len(assets) == len(terms) == len(pools) == 4
    assert float(book["bids"][-1][0]) < float(book["asks"][0][0])
    assert ticker["symbol"] == marks[0]["symbol"] == MARKET
    assert len(tickers) == 3
    assert len(trades) <= 5
    assert (status["status"], pong) == ("Ok", "pong")
    assert str(now).isdigit()


def test_lending_and_borrowing(client: Client) -> None:
    def move(symbol: str, side: str, quantity: str) -> Call:
        fields = {"symbol": symbol, "side": side, "quantity": quantity}
        return ("borrowLend.executeBorrowLend", fields)

    *done, positions, history, past, interest, margin, balances = client.data(
        move("USDC", "Lend", "100"),
        move("BTC", "Borrow", "0.01"),
        move("BTC", "Lend", "0.005"),
        move("USDC", "Borrow", "50"),
        ("borrowLend.getBorrowLendPositions",),
        ("history.getBorrowLendHistory", {"sources": "Manual"}),
        ("history.getBorrowLendPositionHistory", {"state": "Open"}),
        ("history.getInterestHistory", {"symbol": "BTC"}),
        ("capital.getCollateral",),
        ("capital.getBalances",),
    )
    assert done == [""] * 4
    assert {each["symbol"] for each in positions} == {"USDC", "BTC"}
    kinds = ["LendRedeem", "BorrowRepay", "Borrow", "Lend"]
    assert [row["eventType"] for row in history] == kinds
    assert {row["positionId"] for row in past} == {each["id"] for each in positions}
    assert {row["symbol"] for row in interest} <= {"BTC"}
    assert float(margin["borrowLiability"]) > 0
    assert balances["BTC"]["available"] == "2.005"


def test_an_account_and_its_capital(client: Client) -> None:
    done, account, borrow, order, leave, sent, withdrawals, deposits, address = client.data(
        ("account.updateAccount", {"autoLend": False, "leverageLimit": "6"}),
        ("account.getAccount",),
        ("account.getMaxBorrowQuantity", "ETH"),
        ("account.getMaxOrderQuantity", {"symbol": MARKET, "side": "Ask", "autoBorrow": True}),
        ("account.getMaxWithdrawalQuantity", {"symbol": "ETH", "autoBorrow": False}),
        (
            "capital.requestWithdrawal",
            {"address": "home", "blockchain": "Solana", "quantity": "1", "symbol": "ETH"},
        ),
        ("capital.getWithdrawals", {"limit": 1}),
        ("capital.getDeposits", {"limit": 10}),
        ("capital.getDepositAddress", "Solana"),
    )
    assert done == ""
    assert account["leverageLimit"] == "6"
    assert float(borrow["maxBorrowQuantity"]) > 0
    assert float(order["maxOrderQuantity"]) > 500
    assert leave["maxWithdrawalQuantity"] == "25"
    assert withdrawals == [sent]
    assert len(deposits) == 4
    assert address["address"].startswith("account-")


def test_orders(client: Client) -> None:
    order: dict[str, Any] = {"symbol": MARKET, "side": "Bid", "orderType": "Limit"}
    order |= {"price": "150", "quantity": "1", "timeInForce": "GTC", "postOnly": True}
    order |= {"clientId": 3}
    sale = {"symbol": MARKET, "side": "Ask", "orderType": "Market", "quantity": "1"}
    named = {"symbol": MARKET, "orderId": {"$": [0, "id"]}}
    placed, found, every, gone, batch, ended, sold, orders, fills, fees = client.data(
        ("order.executeOrder", order),
        ("order.getOpenOrder", named),
        ("order.getOpenOrders", {"symbol": MARKET}),
        ("order.cancelOpenOrder", named),
        ("order.executeOrders", [order | {"clientId": 4}, order | {"clientId": 5}]),
        ("order.cancelOpenOrders", {"symbol": MARKET}),
        ("order.executeOrder", sale),
        ("history.getOrderHistory", {"symbol": MARKET, "limit": 4}),
        ("history.getFillHistory", {"symbol": MARKET}),
        ("history.getSettlementHistory", {"source": "TradingFees"}),
    )
    assert found == placed
    assert every == [placed]
    assert gone["status"] == "Cancelled"
    assert [each["operation"] for each in batch] == ["Ok", "Ok"]
    assert len(ended) == 2
    assert sold["status"] == "Filled"
    assert {row["id"] for row in orders} == {each["id"] for each in (placed, sold, *batch)}
    assert {row["orderId"] for row in fills} == {sold["id"]}
    assert len(fees) == len(fills)


def test_refusals_and_what_there_is_none_of(client: Client) -> None:
    huge = {"symbol": MARKET, "side": "Ask", "orderType": "Market", "quantity": "90000"}
    refused, none, dust, futures = client(
        ("order.executeOrder", huge),
        ("order.getOpenOrder", {"symbol": MARKET, "orderId": "1"}),
        ("history.getDustConversionHistory", {"limit": 1}),
        ("futures.getOpenPositions",),
    )
    assert (refused["statusCode"], refused["error"]["code"]) == (400, "INSUFFICIENT_FUNDS")
    assert (none["statusCode"], none["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert dust["data"] == futures["data"] == []


def test_all_dust_is_converted(package: Path, demo: Service) -> None:
    other = Client(package, demo, "user-2")
    gone = {"address": "home", "blockchain": "Solana", "quantity": "24.99996", "symbol": "ETH"}
    _, done, (row,) = other.data(
        ("capital.requestWithdrawal", gone),
        ("account.convertDustBalance",),
        ("history.getDustConversionHistory", {"symbol": "ETH"}),
    )
    assert done == ""
    assert row["quantity"] == "0.00004"
    (again,) = other(("account.convertDustBalance",))
    assert again["error"]["message"] == "there is no dust to convert"


def test_streams(package: Path, demo: Service) -> None:
    other = Client(package, demo, "user-2")
    order = {"symbol": MARKET, "side": "Bid", "orderType": "Market", "quantity": "1"}
    (seen,) = other.data(("streamed.order", order))
    streams = {message["stream"] for message in seen}
    assert streams >= {"account.orderUpdate", f"depth.{MARKET}"}
    updates = [message["data"] for message in seen if message["stream"] == "account.orderUpdate"]
    assert updates[0]["e"] == "orderAccepted"
    assert {update["O"] for update in updates} == {"USER"}
