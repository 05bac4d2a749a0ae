"""The gate in kernels: what pools may lose before it is booked, as in `reference`."""

from solvent.domain.events import PoolDoubted
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.engine.ledger import (
    account_row,
    asset_row,
    forget_taken,
    is_stale,
    lent_total,
    mark_of,
    pool_row,
)
from solvent.engine.margin import first_asset
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up, value_up
from solvent.engine.waterfall.bookings import plan_fund, pool_losses
from solvent.engine.waterfall.clearing import clear_all, count_of, first_round, release_clearing
from solvent.engine.waterfall.insolvency import (
    DUST,
    lacks,
    lend_indices,
    open_debt,
    worth_against,
    worth_of,
)
from solvent.engine.waterfall.rows import PoolLoss
from solvent.kernels.language import (
    allocate_rows,
    bit,
    emit,
    huge,
    kernel,
    narrow,
    release,
    thin,
    wide,
)
from solvent.kernels.rows import Memory

STEP: int = RATIO // 1000
"""Fractions are told and asked for in whole thousandths, rounded up."""
LEAST: int = RATIO // 100
"""A fraction of claims up to this one holds nobody."""


@kernel
def reckon_gate(s: Store) -> None:
    """Reckon by which fraction of its claims each pool is impaired."""
    for asset in range(s.globals.assets):
        pool_row(s, asset).impaired = 0
    if s.globals.liquidating_count == 0:
        return
    found = first_round(s, waiting=False)
    if count_of(found):
        plan_fund(s, found)
        clear_all(s, found, waiting=False)
        losses = allocate_rows(PoolLoss, s.globals.assets)
        pool_losses(s, found, losses)
        for asset in range(s.globals.assets):
            loss = losses[asset]
            lost = loss.lenders + loss.residue
            if loss.lenders and value_up(lost, mark_of(s, asset), asset_row(s, asset)) >= DUST:
                pool = pool_row(s, asset)
                fallen = wide(pool.lend_index - found.indices[asset])
                pool.impaired = narrow(divide_up(fallen * INDEX_SCALE, pool.lend_index))
        release(losses)
    release_clearing(found)


@kernel
def reckon_doubts(s: Store) -> None:
    """Reckon which fraction of each pool's claims is doubtful, and forget what needs no memory."""
    assets = s.globals.assets
    stale = 0
    known = 0
    for asset in range(assets):
        pool = pool_row(s, asset)
        known = known | pool.doubtful | pool.taken
        if is_stale(s, asset) and mark_of(s, asset):
            stale = stale | bit(asset)
    if stale == 0 and known == 0:
        return
    top = s.globals.scratch_top
    lost = take(s, assets)
    for asset in range(assets):
        lost[asset] = 0
    if stale:
        _add_uncertain(s, stale, lost)
    for asset in range(assets):
        pool = pool_row(s, asset)
        fraction = _fraction_up(lost[asset], lent_total(pool) + pool.taken)
        if fraction != pool.doubtful:
            pool.doubtful = fraction
            emit(s, PoolDoubted(asset=asset, fraction=fraction))
        if fraction == 0 and pool.impaired == 0 and pool.taken:
            forget_taken(s, asset)
    s.globals.scratch_top = top


@kernel
def _fraction_up(lost: int, claims: int) -> int:
    """The fraction of claims (10^-9) that `lost` atoms are; 0 where it is not above the least."""
    if lost == 0:
        return 0
    steps = divide_up(wide(lost) * (RATIO // STEP), max(1, claims))
    fraction = narrow(min(wide(RATIO), steps * STEP))
    return fraction if fraction > LEAST else 0


@kernel
def _add_uncertain(s: Store, stale: int, lost: Memory) -> None:
    """Add what may be lost of each pool's debts beyond what is certain, in atoms, rounded up."""
    top = s.globals.scratch_top
    indices = take(s, s.globals.assets)
    lend_indices(s, indices)
    for account in range(s.globals.accounts):
        holder = account_row(s, account)
        if holder.debts and holder.held & stale:
            _add_of(s, account, indices, lost)
    s.globals.scratch_top = top


@kernel
def _add_of(s: Store, account: int, indices: Memory, lost: Memory) -> None:
    against = worth_against(s, account, indices)
    certain = max(wide(0), lacks(worth_of(s, account, indices, doubted=True)))
    uncertain = lacks(against) - certain
    if uncertain <= 0:
        return
    rest = account_row(s, account).debts
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        owed = huge(wide(open_debt(s, account, asset)))
        part = -(-(owed * uncertain) // against.debts)
        lost[asset] += narrow(thin(part))
