"""Segments: a journal's files, as a header and frames of records chained by digests.

    header   magic 8, version 4, number 4, marker 8, first 8, previous 32, head length 4, check 4,
             head (of the first segment only)
    frame    marker 8, length 4, count 4, first 8, previous 32, payload check 4, check 4, payload
    payload  length 4 and bytes of each record
    digest   BLAKE2b(previous || payload), at first BLAKE2b(marker || head)

All numbers are little-endian; `first` counts records since the journal began, checks are CRC-32.
The marker is drawn at random for each journal, so that no record can be written to look like a
frame, and without a byte of zero, so that what is left of a torn frame never looks blank. A frame
without records is a seal: it says that all before it was on the disk. It leaves the digest as it
is, and the next frame is written over it. After the last frame there may be zeros, written ahead so
that a sync need not wait for a new size of the file.

Here bytes are told apart from damage. What to do about it, is for `recovery` to say.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from secrets import choice
from typing import NamedTuple

from solvent.domain.codec.events import FORMAT_VERSION

MAGIC = b"SOLVJRNL"
DIGEST_BYTES = 32
MARKER_BYTES = 8
MAX_PAYLOAD_BYTES = 256 * 1024 * 1024
MAX_HEAD_BYTES = 16 * 1024 * 1024

_HEADER = struct.Struct(f"<8sII{MARKER_BYTES}sQ{DIGEST_BYTES}sI")
_FRAME = struct.Struct(f"<{MARKER_BYTES}sIIQ{DIGEST_BYTES}sI")
_WORD = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _WORD.size
"""The size of a header without a head."""
FRAME_BYTES = _FRAME.size + _WORD.size
"""What a frame adds to its payload."""

_NOT_ZERO = range(1, 256)
_NAME = re.compile(r"segment-(\d{6})")
TEMPORARY = "segment.tmp"


class Header(NamedTuple):
    """How a segment begins; `end` is where its first frame is."""

    number: int
    marker: bytes
    first: int
    previous: bytes
    head: bytes
    end: int


class Frame(NamedTuple):
    """A batch of records, from byte `start` to `end` of its segment; a seal has no records."""

    start: int
    end: int
    first: int
    records: int
    previous: bytes
    payload: bytes

    @property
    def digest(self) -> bytes:
        """The chain's digest after this frame."""
        return self.previous if self.is_seal else chained(self.previous, self.payload)

    @property
    def is_seal(self) -> bool:
        """Whether it holds no records."""
        return not self.records


class FlawError(Exception):
    """The bytes are no whole header or frame. `str(error)` says what is wrong with them."""


def segment_path(folder: Path, number: int) -> Path:
    """Where the segment of that number (from 1) is."""
    return folder / f"segment-{number:06d}"


def segment_number(name: str) -> int | None:
    """The number of the segment of that name, if it is one."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def new_marker() -> bytes:
    """The marker of a new journal."""
    return bytes(choice(_NOT_ZERO) for _ in range(MARKER_BYTES))


def genesis(marker: bytes, head: bytes) -> bytes:
    """The digest that the chain begins with."""
    return chained(marker, head)


def chained(previous: bytes, payload: bytes) -> bytes:
    """The digest after a payload."""
    digest = hashlib.blake2b(previous, digest_size=DIGEST_BYTES)
    digest.update(payload)
    return digest.digest()


def encode_header(number: int, marker: bytes, first: int, previous: bytes, head: bytes) -> bytes:
    """The bytes that a segment begins with."""
    if len(head) > MAX_HEAD_BYTES:
        raise ValueError(f"a head has at most {MAX_HEAD_BYTES} bytes, not {len(head)}")
    fields = _HEADER.pack(MAGIC, FORMAT_VERSION, number, marker, first, previous, len(head))
    return fields + _WORD.pack(zlib.crc32(head, zlib.crc32(fields))) + head


def decode_header(data: bytes) -> Header:
    """How a segment begins. Raises FlawError."""
    start = HEADER_BYTES
    if len(data) < start:
        raise FlawError(f"the header is cut short after {len(data)} bytes")
    magic, version, number, marker, first, previous, length = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise FlawError(f"this is no file that begins with {MAGIC.decode()}")
    if version != FORMAT_VERSION:
        raise FlawError(
            f"format {version} is not {FORMAT_VERSION}, the one read here: go on with the release "
            "that wrote it, or begin a new journal"
        )
    head = data[start : start + length]
    found = zlib.crc32(head, zlib.crc32(data[: _HEADER.size]))
    (expected,) = _WORD.unpack_from(data, _HEADER.size)
    if found != expected:
        raise FlawError(f"the header's checksum is {found:08x}, expected {expected:08x}")
    return Header(number, marker, first, previous, head, start + length)


def encode_payload(records: Iterable[bytes]) -> bytes:
    """Records as a payload."""
    return b"".join([part for record in records for part in (_WORD.pack(len(record)), record)])


def encode_frame(marker: bytes, first: int, previous: bytes, payload: bytes, count: int) -> bytes:
    """A payload of `count` records as a frame."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a batch has at most {MAX_PAYLOAD_BYTES} bytes, not {len(payload)}")
    fields = _FRAME.pack(marker, len(payload), count, first, previous, zlib.crc32(payload))
    return b"".join((fields, _WORD.pack(zlib.crc32(fields)), payload))


def decode_frame(data: bytes, start: int, marker: bytes) -> Frame:
    """The frame at a byte. Raises FlawError."""
    if len(data) < start + FRAME_BYTES:
        raise FlawError(f"a frame is cut short after {len(data) - start} bytes")
    if not _is_frame_header(data, start, marker):
        raise FlawError("the header of a frame is damaged")
    _, length, count, first, previous, expected = _FRAME.unpack_from(data, start)
    payload = data[start + FRAME_BYTES : start + FRAME_BYTES + length]
    if len(payload) < length:
        raise FlawError(f"{length} bytes are cut short after {len(payload)}")
    end = start + FRAME_BYTES + length
    found = zlib.crc32(payload)
    if found != expected:
        reason = f"the checksum of {length} bytes is {found:08x}, expected {expected:08x}"
        digest = chained(previous, payload)
        if _is_frame_header(data, end, marker):
            following = _FRAME.unpack_from(data, end)[4]
            reason += f", their digest {digest.hex()}, expected {following.hex()}"
        raise FlawError(reason)
    return Frame(start, end, first, count, previous, payload)


def split_records(frame: Frame) -> Sequence[bytes]:
    """The records of a frame. Raises FlawError where it does not hold as many as it says."""
    payload, records, offset = frame.payload, [], 0
    while offset + _WORD.size <= len(payload):
        (length,) = _WORD.unpack_from(payload, offset)
        offset += _WORD.size + length
        records.append(payload[offset - length : offset])
    if offset != len(payload) or len(records) != frame.records:
        raise FlawError(f"a frame of {frame.records} records does not hold as many")
    return records


def walked(data: bytes) -> tuple[int, bytes]:
    """How many records there are, and the digest, where a segment ends that is not the last one.

    Raises FlawError where it is not whole from its first byte to its last.
    """
    header = decode_header(data)
    sequence, digest, offset = header.first, header.previous, header.end
    while not is_blank(data, offset):
        frame = decode_frame(data, offset, header.marker)
        if (frame.first, frame.previous) != (sequence, digest):
            raise FlawError(f"the frame at byte {offset} does not go on where the one before ends")
        sequence, digest, offset = sequence + frame.records, frame.digest, frame.end
    return sequence, digest


def frame_after(data: bytes, offset: int, marker: bytes) -> int | None:
    """The byte behind `offset` at which the header of a frame is, if there is any."""
    for start in _finds(data, marker, offset + 1):
        if _is_frame_header(data, start, marker):
            return start
    return None


def is_blank(data: bytes, offset: int) -> bool:
    """Whether there is nothing but zeros from a byte on."""
    return data.count(0, offset) == len(data) - offset


def _finds(data: bytes, part: bytes, start: int) -> Iterator[int]:
    while (start := data.find(part, start)) >= 0:
        yield start
        start += 1


def _is_frame_header(data: bytes, start: int, marker: bytes) -> bool:
    end = start + _FRAME.size
    if data[start : start + len(marker)] != marker or len(data) < end + _WORD.size:
        return False
    (expected,) = _WORD.unpack_from(data, end)
    return zlib.crc32(data[start:end]) == int(expected)
