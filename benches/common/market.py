"""The market of the benches: eight assets with size haircuts, margin that grows with size, fees.

Figures are those of a mid-sized venue. What matters for speed is that nothing is left out: every
haircut falls with size, every margin fraction rises with it, so no account is a cheap one.
"""

from solvent.domain.parameters import (
    AssetParameters,
    Curve,
    EngineParameters,
    Haircut,
    HaircutKind,
    MarginFunction,
    MarketParameters,
    PoolParameters,
    PriceParameters,
    WaterfallParameters,
)
from solvent.domain.units import PRICE_SCALE, RATIO, SECOND

START = 1_760_000_000 * SECOND
"""Time of every bench's first step, microseconds UTC."""
MARGIN_FACTOR = 30_000
"""Margin fraction per root of a notional in USDC, 10^-9."""

_PERCENT = RATIO // 100
_TOKENS = (
    # symbol, decimals, price in 10^-10 USDC, weight, penalty, initial, maintenance (per cent)
    ("BTC", 8, 100_000 * PRICE_SCALE, 95, 30_000, 7, 4),
    ("ETH", 9, 4_000 * PRICE_SCALE, 93, 40_000, 8, 4),
    ("SOL", 9, 200 * PRICE_SCALE, 90, 100_000, 10, 5),
    ("BNB", 8, 900 * PRICE_SCALE, 90, 100_000, 10, 5),
    ("XRP", 6, 5 * PRICE_SCALE // 2, 85, 150_000, 12, 6),
    ("LINK", 8, 18 * PRICE_SCALE, 80, 200_000, 15, 8),
    ("DOGE", 6, PRICE_SCALE // 5, 75, 300_000, 20, 10),
)
PRICES = (PRICE_SCALE, *(price for _, _, price, *_ in _TOKENS))
"""Price of each asset at the start, 10^-10 USDC per whole token."""


def prices_of(assets: int) -> tuple[int, ...]:
    """The prices of so many assets: beyond the eight, the tokens come again."""
    return (PRICES[0], *(PRICES[1 + place % len(_TOKENS)] for place in range(assets - 1)))


def market(
    waterfall: WaterfallParameters | None = None,
    orders_per_account: int = 200,
    assets: int = len(PRICES),
) -> EngineParameters:
    """Parameters of the market, with this waterfall or the usual one, and so many assets."""
    return EngineParameters(
        assets=(_settlement_asset(), *map(_token, range(assets - 1))),
        waterfall=WaterfallParameters() if waterfall is None else waterfall,
        taker_fee=RATIO // 2000,
        max_orders_per_account=orders_per_account,
        seed=1,
        start_time=START,
    )


def _pool() -> PoolParameters:
    curve = Curve(((0, 0), (80 * _PERCENT, 8 * _PERCENT), (RATIO, 150 * _PERCENT)))
    return PoolParameters(
        curve=curve,
        fee=10 * _PERCENT,
        optimal_utilization=80 * _PERCENT,
        max_utilization=95 * _PERCENT,
        throttle_threshold=90 * _PERCENT,
    )


def _settlement_asset() -> AssetParameters:
    initial = MarginFunction(5 * _PERCENT, MARGIN_FACTOR)
    maintenance = MarginFunction(3 * _PERCENT, MARGIN_FACTOR // 2)
    return AssetParameters("USDC", 6, Haircut(RATIO), initial, maintenance, _pool())


def _token(number: int) -> AssetParameters:
    again, place = divmod(number, len(_TOKENS))
    symbol, decimals, price, weight, penalty, initial, maintenance = _TOKENS[place]
    lot = 10 ** max(0, decimals - 4)
    return AssetParameters(
        symbol=f"{symbol}{again}" if again else symbol,
        decimals=decimals,
        haircut=Haircut(
            weight * _PERCENT, HaircutKind.INVERSE_SQUARE_ROOT, base=RATIO, penalty=penalty
        ),
        initial=MarginFunction(initial * _PERCENT, MARGIN_FACTOR),
        maintenance=MarginFunction(maintenance * _PERCENT, MARGIN_FACTOR // 2),
        pool=_pool(),
        market=MarketParameters(
            tick=price // 10_000,
            lot=lot,
            min_quantity=lot,
            min_multiplier=50 * _PERCENT,
            max_multiplier=200 * _PERCENT,
            min_impact_multiplier=90 * _PERCENT,
            max_impact_multiplier=110 * _PERCENT,
        ),
        price=PriceParameters(),
    )
