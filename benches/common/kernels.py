"""Kernels of the benches: compiled as the engine's are, called with columns and arrays."""

from functools import cache
from types import FunctionType

import numpy as np
import numpy.typing as npt

from solvent.engine.memory.columns import Columns
from solvent.engine.memory.store import Store
from solvent.kernels.kinds import FIRST_COLUMN
from solvent.kernels.machine import Machine, compile_kernels
from solvent.kernels.shapes import column_types

Words = npt.NDArray[np.int64]


@cache
def compiled(*entries: FunctionType) -> Machine:
    """These kernels as machine code."""
    return compile_kernels(entries)


def root_of(columns: Columns) -> Words:
    """The addresses of all columns, as kernels take them for `s`; the columns must stay."""
    names = tuple(column_types(Store))
    root = np.zeros(FIRST_COLUMN + len(names), dtype=np.int64)
    for place, name in enumerate(names, FIRST_COLUMN):
        if name in columns.by_name:
            root[place] = columns[name].ctypes.data
    return root


def call(machine: Machine, name: str, *arguments: Words | int) -> int:
    """Call a kernel with arrays (by address) and numbers."""
    return machine.call(
        name, *(one if isinstance(one, int) else int(one.ctypes.data) for one in arguments)
    )
