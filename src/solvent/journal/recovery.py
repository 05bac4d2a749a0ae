"""Recovery: how much of a journal on disk is good, and what has to be done before it can go on.

A batch in hand when the power went may be there whole, in part or not at all: it was not
acknowledged, and what is there of it in part is cut. That is allowed at one place only, behind the
last whole frame of the last segment. Damage anywhere else was acknowledged once, so the journal
refuses to open, and nothing is given up unless its owner says from which record on.

A damaged last frame cannot be told from a torn one unless a seal follows, which `close` writes.
A last segment lost as a whole shows only by a snapshot that is newer than what is left. Damaged
snapshots are passed over.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from solvent.journal import segments, snapshots
from solvent.journal.archive import read_base, segment_file
from solvent.journal.disk import Files, put_in_place
from solvent.journal.journal_errors import JournalDamageError, JournalError
from solvent.journal.segments import FlawError, Frame, Header, segment_number, segment_path


class Segment(NamedTuple):
    """A segment and the number of its first record."""

    number: int
    first: int


@dataclass(slots=True)
class Chain:
    """The good part of a journal: all that is needed to add to it.

    In the last segment frames begin at byte `begin` and the next one goes to `end`: behind the last
    frame with records, where a seal may be. The file has `size` bytes, of which the last `torn` are
    neither a frame nor zeros.
    """

    marker: bytes = b""
    head: bytes = b""
    segments: list[Segment] = field(default_factory=list)
    sequence: int = 0
    digest: bytes = b""
    begin: int = 0
    end: int = 0
    size: int = 0
    torn: int = 0
    is_sealed: bool = False

    def start(self, header: Header, size: int) -> None:
        """Go on in the segment with that header."""
        if not self.marker:
            self.begin_with(header)
        self.segments.append(Segment(header.number, header.first))
        self.begin = self.end = header.end
        self.size, self.torn, self.is_sealed = size, 0, False

    def begin_with(self, header: Header) -> None:
        """Begin where a journal's first segment does, or the first one that it has left."""
        self.marker, self.head = header.marker, header.head
        self.sequence, self.digest = header.first, header.previous

    def add(self, frame: Frame) -> None:
        """Go on behind a frame."""
        self.sequence += frame.records
        self.digest = frame.digest
        self.end = frame.start if frame.is_seal else frame.end
        self.size = max(self.size, frame.end)
        self.is_sealed = frame.is_seal


def walk(files: Files, folder: Path, chain: Chain, archive: Path | None = None) -> list[str]:
    """Read every segment into an empty `chain`, which after damage ends before it.

    A journal that has an archive begins with its base, or where the archive is named with the
    first segment of that. Snapshots say what digest the chain had where they were taken. Returns a
    line for each that is damaged. Raises JournalDamageError, JournalError where there is no
    journal, and OSError.
    """
    names = files.names(folder)
    base = read_base(files, folder, names)
    begin = 1
    if base is not None and archive is None:
        begin = base.number
        chain.begin_with(base)
    there = {number for name in names if (number := segment_number(name))}
    if not there:
        raise JournalError(folder, "folder", "holds no journal; name another, or make a new one")
    marks, notes = _read_marks(files, folder, names, chain.sequence)
    for number in range(begin, max(there) + 1):
        try:
            path, data = segment_file(files, folder, archive, number)
        except FileNotFoundError:
            sequence = chain.sequence if chain.segments else None
            path = segment_path(folder, number)
            raise JournalDamageError(path, "file", "is missing", sequence) from None
        segment = _Segment(path, number, data, chain, is_own=path.parent == folder)
        segment.begin()
        _pass(folder, chain, marks)
        while segment.advance(is_last=number == max(there)):
            _pass(folder, chain, marks)
    for sequence in sorted(marks):
        _refuse_mark(folder, chain, sequence)
    return notes


def _read_marks(
    files: Files, folder: Path, names: list[str], first: int
) -> tuple[dict[int, bytes], list[str]]:
    """The digests that snapshots name, and a line for each that is damaged and names none.

    A damaged one, too, proves by its name that there were so many records. One from before the
    journal's first record is none of these.
    """
    marks, notes = {}, []
    for sequence in snapshots.snapshot_sequences(names):
        path = snapshots.snapshot_path(folder, sequence)
        if sequence < first:
            continue
        try:
            content = files.read(path, snapshots.HEADER_BYTES)
            marks[sequence] = snapshots.decode_header(content, sequence).chain
        except FlawError as flaw:
            marks[sequence] = b""
            notes.append(f"{path}: {flaw}; it is passed over")
    return marks, notes


def _pass(folder: Path, chain: Chain, marks: dict[int, bytes]) -> None:
    """Compare the chain with the snapshot that was taken here, if one was."""
    mark = marks.pop(chain.sequence, b"")
    if mark and mark != chain.digest:
        path = snapshots.snapshot_path(folder, chain.sequence)
        reason = f"is of another history: digest {mark.hex()}, expected {chain.digest.hex()}"
        raise JournalDamageError(path, "file", reason)


def _refuse_mark(folder: Path, chain: Chain, sequence: int) -> None:
    path = snapshots.snapshot_path(folder, sequence)
    if sequence < chain.sequence:
        raise JournalDamageError(path, "file", "is of another history: no batch ends there")
    last = segment_path(folder, chain.segments[-1].number)
    reason = f"the journal ends after {chain.sequence} records, but {path.name} has {sequence}"
    raise JournalDamageError(last, f"byte {chain.end}", reason, chain.sequence)


class _Segment:
    """One segment's bytes, added to the chain frame by frame."""

    def __init__(self, path: Path, number: int, data: bytes, chain: Chain, *, is_own: bool) -> None:
        self._path = path
        self._is_own = is_own
        self._number = number
        self._data = data
        self._chain = chain
        self._offset = 0

    def begin(self) -> None:
        """Add the header."""
        try:
            header = segments.decode_header(self._data)
        except FlawError as flaw:
            raise self._damage(0, str(flaw)) from flaw
        chain = self._chain
        is_begun = bool(chain.marker)
        first = segments.genesis(header.marker, header.head)
        expected = Header(
            number=self._number,
            marker=chain.marker if is_begun else header.marker,
            first=chain.sequence,
            previous=chain.digest if is_begun else first,
            head=b"" if is_begun else header.head,
            end=header.end,
        )
        if header != expected:
            raise self._damage(0, _difference(header, expected))
        chain.start(header, len(self._data))
        self._offset = header.end

    def advance(self, *, is_last: bool) -> bool:
        """Add the next frame; whether there was one."""
        chain, data = self._chain, self._data
        try:
            frame = segments.decode_frame(data, self._offset, chain.marker)
        except FlawError as flaw:
            self._end(str(flaw), is_last=is_last)
            return False
        if (frame.first, frame.previous) != (chain.sequence, chain.digest):
            expected = frame._replace(first=chain.sequence, previous=chain.digest)
            raise self._damage(self._offset, _difference(frame, expected))
        chain.add(frame)
        self._offset = frame.end
        return True

    def _end(self, flaw: str, *, is_last: bool) -> None:
        """What follows the last whole frame: zeros, a torn frame, or damage."""
        data, offset = self._data, self._offset
        if segments.is_blank(data, offset):
            return
        if not is_last:
            raise self._damage(offset, flaw)
        following = segments.frame_after(data, offset, self._chain.marker)
        if following is not None:
            raise self._damage(offset, f"{flaw}, and at byte {following} is another frame")
        self._chain.torn = len(data) - offset

    def _damage(self, offset: int, reason: str) -> JournalDamageError:
        can_be_cut = self._is_own and self._chain.segments
        sequence = self._chain.sequence if can_be_cut else None
        return JournalDamageError(self._path, f"byte {offset}", reason, sequence)


def _difference(found: Header | Frame, expected: Header | Frame) -> str:
    if found.first != expected.first:
        return f"its first record is {found.first}, expected {expected.first}"
    if found.previous != expected.previous:
        return f"the digest before it is {found.previous.hex()}, expected {expected.previous.hex()}"
    return "this is a file of another journal, or in another's place"


def give_up(files: Files, folder: Path, chain: Chain) -> None:
    """Remove what is behind the good part, but for the end of its last segment. Raises OSError."""
    names = files.names(folder)
    for sequence in snapshots.snapshot_sequences(names):
        if sequence > chain.sequence:
            files.remove(snapshots.snapshot_path(folder, sequence))
    for name in reversed(names):
        if (segment_number(name) or 0) > chain.segments[-1].number:
            files.remove(folder / name)
    files.sync_folder(folder)


def settle(files: Files, folder: Path, chain: Chain, *, is_cut: bool) -> int:
    """Make the good part lasting and the journal ready to go on; the handle of its last segment.

    The last frame may be one whose sync failed: then it can be read, yet is not on the disk, and
    another sync would not bring it there. So, unless a seal vouches for it, the good part of the
    segment is written again, as another file and with a seal. Bytes that were synced are never
    written over. Raises OSError.
    """
    temporary = folder / segments.TEMPORARY
    for path in (temporary, folder / snapshots.TEMPORARY):
        if path.name in files.names(folder):
            files.remove(path)
    path = segment_path(folder, chain.segments[-1].number)
    if chain.is_sealed and not is_cut:
        files.sync_folder(folder)
        return files.open(path)
    seal = segments.encode_frame(chain.marker, chain.sequence, chain.digest, b"", 0)
    good = files.read(path, chain.end) + seal
    handle = put_in_place(files, temporary, path, good)
    chain.size, chain.torn, chain.is_sealed = len(good), 0, True
    return handle
