"""The writer of a node of a cluster: as `sequencer`, with a log that several nodes follow.

What is taken in goes into a frame of the log first; a frame that the log has is made durable in the
node's own journal and carried out, on every node alike, whoever wrote it (`cluster.member` says
when). Whoever handed a request in is answered by the node that led when it was stored; where that
cannot be said, and on nodes that follow, he is told to ask again, and finds the first answer on any
node. A node on which the same records lead to another state than the leader's stops, and keeps its
journal.

The log is spoken to in two threads of their own, one append and one reading (`log_reader`) at a
time, so that a log that hangs delays nothing that does not need it.
"""

import queue
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from solvent.cluster.frames import Position, beginning, digest_of, epoch_of
from solvent.cluster.log import Appended, Log
from solvent.cluster.member import (
    Append,
    Apply,
    AskAgain,
    Done,
    Effect,
    Fetch,
    Member,
    Part,
)
from solvent.journal.durable import Journal
from solvent.service.core.cluster.log_reader import Heard, LogReader, Peers
from solvent.service.core.cluster.sights import NodeAt
from solvent.service.core.idempotency import Ticket
from solvent.service.core.market import Market, MarketError, Outcome
from solvent.service.core.place import Place
from solvent.service.core.records import (
    Record,
    RecordKind,
    decode_record,
    encode_record,
    frame_record,
)
from solvent.service.core.sequencer import (
    NO_TAIL,
    SNAPSHOT_SHARE,
    AskAgainError,
    Listener,
    Sequencer,
    Stop,
    Tail,
    Told,
    Waiting,
    WriterStoppedError,
)
from solvent.service.limits import BATCH_RECORDS

TURN_SECONDS = 0.01
"""A turn waits so long for something to do."""
HAND_OVER_SECONDS = 1.0
"""Who ends waits so long for the log to take the frame by which it leads no more."""
CHECK_FRAMES = 10_000
"""All nodes compare their states when so many frames have come, and before each snapshot."""
DIFFERS = "differs-"
"""What the state of a node that differs is kept as, with the frame's number, beside its journal."""
ELSEWHERE = "another node may know: ask again"
FRAMES_TOLD = 64
BYTES_TOLD = 4 * 1024 * 1024
"""Another node is told so many frames at once, and no more once they have so many bytes."""


class Replication(NamedTuple):
    """What makes a node one of a cluster: its number, the log, and the journals of the others.

    `nodes` are all of them by number, where it is known how to ask them.
    """

    node: int
    log: Log
    peers: Peers
    nodes: Sequence[NodeAt] = ()


class _HandOver(NamedTuple):
    """Asks the writer to lead no more in this epoch; None: in any."""

    epoch: int | None


class _Said(NamedTuple):
    """What the log answered to an append."""

    key: str
    answer: Appended


class ReplicatedSequencer(Sequencer):
    """A sequencer whose journal holds the frames of a log.

    `position` is the last frame that this node took, which it may be about to carry out, `applied`
    the number of the last that it has carried out, and `member` what it is in the cluster.
    """

    def __init__(
        self,
        journal: Journal,
        market: Market,
        replication: Replication,
        *,
        listeners: Sequence[Listener] = (),
        snapshot_every: int = 1_000_000,
        check_frames: int = CHECK_FRAMES,
        tail: Tail = NO_TAIL,
    ) -> None:
        super().__init__(
            journal, market, listeners=listeners, snapshot_every=snapshot_every, tail=tail
        )
        self.nodes = replication.nodes
        self._log = replication.log
        self.member = Member(replication.node, position_of(journal), _now())
        self._asked = ThreadPoolExecutor(1, thread_name_prefix="append")
        self._reader = LogReader(
            replication.log,
            replication.peers,
            lambda: self.position.sequence,
            self._queue.put,
        )
        self._tickets: dict[int, Future[Outcome] | Ticket[Outcome]] = {}
        self._next = 0
        self._latest: Sequence[Outcome] = ()
        self._carried_at = time.monotonic()
        self._check_frames = check_frames
        self._checked = self.applied
        """The frame at which states were compared last, or where this life began."""

    @property
    def leads(self) -> bool:
        """Whether requests are taken in here."""
        return self.member.leads

    @property
    def position(self) -> Position:
        """The last frame that was taken here."""
        return self.member.position

    @property
    def place(self) -> Place:
        """Where this node stands."""
        sequence = self.applied
        return Place(
            part="leads" if self.leads else "follows",
            sequence=sequence,
            epoch=self.position.epoch,
            lag=max(0, self._reader.end - sequence),
            quiet=time.monotonic() - self._carried_at,
            node=self.member.node,
            leader=self.member.leader,
        )

    def start(self) -> None:
        """Begin to follow the log, and to lead where nobody does."""
        super().start()
        self._reader.start()

    def hand_over(self, epoch: int | None = None) -> None:
        """Let another node lead, if this one does, and the epoch is still that one."""
        self._queue.put(_HandOver(epoch))

    def close(self) -> None:
        """Let another node lead, then as for one node."""
        if self._thread.is_alive():
            self.hand_over()
            end = time.monotonic() + HAND_OVER_SECONDS
            while self.member.part is Part.LEADS and time.monotonic() < end:
                time.sleep(TURN_SECONDS)
        super().close()

    def refuse_more(self, requests: int) -> None:
        """As for one node; on one that follows raise AskAgainError."""
        super().refuse_more(requests)
        if not self.leads:
            raise AskAgainError(ELSEWHERE)

    # The writer's thread.

    def _turn(self) -> bool:
        """What came since the last turn; whether to go on."""
        goes_on = True
        for item in self._gather():
            match item:
                case Stop():
                    goes_on = False
                case Waiting():
                    self._submit(item)
                case _HandOver() if item.epoch in (None, self.position.epoch):
                    self._do(self.member.hand_over(_now()))
                case _Said():
                    self._do(self.member.appended(item.key, item.answer, _now()))
                case Heard():
                    hear = self.member.fetched if item.is_fetched else self.member.heard
                    for sequence, data in enumerate(item.frames, item.first):
                        self._do(hear(sequence, data, _now()))
                    item.taken.set()
        self._do(self.member.tick(_now()))
        if self._is_check_due():
            self.member.hold()
            if self.member.is_idle:
                self._do(self.member.write_alone(self._check(), _now()))
        return goes_on

    def _is_check_due(self) -> bool:
        """Whether all nodes are to compare their states, at every so many frames or to keep it."""
        if not self.member.leads:
            return False
        each = self._check_frames
        return self.applied // each > self._checked // each or self._is_snapshot_due()

    def _gather(self) -> list[Any]:
        """All that is there now; after a while nothing."""
        found: list[Any] = []
        with suppress(queue.Empty):
            found.append(self._queue.get(timeout=TURN_SECONDS))
            while len(found) < BATCH_RECORDS:
                found.append(self._queue.get(block=False))
        return found

    def _submit(self, item: Waiting) -> None:
        self._next += 1
        self._tickets[self._next] = item.who
        self._do(self.member.submit(self._next, encode_record(item.record), _now()))

    def _do(self, effects: list[Effect]) -> None:
        """What the member says is to be done, in order."""
        told: list[Told] = []
        has_news = False
        for effect in effects:
            match effect:
                case Append():
                    self._asked.submit(self._append, effect)
                case Apply():
                    self._carry_out_frame(effect)
                    has_news = True
                case Done():
                    self._answer(effect.ticket, self._latest[effect.place], told)
                case AskAgain():
                    for ticket in effect.tickets:
                        self._answer(ticket, AskAgainError(ELSEWHERE), told)
                case Fetch():
                    self._reader.distrust(effect.sequence)
                case _:
                    raise MarketError(effect.reason)
        if has_news or told:
            # Also where nobody waits here: whoever is told publishes what happened.
            self._tell(told)

    def _answer(self, ticket: object, said: Outcome | WriterStoppedError, told: list[Told]) -> None:
        assert isinstance(ticket, int)
        who = self._tickets.pop(ticket)
        if not isinstance(who, Future):
            told.append((who, said))
        elif isinstance(said, WriterStoppedError):
            who.set_exception(said)
        else:
            who.set_result(said)

    def _carry_out_frame(self, apply: Apply) -> None:
        started = time.perf_counter()
        self.journal.append([frame_record(apply.data, is_over=apply.is_over)])
        self.append_seconds += time.perf_counter() - started
        self.batches += 1
        records = [decode_record(each) for each in apply.records]
        is_check = [record.kind for record in records] == [RecordKind.CHECK]
        try:
            self._latest = self._happen(records) if records else ()
        except MarketError as error:
            if is_check:
                self._put_beside(apply.sequence, error)
            raise
        self.applied, self._carried_at = apply.sequence, time.monotonic()
        if is_check:
            self._checked = apply.sequence
            if self._is_worth_keeping():
                self._keep()

    def _put_beside(self, sequence: int, error: MarketError) -> None:
        """Keep this node's state beside its journal, which has the leader's hash. Raises."""
        place = self.journal.folder.parent / f"{DIFFERS}{sequence}"
        with self.lock:
            place.write_bytes(self.market.save())
        raise MarketError(
            f"frame {sequence}: {error}; this node's own state is kept as {place}, and its journal "
            "has the leader's: start it again, and if it differs again, `solvent cluster repair` it"
        ) from error

    def _is_worth_keeping(self) -> bool:
        """Whether what came since the latest snapshot outweighs the time that one takes."""
        records, seconds = self._tail
        is_long = seconds >= SNAPSHOT_SHARE * self._snapshot_seconds
        return records >= self._snapshot_every or is_long

    def _happen(self, records: list[Record]) -> list[Outcome]:
        with self.lock:
            began = time.perf_counter()
            outcomes = self.market.carry_out(records)
            worked = time.perf_counter() - began
        self._tail = Tail(self._tail.records + len(records), self._tail.seconds + worked)
        for listener in self._listeners:
            listener(outcomes)
        return outcomes

    def _check(self) -> bytes:
        """A record that has every node compare its state with this one's, and keep it."""
        with self.lock:
            state = self.market.engine.state_hash()
        return encode_record(Record(RecordKind.CHECK, self.market.engine.now, body=state.encode()))

    def _keep(self) -> None:
        began = time.perf_counter()
        with self.lock:
            saved = self.market.save()
        self.journal.snapshot(saved)
        self._tail, self._snapshot_seconds = NO_TAIL, time.perf_counter() - began
        self.on_snapshot()

    def _snapshot(self) -> None:
        """Nothing at its end: a snapshot follows a record that all nodes have."""

    def _end(self, fault: BaseException | None) -> None:
        super()._end(fault)
        self._do(self.member.leave())
        self._asked.shutdown(cancel_futures=True)
        self._reader.close()
        self._log.close()

    # The thread that appends.

    def _append(self, effect: Append) -> None:
        answer = self._log.append(effect.expected, effect.key, effect.frame)
        self._queue.put(_Said(effect.key, answer))


def position_of(journal: Journal) -> Position:
    """How far a journal of frames has the log."""
    last = beginning(journal.head)
    if not journal.sequence:
        return last
    digest, epoch = b"", 0
    for number in range(journal.sequence - 1, -1, -1):
        _, data = next(journal.records(number))
        record = decode_record(data)
        digest = digest or digest_of(record.body)
        if record.kind == RecordKind.FRAME:
            epoch = epoch_of(record.body)
            break
    return Position(journal.sequence, epoch, digest)


def frames_from(journal: Journal, first: int) -> list[bytes]:
    """Frames of the log from number `first` on, as many as are told at once and are here.

    Raises the journal's errors.
    """
    if not journal.first < first <= journal.sequence:
        return []
    found: list[bytes] = []
    size = 0
    for _, data in islice(journal.records(first - 1), FRAMES_TOLD):
        found.append(decode_record(data).body)
        size += len(found[-1])
        if size >= BYTES_TOLD:
            break
    return found


def _now() -> int:
    return time.monotonic_ns() // 1000
