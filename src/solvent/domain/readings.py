"""Readings: what engines answer when they are asked, as records of plain numbers.

Both engines give the same ones, and asking changes nothing (I37). Quantities are atoms, prices
10^-10 USDC per whole token, values 10^-6 USDC, ratios 10^-9, unless a record says otherwise.

Deliberately absent: what no engine keeps, such as when an order was placed or what it has filled.
"""

from dataclasses import dataclass
from typing import NamedTuple

from solvent.domain.commands import (
    Borrow,
    Lend,
    PlaceOrder,
    Redeem,
    Repay,
    SelfTradePrevention,
    Side,
    Withdraw,
)
from solvent.domain.parameters import PoolState
from solvent.domain.rejections import Refusal

PoolCommand = Lend | Redeem | Borrow | Repay
AmountCommand = PoolCommand | Withdraw | PlaceOrder

HIGHEST_MULTIPLE = 100
"""Liquidation prices are looked for up to this many times the mark."""


class Balance(NamedTuple):
    """One account's atoms of one asset.

    `lent` is the claim on the pool, rounded down, and `debt` what is owed, rounded up; `unfunded`
    is what open orders would borrow.
    """

    available: int
    locked: int
    lent: int
    debt: int
    unfunded: int


class AccountSettings(NamedTuple):
    """What an account has chosen, and whether it is in the waterfall."""

    auto_lend: bool
    auto_repay_borrows: bool
    auto_borrow_settlements: bool
    leverage_limit: int
    liquidating: bool


class AccountHealth(NamedTuple):
    """One account's sums, rounded against it; nothing is decided by these."""

    net_equity: int
    initial: int
    maintenance: int
    exposure: int
    assets_value: int
    debts_value: int
    total_value: int


class AccountFractions(NamedTuple):
    """Fractions to be shown, 10^-9, None where they say nothing; nothing is decided by these.

    `margin_fraction` is NE / E, `maintenance_ratio` M / NE (liquidation at one or above, None when
    NE <= 0), `leverage` E / NE.
    """

    margin_fraction: int | None
    maintenance_ratio: int | None
    leverage: int | None
    liquidating: bool
    over_leverage_limit: bool


class CollateralValue(NamedTuple):
    """What is held of one asset is worth at the mark, and counts for after the haircut."""

    value: int
    weighted: int


class DebtMargin(NamedTuple):
    """What is owed of one asset at the mark, and the margin fractions at that size."""

    notional: int
    initial: int
    maintenance: int


class PoolReading(NamedTuple):
    """One pool now: utilization (uncapped) and the throttle's bound in force, both 10^-9."""

    utilization: int
    bound: int


class PoolReport(NamedTuple):
    """One pool now: quantities in atoms, utilization, bounds and APRs in 10^-9.

    `withdrawable` is what lenders could take out together by redeeming before the bound.
    """

    lent: int
    borrowed: int
    cash: int
    utilization: int
    borrow_apr: int
    lend_apr: int
    bound: int
    threshold: int
    max_utilization: int
    state: PoolState
    redeemable: int
    withdrawable: int
    gated: bool
    fees: int
    residue: int
    deficit: int


@dataclass(frozen=True, slots=True)
class PriceReading:
    """One asset's price; `updated` is when the index was last made, -1 before it was."""

    index: int
    mark: int
    stale: bool
    halted: bool
    updated: int


class SourceReading(NamedTuple):
    """What a source of a price last said, `time` microseconds UTC, -1 before it said anything."""

    bid: int
    ask: int
    last: int
    time: int
    fresh: bool


class OracleReading(NamedTuple):
    """How an asset's index comes about: `in_doubt` while a cap on moves holds it back."""

    sources: tuple[SourceReading, ...]
    quorum: int
    in_doubt: bool


class OrderReading(NamedTuple):
    """A resting order. `quantity` is what is left of it; all that rest are good till cancelled.

    `locked` atoms of what it pays with are held, `unfunded` more would be borrowed.
    """

    order: int
    account: int
    asset: int
    side: Side
    price: int
    quantity: int
    locked: int
    unfunded: int
    reduce_only: bool
    auto_borrow: bool
    auto_borrow_repay: bool
    self_trade_prevention: SelfTradePrevention
    client_id: int


class Level(NamedTuple):
    """All that rests at one price of one side of a market."""

    price: int
    quantity: int


class Depth(NamedTuple):
    """The two sides of a market, best price first."""

    bids: list[Level]
    asks: list[Level]


class LiquidationPrices(NamedTuple):
    """Marks of one asset, all else equal, at which an account is liquidatable; None: never.

    `below`: the highest mark under the present one; `above`: the lowest mark over it.
    """

    below: int | None
    above: int | None


class StandingBy(NamedTuple):
    """Who stands by: with `posted` atoms of USDC at `premium` (10^-9), called in this order.

    Of it `leaving` atoms are called until time `leaves_at`, both 0 for none.
    """

    account: int
    posted: int
    premium: int
    leaving: int
    leaves_at: int


class Trade(NamedTuple):
    """An imagined fill: atoms that an account gives of one asset and gets of another."""

    account: int
    gives: int
    paid: int
    gets: int
    got: int


class AfterTrade(NamedTuple):
    """An account after a trade: M / NE (10^-9, None without debts or equity) and marks of an asset.

    `borrowed` atoms of what it gives it would owe more.
    """

    maintenance_ratio: int | None
    prices: LiquidationPrices
    borrowed: int


class Bound(NamedTuple):
    """The most that may be asked for, and what refuses more; None where more is merely not done.

    A market order ends where the book's impact band does, a repayment with the debt.
    """

    largest: int
    refusal: Refusal | None


class AdlForecast(NamedTuple):
    """How a round of a given size would treat a borrower today.

    `rank` counts from 1, most levered first, among `candidates`; `allotted` atoms of its debt
    would be settled, for `value` (10^-6 USDC). `cash_left` is what redemptions can still take
    before the pool is empty and case L becomes possible.
    """

    rank: int
    candidates: int
    allotted: int
    value: int
    cash_left: int


def nearest(prices: LiquidationPrices, mark: int) -> int | None:
    """The one of two prices that is nearer to a mark; None if there is none."""
    found = [price for price in prices if price is not None]
    return min(found, key=lambda price: abs(price - mark), default=None)
