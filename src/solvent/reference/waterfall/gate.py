"""The gate: from a command that makes an account certainly insolvent until its loss is booked.

A pool that will lose a fraction of its claims is impaired by it: nobody lends to it or redeems from
it, and claims on it count for so much less wherever their owners ask for something (`limits`). The
fraction is that of the clearing solution at the command, rounded up; it is reckoned at the end of
each command that may change who is insolvent.

Specification: section 8.7.
"""

from solvent.domain.units import INDEX_SCALE, divide_up, value_up
from solvent.reference.state import State
from solvent.reference.waterfall.bookings import plan_bookings, pool_losses
from solvent.reference.waterfall.insolvency import DUST


def reckon_gate(state: State) -> None:
    """Reckon by which fraction of its claims each pool is impaired."""
    if not state.liquidating and not any(pool.impaired for pool in state.pools):
        return
    plan = plan_bookings(state)
    for pool in state.pools:
        pool.impaired = 0
    if plan is None:
        return
    for asset, loss in enumerate(pool_losses(state, plan)):
        pool = state.pools[asset]
        lost = loss.lenders + loss.residue
        worth = value_up(lost, state.mark(asset), state.asset(asset).decimals)
        if loss.lenders and worth >= DUST:
            fallen = pool.lend_index - plan.clearing.indices[asset]
            pool.impaired = divide_up(fallen * INDEX_SCALE, pool.lend_index)
