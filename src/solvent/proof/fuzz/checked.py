"""An engine under check: each part of each command, and every invariant on the way.

What a command does is seen part by part (`passes`); after each the state is checked (`invariants`)
and so is the step that led there (`transitions`). An engine that stops in the middle has broken an
invariant too. Who makes the commands, a seed or a list, is of no concern here.
"""

import struct

from solvent.domain.commands import Command
from solvent.domain.events import Event
from solvent.domain.units import UnitsOverflowError
from solvent.journal.event_hash import EventHasher
from solvent.proof.fuzz.rest import look_ahead
from solvent.proof.invariants.invariants import Breach, check_view
from solvent.proof.invariants.state_view import StateView, view_of
from solvent.proof.invariants.transitions import check_transition
from solvent.proof.passes import parts_of
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import LedgerError

LOOK_EVERY = 50
"""Commands from one look ahead (`rest`) to the next, which costs as much as some commands do."""


class CheckedEngine:
    """An engine, the last view of it that was checked, and what its last command led to.

    `events` are those of the last command, `breaches` what it broke, `stopped` whether it never
    came to its end; `hasher` has all events so far. What follows a breach proves nothing. After
    every `look_every` commands it is asked of a copy whether all who are in the waterfall leave it.
    """

    def __init__(self, engine: ReferenceEngine, look_every: int = LOOK_EVERY) -> None:
        self.engine = engine
        self._look_every = look_every
        self._done = 0
        self.view: StateView | None = None
        self.hasher = EventHasher()
        self.events: tuple[Event, ...] = ()
        self.breaches: list[Breach] = []
        self.stopped = False

    def carry_out(self, command: Command, *, checked: bool = True) -> None:
        """Apply one command, part by part up to the first breach, and check the effect of each."""
        known = self.view
        before = (known or view_of(self.engine.state)) if checked else None
        told: list[Event] = []
        self.breaches = []
        try:
            for part, events in parts_of(self.engine, command):
                self.hasher.update(events)
                told += events
                if before is not None:
                    view = view_of(self.engine.state, before)
                    self.breaches = check_transition(before, view, part, events)
                    if view != before:
                        self.breaches += check_view(view, known)
                    known = before = view
                if self.breaches:
                    break
        except (ArithmeticError, LookupError, AssertionError, ValueError, struct.error) as error:
            self.breaches = [_failure(error)]
            self.stopped = True
        self.view = before
        self.events = tuple(told)
        self._done += 1
        if checked and not self.breaches and self._done % self._look_every == 0:
            self.breaches = look_ahead(self.engine)

    def question_breaches(self) -> list[Breach]:
        """I37: what only asked since the last command that was checked has changed nothing."""
        if self.view is not None and view_of(self.engine.state) != self.view:
            return [Breach("I37", "a question changed the state")]
        return []


def _failure(error: Exception) -> Breach:
    """What an engine that stopped in the middle of a command has broken."""
    sentence = f"the engine stopped: {type(error).__name__}: {error}"
    if isinstance(error, LedgerError):
        return Breach("I4" if "rounding" in str(error) else "I3", sentence)
    wide = isinstance(error, UnitsOverflowError | struct.error)
    return Breach("I1" if wide else "I18", sentence)
