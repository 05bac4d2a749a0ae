"""The log of a sweep: a line a finished chunk, with its checksum, synced before it counts.

    <sha256 of the rest> <JSON list of rows>

A process may be killed at any byte. What a line promises is there, for it was synced; a last line
that was torn is dropped when the log is opened again, and its paths are computed once more. A bad
line with good ones behind it is no torn write but damage, and is refused.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from solvent.domain.errors import InputError
from solvent.lab.sweeps.rows import Row, row_of

LOG = "rows.log"


class RowLog:
    """An open log; `rows` are those that it has, by (point, path)."""

    def __init__(self, folder: Path) -> None:
        """Open or begin the log of a folder, without what a kill tore. InputError on damage."""
        self.path = folder / LOG
        self.rows: dict[tuple[int, int], Row] = {}
        self.path.touch()
        self._file = self.path.open("r+b")
        try:
            whole = self._take()
        except BaseException:
            self._file.close()
            raise
        self._file.truncate(whole)
        self._file.seek(whole)

    def _take(self) -> int:
        """Keep other processes out and read the rows; where the last whole line ends."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reason = "is being written by another process; wait for it, or name a new folder"
            raise InputError(str(self.path.parent), "--out", reason) from None
        whole = 0
        for end, rows in _lines(self.path):
            whole = end
            self.rows.update({row.key: row for row in rows})
        return whole

    def append(self, rows: Iterable[Row]) -> None:
        """Write a chunk down; when this returns it stays."""
        kept = list(rows)
        body = json.dumps([row.cells() for row in kept], separators=(",", ":")).encode()
        self._file.write(sha256(body).hexdigest().encode() + b" " + body + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows.update({row.key: row for row in kept})

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def read_log(folder: Path) -> dict[tuple[int, int], Row]:
    """The rows of a folder's log, by (point, path). InputError on damage or where there is none."""
    path = folder / LOG
    if not path.exists():
        raise InputError(str(folder), "folder", f"has no {LOG}; run the sweep")
    return {row.key: row for _, rows in _lines(path) for row in rows}


def _lines(path: Path) -> Iterator[tuple[int, list[Row]]]:
    """The end and the rows of each whole line."""
    data, start, number = path.read_bytes(), 0, 0
    while start < len(data):
        number += 1
        end = data.find(b"\n", start) + 1
        rows = _rows(data[start : end - 1]) if end else None
        if rows is None:
            if end and end < len(data):
                reason = "is damaged; run the sweep into a new folder"
                raise InputError(str(path), "checksum", reason, number)
            return
        yield end, rows
        start = end


def _rows(line: bytes) -> list[Row] | None:
    """The rows of a line, None where it is not whole."""
    checksum, _, body = line.partition(b" ")
    if sha256(body).hexdigest().encode() != checksum:
        return None
    return [row_of(cells) for cells in json.loads(body)]
