"""The market: everything that follows from the journal's records, and nothing else.

Engine, open orders, first answers, keys and the desk of acts move together, record by record, and
are saved and restored together. There is no clock, no disk and no client in here: the sequencer
hands in records that are durable and takes outcomes out. Whatever the batches are in which records
come, the same follows from them.

What a record comes to is decided here, where order is certain: whether it came before, and which
commands its intent means (`plans`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from solvent.domain import commands as c
from solvent.domain.codec.parameters import decode_parameters, encode_parameters
from solvent.domain.codec.transcript import Transcript
from solvent.domain.engine_face import EngineFactory
from solvent.domain.parameters import EngineParameters
from solvent.history.followers.orders import KINDS as ORDER_KINDS
from solvent.history.followers.orders import Order
from solvent.service.api.objects.base import ApiObject
from solvent.service.api.objects.governance import AccountOpened, ActTaken, ProposalState
from solvent.service.authority.acts import ChangeParameter, OpenAccount, decode_act
from solvent.service.authority.audit import AuditEntry
from solvent.service.authority.desk import Desk, Done, Step
from solvent.service.authority.model import Terms
from solvent.service.authority.proposals import Proposal
from solvent.service.core.answers import (
    Results,
    answer,
    answer_to,
    batch_items,
    cancelled,
    refusal,
)
from solvent.service.core.idempotency import (
    OK,
    Answer,
    ClientRow,
    DigestRow,
    FirstAnswers,
    batch_item,
    error_answer,
    named_orders,
)
from solvent.service.core.intents import CancelKind, decode_intent
from solvent.service.core.keys import NO_ACCOUNT, KeyRegistry, Role
from solvent.service.core.open_orders import OpenOrders
from solvent.service.core.plans import Plan, Planner, read
from solvent.service.core.records import Record, RecordKind
from solvent.service.errors import ApiError
from solvent.service.strict_json import encode
from solvent.service.wire import ms


class MarketError(Exception):
    """The journal says one thing and the market another: it must not go on. One line."""


class Outcome(NamedTuple):
    """What a record led to.

    `answer` is what whoever asked is told, `orders` what became of those that each command placed
    or changed, by the command's number, `entry` what the audit log says of an act.
    """

    record: Record
    transcript: Transcript
    answer: Answer
    orders: Mapping[int, Sequence[Order]]
    entry: AuditEntry | None = None


class FirstKey(NamedTuple):
    """A key that a market begins with."""

    key: bytes
    role: Role
    account: int = NO_ACCOUNT


class Head(msgspec.Struct, array_like=True, frozen=True):
    """What a journal begins with: parameters as numbers, the terms of acts, first keys.

    `identity` tells the market from every other one.
    """

    parameters: tuple[int, ...]
    terms: Terms
    keys: tuple[FirstKey, ...] = ()
    identity: bytes = b""


class _Saved(msgspec.Struct, array_like=True, frozen=True):
    """A snapshot of the market."""

    engine: bytes
    commands: int
    digests: list[DigestRow]
    clients: list[ClientRow]
    orders: list[Order]
    keys: bytes
    desk: bytes
    forgotten: int = 0


_ENCODER = msgspec.msgpack.Encoder()
_HEAD = msgspec.msgpack.Decoder(Head)
_SAVED = msgspec.msgpack.Decoder(_Saved)


def encode_head(
    parameters: EngineParameters,
    terms: Terms,
    keys: Sequence[FirstKey] = (),
    identity: bytes = b"",
) -> bytes:
    """The head of a new journal."""
    return _ENCODER.encode(Head(encode_parameters(parameters), terms, tuple(keys), identity))


def head_parameters(head: bytes) -> EngineParameters:
    """The parameters that a journal begins with. Raises MarketError where it cannot be read."""
    try:
        return decode_parameters(_HEAD.decode(head).parameters)
    except (ValueError, LookupError) as error:
        raise MarketError(f"the head cannot be read: {error}") from error


def head_identity(head: bytes) -> str:
    """What tells the market of a head from others. Raises MarketError for one that is none."""
    try:
        return _HEAD.decode(head).identity.hex()
    except ValueError as error:
        raise MarketError(f"the head cannot be read: {error}") from error


class Market:
    """The market of a journal's head, from its beginning or from a snapshot of it.

    `engines` is the kind of engine it runs on; all kinds read each other's snapshots. Raises
    MarketError where head or snapshot cannot be read.
    """

    def __init__(self, head: bytes, engines: EngineFactory, saved: bytes | None = None) -> None:
        try:
            self._begin(head, engines, saved)
        except (ValueError, LookupError) as error:
            what = "the head" if saved is None else "the snapshot"
            raise MarketError(f"{what} cannot be read: {error}") from error
        self.queries = self.engine.queries
        self.before_change: Callable[[Proposal], object] = _nothing
        """Told of a proposed change of a parameter just before the engine makes it."""

    def _begin(self, head: bytes, engines: EngineFactory, saved: bytes | None) -> None:
        begun = _HEAD.decode(head)
        self.identity = begun.identity.hex()
        self.desk = Desk(begun.terms)
        if saved is None:
            self.engine = engines(decode_parameters(begun.parameters))
            self.commands = 0
            self.first_answers = FirstAnswers()
            self.orders = OpenOrders()
            self.keys = KeyRegistry()
            for first in begun.keys:
                self.keys.let_in(*first)
        else:
            state = _SAVED.decode(saved)
            self.engine = engines.restore(state.engine)
            self.commands = state.commands
            self.first_answers = FirstAnswers.from_rows(
                state.digests, state.clients, state.forgotten
            )
            self.orders = OpenOrders(state.orders)
            self.keys = KeyRegistry.decode(state.keys)
            self.desk.restore(state.desk)

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        return self.engine.parameters

    def save(self) -> bytes:
        """All of it as bytes."""
        digests, clients = self.first_answers.rows()
        return _ENCODER.encode(
            _Saved(
                self.engine.snapshot(),
                self.commands,
                digests,
                clients,
                self.orders.all(),
                self.keys.encode(),
                self.desk.rows(),
                self.first_answers.forgotten,
            )
        )

    def carry_out(self, records: Sequence[Record]) -> list[Outcome]:
        """Let durable records happen, in order."""
        outcomes: list[Outcome] = []
        planner = Planner(self.first_answers, self)
        for record in records:
            request = read(record)
            if planner.depends_on_plans(request):
                outcomes += self._apply(planner.take())
            planner.plan(request)
        return outcomes + self._apply(planner.take())

    def _apply(self, plans: Sequence[Plan]) -> list[Outcome]:
        outcomes = []
        for plan in plans:
            step = plan.step
            if isinstance(step, Step) and isinstance(step.makes, ChangeParameter) and step.proposal:
                self.before_change(step.proposal)
        groups = [plan.commands for plan in plans]
        transcripts = self.engine.apply_groups(self.commands, groups)
        for plan, transcript in zip(plans, transcripts, strict=True):
            self.commands = transcript.end
            orders = self._follow(transcript, plan.record.time)
            results = Results(self.parameters, transcript, orders, plan.record.time)
            said, entry = self._settle(plan, results)
            outcomes.append(Outcome(plan.record, transcript, said, orders, entry))
        return outcomes

    def _follow(self, transcript: Transcript, time: int) -> dict[int, list[Order]]:
        """Let orders be placed, filled and ended; what became of them, by the command's number."""
        if transcript.present.isdisjoint(ORDER_KINDS):
            return {}
        found = {
            transcript.first + index: self.orders.follow(events, time)
            for index, events in transcript.by_command(ORDER_KINDS)
        }
        for orders in found.values():
            for order in orders:
                if order.has_ended:
                    self.first_answers.free(order.account, order.client_id)
        return found

    def _settle(self, plan: Plan, results: Results) -> tuple[Answer, AuditEntry | None]:
        """What a record does besides its commands, what it is answered, and what the log says."""
        record = plan.record
        entry = None
        if plan.first is not None:
            said = plan.first
        elif plan.step is not None:
            said, entry = self._act(plan.record, plan.step, results)
        else:
            said = _SETTLING[RecordKind(record.kind)](self, plan, results)
        if record.digest:
            self.first_answers.keep(record.digest, record.expires, ms(record.time), said)
        for index, order in named_orders(plan.commands):
            if self.orders.by_client_id(order.account, order.client_id) is not None:
                self.first_answers.keep_order(order, answer_to(results, index))
        return said, entry

    def _act(
        self, record: Record, step: Step | ApiError, results: Results
    ) -> tuple[Answer, AuditEntry]:
        if isinstance(step, ApiError):
            act = decode_act(record.body)
            entry = self.desk.refuse(record.time, record.actor, act, step, self)
            return error_answer(step), entry
        error = refusal(results)
        account = NO_ACCOUNT
        if isinstance(step.makes, OpenAccount) and error is None:
            opening = results.transcript.commands[0]
            assert isinstance(opening, c.OpenAccount)
            account = opening.account
        done = Done("" if error is None else error.message, account)
        settled = self.desk.settle(step, record.time, self, done)
        if error is not None and step.proposal is None:
            return error_answer(error), settled.entry
        if account != NO_ACCOUNT:
            return _said(AccountOpened(account=account)), settled.entry
        return _said(_taken(settled.proposal)), settled.entry

    def _commands(self, plan: Plan, results: Results) -> Answer:
        if not plan.record.is_batch:
            return answer(results, plan.record.memo)
        items = batch_items(results)
        for place in sorted(plan.skipped):
            items.insert(place, batch_item(plan.skipped[place]))
        return Answer(OK, b"[" + b",".join(items) + b"]")

    def _intent(self, plan: Plan, results: Results) -> Answer:
        is_list = isinstance(decode_intent(plan.record.body), CancelKind)
        return cancelled(results) if is_list else answer(results)

    def _check(self, plan: Plan, _: Results) -> Answer:
        state, body = self.engine.state_hash(), plan.record.body
        if state.encode() != body:
            raise MarketError(f"state hash {state} is not {body.decode()}, which the journal has")
        return Answer(OK, b"")


_SETTLING: dict[RecordKind, Callable[[Market, Plan, Results], Answer]] = {
    RecordKind.COMMANDS: Market._commands,
    RecordKind.CHECK: Market._check,
    RecordKind.INTENT: Market._intent,
}


def _taken(proposal: Proposal | None) -> ActTaken:
    if proposal is None:
        return ActTaken(state=ProposalState.MADE)
    taken = ActTaken(state=proposal.state, proposal=proposal.number)
    if proposal.reason:
        taken.reason = proposal.reason
    return taken


def _nothing(_: Proposal) -> None:
    """For a market whose changes nobody looks at."""


def _said(value: ApiObject) -> Answer:
    return Answer(OK, encode(value))
