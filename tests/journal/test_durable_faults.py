"""A journal on a disk that fails: at every call of a script, in every way that disks fail.

What was acknowledged is there afterwards, nothing is doubled or made up, the batch in hand is whole
or absent, and a journal that failed takes nothing more.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

import pytest

from solvent.journal.durable import (
    Journal,
    JournalDamageError,
    JournalError,
    JournalFailedError,
    holds_journal,
    verify,
)
from tests.journal.faulty_files import SILENT, WRITES_ONLY, DiedError, Fault, FaultyFiles
from tests.proof import proves

FOLDER = Path("journal")
HEAD = b"the parameters"
LOUD = [fault for fault in Fault if fault not in SILENT]


@dataclass
class Log:
    """What a client of the journal knows: acknowledged, in hand, and snapshots that were taken."""

    acknowledged: list[bytes] = field(default_factory=list)
    in_hand: list[bytes] = field(default_factory=list)
    snapshots: list[tuple[int, bytes]] = field(default_factory=list)
    in_hand_snapshot: tuple[int, bytes] | None = None
    open_journal: Journal | None = None

    def append(self, journal: Journal, records: list[bytes]) -> None:
        self.in_hand = records
        assert journal.append(records) == len(self.acknowledged)
        self.acknowledged += records
        self.in_hand = []

    def snapshot(self, journal: Journal) -> None:
        self.in_hand_snapshot = (journal.sequence, b"state of %d" % journal.sequence)
        journal.snapshot(self.in_hand_snapshot[1])
        self.snapshots.append(self.in_hand_snapshot)


def opened(files: FaultyFiles, log: Log) -> Journal:
    """The journal, made if it is not there: as a service starts."""
    if holds_journal(FOLDER, files=files):
        journal = Journal.open(FOLDER, files=files, segment_bytes=900, ahead_bytes=300)
    else:
        assert log.acknowledged == []
        journal = Journal.create(FOLDER, HEAD, files=files, segment_bytes=900, ahead_bytes=300)
    assert journal.head == HEAD
    return journal


def follow_script(files: FaultyFiles, log: Log) -> None:
    """Two lives of a journal: batches of several sizes, segments that fill, six snapshots."""
    for life in range(2):
        journal = log.open_journal = opened(files, log)
        for number in range(7):
            size = (1, 3, 2, 30, 1, 1, 4)[number]
            log.append(journal, [b"%d.%d.%d " % (life, number, one) * 9 for one in range(size)])
            if number in (1, 4, 6):
                log.snapshot(journal)
        journal.close()
        log.open_journal = None


@cache
def script_calls() -> list[str]:
    files = FaultyFiles()
    follow_script(files, Log())
    return files.calls


def check_failed(journal: Journal, files: FaultyFiles) -> None:
    """A journal that failed says so at every call, and touches nothing."""
    calls = len(files.calls)
    for _ in range(2):
        with pytest.raises(JournalFailedError, match="journal"):
            journal.append([b"more"])
        with pytest.raises(JournalFailedError):
            journal.snapshot(b"more")
        with pytest.raises(JournalFailedError):
            journal.latest_snapshot()
        with pytest.raises(JournalFailedError):
            journal.records()
    journal.close()
    assert len(files.calls) == calls


def run_to_the_fault(files: FaultyFiles, log: Log) -> None:
    """Follow the script until it ends, the journal fails or the process dies."""
    try:
        follow_script(files, log)
    except DiedError:
        return
    except JournalFailedError:
        if log.open_journal is not None:
            check_failed(log.open_journal, files)


def check_recovered(journal: Journal, log: Log) -> None:
    found = [record for _, record in journal.records()]
    if found != log.acknowledged:
        assert found == log.acknowledged + log.in_hand
        log.acknowledged += log.in_hand
    log.in_hand = []
    assert journal.sequence == len(found)
    snapshot = journal.latest_snapshot()
    acknowledged = log.snapshots[-1] if log.snapshots else None
    if snapshot != acknowledged:
        assert snapshot is not None
        assert snapshot == log.in_hand_snapshot
        log.snapshots.append(snapshot)


def go_on(files: FaultyFiles, log: Log) -> None:
    """Recover, add a batch, lose the power at once, and recover again."""
    files.disarm()
    journal = opened(files, log)
    check_recovered(journal, log)
    log.append(journal, [b"after"])
    files.power_cut()
    journal = opened(files, log)
    check_recovered(journal, log)
    log.append(journal, [b"and", b"on"])
    log.snapshot(journal)
    journal.close()
    records, _, snapshots, torn, _ = verify(FOLDER, files=files)
    assert (records, torn) == (len(log.acknowledged), 0)
    assert snapshots[0] == records
    assert len(snapshots) <= 2


def test_the_script_makes_calls_of_every_kind() -> None:
    kinds = {"create", "write", "truncate", "sync", "rename", "remove", "sync_folder"}
    assert kinds == set(script_calls())
    assert len(script_calls()) > 100


@pytest.mark.slow
@proves("I36")
@pytest.mark.parametrize("fault", LOUD)
@pytest.mark.parametrize("seed", range(4))
def test_nothing_acknowledged_is_lost_at_any_call(fault: Fault, seed: int) -> None:
    for at, call in enumerate(script_calls()):
        if fault in WRITES_ONLY and call != "write":
            continue
        files, log = FaultyFiles(at, fault, seed), Log()
        run_to_the_fault(files, log)
        assert files.hit == call
        if seed % 2:
            files.kill()
        else:
            files.power_cut()
        go_on(files, log)


@proves("I36")
@pytest.mark.parametrize("seed", range(4))
def test_a_disk_that_lies_is_found_out_once_the_journal_is_sealed(seed: int) -> None:
    refused = 0
    for fault in SILENT:
        for at, call in enumerate(script_calls()):
            if call != "write":
                continue
            files, log = FaultyFiles(at, fault, seed), Log()
            try:
                run_to_the_fault(files, log)
                files.power_cut()
                journal = opened(files, log)
            except (JournalDamageError, JournalFailedError):
                refused += 1
                continue
            assert [record for _, record in journal.records()] == log.acknowledged
    assert refused > 20


@proves("I36")
@pytest.mark.parametrize("seed", range(3))
def test_recovery_may_itself_be_cut_off_at_any_call(seed: int) -> None:
    for first in range(20, len(script_calls()), 9):
        for fault in (Fault.EIO, Fault.CRASH, Fault.TORN):
            for at in range(7):
                files, log = FaultyFiles(first, Fault.CRASH_AFTER, seed), Log()
                run_to_the_fault(files, log)
                files.power_cut()
                files.arm(at, fault)
                with suppress(DiedError, JournalFailedError):
                    check_recovered(opened(files, log), log)
                (files.kill if seed % 2 else files.power_cut)()
                go_on(files, log)


@proves("I36")
def test_faults_at_random_life_after_life() -> None:
    for seed in range(300):
        rng = Random(seed)
        files, log = FaultyFiles(seed=seed), Log()
        for life in range(6):
            files.arm(rng.randrange(60), rng.choice(LOUD))
            try:
                journal = opened(files, log)
                check_recovered(journal, log)
                for number in range(rng.randrange(12)):
                    name = b"%d.%d" % (life, number)
                    log.append(journal, [name * rng.randrange(60)] * rng.randint(1, 5))
                    if rng.random() < 0.3:
                        log.snapshot(journal)
                journal.close()
            except (DiedError, JournalError):
                pass
            files.disarm()
            (files.kill if rng.random() < 0.5 else files.power_cut)()
        go_on(files, log)


@proves("I36")
def test_a_write_that_is_interrupted_is_a_failed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    files, log = FaultyFiles(), Log()
    journal = opened(files, log)

    def interrupt(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "sync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        log.append(journal, [b"in hand"])
    monkeypatch.undo()
    check_failed(journal, files)
    go_on(files, log)


@proves("I36")
@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.GARBAGE])
def test_a_snapshot_that_reads_otherwise_removes_no_other(fault: Fault) -> None:
    files, log = FaultyFiles(), Log()
    journal = opened(files, log)
    for number in range(2):
        log.append(journal, [b"%d" % number])
        log.snapshot(journal)
    log.append(journal, [b"2"])
    files.arm(1, fault)
    with pytest.raises(JournalFailedError, match="reads otherwise than it was written"):
        journal.snapshot(b"state of 3")
    check_failed(journal, files)
    go_on(files, log)
