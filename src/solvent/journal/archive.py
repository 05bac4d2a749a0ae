"""An archive: the segments that a journal no longer needs to open, in a folder of their own.

    JOURNAL/base                 where the journal begins: the header of its first segment that is
                                 left, with the head of the market's very first one
    ARCHIVE/journal/segment-N    all segments before that, from the first one on

An archive is laid out as a market's folder, so it can be audited and restored by itself. A segment
is in the archive, synced and read again, before the base goes past it, and it is removed from the
journal only then. Whatever ends the process in between, each record is in one of the two folders,
and the next call goes on; what lies before the base is not read.

What may go are the segments before the older of the two newest good snapshots: a journal whose
newest snapshot rots opens without its archive. Absent: packing, and the removal of an archive.
"""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from solvent.journal import segments, snapshots
from solvent.journal.disk import Files, put_in_place
from solvent.journal.journal_errors import (
    JournalDamageError,
    JournalError,
    JournalLockedError,
)
from solvent.journal.segments import FlawError, Header, segment_number, segment_path

JOURNAL = "journal"
BASE = "base"
TEMPORARY = "base.tmp"


class Archived(NamedTuple):
    """So many segments are in the archive; the journal begins with record `first`."""

    segments: int
    first: int


def read_base(files: Files, folder: Path, names: list[str]) -> Header | None:
    """Where a journal begins that has an archive. Raises JournalDamageError and OSError."""
    if BASE not in names:
        return None
    try:
        return segments.decode_header(files.read(folder / BASE))
    except FlawError as flaw:
        raise JournalDamageError(folder / BASE, "file", str(flaw)) from flaw


def first_header(files: Files, folder: Path, names: list[str]) -> Header:
    """Where a journal begins, and with what head. Raises JournalDamageError and OSError."""
    base = read_base(files, folder, names)
    if base is not None:
        return base
    path = segment_path(folder, 1)
    try:
        return segments.decode_header(files.read(path))
    except FlawError as flaw:
        raise JournalDamageError(path, "byte 0", str(flaw)) from flaw


def segment_file(
    files: Files, folder: Path, archive: Path | None, number: int
) -> tuple[Path, bytes]:
    """A segment and its bytes, out of the archive where it has left the folder. Raises OSError."""
    path = segment_path(folder, number)
    try:
        return path, files.read(path)
    except FileNotFoundError:
        if archive is None:
            raise
        path = segment_path(archive / JOURNAL, number)
        return path, files.read(path)


def first_records(files: Files, archive: Path | None, before: int) -> list[tuple[int, int]]:
    """Number and first record of each segment before number `before`, in an archive.

    None where there is no archive. Raises JournalError where a segment is missing, and OSError.
    """
    found = [(1, 0)]
    if archive is None or before <= 1:
        return []
    for number in range(2, before):
        path = segment_path(archive / JOURNAL, number)
        try:
            found.append((number, _header(files, path).first))
        except FileNotFoundError:
            raise JournalError(path, "file", "is missing in the archive") from None
        except FlawError as flaw:
            raise JournalDamageError(path, "byte 0", str(flaw)) from flaw
    return found


def move_to_archive(files: Files, folder: Path, archive: Path) -> Archived:
    """Move what may go from a journal to an archive. The caller has the folder's lock.

    Segments may be appended to meanwhile. Raises JournalError and OSError; then nothing is lost,
    and another call goes on.
    """
    place = archive / JOURNAL
    if place.absolute() == folder.absolute():
        raise JournalError(archive, "folder", "is the market itself; name another for the archive")
    names = files.names(folder)
    numbers = sorted(number for name in names if (number := segment_number(name)))
    first = first_header(files, folder, names)
    stays = _first_that_stays(files, folder, names, numbers, first)
    if stays <= first.number and numbers[0] >= first.number:
        return Archived(first.number - 1, first.first)
    files.make_folder(place)
    lock = _locked(files, place)
    try:
        last = _archived(files, place, first)
        for number in range(first.number, stays):
            if number <= last:
                _compare(files, segment_path(folder, number), segment_path(place, number))
            else:
                _keep(files, folder, place, number)
        header = _header(files, segment_path(folder, stays))
        _put_base(files, folder, header, first.head)
        for number in numbers:
            if number < stays:
                files.remove(segment_path(folder, number))
        files.sync_folder(folder)
    finally:
        files.close(lock)
    return Archived(stays - 1, header.first)


def _first_that_stays(
    files: Files, folder: Path, names: list[str], numbers: list[int], first: Header
) -> int:
    """Number of the first segment that is needed by the older of the two newest snapshots."""
    good = []
    for sequence in snapshots.snapshot_sequences(names):
        # One that is gone by now was the oldest, or is damaged: then it does not count.
        with suppress(FlawError, OSError):
            path = snapshots.snapshot_path(folder, sequence)
            snapshots.decode_snapshot(files.read(path), first.marker, sequence)
            good.append(sequence)
    if len(good) < snapshots.KEPT:
        return first.number
    # The record in front of a snapshot holds its state hash, and is read with it.
    needed = good[snapshots.KEPT - 1] - 1
    stays = first.number
    for number in numbers:
        if number <= first.number:
            continue
        if _header(files, segment_path(folder, number)).first > needed:
            break
        stays = number
    return stays


def _archived(files: Files, place: Path, first: Header) -> int:
    """Number of the archive's last segment; it must go on where the journal begins."""
    numbers = [number for name in files.names(place) if (number := segment_number(name))]
    last = max(numbers, default=0)
    if sorted(numbers) != list(range(1, last + 1)) or last < first.number - 1:
        reason = f"does not have segments 1 to {first.number - 1} of this journal"
        raise JournalError(place, "folder", f"{reason}; name the archive that was used before")
    if last:
        header = segments.decode_header(files.read(segment_path(place, 1)))
        if (header.marker, header.head) != (first.marker, first.head):
            raise JournalError(place, "folder", "is the archive of another market; name another")
    return last


def _keep(files: Files, folder: Path, place: Path, number: int) -> None:
    """Copy a segment that the chain vouches for into the archive, and compare it there."""
    path = segment_path(folder, number)
    data = files.read(path)
    following = _header(files, segment_path(folder, number + 1))
    try:
        reached = segments.walked(data)
    except FlawError as flaw:
        raise JournalDamageError(path, "file", str(flaw)) from flaw
    if reached != (following.first, following.previous):
        raise JournalDamageError(path, "file", "does not lead to the segment behind it")
    temporary = place / segments.TEMPORARY
    with suppress(FileNotFoundError):
        files.remove(temporary)
    to = segment_path(place, number)
    files.close(put_in_place(files, temporary, to, data))
    if files.read(to) != data:
        raise JournalError(to, "file", "reads otherwise than it was written")


def _compare(files: Files, path: Path, to: Path) -> None:
    """A segment that is in the archive already must be the journal's, or one of them would go."""
    if files.read(path) != files.read(to):
        reason = (
            "is not the journal's, which was cut or restored since; move this one and all later "
            "ones out of the archive"
        )
        raise JournalError(to, "file", reason)


def _header(files: Files, path: Path) -> Header:
    """The header of a segment that is not the first of a market. Raises JournalDamageError."""
    try:
        return segments.decode_header(files.read(path, segments.HEADER_BYTES))
    except FlawError as flaw:
        raise JournalDamageError(path, "byte 0", str(flaw)) from flaw


def _put_base(files: Files, folder: Path, header: Header, head: bytes) -> None:
    temporary = folder / TEMPORARY
    with suppress(FileNotFoundError):
        files.remove(temporary)
    content = segments.encode_header(
        header.number, header.marker, header.first, header.previous, head
    )
    files.close(put_in_place(files, temporary, folder / BASE, content))


def _locked(files: Files, place: Path) -> int:
    try:
        return files.lock(place)
    except BlockingIOError as error:
        reason = "another process has this archive open; name another folder"
        raise JournalLockedError(place, "folder", reason) from error
