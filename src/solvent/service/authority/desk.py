"""The desk: the one place where it is decided whether an act is carried out, waits or is refused.

`plan` looks and changes nothing; the engine carries out the plan's commands; `settle` lets happen
what else follows. Everything is decided at the record's place in the journal: an act of a key that
was removed meanwhile is refused there, its proposals are void, and its approvals count no more.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from solvent.domain.commands import Command
from solvent.domain.units import PRICE_SCALE, SECOND
from solvent.service.api.objects.governance import ProposalState
from solvent.service.authority.acts import (
    OF_PROPOSALS,
    Act,
    AdmitKey,
    AnyAct,
    Approve,
    AttachEffect,
    Attachment,
    AttachRehearsal,
    BookDeposit,
    Carry,
    ChangeParameter,
    Decision,
    OpenAccount,
    Reject,
    RemoveKey,
    RotateKey,
    State,
    Subject,
    encode_act,
    fingerprint,
    refused,
)
from solvent.service.authority.audit import AuditEntry, AuditLog
from solvent.service.authority.model import CLOCK, HOUR, HOUSE, RULES, Rule, Terms
from solvent.service.authority.proposals import Attached, Proposal
from solvent.service.core.keys import NO_ACCOUNT, Principal
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import DECIDED_KEPT, PROPOSAL_SECONDS, PROPOSALS, PROPOSALS_OF_KEY

_FORBIDDEN = 403
_UNAUTHORIZED = 401
_CONFLICT = 409


class Step(NamedTuple):
    """What is to be done for an act: `makes` is carried out, and its commands are the engine's.

    `proposal` is the one that it makes or decides, as it is before; `ends` the state that it has
    after, where that does not depend on how carrying out goes.
    """

    actor: int
    act: AnyAct
    subject: Subject
    commands: Sequence[Command] = ()
    makes: AnyAct | None = None
    proposal: Proposal | None = None
    ends: ProposalState | None = None


class Done(NamedTuple):
    """How a step's commands went: what they were refused with, the account that was opened."""

    refusal: str = ""
    account: int = NO_ACCOUNT


class Settled(NamedTuple):
    """What followed from a step."""

    entry: AuditEntry
    proposal: Proposal | None = None


class Desk:
    """All that waits and was decided, what funders booked this hour, and the audit log."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.waiting: dict[int, Proposal] = {}
        self.decided: deque[Proposal] = deque(maxlen=DECIDED_KEPT)
        self.audit = AuditLog()
        self._next = 1
        self._hour = 0
        self._funded = 0

    # Planning: what is to be done.

    def plan(self, time: int, actor: int, act: AnyAct, state: State) -> Step:
        """What is to be done for an act at its place. Raises ApiError, and nothing is done."""
        if isinstance(act, Approve | Reject | Carry):
            return self._plan_decision(time, actor, act, state)
        if isinstance(act, AttachRehearsal | AttachEffect):
            return self._plan_attachment(actor, act, state)
        if actor == CLOCK:
            raise _forbidden()
        rule = RULES[type(act)]
        person = None
        if actor != HOUSE:
            person = _person(state, actor)
            if person.role not in rule.asks:
                raise _forbidden()
        act.check(state)
        step = Step(actor, act, act.subject(state))
        if person is None or not self._needs_others(rule, act, time, state):
            return step._replace(commands=act.commands(state), makes=act)
        self._check_room(actor)
        due = time + (self.terms.delay if rule.waits else 0)
        expires = due + PROPOSAL_SECONDS * SECOND
        step = step._replace(
            proposal=Proposal(self._next, encode_act(act), actor, time, due, expires)
        )
        return self._made_if_due(step, time, state)

    def _needs_others(self, rule: Rule, act: Act, time: int, state: State) -> bool:
        """Whether an act becomes a proposal."""
        if not rule.agrees:
            return False
        if not isinstance(act, BookDeposit):
            return True
        if self.terms.approvals == 1 or self.terms.funding is None:
            return False
        value = act.value(state)
        return value is None or self._booked(time) + value > self.terms.funding * PRICE_SCALE

    def _booked(self, time: int) -> int:
        """What funders booked alone in this hour, 10^-10 USDC."""
        return self._funded if time // HOUR == self._hour else 0

    def _check_room(self, actor: int) -> None:
        own = sum(each.proposer == actor for each in self.waiting.values())
        if own >= PROPOSALS_OF_KEY or len(self.waiting) >= PROPOSALS:
            most = f"{PROPOSALS_OF_KEY} of a key and {PROPOSALS} in all"
            raise refused(
                f"too many proposals wait, at most {most}: withdraw or decide some",
                ApiErrorCode.PRECONDITION_FAILED,
                _CONFLICT,
            )

    def _plan_decision(self, time: int, actor: int, act: Decision, state: State) -> Step:
        if isinstance(act, Carry) != (actor == CLOCK):
            raise _forbidden()
        role = None if actor in (CLOCK, HOUSE) else _person(state, actor).role
        proposal = self.waiting.get(act.proposal)
        if proposal is None:
            raise refused("Proposal Not Found", ApiErrorCode.RESOURCE_NOT_FOUND)
        proposed = proposal.decoded
        assert not isinstance(proposed, OF_PROPOSALS)
        rule = RULES[type(proposed)]
        step = Step(actor, act, proposed.subject(state), proposal=proposal)
        if isinstance(act, Carry):
            if time >= proposal.expires:
                return step._replace(ends=ProposalState.EXPIRED)
            return self._made_if_due(step, time, state)
        if role is not None and role not in rule.agrees | rule.asks:
            raise _forbidden()
        if isinstance(act, Reject):
            is_own = actor == proposal.proposer
            return step._replace(ends=ProposalState.WITHDRAWN if is_own else ProposalState.REJECTED)
        if role is not None and role not in rule.agrees:
            raise _forbidden()
        if actor == proposal.proposer:
            raise refused("somebody else must approve it", ApiErrorCode.PRECONDITION_FAILED)
        if actor not in proposal.approvers:
            approvers = (*proposal.approvers, actor)
            step = step._replace(proposal=msgspec.structs.replace(proposal, approvers=approvers))
        return self._made_if_due(step, time, state)

    def _plan_attachment(self, actor: int, act: Attachment, state: State) -> Step:
        if actor != CLOCK:
            raise _forbidden()
        proposal = self.find(act.proposal)
        if proposal is None or not isinstance(proposal.decoded, ChangeParameter):
            raise refused("Proposal Not Found", ApiErrorCode.RESOURCE_NOT_FOUND)
        attached = Attached(act.document, act.failure)
        if isinstance(act, AttachEffect):
            proposal = msgspec.structs.replace(proposal, effect=attached)
        else:
            proposal = msgspec.structs.replace(proposal, rehearsal=attached)
        subject = dict(proposal.decoded.subject(state))
        subject |= (
            {"failure": act.failure} if act.failure else {"digest": fingerprint(act.document)}
        )
        return Step(actor, act, subject, proposal=proposal, ends=proposal.state)

    def _made_if_due(self, step: Step, time: int, state: State) -> Step:
        """The step, which carries its proposal out if that may be; what cannot be is refused."""
        proposal = step.proposal
        assert proposal is not None
        if time < proposal.due or not self.is_approved(proposal, state):
            return step
        act = proposal.decoded
        assert not isinstance(act, OF_PROPOSALS)
        try:
            act.check(state)
        except ApiError as error:
            ended = msgspec.structs.replace(proposal, reason=error.message)
            return step._replace(proposal=ended, ends=ProposalState.REFUSED)
        return step._replace(commands=act.commands(state), makes=act)

    def is_approved(self, proposal: Proposal, state: State) -> bool:
        """Whether enough people stand behind it who may act now, its proposer among them."""
        act = proposal.decoded
        rule = RULES[type(act)]
        proposer = state.keys.by_number(proposal.proposer)
        if proposer is None or proposer.role not in rule.asks:
            return False
        found = (state.keys.by_number(number) for number in proposal.approvers if number != HOUSE)
        count = sum(each is not None and each.role in rule.agrees for each in found)
        return 1 + count + (HOUSE in proposal.approvers) >= self.terms.approvals

    # Settling: what follows.

    def settle(self, step: Step, time: int, state: State, done: Done) -> Settled:
        """Let happen what follows from a step, as its commands went."""
        refusal, account = done
        role = self._role(step.actor, state)
        ends, proposal = step.ends, step.proposal
        if step.makes is not None:
            if not refusal:
                self._make(step, step.makes, time, state, account)
            if proposal is not None:
                ends = ProposalState.REFUSED if refusal else ProposalState.MADE
        if proposal is not None:
            proposal = self._kept(proposal, ends, refusal)
        outcome = f"refused: {refusal}" if refusal else _outcome(step, proposal)
        subject = dict(step.subject)
        if account != NO_ACCOUNT:
            subject["account"] = account
        number = proposal.number if proposal else 0
        name = type(step.act).__name__
        entry = self.audit.add(time, step.actor, role, name, subject, outcome, number)
        return Settled(entry, proposal)

    def refuse(
        self, time: int, actor: int, act: AnyAct, error: ApiError, state: State
    ) -> AuditEntry:
        """Note an act that was not even begun."""
        role = self._role(actor, state)
        outcome = f"refused: {error.message}"
        number = act.proposal if isinstance(act, OF_PROPOSALS) else 0
        return self.audit.add(time, actor, role, type(act).__name__, {}, outcome, number)

    def _role(self, actor: int, state: State) -> str:
        if actor in (HOUSE, CLOCK):
            return "house" if actor == HOUSE else "clock"
        found = state.keys.by_number(actor)
        return found.role.value if found else "nobody"

    def _make(self, step: Step, act: AnyAct, time: int, state: State, account: int) -> None:
        keys = state.keys
        if isinstance(act, AdmitKey):
            keys.let_in(act.key, act.role, act.account)
        elif isinstance(act, OpenAccount):
            keys.let_in(act.key, act.role, account)
        elif isinstance(act, RotateKey):
            keys.rotate(step.actor, act.key)
        elif isinstance(act, RemoveKey):
            removed = keys.find(act.key)
            assert removed is not None
            keys.remove(act.key)
            self._void(removed.number)
        elif isinstance(act, BookDeposit) and step.proposal is None and step.actor != HOUSE:
            self._funded = self._booked(time) + (act.value(state) or 0)
            self._hour = time // HOUR

    def _void(self, number: int) -> None:
        """End the proposals of a key that may act no more, and take its approvals back."""
        for proposal in list(self.waiting.values()):
            if proposal.proposer == number:
                self._kept(proposal, ProposalState.VOID, "the key of its proposer was removed")
            elif number in proposal.approvers:
                left = tuple(each for each in proposal.approvers if each != number)
                self.waiting[proposal.number] = msgspec.structs.replace(proposal, approvers=left)

    def _kept(self, proposal: Proposal, ends: ProposalState | None, reason: str) -> Proposal:
        self._next = max(self._next, proposal.number + 1)
        if ends is None or ends is ProposalState.WAITING:
            self.waiting[proposal.number] = proposal
            return proposal
        ended = msgspec.structs.replace(proposal, state=ends, reason=reason or proposal.reason)
        if self.waiting.pop(proposal.number, None) is None:
            numbers = [each.number for each in self.decided]
            if proposal.number in numbers:
                self.decided[numbers.index(proposal.number)] = ended
                return ended
        self.decided.append(ended)
        return ended

    # Asking.

    def find(self, number: int) -> Proposal | None:
        """The proposal of a number, if it waits or was decided lately."""
        found = self.waiting.get(number)
        return found or next((each for each in self.decided if each.number == number), None)

    def lacks_rehearsal(self, number: int) -> bool:
        """Whether a change waits that has no rehearsal beside it yet."""
        proposal = self.waiting.get(number)
        if proposal is None or proposal.rehearsal:
            return False
        return isinstance(proposal.decoded, ChangeParameter)

    def due(self, time: int, state: State) -> Iterator[int]:
        """Numbers of the proposals that the clock has to carry out or let expire, oldest first."""
        for proposal in self.waiting.values():
            is_ripe = time >= proposal.due and self.is_approved(proposal, state)
            if is_ripe or time >= proposal.expires:
                yield proposal.number

    def all(self) -> list[Proposal]:
        """What was decided and what waits, oldest first by number."""
        return sorted([*self.decided, *self.waiting.values()], key=lambda each: each.number)

    def rows(self) -> bytes:
        """All of it as bytes, for a snapshot."""
        return _ENCODER.encode(
            _Saved(
                self._next,
                list(self.waiting.values()),
                list(self.decided),
                self._hour,
                self._funded,
                self.audit.rows(),
            )
        )

    def restore(self, data: bytes) -> None:
        """Put back what `rows` was taken from."""
        saved = _DECODER.decode(data)
        self._next, self._hour, self._funded = saved.next, saved.hour, saved.funded
        self.waiting = {proposal.number: proposal for proposal in saved.waiting}
        self.decided.clear()
        self.decided.extend(saved.decided)
        self.audit.restore(*saved.audit)


class _Saved(msgspec.Struct, array_like=True, frozen=True):
    next: int
    waiting: list[Proposal]
    decided: list[Proposal]
    hour: int
    funded: int
    audit: tuple[int, list[AuditEntry], str]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Saved)


def _person(state: State, actor: int) -> Principal:
    """Who asks, if that key may act now."""
    found = state.keys.by_number(actor)
    if found is None:
        raise ApiError(_UNAUTHORIZED, ApiErrorCode.UNAUTHORIZED, "The key may not act")
    return found


def _forbidden() -> ApiError:
    return ApiError(_FORBIDDEN, ApiErrorCode.FORBIDDEN, "the key's role may not do this")


def _outcome(step: Step, proposal: Proposal | None) -> str:
    """In a word, what became of an act that was not refused."""
    if proposal is None or isinstance(step.act, AttachRehearsal | AttachEffect):
        return "done"
    if proposal.state is not ProposalState.WAITING:
        return proposal.state.value + (f": {proposal.reason}" if proposal.reason else "")
    return "approved" if isinstance(step.act, Approve) else "waits"
