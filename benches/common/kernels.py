"""Kernels of the benches: compiled as the engine's are, called with columns and arrays."""

from functools import cache
from types import FunctionType

import numpy as np
import numpy.typing as npt

from solvent.engine.memory.columns import Columns
from solvent.kernels.kinds import COLUMNS, ROOT_WORDS
from solvent.kernels.machine import Machine, compile_kernels

Words = npt.NDArray[np.int64]


@cache
def compiled(*entries: FunctionType) -> Machine:
    """These kernels as machine code."""
    return compile_kernels(entries)


def root_of(columns: Columns) -> Words:
    """The addresses of all columns, as kernels take them for `s`; the columns must stay."""
    root = np.zeros(ROOT_WORDS, dtype=np.int64)
    for place, name in enumerate(COLUMNS):
        if name in columns.by_name:
            root[place] = columns[name].ctypes.data
    return root


def call(machine: Machine, name: str, *arguments: Words | int) -> int:
    """Call a kernel with arrays (by address) and numbers."""
    return machine.call(
        name, *(one if isinstance(one, int) else int(one.ctypes.data) for one in arguments)
    )
