"""The throttle: how much utilization a borrow or a redemption may leave behind.

Each step the bound moves by its rule alone (I13):

    bound = clamp(U + f * (max - U), t, max)

With f = 0 that is the article's full pause: below the threshold t everything passes that stays at
or below t; at or above it nothing passes (A3). With f > 0 the bound creeps. Between steps the bound
in force is the lower of the stored one and the rule at the present utilization, so that a pool that
was relieved cannot be drained back to where it was. Liquidations ignore the bound, up to 100 %.

Specification: section 5.4.
"""

from solvent.domain.events import ThrottleMoved
from solvent.domain.parameters import PoolParameters
from solvent.domain.units import RATIO
from solvent.reference.lending.rates import utilization
from solvent.reference.state import Pool, State


def bound_by_rule(parameters: PoolParameters, utilization_ratio: int) -> int:
    """The bound that the rule gives at a utilization, in 10^-9, rounded down."""
    highest = parameters.max_utilization
    room = highest - utilization_ratio
    target = utilization_ratio + parameters.throttle_update_fraction * room // RATIO
    # Above the maximum, which liquidations may reach, `room` is negative and the maximum holds.
    return max(parameters.throttle_threshold, min(target, highest))


def bound_in_force(parameters: PoolParameters, pool: Pool) -> int:
    """The highest utilization that a user's borrow or redemption may leave now."""
    return min(pool.bound, bound_by_rule(parameters, utilization(pool)))


def within(borrowed: int, lent: int, bound: int) -> bool:
    """Whether borrowed / lent is at most `bound`, compared without dividing."""
    # A pool with nothing lent and nothing borrowed is within every bound.
    return borrowed == 0 or borrowed * RATIO <= bound * lent


def step_bounds(state: State) -> None:
    """Move every pool's bound by the rule, once per step."""
    for asset, pool in enumerate(state.pools):
        bound = bound_by_rule(state.asset(asset).pool, utilization(pool))
        if bound != pool.bound:
            pool.bound = bound
            state.asleep = False
            state.emit(ThrottleMoved(asset, bound))
