"""Margin: what an account is worth, what it must hold, and when it is liquidatable.

For an account with quantity q_a (available, locked and lent: lent tokens count in full, A5) and
debt d_a of each asset, at mark prices:

    net equity NE   = sum q * mark * weight - sum d * mark
    total value TV  = sum q * mark - sum d * mark           (no weights)
    exposure E      = sum N_a,  N_a = d_a * mark_a
    initial I       = sum N_a * imf_a(N_a), maintenance M = sum N_a * mmf_a(N_a)

All sums are in 10^-12 USDC. It is liquidatable when E > 0 and NE <= M. Fractions such as MMR =
M / NE are for display: here integers are compared by cross-multiplying, never by dividing, so no
rounding decides. Collateral rounds down, debts and requirements round up.

A stale price gets the benefit of the doubt when it would liquidate (collateral counts for more,
debt for less, each beyond what the other nets at one price), and none when it would allow new risk
(collateral counts nothing, debt for more).

Specification: section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from solvent.domain.parameters import AssetParameters, Haircut, HaircutKind, MarginFunction, SizeBy
from solvent.domain.units import (
    FINE_PER_VALUE,
    FINE_SCALE,
    INT64_MAX,
    PRICE_SCALE,
    RATIO,
    SQUARE_ROOT_SCALE,
    VALUE_DECIMALS,
    check_int128,
    divide_up,
    fine_down,
    fine_up,
    mul_div_up,
    square_root_up,
    value_up,
)
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.state import State

_SIZE_UNIT = int(10**VALUE_DECIMALS)
"""Sizes by quantity are counted in millionths of a token."""


@dataclass(slots=True)
class Portfolio:
    """Quantities and debts per asset, in atoms: what an account has, or would have."""

    quantities: list[int]
    debts: list[int]
    unfunded: list[int]

    def copy(self) -> "Portfolio":
        """An independent copy, to ask `what if` of."""
        return Portfolio(list(self.quantities), list(self.debts), list(self.unfunded))

    def receive(self, asset: int, quantity: int) -> None:
        """Add tokens or a claim; a debt in the same asset is repaid first."""
        repaid = min(quantity, self.debts[asset])
        self.debts[asset] -= repaid
        self.quantities[asset] += quantity - repaid


class Doubt(IntEnum):
    """How stale prices are read."""

    NONE = 0
    FOR_ACCOUNT = 1
    AGAINST_ACCOUNT = 2


class Health(NamedTuple):
    """One account's sums, in 10^-12 USDC and at most 128 bits."""

    net_equity: int
    initial: int
    maintenance: int
    exposure: int
    assets_value: int
    debts_value: int

    @property
    def total_value(self) -> int:
        """Assets less debts at the mark, without weights."""
        return self.assets_value - self.debts_value

    @property
    def surplus(self) -> int:
        """NE - M: what 'health' means when two states of one account are compared."""
        return self.net_equity - self.maintenance

    @property
    def liquidatable(self) -> bool:
        """MMR >= 100 %: something is owed and net equity is at or below maintenance."""
        return self.debts_value > 0 and self.net_equity <= self.maintenance

    def report(self) -> "HealthReport":
        """The same in 10^-6 USDC for events and receipts, rounded against the account.

        A requirement beyond what a record can hold is recorded as the most that it can.
        """
        return HealthReport(
            net_equity=self.net_equity // FINE_PER_VALUE,
            initial=min(INT64_MAX, divide_up(self.initial, FINE_PER_VALUE)),
            maintenance=min(INT64_MAX, divide_up(self.maintenance, FINE_PER_VALUE)),
            exposure=divide_up(self.exposure, FINE_PER_VALUE),
            assets_value=self.assets_value // FINE_PER_VALUE,
            debts_value=divide_up(self.debts_value, FINE_PER_VALUE),
            total_value=self.total_value // FINE_PER_VALUE,
        )


class HealthReport(NamedTuple):
    """Sums of one account in 10^-6 USDC, as records carry them; nothing is decided by these."""

    net_equity: int
    initial: int
    maintenance: int
    exposure: int
    assets_value: int
    debts_value: int
    total_value: int


def portfolio_of(state: State, account: int) -> Portfolio:
    """What `account` has and owes now."""
    holder = state.accounts[account]
    count = len(state.pools)
    quantities = [
        holder.available[asset]
        + holder.locked[asset]
        + (claim_of(state, account, asset) if holder.lent_shares[asset] else 0)
        for asset in range(count)
    ]
    debts = [
        debt_of(state, account, asset) if holder.debt_shares[asset] else 0 for asset in range(count)
    ]
    return Portfolio(quantities, debts, list(holder.unfunded))


def health_of(state: State, account: int, doubt: Doubt = Doubt.NONE) -> Health:
    """Health of `account` at the marks in force."""
    return health(state, portfolio_of(state, account), doubt)


def health(
    state: State,
    portfolio: Portfolio,
    doubt: Doubt = Doubt.NONE,
    *,
    cash: int = 0,
    marks: Sequence[int] | None = None,
) -> Health:
    """Health of a real or imagined portfolio, at the marks in force or at imagined ones.

    `cash` is value in 10^-12 USDC on top, for what-if questions finer than an atom.
    """
    net_equity = assets_value = cash
    initial = maintenance = exposure = debts_value = 0
    for number, asset in enumerate(state.parameters.assets):
        quantity = portfolio.quantities[number]
        debt = portfolio.debts[number]
        pending = portfolio.unfunded[number]
        if not (quantity or debt or pending):
            continue
        mark = state.prices[number].mark if marks is None else marks[number]
        doubted = doubt is not Doubt.NONE and state.prices[number].stale
        netted = min(quantity, debt)
        if quantity:
            value = fine_down(quantity, mark, asset.decimals)
            assets_value += value
            if not doubted:
                net_equity += weighted_down(asset, quantity, mark)
            # A stale price gives collateral without haircut, and more than that, where the question
            # is whether to liquidate. AGAINST_ACCOUNT it counts nothing.
            elif doubt is Doubt.FOR_ACCOUNT:
                open_value = fine_down(quantity - netted, mark, asset.decimals)
                net_equity += value + open_value * state.parameters.waterfall.stale_doubt // RATIO
        if debt or pending:
            notional = at_risk = fine_up(debt, mark, asset.decimals)
            debts_value += notional
            if pending:
                at_risk = fine_up(debt + pending, mark, asset.decimals)
            exposure += at_risk
            initial += requirement_up(asset.initial, at_risk)
            if doubted:
                # Only the debt that no holding of the same asset covers is doubted: on the rest a
                # wrong price errs on both sides alike.
                notional = fine_up(netted, mark, asset.decimals)
                counted = doubted_mark(state, mark, doubt)
                notional += fine_up(debt - netted, counted, asset.decimals)
            net_equity -= notional
            maintenance += requirement_up(asset.maintenance, notional)
    return Health(
        check_int128(net_equity),
        check_int128(initial),
        check_int128(maintenance),
        check_int128(exposure),
        check_int128(assets_value),
        check_int128(debts_value),
    )


def doubted_mark(state: State, mark: int, doubt: Doubt) -> int:
    """The price at which a stale debt counts: less for the account, and more against it."""
    factor = RATIO + state.parameters.waterfall.stale_doubt
    if doubt is Doubt.FOR_ACCOUNT:
        return mark * RATIO // factor
    return min(INT64_MAX, divide_up(mark * factor, RATIO))


def weighted_down(asset: AssetParameters, quantity: int, mark: int) -> int:
    """Collateral value of `quantity` atoms after the haircut, in 10^-12 USDC.

    Never falls as the quantity rises, so that a gift never lowers health (I11): the root of the
    size goes in whole steps, and within a step the value is at least that of the step before.
    """
    haircut = asset.haircut
    value = fine_down(quantity, mark, asset.decimals)
    if haircut.kind is HaircutKind.IDENTITY:
        return value * haircut.weight // RATIO
    if haircut.size_by is SizeBy.NOTIONAL:
        root = square_root_up(value_up(quantity, mark, asset.decimals))
        # The largest size of the step before, whose weight is the higher one.
        step_before = (root - 1) ** 2 * FINE_PER_VALUE if root else 0
    else:
        root = square_root_up(divide_up(quantity * _SIZE_UNIT, 10**asset.decimals))
        before = (root - 1) ** 2 * mark // (PRICE_SCALE * _SIZE_UNIT // FINE_SCALE)
        step_before = check_int128(before) if root else 0
    return max(
        weighted_at(haircut, value, root), weighted_at(haircut, step_before, max(0, root - 1))
    )


def weighted_at(haircut: Haircut, value: int, root: int) -> int:
    """Part of a value that counts at a square root of size, the root in 10^-3, rounded down.

    A whale's weight is not rounded by itself. From a root r to the next a size grows by a part of
    2 / r and its weight falls by 1 / r at most; a unit of 10^-9 is more than the difference where
    the weight has fewer of them than r, and what counts would fall.
    """
    weight = weight_at(haircut, root)
    if root + 3 <= weight:
        return value * weight // RATIO
    divisor = RATIO * SQUARE_ROOT_SCALE + haircut.penalty * root
    scaled = check_int128(value * haircut.base * SQUARE_ROOT_SCALE) // divisor
    return min(value * haircut.weight // RATIO, scaled)


def weight_at(haircut: Haircut, root: int) -> int:
    """Weight in 10^-9 at a square root of size, the root in 10^-3: min(w, b / (1 + p * root))."""
    unit = RATIO * SQUARE_ROOT_SCALE
    return min(haircut.weight, haircut.base * unit // (unit + haircut.penalty * root))


def weight_of(asset: AssetParameters, quantity: int, mark: int) -> int:
    """The share of its value that a quantity counts for, in 10^-9, rounded up."""
    value = fine_down(quantity, mark, asset.decimals)
    if value == 0:
        return asset.haircut.weight
    return divide_up(weighted_down(asset, quantity, mark) * RATIO, value)


def margin_fraction_up(function: MarginFunction, notional: int) -> int:
    """max(base, factor * sqrt(notional)) in 10^-9."""
    root = square_root_up(notional)
    return max(function.base, mul_div_up(function.factor, root, SQUARE_ROOT_SCALE))


def requirement_up(function: MarginFunction, notional: int) -> int:
    """Margin that a debt of `notional` requires, both in 10^-12 USDC.

    No size is above 2^63 of 10^-6 USDC, which only a doubted debt can count for (I43).
    """
    fraction = function.base
    if function.factor:
        size = min(INT64_MAX, divide_up(notional, FINE_PER_VALUE))
        fraction = margin_fraction_up(function, size)
    return divide_up(notional * fraction, RATIO)


def liquidatable(state: State, account: int) -> bool:
    """Whether `account` is at or above MMR 100 %, stale prices read in its favour."""
    holder = state.accounts[account]
    if not any(holder.debt_shares):
        return False
    return health_of(state, account, Doubt.FOR_ACCOUNT).liquidatable


def target_restored(state: State, values: Health) -> bool:
    """Whether NE >= M * (1 + buffer), or nothing is owed."""
    if values.debts_value == 0:
        return True
    buffer = state.parameters.waterfall.target_buffer
    return values.net_equity * RATIO >= values.maintenance * (RATIO + buffer)


def target_gap(state: State, values: Health) -> int:
    """What NE lacks of M * (1 + buffer), 10^-6 USDC, rounded up; 0 where nothing is lacking."""
    if target_restored(state, values):
        return 0
    buffer = state.parameters.waterfall.target_buffer
    lacking = values.maintenance + values.maintenance * buffer // RATIO - values.net_equity
    return min(INT64_MAX, max(1, divide_up(lacking, FINE_PER_VALUE)))


def below_auto_close(state: State, values: Health) -> bool:
    """Whether MF < ACMF = max(MMF / divisor, MMF - offset), cross-multiplied by the exposure."""
    waterfall = state.parameters.waterfall
    divided = values.net_equity * waterfall.auto_close_divisor < values.maintenance
    offset = values.debts_value * waterfall.auto_close_offset
    shifted = values.net_equity * RATIO < values.maintenance * RATIO - offset
    return divided or shifted


def leverage_exceeded(values: Health, limit: int) -> bool:
    """Whether exposure / net equity is above `limit` (10^-9)."""
    return values.exposure > 0 and values.exposure * RATIO > limit * max(0, values.net_equity)
