"""An image: a copy of an engine's columns to imagine with, made while the engine works.

Positions and what belongs to them are copied by blocks of accounts. Kernels note in `moved` which
blocks changed, before they change them; the image takes the notes and copies those blocks, at first
all, while the engine may go on, until few are left. Then the engine is held, those and the small
columns are copied, and the image is what the engine is. A block that changed while it was copied is
noted again, so that it is copied again.

There is one image of an engine, for it takes the notes. What it does not have: the watch, the
batch, the table of order ids.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np

from solvent.domain.parameters import EngineParameters
from solvent.engine.foresight import absorb, ahead, standings
from solvent.engine.memory.columns import SCRATCH_WORDS, Column, Columns
from solvent.engine.memory.layout import COPIED
from solvent.engine.memory.rows import Account, Commitment, Globals, Order, Position
from solvent.engine.memory.store import Store
from solvent.kernels.kinds import FIRST_COLUMN
from solvent.kernels.machine import Machine, compile_kernels
from solvent.kernels.shapes import column_types

Hold = Callable[[], AbstractContextManager[object]]
"""Holds the engine still."""

_BLOCKED = ("accounts", "positions", "commitments")
_SMALL = ("rules", "assets", "pools", "prices", "books", "levels")
_FEW = 256
"""So few blocks are copied while the engine is held."""
_TURNS = 8
"""How often the image tries to come so near."""
_ENTRIES = (
    ahead.look_ahead,
    absorb.read_capacities,
    absorb.read_impairment,
    standings.list_standings,
)
_NAMES = tuple(column_types(Store))


class HasColumns(Protocol):
    """An engine, or what stands for one."""

    @property
    def columns(self) -> Columns:
        """Its columns."""
        ...


class Image:
    """The image of one engine; empty before it is first refreshed."""

    def __init__(self, engine: HasColumns) -> None:
        self._engine = engine
        self._machine: Machine | None = None
        self._root = np.zeros(FIRST_COLUMN + len(_NAMES), dtype=np.int64)
        self._columns: dict[str, Column] = {}
        self._sources: tuple[Column, ...] = ()
        self.parameters: EngineParameters = engine.columns.parameters

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return int(self._columns["globals"][Globals.accounts])

    def refresh(self, hold: Hold) -> None:
        """Make the image what the engine is, holding the engine as briefly as can be."""
        for _ in range(_TURNS):
            with hold():
                blocks = self._take_notes()
                if len(blocks) <= _FEW:
                    self._copy_held(blocks)
                    break
            self._copy_blocks(blocks)
        else:
            with hold():
                self._copy_held(self._take_notes())
        self._mark_liquidating()
        self._attach()

    def call(self, name: str, *arguments: Column | int) -> int:
        """Call one of the image's kernels with arrays (by address) and numbers.

        Raises EngineFault where a number leaves its width.
        """
        if self._machine is None:
            self._machine = compile_kernels(_ENTRIES)
        words = (one if isinstance(one, int) else int(one.ctypes.data) for one in arguments)
        try:
            return self._machine.call(name, int(self._root.ctypes.data), *words)
        finally:
            self._columns["globals"][Globals.scratch_top] = 0

    def _take_notes(self) -> Column:
        """The blocks that changed since notes were last taken; all where columns are others."""
        columns = self._engine.columns
        moved = columns["moved"]
        sources = tuple(columns[name] for name in _BLOCKED)
        if any(one is not other for one, other in zip(sources, self._sources, strict=False)) or (
            not self._sources
        ):
            self._sources = sources
            self._columns |= {name: np.empty_like(columns[name]) for name in _BLOCKED}
            moved[:] = 1
        blocks = np.flatnonzero(moved)
        moved[blocks] = 0
        return blocks

    def _copy_blocks(self, blocks: Column) -> None:
        """Copy whole blocks; the last one may be shorter."""
        numbers = self._engine.columns["globals"]
        assets = int(numbers[Globals.assets])
        each = (Account.WIDTH, assets * Position.WIDTH, assets * Commitment.WIDTH)
        whole = len(self._sources[0]) // Account.WIDTH // COPIED
        among = blocks[blocks < whole]
        for name, source, width in zip(_BLOCKED, self._sources, each, strict=True):
            target, block = self._columns[name], COPIED * width
            end = whole * block
            if len(among) == whole:
                np.copyto(target[:end], source[:end])
            else:
                rows = source[:end].reshape(whole, block)
                target[:end].reshape(whole, block)[among] = rows[among]
            np.copyto(target[end:], source[end:])

    def _copy_held(self, blocks: Column) -> None:
        """Copy what is left, and the small columns, while the engine is held."""
        self._copy_blocks(blocks)
        columns = self._engine.columns
        numbers = columns["globals"]
        self.parameters = columns.parameters
        self._copy("globals", len(numbers))
        for name in _SMALL:
            self._copy(name, len(columns[name]))
        self._copy("orders", int(numbers[Globals.order_slots]) * Order.WIDTH)
        self._copy("liquidating", int(numbers[Globals.liquidating_count]))
        self._copy("providers", int(numbers[Globals.provider_count]))
        self._copy_providers(int(numbers[Globals.assets]))

    def _copy(self, name: str, used: int) -> None:
        """Copy the part of a column that is used."""
        source = self._engine.columns[name]
        if name not in self._columns or len(self._columns[name]) != len(source):
            self._columns[name] = np.zeros(len(source), dtype=np.int64)
        self._columns[name][:used] = source[:used]

    def _copy_providers(self, assets: int) -> None:
        """Copy what providers have promised, which no note is taken of."""
        count = int(self._columns["globals"][Globals.provider_count])
        providers = self._columns["providers"][:count]
        for name, width in (("accounts", Account.WIDTH), ("commitments", None)):
            row = assets * Commitment.WIDTH if width is None else width
            source = self._engine.columns[name].reshape(-1, row)
            self._columns[name].reshape(-1, row)[providers] = source[providers]

    def _mark_liquidating(self) -> None:
        """Let flags say who is in the waterfall: positions may be older than the list."""
        count = int(self._columns["globals"][Globals.liquidating_count])
        accounts = self._columns["accounts"].reshape(-1, Account.WIDTH)
        accounts[:, Account.is_liquidating] = 0
        accounts[self._columns["liquidating"][:count], Account.is_liquidating] = 1

    def _attach(self) -> None:
        """Write the addresses of the columns where kernels look for them."""
        if "scratch" not in self._columns:
            self._columns["scratch"] = np.zeros(SCRATCH_WORDS, dtype=np.int64)
        for place, name in enumerate(_NAMES, FIRST_COLUMN):
            if name in self._columns:
                self._root[place] = self._columns[name].ctypes.data
