"""The audit file: all entries of the audit log beside the journal, a JSON object a line.

It is only ever appended to, readable by its owner alone, and follows from the journal: what a crash
left out is added when the market is opened, and a file that does not fit the journal is put aside
and written anew.
"""

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from solvent.service.authority.audit import AuditEntry, AuditLog

_STRIDE = 1_000
"""The place of every so many lines is kept."""


class AuditFile:
    """The file of a market; `last` is the number of its last entry."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = 0
        self._hash = ""
        self._places = [0]
        self._open()

    def _open(self) -> None:
        self.last, self._hash, self._places = 0, "", [0]
        number = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._file = os.fdopen(number, "r+b", buffering=0)
        place = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    # A line that a crash cut off was never whole: it is written again.
                    self._file.truncate(place)
                    break
                place += len(line)
                self.last += 1
                self._hash = _decode(line).hash
                if self.last % _STRIDE == 0:
                    self._places.append(place)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def write(self, entries: Iterable[AuditEntry]) -> None:
        """Append the entries that it does not have, which must be the next ones."""
        for entry in entries:
            if entry.number != self.last + 1:
                continue
            self._file.write(entry.line() + b"\n")
            self.last, self._hash = entry.number, entry.hash
            if self.last % _STRIDE == 0:
                self._places.append(self._file.seek(0, os.SEEK_END))

    def agrees(self, log: AuditLog) -> bool:
        """Whether it ends as the log does."""
        return (self.last, self._hash) == (log.count, log.chained)

    def put_aside(self) -> Path:
        """Begin an empty file; the old one keeps what it has, under another name."""
        self.close()
        number = 1
        while (aside := self.path.with_suffix(f".{number}.jsonl")).exists():
            number += 1
        self.path.rename(aside)
        self._open()
        return aside

    def read(self, first: int, limit: int) -> Sequence[AuditEntry]:
        """At most `limit` entries from number `first` on."""
        at = min((first - 1) // _STRIDE, len(self._places) - 1)
        with self.path.open("rb") as lines:
            lines.seek(self._places[at])
            skipped = first - 1 - at * _STRIDE
            return [_decode(line) for line in islice(lines, skipped, skipped + limit)]


_OBJECT = msgspec.json.Decoder(dict[str, Any])


def _decode(line: bytes) -> AuditEntry:
    fields = _OBJECT.decode(line)
    fields["subject"] = msgspec.json.encode(fields["subject"]).decode()
    return AuditEntry(**fields)
