"""The durable journal on a real disk: what was appended is read back, by one writer at a time."""

import signal
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.journal.durable import (
    Journal,
    JournalDamageError,
    JournalError,
    JournalLockedError,
    Verified,
    holds_journal,
    verify,
)
from solvent.journal.segments import new_marker
from solvent.journal.snapshots import snapshot_path
from tests.journal.faulty_files import FaultyFiles
from tests.proof import proves

ROOT = Path(__file__).resolve().parents[2]
MEMORY = Path("journal")


def records_of(journal: Journal, start: int = 0) -> list[bytes]:
    numbered = list(journal.records(start))
    assert [number for number, _ in numbered] == list(range(start, journal.sequence))
    return [record for _, record in numbered]


@proves("I36")
def test_a_journal_is_read_back_after_it_was_closed(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "journal"
    journal = Journal.create(folder, b"head")
    assert (journal.head, journal.sequence) == (b"head", 0)
    assert journal.append([b"one", b"", b"three"]) == 0
    assert journal.append([b"four"]) == 3
    assert journal.sequence == 4
    digest = journal.digest
    journal.close()
    journal.close()
    again = Journal.open(folder)
    assert (again.head, again.sequence, again.digest) == (b"head", 4, digest)
    assert again.notes == []
    assert records_of(again) == [b"one", b"", b"three", b"four"]
    assert records_of(again, 2) == [b"three", b"four"]
    assert records_of(again, 4) == []
    assert again.append([b"five"]) == 4
    again.close()
    assert verify(folder) == Verified(5, again.digest, (), 0)


@proves("I36")
@given(
    batches=st.lists(st.lists(st.binary(max_size=90), min_size=1, max_size=9), max_size=30),
    segment_bytes=st.integers(1, 900),
    ahead_bytes=st.integers(0, 400),
    closings=st.sets(st.integers(0, 29)),
)
def test_batches_of_any_size_fill_segments_of_any_size(
    batches: list[list[bytes]], segment_bytes: int, ahead_bytes: int, closings: set[int]
) -> None:
    files = FaultyFiles()
    limits: dict[str, Any] = {"segment_bytes": segment_bytes, "ahead_bytes": ahead_bytes}
    journal = Journal.create(MEMORY, b"head", files=files, **limits)
    expected: list[bytes] = []
    for number, batch in enumerate(batches):
        assert journal.append(batch) == len(expected)
        expected += batch
        if number in closings:
            journal.close()
            journal = Journal.open(MEMORY, files=files, **limits)
        assert records_of(journal) == expected
    middle = len(expected) // 2
    assert records_of(journal, middle) == expected[middle:]
    digest = journal.digest
    journal.close()
    assert verify(MEMORY, files=files) == Verified(len(expected), digest, (), 0)


@proves("I36")
def test_what_is_left_of_a_frame_never_looks_blank() -> None:
    """A marker that began with zero hid a cut one byte into a frame."""
    assert all(0 not in new_marker() for _ in range(10_000))


@proves("I36")
def test_the_digest_is_the_documented_chain(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "journal", b"head")
    marker = next((tmp_path / "journal").iterdir()).read_bytes()[16:24]
    digest = blake2b(marker + b"head", digest_size=32).digest()
    assert journal.digest == digest
    for batch in ([b"a"], [b"bc", b"d"]):
        journal.append(batch)
        payload = b"".join(len(record).to_bytes(4, "little") + record for record in batch)
        digest = blake2b(digest + payload, digest_size=32).digest()
        assert journal.digest == digest
    journal.close()


def test_reading_goes_on_to_what_was_durable_when_it_began(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "journal", b"head", segment_bytes=200)
    journal.append([b"one"])
    reading = journal.records()
    for number in range(5):
        journal.append([b"%d" % number * 50])
    assert list(reading) == [(0, b"one")]
    journal.close()


@pytest.mark.parametrize("start", [-1, 2])
def test_records_that_are_not_there_cannot_be_read(tmp_path: Path, start: int) -> None:
    journal = Journal.create(tmp_path / "journal", b"head")
    journal.append([b"one"])
    with pytest.raises(ValueError, match="there are 1 records"):
        journal.records(start)
    journal.close()


def test_a_batch_that_cannot_be_is_refused_and_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvent.journal.segments.MAX_PAYLOAD_BYTES", 100)
    monkeypatch.setattr("solvent.journal.segments.MAX_HEAD_BYTES", 100)
    journal = Journal.create(tmp_path / "journal", bytes(100))
    with pytest.raises(ValueError, match="at least one record"):
        journal.append([])
    with pytest.raises(ValueError, match="at most 100 bytes, not 101"):
        journal.append([bytes(97)])
    assert journal.append([bytes(96)]) == 0
    journal.close()
    with pytest.raises(ValueError, match="at most 100 bytes, not 101"):
        Journal.create(tmp_path / "other", bytes(101))
    assert not holds_journal(tmp_path / "other")


# Where a journal may be.


def test_a_new_journal_needs_a_folder_without_anything(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(JournalError, match="folder: is not empty; name a new or empty one"):
        Journal.create(tmp_path, b"head")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_is_left_of_a_journal_that_was_never_made_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "segment.tmp").write_bytes(b"half")
    assert not holds_journal(tmp_path)
    Journal.create(tmp_path, b"head").close()
    assert [path.name for path in tmp_path.iterdir()] == ["segment-000001"]
    assert holds_journal(tmp_path)


@pytest.mark.parametrize("make", ["nothing", "file", "folder"])
def test_what_is_no_journal_is_one_line(tmp_path: Path, make: str) -> None:
    path = tmp_path / "journal"
    if make == "file":
        path.write_text("a file")
    if make == "folder":
        path.mkdir()
    for use in (Journal.open, verify):
        with pytest.raises(JournalError) as caught:
            use(path)
        assert str(caught.value).startswith(f"{path}: folder: ")
        assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(JournalError, match="cannot be"):
        Journal.create(tmp_path / "file" / "journal", b"head")
    with pytest.raises(JournalError, match="cannot be read: Not a directory"):
        holds_journal(tmp_path / "file")


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "journal", b"head")
    journal.close()
    for call in (
        lambda: journal.append([b"x"]),
        lambda: journal.snapshot(b"x"),
        journal.latest_snapshot,
        journal.records,
    ):
        with pytest.raises(JournalError, match="the journal is closed; open it again"):
            call()


# One writer.


def test_a_journal_is_open_once(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    journal = Journal.create(folder, b"head")
    for use in (Journal.open, verify, lambda path: Journal.create(path, b"head")):
        with pytest.raises(JournalLockedError, match="another process has this journal open"):
            use(folder)
    assert journal.append([b"it still works"]) == 0
    journal.close()
    Journal.open(folder).close()


def test_a_journal_that_could_not_be_opened_is_not_locked(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(JournalError, match="holds no journal"):
            Journal.open(tmp_path)
    Journal.create(tmp_path, b"head").close()


HOLDER = """
import sys, time
from pathlib import Path
from solvent.journal.durable import Journal
journal = Journal.open(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_goes_with_its_process(tmp_path: Path, end: signal.Signals) -> None:
    Journal.create(tmp_path / "journal", b"head").close()
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "journal")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(JournalLockedError):
            Journal.open(tmp_path / "journal")
        holder.send_signal(end)
    Journal.open(tmp_path / "journal").close()


# Snapshots.


def snapshot_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("snapshot*"))


@proves("I35", "I36")
def test_the_two_newest_snapshots_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    journal = Journal.create(folder, b"head")
    assert journal.latest_snapshot() is None
    for number in range(4):
        journal.snapshot(b"state %d" % number)
        assert journal.latest_snapshot() == (number, b"state %d" % number)
        journal.append([b"record"])
    assert [int(name[-20:]) for name in snapshot_names(folder)] == [2, 3]
    journal.close()
    again = Journal.open(folder)
    assert again.latest_snapshot() == (3, b"state 3")
    assert records_of(again, 3) == [b"record"]
    again.snapshot(b"state 4")
    again.snapshot(b"state 4 once more")
    assert again.latest_snapshot() == (4, b"state 4 once more")
    again.close()
    assert verify(folder).snapshots == (4, 3)


def damaged_snapshots(folder: Path) -> list[Path]:
    """Make a journal with two snapshots and damage the newest; both, oldest first."""
    journal = Journal.create(folder, b"head")
    for number in range(2):
        journal.append([b"record"])
        journal.snapshot(b"state %d" % number)
    journal.close()
    paths = sorted(folder.glob("snapshot*"))
    flip(paths[1], paths[1].stat().st_size - 1, 0)
    return paths


def flip(path: Path, byte: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1 << bit
    path.write_bytes(content)


@proves("I36")
def test_a_damaged_snapshot_falls_back_to_the_older_one_and_then_to_the_head(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "journal"
    older, newest = damaged_snapshots(folder)
    journal = Journal.open(folder)
    for _ in range(2):
        assert journal.latest_snapshot() == (1, b"state 0")
        (note,) = journal.notes
        assert note.startswith(f"{newest}: its digest is ")
        assert note.endswith("; it is passed over")
    journal.close()
    with pytest.raises(JournalDamageError, match=f"{newest.name}: file: its digest is"):
        verify(folder)
    flip(older, 5, 0)
    journal = Journal.open(folder)
    assert journal.latest_snapshot() is None
    assert len(journal.notes) == 2
    assert records_of(journal) == [b"record"] * 2
    journal.close()


def test_a_new_snapshot_clears_damaged_ones_away(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    older, newest = damaged_snapshots(folder)
    journal = Journal.open(folder)
    journal.append([b"record"])
    journal.snapshot(b"state 2")
    journal.close()
    assert snapshot_names(folder) == [older.name, "snapshot-00000000000000000003"]
    assert newest.name not in snapshot_names(folder)
    assert verify(folder).snapshots == (3, 1)


@proves("I36")
def test_no_bit_of_a_snapshot_changes_unseen() -> None:
    files = FaultyFiles()
    journal = Journal.create(MEMORY, b"head", files=files)
    journal.append([b"record"])
    journal.snapshot(b"state")
    journal.close()
    path = snapshot_path(MEMORY, 1)
    whole = files.read(path)
    flipped = (
        (int.from_bytes(whole) ^ 1 << bit).to_bytes(len(whole)) for bit in range(8 * len(whole))
    )
    for content in (*flipped, *(whole[:size] for size in range(len(whole)))):
        files.plant(path, content)
        with pytest.raises(JournalDamageError):
            verify(MEMORY, files=files)
        journal = Journal.open(MEMORY, files=files)
        assert journal.latest_snapshot() is None
        assert journal.notes
        journal.close()
    files.plant(path, whole)
    assert verify(MEMORY, files=files).snapshots == (1,)


@proves("I36")
def test_a_snapshot_of_another_journal_is_refused(tmp_path: Path) -> None:
    for name in ("mine", "other"):
        journal = Journal.create(tmp_path / name, b"head")
        journal.append([name.encode()])
        journal.snapshot(name.encode())
        journal.close()
    (path,) = (tmp_path / "mine").glob("snapshot*")
    (other,) = (tmp_path / "other").glob("snapshot*")
    other.replace(path)
    with pytest.raises(JournalDamageError, match="is of another history: digest"):
        Journal.open(tmp_path / "mine")
