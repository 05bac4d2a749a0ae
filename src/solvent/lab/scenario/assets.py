"""The engine's parameters as a scenario file writes them: assets, waterfall, fees, limits.

Every number is checked here against the range that the domain allows, in the unit a person writes,
so that the domain's own validation has only the relations between fields left to refuse.
"""

from collections.abc import Callable
from typing import TypeVar

from solvent.domain.parameters import (
    MAX_APR,
    MAX_LEVERAGE,
    MAX_MARGIN_RATIO,
    MAX_NOTICE,
    MAX_PATIENCE,
    MAX_SUPPLY,
    MIN_BOOK_FRACTION,
    AssetParameters,
    Curve,
    EngineParameters,
    Haircut,
    HaircutKind,
    MarginFunction,
    MarketParameters,
    ParameterError,
    Policy,
    PoolParameters,
    PoolState,
    PriceParameters,
    SizeBy,
    WaterfallParameters,
)
from solvent.domain.units import (
    HOUR,
    INT64_MAX,
    MAX_DECIMALS,
    PRICE_DECIMALS,
    RATIO,
    RATIO_DECIMALS,
)
from solvent.lab.scenario.fields import Fields

Built = TypeVar("Built")

MOST_DIVISOR = 1000
MOST_ORDERS = 10_000
WIDEST_MULTIPLIER = 100 * RATIO


def build(fields: Fields, make: Callable[[], Built]) -> Built:
    """What `make` makes, with the domain's own objections told as an InputError of this table."""
    try:
        return make()
    except ParameterError as error:
        raise fields.error(error.field, error.reason) from None


def read_engine(
    root: Fields, assets: tuple[AssetParameters, ...], seed: int, start: int
) -> EngineParameters:
    """All parameters of the engine, from the tables waterfall, fees and limits."""
    fees, limits = root.table("fees", optional=True), root.table("limits", optional=True)
    tenth = RATIO // 10
    waterfall = _waterfall(root.table("waterfall", optional=True))
    parameters = build(
        root,
        lambda: EngineParameters(
            assets=assets,
            waterfall=waterfall,
            maker_fee=fees.ratio("maker", 0, high=tenth),
            taker_fee=fees.ratio("taker", 0, high=tenth),
            max_leverage=limits.ratio("max_leverage", 10 * RATIO, low=RATIO, high=MAX_LEVERAGE),
            max_orders_per_account=limits.number(
                "max_orders_per_account", 0, 200, low=1, high=MOST_ORDERS
            ),
            seed=seed,
            start_time=start,
        ),
    )
    fees.close()
    limits.close()
    return parameters


def _waterfall(fields: Fields) -> WaterfallParameters:
    usual = WaterfallParameters()
    waterfall = WaterfallParameters(
        target_buffer=fields.ratio("target_buffer", usual.target_buffer, high=RATIO),
        book_fraction=fields.ratio(
            "book_fraction", usual.book_fraction, low=MIN_BOOK_FRACTION, high=RATIO
        ),
        book_probability=fields.ratio(
            "book_probability", usual.book_probability, low=1, high=RATIO
        ),
        book_fee=fields.ratio("book_fee", usual.book_fee, high=RATIO // 10),
        book_limit=fields.value("book_limit", usual.book_limit),
        auto_close_divisor=fields.number(
            "auto_close_divisor", 0, usual.auto_close_divisor, low=1, high=MOST_DIVISOR
        ),
        auto_close_offset=fields.ratio("auto_close_offset", usual.auto_close_offset, high=RATIO),
        max_discount=fields.ratio("max_discount", usual.max_discount, high=RATIO // 2),
        fund_share=fields.ratio("fund_share", usual.fund_share, high=RATIO),
        stale_doubt=fields.ratio("stale_doubt", usual.stale_doubt, high=100 * RATIO),
        opposites_fee=fields.ratio("opposites_fee", usual.opposites_fee, high=RATIO // 10),
        lender_policy=fields.choice("policy", Policy, usual.lender_policy),
        default_policy=fields.choice("default_policy", Policy, usual.default_policy),
        interval=fields.seconds("interval_seconds", usual.interval, high=HOUR),
        patience=fields.number("patience", 0, usual.patience, low=1, high=MAX_PATIENCE),
        commitment_notice=fields.number(
            "notice_seconds", 6, usual.commitment_notice, high=MAX_NOTICE
        ),
        opposites=fields.flag("opposites", default=usual.opposites),
        tiers=fields.flag("tiers", default=usual.tiers),
        mark_limits=fields.flag("mark_limits", default=usual.mark_limits),
    )
    fields.close()
    return waterfall


def read_asset(fields: Fields) -> AssetParameters:
    """One asset: its unit, weight, margins, pool, market and price rules."""
    symbol = fields.text("symbol")
    decimals = fields.number("decimals", 0, high=MAX_DECIMALS)
    haircut = _haircut(fields.table("haircut"))
    initial, maintenance = _margin(fields.table("initial")), _margin(fields.table("maintenance"))
    pool = _pool(fields.table("pool"), decimals)
    market = _market(fields.table("market"), decimals) if fields.has("market") else None
    price = _price(fields.table("price", optional=True))
    return build(
        fields,
        lambda: AssetParameters(
            symbol, decimals, haircut, initial, maintenance, pool, market, price
        ),
    )


def _haircut(fields: Fields) -> Haircut:
    haircut = Haircut(
        weight=fields.ratio("weight", high=RATIO),
        kind=fields.choice("kind", HaircutKind, HaircutKind.IDENTITY),
        base=fields.ratio("base", RATIO, low=1, high=2 * RATIO),
        penalty=fields.ratio("penalty", 0, high=RATIO),
        size_by=fields.choice("size_by", SizeBy, SizeBy.NOTIONAL),
    )
    fields.close()
    return haircut


def _margin(fields: Fields) -> MarginFunction:
    margin = MarginFunction(
        base=fields.ratio("base", low=1, high=MAX_MARGIN_RATIO),
        factor=fields.ratio("factor", 0, high=RATIO),
    )
    fields.close()
    return margin


def _pool(fields: Fields, decimals: int) -> PoolParameters:
    points = fields.pairs("curve", RATIO_DECIMALS, RATIO_DECIMALS, high=MAX_APR)
    pool = build(
        fields,
        lambda: PoolParameters(
            curve=_curve(fields, points),
            fee=fields.ratio("fee", high=RATIO),
            optimal_utilization=fields.ratio("optimal_utilization", high=RATIO),
            max_utilization=fields.ratio("max_utilization", high=RATIO),
            throttle_threshold=fields.ratio("throttle_threshold", high=RATIO),
            throttle_update_fraction=fields.ratio("throttle_update_fraction", 0, high=RATIO),
            open_borrow_lend_limit=fields.number("limit", decimals, MAX_SUPPLY, high=MAX_SUPPLY),
            state=fields.choice("state", PoolState, PoolState.OPEN),
        ),
    )
    fields.close()
    return pool


def _curve(fields: Fields, points: tuple[tuple[int, int], ...]) -> Curve:
    try:
        return Curve(points)
    except ParameterError as error:
        raise fields.error(error.field.replace("points", "curve", 1), error.reason) from None


def _market(fields: Fields, decimals: int) -> MarketParameters:
    lot = fields.number("lot", decimals, low=1, high=MAX_SUPPLY)
    market = build(
        fields,
        lambda: MarketParameters(
            tick=fields.number("tick", PRICE_DECIMALS, low=1, high=INT64_MAX),
            lot=lot,
            min_quantity=fields.number("min_quantity", decimals, lot, low=1, high=MAX_SUPPLY),
            min_multiplier=fields.ratio("min_multiplier", high=RATIO),
            max_multiplier=fields.ratio("max_multiplier", low=RATIO, high=WIDEST_MULTIPLIER),
            min_impact_multiplier=fields.ratio("min_impact_multiplier", high=RATIO),
            max_impact_multiplier=fields.ratio(
                "max_impact_multiplier", low=RATIO, high=WIDEST_MULTIPLIER
            ),
        ),
    )
    fields.close()
    return market


def _price(fields: Fields) -> PriceParameters:
    usual = PriceParameters()
    price = build(
        fields,
        lambda: PriceParameters(
            source_weights=fields.counts("source_weights", usual.source_weights),
            min_sources=fields.number("min_sources", 0, usual.min_sources),
            source_clamp=fields.ratio("source_clamp", usual.source_clamp, high=RATIO),
            mark_band=fields.ratio("mark_band", usual.mark_band, high=RATIO // 2),
            ewma_time=fields.seconds("ewma_seconds", usual.ewma_time),
            max_move=fields.ratio("max_move", usual.max_move, high=RATIO),
            max_age=fields.seconds("max_age_seconds", usual.max_age),
            impact_notional=fields.value("impact_notional", usual.impact_notional, low=1),
            move_time=fields.seconds("move_seconds", usual.move_time),
        ),
    )
    fields.close()
    return price
