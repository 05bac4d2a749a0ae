"""Scratch: short rows that a kernel needs while it works, taken and given back like a stack.

A kernel notes `s.globals[SCRATCH_TOP]`, takes rows, and writes the noted number back when it is
done with them.
"""

from solvent.engine.memory.layout import SCRATCH_CAPACITY, SCRATCH_TOP
from solvent.kernels.language import Memory, Store, fail, kernel


@kernel
def take(s: Store, count: int) -> Memory:
    """A row of `count` numbers of unknown content."""
    top = s.globals[SCRATCH_TOP]
    if top + count > s.globals[SCRATCH_CAPACITY]:
        fail()
    s.globals[SCRATCH_TOP] = top + count
    return s.scratch.at(top)
