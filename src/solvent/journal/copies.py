"""Copies of a journal, made while it is written.

Segments only grow, and a snapshot is there whole or not at all, so files are copied as they are:
snapshots first, for one may not be newer than the segments beside it. What is cut off at the end is
a batch that was being written; opening the copy cuts it.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from solvent.journal.disk import OsFiles
from solvent.journal.durable import Verified, holds_journal, verify
from solvent.journal.journal_errors import JournalError
from solvent.journal.segments import segment_number
from solvent.journal.snapshots import snapshot_sequences

JOURNAL = "journal"
PRIVATE = 0o700


def copy_journal(market: Path, to: Path) -> Verified:
    """Copy the journal of a market's folder into a new one, and check the copy.

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
        for path in sorted(source.iterdir()):
            if snapshot_sequences([path.name]):
                # An old one may be gone by now: two newer ones are there then.
                with suppress(FileNotFoundError):
                    _copy(path, place / path.name)
        for path in sorted(source.iterdir()):
            if segment_number(path.name):
                _copy(path, place / path.name)
        OsFiles().sync_folder(place)
        return verify(place)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _copy(source: Path, to: Path) -> None:
    """Copy a file and make the copy lasting."""
    with source.open("rb") as read, to.open("xb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
