"""The engine: a command goes in, events come out, and nothing else happens.

Each command is checked in the order of the rejection enum and, when nothing refuses, carried out;
then whatever a change of price, interest or parameters made liquidatable is found. A refused
command changes nothing. The face is the same as every other engine's: `apply`, `state_hash`,
`snapshot`, `restore` and read-only questions.

Specification: section 10.
"""

from collections.abc import Iterable

from solvent.domain.codec.snapshots import state_hash
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.domain.engine_face import PoolReading
from solvent.domain.events import Event
from solvent.domain.parameters import EngineParameters
from solvent.reference.dispatch import HANDLERS, refused
from solvent.reference.lending.rates import utilization
from solvent.reference.lending.throttle import bound_in_force
from solvent.reference.snapshot import read_snapshot, write_snapshot
from solvent.reference.state import new_state


class ReferenceEngine:
    """The plain engine. `parameters` are those it starts with; `state` is there to be read."""

    def __init__(self, parameters: EngineParameters) -> None:
        self.state = new_state(parameters)

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry out commands in order; what came of each, numbered from 0."""
        return Transcript.of(0, [(command, self.apply_one(command)) for command in batch])

    def apply_one(self, command: Command) -> tuple[Event, ...]:
        """Carry out one command and return what happened."""
        state = self.state
        state.events = []
        refusal = HANDLERS[type(command)](state, command)
        if refusal is not None:
            state.events = [refused(command, refusal)]
        events = tuple(state.events)
        state.events = []
        return events

    @property
    def now(self) -> int:
        """Time of the last step, microseconds UTC."""
        return self.state.now

    def pool_readings(self) -> list[PoolReading]:
        """Utilization and bound in force of every pool, by asset number."""
        return [
            PoolReading(utilization(pool), bound_in_force(self.state.asset(asset).pool, pool))
            for asset, pool in enumerate(self.state.pools)
        ]

    def snapshot(self) -> bytes:
        """The whole state as bytes, the same for equal states."""
        return write_snapshot(self.state)

    def state_hash(self) -> str:
        """BLAKE2b of the snapshot, 32 bytes in hexadecimal."""
        return state_hash(self.snapshot())

    @classmethod
    def restore(cls, data: bytes) -> "ReferenceEngine":
        """The engine that `snapshot` was taken from. Raises SnapshotError on other bytes."""
        engine = cls.__new__(cls)
        engine.state = read_snapshot(data)
        return engine
