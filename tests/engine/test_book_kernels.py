"""The book on arrays, as plain Python, against plain lists; and what is asked of it, as the
reference answers.
"""

from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.domain.codec.snapshots import SnapshotError
from solvent.domain.commands import Side
from solvent.domain.events import OrderCancelled, OrderExpired
from solvent.domain.labels import ExpiryReason
from solvent.domain.parameters import USDC
from solvent.domain.units import INT64_MAX
from solvent.engine.ledger import account_row, commitment, position
from solvent.engine.memory.columns import (
    FIRST_ORDERS,
    new_columns,
    plain_store,
)
from solvent.engine.memory.layout import INDEX_FACTOR, NONE
from solvent.engine.memory.rows import ORDER_ROW, Account, Globals, Order, Position
from solvent.engine.memory.snapshot import read_snapshot, write_snapshot
from solvent.engine.memory.store import Store
from solvent.engine.orderbook import book, levels
from solvent.kernels.language import clear, numbers_of
from solvent.kernels.rows import EngineFault
from tests.engine.stepwise import shown
from tests.tables.market import plain_parameters

ACCOUNTS = 5
ASSETS = 3
MARKETS = (1, 2)
LOCKED = 1000
"""Atoms that every account has locked in every asset beyond what its orders lock."""


class Resting(NamedTuple):
    """An order as the plain lists have it."""

    order: int
    account: int
    asset: int
    side: Side
    price: int
    quantity: int = 10
    locked: int = 0
    unfunded: int = 0

    @property
    def paid(self) -> int:
        return USDC if self.side is Side.BID else self.asset


class Books:
    """Arrays and, beside them, what they must say: orders by id, in the order they came."""

    def __init__(self) -> None:
        self.columns = new_columns(plain_parameters())
        self.columns.grow_accounts(ACCOUNTS)
        self.columns["globals"][Globals.accounts] = ACCOUNTS
        self.columns.table("accounts", Account.WIDTH)[:ACCOUNTS, Account.first_order] = NONE
        self.columns.table("accounts", Account.WIDTH)[:ACCOUNTS, Account.last_order] = NONE
        self.columns.table("positions", Position.WIDTH)[:, Position.locked] = LOCKED
        self.orders: dict[int, Resting] = {}
        self.gone: set[int] = set()
        self.store = plain_store(self.columns)

    def make_room(self, more: int = 1) -> None:
        """What the engine does before a batch of so many placements."""
        self.columns.grow_orders(len(self.orders) + more)
        events = self.store.events
        self.store = plain_store(self.columns)
        self.store.events = events

    def rest(self, order: Resting) -> None:
        """Let an order rest; its funds are locked before."""
        slot = levels.take_slot(self.store)
        row = levels.order_row(self.store, slot)
        clear(row)
        row.order = order.order
        row.account = order.account
        row.asset = order.asset
        row.side = order.side
        row.price = order.price
        row.quantity = order.quantity
        row.locked = order.locked
        row.unfunded = order.unfunded
        row.place = order.order
        row.line = order.side
        position(self.store, order.account, order.paid).locked += order.locked
        book.insert(self.store, slot)
        self.orders[order.order] = order
        self.gone.discard(order.order)

    def cancel(self, order: int) -> None:
        """Cancel an order by its id."""
        book.cancel(self.store, book.find(self.store, order))
        del self.orders[order]
        self.gone.add(order)

    def expire_all(self, account: int) -> None:
        """Let all orders of an account expire."""
        book.expire_all(self.store, account, ExpiryReason.LIQUIDATION)
        self.gone |= {o.order for o in self.orders.values() if o.account == account}
        self.orders = {n: o for n, o in self.orders.items() if o.account != account}

    def side(self, asset: int, side: Side) -> list[int]:
        """Ids on one side in priority order, by plain sorting; ages are places in the dict."""
        found = [o for o in self.orders.values() if (o.asset, o.side) == (asset, side)]
        sign = -1 if side is Side.BID else 1
        return [o.order for o in sorted(found, key=lambda o: sign * o.price)]

    def check(self) -> None:
        """Everything that can be asked of the arrays is as in the lists."""
        for asset in MARKETS:
            for side in Side:
                self._check_side(asset, side)
        for account in range(ACCOUNTS):
            self._check_account(account)
        for order in self.orders:
            slot = book.find(self.store, order)
            assert levels.order_row(self.store, slot).order == order
        assert all(book.find(self.store, order) == NONE for order in (0, -1, *self.gone))
        numbers = self.store.globals
        assert numbers.orders == len(self.orders)
        assert len(self.orders) + free_slots(self.store) == numbers.order_slots

    def _check_side(self, asset: int, side: Side) -> None:
        expected = self.side(asset, side)
        assert side_ids(self.store, asset, side) == expected
        best = self.orders[expected[0]].price if expected else NONE
        assert book.best_price(self.store, asset, side) == best
        prices = {self.orders[order].price for order in expected}
        assert levels.book_row(self.store, asset, side).level_count == len(prices)

    def _check_account(self, account: int) -> None:
        store, holder = self.store, account_row(self.store, account)
        own = [o for o in self.orders.values() if o.account == account]
        ids = [o.order for o in own]
        assert linked(store, holder.first_order, Order.account_next) == ids
        assert linked(store, holder.last_order, Order.account_previous) == ids[::-1]
        assert holder.order_count == len(ids)
        for asset in range(ASSETS):
            row = position(store, account, asset)
            paying = [o for o in own if o.paid == asset]
            assert row.locked == LOCKED + sum(o.locked for o in paying)
            unfunded = commitment(store, account, asset).unfunded
            assert unfunded == sum(o.unfunded for o in paying)
            assert bool(holder.unfundeds & 1 << asset) == (unfunded > 0)


def linked(store: Store, slot: int, following: int) -> list[int]:
    """Ids of a list of orders from `slot` on."""
    ids = []
    while slot != NONE:
        row = levels.order_row(store, slot)
        ids.append(row.order)
        assert len(ids) <= store.globals.order_slots
        slot = numbers_of(row)[following]
    return ids


def side_ids(store: Store, asset: int, side: Side) -> list[int]:
    """Ids of one side as kernels meet them."""
    ids = []
    slot = levels.best_slot(store, asset, side)
    while slot != NONE:
        ids.append(levels.order_row(store, slot).order)
        assert len(ids) <= store.globals.order_slots
        slot = levels.next_slot(store, slot)
    return ids


def free_slots(store: Store) -> int:
    """How long the list of free slots is."""
    found = 0
    slot = store.globals.free_order
    while slot != NONE:
        assert levels.order_row(store, slot).order == 0
        slot = levels.order_row(store, slot).next
        found += 1
    return found


def random_order(rng: Random, order: int, prices: int) -> Resting:
    """An order somewhere, one in three on credit."""
    return Resting(
        order,
        account=rng.randrange(ACCOUNTS),
        asset=rng.choice(MARKETS),
        side=rng.choice(tuple(Side)),
        price=rng.randint(1, prices),
        quantity=rng.randint(1, 100),
        locked=rng.randint(0, 50),
        unfunded=rng.choice((0, 0, rng.randint(1, 50))),
    )


STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2**20)), max_size=60)


@given(steps=STEPS, prices=st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_any_operations_leave_the_book_as_plain_lists_have_it(
    steps: list[tuple[int, int]], prices: int
) -> None:
    books = Books()
    for number, (kind, seed) in enumerate(steps, 1):
        rng = Random(seed)
        if kind == 0:
            books.expire_all(rng.randrange(ACCOUNTS))
        elif kind < 4 and books.orders:
            books.cancel(rng.choice(list(books.orders)))
        else:
            books.make_room()
            books.rest(random_order(rng, number, prices))
        books.check()


@pytest.mark.parametrize("prices", [3, 1000])
def test_a_long_run_grows_reuses_slots_and_comes_back_from_its_snapshot(prices: int) -> None:
    rng = Random(prices)
    books = Books()
    number = peak = 0
    for target in (150, 20, 400, 0, 60):
        while len(books.orders) != target:
            if len(books.orders) < target:
                number += rng.choice((1, 1, 1, 40))
                books.make_room()
                books.rest(random_order(rng, number, prices))
                peak = max(peak, len(books.orders))
            else:
                books.cancel(rng.choice(list(books.orders)))
        books.check()
        assert books.store.globals.order_slots <= peak
        data = write_snapshot(books.columns)
        books.columns = read_snapshot(data)
        books.store = plain_store(books.columns)
        books.check()
        assert write_snapshot(books.columns) == data


def test_slots_are_used_again_before_new_ones() -> None:
    books = Books()
    for order in range(1, 4):
        books.rest(Resting(order, 2, 1, Side.BID, 100))
    books.cancel(2)
    books.rest(Resting(4, 2, 1, Side.BID, 100))
    assert books.store.globals.order_slots == 3
    books.check()


def test_extreme_prices_keep_their_order() -> None:
    books = Books()
    prices = (INT64_MAX, 1, INT64_MAX - 1, 2, INT64_MAX, 1)
    for order, price in enumerate(prices, 1):
        for side in Side:
            books.rest(Resting(2 * order + side, 2, 1, side, price))
    books.check()
    assert book.best_price(books.store, 1, Side.BID) == INT64_MAX
    assert book.best_price(books.store, 1, Side.ASK) == 1


def test_without_a_free_slot_the_engine_stops() -> None:
    books = Books()
    for order in range(1, FIRST_ORDERS + 1):
        books.rest(Resting(order, 2, 1, Side.BID, 100))
    with pytest.raises(EngineFault):
        levels.take_slot(books.store)
    books.make_room()
    books.rest(Resting(FIRST_ORDERS + 1, 2, 1, Side.BID, 100))
    books.check()


def test_without_room_for_a_level_the_engine_stops() -> None:
    books = Books()
    for order in range(1, FIRST_ORDERS + 1):
        books.rest(Resting(order, 2, 1, Side.BID, 100))
    books.make_room(2)
    books.expire_all(2)
    for order in range(1, FIRST_ORDERS + 1):
        books.rest(Resting(order, 2, 1, Side.BID, order))
    with pytest.raises(EngineFault):
        books.rest(Resting(FIRST_ORDERS + 1, 2, 1, Side.BID, FIRST_ORDERS + 1))


def test_room_is_made_for_every_placement_of_a_batch_on_one_side() -> None:
    books = Books()
    for order in range(1, FIRST_ORDERS + 1):
        books.rest(Resting(order, 2, 1, Side.BID, order))
    books.make_room(3 * FIRST_ORDERS)
    for order in range(FIRST_ORDERS + 1, 4 * FIRST_ORDERS + 1):
        books.rest(Resting(order, 2, 1, Side.BID, order))
    books.check()


def test_ids_that_want_one_place_of_the_table_are_found_after_any_removals() -> None:
    rng = Random(11)
    size = int(new_columns(plain_parameters())["globals"][Globals.order_index_size])
    for wanted in (0, size // 2, size - 1):
        near = [order for order in range(1, 40 * size) if (home(order, size) - wanted) % size < 3]
        for _ in range(20):
            books = Books()
            chosen = rng.sample(near, 30)
            for order in chosen:
                books.rest(Resting(order, 2, 1, Side.ASK, 5))
            for order in rng.sample(chosen, 20):
                books.cancel(order)
                books.check()
            books.columns.index_orders()
            books.make_room()
            books.check()


def home(order: int, size: int) -> int:
    """Where a table of `size` places has an id if no other is in the way."""
    block, place = divmod(order, 4)
    return block * INDEX_FACTOR % 2**64 * (size // 4) // 2**64 * 4 + place


def test_expiry_tells_of_the_oldest_first_and_frees_everything() -> None:
    books = Books()
    for order, account in ((1, 2), (2, 3), (3, 2), (4, 2)):
        books.rest(Resting(order, account, 1, Side.ASK, 10 - order, locked=5, unfunded=7))
    books.cancel(3)
    books.expire_all(2)
    books.check()
    assert shown(books.store.events.tobytes()) == [
        OrderCancelled(3, 2, 10),
        OrderExpired(1, 2, 10, ExpiryReason.LIQUIDATION, 0),
        OrderExpired(4, 2, 10, ExpiryReason.LIQUIDATION, 0),
    ]
    assert position(books.store, 2, 1).available == 15


def test_a_snapshot_with_an_order_of_nobody_is_refused() -> None:
    books = Books()
    books.rest(Resting(7, 2, 1, Side.BID, 100))
    data = write_snapshot(books.columns)
    start = len(data) - 8 * (ORDER_ROW + 2)  # behind it: no notices, and nothing waits
    for number, value in (
        (Order.account, ACCOUNTS),
        (Order.account, -1),
        (Order.asset, ASSETS),
        (Order.asset, -1),
        (Order.side, 2),
        (Order.side, -1),
    ):
        place = start + 8 * number
        word = value.to_bytes(8, "little", signed=True)
        with pytest.raises(SnapshotError):
            read_snapshot(data[:place] + word + data[place + 8 :])
