"""Readings in kernels: what a run looks at after a step."""

from solvent.engine.ledger import asset_row, pool_row
from solvent.engine.lending.rates import utilization
from solvent.engine.lending.throttle import bound_in_force
from solvent.engine.memory.store import Store
from solvent.kernels.language import kernel
from solvent.kernels.rows import Row, Rows


class PoolReadingRow(Row):
    """Utilization and the bound in force, both 10^-9."""

    utilization: int
    bound: int


@kernel
def read_pools(s: Store, out: Rows[PoolReadingRow]) -> None:
    """Write a row for every pool."""
    for asset in range(s.globals.assets):
        row = out[asset]
        pool = pool_row(s, asset)
        row.utilization = utilization(pool)
        row.bound = bound_in_force(asset_row(s, asset), pool)
