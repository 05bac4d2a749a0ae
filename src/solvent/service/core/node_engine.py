"""The engine's face over a running node, for whoever plays people's parts in another thread.

Every command goes through the sequencer like a client's, so it is durable before it happens. In a
cluster it may have happened although nobody said so here: then it is asked for again under a digest
of its own, as a client asks again, and what came of it is what the market told first.
"""

import secrets
import time
from collections.abc import Iterable, Sequence

from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.domain.events import Event
from solvent.domain.readings import PoolReading
from solvent.service.core.market import Outcome
from solvent.service.core.node import Node
from solvent.service.core.records import Record, commands_record
from solvent.service.core.sequencer import AskAgainError, QueueFullError
from solvent.service.limits import WINDOW_MS
from solvent.service.wire import ms

PATIENCE = 0.05
"""Seconds until the queue is asked again whether it has room."""
DIGEST_BYTES = 16


class NodeEngine:
    """A `RunnableEngine` whose commands a node carries out."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._is_over = False
        self._asked: dict[bytes, Outcome | None] = {}
        """What was asked for and is not returned yet, with what came of it, by digest."""
        node.sequencer.listen(self._hear)

    def stop(self) -> None:
        """Wait for no lead any more: who still asks is told that the service goes away."""
        self._is_over = True

    @property
    def now(self) -> int:
        """Time of the last step, microseconds UTC."""
        return self._node.market.engine.now

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry out commands in order; what came of each, by its number in the market."""
        now, digest = self._node.clock(), secrets.token_bytes(DIGEST_BYTES)
        record = commands_record(now, batch, digest=digest, expires=ms(now) + WINDOW_MS)
        self._asked[digest] = None
        try:
            return self._outcome_of(record).transcript
        finally:
            del self._asked[digest]

    def _outcome_of(self, record: Record) -> Outcome:
        """What came of a record when it was carried out first."""
        while True:
            try:
                self._node.sequencer.submit(record).result()
            except (QueueFullError, AskAgainError):
                # In a cluster the part is played on by whoever leads.
                if self._is_over:
                    raise
                time.sleep(PATIENCE)
            outcome = self._asked[record.digest]
            if outcome is not None:
                return outcome

    def _hear(self, outcomes: Sequence[Outcome]) -> None:
        """In the writer's thread, before anybody is answered."""
        for outcome in outcomes:
            digest = outcome.record.digest
            if self._asked.get(digest, outcome) is None:
                self._asked[digest] = outcome

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
