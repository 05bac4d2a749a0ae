"""Market data: what was traded, at what prices, and how pools moved."""

from datetime import UTC, datetime
from functools import partial

from solvent.domain.parameters import EngineParameters
from solvent.domain.units import SECOND
from solvent.history.followers.candles import INTERVALS, spans, start_of
from solvent.history.market_views import Views
from solvent.history.tables.rows import (
    CandleRow,
    Paging,
    PoolPoint,
    PriceKind,
    TickerRow,
    TradeRow,
)
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
from solvent.service.api.objects.pages import FAR
from solvent.service.api.pages import page_headers, page_of
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import (
    market_symbol,
    price_text,
    quantity_text,
    ratio_text,
    value_text,
)
from solvent.service.limits import KLINES_MOST
from solvent.service.wire import format_decimal, ms, spaced_time

TAG = "Assets/markets"
_CHANGE_DIGITS = 6
_CHANGE = 10**_CHANGE_DIGITS


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
    now = call.node.clock()
    row = await call.node.past(lambda views: views.ticker(asset, interval, now))
    if row is None:
        async with call.node.reading():
            mark = call.node.market.queries.price(asset).mark
        row = TickerRow(asset, mark, mark, mark, mark, 0, 0, 0)
    parameters = call.node.market.parameters
    change = row.last - row.first
    return Ticker(
        symbol=market_symbol(parameters, asset),
        first_price=price_text(row.first),
        last_price=price_text(row.last),
        price_change=price_text(change),
        price_change_percent=change_text(row.first, change),
        high=price_text(row.high),
        low=price_text(row.low),
        volume=quantity_text(parameters, asset, row.volume),
        quote_volume=value_text(row.quote_volume),
        trades=str(row.trades),
    )


def change_text(first: int, change: int) -> str:
    """What the published API calls percent: the change as a ratio of the first price.

    Six digits, the nearest; 0 where there was no first price.
    """
    ratio = (2 * change * _CHANGE + first) // (2 * first) if first else 0
    return format_decimal(ratio, _CHANGE_DIGITS)


async def klines(call: Call) -> Reply:
    """Candles; times are seconds.

    A row an interval that begins at `startTime` or later and has begun; prices are null where
    nothing happened. Where more are asked for than an answer holds, it begins with the market.
    """
    fields = call.params
    asset = fields.market()
    interval = fields.need("interval")
    if interval not in INTERVALS:
        raise bad_request(f"interval must be one of {', '.join(INTERVALS)}")
    kind = fields.choice("priceType", KlinePriceType, KlinePriceType.LAST)
    assert kind is not None
    if not fields.has("startTime"):
        raise bad_request("startTime is missing")
    now = call.node.clock() + 1
    start = fields.integer("startTime", 0, 0, FAR_SECOND) * SECOND
    end = min(now, fields.integer("endTime", FAR_SECOND, 0, FAR_SECOND) * SECOND)
    parameters = call.node.market.parameters
    length = INTERVALS[interval].length
    shown = spans(start, end, length, KLINES_MOST + 1)
    if len(shown) > KLINES_MOST:
        start = max(start, start_of(parameters.start_time, length))
        shown = spans(start, end, length, KLINES_MOST)
    if not shown:
        return json_reply([])
    first, last = shown[0][0], shown[-1][1]
    rows = await call.node.past(
        lambda views: views.klines(asset, interval, first, last, _KINDS[kind], KLINES_MOST)
    )
    found = {row.start: row for row in rows}
    return json_reply(
        [_kline(parameters, asset, begun, over, found.get(begun)) for begun, over in shown]
    )


def _kline(
    parameters: EngineParameters, asset: int, start: int, end: int, row: CandleRow | None
) -> Kline:
    """A candle; without a row that of an interval in which nothing happened."""
    times = spaced_time(start), spaced_time(end)
    if row is None:
        return Kline(start=times[0], end=times[1], volume="0", quote_volume="0", trades="0")
    return Kline(
        start=times[0],
        end=times[1],
        open=price_text(row.open),
        high=price_text(row.high),
        low=price_text(row.low),
        close=price_text(row.close),
        volume=quantity_text(parameters, asset, row.volume),
        quote_volume=value_text(row.quote_volume),
        trades=str(row.trades),
    )


async def latest_trades(call: Call) -> Reply:
    """The latest trades of a market."""
    shapes, _ = await _trades(call)
    return json_reply(shapes)


async def trades(call: Call) -> Reply:
    """All trades of a market, page by page, the latest first."""
    shapes, total = await _trades(call)
    return json_reply(shapes, page_headers(call.params, total))


async def _trades(call: Call) -> tuple[list[Trade], int]:
    """The trades that are asked for, and how many there are."""
    fields = call.params
    asset = fields.market()
    asked = page_of(fields)
    paging = Paging(asked.limit, asked.offset)
    before = fields.integer("before", 0, 1, FAR) if fields.has("before") else None
    page = await call.node.past(lambda views: views.trades(asset, paging, before))
    return [trade_shape(call.node.market.parameters, row) for row in page.rows], page.total


def trade_shape(parameters: EngineParameters, row: TradeRow) -> Trade:
    """A trade of the views as an object."""
    return Trade(
        id=row.trade,
        price=price_text(row.price),
        quantity=quantity_text(parameters, row.asset, row.quantity),
        quote_quantity=value_text(row.quote),
        timestamp=ms(row.time),
        is_buyer_maker=row.buyer_is_maker,
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
    now = call.node.clock()
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
    Endpoint(
        TAG, "GET", "/api/v1/trades", latest_trades, query=LatestTradesQuery, returns=list[Trade]
    ),
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
