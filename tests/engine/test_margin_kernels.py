"""Margin: each kernel, as plain Python, against the reference.

Accounts and imagined portfolios of the simulator's states are asked with all three doubts. Haircuts
and requirements are also asked at the sizes where a kernel leaves out a root or a division, and one
atom beside them.
"""

from dataclasses import replace
from math import isqrt
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from solvent.domain.parameters import (
    MAX_SUPPLY,
    MAX_VALUE,
    AssetParameters,
    Haircut,
    HaircutKind,
    MarginFunction,
    SizeBy,
)
from solvent.domain.units import FINE_PER_VALUE, INT64_MAX, PRICE_SCALE, RATIO, value_divisor
from solvent.engine import margin, weights
from solvent.engine.ledger import asset_row
from solvent.engine.memory.columns import new_columns, plain_store
from solvent.engine.memory.rows import Asset
from solvent.kernels.language import allocate
from solvent.reference import margin as reference_margin
from solvent.reference.margin import Doubt
from tests.engine.pairs import imagined, pairs, plain_pair, portfolio_row, words
from tests.tables.market import plain_asset, plain_parameters


def test_health_of_accounts_and_imagined_portfolios() -> None:
    rng = Random(2)
    doubted = 0
    for state, store in pairs():
        for account in range(len(state.accounts)):
            portfolio = reference_margin.portfolio_of(state, account)
            row = allocate(3 * len(state.pools))
            margin.portfolio_of(store, account, row)
            assert words(row, 3 * len(state.pools)) == words(
                portfolio_row(portfolio), 3 * len(state.pools)
            )
            other = imagined(rng, state, portfolio)
            found = set()
            for doubt in Doubt:
                expected = reference_margin.health(state, portfolio, doubt)
                found.add(expected)
                assert tuple(margin.health_of(store, account, doubt)) == tuple(expected)
                assert tuple(margin.health(store, row, doubt, 0)) == tuple(expected)
                ours = margin.report(margin.Health(*expected))
                assert tuple(ours) == tuple(expected.report())
                cash = rng.randrange(10**15)
                assert tuple(margin.health(store, portfolio_row(other), doubt, cash)) == tuple(
                    reference_margin.health(state, other, doubt, cash=cash)
                )
            doubted += len(found) == len(Doubt)
            assert margin.liquidatable(store, account) == reference_margin.liquidatable(
                state, account
            )
    assert doubted > 20


def test_receiving_repays_a_debt_first() -> None:
    rng = Random(3)
    for state, store in pairs():
        for account in range(len(state.accounts)):
            portfolio = reference_margin.portfolio_of(state, account)
            row = portfolio_row(portfolio)
            asset = rng.randrange(len(state.pools))
            quantity = rng.choice((0, 1, portfolio.debts[asset], portfolio.debts[asset] + 1))
            portfolio.receive(asset, quantity)
            margin.receive(store, row, asset, quantity)
            whole = 3 * len(state.pools)
            assert words(row, whole) == words(portfolio_row(portfolio), whole)


# Haircuts and requirements at their edges.


def asset_memory(asset: AssetParameters) -> Asset:
    """The row of an asset, as asset 1 of an engine."""
    plain = plain_parameters()
    columns = new_columns(replace(plain, assets=(plain.assets[0], replace(asset, symbol="X"))))
    return asset_row(plain_store(columns), 1)


ratios = st.one_of(st.sampled_from((0, 1, RATIO - 1, RATIO)), st.integers(0, RATIO))
bases = st.one_of(st.sampled_from((1, RATIO, 2 * RATIO)), st.integers(1, 2 * RATIO))
penalties = st.one_of(
    st.sampled_from((0, 1, RATIO)), st.integers(0, 60).map(lambda bits: min(RATIO, 1 << bits // 2))
)
marks = st.one_of(
    st.sampled_from((0, 1, PRICE_SCALE)),
    st.integers(0, 62).flatmap(lambda bits: st.integers(0, 1 << bits)),
)
quantities = st.one_of(
    st.sampled_from((0, 1, MAX_SUPPLY)),
    st.integers(0, 59).flatmap(lambda bits: st.integers(0, 1 << bits)),
)


@st.composite
def haircut_assets(draw: st.DrawFn) -> AssetParameters:
    """An asset with any haircut and any decimals."""
    haircut = Haircut(
        draw(ratios),
        draw(st.sampled_from(HaircutKind)),
        draw(bases),
        draw(penalties),
        draw(st.sampled_from(SizeBy)),
    )
    return replace(plain_asset("SOL", draw(st.integers(0, 12)), RATIO), haircut=haircut)


def check_weight(asset: AssetParameters, quantity: int, mark: int) -> None:
    """The kernels weigh as the reference does; sizes that no engine takes in are passed over."""
    if not 0 <= quantity <= 2 * MAX_SUPPLY:
        return
    if quantity * mark > MAX_VALUE * value_divisor(asset.decimals):
        return
    row = asset_memory(asset)
    expected = reference_margin.weighted_down(asset, quantity, mark)
    assert weights.weighted_down(row, quantity, mark) == expected
    expected_share = reference_margin.weight_of(asset, quantity, mark)
    assert weights.weight_of(row, quantity, mark) == expected_share


@given(haircut_assets(), quantities, marks)
def test_a_weight_is_the_references(asset: AssetParameters, quantity: int, mark: int) -> None:
    assume(quantity * mark <= MAX_VALUE * value_divisor(asset.decimals))
    check_weight(asset, quantity, mark)


@given(haircut_assets(), st.integers(0, 2**31), marks)
def test_a_weight_is_the_references_beside_squares(
    asset: AssetParameters, root: int, mark: int
) -> None:
    if asset.haircut.size_by is SizeBy.QUANTITY:
        quantity = root * root * 10**asset.decimals // 10**6
    else:
        quantity = root * root * value_divisor(asset.decimals) // max(1, mark)
    for near in range(quantity - 2, quantity + 3):
        check_weight(asset, near, mark)


@given(haircut_assets(), marks)
def test_a_weight_is_the_references_where_it_begins_to_fall(
    asset: AssetParameters, mark: int
) -> None:
    cut = asset.haircut
    spare = (cut.base - cut.weight) * RATIO * 1000
    assume(spare >= 0 and cut.weight * cut.penalty > 0)
    root = spare // (cut.weight * cut.penalty)
    for step in (root // 1000 * 1000, root - 1, root, root + 1):
        if cut.size_by is SizeBy.QUANTITY:
            quantity = step * step * 10**asset.decimals // 10**6
        else:
            quantity = step * step * value_divisor(asset.decimals) // max(1, mark)
        for near in range(quantity - 2, quantity + 3):
            check_weight(asset, near, mark)


@given(haircut_assets(), st.integers(0, MAX_VALUE * FINE_PER_VALUE), st.integers(0, 2**42))
def test_the_weight_at_a_root_is_the_references(
    asset: AssetParameters, value: int, root: int
) -> None:
    expected = reference_margin.weight_at(asset.haircut, root)
    assert weights.weight_at(asset_memory(asset), root) == expected
    counted = reference_margin.weighted_at(asset.haircut, value, root)
    assert weights.weighted_at(asset_memory(asset), value, root) == counted


@pytest.mark.parametrize("size_by", SizeBy)
@pytest.mark.parametrize("quantity", [0, 1, MAX_SUPPLY - 1, MAX_SUPPLY, 2 * MAX_SUPPLY])
@pytest.mark.parametrize("penalty", [0, 1, 1000, RATIO])
def test_a_whole_supply_without_decimals_weighs_the_same(
    size_by: SizeBy, quantity: int, penalty: int
) -> None:
    cut = Haircut(RATIO, HaircutKind.INVERSE_SQUARE_ROOT, RATIO, penalty, size_by)
    check_weight(replace(plain_asset("PEPE", 0, RATIO), haircut=cut), quantity, 1)


functions = st.builds(
    MarginFunction,
    st.one_of(st.sampled_from((1, RATIO, 10 * RATIO)), st.integers(1, 10 * RATIO)),
    st.one_of(st.sampled_from((0, 1, RATIO)), st.integers(0, 30).map(lambda b: min(RATIO, 1 << b))),
)
MOST = 101 * MAX_VALUE * FINE_PER_VALUE
"""A stale debt counts up to 101 times its value."""
notionals = st.one_of(
    st.sampled_from((0, 1, FINE_PER_VALUE, 2**62 - 1, 2**62, MOST)),
    st.integers(0, 87).flatmap(lambda bits: st.integers(0, min(MOST, 1 << bits))),
    st.integers(0, isqrt(101 * MAX_VALUE)).flatmap(
        lambda root: st.integers(-2, 2).map(
            lambda atoms: max(0, min(MOST, root * root * FINE_PER_VALUE + atoms))
        )
    ),
)


def check_requirement(function: MarginFunction, notional: int) -> None:
    """The kernels require what the reference does."""
    if not 0 <= notional <= MOST:
        return
    expected = reference_margin.requirement_up(function, notional)
    assert weights.requirement_up(function.base, function.factor, notional) == expected
    value = min(INT64_MAX, notional // FINE_PER_VALUE)
    expected = reference_margin.margin_fraction_up(function, value)
    assert weights.margin_fraction_up(function.base, function.factor, value) == expected


@given(functions, notionals)
def test_a_requirement_is_the_references(function: MarginFunction, notional: int) -> None:
    check_requirement(function, notional)


@given(functions)
def test_a_requirement_is_the_references_where_size_begins_to_count(
    function: MarginFunction,
) -> None:
    assume(function.factor > 0)
    root = function.base * 1000 // function.factor
    for near in (root - 1, root, root + 1):
        for atoms in range(-2, 3):
            check_requirement(function, near * near * FINE_PER_VALUE + atoms)


# What is asked of the sums.

sums = st.one_of(st.integers(-(2**60), 2**60), st.integers(-(2**82), 2**82))
gaps = st.integers(-3, 3)


@st.composite
def healths(draw: st.DrawFn) -> reference_margin.Health:
    """Sums near the thresholds and anywhere, up to the largest that there are."""
    maintenance = draw(st.one_of(st.integers(0, 2**60), st.integers(0, 2**101)))
    debts = draw(st.one_of(st.just(0), st.integers(0, 2**40), st.integers(0, 2**81)))
    share = draw(st.sampled_from((RATIO, RATIO // 2, RATIO * 105 // 100, 994 * RATIO // 1000)))
    near = maintenance * share // RATIO + draw(gaps)
    below = debts * draw(st.sampled_from((6 * RATIO // 1000, RATIO // 2, RATIO))) // RATIO
    shifted = maintenance - below + draw(gaps)
    equity = draw(st.one_of(sums, st.sampled_from((near, maintenance // 2, shifted))))
    return reference_margin.Health(equity, 2 * maintenance, maintenance, debts, 0, debts)


PLAIN = plain_pair()


@given(healths(), st.sampled_from((0, 5 * RATIO // 100, RATIO)), st.sampled_from((1, 2, 1000)))
@example(reference_margin.Health(140, 400, 200, 100, 0, 100), 0, 2)
def test_thresholds_are_the_references(
    values: reference_margin.Health, buffer: int, divisor: int
) -> None:
    state, store = PLAIN
    waterfall = replace(state.parameters.waterfall, target_buffer=buffer)
    for offset in (0, 6 * RATIO // 1000, RATIO):
        store.rules.target_buffer = buffer
        store.rules.auto_close_divisor = divisor
        store.rules.auto_close_offset = offset
        state.parameters = replace(
            state.parameters,
            waterfall=replace(waterfall, auto_close_divisor=divisor, auto_close_offset=offset),
        )
        check_thresholds(values)


def check_thresholds(values: reference_margin.Health) -> None:
    """Every question that is asked of sums has the reference's answer."""
    state, store = PLAIN
    ours = margin.Health(*values)
    assert margin.is_liquidatable(ours) == values.liquidatable
    assert margin.surplus(ours) == values.surplus
    assert margin.total_value(ours) == values.total_value
    assert margin.target_restored(store, ours) == reference_margin.target_restored(state, values)
    assert margin.below_auto_close(store, ours) == reference_margin.below_auto_close(state, values)


@given(st.integers(-(2**82), 2**82), st.integers(0, 2**82), st.integers(RATIO, 100 * RATIO), gaps)
def test_leverage_is_the_references(equity: int, exposure: int, limit: int, gap: int) -> None:
    for exposed in (exposure, max(0, equity * limit // RATIO + gap)):
        values = reference_margin.Health(equity, 0, 0, exposed, 0, exposed)
        expected = reference_margin.leverage_exceeded(values, limit)
        assert margin.leverage_exceeded(margin.Health(*values), limit) == expected
