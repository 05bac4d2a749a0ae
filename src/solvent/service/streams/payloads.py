"""Payloads: books, trades, candles and orders as the messages that streams carry.

Fills of backstop and auto-deleveraging are no trades of a market: they are told under `liquidation`
and to both parties as order fills, at the mark, with an order id that says where they come from.
"""

from datetime import UTC, datetime
from typing import NamedTuple, TypedDict

from msgspec import UNSET

from solvent.domain import events as e
from solvent.domain.commands import NO_CLIENT_ID, OrderType, Side
from solvent.domain.labels import ExpiryReason, SystemOrder
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import SECOND
from solvent.history.followers.orders import Order
from solvent.history.followers.transfers import Transfer
from solvent.history.tables.rows import FillKind
from solvent.service.api.objects import streams as m
from solvent.service.api.objects.base import Maybe
from solvent.service.api.objects.enums import (
    OrderExpiryReason,
    OrderStatus,
    SelfTradePrevention,
    TimeInForce,
    TriggerBy,
)
from solvent.service.api.objects.enums import Side as BidOrAsk
from solvent.service.api.objects.markets import Depth
from solvent.service.api.objects.streams import Origin, StreamOrderType
from solvent.service.api.shapes import (
    EXPIRIES,
    PREVENTIONS,
    STATUSES,
    TIMES,
    condition_of,
    failure_reason,
    market_symbol,
    price_text,
    quantity_text,
    side_text,
    value_text,
)
from solvent.service.streams.books import Book, BookChange, Level
from solvent.service.streams.candles import CandleNews, Figures

_ORIGINS = {FillKind.BACKSTOP: Origin.BACKSTOP, FillKind.ADL: Origin.ADL}
_TYPES = {kind: StreamOrderType[kind.name] for kind in OrderType}
_EXPIRIES = EXPIRIES | {ExpiryReason.ADL_SETTLEMENT: OrderExpiryReason.UNKNOWN}
"""Reasons as published; a settlement's is told by the origin."""
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


def depth_answer(parameters: EngineParameters, asset: int, book: Book, limit: int) -> Depth:
    """The book as REST tells it: asks and bids by rising price."""
    bids, asks = book.depth(limit)
    return Depth(
        asks=_levels(parameters, asset, asks),
        bids=_levels(parameters, asset, bids),
        last_update_id=str(book.update_id),
        timestamp=book.time,
    )


def depth(parameters: EngineParameters, asset: int, change: BookChange, told: int) -> m.DepthUpdate:
    """What became of a book's levels."""
    return m.DepthUpdate(
        told=told,
        symbol=market_symbol(parameters, asset),
        happened=change.time,
        asks=_levels(parameters, asset, change.asks),
        bids=_levels(parameters, asset, change.bids),
        first=change.first,
        last=change.last,
    )


def _levels(parameters: EngineParameters, asset: int, levels: list[Level]) -> list[tuple[str, str]]:
    return [
        (price_text(price), quantity_text(parameters, asset, quantity))
        for price, quantity in levels
    ]


def book_ticker(parameters: EngineParameters, asset: int, book: Book, told: int) -> m.BookTicker:
    """The best bid and ask; of an empty side price and quantity are zero."""
    ask, ask_quantity = book.best_ask() or (0, 0)
    bid, bid_quantity = book.best_bid() or (0, 0)
    return m.BookTicker(
        told=told,
        symbol=market_symbol(parameters, asset),
        happened=book.time,
        ask=price_text(ask),
        ask_quantity=quantity_text(parameters, asset, ask_quantity),
        bid=price_text(bid),
        bid_quantity=quantity_text(parameters, asset, bid_quantity),
        update=book.update_id,
    )


def trade(parameters: EngineParameters, fill: e.Filled, when: Moment) -> m.TradeMessage:
    """One trade of a market."""
    is_buyer_maker = fill.side is Side.ASK
    buyer, seller = fill.taker_order, fill.maker_order
    if is_buyer_maker:
        buyer, seller = seller, buyer
    return m.TradeMessage(
        told=when.told,
        symbol=market_symbol(parameters, fill.asset),
        happened=when.happened,
        price=price_text(fill.price),
        quantity=quantity_text(parameters, fill.asset, fill.quantity),
        buyer=str(buyer),
        seller=str(seller),
        trade=fill.trade,
        is_buyer_maker=is_buyer_maker,
    )


def kline(parameters: EngineParameters, asset: int, news: CandleNews, told: int) -> m.KlineMessage:
    """A candle; start and end are times without a zone."""
    candle = news.candle
    return m.KlineMessage(
        told=told,
        symbol=market_symbol(parameters, asset),
        start=_without_zone(candle.start),
        end=_without_zone(candle.end),
        open=price_text(candle.open),
        close=price_text(candle.close),
        high=price_text(candle.high),
        low=price_text(candle.low),
        volume=quantity_text(parameters, asset, candle.volume),
        trades=candle.trades,
        is_closed=news.is_closed,
    )


def ticker(
    parameters: EngineParameters, asset: int, figures: Figures, told: int
) -> m.TickerMessage:
    """The last 24 hours of a market."""
    return m.TickerMessage(
        told=told,
        symbol=market_symbol(parameters, asset),
        open=price_text(figures.open),
        close=price_text(figures.close),
        high=price_text(figures.high),
        low=price_text(figures.low),
        volume=quantity_text(parameters, asset, figures.volume),
        quote_volume=value_text(figures.quote),
        trades=figures.trades,
    )


def mark_price(
    parameters: EngineParameters, asset: int, index: int, mark: int, when: Moment
) -> m.MarkPriceMessage:
    """Mark and index; there is no funding."""
    return m.MarkPriceMessage(
        told=when.told,
        symbol=market_symbol(parameters, asset),
        happened=when.happened,
        mark=price_text(mark),
        index=price_text(index),
        funding="0",
        next_funding=0,
    )


def open_interest(parameters: EngineParameters, asset: int, told: int) -> m.OpenInterestMessage:
    """Open futures: none."""
    symbol = market_symbol(parameters, asset)
    return m.OpenInterestMessage(told=told, symbol=symbol, open_interest="0")


def liquidation(
    parameters: EngineParameters, asset: int, side: Side, level: Level, when: Moment
) -> m.LiquidationMessage:
    """A fill of the liquidation engine on any stage; `side` is what the liquidated account did."""
    price, quantity = level
    return m.LiquidationMessage(
        told=when.told,
        symbol=market_symbol(parameters, asset),
        happened=when.happened,
        quantity=quantity_text(parameters, asset, quantity),
        price=price_text(price),
        side=side_text(side),
    )


def balance(
    parameters: EngineParameters, asset: int, available: int, locked: int, told: int
) -> m.BalanceUpdate:
    """What an account has of one asset now."""
    return m.BalanceUpdate(
        told=told,
        asset=parameters.assets[asset].symbol,
        available=quantity_text(parameters, asset, available),
        locked=quantity_text(parameters, asset, locked),
        staked="0",
    )


class _OrderFields(TypedDict):
    """What every update of an order says of it."""

    told: int
    symbol: str
    happened: int
    client_id: Maybe[int]
    side: BidOrAsk
    order_type: StreamOrderType
    time_in_force: TimeInForce
    quantity: Maybe[str]
    quote_quantity: Maybe[str]
    price: Maybe[str]
    trigger_price: Maybe[str]
    trigger_by: Maybe[TriggerBy]
    trigger_quantity: Maybe[str]
    order: str
    executed: str
    executed_quote: str
    self_trade_prevention: SelfTradePrevention
    post_only: bool
    reduce_only: bool


def _order_fields(parameters: EngineParameters, order: Order, when: Moment) -> _OrderFields:
    is_limit = order.order_type is OrderType.LIMIT
    quantity = quantity_text(parameters, order.asset, order.quantity)
    condition = condition_of(parameters, order)
    return {
        "told": when.told,
        "symbol": market_symbol(parameters, order.asset),
        "happened": when.happened,
        "client_id": UNSET if order.client_id == NO_CLIENT_ID else order.client_id,
        "side": side_text(order.side),
        "order_type": _TYPES[order.order_type],
        "time_in_force": TIMES[order.time_in_force],
        "quantity": quantity if order.quantity else UNSET,
        "quote_quantity": value_text(order.quote_quantity) if order.quote_quantity else UNSET,
        "price": price_text(order.price) if is_limit else UNSET,
        "trigger_price": condition.trigger_price or UNSET,
        "trigger_by": condition.trigger_by or UNSET,
        "trigger_quantity": condition.trigger_quantity or UNSET,
        "order": str(order.order),
        "executed": quantity_text(parameters, order.asset, order.executed),
        "executed_quote": value_text(order.executed_quote),
        "self_trade_prevention": PREVENTIONS[order.self_trade_prevention],
        "post_only": order.post_only,
        "reduce_only": order.reduce_only,
    }


def order_accepted(parameters: EngineParameters, order: Order, when: Moment) -> m.OrderAccepted:
    """An order that was accepted."""
    fields = _order_fields(parameters, order, when)
    return m.OrderAccepted(**fields, state=STATUSES[order.status], origin=_origin(order))


def trigger_placed(parameters: EngineParameters, order: Order, when: Moment) -> m.TriggerPlaced:
    """An order that waits for a price."""
    fields = _order_fields(parameters, order, when)
    return m.TriggerPlaced(**fields, state=STATUSES[order.status], origin=Origin.USER)


def trigger_failed(parameters: EngineParameters, order: Order, when: Moment) -> m.TriggerFailed:
    """An order that was refused when its price was reached."""
    assert order.refused is not None
    return m.TriggerFailed(
        **_order_fields(parameters, order, when),
        state=STATUSES[order.status],
        origin=Origin.USER,
        reason=failure_reason(order.refused, order.refused_limit),
    )


def order_cancelled(parameters: EngineParameters, order: Order, when: Moment) -> m.OrderCancelled:
    """An order that ended because its owner asked."""
    fields = _order_fields(parameters, order, when)
    return m.OrderCancelled(**fields, state=STATUSES[order.status], origin=Origin.USER)


def order_expired(parameters: EngineParameters, order: Order, when: Moment) -> m.OrderExpired:
    """An order that ended without its owner asking."""
    assert order.reason is not None
    return m.OrderExpired(
        **_order_fields(parameters, order, when),
        state=STATUSES[order.status],
        origin=_EXPIRY_ORIGINS.get(order.reason, _origin(order)),
        reason=_EXPIRIES[order.reason],
    )


def order_fill(
    parameters: EngineParameters, order: Order, fill: OrderTrade, when: Moment
) -> m.OrderFilled:
    """A fill as the owner of one of its orders sees it."""
    return m.OrderFilled(
        **_order_fields(parameters, order, when),
        state=STATUSES[order.status],
        origin=_origin(order),
        trade=fill.trade,
        fill_quantity=quantity_text(parameters, order.asset, fill.quantity),
        fill_price=price_text(fill.price),
        is_maker=fill.is_maker,
        fee=value_text(fill.fee),
        fee_symbol=parameters.assets[USDC].symbol,
    )


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
) -> m.OrderFilled:
    """A transfer off the book as one of its parties sees it: an order filled as it came."""
    quantity = quantity_text(parameters, transfer.asset, transfer.quantity)
    return m.OrderFilled(
        told=when.told,
        symbol=market_symbol(parameters, transfer.asset),
        happened=when.happened,
        side=side_text(side),
        order_type=StreamOrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        quantity=quantity,
        state=OrderStatus.FILLED,
        order=name,
        executed=quantity,
        executed_quote=value_text(transfer.value),
        self_trade_prevention=SelfTradePrevention.REJECT_TAKER,
        origin=_ORIGINS[transfer.kind],
        post_only=False,
        reduce_only=False,
        fill_quantity=quantity,
        fill_price=price_text(transfer.mark),
        is_maker=is_maker,
    )


def _without_zone(time: int) -> str:
    return datetime.fromtimestamp(time // SECOND, UTC).replace(tzinfo=None).isoformat()
