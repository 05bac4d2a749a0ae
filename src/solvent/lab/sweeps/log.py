"""The log of a sweep: a line a finished chunk, with its checksum, synced before it counts.

    <sha256 of the rest> <JSON list of rows, each a list of cells>

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

Cells = list[str]


class ChunkLog:
    """An open log; `chunks` are those that it has, each a list of rows of cells."""

    def __init__(self, path: Path) -> None:
        """Open or begin a log, without what a kill tore. InputError on damage."""
        self.path = path
        self.chunks: list[list[Cells]] = []
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
        """Keep other processes out and read the chunks; where the last whole line ends."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reason = "is being written by another process; wait for it, or name a new folder"
            raise InputError(str(self.path.parent), "--out", reason) from None
        whole = 0
        for end, chunk in _lines(self.path):
            whole = end
            self.chunks.append(chunk)
        return whole

    def write(self, chunk: list[Cells]) -> None:
        """Write a chunk down; when this returns it stays."""
        body = json.dumps(chunk, separators=(",", ":")).encode()
        self._file.write(sha256(body).hexdigest().encode() + b" " + body + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.chunks.append(chunk)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class RowLog(ChunkLog):
    """The log of a sweep's folder; `rows` are those that it has, by (point, path)."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / LOG)
        self.rows = _by_key(self.chunks)

    def append(self, rows: Iterable[Row]) -> None:
        """Write a chunk down; when this returns it stays."""
        kept = list(rows)
        self.write([row.cells() for row in kept])
        self.rows.update({row.key: row for row in kept})


def read_log(folder: Path) -> dict[tuple[int, int], Row]:
    """The rows of a folder's log, by (point, path). InputError on damage or where there is none."""
    return _by_key(read_chunks(folder / LOG))


def read_chunks(path: Path) -> list[list[Cells]]:
    """The chunks of a log that nobody need have closed. InputError on damage, or without one."""
    if not path.exists():
        raise InputError(str(path.parent), "folder", f"has no {path.name}; run the sweep")
    return [chunk for _, chunk in _lines(path)]


def _by_key(chunks: Iterable[list[Cells]]) -> dict[tuple[int, int], Row]:
    rows = (row_of(cells) for chunk in chunks for cells in chunk)
    return {row.key: row for row in rows}


def _lines(path: Path) -> Iterator[tuple[int, list[Cells]]]:
    """The end and the chunk of each whole line."""
    data, start, number = path.read_bytes(), 0, 0
    while start < len(data):
        number += 1
        end = data.find(b"\n", start) + 1
        chunk = _chunk(data[start : end - 1]) if end else None
        if chunk is None:
            if end and end < len(data):
                reason = "is damaged; run the sweep into a new folder"
                raise InputError(str(path), "checksum", reason, number)
            return
        yield end, chunk
        start = end


def _chunk(line: bytes) -> list[Cells] | None:
    """The rows of a line, None where it is not whole."""
    checksum, _, body = line.partition(b" ")
    if sha256(body).hexdigest().encode() != checksum:
        return None
    found: list[Cells] = json.loads(body)
    return found
