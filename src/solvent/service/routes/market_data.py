"""Market data: what was traded, at what prices, and how pools moved."""

from datetime import UTC, datetime
from functools import partial

from solvent.domain.units import SECOND
from solvent.history.followers.candles import INTERVALS
from solvent.history.market_views import Views
from solvent.history.tables.rows import Paging, PoolPoint, PriceKind, TickerRow
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.objects.borrow_lend import BorrowLendHistory, PoolHistoryQuery
from solvent.service.api.objects.enums import (
    BorrowLendMarketHistoryInterval,
    KlinePriceType,
    TickerInterval,
)
from solvent.service.api.objects.market_data import (
    FAR_SECOND,
    Kline,
    KlinesQuery,
    LatestTradesQuery,
    Ticker,
    TickerQuery,
    TickersQuery,
    Trade,
    TradesQuery,
)
from solvent.service.api.pages import page_of
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import (
    market_symbol,
    price_text,
    quantity_text,
    ratio_text,
    value_text,
)
from solvent.service.limits import KLINES_MOST
from solvent.service.wire import format_decimal, ms, naive_time

TAG = "Assets/markets"
_PERCENT = 100
_SHARE_DIGITS = 4


_KINDS = {name: PriceKind[name.name] for name in KlinePriceType}


async def ticker(call: Call) -> Reply:
    """What one market traded in a day or a week."""
    asset = call.params.market()
    return json_reply(await _ticker(call, asset))


async def tickers(call: Call) -> Reply:
    """What every market traded in a day or a week."""
    assets = range(1, len(call.node.market.parameters.assets))
    return json_reply([await _ticker(call, asset) for asset in assets])


async def _ticker(call: Call, asset: int) -> Ticker:
    interval = call.params.choice("interval", TickerInterval, TickerInterval.DAY)
    assert interval is not None
    now = call.node.time()
    row = await call.node.past(lambda views: views.ticker(asset, interval, now))
    if row is None:
        async with call.node.reading():
            mark = call.node.market.queries.price(asset).mark
        row = TickerRow(asset, mark, mark, mark, mark, 0, 0, 0)
    parameters = call.node.market.parameters
    change = row.last - row.first
    share = change * _PERCENT * 10**_SHARE_DIGITS // row.first if row.first else 0
    return Ticker(
        symbol=market_symbol(parameters, asset),
        first_price=price_text(row.first),
        last_price=price_text(row.last),
        price_change=price_text(change),
        price_change_percent=format_decimal(share, _SHARE_DIGITS),
        high=price_text(row.high),
        low=price_text(row.low),
        volume=quantity_text(parameters, asset, row.volume),
        quote_volume=value_text(row.quote_volume),
        trades=str(row.trades),
    )


async def klines(call: Call) -> Reply:
    """Candles; times are seconds."""
    fields = call.params
    asset = fields.market()
    interval = fields.need("interval")
    if interval not in INTERVALS:
        raise bad_request(f"interval must be one of {', '.join(INTERVALS)}")
    kind = fields.choice("priceType", KlinePriceType, KlinePriceType.LAST)
    assert kind is not None
    if not fields.has("startTime"):
        raise bad_request("startTime is missing")
    start = fields.integer("startTime", 0, 0, FAR_SECOND) * SECOND
    end = fields.integer("endTime", call.node.time() // SECOND + 1, 0, FAR_SECOND) * SECOND
    rows = await call.node.past(
        lambda views: views.klines(asset, interval, start, end, _KINDS[kind], KLINES_MOST)
    )
    parameters = call.node.market.parameters
    return json_reply(
        [
            Kline(
                start=naive_time(row.start).replace("T", " "),
                end=naive_time(row.end).replace("T", " "),
                open=price_text(row.open),
                high=price_text(row.high),
                low=price_text(row.low),
                close=price_text(row.close),
                volume=quantity_text(parameters, asset, row.volume),
                quote_volume=value_text(row.quote_volume),
                trades=str(row.trades),
            )
            for row in rows
        ]
    )


async def trades(call: Call) -> Reply:
    """The latest trades of a market."""
    fields = call.params
    asset = fields.market()
    asked = page_of(fields)
    paging = Paging(asked.limit, asked.offset)
    page = await call.node.past(lambda views: views.trades(asset, paging))
    parameters = call.node.market.parameters
    return json_reply(
        [
            Trade(
                id=row.trade,
                price=price_text(row.price),
                quantity=quantity_text(parameters, asset, row.quantity),
                quote_quantity=value_text(row.quote),
                timestamp=ms(row.time),
                is_buyer_maker=row.buyer_is_maker,
            )
            for row in page.rows
        ]
    )


def _pool(asset: int, interval: str, now: int, views: Views) -> list[PoolPoint]:
    return views.pool_history(asset, interval, now)


async def pools(call: Call) -> Reply:
    """How a pool, or every pool, moved."""
    fields = call.params
    interval = fields.choice("interval", BorrowLendMarketHistoryInterval)
    if interval is None:
        raise bad_request("interval is missing")
    parameters = call.node.market.parameters
    assets = [fields.asset()] if fields.has("symbol") else list(range(len(parameters.assets)))
    now = call.node.time()
    found: list[BorrowLendHistory] = []
    for asset in assets:
        points = await call.node.past(partial(_pool, asset, interval, now))
        for point in points:
            moment = datetime.fromtimestamp(point.start // SECOND, UTC)
            found.append(
                BorrowLendHistory(
                    borrow_interest_rate=ratio_text(point.borrow_rate),
                    borrowed_quantity=quantity_text(parameters, asset, point.borrowed),
                    lend_interest_rate=ratio_text(point.lend_rate),
                    lent_quantity=quantity_text(parameters, asset, point.lent),
                    timestamp=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    utilization=ratio_text(point.utilization),
                )
            )
    return json_reply(found)


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/api/v1/ticker",
        ticker,
        query=TickerQuery,
        returns=Ticker,
    ),
    Endpoint(TAG, "GET", "/api/v1/tickers", tickers, query=TickersQuery, returns=list[Ticker]),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/klines",
        klines,
        query=KlinesQuery,
        returns=list[Kline],
    ),
    Endpoint(TAG, "GET", "/api/v1/trades", trades, query=LatestTradesQuery, returns=list[Trade]),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/trades/history",
        trades,
        query=TradesQuery,
        returns=list[Trade],
    ),
    Endpoint(
        "Borrow/lend",
        "GET",
        "/api/v1/borrowLend/markets/history",
        pools,
        query=PoolHistoryQuery,
        returns=list[BorrowLendHistory],
    ),
]
