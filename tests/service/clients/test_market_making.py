"""A market-making bot's whole session, sent as public bots send it and read as typed clients read.

The bot signs for itself. It says the same field in query and body, asks for more than is known,
numbers its orders from 0 and takes the numbers again. What it is answered is read as strictly as
by a client in Go or JavaScript: every published key is there, null where it does not apply, and
every value is of one kind.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey
from websockets.sync.client import connect

from tests.service.api.published_fields import FIELDS
from tests.service.clients.served import DEMO_KEYS, Service, Staff, until

MARKET = "SOL_USDC"
PAGE_HEADERS = ("x-page-count", "x-current-page", "x-page-size", "x-total")
LEVELS = 3
Fields = Mapping[str, Any]


class Bot:
    """Signs the fields of query and body once, and reads answers strictly."""

    def __init__(self, http: httpx.Client) -> None:
        self._key = DEMO_KEYS["user"]
        self._signing = SigningKey(base64.b64decode(self._key.secret))
        self._http = http

    def get(self, path: str, **fields: Any) -> Any:
        """What anybody may ask."""
        reply = self._http.get(path, params=fields)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def ask(self, method: str, path: str, instruction: str, **fields: Any) -> httpx.Response:
        """A signed request; with DELETE the fields are in query and body both."""
        query = fields if method in ("GET", "DELETE") else None
        body = None if method == "GET" else json.dumps(fields).encode()
        headers = self._headers(instruction, [fields])
        return self._http.request(method, path, params=query, content=body, headers=headers)

    def place(self, orders: list[dict[str, Any]]) -> Any:
        """Several orders in one request."""
        headers = self._headers("orderExecute", orders)
        reply = self._http.post("/api/v1/orders", content=json.dumps(orders), headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def _headers(self, instruction: str, items: list[Any]) -> dict[str, str]:
        texts = ["".join(f"&{name}={_said(item[name])}" for name in sorted(item)) for item in items]
        signed = "&".join(f"instruction={instruction}{text}" for text in texts)
        stamp = time.time_ns() // 10**6
        text = f"{signed}&timestamp={stamp}&window=5000".encode()
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-API-Key": self._key.public,
            "X-Signature": base64.b64encode(self._signing.sign(text).signature).decode(),
            "X-Timestamp": str(stamp),
            "X-Window": "5000",
        }


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def typed(name: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row as a typed client takes it: the published keys, and null only where that may be."""
    published = {field.rstrip("?"): field.endswith("?") for field in FIELDS[name]}
    assert set(row) == set(published)
    assert {field for field, value in row.items() if value is None} <= {
        field for field, may_be_null in published.items() if may_be_null
    }
    return row


@pytest.fixture(scope="module")
def bot(demo: Service) -> Iterator[Bot]:
    with httpx.Client(base_url=demo.rest) as http:
        yield Bot(http)


def grid(price: float, *, spread: float = 0.01) -> list[dict[str, Any]]:
    """Bids and asks around a price, numbered from 0, none of which trades at once."""
    return [
        {
            "symbol": MARKET,
            "side": side,
            "orderType": "Limit",
            "timeInForce": "GTC",
            "postOnly": True,
            "price": f"{price * (1 + sign * (0.1 + spread * level)):.2f}",
            "quantity": "0.1",
            "clientId": 2 * level + (side == "Ask"),
        }
        for level in range(LEVELS)
        for side, sign in (("Bid", -1), ("Ask", 1))
    ]


def test_a_session(demo: Service, bot: Bot) -> None:
    """From the market's rules to a grid that is quoted twice under the same numbers, and away."""
    rules = next(each for each in bot.get("/api/v1/markets") if each["symbol"] == MARKET)
    assert float(rules["filters"]["price"]["tickSize"]) <= 0.01
    ticker = until(lambda: bot.get("/api/v1/ticker", symbol=MARKET, interval="1d", limit=5))
    price = float(typed("Ticker", ticker)["lastPrice"])
    before = bot.ask("GET", "/api/v1/capital", "balanceQuery", subaccountId=0).json()
    for balance in before.values():
        typed("Balance", balance)
    cancelled = bot.ask("DELETE", "/api/v1/orders", "orderCancelAll", symbol=MARKET)
    assert cancelled.status_code == 200

    with connect(demo.streams) as stream:
        key = Staff(demo, DEMO_KEYS["user"]).subscription()
        own = {"method": "SUBSCRIBE", "params": ["account.orderUpdate"], "signature": key}
        stream.send(json.dumps(own))
        seen: set[str] = set()
        for offset in (0.0, 0.5):
            quoted = bot.place(grid(price * (1 + offset / 100)))
            assert [each["operation"] for each in quoted] == ["Ok"] * 2 * LEVELS
            assert [each["clientId"] for each in quoted] == list(range(2 * LEVELS))
            numbers = {each["id"] for each in quoted}
            assert not numbers & seen, "a number taken again after its order ended is a new order"
            seen |= numbers
            resting = bot.ask("GET", "/api/v1/orders", "orderQueryAll", symbol=MARKET, limit=100)
            assert {row["id"] for row in resting.json()} == numbers
            for row in resting.json():
                typed("OrderType", row)
                assert isinstance(row["createdAt"], int)
            again = bot.place(grid(price * (1 + offset / 100))[:1])
            assert again[0]["id"] == quoted[0]["id"], "the same order under the same number"
            first, by_number = quoted[0], {"symbol": MARKET, "clientId": 0}
            gone = bot.ask("DELETE", "/api/v1/order", "orderCancel", **by_number).json()
            assert (gone["id"], gone["status"]) == (first["id"], "Cancelled")
            by_id = {"symbol": MARKET, "orderId": quoted[1]["id"]}
            assert bot.ask("DELETE", "/api/v1/order", "orderCancel", **by_id).status_code == 200
            unknown = bot.ask("DELETE", "/api/v1/order", "orderCancel", **by_id)
            assert (unknown.status_code, unknown.json()["code"]) == (400, "RESOURCE_NOT_FOUND")
            rest = bot.ask("DELETE", "/api/v1/orders", "orderCancelAll", symbol=MARKET)
            assert {each["id"] for each in rest.json()} == numbers - {first["id"], by_id["orderId"]}
        told: dict[str, set[str]] = {"orderAccepted": set(), "orderCancelled": set()}
        while told["orderCancelled"] != seen:
            message = json.loads(stream.recv(timeout=30))["data"]
            told[message["e"]].add(message["i"])
        assert told["orderAccepted"] == seen

    assert bot.ask("GET", "/api/v1/orders", "orderQueryAll").json() == []
    after = bot.ask("GET", "/api/v1/capital", "balanceQuery").json()
    assert {name: each["locked"] for name, each in after.items()} == {
        name: each["locked"] for name, each in before.items()
    }


@pytest.mark.parametrize(
    ("path", "instruction", "name"),
    [
        ("/wapi/v1/history/orders", "orderHistoryQueryAll", "Order"),
        ("/wapi/v1/history/fills", "fillHistoryQueryAll", "OrderFill"),
        ("/wapi/v1/history/borrowLend", "borrowHistoryQueryAll", "BorrowLendMovement"),
        ("/wapi/v1/history/interest", "interestHistoryQueryAll", "InterestPayment"),
        ("/wapi/v1/history/settlement", "settlementHistoryQueryAll", ""),
        ("/wapi/v1/history/funding", "fundingHistoryQueryAll", "FundingPayment"),
        ("/wapi/v1/capital/deposits", "depositQueryAll", "Deposit"),
        ("/wapi/v1/capital/withdrawals", "withdrawalQueryAll", "Withdrawal"),
    ],
)
def test_what_was_done_comes_in_pages(bot: Bot, path: str, instruction: str, name: str) -> None:
    """Each with its headers, also where the list is empty, and with fields that nobody knows."""
    reply = bot.ask("GET", path, instruction, limit=2, offset=0, subaccountId=0)
    assert reply.status_code == 200, reply.text
    count, current, size, total = (int(reply.headers[each]) for each in PAGE_HEADERS)
    assert (current, size, count) == (1, 2, -(-total // 2))
    assert len(reply.json()) == min(total, 2)
    for row in reply.json():
        if name:
            typed(name, row)


def test_candles_are_read_by_their_number(bot: Bot) -> None:
    """A row an interval, without holes, whose start is a time as `strptime` reads it."""
    now = int(time.time())
    asked = {"symbol": MARKET, "interval": "1s", "startTime": now - 31, "endTime": now - 1}
    rows = bot.get("/api/v1/klines", **asked, limit=100, klinePriceType="Last")
    starts = [
        datetime.strptime(typed("Kline", row)["start"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        for row in rows
    ]
    assert len(rows) in (30, 31)
    assert {later - start for start, later in pairwise(starts)} == {timedelta(seconds=1)}
