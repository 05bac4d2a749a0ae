"""Books: the levels of every market and the orders behind them, followed through events.

A level is a price and the base atoms that rest there. A book's `update_id` is the number of
commands carried out when it last changed, so that ids rise over restarts too; a message about a
book covers the ids from the one after the message before it up to its own (U = previous u + 1).

Invariant: after each command the levels are those of the engine's book. Absent: who may place what,
and in which order makers trade; the engine said so already.
"""

from collections.abc import Iterable
from typing import NamedTuple

from solvent.domain.commands import Side
from solvent.service.core.open_orders import OpenOrder

Level = tuple[int, int]
"""Price (10^-10 USDC) and base atoms."""


class BookChange(NamedTuple):
    """What became of a book: absolute quantities by price, 0 where nothing rests any more.

    `first` and `last` are the update ids covered, `time` (microseconds UTC) the last change's.
    """

    first: int
    last: int
    bids: list[Level]
    asks: list[Level]
    time: int


class Book:
    """One market's levels."""

    def __init__(self, update_id: int = 0) -> None:
        self.update_id = update_id
        self.time = 0
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    def side(self, side: Side) -> dict[int, int]:
        """Quantity by price of one side."""
        return self.bids if side is Side.BID else self.asks

    def add(self, side: Side, price: int, quantity: int) -> None:
        """Let `quantity` more rest at a price, or less when it is negative."""
        levels = self.side(side)
        rest = levels.get(price, 0) + quantity
        assert rest >= 0, f"level {price} would hold {rest}"
        if rest:
            levels[price] = rest
        else:
            del levels[price]

    def best_bid(self) -> Level | None:
        """The highest bid."""
        return max(self.bids.items(), default=None)

    def best_ask(self) -> Level | None:
        """The lowest ask."""
        return min(self.asks.items(), default=None)

    def depth(self, levels: int) -> tuple[list[Level], list[Level]]:
        """The best `levels` of bids and of asks, both by rising price."""
        asks = sorted(self.asks.items())[:levels]
        bids = sorted(self.bids.items())[-levels:]
        return bids, asks


class Watcher:
    """Gathers what changes in one book until it is taken, for one stream.

    Prices are gathered and quantities read when they are taken, so that however often a level
    changed it is told once. While nobody listens nothing is kept: see `skip`.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._prices: set[tuple[Side, int]] = set()
        self._told = book.update_id

    @property
    def has_news(self) -> bool:
        """Whether the book changed since it was last taken."""
        return self._told != self._book.update_id

    def note(self, changed: Iterable[tuple[Side, int]]) -> None:
        """Remember that these levels changed."""
        self._prices.update(changed)

    def skip(self) -> None:
        """Forget what gathered: nobody is there to be told."""
        self._prices.clear()
        self._told = self._book.update_id

    def take(self) -> BookChange:
        """All that changed since the last time."""
        sides: dict[Side, list[Level]] = {Side.BID: [], Side.ASK: []}
        for side, price in sorted(self._prices):
            sides[side].append((price, self._book.side(side).get(price, 0)))
        first = self._told + 1
        self.skip()
        return BookChange(first, self._told, sides[Side.BID], sides[Side.ASK], self._book.time)


class Finish(NamedTuple):
    """What a command left: orders that entered and traded all they could, and changed levels."""

    traded: list[int]
    changed: dict[int, set[tuple[Side, int]]]


class Books:
    """All books and all orders that are not at their end."""

    def __init__(self, markets: Iterable[int]) -> None:
        self.by_asset = {asset: Book() for asset in markets}
        self.orders: dict[int, OpenOrder] = {}
        self._changed: dict[int, set[tuple[Side, int]]] = {}
        self._resting: set[int] = set()
        self._entered: list[int] = []

    def restore(self, orders: Iterable[OpenOrder], commands: int) -> None:
        """Begin with these orders resting, after so many commands."""
        self.orders.clear()
        self._resting.clear()
        for asset in self.by_asset:
            self.by_asset[asset] = Book(commands)
        for order in orders:
            self.orders[order.order] = order
            self._resting.add(order.order)
            remaining = order.quantity - order.executed
            self.by_asset[order.asset].add(order.side, order.price, remaining)

    def enter(self, order: OpenOrder) -> None:
        """An order was accepted; it is in no book before it rests."""
        self.orders[order.order] = order
        self._entered.append(order.order)

    def rest(self, number: int, quantity: int) -> None:
        """What is left of an order rests."""
        self._resting.add(number)
        self._change(self.orders[number], quantity)

    def fill(self, number: int, quantity: int, quote: int) -> OpenOrder:
        """An order traded; return it as it is then. A maker that is filled is at its end."""
        order = self.orders[number].filled(quantity, quote)
        self.orders[number] = order
        if number in self._resting:
            self._change(order, -quantity)
            if order.executed == order.quantity:
                self._drop(number)
        return order

    def end(self, number: int) -> OpenOrder:
        """An order was cancelled or expired; return it as it was."""
        order = self.orders[number]
        if number in self._resting:
            self._change(order, order.executed - order.quantity)
        self._drop(number)
        return order

    def finish(self, commands: int, time: int) -> Finish:
        """Close a command; books that changed get `commands` as their update id."""
        traded = [
            number
            for number in self._entered
            if number in self.orders and number not in self._resting
        ]
        for number in traded:
            self._drop(number)
        self._entered.clear()
        changed, self._changed = self._changed, {}
        for asset in changed:
            self.by_asset[asset].update_id = commands
            self.by_asset[asset].time = time
        return Finish(traded, changed)

    def _change(self, order: OpenOrder, quantity: int) -> None:
        self.by_asset[order.asset].add(order.side, order.price, quantity)
        self._changed.setdefault(order.asset, set()).add((order.side, order.price))

    def _drop(self, number: int) -> None:
        del self.orders[number]
        self._resting.discard(number)
