"""Copies of a journal, made while it is written.

Segments only grow, and a snapshot is there whole or not at all, so files are copied as they are:
snapshots first, for one may not be newer than the segments beside it. What is cut off at the end is
a batch that was being written; opening the copy cuts it. Where segments leave for an archive
meanwhile, the copy is begun again.
"""

import os
import shutil
from pathlib import Path

from solvent.journal.archive import BASE, JOURNAL
from solvent.journal.cutting import cut
from solvent.journal.disk import OsFiles
from solvent.journal.durable import Verified, holds_journal, verify
from solvent.journal.journal_errors import JournalError
from solvent.journal.segments import decode_header, segment_number, segment_path
from solvent.journal.snapshots import snapshot_sequences

PRIVATE = 0o700
TRIES = 5


def copy_journal(
    market: Path, to: Path, archive: Path | None = None, at: int | None = None
) -> Verified:
    """Copy the journal of a market's folder into a new one, and check the copy.

    With its `archive` the copy has everything, from the first record on, and needs none. With `at`
    it ends before the record of that number, so that it has so many.
    Raises JournalError, also where the copy is not whole: then nothing of it is left.
    """
    source = market / JOURNAL
    if not holds_journal(source):
        raise JournalError(market, "folder", "holds no market; name the folder of one")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise JournalError(to, "folder", "is there already; name a new one for the copy")
    to.mkdir(PRIVATE, parents=True, exist_ok=True)
    place = to / JOURNAL
    place.mkdir(PRIVATE)
    try:
        for _ in range(TRIES):
            if _copy_all(source, place, archive):
                break
            shutil.rmtree(place)
            place.mkdir(PRIVATE)
        else:
            raise JournalError(source, "folder", "changes faster than it is copied; try again")
        OsFiles().sync_folder(place)
        if at is not None:
            verify(place)
            cut(OsFiles(), place, at)
        return verify(place)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _copy_all(source: Path, place: Path, archive: Path | None) -> bool:
    """Copy a journal's files, snapshots first; False where its beginning moved meanwhile."""
    base = _base(source)
    try:
        for path in sorted(source.iterdir()):
            if snapshot_sequences([path.name]):
                _copy(path, place / path.name)
        begin = 1 if base is None else decode_header(base).number
        for path in sorted(source.iterdir()):
            if (segment_number(path.name) or 0) >= begin:
                _copy(path, place / path.name)
    except FileNotFoundError:
        # Snapshots and segments are removed where newer ones are there.
        return False
    if _base(source) != base:
        return False
    if base is not None and archive is None:
        (place / BASE).write_bytes(base)
    elif base is not None and archive is not None:
        for number in range(1, begin):
            path = segment_path(archive / JOURNAL, number)
            _copy(path, place / path.name)
    return True


def _base(source: Path) -> bytes | None:
    path = source / BASE
    return path.read_bytes() if path.exists() else None


def _copy(source: Path, to: Path) -> None:
    """Copy a file and make the copy lasting."""
    with source.open("rb") as read, to.open("xb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
