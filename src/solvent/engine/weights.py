"""Haircuts and margin fractions in kernels: what an atom counts for and what a debt requires.

As in `reference.margin`. They are asked for more often than anything else, so roots and long
divisions are left out wherever a comparison of products proves that they cannot change the result.
"""

from solvent.domain.parameters import HaircutKind, SizeBy
from solvent.domain.units import (
    FINE_PER_VALUE,
    FINE_SCALE,
    INT64_MAX,
    PRICE_SCALE,
    RATIO,
    SQUARE_ROOT_SCALE,
    VALUE_SCALE,
)
from solvent.engine.memory.rows import Asset
from solvent.engine.units import divide_up, fine_down, mul_div_up, square_root_up, value_up
from solvent.kernels.language import Wide, isqrt, kernel, narrow, wide

_WEIGHT_UNIT = RATIO * SQUARE_ROOT_SCALE
_STEP_DIVISOR = PRICE_SCALE * VALUE_SCALE // FINE_SCALE
"""A size in 10^-6 tokens times a mark, divided by this, is a value in 10^-12 USDC."""
_SHORT = 2**62
"""Below this, shares of a value are computed in 64 bits."""
_LONGEST_ROOT = 10**9
_ROOT_STEP = 2**11


@kernel
def weighted_down(asset: Asset, quantity: int, mark: int) -> Wide:
    """Collateral value of `quantity` atoms after the haircut, in 10^-12 USDC."""
    return weighted_value_down(asset, quantity, mark, fine_down(quantity, mark, asset))


@kernel
def weighted_value_down(asset: Asset, quantity: int, mark: int, value: Wide) -> Wide:
    """As `weighted_down` where the value before the haircut is known."""
    if asset.haircut_kind == HaircutKind.IDENTITY or _is_flat(asset, quantity, value):
        return _part_down(value, asset.weight)
    return _weighted_by_size(asset, quantity, mark, value)


@kernel
def _is_flat(asset: Asset, quantity: int, value: Wide) -> bool:
    """Whether the weight is surely the whole one at this size; a cheap test that may miss some.

    It is while penalty * root * weight <= (base - weight) * unit.
    """
    weight = asset.weight
    penalty = asset.haircut_penalty
    spare = asset.haircut_base - weight
    if spare < 0:
        return False
    if weight == 0 or penalty == 0:
        return True
    root = min(_LONGEST_ROOT, spare * RATIO // weight // penalty) * SQUARE_ROOT_SCALE
    if asset.size_by == SizeBy.NOTIONAL:
        return value < wide(root) * root * FINE_PER_VALUE
    return wide(quantity) * VALUE_SCALE <= wide(root) * root * asset.unit


@kernel
def _weighted_by_size(asset: Asset, quantity: int, mark: int, value: Wide) -> Wide:
    """As in the reference: at least what the step of the root before is worth."""
    if asset.size_by == SizeBy.NOTIONAL:
        root = square_root_up(value_up(quantity, mark, asset))
        step_before = wide(root - 1) * (root - 1) * FINE_PER_VALUE
    else:
        root = _long_root_up(divide_up(wide(quantity) * VALUE_SCALE, asset.unit))
        step_before = wide(root - 1) * (root - 1) * mark // _STEP_DIVISOR
    if root == 0:
        return wide(0)
    return max(weighted_at(asset, value, root), weighted_at(asset, step_before, root - 1))


@kernel
def weighted_at(asset: Asset, value: Wide, root: int) -> Wide:
    """Part of a value that counts at a square root of size, the root in 10^-3, rounded down."""
    weight = weight_at(asset, root)
    if root + 3 <= weight:
        return value * weight // RATIO
    divisor = wide(asset.haircut_penalty) * root + _WEIGHT_UNIT
    scaled = value * (asset.haircut_base * SQUARE_ROOT_SCALE) // divisor
    return min(value * asset.weight // RATIO, scaled)


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
def weight_at(asset: Asset, root: int) -> int:
    """Weight in 10^-9 at a square root of size, the root in 10^-3: min(w, b / (1 + p * root))."""
    weight = asset.weight
    base = wide(asset.haircut_base) * _WEIGHT_UNIT
    divisor = wide(asset.haircut_penalty) * root + _WEIGHT_UNIT
    if base >= divisor * weight:
        return weight
    if divisor < _SHORT:
        return narrow(base // narrow(divisor))
    return narrow(base // divisor)


@kernel
def weight_of(asset: Asset, quantity: int, mark: int) -> int:
    """The share of its value that a quantity counts for, in 10^-9, rounded up."""
    value = fine_down(quantity, mark, asset)
    if value == 0:
        return asset.weight
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
            value = narrow(min(divide_up(notional, FINE_PER_VALUE), INT64_MAX))
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
