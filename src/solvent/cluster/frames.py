"""Frames of a cluster's log: records, who wrote them under which epoch, and the frame before.

    frame    digest 32, body (MessagePack: version, epoch, node, number, previous, records)
    digest   BLAKE2b(body); `previous` is the digest of the frame before, at first of the market

A frame so proves itself whole and names all that came before it: a flipped bit, and a frame that is
missing, doubled or from elsewhere, is seen by whoever reads it.
"""

import hashlib
from typing import NamedTuple

import msgspec

VERSION = 1
"""The form in which a node writes frames. It reads this and all before; of a later one it stops."""
DIGEST_BYTES = 32


LEAVES = -1
"""The number of a frame by which who leads says that it leads no more; it has no records."""


class FrameError(Exception):
    """Bytes that are no frame, or not the one that should stand here. One line."""


class FrameVersionError(FrameError):
    """A frame of a later form than this release reads. One line, with the remedy."""


class _Form(msgspec.Struct, array_like=True, frozen=True):
    """What every form of a frame begins with."""

    version: int


class Frame(msgspec.Struct, array_like=True, frozen=True):
    """Records that `node` wrote in `epoch`; `number` counts its frames of that epoch from 0.

    Number 0 begins the epoch and has no records; `LEAVES` ends it.
    """

    version: int
    epoch: int
    node: int
    number: int
    previous: bytes
    records: tuple[bytes, ...] = ()


class Position(NamedTuple):
    """How far a log is known: the last frame's number and digest, and the highest epoch."""

    sequence: int
    epoch: int
    digest: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Frame)
_FORMS = msgspec.msgpack.Decoder(_Form)


def beginning(market: bytes) -> Position:
    """Where the log of a market begins; `market` are bytes that only this market has."""
    return Position(0, 0, _digest(market))


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame."""
    body = _ENCODER.encode(frame)
    return _digest(body) + body


def digest_of(data: bytes) -> bytes:
    """The digest that a frame's bytes begin with."""
    return data[:DIGEST_BYTES]


def is_whole(data: bytes) -> bool:
    """Whether these are the bytes of some frame, as they were written."""
    return _digest(data[DIGEST_BYTES:]) == data[:DIGEST_BYTES]


def decode_frame(data: bytes, previous: bytes) -> Frame:
    """The frame of these bytes, which must follow the one with digest `previous`.

    Raises FrameError, and FrameVersionError for one of a later release.
    """
    if not is_whole(data):
        raise FrameError("the frame is damaged: its digest is another")
    try:
        version = _FORMS.decode(data[DIGEST_BYTES:]).version
        if version > VERSION:
            raise FrameVersionError(
                f"the frame has form {version}, and this release reads forms up to {VERSION}: "
                "install the release that the node which leads runs, and start this node again"
            )
        frame = _DECODER.decode(data[DIGEST_BYTES:])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise FrameError(f"the frame cannot be read: {error}") from error
    if frame.previous != previous:
        raise FrameError("the frame does not follow the one before it")
    return frame


def requests_of(data: bytes) -> tuple[bytes, ...]:
    """The records of a frame that was taken before."""
    return _DECODER.decode(data[DIGEST_BYTES:]).records


def epoch_of(data: bytes) -> int:
    """The epoch of a frame that was taken before."""
    return _DECODER.decode(data[DIGEST_BYTES:]).epoch


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest()
