"""Scratch: short rows that a kernel needs while it works, taken and given back like a stack.

A kernel notes `s.globals[SCRATCH_TOP]`, takes rows, and writes the noted number back when it is
done with them.
"""

from solvent.engine.memory.store import Store
from solvent.kernels.language import fail, kernel
from solvent.kernels.rows import Memory


@kernel
def take(s: Store, count: int) -> Memory:
    """A row of `count` numbers of unknown content."""
    top = s.globals.scratch_top
    if top + count > s.globals.scratch_capacity:
        fail()
    s.globals.scratch_top = top + count
    return s.scratch.at(top)
