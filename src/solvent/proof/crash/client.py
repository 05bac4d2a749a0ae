"""A client: asks on and on, keeps what was answered, repeats what was not.

It lives in a thread of the process that kills, and works until the connection breaks. Whatever it
was told it holds against the market for ever after: what is repeated must be answered with the same
bytes as the first time.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from random import Random

from solvent.proof.crash.process import LOOPBACK
from solvent.proof.crash.script import Plan, Script
from solvent.proof.crash.signed import Request, now_ms, public_key, send, signed
from solvent.service.core.idempotency import Answer

PATIENCE = 60.0
"""Seconds until something that should happen has failed."""
KEPT = 20
"""How many answers are kept to be compared with those to repetitions."""
MARGIN_MS = 10_000
"""A request so close to its expiry is not repeated: it might expire on the way."""
OK, UNAVAILABLE = 200, 503
REHEARSED = b"the change is being rehearsed"
REHEARSED_SECONDS = 0.02
"""What is answered to an approval that comes before the rehearsal, and when it is asked again."""


class ClosingError(Exception):
    """The market takes nothing in any more."""


@dataclass
class Pending:
    """A step that was not answered, under the signature that it was asked with.

    `is_done` is what was seen after a restart: it had been carried out all the same.
    `is_fresh` says that it was asked after that was seen.
    """

    plan: Plan
    request: Request
    is_done: bool = False
    is_fresh: bool = True


@dataclass
class Tally:
    """What happened to a client's requests."""

    acknowledged: int = 0
    repeated: int = 0
    unanswered: int = 0
    unanswered_done: int = 0


class Client:
    """Plays a script. `on_answer` is called in its thread when a step was answered."""

    def __init__(self, script: Script, rng: Random, on_answer: Callable[[], None]) -> None:
        self.script = script
        self.step = 0
        self.pending: Pending | None = None
        self.tally = Tally()
        self.problem: str | None = None
        self._rng = rng
        self._on_answer = on_answer
        self._past: deque[tuple[Request, Answer]] = deque(maxlen=KEPT)

    def work(self, port: int, until: int | None = None) -> None:
        """Repeat, then go on until the connection breaks or so many steps are done."""
        connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
        try:
            connection.connect()
            self._resume(connection)
            self._repeat(connection)
            while self.problem is None and (until is None or self.step < until):
                plan = self.script.plan(self.step)
                self.pending = Pending(plan, signed(plan.name, plan.ask))
                self._settle([(self.pending.request, self._ask(connection, self.pending.request))])
        except (OSError, HTTPException, ClosingError):
            return
        finally:
            connection.close()

    def seen(self, *, is_done: bool) -> None:
        """What became of the pending step, as it shows in the market after a restart."""
        assert self.pending is not None
        if self.pending.is_fresh:
            self.tally.unanswered += 1
            self.tally.unanswered_done += is_done and not self.pending.is_done
        self.pending.is_done = is_done
        self.pending.is_fresh = False

    def _resume(self, connection: HTTPConnection) -> None:
        """Ask again for what was not answered."""
        pending = self.pending
        if pending is None:
            return
        plan = pending.plan
        if _is_old(pending.request) or plan.retires:
            if pending.is_done:
                self._retire(plan)
                self.step, self.pending = self.step + 1, None
                return
            pending.request = signed(plan.name, plan.ask)
        forms = [pending.request]
        if plan.is_order:
            forms.append(signed(plan.name, plan.ask))
            self._rng.shuffle(forms)
        pending.is_fresh = True
        self.tally.repeated += len(forms)
        self._settle([(form, self._ask(connection, form)) for form in forms])

    def _repeat(self, connection: HTTPConnection) -> None:
        """Ask again for the last thing that was answered, and for an earlier one."""
        if not self._past:
            return
        for request, first in (self._past[-1], self._rng.choice(self._past)):
            if not _is_old(request):
                answer = self._ask(connection, request)
                self.tally.repeated += 1
                if answer != first:
                    self._fail(f"{request.method} {request.target}", answer, f"not {first}")

    def _settle(self, answered: list[tuple[Request, Answer]]) -> None:
        """Take the answer to the pending step, which every form of it must get."""
        assert self.pending is not None
        plan = self.pending.plan
        first = answered[0][1]
        for _, answer in answered:
            is_right = answer.status == OK and plan.says in answer.body
            if not is_right or b'"Err"' in answer.body or answer != first:
                self._fail(f"{plan.ops}", answer, f"not {plan.says!r} like {first}")
                return
        if plan.retires:
            self._retire(plan)
        else:
            self._past += answered
        self.tally.acknowledged += 1
        self.step, self.pending = self.step + 1, None
        self._on_answer()

    def _retire(self, plan: Plan) -> None:
        """Keep no request whose key acts no more."""
        if plan.retires:
            gone = public_key(plan.name)
            kept = [each for each in self._past if each[0].headers["X-API-Key"] != gone]
            self._past = deque(kept, maxlen=KEPT)

    def _ask(self, connection: HTTPConnection, request: Request) -> Answer:
        """The answer; an approval that comes before its rehearsal is over is asked again."""
        until = time.monotonic() + PATIENCE
        while True:
            answer, _ = send(connection, request)
            if answer.status == UNAVAILABLE:
                raise ClosingError
            if REHEARSED not in answer.body or time.monotonic() > until:
                return answer
            time.sleep(REHEARSED_SECONDS)

    def _fail(self, what: str, answer: Answer, instead: str) -> None:
        self.problem = f"step {self.step}, {what}: the answer is {answer}, {instead}"


def _is_old(request: Request) -> bool:
    return now_ms() > request.expires_ms - MARGIN_MS
