"""What can be wrong with a journal, each as one line that names the file and the place in it.

A journal that is in use or damaged refuses to open; one whose disk failed it takes nothing more.
None of these is a ValueError: a failed write must not pass for bad input.
"""

import shlex
from pathlib import Path


class JournalError(Exception):
    """A journal cannot be used as asked. `str(error)` is one line, ready to be shown."""

    def __init__(self, file: Path, place: str, reason: str) -> None:
        """Keep the parts: the file, the byte or other place in it, and what is wrong there."""
        super().__init__(file, place, reason)
        self.file = file
        self.place = place
        self.reason = reason

    def __str__(self) -> str:
        """`FILE: PLACE: reason` on one line."""
        return " ".join(f"{self.file}: {self.place}: {self.reason}".split())


class JournalLockedError(JournalError):
    """Another process, or another journal of this one, has the folder open."""


class JournalDamageError(JournalError):
    """The bytes are not as they were written.

    `sequence` is the number of good records before the damage: what `truncate_at` has to be to give
    up everything from there on; None where nothing can be saved by that.
    """

    def __init__(self, file: Path, place: str, reason: str, sequence: int | None = None) -> None:
        """Keep the parts and say what can be done."""
        way = "restore the file from a copy"
        if sequence is not None:
            call = f"solvent truncate {shlex.quote(str(file.parent.parent))} --at {sequence}"
            way += f", or give up record {sequence} and all after it: {call}"
        super().__init__(file, place, f"{reason}; {way}")
        self.sequence = sequence


class JournalFailedError(JournalError):
    """A write or sync failed or was cut short; every later call raises this too.

    What was acknowledged is on the disk; the batch in hand is there whole or not at all, which only
    opening the journal again can tell.
    """
