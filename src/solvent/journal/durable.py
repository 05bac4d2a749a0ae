"""The durable journal: what was appended is on the disk when `append` returns, whole and in order.

A journal is a folder of segments (`segments`) and snapshots (`snapshots`). A batch of records is
one frame and one sync. Frames are chained by digests, so that nothing can be changed, doubled,
moved or left out unseen; `recovery` says what happens then. I36: an acknowledged batch survives any
crash; one that was not is whole or absent.

One writer: the folder is locked until `close` or the process's death. A failed or short write, or a
failed sync, is final: the journal takes and gives nothing more, and nothing is tried twice.

Old segments may leave for an archive (`archive`), which `open` is told to read them from. Absent:
replicas. A journal is written by one thread; others may read records and snapshots, and archive,
meanwhile.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain as joined
from pathlib import Path
from typing import NamedTuple, Self

from solvent.journal import segments, snapshots
from solvent.journal.archive import (
    Archived,
    first_records,
    move_to_archive,
    segment_file,
)
from solvent.journal.disk import Files, OsFiles, put_in_place, write_whole
from solvent.journal.journal_errors import (
    JournalDamageError,
    JournalError,
    JournalFailedError,
    JournalLockedError,
)
from solvent.journal.recovery import Chain, Segment, give_up, settle, walk
from solvent.journal.segments import FlawError, Frame, segment_number, segment_path

__all__ = [
    "Files",
    "Journal",
    "JournalDamageError",
    "JournalError",
    "JournalFailedError",
    "JournalLockedError",
    "OsFiles",
    "Verified",
    "holds_journal",
    "verify",
]

SEGMENT_BYTES = 16 * 1024 * 1024
"""A frame that would make a segment longer begins a new one."""
AHEAD_BYTES = 1024 * 1024
"""So many zeros are written behind a frame that makes its file longer."""

_OS_FILES = OsFiles()
_TEMPORARIES = {segments.TEMPORARY, snapshots.TEMPORARY}


class Verified(NamedTuple):
    """What a whole journal holds.

    `snapshots` are the numbers of records of which there is one, newest first; `torn` the bytes at
    the end that opening will cut, those of a batch that was never acknowledged. The records before
    number `first` are in an archive that was not named.
    """

    records: int
    digest: bytes
    snapshots: tuple[int, ...]
    torn: int
    first: int = 0


class Journal:
    """A journal that is open: `create` or `open` it, and `close` it.

    `notes` says in one line each what opening it found and mended: a torn batch that was cut, a
    damaged snapshot that is passed over.
    """

    def __init__(self, folder: Path, files: Files, lock: int, limits: tuple[int, int]) -> None:
        self.folder = folder
        self.archive: Path | None = None
        self.notes: list[str] = []
        self._files = files
        self._lock = lock
        self._segment_bytes, self._ahead_bytes = limits
        self._chain = Chain()
        self._handle: int | None = None
        self._is_open = True
        self._failure: JournalFailedError | None = None
        self._is_writing = False

    @classmethod
    def create(
        cls,
        folder: Path,
        head: bytes,
        *,
        files: Files = _OS_FILES,
        segment_bytes: int = SEGMENT_BYTES,
        ahead_bytes: int = AHEAD_BYTES,
    ) -> Self:
        """A new journal in a folder that is missing or empty. Raises JournalError."""
        with _one_line(folder):
            files.make_folder(folder)
        journal = cls(folder, files, _locked(files, folder), (segment_bytes, ahead_bytes))
        with journal._released_on_error():
            with _one_line(folder):
                names = set(files.names(folder))
                if names - _TEMPORARIES:
                    raise JournalError(folder, "folder", "is not empty; name a new or empty one")
            marker = segments.new_marker()
            with journal._writing(segment_path(folder, 1)):
                for name in names:
                    files.remove(folder / name)
                journal._begin_segment(marker, segments.genesis(marker, head), head)
        return journal

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        files: Files = _OS_FILES,
        truncate_at: int | None = None,
        archive: Path | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        ahead_bytes: int = AHEAD_BYTES,
    ) -> Self:
        """The journal of a folder; a torn batch at its end is cut.

        Segments that have left it are read from its `archive`, where one is named.

        Damage is refused, with the number of good records before it in the error. With that number
        as `truncate_at` the record of that number and all after it are removed for good; with any
        other, or without damage, it is refused.

        Raises JournalLockedError, JournalDamageError, JournalFailedError or JournalError.
        """
        journal = cls(folder, files, _locked(files, folder), (segment_bytes, ahead_bytes))
        journal.archive = archive
        with journal._released_on_error():
            journal._recover(truncate_at)
        return journal

    @property
    def head(self) -> bytes:
        """What the journal was created with."""
        return self._chain.head

    @property
    def secret(self) -> bytes:
        """Bytes that were drawn when it was created, and that only its files have."""
        return self._chain.marker

    @property
    def sequence(self) -> int:
        """How many records are durable: the number of the next one."""
        return self._chain.sequence

    @property
    def digest(self) -> bytes:
        """The head of the chain of digests: 32 bytes that name all that was appended."""
        return self._chain.digest

    def append(self, records: Sequence[bytes]) -> int:
        """Make a batch durable, whole or not at all; the number of its first record.

        Raises ValueError for no records or too many bytes, before anything is written, and
        JournalFailedError.
        """
        if not records:
            raise ValueError("a batch has at least one record")
        self._refuse_unusable()
        first = self._chain.sequence
        self._append(segments.encode_payload(records), len(records))
        return first

    def snapshot(self, data: bytes) -> None:
        """Keep the state as of now; the two newest are kept. Raises JournalFailedError."""
        chain = self._chain
        with self._writing(snapshots.snapshot_path(self.folder, chain.sequence)):
            snapshots.write_snapshot(
                self._files,
                self.folder,
                marker=chain.marker,
                sequence=chain.sequence,
                chain=chain.digest,
                data=data,
            )

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """The newest good snapshot and after how many records it was taken, or None."""
        return next(self.good_snapshots(), None)

    def good_snapshots(self) -> Iterator[tuple[int, bytes]]:
        """Good snapshots, each after how many records it was taken, newest first.

        Damaged ones are passed over, with a note.
        """
        self._refuse_unusable(but_while_writing=True)
        with _one_line(self.folder):
            names = self._files.names(self.folder)
        for sequence in snapshots.snapshot_sequences(names):
            path = snapshots.snapshot_path(self.folder, sequence)
            try:
                content = self._files.read(path)
                data = snapshots.decode_snapshot(content, self._chain.marker, sequence)
            except (FlawError, OSError) as error:
                note = f"{path}: {error}; it is passed over"
                self.notes += [note] if note not in self.notes else []
            else:
                yield sequence, data

    def records(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Records from number `start` to the last that is durable now, each with its number.

        Raises JournalDamageError where a segment is no longer as it was when opened.
        """
        self._refuse_unusable(but_while_writing=True)
        stop = self._chain.sequence
        if not 0 <= start <= stop:
            raise ValueError(f"there are {stop} records, so none to read from {start}")
        numbered = (
            (number, record)
            for first, records in self._batches(start, stop)
            for number, record in enumerate(records, first)
        )
        return ((number, record) for number, record in numbered if number >= start)

    @property
    def first(self) -> int:
        """The number of the first record here: what is before it left for an archive."""
        return self._chain.segments[0].first

    def move_to_archive(self) -> Archived:
        """Move the segments that opening does not need to the archive, which must be named.

        Raises JournalError and OSError; the journal goes on all the same, and a later call too.
        """
        if self.archive is None:
            raise JournalError(self.folder, "folder", "has no archive; name one with --archive")
        self._refuse_unusable(but_while_writing=True)
        return move_to_archive(self._files, self.folder, self.archive)

    def close(self) -> None:
        """Seal the journal, if it is whole, and let go of the folder.

        Raises JournalFailedError if the seal cannot be written; the records are durable even so.
        """
        if not self._is_open:
            return
        try:
            if self._failure is None and not self._chain.is_sealed:
                self._append(b"", 0)
        finally:
            self._release()

    # Writing.

    def _append(self, payload: bytes, count: int) -> None:
        chain = self._chain
        frame = segments.encode_frame(chain.marker, chain.sequence, chain.digest, payload, count)
        with self._writing(segment_path(self.folder, chain.segments[-1].number)):
            if count and chain.begin < chain.end and chain.end + len(frame) > self._segment_bytes:
                self._roll()
            start, end = chain.end, chain.end + len(frame)
            data = frame
            if end > chain.size:
                size = max(end, min(end + self._ahead_bytes, self._segment_bytes))
                data += bytes(size - end)
                chain.size = size
            write_whole(self._files, self._open_handle, data, start)
            self._files.sync(self._open_handle)
            chain.add(Frame(start, end, chain.sequence, count, chain.digest, payload))

    def _roll(self) -> None:
        """End the segment where its last frame does, and begin the next."""
        chain = self._chain
        self._files.truncate(self._open_handle, chain.end)
        self._files.sync(self._open_handle)
        self._files.close(self._open_handle)
        self._handle = None
        self._begin_segment(chain.marker, chain.digest, b"")

    def _begin_segment(self, marker: bytes, previous: bytes, head: bytes) -> None:
        number = self._chain.segments[-1].number + 1 if self._chain.segments else 1
        content = segments.encode_header(number, marker, self._chain.sequence, previous, head)
        path = segment_path(self.folder, number)
        temporary = self.folder / segments.TEMPORARY
        self._handle = put_in_place(self._files, temporary, path, content)
        self._chain.start(segments.decode_header(content), len(content))

    @property
    def _open_handle(self) -> int:
        assert self._handle is not None
        return self._handle

    @contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        """Fail for good unless the block ends well, whatever ends it."""
        self._refuse_unusable()
        place = f"byte {self._chain.end}"
        self._is_writing = True
        self._failure = JournalFailedError(path, place, "a write was interrupted")
        try:
            yield
        except (FlawError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self._failure = JournalFailedError(path, place, f"cannot be written: {reason}")
            raise self._failure from error
        else:
            self._failure = None
        finally:
            self._is_writing = False

    def _refuse_unusable(self, *, but_while_writing: bool = False) -> None:
        """Raise unless the journal is open and whole, as far as a reader in a write can know."""
        if self._failure is not None and not (but_while_writing and self._is_writing):
            raise JournalFailedError(*self._failure.args)
        if not self._is_open:
            raise JournalError(self.folder, "folder", "the journal is closed; open it again")

    # Opening, reading and letting go.

    def _recover(self, truncate_at: int | None) -> None:
        files, folder, chain = self._files, self.folder, self._chain
        is_cut = False
        try:
            with _one_line(folder):
                self.notes += walk(files, folder, chain)
        except JournalDamageError as error:
            if truncate_at is None or truncate_at != error.sequence:
                raise
            self.notes.append(f"{error.file}: {error.place}: gave up record {truncate_at} and on")
            is_cut = True
        else:
            if truncate_at is not None:
                reason = f"is whole; nothing is given up at {truncate_at}: open it without that"
                raise JournalError(folder, "folder", reason)
        if chain.torn:
            path = segment_path(folder, chain.segments[-1].number)
            self.notes.append(f"{path}: cut {chain.torn} bytes of a torn batch")
        with self._writing(segment_path(folder, chain.segments[-1].number)):
            if is_cut:
                give_up(files, folder, chain)
            self._handle = settle(files, folder, chain, is_cut=is_cut or chain.torn > 0)

    def _batches(self, start: int, stop: int) -> Iterator[tuple[int, list[bytes]]]:
        chain = self._chain
        held = self._held(start)
        ends = [segment.first for segment in held[1:]]
        for segment, end in zip(held, joined(ends, [stop]), strict=True):
            if end <= start or segment.first >= stop:
                continue
            with _one_line(segment_path(self.folder, segment.number)):
                path, data = segment_file(self._files, self.folder, self.archive, segment.number)
            sequence, offset = segment.first, 0
            try:
                offset = segments.decode_header(data).end
                while sequence < min(end, stop):
                    frame = segments.decode_frame(data, offset, chain.marker)
                    yield sequence, list(segments.split_records(frame))
                    sequence, offset = sequence + frame.records, frame.end
            except FlawError as flaw:
                raise JournalDamageError(path, f"byte {offset}", str(flaw)) from flaw

    def _held(self, start: int) -> list[Segment]:
        """The segments that can be read, with those of the archive where `start` is in them."""
        held = list(self._chain.segments)
        if start >= held[0].first:
            return held
        before = first_records(self._files, self.archive, held[0].number)
        if not before:
            reason = f"before {held[0].first} are in the archive; name it with --archive"
            raise JournalError(self.folder, "records", reason)
        return [Segment(*each) for each in before] + held

    @contextmanager
    def _released_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._release()
            raise

    def _release(self) -> None:
        self._is_open = False
        for handle in (self._handle, self._lock):
            if handle is not None:
                with suppress(OSError):
                    self._files.close(handle)
        self._handle = None


def holds_journal(folder: Path, *, files: Files = _OS_FILES) -> bool:
    """Whether a journal was created in a folder, so that it is to be opened, whatever its state."""
    try:
        names = files.names(folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise JournalError(folder, "folder", f"cannot be read: {error.strerror}") from error
    return any(segment_number(name) for name in names)


def refuse_open(folder: Path, *, files: Files = _OS_FILES) -> None:
    """Raise JournalLockedError where a process has this journal open."""
    files.close(_locked(files, folder))


def verify(folder: Path, archive: Path | None = None, *, files: Files = _OS_FILES) -> Verified:
    """Check every byte of a journal that no process has open, and change nothing.

    With its `archive` from the first record of all, otherwise from the first one that is left.

    Raises JournalLockedError, JournalDamageError for the first damage, also of a snapshot, and
    JournalError.
    """
    lock = _locked(files, folder)
    try:
        chain = Chain()
        with _one_line(folder):
            walk(files, folder, chain, archive)
            first = chain.segments[0].first
            found = snapshots.snapshot_sequences(files.names(folder))
            sequences = [sequence for sequence in found if sequence >= first]
            for sequence in sequences:
                path = snapshots.snapshot_path(folder, sequence)
                try:
                    snapshots.decode_snapshot(files.read(path), chain.marker, sequence)
                except FlawError as flaw:
                    raise JournalDamageError(path, "file", str(flaw)) from flaw
        return Verified(chain.sequence, chain.digest, tuple(sequences), chain.torn, first)
    finally:
        files.close(lock)


def _locked(files: Files, folder: Path) -> int:
    try:
        return files.lock(folder)
    except BlockingIOError as error:
        reason = "another process has this journal open; stop it, or name another folder"
        raise JournalLockedError(folder, "folder", reason) from error
    except OSError as error:
        reason = f"cannot be opened: {error.strerror}; name the folder of a journal"
        raise JournalError(folder, "folder", reason) from error


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """Say in one line what the system says of a file."""
    try:
        yield
    except OSError as error:
        raise JournalError(path, "file", f"cannot be read: {error.strerror}") from error
