"""The books of an engine, added up again from nothing but its state."""

from collections.abc import Iterator

from solvent.domain.commands import Side
from solvent.domain.units import INDEX_SCALE
from solvent.reference.state import State


def faults(state: State) -> list[str]:
    """What does not add up: I1, I2, I3 and the funds that open orders hold; empty when all does."""
    return [
        fault
        for asset in range(len(state.pools))
        for fault in (*_pool_faults(state, asset), *_lock_faults(state, asset))
    ]


def _pool_faults(state: State, asset: int) -> Iterator[str]:
    pool = state.pools[asset]
    lent = pool.lend_shares * pool.lend_index // INDEX_SCALE
    borrowed = -(-pool.debt_shares * pool.debt_index // INDEX_SCALE)
    if pool.cash + borrowed != lent + pool.fees + pool.residue:
        yield f"I1: asset {asset}: {pool.cash} + {borrowed} != {lent} + fees and residue"
    if min(pool.cash, pool.fees, pool.residue) < 0:
        yield f"I1: asset {asset}: cash, fees or residue below zero"
    accounts = state.accounts
    if sum(holder.lent_shares[asset] for holder in accounts) != pool.lend_shares:
        yield f"I2: asset {asset}: lend shares"
    if sum(holder.debt_shares[asset] for holder in accounts) != pool.debt_shares:
        yield f"I2: asset {asset}: debt shares"
    inside = pool.cash + sum(h.available[asset] + h.locked[asset] for h in accounts)
    if inside != -state.external[asset]:
        yield f"I3: asset {asset}: {inside} inside, {-state.external[asset]} came in"
    if any(holder.lent_shares[asset] and holder.debt_shares[asset] for holder in accounts):
        yield f"asset {asset}: an account lends and owes it"


def _lock_faults(state: State, asset: int) -> Iterator[str]:
    for account, holder in enumerate(state.accounts):
        orders = [
            state.orders[order]
            for order in holder.open_orders
            if (state.orders[order].asset if state.orders[order].side is Side.ASK else 0) == asset
        ]
        if holder.locked[asset] != sum(order.locked for order in orders):
            yield f"I20: account {account}, asset {asset}: locked without an order"
        if holder.unfunded[asset] != sum(order.unfunded for order in orders):
            yield f"account {account}, asset {asset}: credit without an order"
