"""The engine's face over a running node, for whoever plays people's parts in another thread.

Every command goes through the sequencer like a client's, so it is durable before it happens.
"""

import time
from collections.abc import Iterable

from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.domain.events import Event
from solvent.domain.readings import PoolReading
from solvent.service.core.node import Node
from solvent.service.core.sequencer import AskAgainError, QueueFullError

PATIENCE = 0.05
"""Seconds until the queue is asked again whether it has room."""


class NodeEngine:
    """A `RunnableEngine` whose commands a node carries out."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._is_over = False

    def stop(self) -> None:
        """Wait for no lead any more: who still asks is told that the service goes away."""
        self._is_over = True

    @property
    def now(self) -> int:
        """Time of the last step, microseconds UTC."""
        return self._node.market.engine.now

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry out commands in order; what came of each, by its number in the market."""
        commands = tuple(batch)
        while True:
            try:
                outcome = self._node.apply(*commands)
            except (QueueFullError, AskAgainError):
                # In a cluster the part is played on by whoever leads.
                if self._is_over:
                    raise
                time.sleep(PATIENCE)
                continue
            return outcome.transcript

    def apply_one(self, command: Command) -> tuple[Event, ...]:
        """Carry out one command and return what happened."""
        return self.apply((command,))[0].events

    def snapshot(self) -> bytes:
        """The whole state as bytes."""
        with self._node.sequencer.lock:
            return self._node.market.engine.snapshot()

    def state_hash(self) -> str:
        """The digest of the whole state."""
        with self._node.sequencer.lock:
            return self._node.market.engine.state_hash()

    def pool_readings(self) -> list[PoolReading]:
        """Every pool, by asset number."""
        with self._node.sequencer.lock:
            return self._node.market.engine.pool_readings()
