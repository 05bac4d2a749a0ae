"""The sequencer: the one writer. Take in, make durable, carry out, answer, publish, in that order.

Requests wait in a queue while the disk syncs; all that came meanwhile become one batch (group
commit). The engine runs in this thread, so the event loop never waits for it; who reads the engine
takes `lock` and waits for the batch in work at most. Who hands in many requests is told of a whole
batch at once (`hand_in`). The writer fails for good: after a failed
write or sync, a fault of the engine or a check that does not hold, it answers nothing more, and
what was acknowledged is on the disk.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from solvent.domain.engine_face import EngineFactory
from solvent.journal.durable import Journal
from solvent.service.core.cluster.sights import NodeAt
from solvent.service.core.idempotency import Ticket
from solvent.service.core.market import Market, MarketError, Outcome
from solvent.service.core.place import Place
from solvent.service.core.records import (
    Record,
    RecordError,
    RecordKind,
    encode_record,
    records_in,
)
from solvent.service.limits import BATCH_RECORDS, QUEUE_RECORDS, RECOVERY_SECONDS

Listener = Callable[[Sequence[Outcome]], None]
"""Told, in the writer's thread, what durable records led to."""


class WriterStoppedError(RuntimeError):
    """The writer has stopped. `str(error)` is the reason."""


class AskAgainError(WriterStoppedError):
    """What became of a request cannot be said here: whoever asks again gets its first answer."""


class QueueFullError(RuntimeError):
    """Too much waits already: come again later."""


Told = tuple[Ticket[Outcome], Outcome | WriterStoppedError]
Tell = Callable[[Sequence[Told]], None]
"""Told, in the writer's thread, what becomes of the requests of a batch that were handed in."""


SNAPSHOT_SHARE = 10
"""Between two snapshots the writer works so many times as long as one takes."""


class Tail(NamedTuple):
    """What came after the latest snapshot: records, and the seconds that they took to happen."""

    records: int = 0
    seconds: float = 0.0


NO_TAIL = Tail()


class Waiting(NamedTuple):
    """A request that was handed in, and who is to be told what became of it."""

    record: Record
    who: "Future[Outcome] | Ticket[Outcome]"


class Stop(NamedTuple):
    """Asks the writer to save the market and end."""


class Sequencer:
    """Owns a journal and the market that follows from it.

    A snapshot is written every `snapshot_every` records, and before what came after the last one
    takes longer than `RECOVERY_SECONDS` to happen again; `tail` is what a former life left behind
    its last snapshot. `stopped` is why nothing more is taken in, and
    `fault` what went wrong: None also after an ordinary end. `batches` were made durable in
    `append_seconds`.
    """

    nodes: Sequence[NodeAt] = ()
    """All nodes of a cluster, by number; none where this one is alone."""

    def __init__(
        self,
        journal: Journal,
        market: Market,
        *,
        listeners: Sequence[Listener] = (),
        snapshot_every: int = 1_000_000,
        tail: Tail = NO_TAIL,
    ) -> None:
        self.market = market
        self.journal = journal
        self.lock = threading.Lock()
        self.stopped: BaseException | None = None
        self.fault: BaseException | None = None
        self._listeners = list(listeners)
        self._tell: Tell = _nobody
        self.on_snapshot: Callable[[], object] = _nothing
        """Told, in the writer's thread, of every snapshot that is written."""
        self._snapshot_every = snapshot_every
        self._tail = tail
        self._snapshot_seconds = 0.0
        self.batches, self.append_seconds = 0, 0.0
        self.applied = journal.sequence
        """The number of the record, or frame, up to which all is carried out."""
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._is_closing = False

    def listen(self, listener: Listener) -> None:
        """Add a listener; before `start`."""
        self._listeners.append(listener)

    def answer_to(self, tell: Tell) -> None:
        """Say who is told of what is handed in; before `start`."""
        self._tell = tell

    def start(self) -> None:
        """Begin to take requests."""
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether the writer carries out nothing more."""
        return self.stopped is not None

    @property
    def leads(self) -> bool:
        """Whether requests are taken in here, as far as nothing is wrong."""
        return True

    @property
    def place(self) -> Place:
        """Where this node stands."""
        return Place("alone", self.applied)

    def hand_over(self, epoch: int | None = None) -> None:
        """Let another node lead, if there is one."""

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._queue.qsize()

    @property
    def tail(self) -> Tail:
        """What came after the latest snapshot."""
        return self._tail

    def submit(self, record: Record) -> "Future[Outcome]":
        """Hand a request in; its outcome comes when it is durable and done.

        Raises WriterStoppedError or QueueFullError, and then nothing was taken in.
        """
        future: Future[Outcome] = Future()
        future.set_running_or_notify_cancel()
        self.hand_in([(record, future)])
        return future

    def hand_in(
        self, requests: Sequence[tuple[Record, "Future[Outcome] | Ticket[Outcome]"]]
    ) -> None:
        """Hand many in, each all or nothing; what becomes of those with a ticket is told.

        Raises WriterStoppedError or QueueFullError, and then none was taken in.
        """
        self.refuse_more(len(requests))
        for request in requests:
            self._queue.put(Waiting(*request))
        if self.has_ended:
            # The writer may have looked for the last time before these were put in.
            self._refuse_waiting()

    def refuse_more(self, requests: int) -> None:
        """Raise WriterStoppedError or QueueFullError unless so many would be taken in now."""
        if self.has_ended or self._is_closing:
            raise WriterStoppedError(str(self.stopped or "the service is closing"))
        if self._queue.qsize() + requests > QUEUE_RECORDS:
            raise QueueFullError

    def close(self) -> None:
        """Finish what waits, save the market and close the journal."""
        self._is_closing = True
        if self._thread.ident is None:
            self._end(None)
            return
        self._queue.put(Stop())
        self._thread.join()

    # The writer's thread.

    def _run(self) -> None:
        try:
            while self._turn():
                pass
            if self._tail.records:
                self._snapshot()
        except BaseException as error:
            self._end(error)
        else:
            self._end(None)

    def _end(self, fault: BaseException | None) -> None:
        self.fault = fault
        self.stopped = fault or WriterStoppedError("the service is closed")
        self._refuse_waiting()
        try:
            self.journal.close()
        except Exception as error:
            self.fault = self.fault or error

    def _turn(self) -> bool:
        """One batch; whether to go on."""
        batch, goes_on = self._take()
        if batch:
            try:
                self._carry_out(batch)
            except BaseException as error:
                self._refuse(batch, error)
                raise
        if self._is_snapshot_due():
            self._snapshot()
        return goes_on

    def _is_snapshot_due(self) -> bool:
        records, seconds = self._tail
        longest = max(RECOVERY_SECONDS, SNAPSHOT_SHARE * self._snapshot_seconds)
        return records >= self._snapshot_every or seconds >= longest

    def _take(self) -> tuple[list[Waiting], bool]:
        batch: list[Waiting] = []
        size = 0
        while len(batch) < BATCH_RECORDS and size < BATCH_BYTES:
            try:
                item = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if isinstance(item, Stop):
                return batch, False
            batch.append(item)
            size += len(item.record.commands) + len(item.record.body)
        return batch, True

    def _carry_out(self, batch: Sequence[Waiting]) -> None:
        records = [waiting.record for waiting in batch]
        started = time.perf_counter()
        self.journal.append([encode_record(record) for record in records])
        self.append_seconds += time.perf_counter() - started
        self.batches += 1
        with self.lock:
            began = time.perf_counter()
            outcomes = self.market.carry_out(records)
            worked = time.perf_counter() - began
        self._tail = Tail(self._tail.records + len(records), self._tail.seconds + worked)
        for listener in self._listeners:
            listener(outcomes)
        self.applied = self.journal.sequence
        told: list[Told] = []
        for (_, who), outcome in zip(batch, outcomes, strict=True):
            if isinstance(who, Future):
                who.set_result(outcome)
            else:
                told.append((who, outcome))
        self._tell(told)

    def _snapshot(self) -> None:
        """Write the state hash into the journal, then the market as of that record."""
        began = time.perf_counter()
        with self.lock:
            state = self.market.engine.state_hash()
        check = Record(RecordKind.CHECK, self.market.engine.now, body=state.encode())
        self.journal.append([encode_record(check)])
        with self.lock:
            self.market.carry_out([check])
            saved = self.market.save()
        self.journal.snapshot(saved)
        self._tail, self._snapshot_seconds = NO_TAIL, time.perf_counter() - began
        self.on_snapshot()

    def _refuse_waiting(self) -> None:
        while True:
            try:
                item = self._queue.get(block=False)
            except queue.Empty:
                return
            if isinstance(item, Waiting):
                self._refuse([item], self.stopped)

    def _refuse(self, batch: Sequence[Waiting], reason: BaseException | None) -> None:
        """Say to those who were not answered that they will not be."""
        told: list[Told] = []
        for _, who in batch:
            error = WriterStoppedError(str(reason))
            if not isinstance(who, Future):
                told.append((who, error))
            elif not who.done():
                who.set_exception(error)
        if told:
            self._tell(told)


def _nobody(_: Sequence[Told]) -> None:
    """For a sequencer to which nothing is handed in."""


def _nothing() -> None:
    """For a sequencer whose snapshots nobody waits for."""


BATCH_BYTES = 16 * 1024 * 1024
"""A batch that has grown to so many bytes takes in no more, far below what a frame may have."""
RECOVERY_BATCH = 512


def recover(
    journal: Journal,
    engines: EngineFactory,
    listener: Listener | None = None,
    first_command: int | None = None,
) -> Market:
    """The market of a journal: its latest snapshot and what came after.

    With `first_command` the listener hears of every record from one whose commands start at or
    before it, if need be from the beginning; without it, of what came after the snapshot. Raises
    MarketError where the engine of today comes to another state than the journal says.
    """
    market, start = _nearest(journal, engines, first_command)
    for outcomes in replay(journal, market, start):
        if listener is not None:
            listener(outcomes)
    return market


def tell_again(
    journal: Journal, engines: EngineFactory, first_command: int
) -> Iterator[Sequence[Outcome]]:
    """Outcomes from a command on, or from some before it; without an end.

    A market of its own is made for that, in the caller's thread, while the journal may grow: where
    it has told all that is durable it tells of nothing, until there is more.
    """
    market, start = _nearest(journal, engines, first_command)
    while True:
        stop = journal.sequence
        yield from replay(journal, market, start, stop)
        start = stop
        yield ()


def _nearest(
    journal: Journal, engines: EngineFactory, first_command: int | None
) -> tuple[Market, int]:
    """A market to go on from, and the number of the record to go on with."""
    for after, data in journal.good_snapshots():
        market = Market(journal.head, engines, data)
        if first_command is None or first_command >= market.commands:
            # The record before a snapshot holds its state hash.
            return market, after - 1
    return Market(journal.head, engines), 0


def replay(
    journal: Journal, market: Market, start: int = 0, stop: int | None = None
) -> Iterator[list[Outcome]]:
    """Let records from number `start` to `stop` happen in a market that was there before them.

    Without `stop` it is all that are durable now. Raises MarketError, which names the records, and
    the journal's errors.
    """
    batch: list[Record] = []
    done = start
    try:
        for number, data in journal.records(start):
            if number == stop:
                break
            batch += records_in(data)
            if len(batch) >= RECOVERY_BATCH or (batch and batch[-1].kind == RecordKind.CHECK):
                yield market.carry_out(batch)
                done += len(batch)
                batch = []
        if batch:
            yield market.carry_out(batch)
    except (RecordError, MarketError, ArithmeticError, LookupError, ValueError) as error:
        place = f"records {done} to {done + max(len(batch), 1) - 1}"
        raise MarketError(f"{journal.folder}: {place}: {error}") from error
