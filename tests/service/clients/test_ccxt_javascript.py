"""ccxt in JavaScript, unmodified: REST and streams, with numbers as JavaScript has them.

It is 119 MB, so its lock is in a folder of its own, apart from the developers' set, and it is
installed at test time as `npm_ccxt/package-lock.json` has it.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.service.clients.npm_packages import NODE, installed, names_no_registry
from tests.service.clients.served import DEMO_KEYS, PATIENCE, Service

HERE = Path(__file__).parent
SCRIPT = HERE / "ccxt_client.cjs"
LOCK = HERE / "npm_ccxt"
MARKET = "SOL/USDC"
Call = tuple[Any, ...]
Ask = Callable[..., list[dict[str, Any]]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed client."""
    return installed(LOCK, tmp_path_factory.mktemp("ccxt")) / "ccxt" / "dist" / "ccxt.cjs"


@pytest.fixture(scope="module")
def ask(package: Path, demo: Service) -> Ask:
    """Lets node carry calls out for the first demo user."""
    key = DEMO_KEYS["user"]
    streams = {"public": demo.streams, "private": demo.streams}
    config = {
        "apiKey": key.public,
        "secret": key.secret,
        "urls": {"api": {"public": demo.rest, "private": demo.rest, "ws": streams}},
        "options": {"watchOrderBook": {"snapshotDelay": 3}},
    }

    def carry_out(*calls: Call) -> list[dict[str, Any]]:
        done = subprocess.run(
            [NODE, SCRIPT, package],
            input=json.dumps({"config": config, "calls": calls}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    return carry_out


def values(answers: list[dict[str, Any]]) -> list[Any]:
    """What calls gave that all succeed."""
    assert [answer for answer in answers if "error" in answer] == []
    return [answer["value"] for answer in answers]


def test_the_lock_names_no_registry() -> None:
    assert names_no_registry(LOCK, "ccxt") == "4.5.64"


def test_public_data(ask: Ask) -> None:
    """One candle an interval, the last ones at the end, and a book that is not crossed."""
    markets, currencies, book, ticker, tickers, candles, trades, now = values(
        ask(
            ("loadMarkets",),
            ("fetchCurrencies",),
            ("fetchOrderBook", MARKET, 20),
            ("fetchTicker", MARKET),
            ("fetchTickers",),
            ("fetchOHLCV", MARKET, "1m"),
            ("fetchTrades", MARKET, None, 5),
            ("fetchTime",),
        )
    )
    assert {"BTC/USDC", "ETH/USDC", MARKET} <= set(markets)
    assert markets[MARKET]["spot"]
    assert currencies["SOL"]["withdraw"]
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["nonce"] > 0
    assert ticker["last"] > 0
    assert len(tickers) >= 3
    begun = [row[0] for row in candles]
    assert begun == list(range(begun[0], begun[-1] + 1, 60_000))
    assert len(trades) <= 5
    assert abs(now - begun[-1]) < 120_000


def test_an_order_from_its_beginning_to_its_end(ask: Ask) -> None:
    placed, opened, cancelled, none, bought, fills, balance = values(
        ask(
            ("createOrder", MARKET, "limit", "buy", 1, 100),
            ("fetchOpenOrder", {"$": [0, "id"]}, MARKET),
            ("cancelOrder", {"$": [0, "id"]}, MARKET),
            ("fetchOpenOrders", MARKET),
            ("createOrder", MARKET, "market", "buy", 0.5),
            ("fetchMyTrades", MARKET, None, 50),
            ("fetchBalance",),
        )
    )
    assert placed["status"] == opened["status"] == "open"
    assert (opened["amount"], opened["price"], opened["filled"]) == (1, 100, 0)
    assert cancelled["id"] == placed["id"]
    assert placed["id"] not in [each["id"] for each in none]
    assert (bought["status"], bought["filled"]) == ("closed", 0.5)
    mine = [each for each in fills if each["order"] == bought["id"]]
    assert sum(each["amount"] for each in mine) == pytest.approx(0.5)
    assert balance["USDC"]["total"] > 0


def test_a_client_id_of_zero_and_again(ask: Ask) -> None:
    """0 is an id, and an id is free when its order has ended."""
    params = {"clientOrderId": 0}
    found = ask(
        ("createOrder", MARKET, "limit", "buy", 1, 100, params),
        ("createOrder", MARKET, "limit", "buy", 2, 100, params),
        ("cancelOrder", {"$": [0, "id"]}, MARKET),
        ("createOrder", MARKET, "limit", "buy", 2, 100, params),
        ("cancelAllOrders", MARKET),
        ("fetchOpenOrders", MARKET),
    )
    first, refused, _, second, _, left = found
    assert "error" in refused
    assert first["value"]["id"] != second["value"]["id"]
    assert left["value"] == []


def test_refusals_have_ccxt_s_own_names(ask: Ask) -> None:
    huge, unknown, bad = ask(
        ("createOrder", MARKET, "market", "sell", 90_000),
        ("cancelOrder", "1", MARKET),
        ("createOrder", MARKET, "limit", "buy", 1, 0.001),
    )
    assert huge["error"] == "InsufficientFunds"
    assert "error" in unknown
    assert "error" in bad


def test_lending(ask: Ask) -> None:
    query = {"symbol": "USDC", "side": "Lend", "quantity": "10"}
    _, positions, history = values(
        ask(
            ("privatePostApiV1BorrowLend", query),
            ("privateGetApiV1BorrowLendPositions",),
            ("privateGetWapiV1HistoryBorrowLend", {"limit": 1}),
        )
    )
    assert "USDC" in [each["symbol"] for each in positions]
    assert (history[0]["symbol"], float(history[0]["quantity"])) == ("USDC", 10)


def test_streams(ask: Ask) -> None:
    buy = ("createOrder", MARKET, "market", "buy", 0.1)
    book, trades, ticker, orders = values(
        ask(
            ("watched", ["watchOrderBook", MARKET], *buy),
            ("watched", ["watchTrades", MARKET], *buy),
            ("watched", ["watchTicker", MARKET], *buy),
            ("watched", ["watchOrders", MARKET], *buy),
        )
    )
    assert book["bids"][0][0] < book["asks"][0][0]
    assert trades[-1]["amount"] > 0
    assert ticker["last"] > 0
    assert orders[-1]["symbol"] == MARKET
