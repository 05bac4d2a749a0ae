"""Open orders: what clients may know of their resting orders beyond what the engine keeps.

Built from commands and events alone. An order is here from the moment it is accepted until its last
event; what an order became is told by the answer to the command and by the views.
"""

from collections.abc import Sequence
from typing import NamedTuple

from solvent.domain import events as e
from solvent.domain.codec.events import kind_number
from solvent.domain.commands import (
    OrderType,
    PlaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

FOLLOWED = frozenset(
    map(
        kind_number,
        (e.OrderAccepted, e.OrderRested, e.OrderCancelled, e.OrderExpired, e.Filled),
    )
)
"""The kinds of events, by number, that say something about orders."""


class OpenOrder(NamedTuple):
    """One order. Quantities are atoms, `created` microseconds UTC."""

    order: int
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
    created: int
    executed: int = 0
    executed_quote: int = 0

    def filled(self, quantity: int, quote: int) -> "OpenOrder":
        """The order after one more fill."""
        return self._replace(
            executed=self.executed + quantity, executed_quote=self.executed_quote + quote
        )


def accepted(command: PlaceOrder, order: int, time: int) -> OpenOrder:
    """The order that a command became."""
    return OpenOrder(
        order,
        command.account,
        command.asset,
        command.side,
        command.order_type,
        command.time_in_force,
        command.price,
        command.quantity,
        command.quote_quantity,
        command.post_only,
        command.reduce_only,
        command.self_trade_prevention,
        command.client_id,
        time,
    )


class OpenOrders:
    """All resting orders, by number and by account."""

    def __init__(self) -> None:
        self._orders: dict[int, OpenOrder] = {}
        self._of_account: dict[int, dict[int, None]] = {}

    def get(self, order: int) -> OpenOrder | None:
        """The order of this number, if it rests."""
        return self._orders.get(order)

    def all(self) -> list[OpenOrder]:
        """Every resting order, oldest first."""
        return list(self._orders.values())

    def of(self, account: int) -> list[OpenOrder]:
        """The account's resting orders, oldest first."""
        return [self._orders[order] for order in tuple(self._of_account.get(account, ()))]

    def by_client_id(self, account: int, client_id: int) -> OpenOrder | None:
        """The account's latest resting order with this client id."""
        found = [order for order in self.of(account) if order.client_id == client_id]
        return found[-1] if found else None

    def put(self, order: OpenOrder) -> None:
        """Add or replace an order."""
        self._orders[order.order] = order
        self._of_account.setdefault(order.account, {})[order.order] = None

    def follow(self, placed: OpenOrder | None, events: Sequence[e.Event]) -> list[OpenOrder]:
        """Let events happen; `placed` is the order that their command placed.

        Returns the orders that ended, as they were at their end.
        """
        ended: list[OpenOrder] = []
        if placed is not None:
            self.put(placed)
        rests = False
        for event in events:
            if isinstance(event, e.Filled):
                self._fill(event.taker_order, event)
                self._fill(event.maker_order, event)
                maker = self._orders.get(event.maker_order)
                if maker is not None and maker.quantity == maker.executed:
                    ended.append(self._drop(maker))
            elif isinstance(event, e.OrderRested):
                rests = True
            elif isinstance(event, e.OrderCancelled | e.OrderExpired):
                order = self._orders.get(event.order)
                if order is not None:
                    ended.append(self._drop(order))
        if placed is not None and not rests and placed.order in self._orders:
            ended.append(self._drop(self._orders[placed.order]))
        return ended

    def _fill(self, number: int, event: e.Filled) -> None:
        order = self._orders.get(number)
        if order is not None:
            self._orders[number] = order.filled(event.quantity, event.quote)

    def _drop(self, order: OpenOrder) -> OpenOrder:
        del self._orders[order.order]
        of_account = self._of_account[order.account]
        del of_account[order.order]
        if not of_account:
            del self._of_account[order.account]
        return order

    def rows(self) -> list[tuple[int, ...]]:
        """All of it as plain numbers, for a snapshot."""
        return [tuple(int(number) for number in order) for order in self._orders.values()]

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[int]]) -> "OpenOrders":
        """What `rows` was taken from."""
        orders = cls()
        for row in rows:
            orders.put(_from_row(row))
        return orders


def _from_row(row: Sequence[int]) -> OpenOrder:
    order, account, asset, side, kind, time, *amounts = row
    price, quantity, quote, post, reduce, prevention, *rest = amounts
    return OpenOrder(
        order,
        account,
        asset,
        Side(side),
        OrderType(kind),
        TimeInForce(time),
        price,
        quantity,
        quote,
        bool(post),
        bool(reduce),
        SelfTradePrevention(prevention),
        *rest,
    )
