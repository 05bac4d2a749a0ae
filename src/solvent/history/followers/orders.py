"""Orders: what becomes of an order, from the event with which it enters to its last.

`changed` says what an event makes of the orders that it is about. Whoever keeps orders (the
histories, the streams, the market's open ones) keeps what it returns, and forgets an order that has
ended. Nothing else is needed: an order is whole in its first event, also one that waits for a
price first. When that is reached it enters under the number that it has.
"""

from collections.abc import Callable

import msgspec

from solvent.domain import events as e
from solvent.domain.codec.events import kind_number
from solvent.domain.commands import OrderType, SelfTradePrevention, Side, TimeInForce, TriggerBy
from solvent.domain.labels import ExpiryReason, SystemOrder
from solvent.domain.rejections import Limit, RejectionCode
from solvent.history.tables.rows import OrderStatus

KINDS = frozenset(
    map(
        kind_number,
        (
            e.OrderAccepted,
            e.OrderRested,
            e.Filled,
            e.OrderCancelled,
            e.OrderExpired,
            e.TriggerPlaced,
            e.Triggered,
            e.TriggerFailed,
        ),
    )
)
"""The kinds of events, by number, that are about orders."""


_OPEN = frozenset(
    {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.TRIGGER_PENDING},
)


class Order(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An order as it is after its last event.

    Quantities are atoms, of `quote_quantity` and `executed_quote` of USDC; a price is 10^-10 USDC;
    `created` and `ended` are microseconds UTC, `ended` 0 while the order has not. `reason` is why
    it expired; `rests` whether it is in the book. `trigger_price` is what it waits or waited for, 0
    if it did not; `triggered` when that was reached, 0 while it was not; `refused` and
    `refused_limit` are what it was refused with then.
    """

    order: int
    created: int
    account: int
    asset: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    quote_quantity: int
    post_only: bool
    reduce_only: bool
    self_trade_prevention: SelfTradePrevention
    client_id: int
    system_order: SystemOrder = SystemOrder.USER
    executed: int = 0
    executed_quote: int = 0
    status: OrderStatus = OrderStatus.NEW
    trigger_price: int = 0
    trigger_by: TriggerBy = TriggerBy.MARK
    triggered: int = 0
    refused: RejectionCode | None = None
    refused_limit: Limit = Limit.NONE
    reason: ExpiryReason | None = None
    ended: int = 0
    rests: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can become of it."""
        return self.status not in _OPEN

    @property
    def waits(self) -> bool:
        """Whether it waits for its price."""
        return self.status is OrderStatus.TRIGGER_PENDING


Find = Callable[[int], Order]
"""The order of a number that entered before and has not ended."""


def changed(event: e.Event, time: int, find: Find) -> tuple[Order, ...]:
    """The orders that an event of the KINDS is about, as they are after it.

    A fill's taker comes before its maker.
    """
    match event:
        case e.Filled():
            numbers = event.taker_order, event.maker_order
            return tuple(_filled(find(number), event, time) for number in numbers)
        case e.OrderAccepted():
            return (_entered(event, time),)
        case e.TriggerPlaced():
            return (_waiting(event, time),)
        case e.Triggered():
            return (_replace(find(event.order), status=OrderStatus.NEW, triggered=time),)
        case e.TriggerFailed():
            return (_failed(find(event.order), event, time),)
        case e.OrderRested():
            return (_replace(find(event.order), rests=True),)
        case e.OrderCancelled():
            order = find(event.order)
            return (_replace(order, status=OrderStatus.CANCELLED, ended=time, rests=False),)
        case e.OrderExpired():
            return (_expired(find(event.order), event, time),)
        case _:
            return ()


_replace = msgspec.structs.replace


def _entered(event: e.OrderAccepted | e.TriggerPlaced, time: int) -> Order:
    return Order(
        event.order,
        time,
        event.account,
        event.asset,
        event.side,
        event.order_type,
        event.time_in_force,
        event.price,
        event.quantity,
        event.quote_quantity,
        bool(event.post_only),
        bool(event.reduce_only),
        event.self_trade_prevention,
        event.client_id,
        event.system_order if isinstance(event, e.OrderAccepted) else SystemOrder.USER,
    )


def _waiting(event: e.TriggerPlaced, time: int) -> Order:
    return _replace(
        _entered(event, time),
        status=OrderStatus.TRIGGER_PENDING,
        trigger_price=event.trigger_price,
        trigger_by=event.trigger_by,
    )


def _failed(order: Order, event: e.TriggerFailed, time: int) -> Order:
    return _replace(
        order,
        status=OrderStatus.TRIGGER_FAILED,
        triggered=time,
        refused=event.code,
        refused_limit=event.limit,
        ended=time,
    )


def _expired(order: Order, event: e.OrderExpired, time: int) -> Order:
    """One by quote that has bought or sold all but what is too little for a lot is filled."""
    rest = order.quote_quantity and event.reason is ExpiryReason.IMMEDIATE_OR_CANCEL
    status = OrderStatus.FILLED if rest and order.executed else OrderStatus.EXPIRED
    return _replace(order, status=status, reason=event.reason, ended=time, rests=False)


def _filled(order: Order, event: e.Filled, time: int) -> Order:
    """An order by quantity is filled when that is traded; one by quote says itself when it ends."""
    executed = order.executed + event.quantity
    is_filled = executed == order.quantity
    quote = order.executed_quote + event.quote
    if is_filled:
        return _replace(
            order,
            executed=executed,
            executed_quote=quote,
            status=OrderStatus.FILLED,
            ended=time,
            rests=False,
        )
    status = OrderStatus.PARTIALLY_FILLED
    return _replace(order, executed=executed, executed_quote=quote, status=status)
