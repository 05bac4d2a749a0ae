"""ccxt, unmodified: its unified methods, its implicit ones, and its streams."""

import asyncio
from typing import Any

import ccxt
import ccxt.pro
import pytest

from tests.service.clients.served import DEMO_KEYS, PATIENCE, Service

MARKET = "BTC/USDC"


def client_of(service: Service, name: str) -> "ccxt.backpack":
    """A demo user's client, with nothing changed but its addresses."""
    key = DEMO_KEYS[name]
    urls = {"api": {"public": service.rest, "private": service.rest}}
    return ccxt.backpack({"apiKey": key.public, "secret": key.secret, "urls": urls})


@pytest.fixture(scope="module")
def user(demo: Service) -> "ccxt.backpack":
    """The first demo user's client."""
    return client_of(demo, "user")


@pytest.fixture(scope="module")
def other(demo: Service) -> "ccxt.backpack":
    """The second demo user's client."""
    return client_of(demo, "user-2")


def best_bid(client: "ccxt.backpack") -> float:
    return float(client.fetch_order_book(MARKET)["bids"][0][0])


def place(client: "ccxt.backpack", side: str, share: float, **params: Any) -> dict[str, Any]:
    """A limit order for 0.01 BTC at a share of the best bid."""
    price = round(best_bid(client) * share, 1)
    found: dict[str, Any] = client.create_order(MARKET, "limit", side, 0.01, price, params)
    return found


class TestPublicData:
    def test_markets_and_currencies(self, user: "ccxt.backpack") -> None:
        assert {"BTC/USDC", "ETH/USDC", "SOL/USDC"} <= set(user.load_markets())
        market = user.market(MARKET)
        assert market["spot"]
        assert market["active"]
        assert market["precision"] == {"amount": 1e-05, "price": 0.1}
        assert user.currencies["SOL"]["withdraw"]

    def test_the_book_is_sorted_and_not_crossed(self, user: "ccxt.backpack") -> None:
        book = user.fetch_order_book(MARKET)
        bids, asks = ([price for price, _ in book[side]] for side in ("bids", "asks"))
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]
        assert book["nonce"] > 0

    def test_trades_tickers_and_candles_agree(self, user: "ccxt.backpack") -> None:
        user.create_order(MARKET, "market", "buy", 0.01)
        trade = user.fetch_trades(MARKET)[-1]
        assert (trade["side"], trade["amount"]) == ("buy", 0.01)
        assert user.fetch_ticker(MARKET)["last"] > 0
        assert set(user.fetch_tickers()) >= {MARKET}
        _, first, high, low, last, volume = user.fetch_ohlcv(MARKET, "1m")[-1]
        assert low <= min(first, last) <= max(first, last) <= high
        assert volume >= 0.01

    def test_pools(self, user: "ccxt.backpack") -> None:
        pools = {each["symbol"]: each for each in user.publicGetApiV1BorrowLendMarkets()}
        assert float(pools["USDC"]["lentQuantity"]) > float(pools["USDC"]["borrowedQuantity"]) > 0
        assert float(pools["USDC"]["lendInterestRate"]) > 0
        query = {"interval": "1d", "symbol": "USDC"}
        (hour,) = user.publicGetApiV1BorrowLendMarketsHistory(query)
        assert float(hour["lentQuantity"]) > 0
        terms = {each["symbol"]: each for each in user.publicGetApiV1Collateral()}
        assert terms["BTC"]["haircutFunction"]["kind"]["type"] == "inverseSqrt"

    def test_status(self, user: "ccxt.backpack") -> None:
        assert user.fetch_status()["status"] == "ok"


class TestAccount:
    def test_lend_borrow_repay_and_redeem(self, user: "ccxt.backpack") -> None:
        def move(symbol: str, side: str, quantity: str) -> None:
            fields = {"symbol": symbol, "side": side, "quantity": quantity}
            assert user.privatePostApiV1BorrowLend(fields) == ""

        move("USDC", "Lend", "1000")
        move("BTC", "Borrow", "0.1")
        positions = {each["symbol"]: each for each in user.privateGetApiV1BorrowLendPositions()}
        assert float(positions["USDC"]["netQuantity"]) == pytest.approx(1000)
        assert float(positions["BTC"]["netQuantity"]) == pytest.approx(-0.1)
        assert float(positions["BTC"]["netExposureNotional"]) > 0
        margin = user.privateGetApiV1CapitalCollateral()
        assert float(margin["borrowLiability"]) > 0
        assert float(margin["netEquityAvailable"]) > 0
        move("BTC", "Lend", "0.05")
        move("USDC", "Borrow", "500")
        moved = user.privateGetWapiV1HistoryBorrowLend({"sources": "Manual", "limit": 4})
        assert [(row["symbol"], row["eventType"]) for row in moved] == [
            ("USDC", "LendRedeem"),
            ("BTC", "BorrowRepay"),
            ("BTC", "Borrow"),
            ("USDC", "Lend"),
        ]
        ids = {row["symbol"]: row["positionId"] for row in moved}
        assert {symbol: each["id"] for symbol, each in positions.items()} == ids
        rows = user.privateGetWapiV1HistoryBorrowLendPositions({"state": "Open"})
        assert {row["positionId"] for row in rows} == set(ids.values())
        paid = user.privateGetWapiV1HistoryInterest({"symbol": "BTC"})
        assert {row["positionId"] for row in paid} <= {ids["BTC"]}

    def test_settings_and_limits(self, user: "ccxt.backpack") -> None:
        assert user.privatePatchApiV1Account({"leverageLimit": "5", "autoLend": False}) == ""
        account = user.privateGetApiV1Account()
        assert (account["leverageLimit"], account["autoLend"]) == ("5", False)
        assert user.privatePatchApiV1Account({"leverageLimit": "10"}) == ""
        borrow = user.privateGetApiV1AccountLimitsBorrow({"symbol": "BTC"})
        assert float(borrow["maxBorrowQuantity"]) > 0
        query = {"symbol": "BTC_USDC", "side": "Ask", "autoLendRedeem": True}
        order = user.privateGetApiV1AccountLimitsOrder(query)
        assert float(order["maxOrderQuantity"]) > 1
        leave = user.privateGetApiV1AccountLimitsWithdrawal({"symbol": "ETH"})
        assert leave["maxWithdrawalQuantity"] == "25"

    def test_deposits_and_a_withdrawal(self, user: "ccxt.backpack") -> None:
        came = {row["currency"]: row["amount"] for row in user.fetch_deposits()}
        assert came["BTC"] == 2
        before = user.fetch_balance()["USDC"]["free"]
        sent = user.withdraw("USDC", 100, "somewhere", None, {"network": "SOL", "clientId": "w"})
        assert sent["status"] == "ok"
        (row,) = user.fetch_withdrawals()
        assert (row["id"], row["amount"], row["addressTo"]) == (sent["id"], 100, "somewhere")
        assert user.fetch_balance()["USDC"]["free"] == pytest.approx(before - 100)
        address = user.fetch_deposit_address("SOL", {"network": "SOL"})
        assert address["address"].startswith("account-")

    def test_what_there_is_none_of_is_empty(self, user: "ccxt.backpack") -> None:
        assert user.fetch_positions() == []
        assert user.fetch_funding_history() == []
        assert user.privateGetWapiV1HistoryDust() == []


class TestOrders:
    def test_an_order_rests_and_is_cancelled(self, user: "ccxt.backpack") -> None:
        placed = place(user, "buy", 0.9, clientOrderId=77, postOnly=True)
        assert (placed["status"], placed["clientOrderId"]) == ("open", "77")
        (resting,) = user.fetch_open_orders(MARKET)
        assert resting["id"] == placed["id"]
        assert user.fetch_open_order(placed["id"], MARKET)["remaining"] == 0.01
        assert user.fetch_balance()["USDC"]["used"] > 0
        assert user.cancel_order(placed["id"], MARKET)["status"] == "canceled"
        with pytest.raises(ccxt.BaseError, match="Not Found"):
            user.cancel_order(placed["id"], MARKET)
        (found,) = user.fetch_orders(MARKET, params={"orderId": placed["id"]})
        assert found["status"] == "canceled"

    def test_orders_in_a_batch_answer_for_themselves(self, user: "ccxt.backpack") -> None:
        price = round(best_bid(user) * 0.9, 1)
        order = {"symbol": MARKET, "type": "limit", "side": "buy", "price": price}
        found = user.create_orders([order | {"amount": 0.01}, order | {"amount": 5000}])
        # The client sorts them by time, and what is refused has none.
        bad, good = found
        assert good["status"] == "open"
        assert bad["info"]["code"] == "INSUFFICIENT_FUNDS"
        assert [each["id"] for each in user.cancel_all_orders(MARKET)] == [good["id"]]

    def test_refusals_are_the_exceptions_of_the_client(self, user: "ccxt.backpack") -> None:
        with pytest.raises(ccxt.InvalidOrder, match="Order would immediately match and take"):
            place(user, "buy", 1.05, postOnly=True)
        with pytest.raises(ccxt.InsufficientFunds, match="largest quantity"):
            user.create_order(MARKET, "market", "sell", 500)
        with pytest.raises(ccxt.BadRequest, match="Invalid market symbol"):
            user.privateGetApiV1Orders({"symbol": "XYZ_USDC"})

    def test_two_accounts_trade_with_each_other(
        self, user: "ccxt.backpack", other: "ccxt.backpack"
    ) -> None:
        book = user.fetch_order_book(MARKET)
        price = round((book["bids"][0][0] + book["asks"][0][0]) / 2, 1)
        made = user.create_order(MARKET, "limit", "sell", 0.01, price)
        took = other.create_order(MARKET, "limit", "buy", 0.01, price, {"timeInForce": "IOC"})
        assert took["status"] == "closed"
        sold, bought = (
            client.fetch_my_trades(MARKET, params={"orderId": order["id"]})
            for client, order in ((user, made), (other, took))
        )
        assert [fill["takerOrMaker"] for fill in (*sold, *bought)] == ["maker", "taker"]
        assert sold[0]["id"] == bought[0]["id"]
        assert bought[0]["fee"]["cost"] > 0
        (fee, *_) = other.privateGetWapiV1HistorySettlement({"source": "TradingFees"})
        assert float(fee["quantity"]) == pytest.approx(-bought[0]["fee"]["cost"])

    def test_a_stop_waits_is_found_and_is_cancelled(self, user: "ccxt.backpack") -> None:
        trigger = round(best_bid(user) * 0.5, 1)
        stop = user.create_order(
            MARKET, "market", "sell", 0.01, None, {"triggerPrice": trigger, "clientOrderId": 78}
        )
        assert (stop["status"], stop["triggerPrice"], stop["amount"]) == ("open", trigger, 0.01)
        assert stop["info"]["status"] == "TriggerPending"
        assert user.fetch_open_order(stop["id"], MARKET)["triggerPrice"] == trigger
        assert stop["id"] in [each["id"] for each in user.fetch_open_orders(MARKET)]
        assert user.privateGetApiV1Account()["triggerOrders"] == "1"
        assert user.cancel_order(stop["id"], MARKET)["status"] == "canceled"
        (found,) = user.fetch_orders(MARKET, params={"orderId": stop["id"]})
        assert (found["status"], found["triggerPrice"]) == ("canceled", trigger)
        limit = user.create_order(
            MARKET, "limit", "sell", 0.01, round(trigger * 0.99, 1), {"triggerPrice": trigger}
        )
        assert limit["id"] in [each["id"] for each in user.cancel_all_orders(MARKET)]
        with pytest.raises(ccxt.BaseError, match="no order is attached to another"):
            place(user, "buy", 0.9, stopLoss={"triggerPrice": trigger})

    def test_a_market_order_by_cost(self, user: "ccxt.backpack") -> None:
        order = user.create_order(MARKET, "market", "buy", 1, None, {"cost": 1000})
        assert order["status"] == "closed"
        assert 990 < order["cost"] <= 1000


class TestStreams:
    def test_book_trades_and_orders(self, demo: Service) -> None:
        asyncio.run(asyncio.wait_for(_stream(demo), PATIENCE))

    def test_an_order_that_waits_is_watched(self, demo: Service) -> None:
        asyncio.run(asyncio.wait_for(_waits(demo), PATIENCE))


def _listener(service: Service) -> "ccxt.pro.backpack":
    key = DEMO_KEYS["user-2"]
    rest, streams = service.rest, service.streams
    ws = {"public": streams, "private": streams}
    return ccxt.pro.backpack(
        {
            "apiKey": key.public,
            "secret": key.secret,
            "urls": {"api": {"public": rest, "private": rest, "ws": ws}},
            "options": {"watchOrderBook": {"snapshotDelay": 1}},
        }
    )


async def _waits(service: Service) -> None:
    client = _listener(service)
    try:
        await client.load_markets()
        watched = asyncio.create_task(client.watch_orders(MARKET))
        while not watched.done():
            await client.create_order(MARKET, "market", "sell", 0.01, None, {"triggerPrice": 1})
            await asyncio.sleep(0.5)
        seen = watched.result()[-1]
        assert (seen["status"], seen["triggerPrice"]) == ("open", 1)
        assert (seen["info"]["e"], seen["info"]["X"]) == ("triggerPlaced", "TriggerPending")
        await client.cancel_all_orders(MARKET)
    finally:
        await client.close()


async def _stream(service: Service) -> None:
    client = _listener(service)
    try:
        await client.load_markets()
        book, trades, orders = (
            asyncio.create_task(watch)
            for watch in (
                client.watch_order_book(MARKET),
                client.watch_trades(MARKET),
                _until_closed(client),
            )
        )
        bought = set()
        while not orders.done():
            order = await client.create_order(MARKET, "market", "buy", 0.01)
            bought.add(order["id"])
            await asyncio.sleep(0.5)
        seen = orders.result()
        assert seen[-1]["id"] in bought
        assert seen[-1]["filled"] == 0.01
        assert seen[-1]["info"]["O"] == "USER"
        assert (await trades)[-1]["price"] > 0
        await client.cancel_all_orders(MARKET)
        found = await book
        assert found["bids"][0][0] < found["asks"][0][0]
    finally:
        await client.close()


async def _until_closed(client: "ccxt.pro.backpack") -> list[dict[str, Any]]:
    """What a client sees of its orders until one of them is done."""
    while True:
        seen: list[dict[str, Any]] = await client.watch_orders(MARKET)
        if seen[-1]["status"] == "closed":
            return seen
