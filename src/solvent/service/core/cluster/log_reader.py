"""Following a log: frames out of the log or, where that fails, out of another node's journal.

A thread of its own hands frames on and waits until they were looked at. A frame that the log does
not give although it goes on behind it, and one that is damaged there, is asked of the other nodes.
It proves itself as one of the log does, by whoever takes it.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from solvent.cluster.log import Log, LogSilentError

LOG = logging.getLogger("solvent.cluster")
READ_FRAMES = 64
IDLE_SECONDS = 0.01
SILENT_SECONDS = 0.1
"""How long reading waits where there is nothing, and where the log does not answer."""
LOOK_SECONDS = 0.4
"""How often the log's end is asked for: less often than a leader appends."""
Peers = Callable[[int], Sequence[bytes]]
"""Frames from number `sequence` on out of another node's journal, as far as one has them."""


class Heard(NamedTuple):
    """Frames from `first` on, of the log or `is_fetched`; set `taken` when they were looked at."""

    first: int
    frames: Sequence[bytes]
    is_fetched: bool
    taken: threading.Event


class LogReader:
    """Reads from `sequence`, the last frame that was carried out, and hands on to `take`.

    `end` is the number of the log's last frame, as it was when it was last asked for; 0 before.
    """

    def __init__(
        self, log: Log, peers: Peers, sequence: Callable[[], int], take: Callable[[Heard], object]
    ) -> None:
        self.end = 0
        self._log, self._peers = log, peers
        self._sequence, self._take = sequence, take
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._is_ending = False
        self._distrusted = 0
        self._look_at, self._looked_from = 0.0, 0
        self._taken = threading.Event()

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def distrust(self, sequence: int) -> None:
        """The log gives another frame than number `sequence`: ask another node for it."""
        self._distrusted = sequence

    def close(self) -> None:
        """End, once what the log was asked has been answered."""
        self._is_ending = True
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._is_ending:
            first = self._sequence() + 1
            is_fetched = self._distrusted == first or self._is_hole(first)
            # What nobody has is looked for in the log again: it may be mended.
            self._distrusted = 0
            frames = self._peers(first) if is_fetched else self._read(first)
            if frames:
                self._hand_on(Heard(first, frames, is_fetched, self._taken))
            else:
                time.sleep(SILENT_SECONDS if is_fetched else IDLE_SECONDS)

    def _read(self, first: int) -> Sequence[bytes]:
        try:
            return self._log.read(first, READ_FRAMES)
        except LogSilentError as error:
            LOG.info("the log does not answer", extra={"reason": str(error)})
            time.sleep(SILENT_SECONDS)
            return ()

    def _hand_on(self, heard: Heard) -> None:
        self._taken.clear()
        self._take(heard)
        while not self._taken.wait(SILENT_SECONDS) and not self._is_ending:
            pass

    def _is_hole(self, first: int) -> bool:
        """Whether the log is known to go on from `first`, and gave nothing since the last look."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + LOOK_SECONDS
        was_there, self._looked_from = self._looked_from == first, first
        try:
            self.end = self._log.tail()
        except LogSilentError:
            return False
        return was_there and self.end >= first
