"""The face that every engine has: commands in, events out, a hash of everything, a few readings."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.domain.events import Event


class PoolReading(NamedTuple):
    """One pool now: utilization (uncapped) and the throttle's bound in force, both 10^-9."""

    utilization: int
    bound: int


class Engine(Protocol):
    """What runs, logs and services need of an engine."""

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
        """Every pool, by asset number."""
        ...
