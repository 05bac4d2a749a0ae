"""Random markets for the simulator: parameters drawn to meet the engine's edges, not to be likely.

Every run draws its own assets (2 to 5, 2 to 9 decimals), curves, fees, limits, haircuts, margin
functions, filters, price rules and waterfall. Extremes are drawn as often as usual values: a
throttle that never binds and one that always does, a buffer of zero, an asset without weight, a
book that always acts and one that never does.
"""

from random import Random

from solvent.domain.parameters import (
    MAX_ATOM_VALUE,
    MAX_SUPPLY,
    MAX_VALUE,
    AssetParameters,
    Curve,
    EngineParameters,
    Haircut,
    HaircutKind,
    MarginFunction,
    MarketParameters,
    Policy,
    PoolParameters,
    PriceParameters,
    SizeBy,
    WaterfallParameters,
)
from solvent.domain.units import HOUR, MAX_DECIMALS, PRICE_SCALE, RATIO, SECOND, value_divisor

PERCENT = RATIO // 100
START_TIME = 1_760_000_000 * SECOND
DAY = 24 * HOUR


def random_parameters(rng: Random) -> tuple[EngineParameters, list[int]]:
    """Parameters of one run, and around which price (10^-10 USDC) each asset will trade."""
    anchors = [PRICE_SCALE]
    assets = [_settlement_asset(rng)]
    for number in range(1, rng.choice((2, 3, 3, 4, 4, 5))):
        anchor = rng.randint(1, 9) * 10 ** rng.randint(6, 14)
        assets.append(_asset(rng, f"T{number}", anchor))
        anchors.append(anchor)
    parameters = EngineParameters(
        assets=tuple(assets),
        waterfall=_waterfall(rng),
        maker_fee=rng.choice((0, 0, PERCENT // 10, PERCENT)),
        taker_fee=rng.choice((0, PERCENT // 10, PERCENT)),
        max_leverage=rng.choice((2, 5, 20, 100)) * RATIO,
        max_orders_per_account=rng.choice((2, 20, 20, 100, 100)),
        seed=rng.getrandbits(62),
        start_time=START_TIME + rng.choice((0, 1, HOUR - 1, rng.randrange(HOUR))),
    )
    return parameters, anchors


def _settlement_asset(rng: Random) -> AssetParameters:
    initial, maintenance = _margins(rng)
    return AssetParameters("USDC", 6, Haircut(RATIO), initial, maintenance, _pool(rng, 6))


def _asset(rng: Random, symbol: str, anchor: int) -> AssetParameters:
    digits = len(str(anchor)) - len(str(PRICE_SCALE))
    decimals = rng.randint(min(9, max(2, digits)), 9)
    # The coarsest atom that a first price lets pass is often drawn, and a coarser one never.
    while anchor > MAX_ATOM_VALUE * value_divisor(decimals):
        decimals += 1
    initial, maintenance = _margins(rng)
    lot = 10 ** max(0, decimals - rng.randint(0, 6))
    return AssetParameters(
        symbol=symbol,
        decimals=min(decimals, MAX_DECIMALS),
        haircut=_haircut(rng),
        initial=initial,
        maintenance=maintenance,
        pool=_pool(rng, decimals),
        market=MarketParameters(
            tick=max(1, anchor // rng.choice((100, 10_000, 1_000_000))),
            lot=lot,
            min_quantity=lot * rng.choice((1, 1, 10)),
            min_multiplier=rng.choice((0, 50, 90)) * PERCENT,
            max_multiplier=rng.choice((110, 150, 1000)) * PERCENT,
            min_impact_multiplier=rng.choice((50, 90, 99)) * PERCENT,
            max_impact_multiplier=rng.choice((101, 110, 200)) * PERCENT,
        ),
        price=_price(rng),
    )


def _margins(rng: Random) -> tuple[MarginFunction, MarginFunction]:
    initial = rng.choice((2, 4, 10, 20, 50)) * PERCENT
    maintenance = max(1, initial * rng.choice((20, 50, 60, 90)) // 100)
    factor = rng.choice((0, 0, 10**2, 10**4, 10**5))
    return (
        MarginFunction(initial, factor),
        MarginFunction(maintenance, factor * rng.choice((0, 50, 90)) // 100),
    )


def _haircut(rng: Random) -> Haircut:
    weight = rng.choice((0, 50, 80, 90, 95, 100, 100)) * PERCENT
    if rng.choice((True, True, False)):
        return Haircut(weight)
    return Haircut(
        weight,
        HaircutKind.INVERSE_SQUARE_ROOT,
        base=rng.choice((50, 100, 110)) * PERCENT,
        penalty=10 ** rng.randint(1, 6),
        size_by=rng.choice((SizeBy.NOTIONAL, SizeBy.QUANTITY)),
    )


def _pool(rng: Random, decimals: int) -> PoolParameters:
    highest = rng.choice((100, 100, 100, 95, 80)) * PERCENT
    threshold = rng.choice((highest, highest, highest * 9 // 10, highest // 2, 0))
    limit = 10 ** min(17, decimals + rng.randint(2, 7))
    return PoolParameters(
        curve=_curve(rng),
        fee=rng.choice((0, 1, 10, 15, 30)) * PERCENT,
        optimal_utilization=80 * PERCENT,
        max_utilization=highest,
        throttle_threshold=threshold,
        throttle_update_fraction=rng.choice((0, 0, 1, 10, 50, 100)) * PERCENT,
        open_borrow_lend_limit=rng.choice((MAX_SUPPLY, MAX_SUPPLY, MAX_SUPPLY, limit)),
    )


def _curve(rng: Random) -> Curve:
    places = sorted(rng.sample(range(1, 100), rng.randint(0, 3)))
    rates = sorted(rng.choice((0, 1, 3, 10, 50, 200, 1000)) for _ in range(len(places) + 2))
    points = zip((0, *places, 100), rates, strict=True)
    return Curve(tuple((place * PERCENT, rate * PERCENT) for place, rate in points))


def _price(rng: Random) -> PriceParameters:
    # A stream of its own, so that what is drawn from it moves no draw of the rest of the market.
    apart = Random(repr(rng.getstate()[1][-8:]))
    return PriceParameters(
        source_weights=rng.choice(((1,), (1,), (1, 1), (1, 2, 5))),
        source_clamp=rng.choice((1, 5, 100)) * PERCENT,
        mark_band=rng.choice((0, 1, 5, 50)) * PERCENT,
        ewma_time=rng.choice((1, 60, 3600)) * SECOND,
        max_move=rng.choice((0, 0, 0, 5, 50)) * PERCENT,
        max_age=rng.choice((60 * SECOND, HOUR, DAY, 300 * DAY)),
        impact_notional=apart.choice((1, 10**7, 10**9, 10**10)),
        min_sources=apart.choice((0, 1, 1)),
        move_time=apart.choice((1, 1, 60)) * SECOND,
    )


def _waterfall(rng: Random) -> WaterfallParameters:
    # A stream of its own, so that what is drawn from it moves no draw of the rest of the market.
    apart = Random(repr(rng.getstate()[1][-8:]))
    return WaterfallParameters(
        target_buffer=rng.choice((0, 1, 5, 5, 50)) * PERCENT,
        book_fraction=rng.choice((1, 10, 10, 50, 100)) * PERCENT,
        book_probability=rng.choice((5, 50, 50, 100, 100)) * PERCENT,
        book_fee=rng.choice((0, 1, 1, 5)) * PERCENT,
        book_limit=rng.choice((0, 10**9, MAX_VALUE, MAX_VALUE)),
        auto_close_divisor=rng.choice((1, 2, 2, 10)),
        auto_close_offset=rng.choice((0, 6, 6, 100)) * RATIO // 1000,
        max_discount=rng.choice((0, 1, 5, 5, 20)) * PERCENT,
        fund_share=rng.choice((0, RATIO // 3, RATIO // 3, RATIO)),
        stale_doubt=rng.choice((0, RATIO, 10 * RATIO)),
        opposites_fee=apart.choice((0, 1, 1, 10)) * PERCENT,
        lender_policy=rng.choice(tuple(Policy)),
        default_policy=rng.choice(tuple(Policy)),
        interval=apart.choice((SECOND, SECOND, 7 * SECOND, 60 * SECOND)),
        patience=apart.choice((1, 3, 3, 20)),
        commitment_notice=apart.choice((0, 1, 60 * SECOND, HOUR)),
    )
