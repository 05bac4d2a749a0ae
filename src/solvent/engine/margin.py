"""Margin in kernels: what an account is worth, what it must hold, and when it is liquidatable.

As in `reference.margin`, with the same sums in 10^-12 USDC. A portfolio is a row of 3 * n numbers
for n assets: quantities, then debts, then what open orders would borrow.
"""

from enum import IntEnum
from typing import NamedTuple

from solvent.domain.units import FINE_PER_VALUE, INT64_MAX, RATIO
from solvent.engine.ledger import (
    account_row,
    asset_row,
    claim_of,
    debt_of,
    is_stale,
    mark_of,
    position,
    unfunded_of,
)
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up, fine_down, fine_up
from solvent.engine.weights import requirement_up, weighted_value_down
from solvent.kernels.language import Wide, bit, kernel, leading_zeros, narrow, wide, wrapping_sub
from solvent.kernels.rows import Memory

_LAST_BIT = 63


class Doubt(IntEnum):
    """How stale prices are read."""

    NONE = 0
    FOR_ACCOUNT = 1
    AGAINST_ACCOUNT = 2


class Health(NamedTuple):
    """One account's sums, in 10^-12 USDC."""

    net_equity: Wide
    initial: Wide
    maintenance: Wide
    exposure: Wide
    assets_value: Wide
    debts_value: Wide


class HealthReport(NamedTuple):
    """Sums of one account in 10^-6 USDC, as records carry them; nothing is decided by these."""

    net_equity: int
    initial: int
    maintenance: int
    exposure: int
    assets_value: int
    debts_value: int
    total_value: int


@kernel
def total_value(values: Health) -> Wide:
    """Assets less debts at the mark, without weights."""
    return values.assets_value - values.debts_value


@kernel
def surplus(values: Health) -> Wide:
    """NE - M: what 'health' means when two states of one account are compared."""
    return values.net_equity - values.maintenance


@kernel
def is_liquidatable(values: Health) -> bool:
    """MMR >= 100 %: something is owed and net equity is at or below maintenance."""
    return values.debts_value > 0 and values.net_equity <= values.maintenance


@kernel
def report(values: Health) -> HealthReport:
    """The same in 10^-6 USDC for events and receipts, rounded against the account."""
    return HealthReport(
        net_equity=narrow(values.net_equity // FINE_PER_VALUE),
        initial=_recorded_up(values.initial),
        maintenance=_recorded_up(values.maintenance),
        exposure=narrow(divide_up(values.exposure, FINE_PER_VALUE)),
        assets_value=narrow(values.assets_value // FINE_PER_VALUE),
        debts_value=narrow(divide_up(values.debts_value, FINE_PER_VALUE)),
        total_value=narrow(total_value(values) // FINE_PER_VALUE),
    )


@kernel
def _recorded_up(requirement: Wide) -> int:
    return narrow(min(wide(INT64_MAX), divide_up(requirement, FINE_PER_VALUE)))


@kernel
def portfolio_of(s: Store, account: int, portfolio: Memory) -> None:
    """Write what `account` has and owes now into a row."""
    count = s.globals.assets
    for place in range(3 * count):
        portfolio[place] = 0
    holder = account_row(s, account)
    rest = holder.held | holder.unfundeds
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        row = position(s, account, asset)
        portfolio[asset] = row.available + row.locked + claim_of(s, account, asset)
        portfolio[count + asset] = debt_of(s, account, asset)
        portfolio[2 * count + asset] = unfunded_of(s, account, asset)


@kernel
def copy_portfolio(s: Store, source: Memory, target: Memory) -> None:
    """Write a portfolio over another, to ask `what if` of."""
    for place in range(3 * s.globals.assets):
        target[place] = source[place]


@kernel
def receive(s: Store, portfolio: Memory, asset: int, quantity: int) -> None:
    """Add tokens or a claim to a portfolio; a debt in the same asset is repaid first."""
    owed = s.globals.assets + asset
    repaid = min(quantity, portfolio[owed])
    portfolio[owed] -= repaid
    portfolio[asset] += quantity - repaid


@kernel
def first_asset(assets: int) -> int:
    """The lowest number in a set of assets, given as bits, that is not empty."""
    return _LAST_BIT - leading_zeros(assets & wrapping_sub(0, assets))


@kernel
def health_of(s: Store, account: int, doubt: int) -> Health:
    """Health of `account` at the marks in force; as `health` of its portfolio."""
    values = no_health(0)
    holder = account_row(s, account)
    rest = holder.held | holder.unfundeds
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        row = position(s, account, asset)
        quantity = row.available + row.locked + claim_of(s, account, asset)
        debt = debt_of(s, account, asset)
        pending = unfunded_of(s, account, asset)
        values = with_asset(s, values, asset, quantity, debt, pending, doubt)
    return values


@kernel
def health(s: Store, portfolio: Memory, doubt: int, cash: Wide) -> Health:
    """Health of a real or imagined portfolio at the marks in force.

    `cash` is value in 10^-12 USDC on top, for what-if questions finer than an atom.
    """
    count = s.globals.assets
    values = no_health(cash)
    for asset in range(count):
        quantity = portfolio[asset]
        debt = portfolio[count + asset]
        pending = portfolio[2 * count + asset]
        values = with_asset(s, values, asset, quantity, debt, pending, doubt)
    return values


@kernel
def no_health(cash: Wide) -> Health:
    """The sums of who has and owes nothing but `cash`, 10^-12 USDC."""
    zero = wide(0)
    return Health(
        net_equity=cash,
        initial=zero,
        maintenance=zero,
        exposure=zero,
        assets_value=cash,
        debts_value=zero,
    )


@kernel
def with_asset(
    s: Store, values: Health, asset: int, quantity: int, debt: int, pending: int, doubt: int
) -> Health:
    """Sums with what is held and owed of one more asset, and what orders would borrow of it."""
    if not (quantity or debt or pending):
        return values
    net_equity, initial, maintenance, exposure, assets_value, debts_value = values
    row = asset_row(s, asset)
    mark = mark_of(s, asset)
    doubted = doubt != Doubt.NONE and is_stale(s, asset)
    if quantity:
        value = fine_down(quantity, mark, row)
        assets_value += value
        if not doubted:
            net_equity += weighted_value_down(row, quantity, mark, value)
        elif doubt == Doubt.FOR_ACCOUNT:
            open_value = fine_down(max(0, quantity - debt), mark, row)
            net_equity += value + open_value * s.rules.stale_doubt // RATIO
    if debt or pending:
        notional = fine_up(debt, mark, row)
        at_risk = fine_up(debt + pending, mark, row) if pending else notional
        debts_value += notional
        exposure += at_risk
        initial += requirement_up(row.initial_base, row.initial_factor, at_risk)
        if doubted:
            counted = doubted_mark(s, mark, doubt)
            netted = min(quantity, debt)
            notional = fine_up(netted, mark, row) + fine_up(debt - netted, counted, row)
        net_equity -= notional
        maintenance += requirement_up(row.maintenance_base, row.maintenance_factor, notional)
    return Health(net_equity, initial, maintenance, exposure, assets_value, debts_value)


@kernel
def doubted_mark(s: Store, mark: int, doubt: int) -> int:
    """The price at which a stale debt counts: less for the account, and more against it."""
    factor = RATIO + s.rules.stale_doubt
    if doubt == Doubt.FOR_ACCOUNT:
        return narrow(wide(mark) * RATIO // factor)
    return narrow(min(wide(INT64_MAX), divide_up(wide(mark) * factor, RATIO)))


@kernel
def liquidatable(s: Store, account: int) -> bool:
    """Whether `account` is at or above MMR 100 %, stale prices read in its favour."""
    if not account_row(s, account).debts:
        return False
    return is_liquidatable(health_of(s, account, Doubt.FOR_ACCOUNT))


@kernel
def target_restored(s: Store, values: Health) -> bool:
    """Whether NE >= M * (1 + buffer), or nothing is owed."""
    if values.debts_value == 0:
        return True
    spare = surplus(values)
    return spare >= 0 and spare * RATIO >= values.maintenance * s.rules.target_buffer


@kernel
def target_gap(s: Store, values: Health) -> int:
    """What NE lacks of M * (1 + buffer), 10^-6 USDC, rounded up; 0 where nothing is lacking."""
    if target_restored(s, values):
        return 0
    whole = values.maintenance // RATIO
    # As M * buffer // RATIO, of which the product may not fit.
    lacking = whole * s.rules.target_buffer - surplus(values)
    lacking += (values.maintenance - whole * RATIO) * s.rules.target_buffer // RATIO
    return max(1, _recorded_up(lacking))


@kernel
def below_auto_close(s: Store, values: Health) -> bool:
    """Whether MF < ACMF = max(MMF / divisor, MMF - offset), cross-multiplied by the exposure."""
    if values.net_equity * s.rules.auto_close_divisor < values.maintenance:
        return True
    missing = -surplus(values)
    if missing > values.debts_value:
        return True
    return missing * RATIO > values.debts_value * s.rules.auto_close_offset


@kernel
def leverage_exceeded(values: Health, limit: int) -> bool:
    """Whether exposure / net equity is above `limit` (10^-9)."""
    return values.exposure > 0 and values.exposure * RATIO > limit * max(0, values.net_equity)
