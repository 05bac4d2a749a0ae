"""Parameters: what is out of range is named by its field, and what exists is valid."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain import parameters as p
from solvent.domain.codec.parameters import decode_parameters, encode_parameters
from solvent.domain.commands import ChangeParameter, ParameterField
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.units import HOUR, INT64_MAX, RATIO, SECOND
from tests.proof import proves
from tests.tables.market import plain_asset, plain_market, plain_parameters

FLAT = p.Curve(((0, 0), (RATIO, 0)))
POOL = p.PoolParameters(FLAT, 0, 0, RATIO, RATIO)
MARKET = plain_market(9)
SOL = plain_asset("SOL", 9, RATIO)
USDC = plain_asset("USDC", 6, RATIO)
ENGINE = plain_parameters()
PRICE = p.PriceParameters()
WATERFALL = p.WaterfallParameters()


def _curve(*points: tuple[int, int]) -> Callable[[], object]:
    return lambda: p.Curve(points)


RANGES: list[tuple[object, str, int, int]] = [
    (p.Haircut(RATIO), "weight", 0, RATIO),
    (p.Haircut(RATIO), "base", 1, 2 * RATIO),
    (p.Haircut(RATIO), "penalty", 0, RATIO),
    (p.MarginFunction(1), "base", 1, 10 * RATIO),
    (p.MarginFunction(1), "factor", 0, RATIO),
    (POOL, "fee", 0, RATIO),
    (POOL, "optimal_utilization", 0, RATIO),
    (replace(POOL, throttle_threshold=0), "max_utilization", 0, RATIO),
    (POOL, "throttle_threshold", 0, RATIO),
    (POOL, "throttle_update_fraction", 0, RATIO),
    (POOL, "open_borrow_lend_limit", 0, 10**18),
    (MARKET, "tick", 1, INT64_MAX),
    (replace(MARKET, min_quantity=10**18), "lot", 1, 10**18),
    (MARKET, "min_quantity", 10**5, 10**18),
    (MARKET, "min_multiplier", 0, RATIO),
    (MARKET, "max_multiplier", RATIO, 100 * RATIO),
    (MARKET, "min_impact_multiplier", 0, RATIO),
    (MARKET, "max_impact_multiplier", RATIO, 100 * RATIO),
    (PRICE, "source_clamp", 0, RATIO),
    (PRICE, "mark_band", 0, RATIO // 2),
    (PRICE, "ewma_time", 1, 24 * HOUR),
    (PRICE, "max_move", 0, RATIO),
    (PRICE, "max_age", 1, 366 * 24 * HOUR),
    (PRICE, "impact_notional", 1, 10**15),
    (PRICE, "min_sources", 0, 1),
    (PRICE, "move_time", 1, 24 * HOUR),
    (SOL, "decimals", 0, 12),
    (WATERFALL, "target_buffer", 0, RATIO),
    (WATERFALL, "book_fraction", RATIO // 100, RATIO),
    (WATERFALL, "book_probability", 1, RATIO),
    (WATERFALL, "book_fee", 0, RATIO // 10),
    (WATERFALL, "book_limit", 0, 2**60),
    (WATERFALL, "auto_close_divisor", 1, 1000),
    (WATERFALL, "auto_close_offset", 0, RATIO),
    (WATERFALL, "max_discount", 0, RATIO // 2),
    (WATERFALL, "fund_share", 0, RATIO),
    (WATERFALL, "stale_doubt", 0, 100 * RATIO),
    (WATERFALL, "opposites_fee", 0, RATIO // 10),
    (WATERFALL, "interval", SECOND // 10, HOUR),
    (WATERFALL, "patience", 1, 1000),
    (WATERFALL, "commitment_notice", 0, 366 * 24 * HOUR),
    (ENGINE, "maker_fee", 0, RATIO // 10),
    (ENGINE, "taker_fee", 0, RATIO // 10),
    (ENGINE, "max_leverage", RATIO, 100 * RATIO),
    (ENGINE, "max_orders_per_account", 1, 10_000),
    (ENGINE, "seed", 0, INT64_MAX),
    (ENGINE, "start_time", 0, INT64_MAX // 2),
]


@pytest.mark.parametrize(
    ("record", "field", "low", "high"),
    RANGES,
    ids=[f"{type(row[0]).__name__}.{row[1]}" for row in RANGES],
)
def test_the_ends_of_a_range_pass_and_what_is_beyond_names_the_field(
    record: p.MarginFunction, field: str, low: int, high: int
) -> None:
    for value in (low, high):
        assert getattr(replace(record, **{field: value}), field) == value
    for value in (low - 1, high + 1, -(2**70), 2**70):
        with pytest.raises(p.ParameterError) as caught:
            replace(record, **{field: value})
        assert caught.value.field == field
        assert str(caught.value).startswith(f"{field}: ")


REFUSED: list[tuple[str, Callable[[], object], str]] = [
    ("one point", _curve((0, 0)), "points"),
    ("too many points", _curve(*[(RATIO * n // 16, 0) for n in range(17)]), "points"),
    ("late start", _curve((1, 0), (RATIO, 0)), "points"),
    ("early end", _curve((0, 0), (RATIO - 1, 0)), "points"),
    ("negative rate", _curve((0, -1), (RATIO, 0)), "points[0].rate"),
    ("rate too high", _curve((0, 0), (RATIO, 100 * RATIO + 1)), "points[1].rate"),
    ("two at once", _curve((0, 0), (5, 1), (5, 2), (RATIO, 3)), "points[2].utilization"),
    ("backwards", _curve((0, 0), (5, 1), (4, 2), (RATIO, 3)), "points[2].utilization"),
    ("falling rate", _curve((0, 2), (RATIO, 1)), "points[1].rate"),
    ("threshold over maximum", lambda: replace(POOL, max_utilization=RATIO - 1),
     "throttle_threshold"),
    ("odd minimum", lambda: replace(MARKET, min_quantity=10**5 + 1), "min_quantity"),
    ("no source", lambda: replace(PRICE, source_weights=()), "source_weights"),
    ("nine sources", lambda: replace(PRICE, source_weights=(1,) * 9), "source_weights"),
    ("weightless source", lambda: replace(PRICE, source_weights=(1, 0)), "source_weights[1]"),
    ("heavy source", lambda: replace(PRICE, source_weights=(1001,)), "source_weights[0]"),
    ("no symbol", lambda: replace(SOL, symbol=""), "symbol"),
    ("long symbol", lambda: replace(SOL, symbol="SOLSOLSOL"), "symbol"),
    ("foreign symbol", lambda: replace(SOL, symbol="SÖL"), "symbol"),
    ("blank in symbol", lambda: replace(SOL, symbol="S L"), "symbol"),
    ("maintenance over initial", lambda: replace(SOL, maintenance=p.MarginFunction(RATIO)),
     "maintenance.base"),
    ("steeper maintenance", lambda: replace(SOL, maintenance=p.MarginFunction(1, 1)),
     "maintenance.factor"),
    ("no assets", lambda: replace(ENGINE, assets=()), "assets"),
    ("65 assets", lambda: replace(ENGINE, assets=(USDC,) * 65), "assets"),
    ("twins", lambda: replace(ENGINE, assets=(USDC, SOL, SOL)), "assets"),
    ("no USDC", lambda: replace(ENGINE, assets=(SOL,)), "assets[0].symbol"),
    ("USDC of 8 decimals", lambda: replace(ENGINE, assets=(replace(USDC, decimals=8),)),
     "assets[0].decimals"),
    ("USDC market", lambda: replace(ENGINE, assets=(replace(USDC, market=MARKET),)),
     "assets[0].market"),
    ("USDC cut", lambda: replace(ENGINE, assets=(replace(USDC, haircut=p.Haircut(RATIO - 1)),)),
     "assets[0].haircut"),
    ("no market", lambda: replace(ENGINE, assets=(USDC, replace(SOL, market=None))),
     "assets.SOL.market"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("build", "field"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_does_not_fit_together_names_the_field(
    build: Callable[[], object], field: str
) -> None:
    with pytest.raises(p.ParameterError) as caught:
        build()
    assert caught.value.field == field
    assert caught.value.reason in str(caught.value)


def test_an_error_is_named_from_further_out() -> None:
    error = p.ParameterError("fee", "must not be").within("pool").within("assets.SOL")
    assert (error.field, error.reason) == ("assets.SOL.pool.fee", "must not be")


CHANGES: list[tuple[ParameterField, int, Callable[[p.EngineParameters], object]]] = [
    (ParameterField.POOL_STATE, 2, lambda e: e.assets[2].pool.state),
    (ParameterField.OPEN_BORROW_LEND_LIMIT, 7, lambda e: e.assets[2].pool.open_borrow_lend_limit),
    (ParameterField.MAX_UTILIZATION, RATIO, lambda e: e.assets[2].pool.max_utilization),
    (ParameterField.THROTTLE_THRESHOLD, 7, lambda e: e.assets[2].pool.throttle_threshold),
    (ParameterField.THROTTLE_UPDATE_FRACTION, 7,
     lambda e: e.assets[2].pool.throttle_update_fraction),
    (ParameterField.POOL_FEE, 7, lambda e: e.assets[2].pool.fee),
    (ParameterField.CURVE_UTILIZATION, 0, lambda e: e.assets[2].pool.curve.points[0][0]),
    (ParameterField.CURVE_RATE, 0, lambda e: e.assets[2].pool.curve.points[0][1]),
    (ParameterField.COLLATERAL_WEIGHT, 7, lambda e: e.assets[2].haircut.weight),
    (ParameterField.COLLATERAL_BASE, 7, lambda e: e.assets[2].haircut.base),
    (ParameterField.COLLATERAL_PENALTY, 7, lambda e: e.assets[2].haircut.penalty),
    (ParameterField.INITIAL_BASE, RATIO, lambda e: e.assets[2].initial.base),
    (ParameterField.INITIAL_FACTOR, 7, lambda e: e.assets[2].initial.factor),
    (ParameterField.MAINTENANCE_BASE, 7, lambda e: e.assets[2].maintenance.base),
    (ParameterField.MAINTENANCE_FACTOR, 0, lambda e: e.assets[2].maintenance.factor),
    (ParameterField.PRICE_MAX_AGE, 7, lambda e: e.assets[2].price.max_age),
    (ParameterField.BOOK_FRACTION, RATIO // 7, lambda e: e.waterfall.book_fraction),
    (ParameterField.BOOK_PROBABILITY, 7, lambda e: e.waterfall.book_probability),
    (ParameterField.BOOK_LIMIT, 7, lambda e: e.waterfall.book_limit),
    (ParameterField.TARGET_BUFFER, 7, lambda e: e.waterfall.target_buffer),
    (ParameterField.MAX_DISCOUNT, 7, lambda e: e.waterfall.max_discount),
    (ParameterField.LENDER_POLICY, 2, lambda e: e.waterfall.lender_policy),
    (ParameterField.DEFAULT_POLICY, 2, lambda e: e.waterfall.default_policy),
    (ParameterField.PATIENCE, 7, lambda e: e.waterfall.patience),
    (ParameterField.COMMITMENT_NOTICE, 7, lambda e: e.waterfall.commitment_notice),
]  # fmt: skip


def test_every_field_that_can_change_is_in_the_table() -> None:
    assert [field for field, _, _ in CHANGES] == list(ParameterField)


@pytest.mark.parametrize(
    ("field", "value", "read"), CHANGES, ids=[field.name for field, _, _ in CHANGES]
)
def test_one_field_changes_and_nothing_else(
    field: ParameterField, value: int, read: Callable[[p.EngineParameters], int]
) -> None:
    old = read(ENGINE)
    changed = changed_parameters(ENGINE, ChangeParameter(2, field, value))
    assert read(changed) == value
    assert type(read(changed)) is type(old)
    assert changed_parameters(changed, ChangeParameter(2, field, old)) == ENGINE


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (ChangeParameter(2, ParameterField.POOL_STATE, 3), "pool_state"),
        (ChangeParameter(2, ParameterField.LENDER_POLICY, 5), "lender_policy"),
        (ChangeParameter(2, ParameterField.DEFAULT_POLICY, -1), "default_policy"),
        (ChangeParameter(3, ParameterField.POOL_FEE, 0), "asset"),
        (ChangeParameter(-1, ParameterField.POOL_FEE, 0), "asset"),
        (ChangeParameter(2, ParameterField.CURVE_RATE, 0, index=2), "index"),
        (ChangeParameter(2, ParameterField.CURVE_RATE, 0, index=-1), "index"),
        (ChangeParameter(2, ParameterField.CURVE_UTILIZATION, 5, index=0), "points"),
        (ChangeParameter(2, ParameterField.POOL_FEE, RATIO + 1), "fee"),
        (ChangeParameter(2, ParameterField.INITIAL_BASE, 1), "maintenance.base"),
        (ChangeParameter(0, ParameterField.COLLATERAL_WEIGHT, 1), "assets[0].haircut"),
        (ChangeParameter(2, ParameterField.MAX_UTILIZATION, 0), "throttle_threshold"),
        (ChangeParameter(2, ParameterField.PRICE_MAX_AGE, 0), "max_age"),
        (ChangeParameter(9, ParameterField.TARGET_BUFFER, -1), "target_buffer"),
    ],
)
def test_a_change_that_is_not_valid_names_the_field(change: ChangeParameter, field: str) -> None:
    with pytest.raises(p.ParameterError) as caught:
        changed_parameters(ENGINE, change)
    assert caught.value.field == field


def test_waterfall_fields_need_no_asset() -> None:
    change = ChangeParameter(-1, ParameterField.TARGET_BUFFER, 7)
    assert changed_parameters(ENGINE, change).waterfall.target_buffer == 7


MANY = replace(
    ENGINE,
    assets=(
        USDC,
        replace(
            SOL,
            symbol="A1B2C3D4",
            haircut=p.Haircut(7, p.HaircutKind.INVERSE_SQUARE_ROOT, 8, 9, p.SizeBy.QUANTITY),
            pool=replace(POOL, curve=p.Curve(tuple((RATIO * n // 15, n) for n in range(16)))),
            price=p.PriceParameters(source_weights=(3, 1, 2)),
        ),
    ),
    waterfall=p.WaterfallParameters(lender_policy=p.Policy.RISK_WEIGHTED),
    seed=INT64_MAX,
)


@proves("I35")
@pytest.mark.parametrize("parameters", [ENGINE, MANY, replace(ENGINE, assets=(USDC,))])
def test_parameters_go_and_come_back(parameters: p.EngineParameters) -> None:
    row = encode_parameters(parameters)
    again = decode_parameters(list(row))
    assert again == parameters
    assert repr(again) == repr(parameters)
    assert all(-(2**63) <= number < 2**63 for number in row)


def test_a_damaged_row_is_refused() -> None:
    row = encode_parameters(ENGINE)
    with pytest.raises(ValueError, match=r"too long|not what"):
        decode_parameters([*row, 0])
    for length in range(0, len(row), 7):
        with pytest.raises((ValueError, StopIteration, RuntimeError)):
            decode_parameters(list(row[:length]))


@given(st.data())
def test_a_changed_number_is_refused_or_is_other_parameters(data: st.DataObject) -> None:
    row = list(encode_parameters(ENGINE))
    place = data.draw(st.integers(0, len(row) - 1))
    row[place] = data.draw(st.integers(-5, 5))
    try:
        changed = decode_parameters(list(row))
    except (ValueError, StopIteration, RuntimeError, OverflowError):
        return
    assert list(encode_parameters(changed)) == row


@pytest.mark.parametrize("name", ["opposites", "tiers", "mark_limits"])
@pytest.mark.parametrize("value", [0, 1, "off", None])
def test_a_switch_is_true_or_false(name: str, value: object) -> None:
    with pytest.raises(p.ParameterError, match=f"^{name}: must be True or False, is "):
        p.WaterfallParameters(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["opposites", "tiers", "mark_limits"])
def test_a_switch_survives_the_codec(name: str) -> None:
    waterfall = p.WaterfallParameters(**{name: False})  # type: ignore[arg-type]
    off = replace(ENGINE, waterfall=waterfall)
    again = decode_parameters(list(encode_parameters(off)))
    assert again == off
    assert getattr(again.waterfall, name) is False
