"""The event hash: one digest of everything an engine answered, in order.

Encoded events form one stream of bytes, cut into blocks of 64 KiB whatever the batches were:

    digest <- BLAKE2b(digest || block)            for every full block, from 32 zero bytes
    hash    = BLAKE2b(digest || rest || length)   length: bytes in all, 8 bytes little-endian

Two runs with equal hashes gave equal answers (I35).
"""

import hashlib
import struct
from collections.abc import Iterable

from solvent.domain.codec.events import encode_event
from solvent.domain.events import Event

BLOCK_BYTES = 64 * 1024
DIGEST_BYTES = 32


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


def _blake2b(*parts: bytes | bytearray) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()
