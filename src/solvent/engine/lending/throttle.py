"""The throttle in kernels: how much utilization a borrow or a redemption may leave behind.

As in `reference.lending.throttle`: each step the bound moves by its rule alone, and between steps
the lower of the stored bound and the rule at the present utilization is in force.
"""

from solvent.domain.units import RATIO
from solvent.engine.ledger import asset_row, pool_row
from solvent.engine.lending.rates import utilization
from solvent.engine.memory.layout import (
    ASSETS,
    BOUND,
    MAX_UTILIZATION,
    THROTTLE_MOVED,
    THROTTLE_THRESHOLD,
    THROTTLE_UPDATE_FRACTION,
)
from solvent.kernels.language import Memory, Store, Wide, emit, kernel, narrow, wide


@kernel
def bound_by_rule(asset: Memory, utilization_ratio: Wide) -> int:
    """The bound that the rule gives at a utilization, in 10^-9, rounded down."""
    highest = asset[MAX_UTILIZATION]
    room = highest - utilization_ratio
    target = utilization_ratio + asset[THROTTLE_UPDATE_FRACTION] * room // RATIO
    return max(asset[THROTTLE_THRESHOLD], narrow(min(target, highest)))


@kernel
def bound_in_force(asset: Memory, pool: Memory) -> int:
    """The highest utilization that a user's borrow or redemption may leave now."""
    return min(pool[BOUND], bound_by_rule(asset, wide(utilization(pool))))


@kernel
def within(borrowed: int, lent: int, bound: int) -> bool:
    """Whether borrowed / lent is at most `bound`, compared without dividing."""
    return borrowed == 0 or wide(borrowed) * RATIO <= wide(bound) * lent


@kernel
def step_bounds(s: Store) -> None:
    """Move every pool's bound by the rule, once per step."""
    for asset in range(s.globals[ASSETS]):
        pool = pool_row(s, asset)
        bound = bound_by_rule(asset_row(s, asset), wide(utilization(pool)))
        if bound != pool[BOUND]:
            pool[BOUND] = bound
            emit(s, THROTTLE_MOVED, asset, bound)
