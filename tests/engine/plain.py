"""The fast engine with its kernels as plain Python: every index and every width is checked.

    python -m tests.engine.plain --seeds 100 --commands 10000

compares it with the reference over so many seeds, as the tests do with fewer.
"""

import argparse
import ctypes
import inspect
import sys
from collections.abc import Callable

import numpy as np

from solvent.engine import engine as engine_module
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import plain_store
from solvent.engine.memory.command_rows import Words
from solvent.engine.memory.store import Store
from solvent.kernels.rows import Row
from solvent.kernels.shapes import column_of, column_types
from solvent.proof.fuzz.comparison import compare

Kernel = Callable[..., object]


class PlainEngine(FastEngine):
    """An engine that changes its state by plain Python."""

    def _attach(self, **batch: Words) -> None:
        self.store = plain_store(self.columns)
        for name, column in batch.items():
            setattr(self.store, name, column_of(column_types(Store)[name], column.data))

    def _call(self, name: str, *arguments: int) -> int:
        kernel = entry(name)
        kinds = [each.annotation for each in inspect.signature(kernel).parameters.values()][1:]
        result = kernel(self.store, *map(self._argument, kinds, arguments))
        return result if isinstance(result, int) else 0

    def _argument(self, kind: type, argument: int) -> object:
        """A number, or the row at an address."""
        if not issubclass(kind, Row):
            return argument
        words = (ctypes.c_int64 * kind.WIDTH).from_address(argument)
        return kind(memoryview(words).cast("B").cast("q"))

    def _take_events(self) -> Words:
        events = np.array(self.store.events, dtype=np.int64)
        del self.store.events[:]
        return events


def entry(name: str) -> Kernel:
    """One of the engine's kernels that are called from outside."""
    return next(each for each in engine_module._ENTRIES if each.__name__ == name)


def main() -> int:
    """Compare over some seeds; 1 at the first difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=900_000)
    parser.add_argument("--commands", type=int, default=1_000)
    options = parser.parse_args()
    for seed in range(options.first, options.first + options.seeds):
        found = compare(seed, options.commands, engine_factory=PlainEngine)
        print(f"seed {seed}: {found.commands} commands, {found.difference or 'equal'}", flush=True)
        if found.difference is not None:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
