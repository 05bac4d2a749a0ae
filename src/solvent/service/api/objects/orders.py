"""Orders: placing, cancelling and looking at them, one by one and in batches."""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import UNSET

from solvent.service.api.objects.base import (
    U16,
    U64,
    Amount,
    ApiObject,
    AssetSymbol,
    ClientId,
    Decimal,
    MarketSymbol,
    Maybe,
    Milliseconds,
    NumberText,
    Request,
    says,
)
from solvent.service.api.objects.enums import (
    MarketType,
    OrderStatus,
    OrderTypeEnum,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
)
from solvent.service.errors import ApiErrorResponse
from solvent.service.limits import BATCH_COMMANDS

_UNATTACHED = says("Always null: no orders are attached to another here.")
_NOT_SERVED = says("Not served: refused.")


class CancelOrderTypeEnum(StrEnum):
    """Which orders are cancelled: those that rest in the book, or those that wait for a price."""

    RESTING_LIMIT_ORDER = "RestingLimitOrder"
    CONDITIONAL_ORDER = "ConditionalOrder"


class SlippageToleranceType(StrEnum):
    """In what a slippage tolerance is given."""

    TICK_SIZE = "TickSize"
    PERCENT = "Percent"


class Conditions(ApiObject):
    """What an order waits or waited for, and what orders of the published API may have besides.

    All of it is always there, as null where there is none.
    """

    trigger_by: Annotated[
        TriggerBy | None, says("Which price it waits or waited for, if it is conditional.")
    ] = None
    trigger_price: Annotated[
        Decimal | None, says("That price, USDC a token; only of a conditional order.")
    ] = None
    trigger_quantity: Annotated[
        Decimal | None, says("Base tokens; only of a conditional order that is not by quote.")
    ] = None
    stop_loss_limit_price: Annotated[None, _UNATTACHED] = None
    stop_loss_trigger_by: Annotated[None, _UNATTACHED] = None
    stop_loss_trigger_price: Annotated[None, _UNATTACHED] = None
    take_profit_limit_price: Annotated[None, _UNATTACHED] = None
    take_profit_trigger_by: Annotated[None, _UNATTACHED] = None
    take_profit_trigger_price: Annotated[None, _UNATTACHED] = None
    strategy_id: Annotated[None, says("Always null: no strategies here.")] = None
    slippage_tolerance: Annotated[None, says("Always null: no slippage tolerance here.")] = None
    slippage_tolerance_type: Annotated[None, says("Always null: no slippage tolerance here.")] = (
        None
    )


class OrderType(Conditions):
    """An order as it is now. What does not apply to it is null."""

    id: Annotated[NumberText, says("Number of the order.", "31")]
    created_at: Annotated[
        Milliseconds, says("When it was accepted or began to wait, milliseconds UTC.")
    ]
    executed_quantity: Annotated[Decimal, says("Base tokens filled so far.", "2")]
    executed_quote_quantity: Annotated[Decimal, says("USDC exchanged for them so far.", "300")]
    order_type: Annotated[OrderTypeEnum, says("Limit or market.", "Limit")]
    reduce_only: Annotated[bool, says("Whether the order may only reduce a debt or a balance.")]
    self_trade_prevention: Annotated[
        SelfTradePrevention,
        says("What happens when it would meet an order of the same account.", "RejectTaker"),
    ]
    side: Annotated[Side, says("Whether it buys or sells the base asset.", "Bid")]
    status: Annotated[OrderStatus, says("Where the order stands.", "PartiallyFilled")]
    symbol: Annotated[MarketSymbol, says("The market.")]
    time_in_force: Annotated[TimeInForce, says("How long the order may rest.", "GTC")]
    client_id: Annotated[
        ClientId | None, says("The client's own number of the order, if it gave one.", 7)
    ] = None
    quantity: Annotated[
        Decimal | None, says("Base tokens ordered; of an order by quote those that it got.", "5")
    ] = None
    quote_quantity: Annotated[
        Decimal | None, says("USDC to exchange; only in a market order by quote.")
    ] = None
    post_only: Annotated[
        bool | None, says("Whether it was refused rather than taken; only in a limit order.", False)
    ] = None
    price: Annotated[
        Decimal | None, says("Limit in USDC a token; only in a limit order.", "150")
    ] = None
    triggered_at: Annotated[
        Milliseconds | None,
        says("When its price was reached; only of a conditional order."),
    ] = None
    related_order_id: Annotated[None, says("Always null: no orders belong to another.")] = None


class OrderExecutePayload(Request):
    """An order to place."""

    auto_lend: Annotated[Maybe[bool], says("Passed over: the account's own autoLend counts.")] = (
        UNSET
    )
    auto_lend_redeem: Annotated[
        Maybe[bool], says("Whether lends may be redeemed to pay for the order.", True)
    ] = UNSET
    auto_borrow: Annotated[
        Maybe[bool], says("Whether the order may borrow what the account does not have.", False)
    ] = UNSET
    auto_borrow_repay: Annotated[
        Maybe[bool], says("Whether what comes in repays a debt of the same asset.")
    ] = UNSET
    broker_id: Annotated[Maybe[U16], says("Taken and passed over.")] = UNSET
    client_id: Annotated[
        Maybe[ClientId], says("The client's own number, by which a repetition is known.", 7)
    ] = UNSET
    order_type: Annotated[OrderTypeEnum, says("Limit or market.", "Limit")]
    post_only: Annotated[Maybe[bool], says("Whether the order is refused where it would take.")] = (
        UNSET
    )
    price: Annotated[Maybe[Amount], says("Limit in USDC a token.", "150")] = UNSET
    quantity: Annotated[Maybe[Amount], says("Base tokens.", "5")] = UNSET
    quote_quantity: Annotated[
        Maybe[Amount], says("USDC to exchange in place of a quantity; market orders only.")
    ] = UNSET
    reduce_only: Annotated[
        Maybe[bool], says("Whether the order may only reduce a debt or a balance.")
    ] = UNSET
    self_trade_prevention: Annotated[
        Maybe[SelfTradePrevention],
        says("Which order ends when two of one account meet; RejectTaker if absent."),
    ] = UNSET
    side: Annotated[Side, says("Whether to buy or to sell the base asset.", "Bid")]
    stop_loss_limit_price: Annotated[Maybe[Amount], _NOT_SERVED] = UNSET
    stop_loss_trigger_by: Annotated[Maybe[str], _NOT_SERVED] = UNSET
    stop_loss_trigger_price: Annotated[Maybe[str], _NOT_SERVED] = UNSET
    symbol: Annotated[MarketSymbol, says("The market.")]
    take_profit_limit_price: Annotated[Maybe[Amount], _NOT_SERVED] = UNSET
    take_profit_trigger_by: Annotated[Maybe[str], _NOT_SERVED] = UNSET
    take_profit_trigger_price: Annotated[Maybe[str], _NOT_SERVED] = UNSET
    time_in_force: Annotated[
        Maybe[TimeInForce], says("How long the order may rest; GTC if absent.")
    ] = UNSET
    trigger_by: Annotated[
        Maybe[TriggerBy], says("Which price it waits for; MarkPrice if absent.")
    ] = UNSET
    trigger_price: Annotated[
        Maybe[Amount],
        says("Where given, the order waits until this is reached; USDC a token."),
    ] = UNSET
    trigger_quantity: Annotated[
        Maybe[Amount],
        says("Base tokens of an order that waits, in place of quantity."),
    ] = UNSET
    slippage_tolerance: Annotated[Maybe[Amount], _NOT_SERVED] = UNSET
    slippage_tolerance_type: Annotated[Maybe[SlippageToleranceType], _NOT_SERVED] = UNSET


class OrderId(Request):
    """Names one order that rests or waits by exactly one of its ids."""

    client_id: Annotated[Maybe[ClientId], says("The client's own number of the order.")] = UNSET
    order_id: Annotated[Maybe[NumberText], says("Number of the order.", "31")] = UNSET
    symbol: Annotated[MarketSymbol, says("The market.")]


class OrderQuery(OrderId):
    """Which order is asked for."""


class OrderCancelPayload(OrderId):
    """Which order is cancelled."""


class OrdersQuery(Request):
    """Which orders that rest or wait are asked for."""

    market_type: Annotated[Maybe[MarketType], says("Kind of market; only SPOT has any.")] = UNSET
    symbol: Annotated[Maybe[MarketSymbol], says("The market; all of them if absent.")] = UNSET


class OrderCancelAllPayload(Request):
    """Which orders are cancelled."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    order_type: Annotated[
        Maybe[CancelOrderTypeEnum],
        says("Which orders; those that rest and those that wait if absent."),
    ] = UNSET


class BatchOrder(OrderType):
    """What is said to an item of a batch that placed or cancelled an order."""

    operation: Annotated[Literal["Ok"], says("That the item was carried out.")]


class BatchDone(ApiObject):
    """What is said to an item of a batch that was carried out and is no order."""

    operation: Annotated[Literal["Ok"], says("That the item was carried out.")]


class BatchError(ApiErrorResponse):
    """What is said to an item of a batch that was refused; the others are carried out."""

    operation: Annotated[Literal["Err"], says("That the item was refused.")]


BatchCommandOrderResult = BatchOrder | BatchDone | BatchError


class BatchLend(Request, tag_field="verb", tag="lend"):
    """Lends, or repays a debt of the same asset."""

    symbol: Annotated[AssetSymbol, says("The asset.", "USDC")]
    quantity: Annotated[Amount, says("Tokens.")]


class BatchRedeem(BatchLend, tag="redeem"):
    """Redeems what was lent."""


class BatchBorrow(BatchLend, tag="borrow"):
    """Borrows."""


class BatchRepay(BatchLend, tag="repay"):
    """Repays a debt."""


class BatchPlace(OrderExecutePayload, tag_field="verb", tag="order"):
    """Places an order."""


class BatchCancel(Request, tag_field="verb", tag="cancel"):
    """Cancels one order."""

    order_id: Annotated[U64, says("Number of the order.", 31)]


class BatchCancelAll(Request, tag_field="verb", tag="cancelAll"):
    """Cancels all orders of a market, or of all markets."""

    symbol: Annotated[Maybe[MarketSymbol], says("The market; all of them if absent.")] = UNSET


BatchCommand = (
    BatchLend | BatchRedeem | BatchBorrow | BatchRepay | BatchPlace | BatchCancel | BatchCancelAll
)


class BatchExecutePayload(Request):
    """Commands of one account, carried out in their order, each for itself."""

    commands: Annotated[list[BatchCommand], says(f"The commands, 1 to {BATCH_COMMANDS} of them.")]
