"""The face that every engine has: commands in, events out, a hash of everything, and readings.

Engines of one face give the same bytes for the same commands, read each other's snapshots and give
the same answers, so what runs on one runs on the other.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.encoded_events import EncodedEvents
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

    def apply(self, batch: Iterable[Command]) -> list[tuple[Event, ...]]:
        """Carry out commands in order; one tuple of events each."""
        ...

    def apply_encoded(self, batch: Iterable[Command]) -> list[EncodedEvents]:
        """Carry out commands in order; the events of each, encoded."""
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

    def apply_one(self, command: Command) -> tuple[Event, ...]:
        """Carry out one command and return what happened."""
        ...

    def apply_groups(self, groups: Sequence[EncodedCommands]) -> tuple[memoryview, list[int]]:
        """Carry out recorded commands in order.

        Returns the events of all as 64-bit numbers, and where those of each command end.
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
