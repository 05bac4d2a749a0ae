"""Streams: what a client says over WebSocket, and the messages that it gets.

Fields have the published names of one letter. `E` is when a message is told, `T` when it happened,
both microseconds UTC. Absent: the fields of attached orders, strategies and related orders, which
do not exist here.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, field

from solvent.service.api.objects.base import (
    U64,
    ApiObject,
    AssetSymbol,
    ClientId,
    Decimal,
    MarketSymbol,
    Maybe,
    Microseconds,
    NaiveTime,
    NumberText,
    Request,
    SignedDecimal,
    says,
)
from solvent.service.api.objects.enums import (
    OrderExpiryReason,
    OrderStatus,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
)
from solvent.service.api.objects.governance import AuditRow
from solvent.service.api.objects.markets import Level


class Method(StrEnum):
    """What to do about streams."""

    SUBSCRIBE = "SUBSCRIBE"
    UNSUBSCRIBE = "UNSUBSCRIBE"
    CONNECTION = "CONNECTION"


class StreamOrderType(StrEnum):
    """Market or limit, as streams say it."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"


class Origin(StrEnum):
    """Who caused an update of an order: its owner, or a stage of liquidation."""

    USER = "USER"
    BOOK = "LIQUIDATION_AUTOCLOSE"
    ADL = "ADL_AUTOCLOSE"
    BACKSTOP = "BACKSTOP_LIQUIDITY_PROVIDER"


SignatureParts = Annotated[list[str], Meta(min_length=4, max_length=4)]


class StreamFrame(Request):
    """What a client says: which streams it wants, or wants no more, or what its connection is."""

    method: Annotated[Method, says("What is wanted.", "SUBSCRIBE")]
    params: Annotated[
        Maybe[list[str]], says("Names of streams.", ["depth.SOL_USDC", "liquidation"])
    ] = UNSET
    signature: Annotated[
        Maybe[SignatureParts | None],
        says(
            "Key, signature, timestamp and window of instruction `subscribe`, for own streams; the "
            "text may go on `&connection=..&market=..&streams=..`, these joined by commas."
        ),
    ] = UNSET
    id: Annotated[Maybe[int | str | None], says("Taken and passed over.")] = UNSET


class FrameProblem(ApiObject):
    """What is wrong with a frame."""

    code: Annotated[int, says("Number of the problem.", 4006)]
    message: Annotated[str, says("What it is.", "Invalid stream")]


class StreamConnection(ApiObject):
    """What is said to CONNECTION: a name that a signature of this connection may bear."""

    connection: Annotated[str, says("The name, drawn for this connection.", "0" * 32)]


class AuditMessage(ApiObject):
    """A message of the stream `audit`, which staff may listen to."""

    stream: Annotated[str, says("Always `audit`.", "audit")]
    data: Annotated[AuditRow, says("The entry.")]


class StreamError(ApiObject):
    """What is said to a frame that cannot be carried out; one that can is not answered."""

    id: Annotated[None, says("Always null.")]
    error: Annotated[FrameProblem, says("What is wrong.")]


class Told(ApiObject):
    """A message of a stream."""

    told: Annotated[Microseconds, says("When it is told, microseconds UTC.")] = field(name="E")


class OfMarket(Told):
    """A message about a market."""

    symbol: Annotated[MarketSymbol, says("The market.")] = field(name="s")


class Happened(OfMarket):
    """A message about something that happened in a market."""

    happened: Annotated[Microseconds, says("When it happened, microseconds UTC.")] = field(name="T")


class DepthUpdate(Happened, tag_field="e", tag="depth"):
    """Levels of a book that changed, with what rests there now; 0 where nothing does any more."""

    asks: Annotated[list[Level], says("Price and quantity.", [["150.1", "4"]])] = field(name="a")
    bids: Annotated[list[Level], says("Price and quantity.", [["149.9", "0"]])] = field(name="b")
    first: Annotated[
        U64, says("First update of the book that this covers: the last of before plus 1.", 4210)
    ] = field(name="U")
    last: Annotated[U64, says("Last update of the book that this covers.", 4211)] = field(name="u")


class BookTicker(Happened, tag_field="e", tag="bookTicker"):
    """The best ask and bid; of an empty side price and quantity are 0."""

    ask: Annotated[Decimal, says("Best ask, USDC a token.", "150.1")] = field(name="a")
    ask_quantity: Annotated[Decimal, says("Base tokens there.", "4")] = field(name="A")
    bid: Annotated[Decimal, says("Best bid, USDC a token.", "149.9")] = field(name="b")
    bid_quantity: Annotated[Decimal, says("Base tokens there.", "3")] = field(name="B")
    update: Annotated[U64, says("Last update of the book.", 4211)] = field(name="u")


class TradeMessage(Happened, tag_field="e", tag="trade"):
    """A trade of a market."""

    price: Annotated[Decimal, says("USDC a token.", "150")] = field(name="p")
    quantity: Annotated[Decimal, says("Base tokens.", "2")] = field(name="q")
    buyer: Annotated[NumberText, says("Number of the buying order.", "31")] = field(name="b")
    seller: Annotated[NumberText, says("Number of the selling order.", "30")] = field(name="a")
    trade: Annotated[U64, says("Number of the trade.", 88)] = field(name="t")
    is_buyer_maker: Annotated[bool, says("Whether the buyer's order rested.")] = field(name="m")


class KlineMessage(OfMarket, tag_field="e", tag="kline"):
    """A candle as it is now, or as it was when its time was up."""

    start: Annotated[NaiveTime, says("When it begins.")] = field(name="t")
    end: Annotated[NaiveTime, says("When it ends.")] = field(name="T")
    open: Annotated[Decimal, says("First price, USDC a token.", "149")] = field(name="o")
    close: Annotated[Decimal, says("Last price.", "150")] = field(name="c")
    high: Annotated[Decimal, says("Highest price.", "151")] = field(name="h")
    low: Annotated[Decimal, says("Lowest price.", "148.5")] = field(name="l")
    volume: Annotated[Decimal, says("Base tokens traded.", "12")] = field(name="v")
    trades: Annotated[U64, says("Number of trades.", 4)] = field(name="n")
    is_closed: Annotated[bool, says("Whether its time is up.")] = field(name="X")


class TickerMessage(OfMarket, tag_field="e", tag="ticker"):
    """The last 24 hours of a market."""

    open: Annotated[Decimal, says("First price, USDC a token.", "140")] = field(name="o")
    close: Annotated[Decimal, says("Last price.", "147")] = field(name="c")
    high: Annotated[Decimal, says("Highest price.", "151")] = field(name="h")
    low: Annotated[Decimal, says("Lowest price.", "139.5")] = field(name="l")
    volume: Annotated[Decimal, says("Base tokens traded.", "1200")] = field(name="v")
    quote_volume: Annotated[Decimal, says("USDC exchanged for them.", "172000")] = field(name="V")
    trades: Annotated[U64, says("Number of trades.", 311)] = field(name="n")


class MarkPriceMessage(Happened, tag_field="e", tag="markPrice"):
    """Mark and index of a market."""

    mark: Annotated[Decimal, says("Mark in USDC a token.", "150")] = field(name="p")
    index: Annotated[Decimal, says("Index in USDC a token.", "150.02")] = field(name="i")
    funding: Annotated[Decimal, says("Always 0: no futures here.", "0")] = field(name="f")
    next_funding: Annotated[U64, says("Always 0: no futures here.", 0)] = field(name="n")


class OpenInterestMessage(OfMarket, tag_field="e", tag="openInterest"):
    """Open futures of a market: none."""

    open_interest: Annotated[Decimal, says("Always 0: no futures here.", "0")] = field(name="o")


class LiquidationMessage(Happened, tag_field="e", tag="liquidation"):
    """A fill of a stage of liquidation, on the book or off it, in any market."""

    quantity: Annotated[Decimal, says("Base tokens.", "2")] = field(name="q")
    price: Annotated[Decimal, says("USDC a token; off the book the mark.", "150")] = field(name="p")
    side: Annotated[Side, says("What the liquidated account did.", "Ask")] = field(name="S")


class BalanceUpdate(Told, tag_field="e", tag="balanceUpdate"):
    """What an account has of an asset now."""

    asset: Annotated[AssetSymbol, says("The asset.")] = field(name="a")
    available: Annotated[Decimal, says("Tokens to use.", "12")] = field(name="A")
    locked: Annotated[Decimal, says("Tokens in resting orders.", "3")] = field(name="L")
    staked: Annotated[Decimal, says("Always 0: nothing is staked here.", "0")] = field(name="S")


class OrderUpdate(Happened, tag_field="e"):
    """What became of an order, which is told as it is then."""

    client_id: Annotated[Maybe[ClientId], says("The client's own number, if it gave one.", 7)] = (
        field(name="c", default=UNSET)
    )
    side: Annotated[Side, says("Whether it buys or sells.", "Bid")] = field(name="S")
    order_type: Annotated[StreamOrderType, says("Limit or market.", "LIMIT")] = field(name="o")
    time_in_force: Annotated[TimeInForce, says("How long it may rest.", "GTC")] = field(name="f")
    quantity: Annotated[
        Maybe[Decimal], says("Base tokens ordered; absent in an order by quote.", "5")
    ] = field(name="q", default=UNSET)
    quote_quantity: Annotated[
        Maybe[Decimal], says("USDC to exchange; only in a market order by quote.")
    ] = field(name="Q", default=UNSET)
    price: Annotated[
        Maybe[Decimal], says("Limit in USDC a token; only in a limit order.", "150")
    ] = field(name="p", default=UNSET)
    trigger_price: Annotated[
        Maybe[Decimal], says("The price that it waits or waited for, USDC a token.", "140")
    ] = field(name="P", default=UNSET)
    trigger_by: Annotated[Maybe[TriggerBy], says("Which price that is.", "MarkPrice")] = field(
        name="B", default=UNSET
    )
    trigger_quantity: Annotated[
        Maybe[Decimal], says("Base tokens of an order that waits or waited.", "5")
    ] = field(name="Y", default=UNSET)
    state: Annotated[OrderStatus, says("Where it stands.", "PartiallyFilled")] = field(name="X")
    order: Annotated[
        str, says("Number of the order; a name where the fill is off the book.", "31")
    ] = field(name="i")
    executed: Annotated[Decimal, says("Base tokens filled so far.", "2")] = field(name="z")
    executed_quote: Annotated[Decimal, says("USDC exchanged for them.", "300")] = field(name="Z")
    self_trade_prevention: Annotated[
        SelfTradePrevention,
        says("What happens when it would meet an order of the same account.", "RejectTaker"),
    ] = field(name="V")
    origin: Annotated[Origin, says("Who caused it.", "USER")] = field(name="O")
    post_only: Annotated[bool, says("Whether it was refused rather than taken.")] = field(name="y")
    reduce_only: Annotated[bool, says("Whether it may only reduce.")] = field(name="r")


class OrderAccepted(OrderUpdate, tag="orderAccepted"):
    """An order was accepted, or one that waited entered when its price was reached."""


class TriggerPlaced(OrderUpdate, tag="triggerPlaced"):
    """An order waits for a price."""


class TriggerFailed(OrderUpdate, tag="triggerFailed"):
    """An order that waited was refused when its price was reached: it is over."""

    reason: Annotated[OrderExpiryReason, says("Why it failed.", "InsufficientFunds")] = field(
        name="R"
    )


class OrderCancelled(OrderUpdate, tag="orderCancelled"):
    """An order ended because its owner asked."""


class OrderExpired(OrderUpdate, tag="orderExpired"):
    """An order ended without its owner asking."""

    reason: Annotated[OrderExpiryReason, says("Why it ended.", "Liquidation")] = field(name="R")


class OrderFilled(OrderUpdate, tag="orderFill"):
    """An order was filled, on the book or off it."""

    trade: Annotated[
        Maybe[U64], says("Number of the trade; absent where the fill is off the book.", 88)
    ] = field(name="t", default=UNSET)
    fill_quantity: Annotated[Decimal, says("Base tokens of the fill.", "2")] = field(name="l")
    fill_price: Annotated[Decimal, says("USDC a token.", "150")] = field(name="L")
    is_maker: Annotated[bool, says("Whether this order rested.", True)] = field(name="m")
    fee: Annotated[
        Maybe[SignedDecimal], says("Fee in USDC; absent where the fill is off the book.", "0.15")
    ] = field(name="n", default=UNSET)
    fee_symbol: Annotated[
        Maybe[AssetSymbol], says("Always USDC; absent where the fee is.", "USDC")
    ] = field(name="N", default=UNSET)


class StepParty(ApiObject):
    """Somebody who took part in a step of the waterfall."""

    role: Annotated[str, says("As what.", "account")]
    account: Annotated[str, says("A pseudonym, the same in every step.", "9f86d081884c7d65")]


class StepAmount(ApiObject):
    """A figure of a step: tokens of its symbol, USDC, or a price in USDC."""

    name: Annotated[str, says("Which.", "value")]
    amount: Annotated[SignedDecimal, says("How much.", "12.5")]


class WaterfallStep(Told, tag_field="e", tag="waterfall"):
    """A step of the waterfall: of a liquidation, a backstop fill, an ADL round or a booking."""

    command: Annotated[int, says("The command that led to it, counted from 0.", 1205)]
    step: Annotated[str, says("What happened.", "HandedOver")]
    stage: Annotated[str | None, says("BOOK, BACKSTOP, ADL, DEFICIT or BOOKING.", "BOOK")]
    reason: Annotated[str | None, says("Why a stage handed over.", "NO_LIQUIDITY_IN_BAND")]
    case: Annotated[str | None, says("Of ADL: STUCK_LENDER, BORROWER_DEFAULT or OPPOSITES.")]
    round: Annotated[int | None, says("The number of the ADL round, backstop fill or booking.", 7)]
    symbol: Annotated[AssetSymbol | None, says("The asset.")]
    parties: Annotated[list[StepParty], says("Who took part.")]
    amounts: Annotated[list[StepAmount], says("Its figures.")]


OrderMessage = (
    OrderAccepted | OrderCancelled | OrderExpired | OrderFilled | TriggerPlaced | TriggerFailed
)
Payload = (
    DepthUpdate
    | BookTicker
    | TradeMessage
    | KlineMessage
    | TickerMessage
    | MarkPriceMessage
    | OpenInterestMessage
    | LiquidationMessage
    | WaterfallStep
    | BalanceUpdate
    | OrderMessage
)


class StreamMessage(ApiObject):
    """What a client gets: a stream's name and its message."""

    stream: Annotated[str, says("Name of the stream.", "trade.SOL_USDC")]
    data: Annotated[Payload, says("The message.")]


STREAMS: tuple[tuple[str, tuple[type[Told], ...]], ...] = (
    ("bookTicker.SYMBOL", (BookTicker,)),
    ("depth.SYMBOL, depth.200ms.SYMBOL, depth.600ms.SYMBOL, depth.1000ms.SYMBOL", (DepthUpdate,)),
    ("kline.INTERVAL.SYMBOL", (KlineMessage,)),
    ("liquidation", (LiquidationMessage,)),
    ("markPrice.SYMBOL", (MarkPriceMessage,)),
    ("ticker.SYMBOL", (TickerMessage,)),
    ("openInterest.SYMBOL", (OpenInterestMessage,)),
    ("trade.SYMBOL", (TradeMessage,)),
    (
        "account.orderUpdate, account.orderUpdate.SYMBOL",
        (
            OrderAccepted,
            OrderCancelled,
            OrderExpired,
            OrderFilled,
            TriggerPlaced,
            TriggerFailed,
        ),
    ),
    ("account.balanceUpdate", (BalanceUpdate,)),
)
"""Streams that speak, and the messages that they carry."""
