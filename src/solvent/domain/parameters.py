"""Parameters: everything that a risk admin tunes, validated once, every error naming its field.

Ratios are integers of 10^-9, prices of 10^-10 USDC, values of 10^-6 USDC, quantities atoms, times
microseconds. Asset 0 is always USDC: it has no market, its price is one, and its atom is the unit
of value. A parameter object that exists is valid; engines never check it again.

Deliberately absent: defaults for a particular venue. The scenario files carry those.
"""

from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TypeVar

from solvent.domain.units import (
    HOUR,
    INSTEAD_OF_A_FLOAT,
    INT64_MAX,
    MAX_DECIMALS,
    RATIO,
    SECOND,
    VALUE_DECIMALS,
    value_divisor,
)

USDC = 0
MAX_ASSETS = 64
MIN_CURVE_POINTS = 2
MAX_CURVE_POINTS = 16
MAX_SYMBOL = 8
MAX_SOURCES = 8
MAX_APR = 100 * RATIO
MAX_MARGIN_RATIO = 10 * RATIO
MAX_SUPPLY = 10**18
MAX_SHARES = 8 * MAX_SUPPLY
MAX_VALUE = 2**60
MAX_ATOM_VALUE = 50_000
"""10^-6 USDC: an asset of which an atom is worth more when it is first priced is refused."""
MAX_IMPACT_NOTIONAL = 10**15
MAX_LEVERAGE = 100 * RATIO
MAX_PATIENCE = 1000
MIN_INTERVAL = SECOND // 10
MIN_BOOK_FRACTION = RATIO // 100
MAX_NOTICE = 366 * 24 * HOUR


class ParameterError(ValueError):
    """A parameter is out of its range. `field` is its dotted name, `reason` what to change."""

    def __init__(self, field_name: str, reason: str) -> None:
        super().__init__(f"{field_name}: {reason}")
        self.field = field_name
        self.reason = reason

    def within(self, prefix: str) -> "ParameterError":
        """The same error with its field named from one level further out."""
        return ParameterError(f"{prefix}.{self.field}", self.reason)


def _between(name: str, value: int, low: int, high: int) -> None:
    _refuse_float(name, value)
    if not isinstance(value, int):
        raise ParameterError(name, f"must be an integer, is {value!r}")
    if not low <= value <= high:
        raise ParameterError(name, f"must lie between {low} and {high}, is {value}")


def _switch(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ParameterError(name, f"must be True or False, is {value!r}")


def _refuse_floats(record: "ParameterRecord") -> None:
    """Name the field of a float before anything is compared with it."""
    for each in fields(record):
        _refuse_float(each.name, getattr(record, each.name))


def _refuse_float(name: str, value: object) -> None:
    if isinstance(value, float):
        raise ParameterError(name, f"{value!r} is a float: {INSTEAD_OF_A_FLOAT}")


class PoolState(IntEnum):
    """Open takes everything; RepayOnly no new borrow or lend; Closed, besides, no redemption."""

    OPEN = 0
    CLOSED = 1
    REPAY_ONLY = 2


class HaircutKind(IntEnum):
    """Shape of a collateral weight."""

    IDENTITY = 0
    INVERSE_SQUARE_ROOT = 1


class SizeBy(IntEnum):
    """What the inverse-square-root haircut measures size in: USDC notional or whole tokens."""

    NOTIONAL = 0
    QUANTITY = 1


class Policy(IntEnum):
    """How ADL picks counterparties."""

    LEVERAGE = 0
    PRO_RATA = 1
    QUEUE = 2
    LARGEST_LOAN = 3
    RISK_WEIGHTED = 4


@dataclass(frozen=True, slots=True)
class Haircut:
    """Collateral weight: `weight`, or min(weight, base / (1 + penalty * sqrt(size)))."""

    weight: int
    kind: HaircutKind = HaircutKind.IDENTITY
    base: int = RATIO
    penalty: int = 0
    size_by: SizeBy = SizeBy.NOTIONAL

    def __post_init__(self) -> None:
        _refuse_floats(self)
        _between("weight", self.weight, 0, RATIO)
        _between("base", self.base, 1, 2 * RATIO)
        _between("penalty", self.penalty, 0, RATIO)


@dataclass(frozen=True, slots=True)
class MarginFunction:
    """Margin fraction max(base, factor * sqrt(notional in USDC))."""

    base: int
    factor: int = 0

    def __post_init__(self) -> None:
        _refuse_floats(self)
        _between("base", self.base, 1, MAX_MARGIN_RATIO)
        _between("factor", self.factor, 0, RATIO)


@dataclass(frozen=True, slots=True)
class Curve:
    """Piecewise-linear borrow rate: points (utilization, APR), utilization from 0 to 1."""

    points: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        for number, (utilization, rate) in enumerate(self.points):
            _refuse_float(f"points[{number}].utilization", utilization)
            _refuse_float(f"points[{number}].rate", rate)
        if not MIN_CURVE_POINTS <= len(self.points) <= MAX_CURVE_POINTS:
            raise ParameterError("points", f"needs {MIN_CURVE_POINTS} to {MAX_CURVE_POINTS} points")
        if self.points[0][0] != 0 or self.points[-1][0] != RATIO:
            raise ParameterError("points", "must start at utilization 0 and end at utilization 1")
        for number, (utilization, rate) in enumerate(self.points):
            _between(f"points[{number}].rate", rate, 0, MAX_APR)
            if number and utilization <= self.points[number - 1][0]:
                raise ParameterError(f"points[{number}].utilization", "must rise from the last one")
            if number and rate < self.points[number - 1][1]:
                raise ParameterError(f"points[{number}].rate", "must not fall with utilization")


@dataclass(frozen=True, slots=True)
class PoolParameters:
    """One asset's borrow/lend pool."""

    curve: Curve
    fee: int
    optimal_utilization: int
    max_utilization: int
    throttle_threshold: int
    throttle_update_fraction: int = 0
    open_borrow_lend_limit: int = MAX_SUPPLY
    state: PoolState = PoolState.OPEN

    def __post_init__(self) -> None:
        _refuse_floats(self)
        _between("fee", self.fee, 0, RATIO)
        _between("optimal_utilization", self.optimal_utilization, 0, RATIO)
        _between("max_utilization", self.max_utilization, 0, RATIO)
        _between("throttle_threshold", self.throttle_threshold, 0, RATIO)
        _between("throttle_update_fraction", self.throttle_update_fraction, 0, RATIO)
        _between("open_borrow_lend_limit", self.open_borrow_lend_limit, 0, MAX_SUPPLY)
        if self.throttle_threshold > self.max_utilization:
            raise ParameterError("throttle_threshold", "must not exceed max_utilization")


@dataclass(frozen=True, slots=True)
class MarketParameters:
    """The spot market of an asset against USDC: filters and bands, multipliers as ratios."""

    tick: int
    lot: int
    min_quantity: int
    min_multiplier: int
    max_multiplier: int
    min_impact_multiplier: int
    max_impact_multiplier: int

    def __post_init__(self) -> None:
        _refuse_floats(self)
        _between("tick", self.tick, 1, INT64_MAX)
        _between("lot", self.lot, 1, MAX_SUPPLY)
        _between("min_quantity", self.min_quantity, 1, MAX_SUPPLY)
        if self.min_quantity % self.lot:
            raise ParameterError("min_quantity", "must be a multiple of lot")
        _between("min_multiplier", self.min_multiplier, 0, RATIO)
        _between("max_multiplier", self.max_multiplier, RATIO, 100 * RATIO)
        _between("min_impact_multiplier", self.min_impact_multiplier, 0, RATIO)
        _between("max_impact_multiplier", self.max_impact_multiplier, RATIO, 100 * RATIO)


@dataclass(frozen=True, slots=True)
class PriceParameters:
    """How an asset's index and mark are made from its sources' quotes.

    `source_weights` gives the number of sources; `source_clamp` holds each source near the median
    of all; `mark_band` holds the mark near the index; `impact_notional` is what the book must hold
    on either side, 10^-6 USDC, to move the mark; `max_move` caps how far the index moves in each
    `move_time` (0: no cap). A quote older than `max_age` does not count, and with fewer than
    `min_sources` quotes that do (0: more than half of the sources) the index is stale.
    """

    source_weights: tuple[int, ...] = (1,)
    source_clamp: int = RATIO * 1 // 100
    mark_band: int = RATIO * 5 // 100
    ewma_time: int = 60 * SECOND
    max_move: int = 0
    max_age: int = 600 * SECOND
    impact_notional: int = 10_000 * 10**VALUE_DECIMALS
    min_sources: int = 0
    move_time: int = SECOND

    @property
    def quorum(self) -> int:
        """How many sources must be fresh for an index."""
        return self.min_sources or len(self.source_weights) // 2 + 1

    def __post_init__(self) -> None:
        _refuse_floats(self)
        if not 1 <= len(self.source_weights) <= MAX_SOURCES:
            raise ParameterError("source_weights", f"needs 1 to {MAX_SOURCES} sources")
        for number, weight in enumerate(self.source_weights):
            _between(f"source_weights[{number}]", weight, 1, 1000)
        _between("source_clamp", self.source_clamp, 0, RATIO)
        _between("mark_band", self.mark_band, 0, RATIO // 2)
        _between("ewma_time", self.ewma_time, 1, 24 * HOUR)
        _between("max_move", self.max_move, 0, RATIO)
        _between("max_age", self.max_age, 1, 366 * 24 * HOUR)
        _between("impact_notional", self.impact_notional, 1, MAX_IMPACT_NOTIONAL)
        _between("min_sources", self.min_sources, 0, len(self.source_weights))
        _between("move_time", self.move_time, 1, 24 * HOUR)


@dataclass(frozen=True, slots=True)
class AssetParameters:
    """One asset: its unit, its value as collateral, its margin as debt, its pool and market."""

    symbol: str
    decimals: int
    haircut: Haircut
    initial: MarginFunction
    maintenance: MarginFunction
    pool: PoolParameters
    market: MarketParameters | None = None
    price: PriceParameters = field(default_factory=PriceParameters)

    def __post_init__(self) -> None:
        _refuse_floats(self)
        plain = self.symbol.isascii() and self.symbol.isalnum()
        if not (plain and len(self.symbol) <= MAX_SYMBOL):
            reason = f"needs 1 to {MAX_SYMBOL} letters or digits, is {self.symbol!r}"
            raise ParameterError("symbol", reason)
        _between("decimals", self.decimals, 0, MAX_DECIMALS)
        if self.maintenance.base > self.initial.base:
            raise ParameterError("maintenance.base", "must not exceed initial.base")
        if self.maintenance.factor > self.initial.factor:
            raise ParameterError("maintenance.factor", "must not exceed initial.factor")

    @property
    def highest_first_price(self) -> int:
        """The price (10^-10 USDC a token) at which an atom is worth 0.05 USDC."""
        return MAX_ATOM_VALUE * value_divisor(self.decimals)


@dataclass(frozen=True, slots=True)
class WaterfallParameters:
    """The three stages, their clock, and how they hand over.

    A pass is made every `interval`; after short attempts that add up to `patience` whole ones the
    book hands over; a commitment is withdrawn `commitment_notice` after it was asked for.
    `opposites`, `tiers` and `mark_limits` are rules that can be switched off, to compare.
    """

    target_buffer: int = RATIO * 5 // 100
    book_fraction: int = RATIO * 10 // 100
    book_probability: int = RATIO * 50 // 100
    book_fee: int = RATIO * 1 // 100
    book_limit: int = MAX_VALUE
    auto_close_divisor: int = 2
    auto_close_offset: int = RATIO * 6 // 1000
    max_discount: int = RATIO * 5 // 100
    fund_share: int = RATIO // 3
    stale_doubt: int = RATIO
    opposites_fee: int = RATIO * 1 // 100
    lender_policy: Policy = Policy.LEVERAGE
    default_policy: Policy = Policy.PRO_RATA
    interval: int = SECOND
    patience: int = 3
    commitment_notice: int = HOUR
    opposites: bool = True
    tiers: bool = True
    mark_limits: bool = True

    def __post_init__(self) -> None:
        _refuse_floats(self)
        _between("target_buffer", self.target_buffer, 0, RATIO)
        _between("book_fraction", self.book_fraction, MIN_BOOK_FRACTION, RATIO)
        _between("book_probability", self.book_probability, 1, RATIO)
        _between("book_fee", self.book_fee, 0, RATIO // 10)
        _between("book_limit", self.book_limit, 0, MAX_VALUE)
        _between("auto_close_divisor", self.auto_close_divisor, 1, 1000)
        _between("auto_close_offset", self.auto_close_offset, 0, RATIO)
        _between("max_discount", self.max_discount, 0, RATIO // 2)
        _between("fund_share", self.fund_share, 0, RATIO)
        _between("stale_doubt", self.stale_doubt, 0, 100 * RATIO)
        _between("interval", self.interval, MIN_INTERVAL, HOUR)
        _between("patience", self.patience, 1, MAX_PATIENCE)
        _between("commitment_notice", self.commitment_notice, 0, MAX_NOTICE)
        _between("opposites_fee", self.opposites_fee, 0, RATIO // 10)
        _switch("opposites", self.opposites)
        _switch("tiers", self.tiers)
        _switch("mark_limits", self.mark_limits)


@dataclass(frozen=True, slots=True)
class EngineParameters:
    """All parameters of one engine. `assets[0]` is USDC."""

    assets: tuple[AssetParameters, ...]
    waterfall: WaterfallParameters = field(default_factory=WaterfallParameters)
    maker_fee: int = 0
    taker_fee: int = 0
    max_leverage: int = 10 * RATIO
    max_orders_per_account: int = 200
    seed: int = 0
    start_time: int = 0

    def __post_init__(self) -> None:
        _refuse_floats(self)
        if not 1 <= len(self.assets) <= MAX_ASSETS:
            raise ParameterError("assets", f"needs 1 to {MAX_ASSETS} assets")
        self._check_settlement_asset(self.assets[USDC])
        symbols = [asset.symbol for asset in self.assets]
        if len(set(symbols)) != len(symbols):
            raise ParameterError("assets", "two assets share one symbol")
        for asset in self.assets[1:]:
            if asset.market is None:
                raise ParameterError(f"assets.{asset.symbol}.market", "is missing")
        _between("maker_fee", self.maker_fee, 0, RATIO // 10)
        _between("taker_fee", self.taker_fee, 0, RATIO // 10)
        _between("max_leverage", self.max_leverage, RATIO, MAX_LEVERAGE)
        _between("max_orders_per_account", self.max_orders_per_account, 1, 10_000)
        _between("seed", self.seed, 0, INT64_MAX)
        _between("start_time", self.start_time, 0, INT64_MAX // 2)

    @staticmethod
    def _check_settlement_asset(asset: AssetParameters) -> None:
        if asset.symbol != "USDC":
            raise ParameterError("assets[0].symbol", f"must be USDC, is {asset.symbol}")
        if asset.decimals != VALUE_DECIMALS:
            raise ParameterError("assets[0].decimals", f"must be {VALUE_DECIMALS}")
        if asset.market is not None:
            raise ParameterError("assets[0].market", "USDC has no market against itself")
        if asset.haircut.weight != RATIO or asset.haircut.kind is not HaircutKind.IDENTITY:
            raise ParameterError("assets[0].haircut", "USDC must have weight 1, flat")


ParameterRecord = (
    EngineParameters
    | WaterfallParameters
    | AssetParameters
    | PriceParameters
    | MarketParameters
    | PoolParameters
    | Curve
    | MarginFunction
    | Haircut
)
Record = TypeVar("Record", bound=ParameterRecord)
"""Any parameter record."""
