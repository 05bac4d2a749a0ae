"""The archiver: what the journal no longer needs leaves for the archive, in a thread of its own.

It is woken by each snapshot. An archive that hangs, is full or is not there delays nothing but
itself: what went wrong is told in the log and counted, and is tried again after the next snapshot.
"""

import logging
import threading

from solvent.journal.durable import Journal, JournalError

LOG = logging.getLogger("solvent.archive")
CLOSE_SECONDS = 5.0
"""How long a move may take to come to its end when the service ends; it may be cut off anywhere."""


class Archiver:
    """Moves segments of a journal that has an archive.

    `failures` counts the moves that were not made to their end, `first` is the journal's first
    record as of the last one that was.
    """

    def __init__(self, journal: Journal) -> None:
        self.failures, self.first = 0, journal.first
        self._journal = journal
        self._due = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)

    def start(self) -> None:
        """Begin, with what former lives left."""
        if self._journal.archive is not None:
            self._due.set()
            self._thread.start()

    def wake(self) -> None:
        """A snapshot was written."""
        self._due.set()

    def close(self) -> None:
        """Let a move that goes on end, but not for long."""
        self._is_closing = True
        self._due.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._is_closing:
                return
            try:
                found = self._journal.move_to_archive()
            except (JournalError, OSError) as error:
                self.failures += 1
                LOG.error("segments cannot be archived", extra={"reason": str(error)})
            else:
                if found.first != self.first:
                    LOG.info("segments were archived", extra={"reason": f"up to {found.first:,}"})
                self.first = found.first
