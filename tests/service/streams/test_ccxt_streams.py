"""ccxt's own streaming client, with nothing changed but its addresses, keeps the engine's book."""

import asyncio
import base64
from collections.abc import Sequence

import ccxt.pro
from msgspec import to_builtins
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from solvent.domain import commands as c
from solvent.domain.units import PRICE_SCALE
from tests.service.streams.served import ANN, BOB, PATIENCE, SOL, Served, serving

SYMBOL = "SOL/USDC"
MARKET = {
    "symbol": "SOL_USDC",
    "baseSymbol": "SOL",
    "quoteSymbol": "USDC",
    "marketType": "SPOT",
    "orderBookState": "Open",
    "visible": True,
    "filters": {
        "price": {"minPrice": "0.01", "tickSize": "0.01", "maxPrice": None},
        "quantity": {"minQuantity": "0.0001", "stepSize": "0.0001", "maxQuantity": None},
    },
}
TOKEN = {"blockchain": "Solana", "depositEnabled": True, "withdrawEnabled": True}
ASSETS = [{"symbol": symbol, "tokens": [TOKEN]} for symbol in ("USDC", "SOL")]


def rest(served: Served) -> Sequence[BaseRoute]:
    """What the client asks for before it streams."""

    async def answer(request: Request) -> JSONResponse:
        if request.url.path.endswith("/depth"):
            return JSONResponse(to_builtins(served.publisher.depth(SOL, 1000)))
        found = {"assets": ASSETS, "markets": [MARKET], "securities": []}
        return JSONResponse(found[request.url.path.rpartition("/")[2]])

    return [Route("/api/v1/{name}", answer)]


def client_of(served: Served) -> "ccxt.pro.backpack":
    http = served.url.replace("ws://", "http://")
    client = ccxt.pro.backpack({"options": {"watchOrderBook": {"snapshotDelay": 3}}})
    client.urls["api"] = {
        "public": http,
        "private": http,
        "ws": {"public": served.url, "private": served.url},
    }
    return client


def levels(served: Served, side: c.Side) -> list[list[float]]:
    """The engine's levels, best first."""
    depth = served.queries.depth(SOL)
    found = depth.bids if side is c.Side.BID else depth.asks
    return [[level.price / PRICE_SCALE, level.quantity / 10**9] for level in found]


def test_ccxt_keeps_the_engines_book() -> None:
    async def story(served: Served) -> None:
        client = client_of(served)
        moving = asyncio.create_task(_move(served))
        try:
            book = await client.watch_order_book(SYMBOL)
            for _ in range(60):
                book = await client.watch_order_book(SYMBOL)
                assert book["bids"][0][0] < book["asks"][0][0]
            moving.cancel()
            for side, kept in ((c.Side.BID, book["bids"]), (c.Side.ASK, book["asks"])):
                while [list(each[:2]) for each in kept] != levels(served, side):
                    await asyncio.sleep(0.01)
            assert len(book["bids"]) > 3
        finally:
            moving.cancel()
            await client.close()

    async def run() -> None:
        async with serving(routes=rest) as served, asyncio.timeout(3 * PATIENCE):
            await story(served)

    asyncio.run(run())


def test_ccxt_hears_trades_orders_candles_and_tickers() -> None:
    async def story(served: Served) -> None:
        client = client_of(served)
        served.wall_ms = client.milliseconds()
        key, *_ = served.sign(BOB)
        client.apiKey = key
        client.secret = base64.b64encode(bytes(served.keys[BOB])).decode()
        try:
            waiting = [
                asyncio.ensure_future(watched)
                for watched in (
                    client.watch_trades(SYMBOL),
                    client.watch_ticker(SYMBOL),
                    client.watch_bids_asks([SYMBOL]),
                    client.watch_ohlcv(SYMBOL, "1m"),
                    client.watch_orders(SYMBOL),
                )
            ]
            while not all(task.done() for task in waiting):
                served.place(ANN, c.Side.ASK, 200, 100)
                served.place(BOB, c.Side.BID, 200, 50)
                await asyncio.sleep(0.02)
            trades, ticker, best, candles, orders = [task.result() for task in waiting]
        finally:
            await client.close()
        assert (trades[0]["price"], trades[0]["amount"], trades[0]["side"]) == (200, 0.05, "buy")
        assert (ticker["last"], ticker["open"]) == (200, 200)
        assert best[SYMBOL]["ask"] == 200
        assert candles[0][1:5] == [200, 200, 200, 200]
        assert {order["side"] for order in orders} == {"buy"}
        assert orders[0]["status"] in ("open", "closed")

    async def run() -> None:
        async with serving(routes=rest) as served, asyncio.timeout(3 * PATIENCE):
            await story(served)

    asyncio.run(run())


async def _move(served: Served) -> None:
    """Makers quote and cancel, takers take."""
    for turn in range(10**6):
        offset = turn * 7 % 13
        served.place(ANN, c.Side.BID, 190 - offset, 100 + turn % 9)
        served.place(BOB, c.Side.ASK, 210 + offset, 100 + turn % 9)
        if turn % 5 == 0:
            served.place(BOB, c.Side.ASK, 189, 30)
        if turn % 20 == 19:
            served.apply(c.CancelAllOrders(BOB if turn % 40 == 19 else ANN))
            served.place(ANN, c.Side.BID, 190, 500)
            served.place(BOB, c.Side.ASK, 210, 500)
        await asyncio.sleep(0.005)
