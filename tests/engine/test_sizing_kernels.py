"""Limits, sizing and draws: each kernel, as plain Python, against the reference."""

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.commands import Role
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import INT64_MAX, PRICE_SCALE, RATIO
from solvent.engine import limits
from solvent.engine.ledger import account_row
from solvent.engine.memory.store import Store
from solvent.engine.refusals import refusal_code, refusal_limit
from solvent.engine.waterfall import draws, sizing
from solvent.engine.waterfall.rows import Part
from solvent.kernels.language import allocate, allocate_rows, numbers_of
from solvent.kernels.rows import Memory, Rows
from solvent.reference import limits as reference_limits
from solvent.reference import margin as reference_margin
from solvent.reference.margin import Portfolio
from solvent.reference.snapshot import read_snapshot
from solvent.reference.state import State, new_account, new_state
from solvent.reference.waterfall import draws as reference_draws
from solvent.reference.waterfall import sizing as reference_sizing
from tests.engine.pairs import (
    Pair,
    imagined,
    pair_of,
    pairs,
    plain_pair,
    portfolio_row,
    row_of,
    snapshots,
    words,
)
from tests.tables.market import plain_parameters, with_setting

PLAIN = plain_pair()


def refusal_of(number: int) -> Refusal | None:
    """A refusal as the reference says it."""
    if number == 0:
        return None
    return Refusal(RejectionCode(refusal_code(number)), Limit(refusal_limit(number)))


def test_pools_and_margins_refuse_what_the_reference_refuses() -> None:
    rng = Random(4)
    seen: set[Refusal | None] = set()
    for pair in pairs():
        state, store = pair
        for asset in range(len(state.pools)):
            assert limits.pool_state(store, asset) == reference_limits.pool_state(state, asset)
            assert limits.gated(store, asset) == reference_limits.gated(state, asset)
        for account in range(len(state.accounts)):
            seen |= check_pool_refusals(pair, account, rng)
            for _ in range(4):
                seen |= check_risk_refusals(pair, account, rng)
    assert len(seen) >= 10


def check_pool_refusals(pair: Pair, account: int, rng: Random) -> set[Refusal | None]:
    """Redeeming and borrowing some quantity is refused as in the reference."""
    state, store = pair
    asset = rng.randrange(len(state.pools))
    cash = state.pools[asset].cash
    quantity = rng.choice((1, cash, cash // 2, cash // 10, rng.randrange(1, 10**12)))
    redeem = reference_limits.redeem_refusal(state, account, asset, quantity)
    borrow = reference_limits.borrow_refusal(state, account, asset, quantity)
    assert refusal_of(limits.redeem_refusal(store, account, asset, quantity)) == redeem
    assert refusal_of(limits.borrow_refusal(store, account, asset, quantity)) == borrow
    return {redeem, borrow}


def check_risk_refusals(pair: Pair, account: int, rng: Random) -> set[Refusal | None]:
    """Coming to hold an imagined portfolio is refused as in the reference."""
    state, store = pair
    after = imagined(rng, state, reference_margin.portfolio_of(state, account))
    row = portfolio_row(after)
    limit = rng.choice((RATIO, 2 * RATIO, 100 * RATIO))
    state.accounts[account].leverage_limit = limit
    account_row(store, account).leverage_limit = limit
    risk = reference_limits.risk_refusal(state, account, after)
    rounding = reference_limits.rounding_refusal(state, after)
    assert refusal_of(limits.risk_refusal(store, account, row)) == risk
    assert refusal_of(limits.rounding_refusal(store, row)) == rounding
    return {risk, rounding}


def test_less_initial_margin_does_not_excuse_more_maintenance() -> None:
    parameters = plain_parameters()
    for words_of in ("BTC initial.base 0.5", "SOL initial.base 0.4", "SOL maintenance.base 0.3"):
        parameters = with_setting(parameters, words_of.split())
    state = new_state(parameters)
    for price in state.prices[1:]:
        price.mark, price.stale = PRICE_SCALE, False
    account = len(state.accounts)
    state.accounts.append(new_account(parameters, Role.USER))
    state.accounts[account].available[0] = 1300 * 10**6
    state.accounts[account].debt_shares[1] = 1000 * 10**8
    after = Portfolio([1300 * 10**6, 0, 0], [0, 0, 1000 * 10**9], [0, 0, 0])
    expected = reference_limits.risk_refusal(state, account, after)
    assert expected is not None
    store = pair_of(state).store
    assert refusal_of(limits.risk_refusal(store, account, portfolio_row(after))) == expected


def _at_most(s: Store, context: Memory, amount: int) -> bool:  # noqa: ARG001
    return amount <= context[0]


def _at_least(s: Store, context: Memory, amount: int) -> bool:  # noqa: ARG001
    return amount >= context[0]


@given(st.integers(-5, 50), st.integers(0, 40))
def test_searches_find_what_the_references_find(turn: int, high: int) -> None:
    store = PLAIN.store
    context = row_of([turn])
    assert limits.largest_passing(
        _at_most, store, context, high
    ) == reference_limits.largest_passing(lambda amount: amount <= turn, high)
    assert limits.smallest_passing(
        _at_least, store, context, high
    ) == reference_limits.smallest_passing(lambda amount: amount >= turn, high)


# Sizing and draws.


def test_what_is_drawn_and_sliced_is_the_references() -> None:
    rng = Random(5)
    drawn = 0
    for pair in pairs():
        state, store = pair
        for account in range(len(state.accounts)):
            value = reference_sizing.deliverable_value(state, account)
            assert sizing.deliverable_value(store, account) == value
            drawn += check_parts(pair, account, rng)
            portfolio = reference_margin.portfolio_of(state, account)
            order = allocate(len(state.pools))
            count = sizing.debts_largest_first(store, portfolio_row(portfolio), order)
            assert words(order, count) == reference_sizing.debts_largest_first(state, portfolio)
    assert drawn > 20


def parts_row(parts: list[reference_sizing.Part]) -> Rows[Part]:
    """The reference's parts as rows."""
    rows = allocate_rows(Part, len(parts))
    for place, part in enumerate(parts):
        rows[place].asset, rows[place].quantity = part
    return rows


def check_parts(pair: Pair, account: int, rng: Random) -> bool:
    """Draws and slices, each of what the last left, are the reference's; whether many assets went.

    A slice never counts for more than it is to be worth.
    """
    state, store = pair
    count = len(state.pools)
    quantities = [reference_sizing.deliverable(state, account, asset) for asset in range(count)]
    assert quantities == [sizing.deliverable(store, account, asset) for asset in range(count)]
    assets = [asset for asset in range(count) if quantities[asset]]
    row, chosen = row_of(quantities), row_of(assets)
    whole = reference_sizing.deliverable_value(state, account)
    values = (0, 1, whole // 3, max(0, whole - 1), whole, whole + 1)
    value = rng.choice(values)
    expected = reference_sizing.slice_down(state, quantities, value, assets)
    found = allocate_rows(Part, count)
    sliced = sizing.slice_down(store, row, value, chosen, len(assets), found)
    assert words(numbers_of(found), sliced * Part.WIDTH) == [n for part in expected for n in part]
    worth = [
        Fraction(quantity * state.mark(asset), 10 ** state.asset(asset).decimals)
        for asset, quantity in expected
    ]
    assert sum(worth) * 10**6 <= value * PRICE_SCALE
    value = rng.choice(values) // 4
    reference_sizing.slice_up(state, quantities, value, assets)
    sizing.slice_up(store, row, value, chosen, len(assets))
    assert words(row, count) == quantities
    parts = [reference_sizing.Part(asset, quantities[asset] // 2) for asset in assets] * 2
    value = rng.choice(values) // 2
    reference_sizing.draw_in_order(state, quantities, value, parts)
    sizing.draw_in_order(store, row, value, parts_row(parts), len(parts))
    assert words(row, count) == quantities
    return len(expected) > 1


@given(st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_equal_values_go_by_asset_number(tens: list[int]) -> None:
    state = new_state(plain_parameters())
    state.prices[1].stale = state.prices[2].stale = False
    state.prices[1].mark, state.prices[2].mark = 10**12, 10**13
    # Debts of so many USDC each: at these marks 10^6 atoms of each asset are worth one.
    debts = [ten * 10**6 for ten in tens]
    portfolio = Portfolio([0, 0, 0], debts, [0, 0, 0])
    order = allocate(3)
    count = sizing.debts_largest_first(pair_of(state).store, portfolio_row(portfolio), order)
    assert words(order, count) == reference_sizing.debts_largest_first(state, portfolio)


def lowered(state: State, account: int, rng: Random) -> None:
    """Take collateral away until the account is near or beyond its maintenance."""
    holder = state.accounts[account]
    for column in (holder.available, holder.locked, holder.lent_shares):
        column[:] = [number * rng.randint(0, 100) // 100 for number in column]


def held_by(state: State, account: int) -> list[int]:
    """The assets that an account can hand over."""
    assets = range(len(state.pools))
    return [asset for asset in assets if reference_sizing.deliverable(state, account, asset)]


def check_needed_debt(state: State, store: Store, account: int, debt: int, rng: Random) -> bool:
    """What must be closed, in order and by slice, is the reference's; whether it is a part."""
    portfolio = reference_margin.portfolio_of(state, account)
    row = portfolio_row(portfolio)
    assets = [asset for asset in held_by(state, account) if asset != debt]
    parts = [reference_sizing.Part(asset, portfolio.quantities[asset]) for asset in assets]
    premium = rng.choice((0, RATIO // 100, RATIO // 20))

    def in_order(quantities: list[int], value: int) -> None:
        reference_sizing.draw_in_order(state, quantities, value, parts)

    def by_slice(quantities: list[int], value: int) -> None:
        reference_sizing.slice_up(state, quantities, value, assets)

    expected = reference_sizing.needed_debt(state, portfolio, debt, premium, in_order)
    rows, count = parts_row(parts), len(parts)
    assert sizing.needed_debt_in_order(store, row, debt, premium, rows, count) == expected
    sliced = reference_sizing.needed_debt(state, portfolio, debt, premium, by_slice)
    chosen = row_of(assets)
    assert sizing.needed_debt_by_slice(store, row, debt, premium, chosen, count) == sliced
    return 0 < expected < portfolio.debts[debt]


@pytest.mark.slow
def test_needed_amounts_are_the_references() -> None:
    rng = Random(6)
    partial = 0
    for data in snapshots():
        state = read_snapshot(data)
        borrowers = [a for a, holder in enumerate(state.accounts) if any(holder.debt_shares)]
        for account in borrowers:
            lowered(state, account, rng)
        store = pair_of(state).store
        for account in borrowers:
            portfolio = reference_margin.portfolio_of(state, account)
            row = portfolio_row(portfolio)
            for debt in reference_sizing.debts_largest_first(state, portfolio):
                partial += check_needed_debt(state, store, account, debt, rng)
            for asset in held_by(state, account):
                most = portfolio.quantities[asset]
                debts = reference_sizing.debts_largest_first(state, portfolio)
                fee = rng.choice((0, RATIO // 100))
                asked = debts[: rng.randint(1, len(debts))] if debts else []
                expected = reference_sizing.needed_swap(state, portfolio, asset, asked, most, fee)
                count = len(asked)
                found = sizing.needed_swap(store, row, asset, row_of(asked), count, most, fee)
                assert found == expected
                partial += 0 < expected < most
                for debt in asked:
                    rate = reference_sizing.fee_rate(state, account, asset, debt, RATIO // 50)
                    assert sizing.fee_rate(store, account, asset, debt, RATIO // 50) == rate
            assert store.globals.scratch_top == 0
    assert partial > 40


@given(st.integers(0, INT64_MAX), st.integers(0, 2**40), st.integers(0, 2**20))
def test_draws_are_the_references(seed: int, interval: int, account: int) -> None:
    state = new_state(replace(plain_parameters(), seed=seed))
    store = pair_of(state).store
    expected = reference_draws.draw_ratio(state, account, interval)
    assert draws.draw_ratio(store, account, interval) == expected
