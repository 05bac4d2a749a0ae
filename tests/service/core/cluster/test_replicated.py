"""Three nodes over one log: one leads, all come to the same, and none is missed that is gone."""

import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path

import pytest

from solvent.cluster.frames import requests_of
from solvent.cluster.log import Appended, Stored, Unknown
from solvent.cluster.memory_log import MemoryLog
from solvent.domain.commands import Deposit
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.service.core.cluster.replicated import (
    CHECK_FRAMES,
    DIFFERS,
    ReplicatedSequencer,
    Replication,
    frames_from,
    position_of,
)
from solvent.service.core.market import Market, MarketError, Outcome
from solvent.service.core.records import Record, RecordKind, commands_record, decode_record
from solvent.service.core.sequencer import AskAgainError, WriterStoppedError, recover
from tests.service.clients.served import until
from tests.service.played import played

WAIT = 20.0
GAME = played(9)


class Halves(MemoryLog):
    """Of every so many appends one is stored and not answered, and one is neither."""

    def __init__(self) -> None:
        super().__init__()
        self.appends = 0

    def append(self, expected: int, key: str, frame: bytes) -> Appended:
        self.appends += 1
        if self.appends % 7 == 3:
            return Unknown()
        said = super().append(expected, key, frame)
        return Unknown() if self.appends % 7 == 5 else said


class Cluster:
    """Nodes in folders of their own, and whoever leads them."""

    def __init__(
        self,
        folder: Path,
        log: MemoryLog,
        *,
        snapshot_every: int = 10**6,
        check_frames: int = CHECK_FRAMES,
    ) -> None:
        self.folder, self.log = folder, log
        self.snapshot_every, self.check_frames = snapshot_every, check_frames
        self.nodes: dict[int, ReplicatedSequencer] = {}
        self.fetched: list[int] = []
        self.heard: dict[int, list[Outcome]] = {number: [] for number in range(3)}
        for number in range(3):
            Journal.create(folder / str(number), GAME.head).close()
            self.start(number)

    def start(self, number: int) -> None:
        journal = Journal.open(self.folder / str(number))
        node = ReplicatedSequencer(
            journal,
            recover(journal, FastEngine),
            Replication(number, self.log, lambda sequence: self.fetch(number, sequence)),
            listeners=[self.heard[number].extend],
            snapshot_every=self.snapshot_every,
            check_frames=self.check_frames,
        )
        node.start()
        self.nodes[number] = node

    def fetch(self, asker: int, sequence: int) -> Sequence[bytes]:
        self.fetched.append(sequence)
        found = (frames_from(n.journal, sequence) for k, n in self.nodes.items() if k != asker)
        return next((frames for frames in found if frames), ())

    def stop(self, number: int) -> None:
        self.nodes.pop(number).close()

    def leader(self) -> int:
        until(lambda: any(node.leads for node in self.nodes.values()), WAIT)
        return next(number for number, node in self.nodes.items() if node.leads)

    def ask(self, record: Record) -> Outcome:
        """Ask until somebody says what became of it, as a client does."""
        while True:
            try:
                return self.nodes[self.leader()].submit(record).result(WAIT)
            except (AskAgainError, StopIteration):
                continue

    def rest(self) -> None:
        """Wait until all nodes have carried out the same frames, and compare them."""
        until(lambda: len({node.applied for node in self.nodes.values()}) == 1, WAIT)
        saved = set()
        for node in self.nodes.values():
            with node.lock:
                assert node.fault is None
                saved.add(node.market.save())
        assert len(saved) == 1

    def close(self) -> None:
        for number in list(self.nodes):
            self.stop(number)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, MemoryLog())
    yield made
    made.close()


def _journal(folder: Path) -> Journal:
    Journal.create(folder, GAME.head).close()
    return Journal.open(folder)


def requests(count: int, first: int = 0) -> Sequence[Record]:
    return GAME.records[first : first + count]


def test_one_leads_and_all_come_to_the_same(cluster: Cluster) -> None:
    said = [cluster.ask(record).answer for record in requests(100)]
    cluster.rest()
    alone = recover(_journal(cluster.folder / "alone"), FastEngine)
    assert said == [outcome.answer for one in requests(100) for outcome in alone.carry_out([one])]
    for heard in cluster.heard.values():
        assert [outcome.answer for outcome in heard] == said


def test_a_follower_says_to_ask_again(cluster: Cluster) -> None:
    leader = cluster.leader()
    follower = next(node for number, node in cluster.nodes.items() if number != leader)
    with pytest.raises(AskAgainError, match="ask again"):
        follower.submit(requests(1)[0])


def test_another_leads_where_one_is_gone_and_answers_a_repeat_as_the_first(
    cluster: Cluster,
) -> None:
    first = [cluster.ask(record).answer for record in requests(60)]
    gone = cluster.leader()
    cluster.stop(gone)
    again = [cluster.ask(record).answer for record in requests(60) if record.digest]
    assert again == [
        answer for record, answer in zip(requests(60), first, strict=True) if record.digest
    ]
    for record in requests(40, 60):
        cluster.ask(record)
    cluster.start(gone)
    cluster.rest()


@pytest.mark.slow
@pytest.mark.parametrize("snapshot_every", [20, 10**6])
def test_a_node_goes_on_from_its_own_journal(tmp_path: Path, snapshot_every: int) -> None:
    cluster = Cluster(tmp_path, MemoryLog(), snapshot_every=snapshot_every)
    for turn in range(3):
        for record in requests(40, 40 * turn):
            cluster.ask(record)
        cluster.rest()
        for number in range(3):
            before = cluster.nodes[number].position
            cluster.stop(number)
            journal = Journal.open(tmp_path / str(number))
            assert position_of(journal).sequence >= before.sequence
            assert bool(list(journal.good_snapshots())) == (snapshot_every == 20)
            journal.close()
            cluster.start(number)
    cluster.rest()
    cluster.close()


def test_a_node_whose_folder_is_lost_and_one_that_is_new_come_to_the_same(
    cluster: Cluster,
) -> None:
    for record in requests(60):
        cluster.ask(record)
    lost = cluster.leader()
    cluster.stop(lost)
    shutil.rmtree(cluster.folder / str(lost))
    cluster.heard[3] = []
    for number in (lost, 3):
        Journal.create(cluster.folder / str(number), GAME.head).close()
        cluster.start(number)
    for record in requests(20, 60):
        cluster.ask(record)
    cluster.rest()
    assert len(cluster.nodes) == 4
    for _ in range(2):
        cluster.stop(cluster.leader())
    for record in requests(20, 80):
        cluster.ask(record)
    cluster.rest()


class Hushed(MemoryLog):
    """Of two frames that are stored nobody hears until their writers have given up."""

    WHICH = (10, 32)
    """Of the frames that have requests."""

    def __init__(self) -> None:
        super().__init__()
        self.key, self.hushed = "", 0
        """The key of the frame that is hidden, and its number; 0: none is."""
        self.asked = self.given_up = 0

    def append(self, expected: int, key: str, frame: bytes) -> Appended:
        if self.hushed and key != self.key:
            self.hushed, self.given_up = 0, self.given_up + 1
        said = super().append(expected, key, frame)
        if isinstance(said, Stored) and requests_of(frame) and key != self.key:
            self.asked += 1
            if self.asked in self.WHICH:
                self.key, self.hushed = key, said.sequence
        return Unknown() if self.hushed else said

    def read(self, first: int, most: int) -> Sequence[bytes]:
        return super().read(first, min(most, self.hushed - first) if self.hushed else most)


def signed(count: int) -> Sequence[Record]:
    """What a client may ask again: the market knows it by its digest."""
    return [record for record in GAME.records if record.digest][:count]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Halves, Hushed])
def test_what_is_not_answered_is_done_once(tmp_path: Path, kind: type[MemoryLog]) -> None:
    log = kind()
    cluster = Cluster(tmp_path, log)
    said = [cluster.ask(record).answer for record in signed(60)]
    cluster.rest()
    alone = recover(_journal(tmp_path / "alone"), FastEngine)
    assert said == [outcome.answer for one in signed(60) for outcome in alone.carry_out([one])]
    states = {node.market.engine.state_hash() for node in cluster.nodes.values()}
    assert states == {alone.engine.state_hash()}
    assert not isinstance(log, Hushed) or log.given_up == len(log.WHICH)
    cluster.close()


class Holes(MemoryLog):
    """A log that has lost some frames, and has others with a bit flipped, since all were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: set[int] = set()
        self.flipped: set[int] = set()

    def read(self, first: int, most: int) -> Sequence[bytes]:
        found: list[bytes] = []
        for sequence, frame in enumerate(super().read(first, most), first):
            if sequence in self.lost:
                break
            found.append(frame[:-1] + b"?" if sequence in self.flipped else frame)
        return found


@pytest.mark.parametrize("harm", ["lost", "flipped"])
def test_what_the_log_does_not_give_comes_from_another_nodes_journal(
    tmp_path: Path, harm: str
) -> None:
    log = Holes()
    cluster = Cluster(tmp_path, log)
    leader = cluster.leader()
    behind = (leader + 1) % 3
    cluster.stop(behind)
    for record in requests(60):
        cluster.ask(record)
    end = log.tail()
    setattr(log, harm, set(range(end // 3, end // 2)))
    cluster.start(behind)
    for record in requests(20, 60):
        cluster.ask(record)
    cluster.rest()
    assert cluster.fetched[0] == end // 3
    cluster.close()


def test_a_node_that_differs_stops_and_keeps_its_journal(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, MemoryLog(), snapshot_every=30)
    leader = cluster.leader()
    other = cluster.nodes[(leader + 1) % 3]
    for record in requests(20):
        cluster.ask(record)
    cluster.rest()
    with other.lock:
        other.market.carry_out([commands_record(GAME.records[19].time, [Deposit(1, 0, 1)])])
    for record in requests(60, 20):
        cluster.ask(record)
    until(lambda: other.has_ended, WAIT)
    assert "is not" in str(other.fault)
    with pytest.raises(WriterStoppedError):
        other.submit(requests(1)[0])
    # Both states are there: its own beside its journal, the leader's hash in it.
    (kept,) = tmp_path.glob(f"{DIFFERS}*")
    assert str(kept) in str(other.fault)
    assert Market(GAME.head, FastEngine, kept.read_bytes()).commands == other.market.commands
    # What it was led astray by is not in its journal, so it comes up right.
    other.close()
    cluster.start((leader + 1) % 3)
    cluster.rest()
    cluster.close()


def checks(log: MemoryLog) -> list[int]:
    """The numbers of frames by which nodes compare their states."""
    return [
        number
        for number, frame in enumerate(log.frames, 1)
        if [decode_record(each).kind for each in requests_of(frame)] == [RecordKind.CHECK]
    ]


def test_states_are_compared_every_so_many_frames(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, MemoryLog(), check_frames=20)
    for record in requests(70):
        cluster.ask(record)
    until(lambda: cluster.log.tail() > 65, WAIT)
    cluster.rest()
    found = checks(cluster.log)
    assert [number // 20 for number in found][:3] == [1, 2, 3]
    with pytest.raises(MarketError):
        cluster.nodes[0].market.carry_out([Record(RecordKind.CHECK, 0, body=b"another")])
    cluster.close()


class Slow(MemoryLog):
    """A log whose appends take so long that somebody waits whenever one ends."""

    def append(self, expected: int, key: str, frame: bytes) -> Appended:
        time.sleep(0.01)
        return super().append(expected, key, frame)


def test_states_are_compared_while_many_ask_without_a_pause(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, Slow(), check_frames=10)
    leader = cluster.nodes[cluster.leader()]
    waiting = {leader.submit(record) for record in requests(40)}
    for record in requests(400, 40):
        done, waiting = wait(waiting, WAIT, FIRST_COMPLETED)
        assert not any(each.exception() for each in done)
        waiting.add(leader.submit(record))
    wait(waiting, WAIT)
    cluster.rest()
    assert len(checks(cluster.log)) >= cluster.log.tail() // 10 - 1 > 0
    cluster.close()
