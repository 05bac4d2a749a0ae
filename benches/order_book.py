"""Order book: price-time priority with cancels, against books that Python can call.

The same stream goes through three things: the engine's book alone (levels, ids, matching), the
whole engine (funds held, fees, every check, events; accounts owe nothing, so margin is not asked),
and the peers. Trades must be the same, one by one; a peer that does not tell its trades must end
with the same book. Plain books know no accounts and let any two orders trade, where the engine
keeps an account from trading with itself: each account here bids only or asks only, and so never
meets itself.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from benches.common.engines import BATCH, apply_all, column, copy_of, engine_over, events_by_kind
from benches.common.kernels import Words, call, compiled, root_of
from benches.common.market import PRICES, market
from benches.common.measure import agree, repeat
from benches.common.order_stream import ADD, Orders, order_stream
from benches.common.peers import peer
from benches.common.population import FIRST, endowed
from benches.common.rows import AT_LEAST, TIMES, Figure, Row, Target, rate
from benches.common.stream import row_of
from solvent.domain import commands as c
from solvent.domain.commands import Side
from solvent.domain.events import Filled, OrderAccepted
from solvent.domain.parameters import USDC, MarketParameters
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import Columns, new_columns
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Globals
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import crosses, find, insert, opposite, remove
from solvent.engine.orderbook.levels import best_slot, order_row, take_slot
from solvent.kernels.language import kernel
from solvent.kernels.rows import Memory

NAME = "order-book"
ASSET = 1
_EVENTS_PER_MAKER = 50
_EVENTS_PER_TAKER = 200
_EVENT_WIDTH = 5
_TRADE_WIDTH = 4
STEP = 2
"""Market ticks in a tick of the stream: then no quote and no fee is rounded, so that an order for
which the engine holds the exact cost is never an atom short after several fills."""
_USDC_ATOMS = 10**13
_TOKEN_ATOMS = 10**11
"""What each account has at first: enough for all its orders."""

Trades = list[tuple[int, int, int, int]]
"""Taker, maker, price in ticks, lots."""


@kernel
def run_book(s: Store, events: Memory, count: int, trades: Memory) -> int:
    """Add and cancel orders of market ASSET; write the trades and return how many."""
    traded = 0
    for number in range(count):
        event = events.at(number * _EVENT_WIDTH)
        if event[0]:
            slot = find(s, event[1])
            if slot != NONE:
                remove(s, slot)
        else:
            traded = _add(s, event, trades, traded)
    return traded


@kernel
def _add(s: Store, event: Memory, trades: Memory, before: int) -> int:
    """Let an order trade and rest; how many trades there are then."""
    side, price, left = Side(event[2]), event[3], event[4]
    traded = before
    while left:
        slot = best_slot(s, ASSET, opposite(side))
        if slot == NONE or not crosses(side, price, order_row(s, slot).price):
            break
        maker = order_row(s, slot)
        quantity = min(left, maker.quantity)
        trade = trades.at(traded * _TRADE_WIDTH)
        trade[0] = event[1]
        trade[1] = maker.order
        trade[2] = maker.price
        trade[3] = quantity
        traded += 1
        left -= quantity
        maker.quantity -= quantity
        if maker.quantity == 0:
            remove(s, slot)
    if left:
        slot = take_slot(s)
        order = order_row(s, slot)
        order.order = event[1]
        order.account = 0
        order.asset = ASSET
        order.side = side
        order.line = side
        order.price = price
        order.quantity = left
        order.locked = 0
        order.unfunded = 0
        order.auto_borrow = 0
        insert(s, slot)
    return traded


class PlainBook:
    """A book in plain Python: a queue a price, the prices of each side in order."""

    def __init__(self) -> None:
        self.prices: tuple[list[int], list[int]] = ([], [])
        self.levels: dict[int, deque[list[int]]] = {}
        self.orders: dict[int, list[int]] = {}
        self.trades: Trades = []

    def run(self, events: list[list[int]]) -> None:
        """Carry out all events."""
        for what, order, side, price, lots in events:
            if what == ADD:
                self.add(order, side, price, lots)
            else:
                self.cancel(order)

    def add(self, order: int, side: int, price: int, lots: int) -> None:
        """Trade as far as the price allows, then rest."""
        others = self.prices[1 - side]
        while lots and others:
            best = others[0] if side == 0 else others[-1]
            if best > price if side == 0 else best < price:
                break
            level = self.levels[best]
            maker = level[0]
            traded = min(lots, maker[1])
            lots -= traded
            maker[1] -= traded
            self.trades.append((order, maker[0], best, traded))
            if not maker[1]:
                level.popleft()
                del self.orders[maker[0]]
                if not level:
                    self._close(1 - side, best)
        if lots:
            if price not in self.levels:
                self.levels[price] = deque()
                insort(self.prices[side], price)
            row = [order, lots, side, price]
            self.levels[price].append(row)
            self.orders[order] = row

    def cancel(self, order: int) -> None:
        """Take an order out, if it rests."""
        row = self.orders.pop(order, None)
        if row is not None:
            level = self.levels[row[3]]
            level.remove(row)
            if not level:
                self._close(row[2], row[3])

    def _close(self, side: int, price: int) -> None:
        del self.levels[price]
        prices = self.prices[side]
        del prices[bisect_left(prices, price)]

    def depth(self) -> dict[int, int]:
        """Lots at each price."""
        return {price: sum(row[1] for row in level) for price, level in self.levels.items()}


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Orders a second of the book alone and of the whole engine, against each peer."""
    count, times = (20_000, 2) if quick else (1_000_000, 5)
    orders = order_stream(count)
    events = np.stack((orders.what, orders.order, orders.side, orders.ticks, orders.lots), axis=1)
    plain, plain_figure = _plain(events, 1 if quick else 2)
    alone = book_alone(events, plain.trades, times)
    peers = (
        ("plain Python: dict, deque, bisect", plain_figure),
        ("limit-order-book, C++", _cpp(events, plain, 1 if quick else 2)),
    )
    measured = f"{len(events):,} orders and cancels, {len(plain.trades):,} trades"
    yield Row(NAME, f"book alone, {measured}", alone, target=Target(AT_LEAST, 20))
    for name, figure in peers:
        yield Row(NAME, f"book alone, {measured}", alone, name, figure, Target(TIMES, 20))
    whole = whole_engine(orders, plain.trades, times)
    yield Row(NAME, f"whole engine, {measured}", whole, target=Target(AT_LEAST, 20))
    for name, figure in peers:
        yield Row(NAME, f"whole engine, {measured}", whole, name, figure, Target(TIMES, 20))


def _plain(events: Words, times: int) -> tuple[PlainBook, Figure]:
    rows = events.tolist()
    books: list[PlainBook] = []

    def fresh() -> None:
        books[:] = [PlainBook()]

    timing, _ = repeat(lambda: books[0].run(rows), times, fresh)
    return books[0], rate(timing, len(rows), "orders")


def book_alone(events: Words, expected: Trades, times: int) -> Figure:
    """Orders a second of levels, ids and matching, which must make the expected trades.

    In batches as the engine takes them, each with room for what rests and what the batch may add:
    the table of ids is then as long as in an engine, and not as a whole day's orders.
    """
    machine = compiled(run_book)
    trades = np.empty((len(events), _TRADE_WIDTH), dtype=np.int64)
    books: list[Columns] = []

    def fresh() -> None:
        books[:] = [new_columns(market())]

    def work() -> int:
        columns = books[0]
        count = 0
        for start in range(0, len(events), BATCH):
            batch = events[start : start + BATCH]
            columns.grow_orders(int(columns["globals"][Globals.orders]) + len(batch))
            root = root_of(columns)
            count += call(machine, "run_book", root, batch, len(batch), trades[count:])
        return count

    timing, count = repeat(work, times, fresh)
    agree("trades of the book", list(map(tuple, trades[:count].tolist())), expected)
    return rate(timing, len(events), "orders")


def whole_engine(orders: Orders, expected: Trades, times: int) -> Figure:
    """Orders a second of everything, which must make the expected trades and refuse no order."""
    parameters = market(orders_per_account=10_000)
    listed = parameters.assets[ASSET].market
    assert listed is not None
    rows = _commands(orders, listed)
    accounts = 2 * sum(_pairs(rows))
    start = endowed(parameters, accounts, {USDC: _USDC_ATOMS, ASSET: _TOKEN_ATOMS})
    engines: list[FastEngine] = []

    def fresh() -> None:
        engines[:] = [engine_over(copy_of(start))]

    timing, parts = repeat(lambda: apply_all(engines[0], rows), times, fresh)
    events = events_by_kind(parts, OrderAccepted, Filled)
    adds = int((orders.what == ADD).sum())
    agree("orders that the engine took", len(events.get(OrderAccepted, ())), adds)
    agree("trades of the engine", _trades_of(events[Filled], listed), expected)
    return rate(timing, len(rows), "orders")


def _commands(orders: Orders, listed: MarketParameters) -> Words:
    """The stream as commands; its ticks count from the market's price.

    Accounts come in pairs, one that bids and one that asks.
    """
    number = orders.order
    makers, takers = _pairs(number)
    pairs = np.where(orders.crossing, makers + number % takers, number % makers)
    adds = orders.what == ADD
    owner = np.zeros(number.max() + 1, dtype=np.int64)
    owner[number[adds]] = (FIRST + 2 * pairs + orders.side)[adds]
    rows = row_of(
        len(number),
        c.PlaceOrder,
        account=owner[number],
        asset=ASSET,
        side=orders.side,
        price=PRICES[ASSET] + orders.ticks * STEP * listed.tick,
        quantity=orders.lots * listed.lot,
    )
    rows[~adds] = row_of(
        int((~adds).sum()), c.CancelOrder, account=owner[number][~adds], order=number[~adds]
    )
    return rows


def _pairs(events: Words) -> tuple[int, int]:
    """How many pairs of accounts place orders that rest, and orders that cross."""
    return len(events) // 2 // _EVENTS_PER_MAKER, len(events) // 2 // _EVENTS_PER_TAKER


def _trades_of(table: Words, listed: MarketParameters) -> Trades:
    """What was filled, in ticks of the stream and lots."""
    names = ("taker_order", "maker_order", "price", "quantity")
    takers, makers, prices, quantities = (column(table, Filled, name) for name in names)
    ticks = (prices - PRICES[ASSET]) // (STEP * listed.tick)
    rows = np.stack((takers, makers, ticks, quantities // listed.lot), axis=1)
    return list(map(tuple, rows.tolist()))


def _cpp(events: Words, plain: PlainBook, times: int) -> Figure | None:
    """The C++ book: it keeps its trades to itself, so what rests at the end is compared."""
    module = peer("limit_order_book")
    if module is None:
        return None
    # Its prices have no sign.
    shift = 1 + max(0, -int(events[:, 3].min()))
    rows = (events + np.array([0, 0, 0, shift, 0])).tolist()
    books: list[Any] = []

    def fresh() -> None:
        books[:] = [module.LimitOrderBook()]

    def work() -> None:
        book = books[0]
        place = (book.limit_buy, book.limit_sell)
        has, cancel = book.has, book.cancel
        for what, order, side, price, lots in rows:
            if what == ADD:
                place[side](order, lots, price)
            elif has(order):
                cancel(order)

    timing, _ = repeat(work, times, fresh)
    depth = plain.depth()
    found = {price: books[0].volume(price + shift) for price in depth}
    agree("what rests in the C++ book", found, depth)
    agree("how many rest in the C++ book", books[0].count(), len(plain.orders))
    return rate(timing, len(rows), "orders")
