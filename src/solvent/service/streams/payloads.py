"""Payloads: the objects that streams carry, field names and units as published.

`e` names the kind, `E` is when it is told and `T` when it happened, both microseconds UTC; prices
and quantities are decimal texts. Fills of backstop and auto-deleveraging are no trades of a market:
they are told under `liquidation` and to both parties as order fills, at the mark, with an order id
that says where they come from.

Absent: the fields of triggers, strategies and related orders, which do not exist here, and funding,
which is zero.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from solvent.domain import events as e
from solvent.domain.commands import OrderType, Side
from solvent.domain.labels import ExpiryReason, SystemOrder
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import SECOND
from solvent.history.followers.orders import Order
from solvent.history.followers.transfers import Transfer
from solvent.history.tables.rows import FillKind, OrderStatus
from solvent.service.api.shapes import (
    STATUS_TEXTS,
    Object,
    market_symbol,
    price_text,
    quantity_text,
    side_text,
    value_text,
)
from solvent.service.streams.books import Book, BookChange, Level
from solvent.service.streams.candles import CandleNews, Figures
from solvent.service.strict_json import JsonValue

_TYPES = {OrderType.LIMIT: "LIMIT", OrderType.MARKET: "MARKET"}
_PREVENTIONS = ("RejectTaker", "RejectMaker", "RejectBoth")


class Origin(StrEnum):
    """Who caused an update of an order."""

    USER = "USER"
    BOOK = "LIQUIDATION_AUTOCLOSE"
    ADL = "ADL_AUTOCLOSE"
    BACKSTOP = "BACKSTOP_LIQUIDITY_PROVIDER"


_ORIGINS = {FillKind.BACKSTOP: Origin.BACKSTOP, FillKind.ADL: Origin.ADL}
EXPIRY_TEXTS = {
    ExpiryReason.IMMEDIATE_OR_CANCEL: "ImmediateOrCancel",
    ExpiryReason.FILL_OR_KILL: "FillOrKill",
    ExpiryReason.PRICE_IMPACT: "PriceImpact",
    ExpiryReason.SELF_TRADE_PREVENTION: "SelfTradePrevention",
    ExpiryReason.INSUFFICIENT_LIQUIDITY: "InsufficientLiquidity",
    ExpiryReason.INSUFFICIENT_FUNDS: "InsufficientFunds",
    ExpiryReason.INSUFFICIENT_MARGIN: "InsufficientMargin",
    ExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY: "InsufficientBorrowableQuantity",
    ExpiryReason.LIQUIDATION: "Liquidation",
    ExpiryReason.REDUCE_ONLY_NOT_REDUCED: "ReduceOnlyNotReduced",
    ExpiryReason.ADL_SETTLEMENT: "Unknown",
}
"""Reasons as published; there is no word for a settlement, which the origin tells."""
_EXPIRY_ORIGINS = {
    ExpiryReason.LIQUIDATION: Origin.BOOK,
    ExpiryReason.ADL_SETTLEMENT: Origin.ADL,
}


class Moment(NamedTuple):
    """When something is told and when it happened, microseconds UTC."""

    told: int
    happened: int


class OrderTrade(NamedTuple):
    """A fill as one of its orders sees it; `fee` USDC atoms."""

    trade: int
    quantity: int
    price: int
    fee: int
    is_maker: bool


def depth_answer(parameters: EngineParameters, asset: int, book: Book, limit: int) -> Object:
    """The book as REST tells it: asks and bids by rising price."""
    bids, asks = book.depth(limit)
    return {
        "asks": _levels(parameters, asset, asks),
        "bids": _levels(parameters, asset, bids),
        "lastUpdateId": str(book.update_id),
        "timestamp": book.time,
    }


def depth(parameters: EngineParameters, asset: int, change: BookChange, told: int) -> Object:
    """What became of a book's levels."""
    shape = _head("depth", parameters, asset, Moment(told, change.time))
    shape["a"] = _levels(parameters, asset, change.asks)
    shape["b"] = _levels(parameters, asset, change.bids)
    shape["U"] = change.first
    shape["u"] = change.last
    return shape


def _levels(parameters: EngineParameters, asset: int, levels: list[Level]) -> JsonValue:
    return [
        [price_text(price), quantity_text(parameters, asset, quantity)]
        for price, quantity in levels
    ]


def book_ticker(parameters: EngineParameters, asset: int, book: Book, told: int) -> Object:
    """The best bid and ask; of an empty side price and quantity are zero."""
    shape = _head("bookTicker", parameters, asset, Moment(told, book.time))
    for letter, level in (("a", book.best_ask()), ("b", book.best_bid())):
        price, quantity = level or (0, 0)
        shape[letter] = price_text(price)
        shape[letter.upper()] = quantity_text(parameters, asset, quantity)
    shape["u"] = str(book.update_id)
    return shape


def trade(parameters: EngineParameters, fill: e.Filled, when: Moment) -> Object:
    """One trade of a market."""
    is_buyer_maker = fill.side is Side.ASK
    buyer, seller = fill.taker_order, fill.maker_order
    if is_buyer_maker:
        buyer, seller = seller, buyer
    shape = _head("trade", parameters, fill.asset, when)
    shape["p"] = price_text(fill.price)
    shape["q"] = quantity_text(parameters, fill.asset, fill.quantity)
    shape["b"] = str(buyer)
    shape["a"] = str(seller)
    shape["t"] = fill.trade
    shape["m"] = is_buyer_maker
    return shape


def kline(parameters: EngineParameters, asset: int, news: CandleNews, told: int) -> Object:
    """A candle; start and end are times without a zone."""
    candle = news.candle
    return {
        "e": "kline",
        "E": told,
        "s": market_symbol(parameters, asset),
        "t": _without_zone(candle.start),
        "T": _without_zone(candle.end),
        "o": price_text(candle.open),
        "c": price_text(candle.close),
        "h": price_text(candle.high),
        "l": price_text(candle.low),
        "v": quantity_text(parameters, asset, candle.volume),
        "n": candle.trades,
        "X": news.is_closed,
    }


def ticker(parameters: EngineParameters, asset: int, figures: Figures, told: int) -> Object:
    """The last 24 hours of a market."""
    return {
        "e": "ticker",
        "E": told,
        "s": market_symbol(parameters, asset),
        "o": price_text(figures.open),
        "c": price_text(figures.close),
        "h": price_text(figures.high),
        "l": price_text(figures.low),
        "v": quantity_text(parameters, asset, figures.volume),
        "V": value_text(figures.quote),
        "n": figures.trades,
    }


def mark_price(
    parameters: EngineParameters, asset: int, index: int, mark: int, when: Moment
) -> Object:
    """Mark and index; there is no funding."""
    shape = _head("markPrice", parameters, asset, when)
    shape["p"] = price_text(mark)
    shape["i"] = price_text(index)
    shape["f"] = "0"
    shape["n"] = 0
    return shape


def open_interest(parameters: EngineParameters, asset: int, told: int) -> Object:
    """Open futures: none."""
    return {"e": "openInterest", "E": told, "s": market_symbol(parameters, asset), "o": "0"}


def liquidation(
    parameters: EngineParameters, asset: int, side: Side, level: Level, when: Moment
) -> Object:
    """A fill of the liquidation engine on any stage; `side` is what the liquidated account did."""
    price, quantity = level
    shape = _head("liquidation", parameters, asset, when)
    shape["q"] = quantity_text(parameters, asset, quantity)
    shape["p"] = price_text(price)
    shape["S"] = side_text(side)
    return shape


def balance(
    parameters: EngineParameters, asset: int, available: int, locked: int, told: int
) -> Object:
    """What an account has of one asset now."""
    return {
        "e": "balanceUpdate",
        "E": told,
        "a": parameters.assets[asset].symbol,
        "A": quantity_text(parameters, asset, available),
        "L": quantity_text(parameters, asset, locked),
        "S": "0",
    }


def order_accepted(parameters: EngineParameters, order: Order, when: Moment) -> Object:
    """An order that entered."""
    return _order(parameters, "orderAccepted", order, when)


def order_cancelled(parameters: EngineParameters, order: Order, when: Moment) -> Object:
    """An order that its owner took back."""
    return _order(parameters, "orderCancelled", order, when) | {"O": Origin.USER}


def order_fill(
    parameters: EngineParameters, order: Order, fill: OrderTrade, when: Moment
) -> Object:
    """A fill as the owner of one of its orders sees it."""
    shape = _order(parameters, "orderFill", order, when)
    shape["t"] = fill.trade
    shape["l"] = quantity_text(parameters, order.asset, fill.quantity)
    shape["L"] = price_text(fill.price)
    shape["m"] = fill.is_maker
    shape["n"] = value_text(fill.fee)
    shape["N"] = parameters.assets[USDC].symbol
    return shape


def order_expired(parameters: EngineParameters, order: Order, when: Moment) -> Object:
    """An order that ended without its owner asking."""
    assert order.reason is not None
    shape = _order(parameters, "orderExpired", order, when)
    shape["O"] = _EXPIRY_ORIGINS.get(order.reason, _origin(order))
    shape["R"] = EXPIRY_TEXTS[order.reason]
    return shape


def _order(parameters: EngineParameters, kind: str, order: Order, when: Moment) -> Object:
    """What became of an order; `order` is as it is now."""
    shape = _head(kind, parameters, order.asset, when)
    if order.client_id:
        shape["c"] = order.client_id
    shape["S"] = side_text(order.side)
    shape["o"] = _TYPES[order.order_type]
    shape["f"] = order.time_in_force.name
    if order.quantity:
        shape["q"] = quantity_text(parameters, order.asset, order.quantity)
    if order.quote_quantity:
        shape["Q"] = value_text(order.quote_quantity)
    if order.order_type is OrderType.LIMIT:
        shape["p"] = price_text(order.price)
    shape["X"] = STATUS_TEXTS[order.status]
    shape["i"] = str(order.order)
    shape["z"] = quantity_text(parameters, order.asset, order.executed)
    shape["Z"] = value_text(order.executed_quote)
    shape["V"] = _PREVENTIONS[order.self_trade_prevention]
    shape["O"] = _origin(order)
    shape["y"] = order.post_only
    shape["r"] = order.reduce_only
    return shape


def _origin(order: Order) -> Origin:
    return Origin.USER if order.system_order is SystemOrder.USER else Origin.BOOK


def system_fill(
    parameters: EngineParameters,
    name: str,
    transfer: Transfer,
    side: Side,
    *,
    is_maker: bool,
    when: Moment,
) -> Object:
    """A transfer off the book as one of its parties sees it: an order filled as it came."""
    quantity = quantity_text(parameters, transfer.asset, transfer.quantity)
    shape = _head("orderFill", parameters, transfer.asset, when)
    shape["S"] = side_text(side)
    shape["o"] = "MARKET"
    shape["f"] = "IOC"
    shape["q"] = shape["l"] = shape["z"] = quantity
    shape["X"] = STATUS_TEXTS[OrderStatus.FILLED]
    shape["i"] = name
    shape["Z"] = value_text(transfer.value)
    shape["L"] = price_text(transfer.mark)
    shape["m"] = is_maker
    shape["V"] = _PREVENTIONS[0]
    shape["O"] = _ORIGINS[transfer.kind]
    shape["y"] = shape["r"] = False
    return shape


def _without_zone(time: int) -> str:
    return datetime.fromtimestamp(time // SECOND, UTC).replace(tzinfo=None).isoformat()


def _head(kind: str, parameters: EngineParameters, asset: int, when: Moment) -> Object:
    return {
        "e": kind,
        "E": when.told,
        "s": market_symbol(parameters, asset),
        "T": when.happened,
    }
