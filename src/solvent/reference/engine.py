"""The engine: a command goes in, events come out, and nothing else happens.

Each command is checked in the order of the rejection enum and, when nothing refuses, carried out;
then whatever a change of price, interest or parameters made liquidatable is found. A refused
command changes nothing. The face is the same as every other engine's: `apply`, `state_hash`,
`snapshot`, `restore` and read-only questions.

Specification: section 10.
"""

from collections.abc import Iterable, Iterator, Sequence

from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.snapshots import state_hash
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command, TimeStep, encode_command
from solvent.domain.events import Event
from solvent.domain.parameters import EngineParameters
from solvent.domain.readings import PoolReading
from solvent.reference.dispatch import HANDLERS, refused
from solvent.reference.lending.rates import utilization
from solvent.reference.lending.throttle import bound_in_force
from solvent.reference.orderbook.triggers import fire, next_due
from solvent.reference.queries import ReferenceQueries
from solvent.reference.snapshot import read_snapshot, write_snapshot
from solvent.reference.state import new_state

Part = tuple[Command, tuple[Event, ...]]
"""A command, or the order that a waiting one became, and what happened."""


class ReferenceEngine:
    """The plain engine. `parameters` are those it starts with; `state` is there to be read."""

    def __init__(self, parameters: EngineParameters) -> None:
        self.state = new_state(parameters)

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry out commands in order; what came of each, numbered from 0."""
        return Transcript.of(0, [(command, self.apply_one(command)) for command in batch])

    def apply_one(self, command: Command) -> tuple[Event, ...]:
        """Carry out one command and return what happened."""
        return tuple(event for _, events in self.parts(command) for event in events)

    def parts(self, command: Command) -> Iterator[Part]:
        """Carry out one command, then each waiting order that it fired, as they are asked for.

        Each comes with what happened; between two of them the state is whole.
        """
        # Refuses a field that no row of numbers can hold, as an engine of rows does.
        encode_command(command)
        state = self.state
        state.events = []
        refusal = HANDLERS[type(command)](state, command)
        # Time passes in `clock`, which looks itself whether anything happened.
        if refusal is None and not isinstance(command, TimeStep):
            state.asleep = False
            state.heard = state.interval() + 1
        if refusal is not None:
            state.events = [refused(command, refusal)]
        yield command, self._taken()
        while (trigger := next_due(state)) is not None:
            fire(state, trigger)
            yield trigger.becomes, self._taken()

    def _taken(self) -> tuple[Event, ...]:
        events = tuple(self.state.events)
        self.state.events = []
        return events

    def apply_groups(self, first: int, groups: Sequence[EncodedCommands]) -> list[Transcript]:
        """Carry out recorded commands, numbered from `first`; what came of each group's."""
        found = []
        for group in groups:
            done = [(command, self.apply_one(command)) for command in group]
            found.append(Transcript.of(first, done))
            first += len(group)
        return found

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        return self.state.parameters

    @property
    def queries(self) -> ReferenceQueries:
        """What can be asked between two commands."""
        return ReferenceQueries(self.state)

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
