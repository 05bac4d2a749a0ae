"""Margin: every sum against an independent computation in decimals, rounded the safe way."""

from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from solvent.domain.parameters import (
    MAX_SUPPLY,
    MAX_VALUE,
    AssetParameters,
    EngineParameters,
    Haircut,
    HaircutKind,
    MarginFunction,
    SizeBy,
)
from solvent.domain.units import (
    FINE_PER_VALUE,
    INT64_MAX,
    PRICE_SCALE,
    RATIO,
    VALUE_SCALE,
    fine_up,
)
from solvent.reference.margin import (
    Doubt,
    Health,
    Portfolio,
    below_auto_close,
    health,
    leverage_exceeded,
    margin_fraction_up,
    requirement_up,
    target_restored,
    weighted_down,
)
from solvent.reference.state import State, new_state
from tests.proof import proves
from tests.tables.market import plain_asset, plain_parameters, with_setting

FINE = Decimal(10) ** 12
ratios = st.integers(0, RATIO)
marks = st.integers(1, 10**16)
quantities = st.integers(0, 10**15)
kinds = st.sampled_from(HaircutKind)
sizes = st.sampled_from(SizeBy)


@st.composite
def haircuts(draw: st.DrawFn) -> Haircut:
    """Any haircut, of both kinds and both measures of size."""
    return Haircut(
        weight=draw(ratios),
        kind=draw(kinds),
        base=draw(st.integers(1, 2 * RATIO)),
        penalty=draw(st.one_of(st.integers(0, 10**5), ratios)),
        size_by=draw(sizes),
    )


@st.composite
def margins(draw: st.DrawFn) -> tuple[MarginFunction, MarginFunction]:
    """An initial and a maintenance function that may stand together."""
    low, high = sorted((draw(st.integers(1, RATIO)), draw(st.integers(1, RATIO))))
    slow, fast = sorted((draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))))
    return MarginFunction(high, fast), MarginFunction(low, slow)


@st.composite
def assets(draw: st.DrawFn, symbol: str) -> AssetParameters:
    """An asset with any haircut, margin and decimals."""
    decimals = 6 if symbol == "USDC" else draw(st.integers(0, 12))
    initial, maintenance = draw(margins())
    plain = plain_asset(symbol, decimals, RATIO)
    haircut = plain.haircut if symbol == "USDC" else draw(haircuts())
    return replace(plain, haircut=haircut, initial=initial, maintenance=maintenance)


def true_weight(asset: AssetParameters, quantity: int, mark: int) -> Decimal:
    """min(w, base / (1 + penalty * sqrt(size))), or w."""
    cut = asset.haircut
    weight = Decimal(cut.weight) / RATIO
    if cut.kind is HaircutKind.IDENTITY:
        return weight
    tokens = Decimal(quantity).scaleb(-asset.decimals)
    size = tokens if cut.size_by is SizeBy.QUANTITY else tokens * mark / PRICE_SCALE
    scaled = (Decimal(cut.base) / RATIO) / (1 + Decimal(cut.penalty) / RATIO * size.sqrt())
    return min(weight, scaled)


def true_value(asset: AssetParameters, quantity: int, mark: int) -> Decimal:
    """Value at the mark in 10^-12 USDC."""
    return Decimal(quantity).scaleb(-asset.decimals) * mark / PRICE_SCALE * FINE


def held(asset: AssetParameters, quantity: int, mark: int) -> None:
    """Draw again where an engine would have refused to take so much in."""
    assume(true_value(asset, quantity, mark) <= MAX_VALUE * 10**6)


def true_requirement(function: MarginFunction, value: Decimal) -> Decimal:
    """value * max(base, factor * sqrt(notional))."""
    root = (value / FINE).sqrt()
    return value * max(Decimal(function.base), function.factor * root) / RATIO


@given(assets("SOL"), quantities, marks)
@example(plain_asset("SOL", 9, RATIO * 9 // 10), 10**11, 190 * PRICE_SCALE)
def test_collateral_weighs_what_the_formula_says_rounded_down(
    asset: AssetParameters, quantity: int, mark: int
) -> None:
    held(asset, quantity, mark)
    with localcontext(prec=60):
        value = true_value(asset, quantity, mark)
        exact = value * true_weight(asset, quantity, mark)
        weighed = weighted_down(asset, quantity, mark)
        assert weighed <= exact
        # Sizes have roots in whole thousandths, weights in whole billionths.
        root_step = exact * asset.haircut.penalty / RATIO * Decimal("0.001")
        size_step = exact * asset.haircut.penalty / RATIO * Decimal("0.001")
        assert weighed >= exact - root_step - size_step - value / RATIO - 2


@proves("I11")
@given(assets("SOL"), quantities, st.integers(1, 10**12), marks)
def test_more_collateral_never_weighs_less(
    asset: AssetParameters, quantity: int, more: int, mark: int
) -> None:
    held(asset, quantity + more, mark)
    assert weighted_down(asset, quantity + more, mark) >= weighted_down(asset, quantity, mark)


@proves("I11")
@given(assets("SOL"), st.integers(0, 10**6), marks)
def test_an_atom_more_never_weighs_less(asset: AssetParameters, quantity: int, mark: int) -> None:
    held(asset, quantity + 1, mark)
    assert weighted_down(asset, quantity + 1, mark) >= weighted_down(asset, quantity, mark)


@proves("I11")
def test_a_whale_weighs_no_less_at_any_root_that_is_passed() -> None:
    """Case 36 and its neighbours: 60,000 roots of a value, the last atoms below and above each."""
    asset = replace(
        plain_asset("ETH", 9, RATIO),
        haircut=Haircut(RATIO * 9 // 10, HaircutKind.INVERSE_SQUARE_ROOT, penalty=RATIO // 100),
    )
    mark = 2_000 * PRICE_SCALE
    before = 0
    for root in range(15_848_970, 15_908_970):
        for quantity in (root * root // 2, root * root // 2 + 1):
            weight = weighted_down(asset, quantity, mark)
            assert weight >= before
            before = weight


@pytest.mark.parametrize("size_by", SizeBy)
def test_the_whole_supply_of_a_token_without_decimals_can_be_weighed(size_by: SizeBy) -> None:
    asset = replace(
        plain_asset("PEPE", 0, RATIO),
        haircut=Haircut(RATIO, HaircutKind.INVERSE_SQUARE_ROOT, RATIO, 1000, size_by),
    )
    assert 0 < weighted_down(asset, MAX_SUPPLY, 1) < MAX_SUPPLY * 100


@given(margins(), st.integers(0, 10**15), marks, st.integers(0, 12))
def test_a_requirement_is_what_the_formula_says_rounded_up(
    functions: tuple[MarginFunction, MarginFunction], debt: int, mark: int, decimals: int
) -> None:
    asset = plain_asset("SOL", decimals, RATIO)
    held(asset, debt, mark)
    with localcontext(prec=60):
        value = true_value(asset, debt, mark)
        for function in functions:
            exact = true_requirement(function, value)
            required = requirement_up(function, fine_up(debt, mark, decimals))
            assert required >= exact
            steps = Decimal(function.factor) / RATIO * Decimal("0.002") + Decimal(2) / RATIO
            assert required <= exact + (value + 1) * steps + 2


@pytest.mark.parametrize(
    ("base", "factor", "notional", "fraction"),
    [
        ("0.02", "0.0001275", 0, "0.02"),
        ("0.02", "0.0001275", 10_000, "0.02"),          # 0.01275 by size
        ("0.02", "0.0001275", 1_000_000, "0.1275"),
        ("0.0125", "0.0000765", 1_000_000, "0.0765"),
        ("0.02", "0", 10**9, "0.02"),
    ],
)  # fmt: skip
def test_published_margin_functions(base: str, factor: str, notional: int, fraction: str) -> None:
    function = MarginFunction(int(Decimal(base) * RATIO), int(Decimal(factor) * RATIO))
    assert margin_fraction_up(function, notional * VALUE_SCALE) == int(Decimal(fraction) * RATIO)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[State, Portfolio]:
    """A state of three assets at any prices, and a portfolio in it."""
    parameters = EngineParameters(
        assets=(draw(assets("USDC")), draw(assets("BTC")), draw(assets("SOL")))
    )
    state = new_state(parameters)
    for price in state.prices[1:]:
        price.mark, price.stale = draw(st.integers(1, 10**14)), False
    columns = [[draw(st.integers(0, 10**12)) for _ in range(3)] for _ in range(3)]
    for place, asset in enumerate(parameters.assets):
        most = sum(column[place] for column in columns)
        held(asset, most, state.prices[place].mark)
    return state, Portfolio(*columns)


@proves("A5")
@given(worlds())
def test_health_is_the_sum_of_its_parts(world: tuple[State, Portfolio]) -> None:
    state, portfolio = world
    values = health(state, portfolio)
    parts = []
    for place in range(3):
        zeros = [[0, 0, 0], [0, 0, 0], [0, 0, 0]]
        own = Portfolio(*zeros)
        own.quantities[place] = portfolio.quantities[place]
        own.debts[place] = portfolio.debts[place]
        own.unfunded[place] = portfolio.unfunded[place]
        parts.append(health(state, own))
    assert values == Health(*(sum(column) for column in zip(*parts, strict=True)))


@given(worlds())
def test_health_against_decimals(world: tuple[State, Portfolio]) -> None:
    state, portfolio = world
    values = health(state, portfolio)
    with localcontext(prec=60):
        worth = owed = exposed = Decimal(0)
        for place, asset in enumerate(state.parameters.assets):
            mark = state.prices[place].mark
            worth += true_value(asset, portfolio.quantities[place], mark)
            owed += true_value(asset, portfolio.debts[place], mark)
            at_risk = portfolio.debts[place] + portfolio.unfunded[place]
            exposed += true_value(asset, at_risk, mark)
        assert 0 <= worth - values.assets_value < 3
        assert 0 <= values.debts_value - owed < 3
        assert 0 <= values.exposure - exposed < 3
        assert values.total_value == values.assets_value - values.debts_value
        assert values.net_equity <= worth - owed
        assert values.initial >= 0
        assert values.maintenance >= 0


def state_with(setting: str, *more: str) -> State:
    """A state with these parameters, each written as in a story."""
    parameters = plain_parameters()
    for text in (setting, *more):
        parameters = with_setting(parameters, text.split())
    return new_state(parameters)


def sums(net_equity: int, maintenance: int, exposure: int) -> Health:
    """Health with a debt of the exposure."""
    return Health(net_equity, 2 * maintenance, maintenance, exposure, 0, exposure)


@proves("I14")
@pytest.mark.parametrize(
    ("net_equity", "maintenance", "owed", "liquidatable"),
    [
        (101, 100, 5000, False),
        (100, 100, 5000, True),         # MMR of 100 %
        (99, 100, 5000, True),
        (-5, 100, 5000, True),
        (0, 0, 0, False),               # nothing is owed
        (-5, 0, 0, False),
    ],
)  # fmt: skip
def test_liquidatable_at_exactly_one_hundred_percent(
    net_equity: int, maintenance: int, owed: int, liquidatable: bool
) -> None:
    assert sums(net_equity, maintenance, owed).liquidatable is liquidatable


@pytest.mark.parametrize(
    ("net_equity", "restored"), [(105, True), (104, False), (106, True), (100, False)]
)
def test_target_health_is_maintenance_with_a_buffer(net_equity: int, restored: bool) -> None:
    state = state_with("waterfall.target_buffer 5%")
    assert target_restored(state, sums(net_equity, 100, 5000)) is restored
    assert target_restored(state, sums(-1, 0, 0))


@pytest.mark.parametrize(
    ("divisor", "offset", "net_equity", "below"),
    [
        # MMF is 2 % of 10,000: ACMF = max(0.02 / divisor, 0.02 - offset).
        ("2", "1", 100, False),
        ("2", "1", 99, True),
        ("1000", "0.006", 140, False),
        ("1000", "0.006", 139, True),
        ("2", "0.006", 140, False),
        ("2", "0.006", 139, True),
        ("2", "0.006", -1, True),
    ],
)
def test_auto_close(divisor: str, offset: str, net_equity: int, below: bool) -> None:
    state = state_with(
        f"waterfall.auto_close_divisor {divisor}", f"waterfall.auto_close_offset {offset}"
    )
    assert below_auto_close(state, sums(net_equity, 200, 10_000)) is below


@pytest.mark.parametrize(
    ("net_equity", "exposure", "exceeded"),
    [(100, 1000, False), (100, 1001, True), (0, 1, True), (-5, 1, True), (0, 0, False)],
)
def test_leverage_is_exposure_over_net_equity(
    net_equity: int, exposure: int, exceeded: bool
) -> None:
    assert leverage_exceeded(sums(net_equity, 1, exposure), 10 * RATIO) is exceeded


@proves("I14")
@given(worlds(), st.integers(0, 2))
def test_a_stale_price_is_read_for_and_against(world: tuple[State, Portfolio], place: int) -> None:
    state, portfolio = world
    plain = health(state, portfolio)
    state.prices[place].stale = True
    generous = health(state, portfolio, Doubt.FOR_ACCOUNT)
    strict = health(state, portfolio, Doubt.AGAINST_ACCOUNT)
    assert generous.surplus >= plain.surplus - 1
    assert strict.net_equity <= plain.net_equity
    assert health(state, portfolio) == plain


def test_a_report_rounds_against_the_account() -> None:
    report = Health(1_999_999, 1, 1_000_001, 1, 1_999_999, 1_000_001).report()
    assert (report.net_equity, report.maintenance, report.exposure) == (1, 2, 1)
    assert (report.assets_value, report.debts_value, report.total_value) == (1, 2, 0)
    assert Health(-1, 0, 0, 0, 0, 1).report().net_equity == -1


def test_a_requirement_is_recorded_as_far_as_a_record_holds() -> None:
    """Nothing is decided by what is recorded."""
    most = INT64_MAX * FINE_PER_VALUE
    values = Health(0, most, most + 1, 0, 0, 0)
    assert values.report().initial == INT64_MAX
    assert values.report().maintenance == INT64_MAX
