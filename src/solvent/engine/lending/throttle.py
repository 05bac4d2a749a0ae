"""The throttle in kernels: how much utilization a borrow or a redemption may leave behind.

As in `reference.lending.throttle`: each step the bound moves by its rule alone, and between steps
the lower of the stored bound and the rule at the present utilization is in force.
"""

from solvent.domain.events import ThrottleMoved
from solvent.domain.units import RATIO
from solvent.engine.ledger import asset_row, pool_row
from solvent.engine.lending.rates import utilization
from solvent.engine.memory.rows import Asset, Pool
from solvent.engine.memory.store import Store
from solvent.kernels.language import Wide, emit, kernel, narrow, wide


@kernel
def bound_by_rule(parameters: Asset, utilization_ratio: Wide) -> int:
    """The bound that the rule gives at a utilization, in 10^-9, rounded down."""
    highest = parameters.max_utilization
    room = highest - utilization_ratio
    target = utilization_ratio + parameters.throttle_update_fraction * room // RATIO
    return max(parameters.throttle_threshold, narrow(min(target, highest)))


@kernel
def bound_in_force(parameters: Asset, pool: Pool) -> int:
    """The highest utilization that a user's borrow or redemption may leave now."""
    return min(pool.bound, bound_by_rule(parameters, wide(utilization(pool))))


@kernel
def within(borrowed: int, lent: int, bound: int) -> bool:
    """Whether borrowed / lent is at most `bound`, compared without dividing."""
    return borrowed == 0 or wide(borrowed) * RATIO <= wide(bound) * lent


@kernel
def step_bounds(s: Store) -> None:
    """Move every pool's bound by the rule, once per step."""
    for asset in range(s.globals.assets):
        pool = pool_row(s, asset)
        bound = bound_by_rule(asset_row(s, asset), wide(utilization(pool)))
        if bound != pool.bound:
            pool.bound = bound
            s.globals.asleep = 0
            emit(s, ThrottleMoved(asset=asset, bound=bound))
