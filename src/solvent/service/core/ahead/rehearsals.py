"""Rehearsals of a served market: what a proposed change would do, and then what it did.

A change that is proposed is tried on a copy of the book, in a process apart, and what was found is
put beside the proposal by a record of the journal, before anybody approves it. Just before the
change is made the book is copied again, and what the change did to it at once is put there, too.
The writer is held only while the book is written out.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import NamedTuple

from solvent.foresight.rehearsal import HOURS, Rehearsal, decode_rehearsal
from solvent.service.authority.acts import (
    AttachEffect,
    AttachRehearsal,
    ChangeParameter,
    encode_act,
)
from solvent.service.authority.proposals import Proposal
from solvent.service.core.ahead.apart import Apart, ApartError
from solvent.service.core.ahead.tasks import AT_ONCE, REHEARSE
from solvent.service.core.market import Outcome
from solvent.service.core.records import Record, RecordKind
from solvent.service.core.sequencer import (
    AskAgainError,
    QueueFullError,
    Sequencer,
    WriterStoppedError,
)
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import QUESTIONS, REHEARSAL_SECONDS, REHEARSAL_WAIT_SECONDS

LOG = logging.getLogger("solvent.rehearsals")
LOOK_SECONDS = 0.05
_UNAVAILABLE = 503


class _Made(NamedTuple):
    """A proposal that is made, and the book just before."""

    proposal: Proposal
    state: bytes


class Rehearsals:
    """Rehearses what is proposed to a sequencer's market; `clock` gives the time of its records."""

    def __init__(self, sequencer: Sequencer, clock: Callable[[], int]) -> None:
        self._sequencer = sequencer
        self._clock = clock
        self._apart = Apart(REHEARSAL_SECONDS)
        self._queue: SimpleQueue[int | _Made | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rehearsals", daemon=True)
        self._is_closing = False
        self._waiting = 0
        sequencer.market.before_change = self._copy

    def start(self) -> None:
        """Begin, with what a former life left without a rehearsal."""
        for number in sorted(self._sequencer.market.desk.waiting):
            self._queue.put(number)
        self._thread.start()

    def close(self) -> None:
        """End; what is being rehearsed is rehearsed again by the next life."""
        self._is_closing = True
        self._queue.put(None)
        self._apart.close()
        if self._thread.ident is not None:
            self._thread.join()

    def hear(self, outcomes: Sequence[Outcome]) -> None:
        """In the writer's thread: note what was proposed."""
        for outcome in outcomes:
            entry = outcome.entry
            if entry is not None and entry.proposal and entry.act == ChangeParameter.__name__:
                self._queue.put(entry.proposal)

    async def wait_for(self, proposal: int) -> None:
        """Wait until a proposal has its rehearsal beside it, though not for long."""
        desk = self._sequencer.market.desk
        left = round(REHEARSAL_WAIT_SECONDS / LOOK_SECONDS)
        while left and not self._is_closing and desk.lacks_rehearsal(proposal):
            await asyncio.sleep(LOOK_SECONDS)
            left -= 1

    async def tried(self, change: bytes, hours: int) -> Rehearsal:
        """A rehearsal of an encoded change that nobody proposed yet."""
        if self._waiting >= QUESTIONS:
            raise ApiError(
                _UNAVAILABLE,
                ApiErrorCode.TOO_MANY_REQUESTS,
                "too many rehearsals wait: try again later",
                retry_after=1,
            )
        self._waiting += 1
        try:
            return decode_rehearsal(await asyncio.to_thread(self._rehearsed, change, hours))
        except ApartError as error:
            raise ApiError(
                _UNAVAILABLE, ApiErrorCode.SERVER_ERROR, f"the change was not rehearsed: {error}"
            ) from None
        finally:
            self._waiting -= 1

    def _copy(self, proposal: Proposal) -> None:
        """In the writer's thread: the book just before a change is made."""
        if proposal.rehearsal.document and self._thread.is_alive():
            self._queue.put(_Made(proposal, self._sequencer.market.engine.snapshot()))

    # In the thread.

    def _run(self) -> None:
        while (job := self._queue.get()) is not None and not self._is_closing:
            act = self._effect(job) if isinstance(job, _Made) else self._rehearsal(job)
            if act is not None:
                self._note(act)

    def _note(self, act: AttachRehearsal | AttachEffect) -> None:
        """Put what was found beside its proposal; in a cluster whoever leads does, sooner or later.

        One that follows waits until it is there, or leads itself.
        """
        body = encode_act(act)
        while not self._is_closing and self._lacks(act):
            try:
                self._sequencer.submit(Record(RecordKind.ACT, self._clock(), body=body)).result()
                return
            except AskAgainError:
                time.sleep(LOOK_SECONDS)
            except (QueueFullError, WriterStoppedError) as error:
                LOG.warning("a rehearsal was not noted", extra={"reason": str(error)})
                return

    def _lacks(self, act: AttachRehearsal | AttachEffect) -> bool:
        desk = self._sequencer.market.desk
        if isinstance(act, AttachRehearsal):
            return desk.lacks_rehearsal(act.proposal)
        proposal = desk.find(act.proposal)
        return proposal is not None and not proposal.effect

    def _rehearsal(self, number: int) -> AttachRehearsal | None:
        desk = self._sequencer.market.desk
        proposal = desk.find(number)
        if proposal is None or not desk.lacks_rehearsal(number):
            return None
        try:
            return AttachRehearsal(number, self._rehearsed(_command(proposal), HOURS))
        except ApartError as error:
            return AttachRehearsal(number, b"", str(error))

    def _rehearsed(self, command: bytes, hours: int) -> bytes:
        with self._sequencer.lock:
            state = self._sequencer.market.engine.snapshot()
        return self._apart.ask(REHEARSE, state, command, str(hours).encode())

    def _effect(self, made: _Made) -> AttachEffect:
        number = made.proposal.number
        try:
            found = self._apart.ask(AT_ONCE, made.state, _command(made.proposal))
        except ApartError as error:
            return AttachEffect(number, b"", str(error))
        return AttachEffect(number, found)


def _command(proposal: Proposal) -> bytes:
    act = proposal.decoded
    assert isinstance(act, ChangeParameter)
    return act.command
