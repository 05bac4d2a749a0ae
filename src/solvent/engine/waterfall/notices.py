"""Notices in kernels: commitments that leave, as in `reference.waterfall.notices`."""

from solvent.domain.events import BackstopCommitted
from solvent.domain.units import INT64_MAX
from solvent.engine.ledger import commitment
from solvent.engine.memory.store import Store
from solvent.kernels.language import emit, kernel


@kernel
def give_notice(s: Store, account: int, asset: int, quantity: int) -> None:
    """Withdraw `quantity` atoms of a commitment, of which as many stay, when the notice is over."""
    row = commitment(s, account, asset)
    if row.leaving == 0:
        s.globals.notices += 1
    row.leaving += quantity
    row.leaves_at = s.globals.now + s.rules.commitment_notice
    say_committed(s, account, asset)


@kernel
def use_commitment(s: Store, account: int, asset: int, quantity: int) -> None:
    """Take `quantity` atoms of a commitment for a fill."""
    row = commitment(s, account, asset)
    row.committed -= quantity
    if row.leaving > row.committed:
        row.leaving = row.committed
        if row.leaving == 0:
            row.leaves_at = 0
            s.globals.notices -= 1


@kernel
def withdraw_commitments(s: Store) -> None:
    """Take out of commitments what leaves and whose notice is over."""
    if s.globals.notices == 0:
        return
    for place in range(s.globals.provider_count):
        account = s.providers[place]
        for asset in range(s.globals.assets):
            row = commitment(s, account, asset)
            if row.leaving and row.leaves_at <= s.globals.now:
                row.committed -= row.leaving
                row.leaving = 0
                row.leaves_at = 0
                s.globals.notices -= 1
                s.globals.asleep = 0
                say_committed(s, account, asset)


@kernel
def next_notice(s: Store) -> int:
    """When the next notice is over, or the end of time."""
    first = INT64_MAX
    if s.globals.notices:
        for place in range(s.globals.provider_count):
            for asset in range(s.globals.assets):
                row = commitment(s, s.providers[place], asset)
                if row.leaving:
                    first = min(first, row.leaves_at)
    return first


@kernel
def say_committed(s: Store, account: int, asset: int) -> None:
    """Write down what a provider has committed of an asset, and what of it leaves when."""
    row = commitment(s, account, asset)
    emit(
        s,
        BackstopCommitted(
            account=account,
            asset=asset,
            committed=row.committed,
            leaving=row.leaving,
            leaves_at=row.leaves_at,
        ),
    )
