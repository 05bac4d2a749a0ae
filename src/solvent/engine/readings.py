"""Readings in kernels: what a run looks at after a step."""

from solvent.engine.ledger import asset_row, pool_row
from solvent.engine.lending.rates import utilization
from solvent.engine.lending.throttle import bound_in_force
from solvent.engine.memory.layout import ASSETS
from solvent.kernels.language import Memory, Store, kernel

READING_WIDTH = 2
"""Utilization and the bound in force, both 10^-9."""


@kernel
def read_pools(s: Store, out: Memory) -> None:
    """Write a row for every pool."""
    for asset in range(s.globals[ASSETS]):
        row = out.at(asset * READING_WIDTH)
        pool = pool_row(s, asset)
        row[0] = utilization(pool)
        row[1] = bound_in_force(asset_row(s, asset), pool)
