"""Units in kernels: the roundings of `domain.units` on columns, with 128-bit products.

Operands are non-negative; a divisor is positive. A result that leaves its column stops the engine.
"""

from solvent.engine.memory.rows import Asset
from solvent.kernels.language import Wide, fail, isqrt, kernel, narrow, wide


@kernel
def mul_div_down(left: int, right: int, divisor: int) -> int:
    """floor(left * right / divisor)."""
    if left < 0 or right < 0:
        fail()
    return narrow(wide(left) * right // divisor)


@kernel
def mul_div_up(left: int, right: int, divisor: int) -> int:
    """ceil(left * right / divisor)."""
    if left < 0 or right < 0:
        fail()
    return narrow(divide_up(wide(left) * right, divisor))


@kernel
def divide_up(numerator: Wide, divisor: int) -> Wide:
    """ceil(numerator / divisor) for any numerator."""
    return -(-numerator // divisor)


@kernel
def square_root_up(value: int) -> int:
    """The smallest integer whose square is at least `value`."""
    root = isqrt(value)
    return root if root * root == value else root + 1


@kernel
def value_down(quantity: int, price: int, asset: Asset) -> int:
    """Value of `quantity` atoms of the asset of row `asset`, in 10^-6 USDC, rounded down."""
    return mul_div_down(quantity, price, asset.value_divisor)


@kernel
def value_up(quantity: int, price: int, asset: Asset) -> int:
    """Value of `quantity` atoms of the asset of row `asset`, in 10^-6 USDC, rounded up."""
    return mul_div_up(quantity, price, asset.value_divisor)


@kernel
def quantity_down(value: int, price: int, asset: Asset) -> int:
    """Most atoms worth at most `value` at `price` (> 0)."""
    return mul_div_down(value, asset.value_divisor, price)


@kernel
def quantity_up(value: int, price: int, asset: Asset) -> int:
    """Fewest atoms worth at least `value` at `price` (> 0)."""
    return mul_div_up(value, asset.value_divisor, price)


@kernel
def cover(held: int, value: int, price: int, asset: Asset) -> tuple[int, int]:
    """The fewest of `held` atoms that are worth `value`, and the value they count for."""
    worth = value_down(held, price, asset)
    if worth < value:
        return held, worth
    return quantity_up(value, price, asset), value


@kernel
def payable(owed: int, value: int, price: int, asset: Asset) -> int:
    """The most of `owed` atoms that `value` pays for at `price`."""
    if value_up(owed, price, asset) <= value:
        return owed
    return quantity_down(value, price, asset)


@kernel
def fine_down(quantity: int, price: int, asset: Asset) -> Wide:
    """Value of `quantity` atoms at `price` in 10^-12 USDC, rounded down."""
    if quantity < 0 or price < 0:
        fail()
    return wide(quantity) * price * asset.fine_factor // asset.fine_divisor


@kernel
def fine_up(quantity: int, price: int, asset: Asset) -> Wide:
    """Value of `quantity` atoms at `price` in 10^-12 USDC, rounded up."""
    if quantity < 0 or price < 0:
        fail()
    return divide_up(wide(quantity) * price * asset.fine_factor, asset.fine_divisor)
