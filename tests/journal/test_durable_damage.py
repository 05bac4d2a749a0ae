"""Damage to a journal's files: every byte cut, every bit flipped, and what a refusal says.

No reading ever gives a record that was not appended, in another place or twice. A cut at the end
leaves the batches before it; damage anywhere else refuses to open and names the place.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from solvent.journal.durable import Journal, JournalDamageError, JournalError, verify
from solvent.journal.segments import FRAME_BYTES, decode_header, encode_frame, encode_payload
from solvent.journal.truncation import truncate
from tests.journal.faulty_files import FaultyFiles
from tests.proof import proves

BATCHES = [[b"%d.%d" % (number, one) * 6 for one in range(number % 4 + 1)] for number in range(16)]
RECORDS = [record for batch in BATCHES for record in batch]
MEMORY = Path("journal")


class Sample:
    """A small journal of three segments and where each batch ends: (segment, byte, records)."""

    def __init__(self, folder: Path, *, is_closed: bool) -> None:
        self.folder = folder
        journal = Journal.create(folder, b"head", segment_bytes=900, ahead_bytes=100)
        self.ends = [(self.newest(), self.newest().stat().st_size, 0)]
        for batch in BATCHES:
            journal.append(batch)
            written = self.newest().read_bytes().rstrip(b"\0")
            self.ends.append((self.newest(), len(written), journal.sequence))
        self.digest = journal.digest
        if not is_closed:
            shutil.copytree(folder, folder.parent / "copy")
        journal.close()
        if not is_closed:
            shutil.rmtree(folder)
            (folder.parent / "copy").rename(folder)
        self.files = {path: path.read_bytes() for path in sorted(folder.iterdir())}
        assert len(self.files) == 3

    def newest(self) -> Path:
        return max(self.folder.glob("segment-*"))

    @property
    def last(self) -> Path:
        return max(self.files)

    def restore(self) -> None:
        for path in self.folder.iterdir():
            if path not in self.files:
                path.unlink()
        for path, content in self.files.items():
            path.write_bytes(content)

    def in_memory(self) -> FaultyFiles:
        """The same journal on a disk in memory."""
        files = FaultyFiles()
        for path, content in self.files.items():
            files.plant(MEMORY / path.name, content)
        return files


@pytest.fixture
def left(tmp_path: Path) -> Sample:
    """A journal whose process was killed."""
    return Sample(tmp_path / "journal", is_closed=False)


@pytest.fixture
def closed(tmp_path: Path) -> Sample:
    """A journal that was closed, so that a seal is its last frame."""
    return Sample(tmp_path / "journal", is_closed=True)


def read(folder: Path, files: FaultyFiles) -> tuple[list[bytes], list[str]]:
    verify(folder, files=files)
    journal = Journal.open(folder, files=files)
    records, notes = [record for _, record in journal.records()], journal.notes
    journal.close()
    return records, notes


# Cuts.


def whole_at(sample: Sample) -> dict[int, int]:
    """At which bytes of the last segment how many records are whole."""
    ends = {byte: records for path, byte, records in sample.ends if path == sample.last}
    earlier = len(sample.ends) - len(ends)
    begins = min(ends) - 64 - sum(4 + len(record) for record in BATCHES[earlier - 1])
    return {begins: sample.ends[earlier - 1][2], **ends}


@pytest.mark.slow
@proves("I36")
def test_a_cut_of_the_last_segment_leaves_the_batches_before_it(left: Sample) -> None:
    ends = whole_at(left)
    content = left.files[left.last]
    for size in range(len(content) + 1):
        files = left.in_memory()
        files.plant(MEMORY / left.last.name, content[:size])
        if size < min(ends):
            with pytest.raises(JournalDamageError, match=f"{left.last.name}: byte 0: "):
                Journal.open(MEMORY, files=files)
            continue
        durable = max(records for byte, records in ends.items() if byte <= size)
        journal = Journal.open(MEMORY, files=files)
        assert [record for _, record in journal.records()] == RECORDS[:durable]
        assert bool(journal.notes) == (size not in ends and size < max(ends))
        assert journal.append([b"after"]) == durable
        journal.close()
        assert verify(MEMORY, files=files)[::3] == (durable + 1, 0)


@proves("I36")
def test_a_torn_batch_is_cut_on_a_real_disk(left: Sample) -> None:
    ends = whole_at(left)
    for end, records in ends.items():
        for size in {end, end + 1, end + 60} & set(range(max(ends))):
            left.restore()
            left.last.write_bytes(left.files[left.last][:size])
            assert verify(left.folder)[::3] == (records, size - end)
            journal = Journal.open(left.folder)
            assert [record for _, record in journal.records()] == RECORDS[:records]
            expected = f"{left.last}: cut {size - end} bytes of a torn batch"
            assert journal.notes == ([expected] if size > end else [])
            assert journal.append([b"after"]) == records
            journal.close()
            assert verify(left.folder)[::3] == (records + 1, 0)


@pytest.mark.slow
@proves("I36")
@pytest.mark.parametrize("number", [0, 1])
def test_a_cut_of_an_earlier_segment_refuses(left: Sample, number: int) -> None:
    path, content = list(left.files.items())[number]
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(JournalDamageError):
            Journal.open(left.folder)
    assert {path.name for path in left.folder.iterdir()} == {path.name for path in left.files}


@proves("I36")
@pytest.mark.parametrize("number", [0, 1])
def test_a_missing_segment_refuses(left: Sample, number: int) -> None:
    path = list(left.files)[number]
    path.unlink()
    with pytest.raises(JournalDamageError, match=f"{path.name}: file: is missing"):
        Journal.open(left.folder)


@proves("I36")
def test_a_lost_last_segment_shows_by_a_newer_snapshot(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    journal = Journal.create(folder, b"head", segment_bytes=100)
    for number in range(3):
        journal.append([b"%d" % number * 50])
    journal.snapshot(b"state")
    journal.close()
    max(folder.glob("segment-*")).unlink()
    with pytest.raises(JournalDamageError, match="the journal ends after 2 records, but") as caught:
        Journal.open(folder)
    assert caught.value.sequence == 2
    journal = Journal.open(folder, truncate_at=2)
    assert (journal.sequence, journal.latest_snapshot()) == (2, None)
    journal.close()


# Bits.


def flips(content: bytes) -> Iterator[tuple[int, bytes]]:
    for byte in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[byte] ^= 1 << bit
            yield byte, bytes(changed)


@proves("I36")
def test_no_bit_of_a_closed_journal_changes_unseen(closed: Sample) -> None:
    _, sealed, _ = closed.ends[-1]
    refused = harmless = 0
    for path, content in closed.files.items():
        for byte, changed in flips(content):
            files = closed.in_memory()
            files.plant(MEMORY / path.name, changed)
            try:
                records, notes = read(MEMORY, files)
            except JournalDamageError as error:
                refused += error.file.name == path.name
                continue
            assert (path, byte >= sealed) == (closed.last, True)
            assert records == RECORDS
            assert len(notes) == 1
            harmless += 1
    size = sum(map(len, closed.files.values()))
    behind = len(closed.files[closed.last]) - sealed
    assert (refused, harmless) == (8 * (size - behind), 8 * behind)


@pytest.mark.slow
@proves("I36")
def test_no_bit_of_a_journal_that_was_left_changes_unseen(left: Sample) -> None:
    """Without a seal a damaged last batch passes for a torn one: it is cut, with a note."""
    (_, before_last, kept), (_, end, _) = left.ends[-2:]
    for path, content in left.files.items():
        for byte, changed in flips(content):
            files = left.in_memory()
            files.plant(MEMORY / path.name, changed)
            try:
                records, notes = read(MEMORY, files)
            except JournalDamageError:
                continue
            assert (path, byte >= before_last) == (left.last, True)
            assert records == RECORDS[: len(RECORDS) if byte >= end else kept]
            assert "bytes of a torn batch" in notes[0]


@proves("I36")
def test_no_random_bit_of_a_larger_journal_changes_unseen() -> None:
    rng = Random(3)
    files = FaultyFiles()
    journal = Journal.create(MEMORY, b"head" * 99, files=files, segment_bytes=9000, ahead_bytes=700)
    expected = []
    for _ in range(150):
        batch = [rng.randbytes(rng.randrange(60)) for _ in range(rng.randint(1, 20))]
        journal.append(batch)
        expected += batch
    journal.close()
    paths = sorted(files.names_now)
    sizes = [len(files.read(path)) for path in paths]
    undetected = 0
    for _ in range(4000):
        (path,) = rng.choices(paths, sizes)
        whole = files.read(path)
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        files.plant(path, bytes(changed))
        try:
            records, _, _, torn, _ = verify(MEMORY, files=files)
        except JournalDamageError:
            pass
        else:
            undetected += not torn or records != len(expected)
        files.plant(path, whole)
    assert undetected == 0


# What a refusal says, and the one way past it.


def damage_in_the_middle(sample: Sample) -> tuple[Path, int, int]:
    """Flip a bit of a record of the second segment; its path, and byte and records before it."""
    path, byte, records = next(end for end in sample.ends if end[0] == list(sample.files)[1])
    content = bytearray(sample.files[path])
    content[byte + 70] ^= 1
    path.write_bytes(content)
    return path, byte, records


@proves("I36")
def test_a_refusal_names_file_byte_digests_and_what_can_be_done(left: Sample) -> None:
    path, byte, records = damage_in_the_middle(left)
    call = f"solvent truncate {left.folder.parent} --at {records}"
    for use in (Journal.open, verify):
        with pytest.raises(JournalDamageError) as caught:
            use(left.folder)
        line = str(caught.value)
        assert line.startswith(f"{path}: byte {byte}: the checksum of ")
        assert re.search(r"their digest [0-9a-f]{64}, expected [0-9a-f]{64}", line)
        way = f"give up record {records} and all after it: {call}"
        assert line.endswith(f"restore the file from a copy, or {way}")
        assert caught.value.sequence == records
    assert left.files.keys() == set(left.folder.iterdir())


@proves("I36")
def test_what_is_given_up_is_kept(left: Sample) -> None:
    _, _, records = damage_in_the_middle(left)
    before = {path.name: path.read_bytes() for path in left.folder.iterdir()}
    for other in (records - 1, records + 1):
        with pytest.raises(JournalDamageError):
            truncate(left.folder, other)
    kept = truncate(left.folder, records)
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    assert verify(left.folder).records == records
    with pytest.raises(JournalError, match="is whole"):
        truncate(left.folder, records)


@proves("I36")
def test_records_are_given_up_only_from_where_the_damage_is(left: Sample) -> None:
    _, _, records = damage_in_the_middle(left)
    for other in (0, records - 1, records + 1, len(RECORDS)):
        with pytest.raises(JournalDamageError):
            Journal.open(left.folder, truncate_at=other)
    journal = Journal.open(left.folder, truncate_at=records)
    assert [record for _, record in journal.records()] == RECORDS[:records]
    (note,) = journal.notes
    assert note.endswith(f"gave up record {records} and on")
    assert journal.append([b"after"]) == records
    journal.close()
    assert verify(left.folder)[::3] == (records + 1, 0)
    assert len(list(left.folder.iterdir())) == 2


def test_a_whole_journal_gives_nothing_up(closed: Sample) -> None:
    with pytest.raises(JournalError, match="is whole; nothing is given up at 3"):
        Journal.open(closed.folder, truncate_at=3)
    assert verify(closed.folder).records == len(RECORDS)


@proves("I36")
def test_damage_to_the_first_header_gives_no_way_past(left: Sample) -> None:
    first = min(left.files)
    first.write_bytes(b"SOLVJRNX" + left.files[first][8:])
    with pytest.raises(JournalDamageError, match="byte 0: this is no file that begins") as caught:
        Journal.open(left.folder)
    assert caught.value.sequence is None
    assert str(caught.value).endswith("; restore the file from a copy")


@proves("I36")
def test_a_segment_in_anothers_place_refuses(closed: Sample, tmp_path: Path) -> None:
    paths = list(closed.files)
    other = Sample(tmp_path / "other", is_closed=True)
    for path, content in zip(paths, other.files.values(), strict=True):
        closed.restore()
        path.write_bytes(content)
        with pytest.raises(JournalDamageError):
            Journal.open(closed.folder)
    closed.restore()
    paths[1].write_bytes(closed.files[paths[2]])
    with pytest.raises(JournalDamageError, match="its first record is"):
        Journal.open(closed.folder)


@proves("I36")
def test_a_batch_that_is_doubled_or_left_out_refuses(closed: Sample) -> None:
    ends = [byte for path, byte, _ in closed.ends if path == closed.last]
    content = closed.files[closed.last]
    first, second, third = ends[:3]
    for changed in (
        content[:second] + content[first:second] + content[second:],
        content[:first] + content[second:],
        content[:first] + content[second:third] + content[first:second] + content[third:],
    ):
        closed.last.write_bytes(changed)
        with pytest.raises(JournalDamageError, match="its first record is"):
            Journal.open(closed.folder)


@proves("I36")
@pytest.mark.parametrize(
    ("first", "previous", "reason"),
    [
        (2, bytes(32), "the digest before it is 0{64}, expected [0-9a-f]{64}"),
        (3, None, "its first record is 3, expected 2"),
    ],
)
def test_a_frame_that_is_whole_but_does_not_follow_refuses(
    tmp_path: Path, first: int, previous: bytes | None, reason: str
) -> None:
    folder = tmp_path / "journal"
    journal = Journal.create(folder, b"head", ahead_bytes=0)
    journal.append([b"one", b"two"])
    digest = journal.digest
    journal.close()
    (path,) = folder.iterdir()
    content = path.read_bytes()[:-FRAME_BYTES]
    payload = encode_payload([b"forged"])
    frame = encode_frame(decode_header(content).marker, first, previous or digest, payload, 1)
    path.write_bytes(content + frame)
    with pytest.raises(JournalDamageError, match=reason) as caught:
        Journal.open(folder)
    assert caught.value.sequence == 2


@proves("I36")
def test_a_record_cannot_pass_for_a_frame(left: Sample) -> None:
    """A torn batch that holds the bytes of another journal's frames is cut, as any other."""
    foreign = left.files[min(left.files)]
    folder = left.folder.parent / "other"
    journal = Journal.create(folder, b"head", ahead_bytes=0)
    journal.append([b"first"])
    kept = journal.digest
    journal.append([foreign])
    journal.close()
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[: -len(foreign) // 2])
    journal = Journal.open(folder)
    assert (journal.sequence, journal.digest) == (1, kept)
    journal.close()


@proves("I36")
def test_a_segment_that_rots_while_it_is_open_is_not_read_as_if_whole(left: Sample) -> None:
    journal = Journal.open(left.folder)
    path, byte, records = damage_in_the_middle(left)
    read: list[bytes] = []
    with pytest.raises(JournalDamageError, match=f"{path.name}: byte {byte}: the checksum"):
        read.extend(record for _, record in journal.records())
    assert read == RECORDS[:records]
    journal.close()
