"""Snapshots: the state after so many records, in a file that is there whole or not at all.

    magic 8, version 4, marker 8, sequence 8, chain 32, length 8, digest 32, check 4, data

`chain` is the journal's digest after `sequence` records: a snapshot of another history is noticed.
`digest` is BLAKE2b of the data, `check` the CRC-32 of all before it. A snapshot is read again and
compared before older ones are removed, and two are kept: should the newest rot, the one before it
and the journal still make the same state.
"""

import hashlib
import re
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from solvent.journal.disk import Files, put_in_place
from solvent.journal.segments import DIGEST_BYTES, MARKER_BYTES, FlawError

MAGIC = b"SOLVSNAP"
VERSION = 1
KEPT = 2
TEMPORARY = "snapshot.tmp"

_HEADER = struct.Struct(f"<8sI{MARKER_BYTES}sQ{DIGEST_BYTES}sQ{DIGEST_BYTES}s")
_CHECK = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CHECK.size
_NAME = re.compile(r"snapshot-(\d{20})")


class SnapshotHeader(NamedTuple):
    """What a snapshot says of itself."""

    marker: bytes
    sequence: int
    chain: bytes
    length: int
    digest: bytes


def snapshot_path(folder: Path, sequence: int) -> Path:
    """Where the snapshot after so many records is."""
    return folder / f"snapshot-{sequence:020d}"


def snapshot_sequences(names: list[str]) -> list[int]:
    """Of which numbers of records there are snapshots, newest first."""
    found = [int(match[1]) for name in names if (match := _NAME.fullmatch(name))]
    return sorted(found, reverse=True)


def encode_snapshot(marker: bytes, sequence: int, chain: bytes, data: bytes) -> bytes:
    """A snapshot's file."""
    fields = _HEADER.pack(MAGIC, VERSION, marker, sequence, chain, len(data), _digest(data))
    return b"".join((fields, _CHECK.pack(zlib.crc32(fields)), data))


def decode_header(content: bytes, sequence: int) -> SnapshotHeader:
    """What a snapshot's first bytes say. Raises FlawError, also where it has another's name."""
    if len(content) < HEADER_BYTES:
        raise FlawError(f"a snapshot is cut short after {len(content)} bytes")
    (expected,) = _CHECK.unpack_from(content, _HEADER.size)
    if zlib.crc32(content[: _HEADER.size]) != expected:
        raise FlawError("the header of a snapshot is damaged")
    magic, version, *fields = _HEADER.unpack_from(content)
    if (magic, version) != (MAGIC, VERSION):
        raise FlawError(f"this is no snapshot of version {VERSION}")
    header = SnapshotHeader(*fields)
    if header.sequence != sequence:
        raise FlawError(f"this is the snapshot of {header.sequence} records")
    return header


def decode_snapshot(content: bytes, marker: bytes, sequence: int) -> bytes:
    """The data of a snapshot. Raises FlawError."""
    header = decode_header(content, sequence)
    if header.marker != marker:
        raise FlawError("this is the snapshot of another journal")
    data = content[HEADER_BYTES:]
    if len(data) != header.length:
        raise FlawError(f"a snapshot of {header.length} bytes has {len(data)}")
    if (found := _digest(data)) != header.digest:
        raise FlawError(f"its digest is {found.hex()}, expected {header.digest.hex()}")
    return data


def write_snapshot(
    files: Files, folder: Path, *, marker: bytes, sequence: int, chain: bytes, data: bytes
) -> None:
    """Write a snapshot, read it again, and remove all but the two newest that are good.

    Raises OSError, and FlawError where what is read is not what was written.
    """
    path = snapshot_path(folder, sequence)
    content = encode_snapshot(marker, sequence, chain, data)
    files.close(put_in_place(files, folder / TEMPORARY, path, content))
    if files.read(path) != content:
        raise FlawError("a snapshot reads otherwise than it was written")
    kept = 1
    for other in snapshot_sequences(files.names(folder)):
        if other == sequence:
            continue
        if kept < KEPT and _is_good(files, folder, marker, other):
            kept += 1
        else:
            files.remove(snapshot_path(folder, other))
    files.sync_folder(folder)


def _is_good(files: Files, folder: Path, marker: bytes, sequence: int) -> bool:
    try:
        decode_snapshot(files.read(snapshot_path(folder, sequence)), marker, sequence)
    except (FlawError, OSError):
        return False
    return True


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()
