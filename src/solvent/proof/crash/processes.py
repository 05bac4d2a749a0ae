"""Processes: one market, process after process, each started, questioned and killed.

When a process is killed is drawn: while it opens, at some moment under load, at the very moment of
an answer, in the middle of a snapshot, or while it closes. After every restart, before a client
asks for more, the market is inspected.
"""

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import Self

from solvent.domain.parameters import EngineParameters
from solvent.journal.durable import verify
from solvent.journal.snapshots import TEMPORARY
from solvent.proof.audit.markets import audit_market
from solvent.proof.crash.cast import Cast
from solvent.proof.crash.client import PATIENCE, Tally
from solvent.proof.crash.ending import compare_journal, compare_views
from solvent.proof.crash.inspection import InspectionError, Reader
from solvent.proof.crash.process import ARCHIVE, LOG, Launch
from solvent.proof.crash.result import CrashTest, Difference
from solvent.proof.crash.signed import public_key
from solvent.proof.crash.staff import MARKET, STAFF
from solvent.service.authority.model import Terms
from solvent.service.core.node import wall_clock
from solvent.service.core.opening import JOURNAL, Start

WORKING_SECONDS = 0.1
CLOSING_SECONDS = 0.02
POLL_SECONDS = 0.0002
CHANGE_SECONDS = 0.05
ANSWERS = 40
LAST_STEPS = 5
SNAPSHOTS = (3, 40, 10**6)
"""Every how many records a launch writes a snapshot; the least where it is killed in one."""

Serve = Callable[[Launch, Connection], None]


class Moment(Enum):
    """When a launch is killed."""

    OPENING = auto()
    WORKING = auto()
    ANSWER = auto()
    SNAPSHOT = auto()
    CLOSING = auto()


_WEIGHTS = {
    Moment.OPENING: 15,
    Moment.WORKING: 30,
    Moment.ANSWER: 25,
    Moment.SNAPSHOT: 20,
    Moment.CLOSING: 10,
}


class _Answers:
    """Calls something at the very moment of an answer, in the thread that got it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0
        self._then: Callable[[], None] | None = None

    def arm(self, answers: int, then: Callable[[], None] | None) -> None:
        """Call `then` at this answer, counted from now on."""
        with self._lock:
            self._left, self._then = answers, then

    def __call__(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0 and self._then is not None:
                self._then()


class Trial:
    """The processes of one market in a folder of its own. What is counted goes into `result`."""

    def __init__(
        self,
        folder: Path,
        parameters: EngineParameters,
        rng: Random,
        serve: Serve,
        result: CrashTest,
    ) -> None:
        self._folder = folder
        self._rng = rng
        self._serve = serve
        self._result = result
        free = replace(parameters, start_time=wall_clock(), maker_fee=0, taker_fee=0)
        keys = [(role, public_key(name)) for name, role in STAFF.items()]
        terms = Terms(approvals=2, delay=0, funding=None)
        self._start = Start(free, terms, keys, MARKET)
        self._answers = _Answers()
        self._cast = Cast(parameters, rng, self._answers)
        self._clients, self._listener = self._cast.clients, self._cast.listener
        self._opening_seconds = 0.2
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["__main__", "solvent.proof.crash.preload"])
        self._threads = ThreadPoolExecutor(len(self._clients) + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()

    # Trial.

    def begin(self) -> None:
        """Be killed while there is nothing yet, then give every client what it needs."""
        self._be_killed_at(Moment.OPENING)
        with self._process(SNAPSHOTS[-1]) as (process, pipe):
            port = self._open(process, pipe)
            if port is not None:
                self._cast.operator.work(port, self._cast.set_up)
                self._leave(process)

    def be_killed(self) -> None:
        """One launch and its kill."""
        (moment,) = self._rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        self._be_killed_at(moment)

    def end(self) -> None:
        """A last launch, which ends when it is told to; then the whole of it is audited."""
        with self._process(SNAPSHOTS[-1]) as (process, pipe):
            port = self._open(process, pipe)
            if port is not None and self._inspect(port):
                listening = self._threads.submit(self._listener.listen, port)
                self._listener.follows.wait(PATIENCE)
                for client in (self._cast.oracle, *self._clients):
                    client.work(port, client.step + LAST_STEPS)
                self._inspect(port)
                self._await_changes(port)
                self._listener.compare(port)
                self._leave(process)
                listening.result()
                self._hear_out()
        if self._result.is_good:
            self._audit()

    def _be_killed_at(self, moment: Moment) -> None:
        every = SNAPSHOTS[0] if moment is Moment.SNAPSHOT else self._rng.choice(SNAPSHOTS)
        result = self._result
        with self._process(every) as (process, pipe):
            if moment is Moment.OPENING:
                time.sleep(1.2 * self._rng.random() * self._opening_seconds)
                process.kill()
                result.opening += _said(pipe) is None
            else:
                port = self._open(process, pipe)
                if port is None or not self._inspect(port):
                    return
                self._be_killed_at_work(moment, process, port)
                result.closing += moment is Moment.CLOSING
                result.in_snapshot += self._is_in_snapshot
            process.join(PATIENCE)
            is_right = process.exitcode == -signal.SIGKILL
            if not (is_right or (moment is Moment.CLOSING and process.exitcode == 0)):
                self._note(f"a launch ended by itself, with exit code {process.exitcode}")
            result.kills += 1

    def _be_killed_at_work(self, moment: Moment, process: ForkServerProcess, port: int) -> None:
        oracle = self._cast.oracle
        oracle.work(port, oracle.step + 1)
        answers = self._rng.randint(1, ANSWERS)
        self._answers.arm(answers, process.kill if moment is Moment.ANSWER else None)
        working = [self._threads.submit(client.work, port) for client in self._clients]
        working.append(self._threads.submit(self._listener.listen, port))
        if moment is Moment.ANSWER:
            wait(working, PATIENCE)
        elif moment is Moment.SNAPSHOT:
            self._await_snapshot(time.monotonic() + 2 * WORKING_SECONDS)
        else:
            time.sleep(self._rng.random() * WORKING_SECONDS)
        if moment is Moment.CLOSING:
            process.terminate()
            time.sleep(self._rng.random() * CLOSING_SECONDS)
        process.kill()
        for each in working:
            each.result()
        self._gather()

    def _await_snapshot(self, until: float) -> None:
        while not self._is_in_snapshot and time.monotonic() < until:
            time.sleep(POLL_SECONDS)

    @property
    def _is_in_snapshot(self) -> bool:
        return (self._folder / JOURNAL / TEMPORARY).exists()

    @contextmanager
    def _process(self, snapshot_every: int) -> Iterator[tuple[ForkServerProcess, Connection]]:
        """A process, which is dead afterwards, and a pipe from it."""
        ours, theirs = self._context.Pipe()
        launch = Launch(self._folder, self._start, snapshot_every)
        process = self._context.Process(target=self._serve, args=(launch, theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            yield process, ours
        finally:
            process.kill()
            process.join()
            process.close()
            ours.close()

    def _open(self, process: ForkServerProcess, pipe: Connection) -> int | None:
        """Where a launch serves; None, with a problem noted, where it does not."""
        started = time.monotonic()
        port = _said(pipe)
        self._opening_seconds = time.monotonic() - started
        if port is None:
            process.join(1.0)
            self._note(f"a launch does not open; its exit code is {process.exitcode}")
        return port

    def _leave(self, process: ForkServerProcess) -> None:
        """Tell a launch to end, and let it."""
        process.terminate()
        process.join(PATIENCE)
        if process.exitcode != 0:
            self._note(f"a launch that was told to end has exit code {process.exitcode}")
        self._gather()

    # What must be.

    def _inspect(self, port: int) -> bool:
        """Whether the market is as it must be; clients learn what became of what they asked for."""
        try:
            self._cast.compare(port, self._threads, self._result.note)
        except InspectionError as error:
            self._note(str(error))
            return False
        return self._result.is_good

    def _await_changes(self, port: int) -> None:
        """Wait until every approved change is made."""
        reader, until = Reader(port, {}), time.monotonic() + PATIENCE
        while any(reader.proposals().values()):
            if time.monotonic() > until:
                self._note("an approved change is not made")
                return
            time.sleep(CHANGE_SECONDS)

    def _gather(self) -> None:
        """Add up what the clients tell."""
        result = self._result
        for client in self._clients:
            result.acknowledged += client.tally.acknowledged
            result.repeated += client.tally.repeated
            result.unanswered += client.tally.unanswered
            result.unanswered_done += client.tally.unanswered_done
            client.tally = Tally()
            if client.problem is not None:
                self._note(client.problem)
        if self._listener.problem is not None:
            self._note(self._listener.problem)

    def _hear_out(self) -> None:
        """Add up what a market's life had besides."""
        self._result.told += self._listener.told
        self._result.missed += self._listener.missed
        self._result.fired += self._cast.fired
        self._result.rotated += self._cast.rotated
        if self._listener.problem is not None:
            self._note(self._listener.problem)

    def _audit(self) -> None:
        for client in self._clients:
            if client.pending is not None:
                self._note(f"a market that ended left a request unanswered: {client.pending.plan}")
        archive = self._folder / ARCHIVE
        audited = audit_market(self._folder / JOURNAL, archive=archive)
        self._result.records += audited.records
        self._result.archived += verify(self._folder / JOURNAL).first
        self._result.commands += audited.commands
        self._result.state_hash = audited.state_hash
        if audited.problem is not None:
            self._note(audited.problem)
            return
        for difference in (
            *compare_journal(self._folder, archive, self._clients),
            *compare_views(self._folder, archive),
        ):
            self._result.note(difference)

    def _note(self, text: str) -> None:
        self._result.note(Difference(f"{text}; see {self._folder / LOG}"))


def _said(pipe: Connection) -> int | None:
    """What a launch says when it serves, or None when it ends first or does not come to it."""
    try:
        return int(pipe.recv()) if pipe.poll(PATIENCE) else None
    except (EOFError, ConnectionResetError):
        return None
