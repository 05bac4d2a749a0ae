"""The market in which stories play, and how a row of text changes one of its parameters.

Three assets: USDC, BTC (8 decimals, weight 0.95) and SOL (9 decimals, weight 0.9). Margin is flat,
4 % initial and 2 % maintenance; rates and fees are zero, no throttle, and the book always acts.
A story that needs something else says so with `set`.
"""

from dataclasses import is_dataclass, replace
from enum import IntEnum

from solvent.domain.decimals import Units
from solvent.domain.parameters import (
    AssetParameters,
    Curve,
    EngineParameters,
    Haircut,
    HaircutKind,
    MarginFunction,
    MarketParameters,
    Policy,
    PoolParameters,
    PoolState,
    PriceParameters,
    SizeBy,
    WaterfallParameters,
)
from solvent.domain.units import (
    HOUR,
    PRICE_DECIMALS,
    PRICE_SCALE,
    RATIO,
    RATIO_DECIMALS,
    SECOND,
    VALUE_DECIMALS,
    parse_decimal,
)

UNITS_OF_TIME = {"us": 1, "ms": 1000, "s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": 24 * HOUR}
QUANTITIES = {"open_borrow_lend_limit", "lot", "min_quantity"}
PLAIN = {
    "auto_close_divisor",
    "decimals",
    "seed",
    "max_orders_per_account",
    "min_sources",
    "patience",
}
SWITCHES = {"mark_limits", "opposites", "tiers"}
TIMES = {"commitment_notice", "ewma_time", "interval", "max_age", "move_time", "start_time"}
ENUMS: dict[str, type[IntEnum]] = {
    "state": PoolState,
    "kind": HaircutKind,
    "size_by": SizeBy,
    "lender_policy": Policy,
    "default_policy": Policy,
}


def number(text: str, decimals: int) -> int:
    """An amount as people write it, thousands separated by commas if they like."""
    return parse_decimal(text.replace(",", ""), decimals, signed=True)


def ratio(text: str) -> int:
    """A ratio in 10^-9; `5%` is 0.05."""
    if text.endswith("%"):
        return number(text[:-1], RATIO_DECIMALS - 2)
    return number(text, RATIO_DECIMALS)


def duration(text: str) -> int:
    """Microseconds of `1s`, `10m`, `3h`, `2d`."""
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits) * UNITS_OF_TIME[text[len(digits) :]]


def plain_market(decimals: int) -> MarketParameters:
    """Tick 0.01, lots of a ten-thousandth, wide price band, an impact band of 3 %."""
    lot = 10 ** max(0, decimals - 4)
    band = RATIO * 3 // 4, RATIO * 5 // 4, RATIO * 97 // 100, RATIO * 103 // 100
    return MarketParameters(PRICE_SCALE // 100, lot, lot, *band)


def plain_asset(symbol: str, decimals: int, weight: int) -> AssetParameters:
    """An asset with flat margin, a free pool and no throttle."""
    pool = PoolParameters(
        curve=Curve(((0, 0), (RATIO, 0))),
        fee=0,
        optimal_utilization=RATIO * 8 // 10,
        max_utilization=RATIO,
        throttle_threshold=RATIO,
    )
    return AssetParameters(
        symbol=symbol,
        decimals=decimals,
        haircut=Haircut(weight),
        initial=MarginFunction(RATIO * 4 // 100),
        maintenance=MarginFunction(RATIO * 2 // 100),
        pool=pool,
        market=None if symbol == "USDC" else plain_market(decimals),
        price=PriceParameters(max_age=24 * HOUR),
    )


def plain_parameters() -> EngineParameters:
    """Parameters of the market in which stories play."""
    return EngineParameters(
        assets=(
            plain_asset("USDC", VALUE_DECIMALS, RATIO),
            plain_asset("BTC", 8, RATIO * 95 // 100),
            plain_asset("SOL", 9, RATIO * 9 // 10),
        ),
        waterfall=WaterfallParameters(book_probability=RATIO),
        max_leverage=50 * RATIO,
    )


def with_setting(parameters: EngineParameters, words: list[str]) -> EngineParameters:
    """`set SOL pool.fee 0.1`, `set waterfall.book_fee 0`, `set taker_fee 0.001`."""
    if words[0] in {asset.symbol for asset in parameters.assets}:
        place = Units(parameters).number(words[0])
        asset = parameters.assets[place]
        changed = _changed(asset, words[1].split("."), words[2:], asset.decimals)
        assert isinstance(changed, AssetParameters)
        assets = (*parameters.assets[:place], changed, *parameters.assets[place + 1 :])
        return replace(parameters, assets=assets)
    whole = _changed(parameters, words[0].split("."), words[1:], VALUE_DECIMALS)
    assert isinstance(whole, EngineParameters)
    return whole


def _changed(record: object, path: list[str], values: list[str], decimals: int) -> object:
    assert is_dataclass(record)
    assert not isinstance(record, type)
    name, *rest = path
    if rest:
        inner = _changed(getattr(record, name), rest, values, decimals)
    else:
        inner = _parsed(name, values, decimals)
    return replace(record, **{name: inner})


def _parsed(name: str, values: list[str], decimals: int) -> object:
    """The value of a field by what its name says it measures."""
    text = values[0]
    if name == "points":
        pairs = (point.split(":") for point in values)
        return tuple((ratio(utilization), ratio(rate)) for utilization, rate in pairs)
    if name == "source_weights":
        return tuple(int(value) for value in values)
    if name in ENUMS:
        return ENUMS[name][text.upper()]
    if name in SWITCHES:
        return {"on": True, "off": False}[text]
    if name in TIMES:
        return duration(text)
    if name in PLAIN:
        return int(text)
    if name in QUANTITIES:
        return number(text, decimals)
    if name in ("book_limit", "impact_notional"):
        return number(text, VALUE_DECIMALS)
    if name == "tick":
        return number(text, PRICE_DECIMALS)
    return ratio(text)
