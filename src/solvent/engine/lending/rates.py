"""Rates in kernels: what a pool's utilization costs borrowers.

As in `reference.lending.rates`: piecewise linear in the utilization, rounded up, against the
borrower. Utilization may exceed one, up to what a record can hold.
"""

from solvent.domain.units import INT64_MAX, RATIO
from solvent.engine.ledger import borrowed_total, lent_total
from solvent.engine.memory.rows import Asset, Pool
from solvent.engine.units import divide_up
from solvent.kernels.language import kernel, narrow, wide


@kernel
def rate(asset: Asset, utilization_ratio: int) -> int:
    """Borrow APR at a utilization, both 10^-9: the curve's points joined, rounded up."""
    last = asset.curve_points - 1
    for number in range(last):
        left = asset.curve[number]
        right = asset.curve[number + 1]
        if utilization_ratio <= right.utilization:
            rise = wide(right.rate - left.rate) * (utilization_ratio - left.utilization)
            return left.rate + narrow(divide_up(rise, right.utilization - left.utilization))
    return asset.curve[last].rate


@kernel
def utilization_up(borrowed: int, lent: int) -> int:
    """borrowed / lent in 10^-9, rounded up, at most 2^63 - 1; 0 when nothing is borrowed."""
    if borrowed == 0:
        return 0
    if lent == 0:
        return RATIO
    return narrow(min(wide(INT64_MAX), divide_up(wide(borrowed) * RATIO, lent)))


@kernel
def utilization(pool: Pool) -> int:
    """Utilization of `pool` now."""
    return utilization_up(borrowed_total(pool), lent_total(pool))


@kernel
def borrow_apr(asset: Asset, utilization_ratio: int) -> int:
    """Borrow APR in 10^-9 at a utilization, which is read capped at one."""
    return rate(asset, min(utilization_ratio, RATIO))
