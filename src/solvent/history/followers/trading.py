"""Trading: orders and what became of them, trades, and each side's fills.

An order's row is its newest state and is written once a batch. While an order enters it counts as
filled: what rests or ends says so in the same command.
"""

from solvent.domain import events as e
from solvent.history.followers.context import Context
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Database, Value
from solvent.history.tables.rows import FillKind, OrderStatus, SettlementSource
from solvent.history.tables.schema import FILLS, ORDERS, SETTLEMENTS, TRADES

CACHED = 200_000
"""Orders kept in memory between batches."""
FUND = 0
USDC = 0


class Ordered:
    """An order: what never changes of it, and what does."""

    __slots__ = ("client_id", "ended", "executed", "executed_quote", "fixed", "reason", "status")

    def __init__(self, fixed: tuple[Value, ...]) -> None:
        self.fixed = fixed
        self.client_id = int(fixed[_CLIENT_ID])
        self.executed = 0
        self.executed_quote = 0
        self.status = OrderStatus.FILLED
        self.reason = 0
        self.ended = 0

    def row(self) -> tuple[Value, ...]:
        """The order in the order of its table's columns."""
        return (
            *self.fixed,
            self.executed,
            self.executed_quote,
            int(self.status),
            self.reason,
            self.ended,
        )


_CLIENT_ID = ORDERS.columns.index("client_id")
_QUANTITY = ORDERS.columns.index("quantity")
_FIXED = ORDERS.columns.index("executed")


class Trading:
    """What the events say of orders and trades, on its way to the tables."""

    def __init__(self, database: Database, batch: Batch) -> None:
        self._database = database
        self._batch = batch
        self._orders: dict[int, Ordered] = {}
        self._dirty: set[int] = set()

    def accepted(self, context: Context, event: e.OrderAccepted) -> None:
        """An order enters."""
        fixed: tuple[Value, ...] = (
            event.order,
            context.next_place(),
            context.time,
            event.account,
            event.asset,
            int(event.side),
            int(event.order_type),
            int(event.time_in_force),
            event.price,
            event.quantity,
            event.quote_quantity,
            event.post_only,
            event.reduce_only,
            int(event.self_trade_prevention),
            event.client_id,
            int(event.system_order),
        )
        self._orders[event.order] = Ordered(fixed)
        self._dirty.add(event.order)
        context.orders[event.account] = event.order

    def rested(self, event: e.OrderRested) -> None:
        """What is left waits in the book."""
        order = self._changed(event.order)
        order.status = OrderStatus.PARTIALLY_FILLED if order.executed else OrderStatus.NEW
        order.ended = 0

    def cancelled(self, context: Context, event: e.OrderCancelled) -> None:
        """Its owner took it back."""
        self._end(context, event.order, OrderStatus.CANCELLED)

    def expired(self, context: Context, event: e.OrderExpired) -> None:
        """It ended without its owner."""
        self._end(context, event.order, OrderStatus.EXPIRED).reason = int(event.reason)

    def _end(self, context: Context, number: int, status: OrderStatus) -> Ordered:
        order = self._changed(number)
        order.status = status
        order.ended = context.time
        return order

    def filled(self, context: Context, event: e.Filled) -> None:
        """A trade: one row for everybody, one for each side."""
        taker, maker = self._changed(event.taker_order), self._changed(event.maker_order)
        for order in (taker, maker):
            order.executed += event.quantity
            order.executed_quote += event.quote
        if maker.executed == maker.fixed[_QUANTITY]:
            maker.status, maker.ended = OrderStatus.FILLED, context.time
        else:
            maker.status = OrderStatus.PARTIALLY_FILLED
        taker.ended = context.time
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
        self, context: Context, event: e.Filled, order: Ordered, kind: FillKind, *, is_maker: bool
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

    def _changed(self, number: int) -> Ordered:
        """An order that is about to change."""
        self._dirty.add(number)
        order = self._orders.get(number)
        if order is None:
            order = self._orders[number] = self._load(number)
        return order

    def _load(self, number: int) -> Ordered:
        statement = f"SELECT {ORDERS.listed} FROM {ORDERS.name} WHERE id = ?"
        (row,) = self._database.fetch(statement, (number,))
        order = Ordered(row[:_FIXED])
        changing = [int(value) for value in row[_FIXED:]]
        order.executed, order.executed_quote, status, order.reason, order.ended = changing
        order.status = OrderStatus(status)
        return order

    def note_all(self) -> None:
        """Put every order that changed into the batch."""
        for number in self._dirty:
            self._batch.put(ORDERS, self._orders[number].row())

    def written(self) -> None:
        """The batch is in the database: forget what has ended, or can be read there again."""
        for number in self._dirty:
            if self._orders[number].status not in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED):
                del self._orders[number]
        self._dirty.clear()
        if len(self._orders) > CACHED:
            self._orders.clear()
