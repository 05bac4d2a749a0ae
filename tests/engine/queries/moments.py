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
from solvent.domain.readings import (
    AccountFractions,
    AccountHealth,
    AccountSettings,
    Balance,
    CollateralValue,
    DebtMargin,
    Level,
    OrderReading,
    PriceReading,
)
from solvent.domain.units import FINE_PER_VALUE, divide_up, fine_down, fine_up
from solvent.engine import engine as engine_module
from solvent.engine.engine import FastEngine, encode_batch
from solvent.engine.memory.columns import plain_store
from solvent.engine.memory.layout import SCRATCH_TOP
from solvent.engine.queries import queries as queries_module
from solvent.engine.queries.queries import Queries
from solvent.kernels.language import Memory
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.market import random_parameters
from solvent.reference import margin, queries
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.state import State

COMMANDS = 500
EVERY = 50


class Seen(NamedTuple):
    """Both engines in the same state, and what the fast one is asked through."""

    reference: ReferenceEngine
    fast: FastEngine
    queries: Queries
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
    asked = Queries(fast)
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

    rows: dict[int, Memory]

    def __init__(self, parameters: EngineParameters) -> None:
        super().__init__(parameters)
        self.rows = {}

    def read(self, name: str, *arguments: int, **instead: queries_module.Words) -> int:
        store = plain_store(self.columns)
        for column, numbers in instead.items():
            setattr(store, column, Memory(numbers.data))
        entries: tuple[Callable[..., object], ...] = engine_module._ENTRIES
        kernel = next(entry for entry in entries if entry.__name__ == name)
        kinds = [each.annotation for each in inspect.signature(kernel).parameters.values()][1:]
        given = [
            self.rows[argument] if kind is Memory else argument
            for kind, argument in zip(kinds, arguments, strict=True)
        ]
        result = kernel(store, *given)
        assert self.columns["globals"][SCRATCH_TOP] == 0
        return result if isinstance(result, int) else 0


def check_account(seen: Seen, account: int) -> None:
    state, asked = seen.state, seen.queries
    holder = state.accounts[account]
    values = margin.health_of(state, account)
    report = queries.account_report(state, account)
    assert asked.role(account) is holder.role
    assert asked.settings(account) == AccountSettings(
        holder.auto_lend,
        holder.auto_repay_borrows,
        holder.auto_borrow_settlements,
        holder.leverage_limit,
        account in state.liquidating,
    )
    assert asked.health(account) == AccountHealth(*values.report())
    assert asked.fractions(account) == AccountFractions(*report[1:])
    assert asked.balances(account) == [
        Balance(*queries.holding(state, account, asset), holder.unfunded[asset])
        for asset in seen.assets
    ]
    assert [asked.committed(account, asset) for asset in seen.assets] == holder.committed
    found = asked.orders_of(account)
    assert found == [reading(state, order) for order in sorted(holder.open_orders)]
    assert [asked.order(order.order) for order in found] == found
    collateral, debts = asked.collateral_values(account), asked.debt_margins(account)
    for asset in seen.assets:
        assert collateral[asset] == collateral_value(state, account, asset)
        assert debts[asset] == debt_margin(state, account, asset)


def reading(state: State, order: int) -> OrderReading:
    held = state.orders[order]
    return OrderReading(*(getattr(held, name) for name in OrderReading._fields))


def collateral_value(state: State, account: int, asset: int) -> CollateralValue:
    holder, about = state.accounts[account], state.asset(asset)
    quantity = holder.available[asset] + holder.locked[asset] + claim_of(state, account, asset)
    value = fine_down(quantity, state.mark(asset), about.decimals)
    weighted = margin.weighted_down(about, quantity, state.mark(asset))
    return CollateralValue(value // FINE_PER_VALUE, weighted // FINE_PER_VALUE)


def debt_margin(state: State, account: int, asset: int) -> DebtMargin:
    about = state.asset(asset)
    fine = fine_up(debt_of(state, account, asset), state.mark(asset), about.decimals)
    notional = divide_up(fine, FINE_PER_VALUE)
    functions = (about.initial, about.maintenance)
    return DebtMargin(notional, *(margin.margin_fraction_up(each, notional) for each in functions))


def check_asset(seen: Seen, asset: int) -> None:
    state, asked = seen.state, seen.queries
    price = state.prices[asset]
    assert asked.pool(asset) == queries.pool_report(state, asset)
    assert asked.price(asset) == PriceReading(
        price.index, price.mark, price.stale, price.halted, price.updated
    )
    if asset != USDC:
        check_book(seen, asset)


def check_book(seen: Seen, asset: int) -> None:
    book = seen.state.books[asset]
    whole = seen.queries.depth(asset)
    few = seen.queries.depth(asset, 2)
    for side, orders in ((c.Side.BID, book.bids), (c.Side.ASK, book.asks)):
        levels: dict[int, int] = {}
        for order in orders:
            held = seen.state.orders[order]
            levels[held.price] = levels.get(held.price, 0) + held.quantity
        expected = [Level(*level) for level in levels.items()]
        assert whole[side] == expected
        assert few[side] == expected[:2]
        for price in (*levels, 1, 2**60):
            assert seen.queries.level(asset, side, price) == levels.get(price, 0)


def check_futures(seen: Seen, account: int, asset: int) -> bool:
    """Compare what could happen to an account; say whether anything could."""
    state, asked = seen.state, seen.queries
    prices = queries.liquidation_prices(state, account, asset)
    assert asked.liquidation_prices(account, asset) == prices
    mark = state.mark(asset)
    known = [price for price in prices if price is not None]
    assert asked.liquidation_price(account, asset) == (
        min(known, key=lambda price: abs(price - mark)) if known else None
    )
    debt = debt_of(state, account, asset)
    pool = queries.pool_report(state, asset)
    for quantity in (0, 1, debt // 3, 2 * debt, MAX_SUPPLY):
        expected = queries.adl_forecast(state, account, asset, quantity)
        assert asked.forecast(account, asset, quantity) == expected
    worst = queries.adl_forecast(state, account, asset, pool.lent - pool.redeemable)
    assert asked.forecast(account, asset) == worst
    return bool(known) or worst is not None


def check_previews(seen: Seen, account: int, asset: int) -> None:
    state, asked = seen.state, seen.queries
    assert asked.max_lend(account, asset) == queries.max_lend(state, account, asset)
    assert asked.max_redeem(account, asset) == queries.max_redeem(state, account, asset)
    assert asked.max_borrow(account, asset) == queries.max_borrow(state, account, asset)
    assert asked.max_repay(account, asset) == queries.max_repay(state, account, asset)
    for redeem, borrow in FLAGS:
        assert asked.max_withdraw(
            account, asset, auto_lend_redeem=redeem, auto_borrow=borrow
        ) == queries.max_withdraw(state, account, asset, redeem=redeem, borrow=borrow)
    for _ in range(3):
        command = some_order(seen, account, asset)
        expected = queries.max_order(state, command)
        assert asked.max_order_like(command) == expected
        assert (
            asked.max_order(
                account,
                asset,
                command.side,
                command.price,
                time_in_force=command.time_in_force,
                post_only=command.post_only,
                reduce_only=command.reduce_only,
                auto_borrow=command.auto_borrow,
                auto_borrow_repay=command.auto_borrow_repay,
                auto_lend_redeem=command.auto_lend_redeem,
            )
            == expected
        )


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
