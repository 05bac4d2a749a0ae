"""The fast engine: the same face as the reference, over columns and compiled kernels.

A batch is written as rows of numbers, applied in one call, and its events are read back as bytes
or as objects. Kernels never leave a command half done for want of room: accounts and orders get
theirs before the batch, and the event buffer grows inside it. A change of parameters is validated
here, between two calls.
"""

import ctypes
from collections.abc import Iterable, Sequence

import numpy as np

from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.snapshots import state_hash
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import (
    COMMAND_KINDS,
    ChangeParameter,
    Command,
    OpenAccount,
    PlaceOrder,
    PlaceTrigger,
    PostStandby,
    decode_command,
)
from solvent.domain.events import Event
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import EngineParameters, ParameterError
from solvent.domain.readings import PoolReading
from solvent.engine import dispatch, governance, previews, readings
from solvent.engine.foresight import rounds as foreseen
from solvent.engine.memory.columns import Columns, new_columns
from solvent.engine.memory.command_rows import Words, command_rows
from solvent.engine.memory.rows import COMMAND_WIDTH, Globals
from solvent.engine.memory.snapshot import read_snapshot, write_snapshot
from solvent.engine.memory.store import Store
from solvent.engine.orderbook import book
from solvent.engine.queries import forecast as query_forecast
from solvent.engine.queries import kernels as query_kernels
from solvent.engine.queries import refusals as query_refusals
from solvent.engine.queries.queries import FastQueries
from solvent.engine.waterfall.rounds import put_tiers
from solvent.kernels.kinds import EVENTS, EVENTS_CAPACITY, EVENTS_USED, FIRST_COLUMN
from solvent.kernels.machine import Machine, Progress, compile_kernels
from solvent.kernels.rows import EngineFault
from solvent.kernels.shapes import column_types

_ENTRIES = (
    dispatch.apply_batch,
    governance.parameters_changed,
    governance.parameters_refused,
    readings.read_pools,
    book.find,
    previews.max_lend,
    previews.max_redeem,
    previews.max_borrow,
    previews.max_repay,
    previews.max_withdraw,
    previews.max_order,
    query_forecast.forecast,
    query_kernels.read_balances,
    query_kernels.read_health,
    query_kernels.read_margins,
    query_kernels.read_pool,
    query_kernels.list_orders,
    query_kernels.read_depth,
    query_kernels.read_level,
    query_kernels.liquidation_prices,
    query_kernels.liquidation_prices_after,
    query_kernels.read_after_trade,
    query_refusals.refusal_now,
    put_tiers,
    foreseen.list_partners,
    foreseen.find_distances,
    foreseen.list_candidates,
    foreseen.allot_round_of,
)
_COLUMNS = tuple(column_types(Store))
_OPEN_ACCOUNT = COMMAND_KINDS.index(OpenAccount)
_POST_STANDBY = COMMAND_KINDS.index(PostStandby)
_PLACING = (COMMAND_KINDS.index(PlaceOrder), COMMAND_KINDS.index(PlaceTrigger))
_EVENT_LIMIT = 1 << 22
"""Words of events after which a batch is stopped, read out and resumed."""

_MACHINES: list[Machine] = []


def machine(progress: Progress | None = None) -> Machine:
    """The engine's kernels in this process, made when first asked for."""
    if not _MACHINES:
        _MACHINES.append(compile_kernels(_ENTRIES, progress=progress))
    return _MACHINES[0]


class FastEngine:
    """The production engine. `parameters` are those it starts with."""

    def __init__(self, parameters: EngineParameters, *, progress: Progress | None = None) -> None:
        self._start(new_columns(parameters), progress)

    def _start(self, columns: Columns, progress: Progress | None) -> None:
        self.columns = columns
        self._machine = machine(progress)
        self._root = np.zeros(FIRST_COLUMN + len(_COLUMNS), dtype=np.int64)
        self._attached: list[Words | None] = [None] * len(_COLUMNS)
        self._fault: EngineFault | None = None

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        return self.columns.parameters

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry out commands in order; what came of each, numbered from 0."""
        commands = EncodedCommands.of(batch)
        events, ends = self.apply_rows(command_rows([commands]))
        return Transcript(0, commands, events.data, ends.tolist())

    def apply_one(self, command: Command) -> tuple[Event, ...]:
        """Carry out one command and return what happened."""
        return self.apply((command,))[0].events

    def apply_groups(self, first: int, groups: Sequence[EncodedCommands]) -> list[Transcript]:
        """Carry out recorded commands, numbered from `first`; what came of each group's.

        It is one call, and the transcripts share the row that it wrote.
        """
        events, all_ends = self.apply_rows(command_rows(groups))
        words, ends = events.data, all_ends.tolist()
        found = []
        done = start = 0
        for group in groups:
            own = ends[done : done + len(group)]
            end = own[-1] if own else start
            within = [each - start for each in own]
            found.append(Transcript(first + done, group, words[start:end], within))
            done, start = done + len(own), end
        return found

    def apply_rows(self, rows: Words) -> tuple[Words, Words]:
        """Carry out commands given as rows of COMMAND_WIDTH numbers.

        Returns the events of all as one row of numbers, as `event_codec` writes them, and where in
        it the events of each command end. Rows must be those of `encode_batch` or `command_rows`.
        Raises EngineFault when a kernel stops; from then on the engine refuses to go on.
        """
        count = len(rows)
        if rows.ndim != 2 or rows.shape[1] != COMMAND_WIDTH:  # noqa: PLR2004
            raise ValueError(f"rows must be {COMMAND_WIDTH} numbers wide, are {rows.shape}")
        if count and not 0 <= rows[:, 0].min() <= rows[:, 0].max() < len(COMMAND_KINDS):
            raise ValueError("a row is no command: its first number is none of the kinds")
        self._make_room(rows)
        ends = np.zeros(max(1, count), dtype=np.int64)
        commands = np.ascontiguousarray(rows, dtype=np.int64).reshape(-1)
        numbers = self.columns["globals"]
        numbers[Globals.batch_next] = 0
        numbers[Globals.event_limit] = _EVENT_LIMIT
        pieces: list[Words] = []
        before = done = 0
        while done < count:
            self._attach(commands=commands, ends=ends)
            reached = self._call("apply_batch", count)
            pieces.append(self._take_events())
            ends[done:reached] += before
            before += len(pieces[-1])
            done = reached
            if done < count and rows[done, 0] == _CHANGE_PARAMETER:
                self._change_parameter(rows[done])
                pieces.append(self._take_events())
                before += len(pieces[-1])
                ends[done] = before
                done += 1
                numbers[Globals.batch_next] = done
        events = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)
        return events, ends[:count]

    def _call(self, name: str, *arguments: int) -> int:
        if self._fault is not None:
            raise EngineFault(f"this engine stopped before: {self._fault}")
        try:
            return self._machine.call(name, int(self._root.ctypes.data), *arguments)
        except EngineFault as fault:
            self._fault = fault
            raise

    def _make_room(self, rows: Words) -> None:
        numbers = self.columns["globals"]
        kinds = rows[:, 0]
        accounts = int(numbers[Globals.accounts]) + int(np.count_nonzero(kinds == _OPEN_ACCOUNT))
        orders = int(numbers[Globals.orders]) + int(np.count_nonzero(np.isin(kinds, _PLACING)))
        self.columns.grow_accounts(accounts)
        self.columns.grow_orders(orders)
        posts = int(np.count_nonzero(kinds == _POST_STANDBY))
        self.columns.grow_standbys(int(numbers[Globals.standby_count]) + posts)

    def _attach(self, **batch: Words) -> None:
        """Write the addresses of all columns where kernels look for them."""
        columns = self.columns.by_name | batch
        for place, name in enumerate(_COLUMNS):
            column = columns.get(name)
            if column is not self._attached[place]:
                self._attached[place] = column
                self._root[FIRST_COLUMN + place] = 0 if column is None else column.ctypes.data

    def _take_events(self) -> Words:
        """The events written so far; the buffer is empty again."""
        used = int(self._root[EVENTS_USED])
        self._root[EVENTS_USED] = 0
        if not used:
            return np.zeros(0, dtype=np.int64)
        buffer = (ctypes.c_int64 * used).from_address(int(self._root[EVENTS]))
        return np.array(buffer, dtype=np.int64)

    def _change_parameter(self, row: Words) -> None:
        command, _ = decode_command(row.tobytes())
        assert isinstance(command, ChangeParameter)
        try:
            self.columns.put_parameters(changed_parameters(self.parameters, command))
        except ParameterError:
            self._call("parameters_refused", row.ctypes.data)
            return
        self._call("parameters_changed", row.ctypes.data)

    @property
    def now(self) -> int:
        """Time of the last step, microseconds UTC."""
        return int(self.columns["globals"][Globals.now])

    def read(self, name: str, *arguments: int, **instead: Words) -> int:
        """Call a kernel that reads, between two batches; `instead` are columns it gets copies of.

        One that stops, say because an imagined number is too large, leaves the engine as it was.
        """
        if self._fault is not None:
            raise EngineFault(f"this engine stopped before: {self._fault}")
        self._attach(**instead)
        try:
            return self._machine.call(name, int(self._root.ctypes.data), *arguments)
        finally:
            self.columns["globals"][Globals.scratch_top] = 0

    @property
    def queries(self) -> FastQueries:
        """What can be asked between two batches."""
        return FastQueries(self)

    def pool_readings(self) -> list[PoolReading]:
        """Utilization and bound in force of every pool, by asset number."""
        count = len(self.parameters.assets)
        rows = np.zeros((count, readings.PoolReadingRow.WIDTH), dtype=np.int64)
        self.read("read_pools", rows.ctypes.data)
        return [PoolReading(*row) for row in rows.tolist()]

    def snapshot(self) -> bytes:
        """The whole state as bytes, the same for equal states."""
        return write_snapshot(self.columns)

    def state_hash(self) -> str:
        """BLAKE2b of the snapshot, 32 bytes in hexadecimal."""
        return state_hash(self.snapshot())

    @classmethod
    def restore(cls, data: bytes) -> "FastEngine":
        """The engine that `snapshot` was taken from. Raises SnapshotError on other bytes."""
        engine = cls.__new__(cls)
        engine._start(read_snapshot(data), None)
        return engine

    def __del__(self) -> None:
        root = getattr(self, "_root", None)
        if root is not None and root[EVENTS]:
            _FREE(int(root[EVENTS]))
            root[EVENTS] = root[EVENTS_CAPACITY] = 0


_CHANGE_PARAMETER = COMMAND_KINDS.index(ChangeParameter)
_FREE = ctypes.CDLL(None).free
_FREE.argtypes = [ctypes.c_void_p]
