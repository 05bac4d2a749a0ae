"""Queries of the fast engine: as the reference's on the simulator's states, and as what happens.

Kernels are also run as plain Python, where every index is checked.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.parameters import USDC
from solvent.domain.units import PRICE_SCALE, RATIO
from solvent.engine.engine import FastEngine
from solvent.engine.memory.command_rows import Words, encode_batch
from solvent.engine.memory.rows import Price
from solvent.engine.queries import previews as query_previews
from solvent.engine.queries import queries as queries_module
from solvent.engine.queries.queries import join
from solvent.kernels.rows import EngineFault
from tests.engine.queries.moments import (
    FLAGS,
    PlainEngine,
    Seen,
    check_account,
    check_asset,
    check_futures,
    check_previews,
    moments,
    some_order,
)
from tests.engine.queries.test_query_bounds import check_bounds
from tests.proof import proves
from tests.tables.market import plain_parameters
from tests.tables.story import run_story
from tests.tables.test_query_stories import WHALE


@pytest.fixture
def rows_by_address(monkeypatch: pytest.MonkeyPatch) -> dict[int, "memoryview[int]"]:
    """The rows that queries bring, by the address that a kernel is given."""
    rows: dict[int, memoryview[int]] = {}
    new_row = queries_module._row

    def row(count: int) -> Words:
        made = new_row(count)
        rows[made.ctypes.data] = made.data
        return made

    def batch(commands: list[c.Command]) -> Words:
        made = encode_batch(commands)
        rows[made.ctypes.data] = made.reshape(-1).data
        return made

    monkeypatch.setattr(queries_module, "_row", row)
    monkeypatch.setattr(queries_module, "encode_batch", batch)
    monkeypatch.setattr(query_previews, "encode_batch", batch)
    return rows


@pytest.mark.slow
@proves("A14", "I37")
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5, 6])
def test_everything_is_as_in_the_reference_and_asking_changes_nothing(seed: int) -> None:
    futures = 0
    for seen in moments(seed):
        before = seen.fast.state_hash()
        assert seen.queries.accounts() == len(seen.accounts)
        assert seen.queries.liquidating() == sorted(seen.state.liquidating)
        for asset in seen.assets:
            check_asset(seen, asset)
        for account in seen.accounts:
            check_account(seen, account)
        for account in seen.rng.sample(seen.accounts, 3):
            for asset in seen.assets:
                futures += check_futures(seen, account, asset)
                check_previews(seen, account, asset)
        assert seen.fast.state_hash() == before == seen.reference.state_hash()
    assert futures


def test_kernels_as_plain_python(rows_by_address: dict[int, "memoryview[int]"]) -> None:
    for seen in moments(9, plain=True):
        assert isinstance(seen.fast, PlainEngine)
        seen.fast.rows = rows_by_address
        for asset in seen.assets:
            check_asset(seen, asset)
        for account in seen.rng.sample(seen.accounts, 2):
            check_account(seen, account)
            asset = seen.rng.choice(seen.assets)
            check_futures(seen, account, asset)
            check_previews(seen, account, asset)
            check_bounds(seen, account, asset)


# What then happens.


@proves("I37")
@pytest.mark.parametrize("seed", range(20, 24))
def test_the_largest_amount_passes_and_one_more_does_not(seed: int) -> None:
    passed = 0
    for seen in moments(seed):
        copy = FastEngine.restore(seen.fast.snapshot())
        for account in seen.rng.sample(seen.accounts, 3):
            for asset in seen.assets:
                for command, step in largest_commands(seen, account, asset):
                    passed += check_boundary(seen, copy, command, step)
        assert copy.snapshot() == seen.fast.snapshot()
    assert passed > 30


Amount = c.Lend | c.Redeem | c.Borrow | c.Withdraw | c.PlaceOrder


def largest_commands(seen: Seen, account: int, asset: int) -> Iterator[tuple[Amount, int]]:
    """Commands for the largest amounts, and by how much more they must fail."""
    asked = seen.queries
    yield c.Lend(account, asset, asked.max_lend(account, asset)), 1
    yield c.Redeem(account, asset, asked.max_redeem(account, asset)), 1
    yield c.Borrow(account, asset, asked.max_borrow(account, asset)), 1
    for redeem, borrow in FLAGS:
        largest = asked.max_withdraw(account, asset, auto_lend_redeem=redeem, auto_borrow=borrow)
        yield c.Withdraw(account, asset, largest, redeem, borrow), 1
    market = seen.state.asset(asset).market
    if market is not None:
        order = some_order(seen, account, asset)
        order = replace(order, quantity=asked.max_order_like(order))
        # A market order may ask for more than there is.
        limit = order.order_type is c.OrderType.LIMIT
        least = market.lot if order.quantity else -(-market.min_quantity // market.lot) * market.lot
        yield order, least if limit else 0


def check_boundary(seen: Seen, copy: FastEngine, command: Amount, step: int) -> bool:
    if command.quantity:
        done = FastEngine.restore(seen.fast.snapshot()).apply_one(command)
        assert not isinstance(done[0], Refused), (command, done)
    if step:
        more = copy.apply_one(replace(command, quantity=command.quantity + step))
        assert isinstance(more[0], Refused), (command, more)
    return command.quantity > 0


@proves("I37")
def test_a_repayment_is_as_foreseen() -> None:
    """Of a debt of 2 SOL: with a balance of one, then of five, then when nothing is owed."""
    engine = FastEngine(plain_parameters())
    asked = engine.queries
    sol = 2
    engine.apply(
        [
            c.UpdatePrice(sol, 0, 200 * PRICE_SCALE, 200 * PRICE_SCALE, 200 * PRICE_SCALE),
            c.OpenAccount(2),
            c.OpenAccount(3),
            c.Deposit(2, sol, 10 * 10**9),
            c.Lend(2, sol, 10 * 10**9),
            c.Deposit(3, USDC, 10_000 * 10**6),
            c.Borrow(3, sol, 2 * 10**9),
            c.Withdraw(3, sol, 10**9),
        ]
    )
    assert asked.max_repay(3, sol) == 10**9
    engine.apply_one(c.Deposit(3, sol, 4 * 10**9))
    assert asked.max_repay(3, sol) == 2 * 10**9
    engine.apply_one(c.Repay(3, sol, asked.max_repay(3, sol)))
    assert asked.max_repay(3, sol) == asked.balances(3)[sol].debt == 0


@proves("A14")
def test_a_liquidation_price_liquidates_and_its_neighbour_does_not() -> None:
    tried = 0
    for seen in moments(30):
        for account in seen.accounts:
            for asset in seen.assets[1:]:
                mark = seen.state.mark(asset)
                prices = seen.queries.liquidation_prices(account, asset)
                if account in seen.state.liquidating or mark in prices:
                    continue
                for price, healthier in zip(prices, (1, -1), strict=True):
                    if price is not None:
                        tried += 1
                        assert liquidatable_at(seen, account, asset, price)
                        assert not liquidatable_at(seen, account, asset, price + healthier)
    assert tried > 10


def liquidatable_at(seen: Seen, account: int, asset: int, mark: int) -> bool:
    """Whether another mark makes an account liquidating, on a copy."""
    copy = FastEngine.restore(seen.fast.snapshot())
    copy.columns.table("prices", Price.WIDTH)[asset, Price.mark] = mark
    # Whatever is said of a price makes the engine look for liquidatable accounts.
    copy.apply_one(c.HaltPrice(asset, halted=seen.state.prices[asset].halted))
    return copy.queries.settings(account).liquidating


# What is not asked for like this.


def test_what_there_is_not_is_an_error() -> None:
    asked = FastEngine(plain_parameters()).queries
    for account in (-1, 2):
        with pytest.raises(LookupError, match="account"):
            asked.balances(account)
        with pytest.raises(LookupError, match="account"):
            asked.max_borrow(account, USDC)
    for asset in (-1, 3):
        with pytest.raises(LookupError, match="asset"):
            asked.pool(asset)
        with pytest.raises(LookupError, match="asset"):
            asked.max_borrow(0, asset)
    with pytest.raises(LookupError, match="market"):
        asked.depth(USDC)
    assert [asked.order(order) for order in (-1, 0, 1)] == [None, None, None]
    assert asked.max_borrow(0, USDC) == asked.max_order(0, USDC, c.Side.BID) == 0
    assert asked.depth(1) == ([], [])


def test_a_query_that_stops_leaves_the_engine_as_it_was() -> None:
    story = run_story("""
        deposit lender SOL  100
        lend    lender SOL  100
        deposit short  USDC 3,000
        borrow  short  SOL  12
    """)
    engine = FastEngine.restore(story.engine.snapshot())
    asked, account = engine.queries, story.names.account("short")
    before = engine.state_hash()
    with pytest.raises(EngineFault):
        asked.forecast(account, 2, -1)
    assert engine.state_hash() == before
    assert asked.forecast(account, 2, 10**9) == story.engine.queries.forecast(account, 2, 10**9)
    assert not isinstance(engine.apply_one(c.Repay(account, 2, 10**9))[0], Refused)


def test_imagined_prices_end_where_columns_do() -> None:
    story = run_story(WHALE)
    asked = FastEngine.restore(story.engine.snapshot()).queries
    whale = story.names.account("whale")
    for asset in range(3):
        assert asked.liquidation_prices(whale, asset) == story.engine.queries.liquidation_prices(
            whale, asset
        )
    assert asked.liquidation_price(whale, 2) is None


def test_halves_make_a_whole() -> None:
    assert join(0, 5) == 5
    assert join(-1, 2**62 - 1) == -1
    assert join(2**40, 7) == 2**102 + 7


def test_engines_grow_while_they_are_asked() -> None:
    """A query finds the columns of today, not those it found when it was asked before."""
    engine = FastEngine(plain_parameters())
    asked = engine.queries
    assert asked.pool(2).lent == 0
    people = range(2, 400)
    engine.apply([c.UpdatePrice(2, 0, 200 * PRICE_SCALE, 200 * PRICE_SCALE, 200 * PRICE_SCALE)])
    for account in people:
        engine.apply(
            [
                c.OpenAccount(account),
                c.Deposit(account, 2, account * 10**9),
                c.Lend(account, 2, 10**9),
                c.PlaceOrder(
                    account,
                    2,
                    c.Side.ASK,
                    c.OrderType.LIMIT,
                    price=(200 * PRICE_SCALE) + account * PRICE_SCALE // 100,
                    quantity=10**9,
                ),
            ]
        )
        assert asked.balances(account)[2] == (account * 10**9 - 2 * 10**9, 10**9, 10**9, 0, 0)
        assert len(asked.orders_of(account)) == 1
    assert len(asked.depth(2).asks) == len(people)
    assert asked.pool(2).lent == len(people) * 10**9
    assert asked.health(2).assets_value == 2 * 200 * 10**6
    assert asked.fractions(2).leverage == 0
    assert asked.collateral_values(2)[2].weighted == 2 * 200 * 10**6 * 9 // 10
    assert asked.debt_margins(2)[2] == (0, RATIO * 4 // 100, RATIO * 2 // 100)
