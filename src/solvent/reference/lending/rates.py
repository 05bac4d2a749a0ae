"""Rates: what a pool's utilization costs borrowers and pays lenders.

Utilization is borrowed / lent. The borrow rate is piecewise linear in it: gentle up to the optimal
utilization, steep beyond (A1, A2). The curve reads utilization capped at one, since the fee's share
can carry borrowed a little above lent. Any object with `rate(utilization)` can stand in for a
curve; adaptive and controller-driven curves belong beside this one.

Rounding: rates and utilization round up, against the borrower.

Specification: section 5.2.
"""

from typing import Protocol

from solvent.domain.parameters import Curve, PoolParameters
from solvent.domain.units import INT64_MAX, RATIO, divide_up
from solvent.reference.ledger import borrowed_total, lent_total
from solvent.reference.state import Pool


class RateModel(Protocol):
    """Anything that prices utilization: a ratio in, an APR (10^-9) out."""

    def rate(self, utilization: int) -> int:
        """Borrow APR at `utilization`, both 10^-9, utilization from 0 to RATIO."""
        ...


class PiecewiseRate:
    """A curve's points joined by straight lines, rounded up."""

    def __init__(self, curve: Curve) -> None:
        self._points = curve.points

    def rate(self, utilization: int) -> int:
        """Borrow APR at `utilization`, both 10^-9."""
        for (left, low), (right, high) in zip(self._points, self._points[1:], strict=False):
            if utilization <= right:
                return low + divide_up((high - low) * (utilization - left), right - left)
        return self._points[-1][1]


def utilization_up(borrowed: int, lent: int) -> int:
    """borrowed / lent in 10^-9, rounded up; 0 when nothing is borrowed.

    It may exceed one, up to what a record can hold: a loss may leave lenders an atom of a claim. A
    pool that owes lenders nothing but is owed something counts as fully utilized.
    """
    if borrowed == 0:
        return 0
    if lent == 0:
        return RATIO
    return min(INT64_MAX, divide_up(borrowed * RATIO, lent))


def utilization(pool: Pool) -> int:
    """Utilization of `pool` now."""
    return utilization_up(borrowed_total(pool), lent_total(pool))


def borrow_apr(parameters: PoolParameters, utilization_ratio: int) -> int:
    """Borrow APR in 10^-9 at a utilization, which is read capped at one."""
    return PiecewiseRate(parameters.curve).rate(min(utilization_ratio, RATIO))


def lend_apr(parameters: PoolParameters, utilization_ratio: int) -> int:
    """Lend APR: borrow APR * utilization * (1 - fee), rounded down."""
    return lenders_part(parameters, borrow_apr(parameters, utilization_ratio), utilization_ratio)


def lenders_part(parameters: PoolParameters, apr: int, utilization_ratio: int) -> int:
    """Lend APR at a borrow APR and a utilization, rounded down."""
    gross = apr * min(utilization_ratio, RATIO)
    return gross * (RATIO - parameters.fee) // (RATIO * RATIO)
