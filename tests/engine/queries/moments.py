"""Moments of the simulator's runs in both engines, and what queries must answer at each.

The engine under test is asked again and again while it runs, and must still make the same events as
the reference.
"""

import inspect
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.codec.events import encode_event
from solvent.domain.parameters import MAX_SUPPLY, USDC, EngineParameters
from solvent.engine import engine as engine_module
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import plain_store
from solvent.engine.memory.command_rows import Words, encode_batch
from solvent.engine.memory.rows import Globals
from solvent.engine.memory.store import Store
from solvent.engine.queries.queries import FastQueries
from solvent.kernels.shapes import column_of, column_types
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.market import random_parameters
from solvent.reference.engine import ReferenceEngine
from solvent.reference.state import State

COMMANDS = 500
EVERY = 50


class Seen(NamedTuple):
    """Both engines in the same state, and what the fast one is asked through."""

    reference: ReferenceEngine
    fast: FastEngine
    queries: FastQueries
    rng: Random

    @property
    def state(self) -> State:
        return self.reference.state

    @property
    def accounts(self) -> range:
        return range(len(self.state.accounts))

    @property
    def assets(self) -> range:
        return range(len(self.state.pools))


def moments(seed: int, *, plain: bool = False) -> Iterator[Seen]:
    """Moments of one run of the simulator; at each the events so far were the same."""
    rng = Random(seed)
    parameters, anchors = random_parameters(rng)
    reference = ReferenceEngine(parameters)
    fast = (PlainEngine if plain else FastEngine)(parameters)
    moves = Moves(rng, reference, anchors)
    asked = fast.queries
    for _ in range(COMMANDS // EVERY):
        batch: list[c.Command] = []
        expected = b""
        while len(batch) < EVERY:
            plan = moves.next()
            if plan is not None:
                batch.append(plan.command)
                expected += b"".join(map(encode_event, reference.apply_one(plan.command)))
        assert fast.apply_rows(encode_batch(batch))[0].tobytes() == expected
        yield Seen(reference, fast, asked, Random(f"{seed}, {len(expected)}"))


class PlainEngine(FastEngine):
    """An engine whose queries run as plain Python."""

    rows: dict[int, "memoryview[int]"]

    def __init__(self, parameters: EngineParameters) -> None:
        super().__init__(parameters)
        self.rows = {}

    def read(self, name: str, *arguments: int, **instead: Words) -> int:
        store = plain_store(self.columns)
        for column, numbers in instead.items():
            setattr(store, column, column_of(column_types(Store)[column], numbers.data))
        entries: tuple[Callable[..., object], ...] = engine_module._ENTRIES
        kernel = next(entry for entry in entries if entry.__name__ == name)
        kinds = [each.annotation for each in inspect.signature(kernel).parameters.values()][1:]
        given = [
            column_of(kind, self.rows[argument]) if argument in self.rows else argument
            for kind, argument in zip(kinds, arguments, strict=True)
        ]
        result = kernel(store, *given)
        assert self.columns["globals"][Globals.scratch_top] == 0
        return result if isinstance(result, int) else 0


def check_account(seen: Seen, account: int) -> None:
    ours, theirs = seen.queries, seen.reference.queries
    assert ours.role(account) is theirs.role(account)
    assert ours.settings(account) == theirs.settings(account)
    assert ours.health(account) == theirs.health(account)
    assert ours.fractions(account) == theirs.fractions(account)
    assert ours.balances(account) == theirs.balances(account)
    assert ours.committed_in_all() == theirs.committed_in_all()
    for asset in seen.assets:
        assert ours.committed(account, asset) == theirs.committed(account, asset)
    found = ours.orders_of(account)
    assert found == theirs.orders_of(account)
    assert [ours.order(order.order) for order in found] == found
    assert [theirs.order(order.order) for order in found] == found
    assert ours.collateral_values(account) == theirs.collateral_values(account)
    assert ours.debt_margins(account) == theirs.debt_margins(account)


def check_asset(seen: Seen, asset: int) -> None:
    ours, theirs = seen.queries, seen.reference.queries
    assert ours.pool(asset) == theirs.pool(asset)
    assert ours.price(asset) == theirs.price(asset)
    if asset != USDC:
        check_book(seen, asset)


def check_book(seen: Seen, asset: int) -> None:
    ours, theirs = seen.queries, seen.reference.queries
    whole = ours.depth(asset)
    assert whole == theirs.depth(asset)
    for levels in (-1, 0, 2):
        assert ours.depth(asset, levels) == theirs.depth(asset, levels)
    for side in c.Side:
        for price in (*(level.price for level in whole[side]), 1, 2**60):
            quantity = ours.level(asset, side, price)
            assert quantity == theirs.level(asset, side, price)
            assert quantity == sum(each.quantity for each in whole[side] if each.price == price)


def check_futures(seen: Seen, account: int, asset: int) -> bool:
    """Compare what could happen to an account; say whether anything could."""
    ours, theirs = seen.queries, seen.reference.queries
    prices = ours.liquidation_prices(account, asset)
    assert prices == theirs.liquidation_prices(account, asset)
    assert ours.liquidation_price(account, asset) == theirs.liquidation_price(account, asset)
    debt = ours.balances(account)[asset].debt
    for quantity in (0, 1, debt // 3, 2 * debt, MAX_SUPPLY):
        forecast = ours.forecast(account, asset, quantity)
        assert forecast == theirs.forecast(account, asset, quantity)
    worst = ours.forecast(account, asset)
    assert worst == theirs.forecast(account, asset)
    return prices != (None, None) or worst is not None


def check_previews(seen: Seen, account: int, asset: int) -> None:
    ours, theirs = seen.queries, seen.reference.queries
    for kind in (c.Lend, c.Redeem, c.Borrow, c.Repay):
        command = kind(account, asset, 0)
        assert ours.bound(command) == theirs.bound(command)
    for redeem, borrow in FLAGS:
        withdrawal = c.Withdraw(account, asset, 0, redeem, borrow)
        assert ours.bound(withdrawal) == theirs.bound(withdrawal)
    for _ in range(3):
        check_order_preview(seen, some_order(seen, account, asset))


def check_order_preview(seen: Seen, command: c.PlaceOrder) -> None:
    ours, theirs = seen.queries, seen.reference.queries
    largest = ours.max_order_like(command)
    assert largest == theirs.max_order_like(command)
    for asked in (ours, theirs):
        again = asked.max_order(
            command.account,
            command.asset,
            command.side,
            command.price,
            time_in_force=command.time_in_force,
            post_only=command.post_only,
            reduce_only=command.reduce_only,
            auto_borrow=command.auto_borrow,
            auto_borrow_repay=command.auto_borrow_repay,
            auto_lend_redeem=command.auto_lend_redeem,
        )
        assert again == largest
    if command.asset != USDC:
        assert ours.bound(command) == theirs.bound(command)


FLAGS = [(redeem, borrow) for redeem in (False, True) for borrow in (False, True)]


def some_order(seen: Seen, account: int, asset: int) -> c.PlaceOrder:
    """An order near the mark, with any flags."""
    rng, market = seen.rng, seen.state.asset(asset).market
    tick = market.tick if market is not None else 1
    mark = seen.state.mark(asset)
    price = rng.choice((0, mark, mark * 99 // 100, mark * 101 // 100)) // tick * tick
    return c.PlaceOrder(
        account,
        asset,
        rng.choice(list(c.Side)),
        c.OrderType.LIMIT if price else c.OrderType.MARKET,
        rng.choice(list(c.TimeInForce)),
        price,
        post_only=rng.random() < 0.1,
        reduce_only=rng.random() < 0.2,
        auto_borrow=rng.random() < 0.6,
        auto_borrow_repay=rng.random() < 0.5,
        auto_lend_redeem=rng.random() < 0.6,
    )
