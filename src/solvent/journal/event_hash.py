"""The event hash: one digest of everything an engine answered, in order.

Encoded events form one stream of bytes, cut into blocks of 64 KiB whatever the batches were:

    digest <- BLAKE2b(digest || block)            for every full block, from 32 zero bytes
    hash    = BLAKE2b(digest || rest || length)   length: bytes in all, 8 bytes little-endian

Two runs with equal hashes gave equal answers (I35). The state between two updates is a digest, a
length and less than one block, so a snapshot can carry it and the count go on from there.
"""

import hashlib
import struct
from collections.abc import Iterable
from typing import Self

from solvent.domain.event_codec import encode_event
from solvent.domain.events import Event

BLOCK_BYTES = 64 * 1024
DIGEST_BYTES = 32
_HEAD = struct.Struct(f"<{DIGEST_BYTES}sQ")


class EventHasher:
    """The running hash of one stream of events."""

    def __init__(self) -> None:
        self._digest = bytes(DIGEST_BYTES)
        self._length = 0
        self._rest = bytearray()

    def update(self, events: Iterable[Event]) -> None:
        """Add events; how a stream is cut into calls makes no difference."""
        self.update_encoded(b"".join(map(encode_event, events)))

    def update_encoded(self, data: bytes | memoryview) -> None:
        """Add events that are already encoded, back to back."""
        self._rest += data
        self._length += len(data)
        start = 0
        while len(self._rest) - start >= BLOCK_BYTES:
            block = self._rest[start : start + BLOCK_BYTES]
            self._digest = _blake2b(self._digest, block)
            start += BLOCK_BYTES
        del self._rest[:start]

    def hexdigest(self) -> str:
        """The hash of everything so far, 64 hexadecimal digits; more may follow."""
        return _blake2b(self._digest, self._rest, struct.pack("<Q", self._length)).hex()

    def state(self) -> bytes:
        """All that is needed to go on: at most 64 KiB and 40 bytes."""
        return _HEAD.pack(self._digest, self._length) + bytes(self._rest)

    @classmethod
    def from_state(cls, state: bytes) -> Self:
        """The hasher whose `state()` this is. Raises ValueError on bytes that are no state."""
        if len(state) < _HEAD.size:
            raise ValueError(f"an event hash state has at least {_HEAD.size} bytes")
        hasher = cls()
        hasher._digest, hasher._length = _HEAD.unpack_from(state)
        hasher._rest = bytearray(state[_HEAD.size :])
        if len(hasher._rest) != hasher._length % BLOCK_BYTES:
            raise ValueError("the event hash state does not hold the bytes that its length says")
        return hasher


def _blake2b(*parts: bytes | bytearray) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()
