"""Books: the levels of every market and the orders behind them, followed through events.

A level is a price and the base atoms that rest there. A book's `update_id` is the number of
commands carried out when it last changed, so that ids rise over restarts too; a message about a
book covers the ids from the one after the message before it up to its own (U = previous u + 1).

Invariant: after each command the levels are those of the engine's book. Absent: who may place what,
and in which order makers trade; the engine said so already.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple

from solvent.domain.commands import Side
from solvent.domain.events import Event
from solvent.history.followers.orders import Order, changed

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
    """One market's levels, with the prices of each side in their order."""

    def __init__(self, update_id: int = 0) -> None:
        self.update_id = update_id
        self.time = 0
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self._prices: dict[Side, list[int]] = {Side.BID: [], Side.ASK: []}

    def side(self, side: Side) -> dict[int, int]:
        """Quantity by price of one side."""
        return self.bids if side is Side.BID else self.asks

    def fill(self, side: Side, resting: Iterable[tuple[int, int]]) -> None:
        """Let all of these rest in an empty side: prices, which may come again, and quantities."""
        levels = self.side(side)
        for price, quantity in resting:
            levels[price] = levels.get(price, 0) + quantity
        self._prices[side] = sorted(levels)

    def add(self, side: Side, price: int, quantity: int) -> None:
        """Let `quantity` more rest at a price, or less when it is negative."""
        levels, prices = self.side(side), self._prices[side]
        before = levels.get(price, 0)
        rest = before + quantity
        assert rest >= 0, f"level {price} would hold {rest}"
        if rest:
            levels[price] = rest
            if not before:
                insort(prices, price)
        else:
            del levels[price]
            del prices[bisect_left(prices, price)]

    def best_bid(self) -> Level | None:
        """The highest bid."""
        prices = self._prices[Side.BID]
        return (prices[-1], self.bids[prices[-1]]) if prices else None

    def best_ask(self) -> Level | None:
        """The lowest ask."""
        prices = self._prices[Side.ASK]
        return (prices[0], self.asks[prices[0]]) if prices else None

    def depth(self, levels: int) -> tuple[list[Level], list[Level]]:
        """The best `levels` of bids and of asks, both by rising price."""
        bids = [(price, self.bids[price]) for price in self._prices[Side.BID][-levels:]]
        asks = [(price, self.asks[price]) for price in self._prices[Side.ASK][:levels]]
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


class Books:
    """All books, and all orders that have not ended."""

    def __init__(self, markets: Iterable[int]) -> None:
        self.by_asset = {asset: Book() for asset in markets}
        self._orders: dict[int, Order] = {}
        self._changed: dict[int, set[tuple[Side, int]]] = {}

    def restore(self, orders: Iterable[Order], commands: int) -> None:
        """Begin with these orders, which have not ended, after so many commands."""
        self._orders.clear()
        for asset in self.by_asset:
            self.by_asset[asset] = Book(commands)
        self._orders.update((order.order, order) for order in orders)
        for asset, book in self.by_asset.items():
            own = [each for each in self._orders.values() if each.asset == asset and each.rests]
            for side in Side:
                book.fill(side, ((o.price, _resting(o)) for o in own if o.side is side))

    def follow(self, event: Event, time: int) -> tuple[Order, ...]:
        """Let an event change orders and levels; the orders as they are after it."""
        orders = changed(event, time, self._orders.__getitem__)
        for order in orders:
            before = self._orders.get(order.order)
            come = _resting(order) - (_resting(before) if before is not None else 0)
            if come:
                self.by_asset[order.asset].add(order.side, order.price, come)
                self._changed.setdefault(order.asset, set()).add((order.side, order.price))
            if order.has_ended:
                del self._orders[order.order]
            else:
                self._orders[order.order] = order
        return orders

    def finish(self, commands: int, time: int) -> dict[int, set[tuple[Side, int]]]:
        """Close a command and return the levels that it changed, by asset.

        Books that changed get `commands` as their update id.
        """
        changed_levels, self._changed = self._changed, {}
        for asset in changed_levels:
            self.by_asset[asset].update_id = commands
            self.by_asset[asset].time = time
        return changed_levels


def _resting(order: Order) -> int:
    """Atoms of an order that are in its book."""
    return order.quantity - order.executed if order.rests else 0
