"""An archive: what leaves a journal for it is in one of the two at every moment, and once."""

from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from solvent.journal import copies
from solvent.journal.archive import BASE, JOURNAL, Archived
from solvent.journal.disk import OsFiles
from solvent.journal.durable import (
    Journal,
    JournalDamageError,
    JournalError,
    JournalLockedError,
    verify,
)
from solvent.journal.segments import segment_path
from solvent.journal.truncation import truncate
from tests.journal.faulty_files import SILENT, DiedError, Fault, FaultyFiles
from tests.proof import proves

HEAD = b"the parameters"
MARKET, ARCHIVE = Path("market"), Path("archive")
BATCHES = 12
LOUD = [fault for fault in Fault if fault not in SILENT]


def append(journal: Journal, batches: int, each: int = 3) -> None:
    """Records that say their own number, some to a segment."""
    for _ in range(batches):
        first = journal.sequence
        journal.append([b"%d " % number * 20 for number in range(first, first + each)])


def lived(market: Path, files: OsFiles | FaultyFiles | None = None) -> Journal:
    """A journal of many segments with two snapshots, one of them in the middle."""
    on = files or OsFiles()
    journal = Journal.create(market / JOURNAL, HEAD, files=on, segment_bytes=900, ahead_bytes=300)
    for _ in range(2):
        append(journal, BATCHES)
        journal.snapshot(b"state of %d" % journal.sequence)
    append(journal, 3)
    return journal


def opened(market: Path, archive: Path | None, files: FaultyFiles | None = None) -> Journal:
    on = files or OsFiles()
    return Journal.open(
        market / JOURNAL, files=on, archive=archive, segment_bytes=900, ahead_bytes=300
    )


def numbers(journal: Journal, start: int = 0) -> list[int]:
    """The records' numbers, each of which its record must say."""
    found = []
    for number, record in journal.records(start):
        assert record == b"%d " % number * 20
        found.append(number)
    return found


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """The folder of a market that was archived once and is closed."""
    folder = tmp_path / "market"
    journal = lived(folder)
    journal.archive = tmp_path / "archive"
    journal.move_to_archive()
    journal.close()
    return folder


def test_what_opening_does_not_need_leaves(tmp_path: Path) -> None:
    """All before the record in front of the older snapshot; a second call moves nothing."""
    journal = lived(tmp_path / "market")
    before = verify_closed(journal)
    journal = opened(tmp_path / "market", tmp_path / "archive")
    assert journal.first == 0
    found = journal.move_to_archive()
    older = BATCHES * 3
    assert 0 < found.first <= older - 1 < found.first + 9
    assert journal.move_to_archive() == found
    assert numbers(journal) == list(range(journal.sequence))
    append(journal, 4)
    assert numbers(journal, 5) == list(range(5, journal.sequence))
    journal.close()
    left = {path.name for path in (tmp_path / "market" / JOURNAL).glob("segment-*")}
    gone = {path.name for path in (tmp_path / "archive" / JOURNAL).glob("segment-*")}
    assert len(gone) == found.segments
    assert not left & gone
    again = opened(tmp_path / "market", None)
    assert (again.head, again.first) == (HEAD, found.first)
    assert numbers(again, found.first) == list(range(found.first, again.sequence))
    with pytest.raises(JournalError, match="name it with --archive"):
        numbers(again, found.first - 1)
    again.close()
    whole = verify(tmp_path / "market" / JOURNAL, tmp_path / "archive")
    short = verify(tmp_path / "market" / JOURNAL)
    assert (whole.first, short.first) == (0, found.first)
    assert whole[:4] == short[:4]
    assert short.records > before


def verify_closed(journal: Journal) -> int:
    journal.close()
    return verify(journal.folder).records


def test_a_journal_with_fewer_than_two_good_snapshots_keeps_all(tmp_path: Path) -> None:
    journal = lived(tmp_path / "market")
    journal.archive = tmp_path / "archive"
    (newest, _) = sorted((tmp_path / "market" / JOURNAL).glob("snapshot-*"), reverse=True)
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    assert journal.move_to_archive() == Archived(0, 0)
    assert not (tmp_path / "archive").exists()
    journal.close()


@proves("I36")
def test_a_snapshot_that_rots_needs_no_archive(market: Path) -> None:
    (newest, older) = sorted((market / JOURNAL).glob("snapshot-*"), reverse=True)
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    journal = opened(market, None)
    latest = journal.latest_snapshot()
    assert latest is not None
    assert older.name.endswith(str(latest[0]))
    assert numbers(journal, latest[0] - 1)[-1] == journal.sequence - 1
    journal.close()


def test_archives_go_on(market: Path) -> None:
    """Life after life, with the same archive: the chain is whole from its first record."""
    archive = market.with_name("archive")
    for _ in range(3):
        journal = opened(market, archive)
        append(journal, BATCHES)
        journal.snapshot(b"state of %d" % journal.sequence)
        before = journal.first
        assert journal.move_to_archive().first > before
        journal.close()
    journal = opened(market, archive)
    assert numbers(journal) == list(range(journal.sequence))
    journal.close()
    assert verify(market / JOURNAL, archive).records == journal.sequence
    assert verify(archive / JOURNAL).records == opened_first(market)


def opened_first(market: Path) -> int:
    journal = opened(market, None)
    journal.close()
    return journal.first


@cache
def calls_of_a_move() -> int:
    files = FaultyFiles()
    journal = lived(MARKET, files)
    journal.archive = ARCHIVE
    before = len(files.calls)
    journal.move_to_archive()
    return len(files.calls) - before


@proves("I36")
@pytest.mark.parametrize("fault", LOUD, ids=lambda fault: fault.name)
def test_a_move_may_be_cut_off_at_any_call(fault: Fault) -> None:
    """The disk fails or the power goes: nothing is lost, and the next move goes on."""
    assert calls_of_a_move() > 20
    for at in range(calls_of_a_move()):
        files = FaultyFiles(seed=at)
        journal = lived(MARKET, files)
        journal.archive = ARCHIVE
        files.arm(at, fault)
        with suppress(DiedError, OSError):
            journal.move_to_archive()
        files.disarm()
        if not files.is_dead:
            append(journal, 1)
        records = journal.sequence
        (files.power_cut if at % 2 else files.kill)()
        again = opened(MARKET, ARCHIVE, files)
        assert again.sequence == records
        latest = again.latest_snapshot()
        assert latest == (2 * BATCHES * 3, b"state of %d" % (2 * BATCHES * 3))
        assert numbers(again) == list(range(records))
        moved = again.move_to_archive()
        assert moved.first > 0
        assert numbers(again) == list(range(records))
        again.close()
        last = opened(MARKET, None, files)
        assert last.first == moved.first
        last.close()
        assert verify(MARKET / JOURNAL, ARCHIVE, files=files).records == records


@proves("I36")
def test_what_is_damaged_does_not_leave(tmp_path: Path) -> None:
    journal = lived(tmp_path / "market")
    journal.archive = tmp_path / "archive"
    path = segment_path(journal.folder, 2)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalDamageError, match="segment-000002"):
        journal.move_to_archive()
    assert path.exists()
    assert not (journal.folder / BASE).exists()
    journal.close()


def test_an_archive_that_is_damaged_is_found(market: Path) -> None:
    """By whoever reads it: the market itself opens."""
    path = segment_path(market.with_name("archive") / JOURNAL, 2)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalDamageError, match="archive/journal/segment-000002") as found:
        verify(market / JOURNAL, market.with_name("archive"))
    assert found.value.sequence is None
    journal = opened(market, market.with_name("archive"))
    with pytest.raises(JournalDamageError, match="archive/journal/segment-000002"):
        numbers(journal)
    path.unlink()
    with pytest.raises(JournalError, match="is missing"):
        numbers(journal)
    with pytest.raises(JournalError, match="does not have segments 1 to"):
        append_and_move(journal)
    journal.close()


def append_and_move(journal: Journal) -> None:
    append(journal, BATCHES)
    journal.snapshot(b"state of %d" % journal.sequence)
    journal.move_to_archive()


def test_what_is_no_archive_of_this_market_is_refused(market: Path, tmp_path: Path) -> None:
    other = lived(tmp_path / "other")
    other.archive = tmp_path / "archive"
    with pytest.raises(JournalError, match="of another market"):
        other.move_to_archive()
    other.archive = tmp_path / "other"
    with pytest.raises(JournalError, match="is the market itself"):
        other.move_to_archive()
    other.archive = None
    with pytest.raises(JournalError, match="--archive"):
        other.move_to_archive()
    lock = OsFiles().lock(tmp_path / "archive" / JOURNAL)
    journal = opened(market, tmp_path / "archive")
    with pytest.raises(JournalLockedError):
        append_and_move(journal)
    OsFiles().close(lock)
    journal.close()
    assert numbers(other) == list(range(other.sequence))
    other.close()


@proves("I36")
def test_a_journal_that_was_cut_does_not_lose_what_came_instead(
    market: Path, tmp_path: Path
) -> None:
    """An archive that went further than the base has segments of what was given up."""
    archive = tmp_path / "archive"
    journal = opened(market, archive)
    append_and_move(journal)
    first = journal.first
    journal.close()
    # As by a kill before the base was put: the archive is ahead of the journal.
    for path in sorted((archive / JOURNAL).glob("segment-*"))[-2:]:
        (market / JOURNAL / path.name).write_bytes(path.read_bytes())
    begun = sorted((market / JOURNAL).glob("segment-*"))[0]
    header = begun.read_bytes()
    base = (market / JOURNAL / BASE).read_bytes()
    (market / JOURNAL / BASE).write_bytes(rebased(header, base))
    for path in (market / JOURNAL).glob("snapshot-*"):
        path.unlink()
    path = sorted((market / JOURNAL).glob("segment-*"))[1]
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalDamageError) as found:
        opened(market, archive)
    at = found.value.sequence
    assert at is not None
    assert at > first
    truncate(market / JOURNAL, at)
    journal = opened(market, archive)
    for _ in range(2):
        append(journal, BATCHES, each=2)
        journal.snapshot(b"other state of %d" % journal.sequence)
    with pytest.raises(JournalError, match="is not the journal's"):
        journal.move_to_archive()
    assert numbers(journal, journal.first)[-1] == journal.sequence - 1
    journal.close()


def rebased(segment: bytes, base: bytes) -> bytes:
    """A base that begins at a segment, with the head that another base has."""
    from solvent.journal.segments import decode_header, encode_header

    header, head = decode_header(segment), decode_header(base).head
    return encode_header(header.number, header.marker, header.first, header.previous, head)


def test_copies_with_and_without_the_archive(market: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    journal = opened(market, archive)
    records = journal.sequence
    short = copies.copy_journal(market, tmp_path / "short")
    whole = copies.copy_journal(market, tmp_path / "whole", archive)
    journal.close()
    assert short.records == whole.records == records
    assert short.digest == whole.digest
    assert (short.first > 0, whole.first) == (True, 0)
    again = opened(tmp_path / "whole", None)
    assert numbers(again) == list(range(records))
    again.close()
    of_archive = copies.copy_journal(archive, tmp_path / "old")
    assert of_archive.records == short.first
    with pytest.raises(FileNotFoundError):
        copies.copy_journal(market, tmp_path / "none", tmp_path / "nowhere")
    assert not (tmp_path / "none" / JOURNAL).exists()


def test_a_copy_begins_again_where_segments_leave_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = lived(tmp_path / "market")
    journal.archive = tmp_path / "archive"
    kept = copies._copy

    def copy(source: Path, to: Path) -> None:
        if source.name == "segment-000002" and journal.first == 0:
            journal.move_to_archive()
            journal._chain.segments[0] = journal._chain.segments[0]._replace(first=1)
        kept(source, to)

    monkeypatch.setattr(copies, "_copy", copy)
    found = copies.copy_journal(tmp_path / "market", tmp_path / "copy")
    assert found.first > 0
    assert found.records == journal.sequence
    journal.close()
