"""The gate in kernels: pools are impaired until certain losses are booked, as in `reference`."""

from solvent.domain.units import INDEX_SCALE
from solvent.engine.ledger import asset_row, mark_of, pool_row
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up, value_up
from solvent.engine.waterfall.bookings import plan_fund, pool_losses
from solvent.engine.waterfall.clearing import clear_all, count_of, first_round, release_clearing
from solvent.engine.waterfall.insolvency import DUST
from solvent.engine.waterfall.rows import PoolLoss
from solvent.kernels.language import allocate_rows, kernel, narrow, release, wide


@kernel
def reckon_gate(s: Store) -> None:
    """Reckon by which fraction of its claims each pool is impaired."""
    for asset in range(s.globals.assets):
        pool_row(s, asset).impaired = 0
    if s.globals.liquidating_count == 0:
        return
    found = first_round(s)
    if count_of(found):
        plan_fund(s, found)
        clear_all(s, found)
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
