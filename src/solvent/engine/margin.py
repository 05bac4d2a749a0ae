"""Margin in kernels: what an account is worth, what it must hold, and when it is liquidatable.

As in `reference.margin`, with the same sums in 10^-12 USDC. A portfolio is a row of 3 * n numbers
for n assets: quantities, then debts, then what open orders would borrow. Margin is asked for more
often than anything else, so roots and long divisions are left out wherever a comparison of products
proves that they cannot change the result.
"""

from enum import IntEnum
from typing import NamedTuple

from solvent.domain.parameters import HaircutKind, SizeBy
from solvent.domain.units import (
    FINE_PER_VALUE,
    FINE_SCALE,
    PRICE_SCALE,
    RATIO,
    SQUARE_ROOT_SCALE,
    VALUE_SCALE,
)
from solvent.engine.language import (
    Memory,
    Store,
    Wide,
    bit,
    isqrt,
    kernel,
    leading_zeros,
    narrow,
    wide,
    wrapping_sub,
)
from solvent.engine.layout import (
    ASSETS,
    AUTO_CLOSE_DIVISOR,
    AUTO_CLOSE_OFFSET,
    AVAILABLE,
    DEBTS,
    HAIRCUT_BASE,
    HAIRCUT_KIND,
    HAIRCUT_PENALTY,
    HELD,
    INITIAL_BASE,
    INITIAL_FACTOR,
    LOCKED,
    MAINTENANCE_BASE,
    MAINTENANCE_FACTOR,
    SIZE_BY,
    STALE_DOUBT,
    TARGET_BUFFER,
    UNFUNDED,
    UNFUNDEDS,
    UNIT,
    WEIGHT,
)
from solvent.engine.ledger import (
    account_row,
    asset_row,
    claim_of,
    debt_of,
    is_stale,
    mark_of,
    position,
)
from solvent.engine.units import (
    divide_up,
    fine_down,
    fine_up,
    mul_div_up,
    square_root_up,
    value_up,
)

_WEIGHT_UNIT = RATIO * SQUARE_ROOT_SCALE
_STEP_DIVISOR = PRICE_SCALE * VALUE_SCALE // FINE_SCALE
"""A size in 10^-6 tokens times a mark, divided by this, is a value in 10^-12 USDC."""
_SHORT = 2**62
"""Below this, shares of a value are computed in 64 bits."""
_LONGEST_ROOT = 10**9
_ROOT_STEP = 2**11
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
        initial=narrow(divide_up(values.initial, FINE_PER_VALUE)),
        maintenance=narrow(divide_up(values.maintenance, FINE_PER_VALUE)),
        exposure=narrow(divide_up(values.exposure, FINE_PER_VALUE)),
        assets_value=narrow(values.assets_value // FINE_PER_VALUE),
        debts_value=narrow(divide_up(values.debts_value, FINE_PER_VALUE)),
        total_value=narrow(total_value(values) // FINE_PER_VALUE),
    )


@kernel
def portfolio_of(s: Store, account: int, portfolio: Memory) -> None:
    """Write what `account` has and owes now into a row."""
    count = s.globals[ASSETS]
    for asset in range(count):
        row = position(s, account, asset)
        portfolio[asset] = row[AVAILABLE] + row[LOCKED] + claim_of(s, account, asset)
        portfolio[count + asset] = debt_of(s, account, asset)
        portfolio[2 * count + asset] = row[UNFUNDED]


@kernel
def copy_portfolio(s: Store, source: Memory, target: Memory) -> None:
    """Write a portfolio over another, to ask `what if` of."""
    for place in range(3 * s.globals[ASSETS]):
        target[place] = source[place]


@kernel
def receive(s: Store, portfolio: Memory, asset: int, quantity: int) -> None:
    """Add tokens or a claim to a portfolio; a debt in the same asset is repaid first."""
    owed = s.globals[ASSETS] + asset
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
    values = _nothing(0)
    holder = account_row(s, account)
    rest = holder[HELD] | holder[UNFUNDEDS]
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        row = position(s, account, asset)
        quantity = row[AVAILABLE] + row[LOCKED] + claim_of(s, account, asset)
        debt = debt_of(s, account, asset)
        values = _with_asset(s, values, asset, quantity, debt, row[UNFUNDED], doubt)
    return values


@kernel
def health(s: Store, portfolio: Memory, doubt: int, cash: Wide) -> Health:
    """Health of a real or imagined portfolio at the marks in force.

    `cash` is value in 10^-12 USDC on top, for what-if questions finer than an atom.
    """
    count = s.globals[ASSETS]
    values = _nothing(cash)
    for asset in range(count):
        quantity = portfolio[asset]
        debt = portfolio[count + asset]
        pending = portfolio[2 * count + asset]
        values = _with_asset(s, values, asset, quantity, debt, pending, doubt)
    return values


@kernel
def _nothing(cash: Wide) -> Health:
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
def _with_asset(
    s: Store, values: Health, asset: int, quantity: int, debt: int, pending: int, doubt: int
) -> Health:
    """Sums with what is held and owed of one more asset."""
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
            net_equity += _weighted(row, quantity, mark, value)
        elif doubt == Doubt.FOR_ACCOUNT:
            open_value = fine_down(max(0, quantity - debt), mark, row)
            net_equity += value + open_value * s.rules[STALE_DOUBT] // RATIO
    if debt or pending:
        notional = fine_up(debt, mark, row)
        at_risk = fine_up(debt + pending, mark, row) if pending else notional
        debts_value += notional
        exposure += at_risk
        initial += requirement_up(row[INITIAL_BASE], row[INITIAL_FACTOR], at_risk)
        if doubted and doubt == Doubt.FOR_ACCOUNT:
            counted = narrow(wide(mark) * RATIO // (RATIO + s.rules[STALE_DOUBT]))
            netted = min(quantity, debt)
            notional = fine_up(netted, mark, row) + fine_up(debt - netted, counted, row)
        net_equity -= notional
        maintenance += requirement_up(row[MAINTENANCE_BASE], row[MAINTENANCE_FACTOR], notional)
    return Health(net_equity, initial, maintenance, exposure, assets_value, debts_value)


@kernel
def weighted_down(asset: Memory, quantity: int, mark: int) -> Wide:
    """Collateral value of `quantity` atoms after the haircut, in 10^-12 USDC."""
    return _weighted(asset, quantity, mark, fine_down(quantity, mark, asset))


@kernel
def _weighted(asset: Memory, quantity: int, mark: int, value: Wide) -> Wide:
    if asset[HAIRCUT_KIND] == HaircutKind.IDENTITY or _is_flat(asset, quantity, value):
        return _part_down(value, asset[WEIGHT])
    return _weighted_by_size(asset, quantity, mark, value)


@kernel
def _is_flat(asset: Memory, quantity: int, value: Wide) -> bool:
    """Whether the weight is surely the whole one at this size; a cheap test that may miss some.

    It is while penalty * root * weight <= (base - weight) * unit.
    """
    weight = asset[WEIGHT]
    penalty = asset[HAIRCUT_PENALTY]
    spare = asset[HAIRCUT_BASE] - weight
    if spare < 0:
        return False
    if weight == 0 or penalty == 0:
        return True
    root = min(_LONGEST_ROOT, spare * RATIO // weight // penalty) * SQUARE_ROOT_SCALE
    if asset[SIZE_BY] == SizeBy.NOTIONAL:
        return value < wide(root) * root * FINE_PER_VALUE
    return wide(quantity) * VALUE_SCALE <= wide(root) * root * asset[UNIT]


@kernel
def _weighted_by_size(asset: Memory, quantity: int, mark: int, value: Wide) -> Wide:
    """As in the reference: at least what the step of the root before is worth."""
    if asset[SIZE_BY] == SizeBy.NOTIONAL:
        root = square_root_up(value_up(quantity, mark, asset))
        step_before = wide(root - 1) * (root - 1) * FINE_PER_VALUE
    else:
        root = _long_root_up(divide_up(wide(quantity) * VALUE_SCALE, asset[UNIT]))
        step_before = wide(root - 1) * (root - 1) * mark // _STEP_DIVISOR
    if root == 0:
        return wide(0)
    here = value * weight_at(asset, root)
    return max(here, step_before * weight_at(asset, root - 1)) // RATIO


@kernel
def _long_root_up(size: Wide) -> int:
    """The smallest integer whose square is at least `size`, a quantity in 10^-6 tokens."""
    if size < _SHORT:
        return square_root_up(narrow(size))
    low = isqrt(narrow(size // (_ROOT_STEP * _ROOT_STEP))) * _ROOT_STEP
    high = low + _ROOT_STEP
    while low < high:
        middle = low + (high - low) // 2
        if wide(middle) * middle >= size:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def weight_at(asset: Memory, root: int) -> int:
    """Weight in 10^-9 at a square root of size, the root in 10^-3: min(w, b / (1 + p * root))."""
    weight = asset[WEIGHT]
    base = wide(asset[HAIRCUT_BASE]) * _WEIGHT_UNIT
    divisor = wide(asset[HAIRCUT_PENALTY]) * root + _WEIGHT_UNIT
    if base >= divisor * weight:
        return weight
    if divisor < _SHORT:
        return narrow(base // narrow(divisor))
    return narrow(base // divisor)


@kernel
def weight_of(asset: Memory, quantity: int, mark: int) -> int:
    """The share of its value that a quantity counts for, in 10^-9, rounded up."""
    value = fine_down(quantity, mark, asset)
    if value == 0:
        return asset[WEIGHT]
    return narrow(-(-weighted_down(asset, quantity, mark) * RATIO // value))


@kernel
def margin_fraction_up(base: int, factor: int, notional: int) -> int:
    """max(base, factor * sqrt(notional)) in 10^-9; `notional` in 10^-6 USDC."""
    return max(base, mul_div_up(factor, square_root_up(notional), SQUARE_ROOT_SCALE))


@kernel
def requirement_up(base: int, factor: int, notional: Wide) -> Wide:
    """Margin that a debt of `notional` requires, both in 10^-12 USDC."""
    fraction = base
    if factor:
        root = base * SQUARE_ROOT_SCALE // factor
        if notional > wide(root) * root * FINE_PER_VALUE:
            value = narrow(divide_up(notional, FINE_PER_VALUE))
            fraction = margin_fraction_up(base, factor, value)
    return _part_up(notional, fraction)


@kernel
def _part_down(value: Wide, ratio: int) -> Wide:
    """value * ratio / 10^9 for a ratio of at most one, rounded down."""
    if ratio == RATIO:
        return value
    if value < _SHORT:
        short = narrow(value)
        return wide(short // RATIO * ratio + short % RATIO * ratio // RATIO)
    return value * ratio // RATIO


@kernel
def _part_up(value: Wide, ratio: int) -> Wide:
    """value * ratio / 10^9, rounded up."""
    if value < _SHORT and ratio <= RATIO:
        short = narrow(value)
        return wide(short // RATIO * ratio + (short % RATIO * ratio + RATIO - 1) // RATIO)
    whole = value // RATIO
    return whole * ratio + divide_up((value - whole * RATIO) * ratio, RATIO)


@kernel
def liquidatable(s: Store, account: int) -> bool:
    """Whether `account` is at or above MMR 100 %, stale prices read in its favour."""
    if not account_row(s, account)[DEBTS]:
        return False
    return is_liquidatable(health_of(s, account, Doubt.FOR_ACCOUNT))


@kernel
def target_restored(s: Store, values: Health) -> bool:
    """Whether NE >= M * (1 + buffer), or nothing is owed."""
    if values.debts_value == 0:
        return True
    spare = surplus(values)
    return spare >= 0 and spare * RATIO >= values.maintenance * s.rules[TARGET_BUFFER]


@kernel
def below_auto_close(s: Store, values: Health) -> bool:
    """Whether MF < ACMF = max(MMF / divisor, MMF - offset), cross-multiplied by the exposure."""
    if values.net_equity * s.rules[AUTO_CLOSE_DIVISOR] < values.maintenance:
        return True
    missing = -surplus(values)
    if missing > values.debts_value:
        return True
    return missing * RATIO > values.debts_value * s.rules[AUTO_CLOSE_OFFSET]


@kernel
def leverage_exceeded(values: Health, limit: int) -> bool:
    """Whether exposure / net equity is above `limit` (10^-9)."""
    return values.exposure > 0 and values.exposure * RATIO > max(0, values.net_equity) * limit
