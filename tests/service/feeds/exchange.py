"""A local server that speaks an exchange's protocol, and may be told to misbehave."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from solvent.service.feeds.exchanges import Client, connect

KRAKEN_PAIRS = {"XBTUSDC": "XBT", "SOLUSD": "SOL"}
BINANCE_PAIRS = {"BTCUSDC": "BTC", "SOLUSDT": "SOL"}


class Exchange:
    """What the server says; `status` and `raw` replace the tickers where they are set."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.prices = {
            "BTC": ("100000.1", "100000.3", "100000.2"),
            "SOL": ("200", "200.2", "200.1"),
        }
        self.status = 200
        self.raw: bytes | None = None
        self.stamp = 0
        self.hangs = threading.Event()
        self.released = threading.Event()
        self.asked: list[str] = []

    def price(self, symbol: str, bid: str, ask: str | None = None, last: str | None = None) -> None:
        """Let a symbol have these prices."""
        self.prices[symbol] = (bid, ask or bid, last or bid)

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body for a request."""
        self.asked.append(path)
        parts = urlsplit(path)
        name = parts.path.rsplit("/", 1)[-1]
        if name in _MARKETS:
            return 200, json.dumps(_MARKETS[name]).encode()
        if self.hangs.is_set():
            self.released.wait(20)
        if self.raw is not None or self.status != 200:
            return self.status, self.raw or b"{}"
        query = parse_qs(parts.query)
        if name == "Ticker":
            return 200, json.dumps(self._kraken(query["pair"][0].split(","))).encode()
        return 200, json.dumps(self._binance(json.loads(query["symbols"][0]))).encode()

    def _kraken(self, pairs: list[str]) -> dict[str, Any]:
        found = {}
        for pair in pairs:
            symbol = {"XBT": "BTC"}.get(KRAKEN_PAIRS[pair], KRAKEN_PAIRS[pair])
            bid, ask, last = self.prices[symbol]
            found[pair] = {
                "a": [ask, "1", "1.000"],
                "b": [bid, "1", "1.000"],
                "c": [last, "0.1"],
                "v": ["1", "1"],
                "p": [last, last],
                "t": [1, 1],
                "l": [last, last],
                "h": [last, last],
                "o": last,
            }
        return {"error": [], "result": found}

    def _binance(self, pairs: list[str]) -> list[dict[str, Any]]:
        found = []
        for pair in pairs:
            bid, ask, last = self.prices[BINANCE_PAIRS[pair]]
            found.append(
                {
                    "symbol": pair,
                    "bidPrice": bid,
                    "bidQty": "1",
                    "askPrice": ask,
                    "askQty": "1",
                    "lastPrice": last,
                    "closeTime": self.stamp,
                }
            )
        return found


def _kraken_pair(name: str, base: str) -> dict[str, Any]:
    quote = name[len(base) :]
    return {
        "altname": name,
        "wsname": f"{base}/{quote}",
        "aclass_base": "currency",
        "base": base,
        "aclass_quote": "currency",
        "quote": quote,
        "lot": "unit",
        "pair_decimals": 2,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.26]],
        "fees_maker": [[0, 0.16]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.1",
        "status": "online",
    }


def _kraken_asset(name: str) -> dict[str, Any]:
    return {"aclass": "currency", "altname": name, "decimals": 10, "display_decimals": 5}


def _binance_market(name: str, base: str) -> dict[str, Any]:
    return {
        "symbol": name,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": name[len(base) :],
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.01", "minPrice": "0.01"}],
        "orderTypes": ["LIMIT", "MARKET"],
    }


_MARKETS: dict[str, Any] = {
    "Assets": {
        "error": [],
        "result": {name: _kraken_asset(name) for name in ("XBT", "SOL", "USD", "USDC")},
    },
    "AssetPairs": {
        "error": [],
        "result": {name: _kraken_pair(name, base) for name, base in KRAKEN_PAIRS.items()},
    },
    "exchangeInfo": {
        "timezone": "UTC",
        "serverTime": 0,
        "rateLimits": [],
        "symbols": [_binance_market(name, base) for name, base in BINANCE_PAIRS.items()],
    },
}


@contextmanager
def running() -> Iterator[Exchange]:
    """An exchange on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = exchange.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    exchange = Exchange(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield exchange
    finally:
        exchange.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def kraken(exchange: Exchange, timeout_ms: int = 5000) -> Client:
    """ccxt's client of Kraken, pointed at this machine."""
    return connect(
        "kraken",
        {
            "urls": {"api": {"public": exchange.url, "private": exchange.url}},
            "enableRateLimit": False,
            "timeout": timeout_ms,
        },
    )


def binance(exchange: Exchange) -> Client:
    """ccxt's client of Binance's spot market, pointed at this machine."""
    url = f"{exchange.url}/api/v3"
    return connect(
        "binance",
        {
            "urls": {"api": {"public": url, "private": url, "sapi": url}},
            "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
            "enableRateLimit": False,
        },
    )
