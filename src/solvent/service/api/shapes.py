"""Shapes: domain integers and enums as the public API has them, and the objects that several share.

Each quantity is a decimal as a string; one below zero has a minus.
"""

from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.labels import ExpiryReason
from solvent.domain.parameters import USDC, EngineParameters, MarginFunction
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import PRICE_DECIMALS, RATIO_DECIMALS, VALUE_DECIMALS
from solvent.history.followers.orders import Order
from solvent.history.tables.rows import OrderRow
from solvent.history.tables.rows import OrderStatus as KeptStatus
from solvent.service.api.objects.borrow_lend import PositionImfFunction
from solvent.service.api.objects.capital import Withdrawal
from solvent.service.api.objects.enums import (
    Blockchain,
    OrderExpiryReason,
    OrderStatus,
    OrderTypeEnum,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
    WithdrawalStatus,
)
from solvent.service.api.objects.governance import AuditRow
from solvent.service.api.objects.orders import OrderType
from solvent.service.authority.audit import AuditEntry
from solvent.service.wire import format_decimal, ms, naive_time


def words(name: str) -> str:
    """AN_ENUM_NAME as the public API writes it: AnEnumName."""
    return "".join(word.capitalize() for word in name.split("_"))


SIDES = {c.Side.BID: Side.BID, c.Side.ASK: Side.ASK}
TYPES = {c.OrderType.LIMIT: OrderTypeEnum.LIMIT, c.OrderType.MARKET: OrderTypeEnum.MARKET}
TIMES = {time: TimeInForce[time.name] for time in c.TimeInForce}
PREVENTIONS = {each: SelfTradePrevention[each.name] for each in c.SelfTradePrevention}
EXPIRIES = {
    reason: OrderExpiryReason(words(reason.name))
    for reason in ExpiryReason
    if reason is not ExpiryReason.ADL_SETTLEMENT
}
"""Reasons as published; there is no word for a settlement by ADL."""

_FAILURES = {
    RejectionCode.INVALID_QUANTITY: OrderExpiryReason.INVALID_QUANTITY,
    RejectionCode.INVALID_PRICE: OrderExpiryReason.PRICE_OUT_OF_BOUNDS,
    RejectionCode.INVALID_ORDER: OrderExpiryReason.POST_ONLY_TAKER,
    RejectionCode.ACCOUNT_LIQUIDATING: OrderExpiryReason.LIQUIDATION,
    RejectionCode.BORROW_REQUIRES_LEND_REDEEM: OrderExpiryReason.BORROW_REQUIRES_LEND_REDEEM,
    RejectionCode.INSUFFICIENT_FUNDS: OrderExpiryReason.INSUFFICIENT_FUNDS,
    RejectionCode.BORROW_LIMIT: OrderExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY,
    RejectionCode.INSUFFICIENT_SUPPLY: OrderExpiryReason.INSUFFICIENT_BORROWABLE_QUANTITY,
    RejectionCode.MAX_LEVERAGE_REACHED: OrderExpiryReason.INSUFFICIENT_MARGIN,
    RejectionCode.INSUFFICIENT_MARGIN: OrderExpiryReason.INSUFFICIENT_MARGIN,
}
"""Why an order failed when its price was reached, as published."""


def failure_reason(refused: RejectionCode, limit: Limit) -> OrderExpiryReason:
    """The published word for what an order that waited was refused with."""
    if refused is RejectionCode.INVALID_ORDER and limit is Limit.OUTSTANDING_DEBT:
        return OrderExpiryReason.REDUCE_ONLY_NOT_REDUCED
    return _FAILURES.get(refused, OrderExpiryReason.UNKNOWN)


TRIGGERS = {by: TriggerBy[f"{by.name}_PRICE"] for by in c.TriggerBy}
STATUSES = {status: OrderStatus[status.name] for status in KeptStatus}


def quantity_text(parameters: EngineParameters, asset: int, atoms: int) -> str:
    """Atoms of an asset in tokens."""
    return format_decimal(atoms, parameters.assets[asset].decimals)


def price_text(price: int) -> str:
    """A price in USDC a token."""
    return format_decimal(price, PRICE_DECIMALS)


def value_text(value: int) -> str:
    """A value in USDC."""
    return format_decimal(value, VALUE_DECIMALS)


def ratio_text(ratio: int) -> str:
    """A ratio of 10^-9."""
    return format_decimal(ratio, RATIO_DECIMALS)


SPEED_DECIMALS = 3


def speed_text(speed: int) -> str:
    """Seconds of a market in one, from thousandths."""
    return format_decimal(speed, SPEED_DECIMALS)


def market_symbol(parameters: EngineParameters, asset: int) -> str:
    """Name of an asset's market."""
    return f"{parameters.assets[asset].symbol}_{parameters.assets[USDC].symbol}"


def side_text(side: int) -> Side:
    """Bid or Ask."""
    return SIDES[c.Side(side)]


def margin_function(function: MarginFunction) -> PositionImfFunction:
    """A margin function."""
    return PositionImfFunction(base=ratio_text(function.base), factor=ratio_text(function.factor))


class Condition(NamedTuple):
    """What a conditional order waits or waited for, as published."""

    trigger_by: TriggerBy | None = None
    trigger_price: str | None = None
    trigger_quantity: str | None = None


def condition_of(parameters: EngineParameters, order: Order | OrderRow) -> Condition:
    """What an order waits or waited for; nothing, if it did not."""
    if not order.trigger_price:
        return Condition()
    quantity = quantity_text(parameters, order.asset, order.quantity) if order.quantity else None
    return Condition(TRIGGERS[order.trigger_by], price_text(order.trigger_price), quantity)


def order_type(parameters: EngineParameters, order: Order, status: OrderStatus) -> OrderType:
    """An order as it is now."""
    is_limit = order.order_type is c.OrderType.LIMIT
    condition = condition_of(parameters, order)
    return OrderType(
        id=str(order.order),
        created_at=ms(order.created),
        executed_quantity=quantity_text(parameters, order.asset, order.executed),
        executed_quote_quantity=value_text(order.executed_quote),
        order_type=TYPES[order.order_type],
        reduce_only=order.reduce_only,
        self_trade_prevention=PREVENTIONS[order.self_trade_prevention],
        side=side_text(order.side),
        status=status,
        symbol=market_symbol(parameters, order.asset),
        time_in_force=TIMES[order.time_in_force],
        client_id=None if order.client_id == c.NO_CLIENT_ID else order.client_id,
        quantity=quantity_text(parameters, order.asset, order.quantity or order.executed),
        quote_quantity=value_text(order.quote_quantity) if order.quote_quantity else None,
        post_only=order.post_only if is_limit else None,
        price=price_text(order.price) if is_limit else None,
        trigger_by=condition.trigger_by,
        trigger_price=condition.trigger_price,
        trigger_quantity=condition.trigger_quantity,
        triggered_at=ms(order.triggered) if order.triggered else None,
    )


def withdrawal(
    parameters: EngineParameters,
    number: int,
    asset: int,
    quantity: int,
    time: int,
    memo: tuple[str, str, str] | None,
) -> Withdrawal:
    """A withdrawal: tokens have left. `memo` is its client id, address and blockchain."""
    client_id, address, blockchain = memo or ("", "", "")
    return Withdrawal(
        id=number,
        blockchain=Blockchain(blockchain or Blockchain.SOLANA),
        quantity=quantity_text(parameters, asset, quantity),
        fee="0",
        symbol=parameters.assets[asset].symbol,
        status=WithdrawalStatus.CONFIRMED,
        to_address=address,
        created_at=naive_time(time),
        is_internal=False,
        client_id=client_id or None,
    )


def audit_row(entry: AuditEntry) -> AuditRow:
    """An entry of the audit log."""
    return AuditRow(
        number=entry.number,
        time=naive_time(entry.time),
        actor=entry.actor,
        role=entry.role,
        act=entry.act,
        subject=entry.subject,
        outcome=entry.outcome,
        proposal=entry.proposal,
        hash=entry.hash,
    )
