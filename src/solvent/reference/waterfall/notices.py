"""Notices: a provider who withdraws a commitment can be called until its notice is over.

Otherwise capacity would be there until the moment it is needed. A provider has one notice an asset:
a further one adds to it and begins anew. What is called meanwhile comes out of what stays first.

Specification: section 7.4.
"""

from solvent.domain.events import BackstopCommitted
from solvent.reference.state import State


def give_notice(state: State, account: int, asset: int, quantity: int) -> None:
    """Withdraw `quantity` atoms of a commitment, of which as many stay, when the notice is over."""
    holder = state.accounts[account]
    holder.leaving[asset] += quantity
    holder.leaves_at[asset] = state.now + state.parameters.waterfall.commitment_notice
    say_committed(state, account, asset)


def use_commitment(state: State, account: int, asset: int, quantity: int) -> None:
    """Take `quantity` atoms of a commitment for a fill."""
    holder = state.accounts[account]
    holder.committed[asset] -= quantity
    holder.leaving[asset] = min(holder.leaving[asset], holder.committed[asset])
    if not holder.leaving[asset]:
        holder.leaves_at[asset] = 0


def withdraw_commitments(state: State) -> None:
    """Take out of commitments what leaves and whose notice is over."""
    for account, holder in enumerate(state.accounts):
        for asset, quantity in enumerate(holder.leaving):
            if quantity and holder.leaves_at[asset] <= state.now:
                holder.committed[asset] -= quantity
                holder.leaving[asset] = holder.leaves_at[asset] = 0
                state.asleep = False
                say_committed(state, account, asset)


def next_notice(state: State) -> int | None:
    """When the next notice is over, or None."""
    times = [
        holder.leaves_at[asset]
        for holder in state.accounts
        for asset, quantity in enumerate(holder.leaving)
        if quantity
    ]
    return min(times, default=None)


def say_committed(state: State, account: int, asset: int) -> None:
    """Write down what a provider has committed of an asset, and what of it leaves when."""
    holder = state.accounts[account]
    state.emit(
        BackstopCommitted(
            account=account,
            asset=asset,
            committed=holder.committed[asset],
            leaving=holder.leaving[asset],
            leaves_at=holder.leaves_at[asset],
        )
    )
