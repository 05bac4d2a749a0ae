"""Snapshot format: what the bytes of every engine's snapshot have in common.

A snapshot is one row of little-endian signed 64-bit numbers: MAGIC, VERSION, then SECTIONS
sections, each led by its length: parameters, globals, pools, prices with their quotes, accounts,
accounts in liquidation, resting orders, notices of commitments, waiting orders. Standbys are one
section more where anybody has ever been relieved, stands by, or has a doubtful claim; then, where
claims are doubtful, doubts: fractions, and what was taken out of pools. Equal states give equal
bytes, whichever engine wrote them; the state hash is a hash of them.
"""

import hashlib

MAGIC = 0x544E_4556_4C4F_53
VERSION = 5
SECTIONS = 9
MOST_SECTIONS = 11
"""With those of standbys and doubts."""


class SnapshotError(ValueError):
    """Bytes are no snapshot of this version."""


def split_sections(row: tuple[int, ...]) -> list[list[int]]:
    """The sections of a snapshot's row. Raises SnapshotError on another version or a cut row."""
    if row[:2] != (MAGIC, VERSION):
        raise SnapshotError("these bytes are no snapshot of this version")
    sections = []
    place = 2
    while place < len(row):
        length = row[place]
        section = list(row[place + 1 : place + 1 + length])
        if length < 0 or len(section) != length:
            raise SnapshotError("the snapshot is cut short")
        sections.append(section)
        place += 1 + length
    if not SECTIONS <= len(sections) <= MOST_SECTIONS:
        raise SnapshotError(f"the snapshot has {len(sections)} sections, not {SECTIONS}")
    return sections


def state_hash(snapshot: bytes) -> str:
    """BLAKE2b of a snapshot, 32 bytes in hexadecimal."""
    return hashlib.blake2b(snapshot, digest_size=32).hexdigest()
