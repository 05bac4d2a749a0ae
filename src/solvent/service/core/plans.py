"""Plans: which commands are to be carried out for a record, at its place in the log.

A record that came before does nothing; of a batch, orders whose client id was used are left out
(`idempotency`); an intent becomes commands (`intents`), and so does an act where the desk agrees
(`authority.desk`); what a key signed that was removed meanwhile is refused. Records of a turn are
planned together and carried out together, as far as they can be: where a plan depends on what an
earlier record of the turn leads to, the earlier ones are carried out first (`depends_on_plans`), so
that the same follows whatever the turns are in which records come.
"""

from collections.abc import Hashable, Mapping, Set
from typing import NamedTuple, Protocol

from solvent.domain.codec.commands import EncodedCommands
from solvent.service.authority.acts import decode_act
from solvent.service.authority.desk import Desk, Step
from solvent.service.core.idempotency import (
    Answer,
    FirstAnswers,
    error_answer,
    names_of,
    repeated,
)
from solvent.service.core.intents import State, decode_intent
from solvent.service.core.keys import KeyRegistry
from solvent.service.core.records import NOBODY, Record, RecordKind
from solvent.service.errors import ApiError, ApiErrorCode

_NOTHING = EncodedCommands(b"")
_ALONE = frozenset({RecordKind.CHECK, RecordKind.ACT})
"""What follows records of these kinds has to wait until they have happened."""


_MAY_NOT_ACT = error_answer(ApiError(401, ApiErrorCode.UNAUTHORIZED, "The key may not act"))


class PlanState(State, Protocol):
    """The part of a market by which records are planned."""

    keys: KeyRegistry
    desk: Desk


class Plan(NamedTuple):
    """What is to be done for a record.

    `step` is what an act comes to, or the error that it is refused with; `first` is the answer to
    all of it where that is known; `skipped` the answers to items of a batch that are not carried
    out, by their places.
    """

    record: Record
    commands: EncodedCommands
    step: Step | ApiError | None = None
    first: Answer | None = None
    skipped: Mapping[int, Answer] = {}


class Request(NamedTuple):
    """A record read: its commands, and all by which it or its orders may be known again."""

    record: Record
    commands: EncodedCommands
    names: Set[Hashable]


def read(record: Record) -> Request:
    """A record's commands and names. Raises RecordError."""
    commands = record.decoded
    return Request(record, commands, names_of(record, commands))


class Planner:
    """Plans of records that come one after another."""

    def __init__(self, answers: FirstAnswers, state: PlanState) -> None:
        self._answers = answers
        self._state = state
        self._plans: list[Plan] = []
        self._names: set[Hashable] = set()

    def depends_on_plans(self, request: Request) -> bool:
        """Whether what was planned has to happen before the request can be planned."""
        if not self._plans:
            return False
        if request.record.kind != RecordKind.COMMANDS or self._plans[-1].record.kind in _ALONE:
            return True
        return self._answers.uses(request.names) or not self._names.isdisjoint(request.names)

    def plan(self, request: Request) -> None:
        """Add a request."""
        self._names |= request.names
        self._plans.append(self._plan(request))

    def take(self) -> list[Plan]:
        """What was planned since the last time."""
        plans, self._plans = self._plans, []
        self._names.clear()
        return plans

    def _plan(self, request: Request) -> Plan:
        record, commands, names = request
        if record.kind == RecordKind.ACT:
            return self._first(record) or self._decided(record)
        if not names and record.kind != RecordKind.INTENT:
            return Plan(record, commands)
        known = self._first(record) or self._of_nobody(record)
        if known is not None:
            return known
        if record.kind == RecordKind.INTENT:
            return self._resolved(record)
        return self._without_repeated(record, commands)

    def _first(self, record: Record) -> Plan | None:
        """Nothing, for a record that came before."""
        first = self._answers.find(record.digest) if record.digest else None
        return None if first is None else Plan(record, _NOTHING, first=first)

    def _of_nobody(self, record: Record) -> Plan | None:
        """Nothing, for a record of a key that was removed, or moved, since it signed."""
        if record.actor == NOBODY:
            return None
        person = self._state.keys.by_number(record.actor)
        if person is not None and person.account == record.account:
            return None
        return Plan(record, _NOTHING, first=_MAY_NOT_ACT)

    def _decided(self, record: Record) -> Plan:
        act = decode_act(record.body)
        try:
            step = self._state.desk.plan(record.time, record.actor, act, self._state)
        except ApiError as error:
            return Plan(record, _NOTHING, error)
        return Plan(record, EncodedCommands.of(step.commands), step)

    def _resolved(self, record: Record) -> Plan:
        intent = decode_intent(record.body)
        try:
            commands = intent.resolve(record.account, self._state)
        except ApiError as error:
            return Plan(record, _NOTHING, first=error_answer(error))
        return Plan(record, EncodedCommands.of(commands))

    def _without_repeated(self, record: Record, commands: EncodedCommands) -> Plan:
        skipped = dict(repeated(self._answers, commands))
        if not skipped:
            return Plan(record, commands)
        if not record.is_batch:
            return Plan(record, _NOTHING, first=skipped[0])
        left = [command for place, command in enumerate(commands) if place not in skipped]
        return Plan(record, EncodedCommands.of(left), skipped=skipped)
