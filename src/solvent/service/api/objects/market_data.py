"""Market data: what was traded, and at what prices."""

from typing import Annotated

from msgspec import UNSET, Meta

from solvent.service.api.objects.base import (
    U64,
    ApiObject,
    Decimal,
    MarketSymbol,
    Maybe,
    Milliseconds,
    NumberText,
    Request,
    SignedDecimal,
    says,
)
from solvent.service.api.objects.enums import KlineInterval, KlinePriceType, TickerInterval
from solvent.service.api.objects.markets import MarketQuery
from solvent.service.api.objects.pages import Limit, Slice
from solvent.service.limits import PAGE_DEFAULT

FAR_SECOND = 2**40
"""The last moment that may be asked for, seconds."""
Seconds = Annotated[int, Meta(ge=0, le=FAR_SECOND)]
SpacedTime = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$",
        extra_json_schema={"format": "spaced-time-in-utc"},
    ),
]


class TickersQuery(Request):
    """How far back is asked."""

    interval: Annotated[Maybe[TickerInterval], says("How far back; 1d if absent.", "1d")] = UNSET


class TickerQuery(TickersQuery):
    """Which market is asked for, and how far back."""

    symbol: Annotated[MarketSymbol, says("The market.")]


class Ticker(ApiObject):
    """What one market traded."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    first_price: Annotated[Decimal, says("Price of the first trade, USDC a token.", "140")]
    last_price: Annotated[Decimal, says("Price of the last trade.", "147")]
    price_change: Annotated[SignedDecimal, says("Last price less first.", "7")]
    price_change_percent: Annotated[
        SignedDecimal, says("That as a ratio of the first, six digits: 0.05 is 5 %.", "0.05")
    ]
    high: Annotated[Decimal, says("Highest price.", "151")]
    low: Annotated[Decimal, says("Lowest price.", "139.5")]
    volume: Annotated[Decimal, says("Base tokens traded.", "1200")]
    quote_volume: Annotated[Decimal, says("USDC exchanged for them.", "172000")]
    trades: Annotated[NumberText, says("Number of trades.", "311")]


class KlinesQuery(Request):
    """Which candles are asked for."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    interval: Annotated[KlineInterval, says("How long a candle lasts.", "1m")]
    start_time: Annotated[Seconds, says("Begins no earlier than this, seconds UTC.", 0)]
    end_time: Annotated[
        Maybe[Seconds], says("Begins earlier than this, seconds UTC; now if absent.")
    ] = UNSET
    price_type: Annotated[Maybe[KlinePriceType], says("Whose price; Last if absent.")] = UNSET


class Kline(ApiObject):
    """A candle; its prices are null where nothing happened in its time."""

    start: Annotated[SpacedTime, says("When it begins, UTC.")]
    end: Annotated[SpacedTime, says("When it ends, UTC.")]
    open: Annotated[Decimal | None, says("First price, USDC a token.", "149")] = None
    high: Annotated[Decimal | None, says("Highest price.", "151")] = None
    low: Annotated[Decimal | None, says("Lowest price.", "148.5")] = None
    close: Annotated[Decimal | None, says("Last price.", "150")] = None
    volume: Annotated[Decimal, says("Base tokens traded.", "12")]
    quote_volume: Annotated[Decimal, says("USDC exchanged for them.", "1795")]
    trades: Annotated[NumberText, says("Number of trades.", "4")]


class LatestTradesQuery(MarketQuery):
    """Which trades are asked for, the latest first."""

    limit: Annotated[Maybe[Limit], says(f"Trades at most; {PAGE_DEFAULT} if absent.", 10)] = UNSET


class TradesQuery(Slice):
    """Which trades are asked for, the latest first."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    before: Annotated[
        Maybe[U64], says("Only trades of a lower number: the next page, however far back.")
    ] = UNSET


class Trade(ApiObject):
    """A trade."""

    id: Annotated[U64, says("Number of the trade.", 88)]
    price: Annotated[Decimal, says("USDC a token.", "150")]
    quantity: Annotated[Decimal, says("Base tokens.", "2")]
    quote_quantity: Annotated[Decimal, says("USDC.", "300")]
    timestamp: Annotated[Milliseconds, says("When, milliseconds UTC.")]
    is_buyer_maker: Annotated[bool, says("Whether the buyer's order rested.")]
