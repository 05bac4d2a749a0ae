"""The smallest market that can show a lost, a doubled and a misplaced command.

An operation is a number that its client never uses twice. The machine answers each with how many
came before it, and one that comes again with its first answer, as a market does.
"""

import struct
from collections.abc import Sequence

_RECORD = struct.Struct("<Q")


def record_of(operation: int) -> bytes:
    """The record of an operation."""
    return _RECORD.pack(operation)


class Machine:
    """What follows from the records of a log."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}

    def carry_out(self, records: Sequence[bytes]) -> None:
        """Let records happen, in order."""
        for record in records:
            (operation,) = _RECORD.unpack(record)
            self.places.setdefault(operation, len(self.places))

    @property
    def count(self) -> int:
        """How many operations there were."""
        return len(self.places)
