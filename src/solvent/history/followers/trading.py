"""Trading: orders and what became of them, trades, and each side's fills.

An order's row is its newest state and is written once a batch.
"""

from collections.abc import Iterator

import msgspec

from solvent.domain import events as e
from solvent.domain.events import Event
from solvent.history.followers.context import Context
from solvent.history.followers.orders import Order, changed
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Database, Value
from solvent.history.tables.rows import FillKind, SettlementSource
from solvent.history.tables.schema import FILLS, ORDERS, SETTLEMENTS, TRADES

CACHED = 200_000
"""Orders kept in memory between batches."""
FUND = 0
USDC = 0


class Trading:
    """What the events say of orders and trades, on its way to the tables."""

    def __init__(self, database: Database, batch: Batch) -> None:
        self._database = database
        self._batch = batch
        self._orders: dict[int, Order] = {}
        self._places: dict[int, int] = {}
        self._dirty: set[int] = set()

    def follow(self, context: Context, event: Event) -> tuple[Order, ...]:
        """Let an event change the orders that it is about."""
        orders = changed(event, context.time, self._find)
        for order in orders:
            self._orders[order.order] = order
            self._dirty.add(order.order)
        return orders

    def accepted(self, context: Context, event: e.OrderAccepted | e.TriggerPlaced) -> None:
        """An order enters, or begins to wait for its price."""
        self._places[event.order] = context.next_place()
        self._batch.count(ORDERS, event.account)
        self.follow(context, event)
        context.orders[event.account] = event.order

    def triggered(self, context: Context, event: e.Triggered) -> None:
        """An order that waited enters."""
        self.follow(context, event)
        context.orders[event.account] = event.order

    def filled(self, context: Context, event: e.Filled) -> None:
        """A trade: one row for everybody, one for each side."""
        taker, maker = self.follow(context, event)
        system = int(event.system_order)
        trade: list[Value] = [
            event.trade,
            context.time,
            event.asset,
            event.price,
            event.quantity,
            event.quote,
            int(event.side),
            system,
        ]
        self._batch.append(TRADES, trade)
        kind = FillKind.BOOK if system else FillKind.USER
        self._fill(context, event, taker, kind, is_maker=False)
        self._fill(context, event, maker, FillKind.USER, is_maker=True)
        context.orders |= {event.taker: event.taker_order, event.maker: event.maker_order}
        if system and event.taker_fee:
            source = SettlementSource.TRADING_FEES_SYSTEM
            fee = event.taker_fee
            row: list[Value] = [context.next_place(), context.time, FUND, int(source), USDC]
            self._batch.append(SETTLEMENTS, [*row, fee, fee, event.trade])

    def _fill(
        self, context: Context, event: e.Filled, order: Order, kind: FillKind, *, is_maker: bool
    ) -> None:
        side = int(event.side)
        row: list[Value] = [
            context.next_place(),
            context.time,
            event.maker if is_maker else event.taker,
            event.asset,
            event.maker_order if is_maker else event.taker_order,
            event.trade,
            1 - side if is_maker else side,
            event.price,
            event.quantity,
            event.quote,
            event.maker_fee if is_maker else event.taker_fee,
            int(is_maker),
            int(kind),
            0,
            0,
            order.client_id,
        ]
        self._batch.append(FILLS, row)

    def _find(self, number: int) -> Order:
        order = self._orders.get(number)
        return self._load(number) if order is None else order

    def _load(self, number: int) -> Order:
        statement = f"SELECT {ORDERS.listed} FROM {ORDERS.name} WHERE id = ?"
        (row,) = self._database.fetch(statement, (number,))
        _, self._places[number], *numbers, refused, limit, reason, ended = map(int, row)
        values = (number, *numbers, refused or None, limit, reason or None, ended)
        order = msgspec.convert(values, Order, strict=False)
        return msgspec.structs.replace(order, rests=not order.has_ended and not order.waits)

    def note_all(self) -> None:
        """Put every order that changed into the batch."""
        for number in self._dirty:
            self._batch.put(ORDERS, (number, self._places[number], *_numbers(self._orders[number])))

    def written(self) -> None:
        """The batch is in the database: forget what has ended, or can be read there again."""
        for number in self._dirty:
            if self._orders[number].has_ended:
                del self._orders[number], self._places[number]
        self._dirty.clear()
        if len(self._orders) > CACHED:
            self._orders.clear()
            self._places.clear()


def _numbers(order: Order) -> Iterator[int]:
    """The order in the order of its table's columns, without its number."""
    _, *columns, _ = msgspec.structs.astuple(order)
    return (int(value or 0) for value in columns)
