"""The gate: what pools may lose before it is booked, and what that lets their lenders do meanwhile.

From a command that makes an account certainly insolvent until its loss is booked, a pool that will
lose a fraction of its claims is impaired by it: nobody lends to it or redeems from it, and claims
on it count for so much less wherever their owners ask for something (`limits`). The fraction is
that of the clearing solution at the command, rounded up; it is reckoned at the end of each command
that may change who is insolvent.

What an account lacks with stale prices read against it by the same doubt, beyond what it lacks for
certain, is uncertain: it vetoes nothing and waits with the stale asset. Divided among the account's
debts by value, it makes a fraction of each pool's claims doubtful. Until that is settled a
redemption leaves the fraction behind of all that the claim was, so that redeeming in parts gains
nothing, and the claim counts for so much less.

Specification: section 8.7.
"""

from solvent.domain.events import PoolDoubted
from solvent.domain.units import INDEX_SCALE, RATIO, divide_up, value_up
from solvent.reference.ledger import forget_taken, lent_total
from solvent.reference.state import State
from solvent.reference.waterfall.bookings import plan_bookings, pool_losses
from solvent.reference.waterfall.insolvency import (
    DUST,
    lend_indices,
    open_debt,
    worth_against,
    worth_of,
)

STEP = RATIO // 1000
"""Fractions are told and asked for in whole thousandths, rounded up."""
LEAST = RATIO // 100
"""A fraction of claims up to this one holds nobody."""


def reckon_gate(state: State) -> None:
    """Reckon by which fraction of its claims each pool is impaired."""
    if not state.liquidating and not any(pool.impaired for pool in state.pools):
        return
    plan = plan_bookings(state, waiting=False)
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


def reckon_doubts(state: State) -> None:
    """Reckon which fraction of each pool's claims is doubtful, and forget what needs no memory.

    What was taken out of a pool is remembered until its loss is booked or is none.
    """
    stale = [asset for asset, price in enumerate(state.prices) if price.stale and price.mark]
    if not (stale or any(state.doubtful) or any(state.taken)):
        return
    lost = uncertain_losses(state, stale) if stale else [0] * len(state.pools)
    for asset, pool in enumerate(state.pools):
        fraction = fraction_up(lost[asset], lent_total(pool) + state.taken[asset])
        if fraction != state.doubtful[asset]:
            state.doubtful[asset] = fraction
            state.emit(PoolDoubted(asset, fraction))
        if not (fraction or pool.impaired) and state.taken[asset]:
            forget_taken(state, asset)


def fraction_up(lost: int, claims: int) -> int:
    """The fraction of claims (10^-9) that `lost` atoms are; 0 where it is not above the least."""
    if not lost:
        return 0
    fraction = min(RATIO, divide_up(lost * (RATIO // STEP), max(1, claims)) * STEP)
    return fraction if fraction > LEAST else 0


def uncertain_losses(state: State, stale: list[int]) -> list[int]:
    """What may be lost of each pool's debts beyond what is certain, in atoms, rounded up."""
    indices = lend_indices(state)
    lost = [0] * len(state.pools)
    for account, holder in enumerate(state.accounts):
        touches = any(
            holder.available[asset]
            or holder.locked[asset]
            or holder.lent_shares[asset]
            or holder.debt_shares[asset]
            for asset in stale
        )
        if not (touches and any(holder.debt_shares)):
            continue
        against = worth_against(state, account, indices)
        lacks = against.lacks - max(0, worth_of(state, account, indices).lacks)
        if lacks <= 0:
            continue
        for asset, shares in enumerate(holder.debt_shares):
            if shares:
                owed = open_debt(state, account, asset)
                lost[asset] += divide_up(owed * lacks, against.debts)
    return lost
