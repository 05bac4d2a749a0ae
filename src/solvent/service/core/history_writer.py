"""The views' writer: outcomes go into the views in their order, in a thread of its own.

Views lag behind what is acknowledged: outcomes gather for a moment and are written in one
transaction, which costs far less than one for each batch. Whoever asks for the past says up to
which command he must see it, and then nothing gathers until it is written.
"""

import logging
import queue
import threading
from collections.abc import Sequence

from solvent.history.market_views import Views
from solvent.history.tables.memo import Memo
from solvent.service.core.market import Outcome
from solvent.service.limits import ANSWER_SECONDS, VIEWS_QUEUE

LOG = logging.getLogger("solvent.views")
GATHER_SECONDS = 0.05
"""How long the views let outcomes gather while nobody asks for the past."""


class ViewsWriter:
    """Lets outcomes into the views, in their order, in a thread of its own."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.lock = threading.Lock()
        self._queue: queue.Queue[Sequence[Outcome] | None] = queue.Queue(VIEWS_QUEUE)
        self._is_wanted = threading.Event()
        self._asking = 0
        self._changed = threading.Condition()
        self._applied = views.applied
        self._thread = threading.Thread(target=self._run, name="views", daemon=True)
        self.failed: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, outcomes: Sequence[Outcome]) -> None:
        """Hand outcomes in; waits when too many wait already."""
        self._queue.put(outcomes)

    def wait_for(self, commands: int) -> None:
        """Wait until so many commands are in the views."""
        with self._changed:
            self._asking += 1
            self._is_wanted.set()
            self._changed.wait_for(
                lambda: self._applied >= commands or self.failed is not None, ANSWER_SECONDS
            )
            self._asking -= 1
            if not self._asking:
                self._is_wanted.clear()

    def close(self) -> None:
        """Finish what waits."""
        self._queue.put(None)
        with self._changed:
            self._asking += 1
            self._is_wanted.set()
        if self._thread.is_alive():
            self._thread.join()
        with self.lock:
            self.views.close()

    def _run(self) -> None:
        while (outcomes := self._queue.get()) is not None:
            if self.failed is not None:
                continue
            self._is_wanted.wait(GATHER_SECONDS)
            groups = [outcomes]
            while not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    self._queue.put(None)
                    break
                groups.append(more)
            try:
                with self.lock:
                    for group in groups:
                        apply_to_views(self.views, group)
                    self.views.commit()
            except Exception as error:
                LOG.exception("the views stopped")
                self.failed = error
            with self._changed:
                self._applied = self.views.applied
                self._changed.notify_all()


def apply_to_views(views: Views, outcomes: Sequence[Outcome]) -> None:
    """Let outcomes into the views that they do not have yet."""
    for outcome in outcomes:
        memo = Memo(*outcome.record.memo) if outcome.record.memo else None
        views.apply(outcome.record.time, outcome.transcript.since(views.applied), memo)
