"""The face that every engine has: commands in, events out, a hash of everything, and readings.

Engines of one face give the same bytes for the same commands, read each other's snapshots and give
the same answers, so what runs on one runs on the other.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.domain.events import Event
from solvent.domain.parameters import EngineParameters
from solvent.domain.queries import Queries
from solvent.domain.readings import PoolReading


class RunnableEngine(Protocol):
    """What a run drives, logs and draws: its own engine, or that of a market that is up."""

    @property
    def now(self) -> int:
        """Time of the last step, microseconds UTC."""
        ...

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry out commands in order; return them with the events of each."""
        ...

    def apply_one(self, command: Command) -> tuple[Event, ...]:
        """Carry out one command; return it with its events."""
        ...

    def snapshot(self) -> bytes:
        """The whole state as bytes, the same for equal states."""
        ...

    def state_hash(self) -> str:
        """The digest of the whole state."""
        ...

    def pool_readings(self) -> list[PoolReading]:
        """Utilization and bound in force of every pool, by asset number."""
        ...


class EngineFace(RunnableEngine, Protocol):
    """An engine, whichever it is."""

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        ...

    @property
    def queries(self) -> Queries:
        """What can be asked between two commands."""
        ...

    def apply_groups(self, first: int, groups: Sequence[EncodedCommands]) -> list[Transcript]:
        """Carry out recorded commands in order, the first of them number `first` of all.

        Returns what came of each group's.
        """
        ...


class EngineFactory(Protocol):
    """A kind of engine: begins one from parameters, or goes on from a snapshot of any kind's."""

    def __call__(self, parameters: EngineParameters) -> EngineFace:
        """A new engine."""
        ...

    def restore(self, data: bytes) -> EngineFace:
        """The engine that `snapshot` was taken from. Raises SnapshotError on other bytes."""
        ...
