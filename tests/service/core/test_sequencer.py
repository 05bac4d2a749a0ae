"""The sequencer: durable before it is done, recovered as it was, stopped for good by a fault."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import pytest

from solvent.domain.commands import Deposit, OpenAccount
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal, JournalError, JournalFailedError, JournalLockedError
from solvent.service.authority.model import Terms
from solvent.service.core import sequencer as module
from solvent.service.core.market import Market, MarketError, Outcome, encode_head
from solvent.service.core.records import (
    Record,
    RecordKind,
    commands_record,
    decode_record,
    encode_record,
)
from solvent.service.core.sequencer import (
    QueueFullError,
    Sequencer,
    WriterStoppedError,
    recover,
    replay,
)
from tests.journal.faulty_files import DiedError, Fault, FaultyFiles
from tests.proof import proves
from tests.service.played import played
from tests.tables.market import plain_parameters

HEAD = encode_head(plain_parameters(), Terms(1, 0))
FOLDER = Path("/market/journal")
WAIT = 20.0


def sequencer_of(
    journal: Journal, market: Market | None = None, snapshot_every: int = 10**6
) -> Sequencer:
    """A sequencer that runs."""
    made = Sequencer(journal, market or recover(journal, FastEngine), snapshot_every=snapshot_every)
    made.start()
    return made


def answers(futures: Sequence["Future[Outcome]"]) -> list[object]:
    """What was said to each request."""
    return [future.result(WAIT).answer for future in futures]


# Recovery.


@proves("I36")
@pytest.mark.parametrize("snapshot_every", [1, 40, 10**6])
def test_a_restart_changes_nothing(tmp_path: Path, snapshot_every: int) -> None:
    """State, answers, open orders, keys, proposals: with a snapshot, records after it, or none."""
    game = played(9)
    whole = Market(game.head, FastEngine)
    said = [outcome.answer for record in game.records for outcome in whole.carry_out([record])]
    Journal.create(tmp_path / "journal", game.head).close()
    found: list[object] = []
    for first in range(0, len(game.records), 150):
        sequencer = sequencer_of(Journal.open(tmp_path / "journal"), None, snapshot_every)
        records = game.records[first : first + 150]
        found += answers([sequencer.submit(record) for record in records])
        assert sequencer.fault is None
        sequencer.close()
    assert found == said
    journal = Journal.open(tmp_path / "journal")
    assert recover(journal, FastEngine).save() == whole.save()
    assert recover(journal, FastEngine, None, 0).save() == whole.save()
    journal.close()


@proves("I36")
def test_records_after_a_snapshot_are_carried_out(tmp_path: Path) -> None:
    """As a process leaves them that was killed."""
    game = played(25)
    half = len(game.records) // 2
    Journal.create(tmp_path / "journal", game.head).close()
    sequencer = sequencer_of(Journal.open(tmp_path / "journal"))
    answers([sequencer.submit(record) for record in game.records[:half]])
    sequencer.close()
    journal = Journal.open(tmp_path / "journal")
    journal.append([encode_record(record) for record in game.records[half:]])
    journal.close()
    journal = Journal.open(tmp_path / "journal")
    heard: list[Outcome] = []
    market = recover(journal, FastEngine, heard.extend)
    assert market.save() == game.market().save()
    assert [outcome.record for outcome in heard if outcome.record.kind != RecordKind.CHECK] == (
        game.records[half:]
    )
    journal.close()


def test_a_listener_that_is_behind_hears_everything(tmp_path: Path) -> None:
    game = played(25)
    Journal.create(tmp_path / "journal", game.head).close()
    sequencer = sequencer_of(Journal.open(tmp_path / "journal"), None, 50)
    answers([sequencer.submit(record) for record in game.records])
    sequencer.close()
    journal = Journal.open(tmp_path / "journal")
    for behind, hears_all in ((len(game.commands) - 1, True), (len(game.commands), False)):
        heard: list[Outcome] = []
        recover(journal, FastEngine, heard.extend, behind)
        numbers = [entry.number for outcome in heard for entry in outcome.transcript]
        assert numbers == (list(range(len(game.commands))) if hears_all else [])
    journal.close()


def test_recovery_checks_every_state_hash(tmp_path: Path) -> None:
    """Where the engine of today comes to another state the market does not start."""
    game = played(4)
    journal = Journal.create(tmp_path / "journal", game.head)
    records = [*game.records[:20], Record(RecordKind.CHECK, 0, body=b"0" * 64)]
    journal.append([encode_record(record) for record in records])
    with pytest.raises(MarketError, match="records 0 to 20: state hash"):
        recover(journal, FastEngine)
    journal.close()


def test_a_snapshot_of_another_state_is_found(tmp_path: Path) -> None:
    """By the state hash in the record before it."""
    game = played(4)
    journal = Journal.create(tmp_path / "journal", game.head)
    check = Record(RecordKind.CHECK, 0, body=game.market(50).engine.state_hash().encode())
    journal.append([encode_record(record) for record in [*game.records[:50], check]])
    journal.snapshot(game.market(50).save())
    assert recover(journal, FastEngine).save() == game.market(50).save()
    journal.append([encode_record(check)])
    journal.snapshot(game.market(40).save())
    with pytest.raises(MarketError, match="records 51 to 51: state hash"):
        recover(journal, FastEngine)
    journal.close()


def test_what_is_no_record_is_named(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "journal", HEAD)
    journal.append([b"nonsense"])
    with pytest.raises(MarketError, match="records 0 to 0: no record"):
        recover(journal, FastEngine)
    journal.close()


def test_one_writer_only(tmp_path: Path) -> None:
    sequencer = sequencer_of(Journal.create(tmp_path / "journal", HEAD))
    with pytest.raises(JournalLockedError):
        Journal.open(tmp_path / "journal")
    sequencer.close()
    Journal.open(tmp_path / "journal").close()


def test_a_sequencer_that_never_ran_lets_go_of_its_journal(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "journal", HEAD)
    Sequencer(journal, recover(journal, FastEngine)).close()
    Journal.open(tmp_path / "journal").close()


# The queue.


class Held:
    """A sequencer whose writer waits until it is let go."""

    def __init__(self, folder: Path) -> None:
        self.go = threading.Event()
        self.began = threading.Event()
        self.sequencer = Sequencer(
            Journal.create(folder, HEAD), Market(HEAD, FastEngine), listeners=[self._listen]
        )
        self.sequencer.start()
        self.first = self.sequencer.submit(commands_record(0, [OpenAccount(2)]))
        self.began.wait(WAIT)

    def _listen(self, _: Sequence[Outcome]) -> None:
        self.began.set()
        self.go.wait(WAIT)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    """One that is let go in the end."""
    made = Held(tmp_path / "journal")
    yield made
    made.go.set()
    made.sequencer.close()


def deposit(number: int) -> Record:
    """A request that is told from others by its quantity."""
    return commands_record(0, [Deposit(2, 0, number)])


def test_a_full_queue_takes_nothing(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused leaves no trace; what was taken is done."""
    monkeypatch.setattr(module, "QUEUE_RECORDS", 10)
    taken = [held.sequencer.submit(deposit(1)) for _ in range(10)]
    assert held.sequencer.waiting == 10
    with pytest.raises(QueueFullError):
        held.sequencer.submit(deposit(1))
    held.go.set()
    answers(taken)
    assert held.sequencer.market.queries.balances(2)[0].available == 10
    assert held.sequencer.market.commands == 11


def test_what_waits_is_one_batch(held: Held) -> None:
    """Group commit: one sync for all that came while another one ran."""
    taken = [held.sequencer.submit(deposit(number)) for number in range(1, 101)]
    before = held.sequencer.journal.digest
    held.go.set()
    answers(taken)
    held.sequencer.close()
    journal = Journal.open(held.sequencer.journal.folder)
    assert journal.sequence == 102
    assert before != journal.digest
    journal.close()


def test_a_batch_of_many_bytes_is_divided(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no frame can be too long for the journal."""
    monkeypatch.setattr(module, "BATCH_BYTES", 300)
    sizes: list[int] = []
    held.sequencer.listen(lambda outcomes: sizes.append(len(outcomes)))
    taken = [held.sequencer.submit(deposit(number)) for number in range(1, 41)]
    held.go.set()
    answers(taken)
    held.sequencer.close()
    assert sum(sizes) == 41
    assert max(sizes[1:]) == -(-300 // len(deposit(1).commands))


def test_nobody_can_call_a_request_back(held: Held) -> None:
    """A caller that goes away neither undoes it nor stops the writer."""
    taken = held.sequencer.submit(deposit(5))
    assert not taken.cancel()
    held.go.set()
    assert taken.result(WAIT).answer.status == 200


def test_closing_finishes_what_waits(held: Held) -> None:
    taken = [held.sequencer.submit(deposit(1)) for _ in range(50)]
    closing = threading.Thread(target=held.sequencer.close)
    closing.start()
    while True:
        try:
            held.sequencer.submit(deposit(1000)).add_done_callback(lambda _: None)
        except WriterStoppedError:
            break
    held.go.set()
    closing.join(WAIT)
    answers(taken)
    assert held.sequencer.fault is None
    journal = Journal.open(held.sequencer.journal.folder)
    assert recover(journal, FastEngine).save() == held.sequencer.market.save()
    assert journal.latest_snapshot() == (journal.sequence, held.sequencer.market.save())
    journal.close()


@pytest.mark.slow
def test_every_request_of_a_race_with_the_end_is_answered(tmp_path: Path) -> None:
    """Carried out or refused; nobody waits for ever."""
    for life in range(20):
        sequencer = sequencer_of(Journal.create(tmp_path / str(life), HEAD))
        futures: list[Future[Outcome]] = []

        def ask(ask_of: Sequencer, told: list["Future[Outcome]"]) -> None:
            while True:
                try:
                    told.append(ask_of.submit(deposit(1)))
                except WriterStoppedError:
                    return
                except QueueFullError:
                    pass

        asking = threading.Thread(target=ask, args=(sequencer, futures))
        asking.start()
        sequencer.close()
        asking.join(WAIT)
        errors = [future.exception(WAIT) for future in futures]
        assert {type(error) for error in errors} <= {type(None), WriterStoppedError}


# Faults.


def lived(files: FaultyFiles, records: Sequence[Record], snapshot_every: int) -> list[Record]:
    """What was acknowledged until the fault, which stops the writer for good."""
    journal = Journal.open(FOLDER, files=files)
    sequencer = sequencer_of(journal, None, snapshot_every)
    acknowledged = []
    for record in records:
        try:
            sequencer.submit(record).result(WAIT)
        except WriterStoppedError:
            break
        acknowledged.append(record)
    sequencer.close()
    if len(acknowledged) < len(records):
        assert sequencer.fault is not None
        assert sequencer.has_ended
        with pytest.raises(WriterStoppedError):
            sequencer.submit(records[0])
        with pytest.raises(JournalError):
            journal.append([b"more"])
    return acknowledged


@proves("I36")
@pytest.mark.parametrize(
    "fault",
    [Fault.EIO, Fault.ENOSPC, Fault.SHORT, Fault.TORN, Fault.CRASH, Fault.CRASH_AFTER],
    ids=lambda fault: fault.name,
)
def test_a_fault_at_any_call_loses_nothing_that_was_acknowledged(fault: Fault) -> None:
    """Writes, syncs, snapshots: whichever call fails, what was answered is there again."""
    game = played(4)
    records = game.records[:12]
    files = created(game.head)
    before = len(files.calls)
    assert lived(files, records, 5) == records
    hits = 0
    for at in range(len(files.calls) - before):
        files = created(game.head)
        files.arm(at, fault)
        try:
            acknowledged = lived(files, records, 5)
        except (DiedError, JournalFailedError):
            acknowledged = []
        hits += files.hit is not None
        files.disarm()
        files.power_cut()
        journal = Journal.open(FOLDER, files=files)
        kept = [decode_record(data) for _, data in journal.records()]
        asked = [record for record in kept if record.kind != RecordKind.CHECK]
        assert asked[: len(acknowledged)] == acknowledged
        assert asked == records[: len(asked)]
        assert len(asked) - len(acknowledged) <= 1
        assert recover(journal, FastEngine).save() == game.market(len(asked)).save()
        journal.close()
    assert hits > 10


def created(head: bytes) -> FaultyFiles:
    """A new journal on a disk that can be broken."""
    files = FaultyFiles()
    Journal.create(FOLDER, head, files=files).close()
    return files


@proves("I36")
def test_a_fault_of_the_engine_stops_the_writer(tmp_path: Path) -> None:
    """Nothing after it is answered, and what was is on the disk."""
    sequencer = sequencer_of(Journal.create(tmp_path / "journal", HEAD))
    sequencer.submit(commands_record(0, [OpenAccount(2)])).result(WAIT)
    broken = sequencer.submit(Record(RecordKind.CHECK, 0, body=b"0" * 64))
    later = []
    while not sequencer.has_ended:
        with suppress(WriterStoppedError):
            later.append(sequencer.submit(deposit(1)))
    assert isinstance(broken.exception(WAIT), WriterStoppedError)
    assert all(isinstance(each.exception(WAIT), WriterStoppedError) for each in later)
    sequencer.close()
    assert isinstance(sequencer.fault, MarketError)
    journal = Journal.open(tmp_path / "journal")
    market = Market(HEAD, FastEngine)
    with pytest.raises(MarketError, match="records 1"):
        list(replay(journal, market, 1))
    assert journal.latest_snapshot() is None
    journal.close()


def test_a_fault_of_a_listener_stops_the_writer(tmp_path: Path) -> None:
    """Who asked is not told that it was done; it is found done after the restart."""

    def fail(_: Sequence[Outcome]) -> None:
        raise OSError("no room")

    journal = Journal.create(tmp_path / "journal", HEAD)
    sequencer = Sequencer(journal, Market(HEAD, FastEngine), listeners=[fail])
    sequencer.start()
    with pytest.raises(WriterStoppedError, match="no room"):
        sequencer.submit(commands_record(0, [OpenAccount(2)])).result(WAIT)
    sequencer.close()
    journal = Journal.open(tmp_path / "journal")
    assert recover(journal, FastEngine).queries.accounts() == 3
    journal.close()
