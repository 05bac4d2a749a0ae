"""Frames: a log file as groups of records, so that damage is found and its place named.

    magic (8 bytes) version (4)   then frames:   length (4) count (4) check (4) payload (length)

All numbers are little-endian. `check` is the CRC-32 of the check before (at first that of magic and
version), length, count and payload: a flipped bit, a frame lost, doubled or moved shows at the
frame where it happened. The last frame is empty and counts all records; a log without it was cut.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from solvent.domain.codec.events import FORMAT_VERSION
from solvent.domain.errors import InputError

_HEAD = struct.Struct("<8sI")
_FRAME = struct.Struct("<III")
_SIZES = struct.Struct("<II")


class Frame(NamedTuple):
    """One group of records; `offset` is where its payload begins in the file."""

    offset: int
    records: int
    payload: bytes


class FrameWriter:
    """Writes one log file, frame by frame. `close` ends it; without that it reads as cut."""

    def __init__(self, path: Path, magic: bytes) -> None:
        head = _HEAD.pack(magic, FORMAT_VERSION)
        self._file: IO[bytes] = path.open("xb")
        self._check = zlib.crc32(head)
        self._records = 0
        self._file.write(head)

    def write(self, payload: bytes, count: int) -> None:
        """Append `count` (at least one) records as one frame."""
        assert payload
        assert count
        self._records += count
        self._frame(payload, count)

    def close(self) -> None:
        """Write the closing frame and close the file."""
        self._frame(b"", self._records)
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _frame(self, payload: bytes, count: int) -> None:
        self._check = _chained(self._check, payload, count)
        self._file.write(_FRAME.pack(len(payload), count, self._check))
        self._file.write(payload)


def read_frames(path: Path, magic: bytes) -> Iterator[Frame]:
    """The frames of a log in order, without the closing one.

    Raises InputError naming the byte where the file is damaged, cut or no such log, or that it
    cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from _frames(path, file, magic)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; point at the folder of a finished run"
        raise InputError(str(path), "file", reason) from error


def damage(path: Path, offset: int, reason: str) -> InputError:
    """The error that says at which byte of a log something is wrong."""
    return InputError(str(path), f"byte {offset}", f"{reason}; restore the file or run again")


def _frames(path: Path, file: IO[bytes], magic: bytes) -> Iterator[Frame]:
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or not head.startswith(magic):
        raise damage(path, 0, f"this is no log that begins with {magic.decode()}")
    _, version = _HEAD.unpack(head)
    if version != FORMAT_VERSION:
        raise damage(
            path, len(magic), f"format {version} is not {FORMAT_VERSION}, the one read here"
        )
    check, records, offset = zlib.crc32(head), 0, _HEAD.size
    while True:
        sizes = file.read(_FRAME.size)
        if len(sizes) < _FRAME.size:
            raise damage(path, offset, "the log is cut short")
        length, count, expected = _FRAME.unpack(sizes)
        payload = file.read(length)
        if len(payload) < length:
            raise damage(path, offset, "the log is cut short or the length of a frame is damaged")
        check = _chained(check, payload, count)
        if check != expected:
            raise damage(path, offset, f"the checksum of {length + _FRAME.size} bytes is wrong")
        if not length:
            break
        yield Frame(offset + _FRAME.size, count, payload)
        records += count
        offset += _FRAME.size + length
    if count != records:
        raise damage(path, offset, f"the log says it has {count} records and has {records}")
    if file.read(1):
        raise damage(path, offset + _FRAME.size, "bytes follow the end of the log")


def _chained(check: int, payload: bytes, count: int) -> int:
    return zlib.crc32(payload, zlib.crc32(_SIZES.pack(len(payload), count), check))
