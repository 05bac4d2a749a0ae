"""Trial: commands carried out in a book that is then as it was before.

Kernels note which blocks of accounts they change, so that taking commands back costs what they
touched and the small columns, and not the whole book.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from solvent.domain.commands import Command
from solvent.domain.events import Refused
from solvent.engine.engine import FastEngine
from solvent.engine.memory.layout import COPIED
from solvent.engine.memory.rows import Globals

_BLOCKED = ("positions", "commitments")


class Trial:
    """Tries commands out in an engine, which nobody else uses meanwhile."""

    def __init__(self, engine: FastEngine) -> None:
        self._engine = engine
        self._before = {name: column.copy() for name, column in engine.columns.by_name.items()}
        self._capacity = int(engine.columns["globals"][Globals.account_capacity])
        engine.columns["moved"][:] = 0

    @contextmanager
    def after(self, commands: Sequence[Command]) -> Iterator[bool]:
        """The book after some commands; whether none of them was refused."""
        refused = False
        try:
            for command in commands:
                refused |= any(
                    isinstance(event, Refused) for event in self._engine.apply_one(command)
                )
            yield not refused
        finally:
            self._take_back()

    def _take_back(self) -> None:
        columns = self._engine.columns
        blocks = np.flatnonzero(columns["moved"])
        for name, column in columns.by_name.items():
            before = self._before[name]
            if name in _BLOCKED:
                width = COPIED * (len(column) // self._capacity)
                for block in blocks.tolist():
                    some = slice(block * width, (block + 1) * width)
                    column[some] = before[some]
            else:
                column[:] = before
        columns["moved"][:] = 0
