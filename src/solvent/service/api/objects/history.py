"""History of trading: every order and fill, people's and the stages' of liquidation."""

from typing import Annotated

from msgspec import UNSET, field

from solvent.service.api.objects.base import (
    U64,
    ApiObject,
    AssetSymbol,
    ClientId,
    Decimal,
    MarketSymbol,
    Maybe,
    Milliseconds,
    NaiveTime,
    NumberText,
    SignedDecimal,
    says,
)
from solvent.service.api.objects.enums import (
    FillType,
    MarketType,
    OrderExpiryReason,
    OrderStatus,
    OrderTypeEnum,
    SelfTradePrevention,
    Side,
    SystemOrderType,
    TimeInForce,
)
from solvent.service.api.objects.orders import Conditions
from solvent.service.api.objects.pages import PageQuery


class OrdersHistoryQuery(PageQuery):
    """Which orders are asked for."""

    order_id: Annotated[Maybe[NumberText], says("Number of the order.")] = UNSET
    strategy_id: Annotated[Maybe[str], says("Taken and passed over: no strategies here.")] = UNSET
    symbol: Annotated[Maybe[str], says("The market, or its base asset.", "SOL_USDC")] = UNSET
    market_type: Annotated[Maybe[list[MarketType]], says("Taken and passed over.")] = UNSET


class Order(Conditions):
    """An order and what became of it. What does not apply to it is null."""

    id: Annotated[NumberText, says("Number of the order.", "31")]
    created_at: Annotated[NaiveTime, says("When it was accepted or began to wait.")]
    executed_quantity: Annotated[Decimal, says("Base tokens filled.", "2")]
    executed_quote_quantity: Annotated[Decimal, says("USDC exchanged for them.", "300")]
    order_type: Annotated[OrderTypeEnum, says("Limit or market.", "Limit")]
    self_trade_prevention: Annotated[
        SelfTradePrevention,
        says("What would happen when it met an order of the same account.", "RejectTaker"),
    ]
    status: Annotated[OrderStatus, says("Where the order stands.", "Expired")]
    side: Annotated[Side, says("Whether it buys or sells the base asset.", "Bid")]
    symbol: Annotated[MarketSymbol, says("The market.")]
    time_in_force: Annotated[TimeInForce, says("How long it may rest.", "IOC")]
    quantity: Annotated[
        Decimal | None, says("Base tokens ordered; of an order by quote those that it got.", "5")
    ] = None
    quote_quantity: Annotated[
        Decimal | None, says("USDC to exchange; only in a market order by quote.")
    ] = None
    price: Annotated[
        Decimal | None, says("Limit in USDC a token; only in a limit order.", "150")
    ] = None
    post_only: Annotated[
        bool | None, says("Whether it was refused rather than taken; only in a limit order.", False)
    ] = None
    client_id: Annotated[ClientId | None, says("The client's own number, if it gave one.")] = None
    expiry_reason: Annotated[
        OrderExpiryReason | None,
        says("Why it ended without its owner asking, or failed to enter.", "ImmediateOrCancel"),
    ] = None
    system_order_type: Annotated[
        SystemOrderType | None, says("Which stage of liquidation sent it, if one did.")
    ] = None


class FillsQuery(PageQuery):
    """Which fills are asked for."""

    order_id: Annotated[Maybe[NumberText], says("Number of the order.")] = UNSET
    strategy_id: Annotated[Maybe[str], says("Taken and passed over: no strategies here.")] = UNSET
    from_: Annotated[Maybe[Milliseconds], says("No earlier than this.")] = field(
        name="from", default=UNSET
    )
    to: Annotated[Maybe[Milliseconds], says("Earlier than this.")] = UNSET
    symbol: Annotated[Maybe[str], says("The market, or its base asset.", "SOL_USDC")] = UNSET
    fill_type: Annotated[Maybe[FillType], says("Whose fills.", "User")] = UNSET
    market_type: Annotated[Maybe[list[MarketType]], says("Taken and passed over.")] = UNSET


class OrderFill(ApiObject):
    """A fill as one of its orders sees it; also of backstop and ADL, at the mark."""

    fee: Annotated[SignedDecimal, says("USDC, below zero where it was received.", "0.15")]
    fee_symbol: Annotated[AssetSymbol, says("Always USDC.", "USDC")]
    is_maker: Annotated[bool, says("Whether this order rested.")]
    order_id: Annotated[str, says("Number of the order; a name where it was off the book.", "31")]
    price: Annotated[Decimal, says("USDC a token.", "150")]
    quantity: Annotated[Decimal, says("Base tokens.", "2")]
    side: Annotated[Side, says("Whether this order bought or sold.", "Bid")]
    symbol: Annotated[MarketSymbol, says("The market.")]
    timestamp: Annotated[NaiveTime, says("When.")]
    trade_id: Annotated[U64 | None, says("Number of the trade, if it was on the book.", 88)] = None
    client_id: Annotated[
        NumberText | None, says("The client's own number of the order, if it gave one.")
    ] = None
    system_order_type: Annotated[
        SystemOrderType | None, says("Which stage of liquidation it belongs to, if one.")
    ] = None
