"""The market: everything that follows from the journal's records, and nothing else.

Engine, open orders, first answers, keys and proposals move together, record by record, and are
saved and restored together. There is no clock, no disk and no client in here: the sequencer hands
in records that are durable and takes outcomes out. Whatever the batches are in which records come,
the same follows from them.

What a record comes to is decided here, where order is certain: whether it came before, and which
commands its intent means (`plans`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from solvent.domain.codec.parameters import decode_parameters, encode_parameters
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import OpenAccount
from solvent.domain.engine_face import EngineFactory
from solvent.domain.parameters import EngineParameters
from solvent.history.followers.orders import KINDS as ORDER_KINDS
from solvent.history.followers.orders import Order
from solvent.service.api.objects.base import ApiObject
from solvent.service.api.objects.governance import AccountOpened, ProposalTaken
from solvent.service.core.answers import Results, answer, answer_to, batch_items
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
from solvent.service.core.intents import MakeChange, OpenNext
from solvent.service.core.keys import FIRST_ACCOUNT, NO_ACCOUNT, KeyRegistry, account_of
from solvent.service.core.open_orders import OpenOrders
from solvent.service.core.plans import Plan, Planner, read
from solvent.service.core.proposals import Proposals, Terms, read_approval, read_proposal
from solvent.service.core.records import Record, RecordKind
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.strict_json import encode
from solvent.service.wire import ms


class MarketError(Exception):
    """The journal says one thing and the market another: it must not go on. One line."""


class Outcome(NamedTuple):
    """What a record led to.

    `answer` is what whoever asked is told, `orders` what became of those that each command placed
    or changed, by the command's number.
    """

    record: Record
    transcript: Transcript
    answer: Answer
    orders: Mapping[int, Sequence[Order]]


class Head(msgspec.Struct, array_like=True, frozen=True):
    """What a journal begins with: parameters as numbers, the terms of their changes, first keys."""

    parameters: tuple[int, ...]
    approvals: int
    delay: int
    keys: tuple[bytes, ...] = ()


class _Saved(msgspec.Struct, array_like=True, frozen=True):
    """A snapshot of the market."""

    engine: bytes
    commands: int
    digests: list[DigestRow]
    clients: list[ClientRow]
    orders: list[Order]
    keys: bytes
    proposals: bytes
    forgotten: int = 0


_ENCODER = msgspec.msgpack.Encoder()
_HEAD = msgspec.msgpack.Decoder(Head)
_SAVED = msgspec.msgpack.Decoder(_Saved)


def encode_head(parameters: EngineParameters, terms: Terms, keys: Sequence[bytes] = ()) -> bytes:
    """The head of a new journal; `keys` are the changes that let the first keys in."""
    return _ENCODER.encode(
        Head(encode_parameters(parameters), terms.approvals, terms.delay, tuple(keys))
    )


def head_parameters(head: bytes) -> EngineParameters:
    """The parameters that a journal begins with. Raises MarketError where it cannot be read."""
    try:
        return decode_parameters(_HEAD.decode(head).parameters)
    except (ValueError, LookupError) as error:
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

    def _begin(self, head: bytes, engines: EngineFactory, saved: bytes | None) -> None:
        begun = _HEAD.decode(head)
        self.proposals = Proposals(Terms(begun.approvals, begun.delay))
        if saved is None:
            self.engine = engines(decode_parameters(begun.parameters))
            self.commands = 0
            self.first_answers = FirstAnswers()
            self.orders = OpenOrders()
            self.keys = KeyRegistry()
            for body in begun.keys:
                self.keys.apply(body)
        else:
            state = _SAVED.decode(saved)
            self.engine = engines.restore(state.engine)
            self.commands = state.commands
            self.first_answers = FirstAnswers.from_rows(
                state.digests, state.clients, state.forgotten
            )
            self.orders = OpenOrders(state.orders)
            self.keys = KeyRegistry.decode(state.keys)
            self.proposals.restore(state.proposals)

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
                self.proposals.rows(),
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
        groups = [plan.commands for plan in plans]
        transcripts = self.engine.apply_groups(self.commands, groups)
        for plan, transcript in zip(plans, transcripts, strict=True):
            self.commands = transcript.end
            orders = self._follow(transcript, plan.record.time)
            results = Results(self.parameters, transcript, orders, plan.record.time)
            outcomes.append(Outcome(plan.record, transcript, self._settle(plan, results), orders))
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

    def _settle(self, plan: Plan, results: Results) -> Answer:
        """What a record does besides its commands, and what it is answered."""
        record = plan.record
        said = plan.first
        if said is None:
            said = _SETTLING[RecordKind(record.kind)](self, plan, results)
        if record.digest:
            self.first_answers.keep(record.digest, record.expires, ms(record.time), said)
        for index, order in named_orders(plan.commands):
            if self.orders.by_client_id(order.account, order.client_id) is not None:
                self.first_answers.keep_order(order, answer_to(results, index))
        return said

    def _commands(self, plan: Plan, results: Results) -> Answer:
        if not plan.record.is_batch:
            return answer(results, plan.record.memo)
        items = batch_items(results)
        for place in sorted(plan.skipped):
            items.insert(place, batch_item(plan.skipped[place]))
        return Answer(OK, b"[" + b",".join(items) + b"]")

    def _intent(self, plan: Plan, results: Results) -> Answer:
        intent = plan.intent
        if isinstance(intent, OpenNext):
            opening = results.transcript.commands[0]
            assert isinstance(opening, OpenAccount)
            self.keys.let_in(intent.key, intent.role, opening.account)
            return _said(AccountOpened(account=opening.account))
        if isinstance(intent, MakeChange) and results.transcript:
            self.proposals.done(intent.proposal)
        return answer(results)

    def _key(self, plan: Plan, _: Results) -> Answer:
        account = account_of(plan.record.body)
        if account != NO_ACCOUNT and not FIRST_ACCOUNT <= account < self.queries.accounts():
            return _NO_SUCH_ACCOUNT
        self.keys.apply(plan.record.body)
        return Answer(OK, b"")

    def _proposal(self, plan: Plan, _: Results) -> Answer:
        proposal = self.proposals.propose(*read_proposal(plan.record.body), plan.record.time)
        return _said(ProposalTaken(proposal=proposal.number))

    def _approval(self, plan: Plan, _: Results) -> Answer:
        try:
            proposal = self.proposals.approve(*read_approval(plan.record.body))
        except ApiError as error:
            return error_answer(error)
        return _said(ProposalTaken(proposal=proposal.number))

    def _check(self, plan: Plan, _: Results) -> Answer:
        state, body = self.engine.state_hash(), plan.record.body
        if state.encode() != body:
            raise MarketError(f"state hash {state} is not {body.decode()}, which the journal has")
        return Answer(OK, b"")


_SETTLING: dict[RecordKind, Callable[[Market, Plan, Results], Answer]] = {
    RecordKind.COMMANDS: Market._commands,
    RecordKind.KEY: Market._key,
    RecordKind.PROPOSAL: Market._proposal,
    RecordKind.APPROVAL: Market._approval,
    RecordKind.CHECK: Market._check,
    RecordKind.INTENT: Market._intent,
}
_NO_SUCH_ACCOUNT = error_answer(
    ApiError(400, ApiErrorCode.INVALID_CLIENT_REQUEST, "account must be one that was opened")
)


def _said(value: ApiObject) -> Answer:
    return Answer(OK, encode(value))
