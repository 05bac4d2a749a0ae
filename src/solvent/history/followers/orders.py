"""Orders: what becomes of an order, from the event with which it enters to its last.

`changed` says what an event makes of the orders that it is about. Whoever keeps orders (the
histories, the streams, the market's open ones) keeps what it returns, and forgets an order that has
ended. Nothing else is needed: an order is whole in its first event, and a fill says what is left.
"""

from collections.abc import Callable

import msgspec

from solvent.domain import events as e
from solvent.domain.codec.events import kind_number
from solvent.domain.commands import OrderType, SelfTradePrevention, Side, TimeInForce
from solvent.domain.labels import ExpiryReason, SystemOrder
from solvent.history.tables.rows import OrderStatus

KINDS = frozenset(
    map(
        kind_number,
        (e.OrderAccepted, e.OrderRested, e.Filled, e.OrderCancelled, e.OrderExpired),
    )
)
"""The kinds of events, by number, that are about orders."""


class Order(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An order as it is after its last event.

    Quantities are atoms, of `quote_quantity` and `executed_quote` of USDC; a price is 10^-10 USDC;
    `created` and `ended` are microseconds UTC, `ended` 0 while the order has not. `reason` is why
    it expired; `rests` whether it waits in the book.
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
    reason: ExpiryReason | None = None
    ended: int = 0
    rests: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can become of it."""
        return self.status > OrderStatus.PARTIALLY_FILLED


Find = Callable[[int], Order]
"""The order of a number that entered before and has not ended."""


def changed(event: e.Event, time: int, find: Find) -> tuple[Order, ...]:
    """The orders that an event of the KINDS is about, as they are after it.

    A fill's taker comes before its maker.
    """
    match event:
        case e.Filled():
            left = event.taker_left, event.maker_left
            numbers = event.taker_order, event.maker_order
            return tuple(
                _filled(find(number), event, rest, time)
                for number, rest in zip(numbers, left, strict=True)
            )
        case e.OrderAccepted():
            return (_entered(event, time),)
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


def _entered(event: e.OrderAccepted, time: int) -> Order:
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
        event.system_order,
    )


def _expired(order: Order, event: e.OrderExpired, time: int) -> Order:
    """One by quote that has bought or sold all but what is too little for a lot is filled."""
    rest = event.unspent and event.reason is ExpiryReason.IMMEDIATE_OR_CANCEL
    if rest and order.executed:
        return _replace(order, status=OrderStatus.FILLED, ended=time, rests=False)
    status = OrderStatus.EXPIRED
    return _replace(order, status=status, reason=event.reason, ended=time, rests=False)


def _filled(order: Order, event: e.Filled, left: int, time: int) -> Order:
    """An order by quantity is filled when that is traded, one by quote when nothing is left."""
    executed = order.executed + event.quantity
    is_filled = executed == order.quantity if order.quantity else left == 0
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
