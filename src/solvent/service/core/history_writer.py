"""The views' writer: outcomes go into the views in their order, in a thread of its own.

Views lag behind what is acknowledged: outcomes gather for a moment and are written in one
transaction, which costs far less than one for each batch. Whoever asks for the past says up to
which command he must see it, and then nothing gathers until it is written.

Nothing that the database does reaches the market. Outcomes wait in a store that is bounded: it has
the newest. What fails is tried again from what the database has, with pauses that grow, and what
the store has no longer is told again out of the journal, in which everything is. Views that cannot
be used are made anew, while the market serves. While the views are behind, questions about the past
are refused at once, and readiness and metrics say so.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from solvent.history.market_views import Views
from solvent.history.retention import Keep
from solvent.history.tables.database import DamagedFileError, DatabaseDamagedError, DatabaseError
from solvent.history.tables.memo import Memo
from solvent.journal.durable import JournalError
from solvent.service.core.market import Outcome
from solvent.service.limits import HISTORY_SECONDS, VIEWS_RECORDS

LOG = logging.getLogger("solvent.views")
GATHER_SECONDS = 0.05
"""How long the views let outcomes gather while nobody asks for the past."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds until something is tried again."""
CLOSE_SECONDS = 5.0
"""How long a database may take to be left."""
TOLD_AT_ONCE = 4_096
"""Records of one transaction while the store is written."""
SHARE = 0.5
"""How much of the time the journal may be told again in, while the market serves."""


class ViewsSource(NamedTuple):
    """Where views come from, and where what they lack.

    `open` opens them, or with True makes them anew; it raises InputError. `tell` has every outcome
    from the one of a command on, without an end: an empty list where there is nothing new.
    """

    open: Callable[[bool], Views]
    tell: Callable[[int], Iterator[Sequence[Outcome]]]


class ViewsWriter:
    """Lets outcomes into the views, in their order, in a thread of its own.

    `views` are None while they cannot be had; `keep` says what of the past they keep, None all of
    it. `failures` counts what went wrong, and `rebuilds` how often they were made anew.
    """

    def __init__(
        self,
        views: Views | None,
        source: ViewsSource,
        commands: int,
        keep: Keep | None = None,
    ) -> None:
        self.views = views
        self.lock = threading.Lock()
        self.failures = self.rebuilds = 0
        self.trouble = ""
        self._source = source
        self._keep = keep
        self._store: deque[Outcome] = deque()
        self._changed = threading.Condition()
        self._asking = 0
        self._is_closing = False
        self._is_damaged = False
        self._is_held_up = views is None
        self._applied = 0 if views is None else views.applied
        self._put = commands
        self._since: float | None = time.monotonic() if self._applied < commands else None
        self._thread = threading.Thread(target=self._run, name="views", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, outcomes: Sequence[Outcome]) -> None:
        """Hand outcomes in. Never waits for the database."""
        with self._changed:
            self._store.extend(outcomes)
            while len(self._store) > VIEWS_RECORDS:
                self._store.popleft()
            for outcome in reversed(outcomes):
                if outcome.transcript:
                    self._put = outcome.transcript.end
                    self._since = self._since or time.monotonic()
                    break
            self._changed.notify_all()

    @property
    def follows(self) -> bool:
        """Whether the views have all but what gathers."""
        return not self._is_held_up

    @property
    def lag(self) -> int:
        """How many commands the views lack."""
        return max(0, self._put - self._applied)

    @property
    def lag_seconds(self) -> float:
        """For how long they have lacked some."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def wait_for(self, commands: int) -> bool:
        """Wait until so many commands are in the views; False where that may take long."""
        with self._changed:
            self._asking += 1
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._applied >= commands or bool(self.trouble) or self._is_closing,
                HISTORY_SECONDS,
            )
            self._asking -= 1
            return self._applied >= commands and not self.trouble

    def report_damage(self) -> None:
        """A question found the views not as they were written: make them anew."""
        with self._changed:
            self._is_damaged = self._is_held_up = True
            self._changed.notify_all()

    def close(self) -> None:
        """Finish what waits, or leave it to the next start where the database holds it up."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
            if self._thread.is_alive():
                views = self.views
                if views is not None:
                    views.interrupt()
                self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            LOG.error("the views were left", extra={"reason": "the database does not answer"})
            return
        with self.lock:
            self._leave()

    # In the thread.

    def _run(self) -> None:
        pause, anew = FIRST_PAUSE, False
        while True:
            try:
                self._open(anew)
                anew = False
                if not self._catch_up():
                    return
                pause = FIRST_PAUSE
                if not self._follow():
                    return
            except Exception as error:
                anew = anew or isinstance(error, DamagedFileError | DatabaseDamagedError)
                self._hold_up(error)
                self._rest(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            if self._is_closing and self._is_held_up:
                return

    def _open(self, anew: bool) -> None:
        with self.lock:
            views = None if anew else self.views
            if views is None:
                self._leave()
                views = self.views = self._source.open(anew)
            if views.applied > self._put:
                reason = f"{views.applied:,} commands, of which the journal has {self._put:,}"
                LOG.error("the views are of a longer journal", extra={"reason": reason})
                self._leave()
                views, anew = self._source.open(True), True
                self.views = views
            self.rebuilds += anew
            self._is_damaged = self._is_damaged and not anew
        with self._changed:
            self._applied = views.applied

    def _leave(self) -> None:
        """Close the views, also where they are in a state that nothing can be closed in."""
        views, self.views = self.views, None
        if views is None:
            return
        try:
            views.close()
        except Exception as error:
            LOG.warning("the views could not be closed", extra={"reason": type(error).__name__})

    def _catch_up(self) -> bool:
        """Tell the views out of the journal what the store has no longer; False to end."""
        if self._is_in_store():
            return True
        LOG.warning("the views are told again out of the journal")
        self._is_held_up = True
        for outcomes in self._source.tell(self._applied):
            began = time.monotonic()
            if outcomes:
                self._write(outcomes)
            if self._is_in_store():
                return True
            if self._is_closing:
                return False
            worked = time.monotonic() - began
            self._rest(worked * (1 - SHARE) / SHARE if outcomes else GATHER_SECONDS)
        raise DatabaseError("the journal has ended")

    def _is_in_store(self) -> bool:
        """Whether the store goes on where the views are."""
        with self._changed:
            while self._store and self._store[0].transcript.end <= self._applied:
                self._store.popleft()
            if not self._store:
                return self._applied >= self._put
            return self._store[0].transcript.first <= self._applied

    def _follow(self) -> bool:
        """Write what comes, until the store has it no longer; False to end."""
        while self._is_in_store():
            if self._is_held_up and self._applied >= self._put and not self._is_damaged:
                LOG.warning("the views follow again")
                self._is_held_up, self.trouble = False, ""
            with self._changed:
                self._changed.wait_for(lambda: self._store or self._is_closing or self._is_damaged)
                if self._is_damaged:
                    raise DatabaseDamagedError("a question found damage")
                if not self._store:
                    return False
                self._changed.wait_for(lambda: self._asking or self._is_closing, GATHER_SECONDS)
                outcomes = list(islice(self._store, TOLD_AT_ONCE))
            if outcomes[0].transcript.first <= self._applied:
                self._write(outcomes)
        return True

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        with self.lock:
            views = self.views
            assert views is not None
            try:
                apply_to_views(views, outcomes)
                views.commit()
                if self._keep is not None:
                    views.forget(self._keep)
            except DatabaseError:
                raise
            except Exception as error:
                LOG.exception("the views do not fit what happened")
                raise DatabaseDamagedError(str(error)) from error
        with self._changed:
            self._applied = views.applied
            for outcome in outcomes:
                if not self._store or self._store[0] is not outcome:
                    break
                self._store.popleft()
            self._since = None if self._applied >= self._put else time.monotonic()
            self._changed.notify_all()

    def _hold_up(self, error: Exception) -> None:
        self.failures += 1
        first = self.trouble == ""
        self.trouble = str(error).splitlines()[0] if str(error) else type(error).__name__
        if first:
            said = str(error) if isinstance(error, JournalError) else type(error).__name__
            LOG.error("the views are held up", extra={"reason": said})
        with self._changed:
            self._is_held_up = True
            self._changed.notify_all()
        with self.lock:
            self._leave()

    def _rest(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing, seconds)


def apply_to_views(views: Views, outcomes: Sequence[Outcome]) -> None:
    """Let outcomes into the views that they do not have yet."""
    for outcome in outcomes:
        memo = Memo(*outcome.record.memo) if outcome.record.memo else None
        views.apply(outcome.record.time, outcome.transcript.since(views.applied), memo)
