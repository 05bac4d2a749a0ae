"""Proposals: parameter changes that wait, and that a second person approves where that is asked.

A risk admin proposes a change; another one, with another key, approves it; when its delay is over
the sequencer makes the command. What is waiting follows from the journal's records alone.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from solvent.domain.commands import Command, decode_command, encode_command
from solvent.service.errors import ApiError, ApiErrorCode

_BAD_REQUEST = 400


class Proposal(msgspec.Struct, array_like=True, frozen=True):
    """A change of a parameter: who (by key number) wants it, and from when on (microseconds)."""

    number: int
    command: bytes
    proposer: int
    due: int
    approvers: tuple[int, ...] = ()

    @property
    def decoded(self) -> Command:
        """The command that it will become."""
        return decode_command(self.command)[0]


class Terms(NamedTuple):
    """How many keys a change needs, its proposer's among them, and how long it waits (us)."""

    approvals: int
    delay: int


class Proposals:
    """All changes that wait."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.waiting: dict[int, Proposal] = {}
        self._next = 1

    def propose(self, command: bytes, proposer: int, time: int) -> Proposal:
        """Add a change."""
        proposal = Proposal(self._next, command, proposer, time + self.terms.delay)
        self.waiting[proposal.number] = proposal
        self._next += 1
        return proposal

    def approve(self, number: int, approver: int) -> Proposal:
        """Count an approval once a key.

        Raises ApiError where there is no such proposal, and for the key that made it.
        """
        proposal = self.waiting.get(number)
        if proposal is None:
            raise ApiError(_BAD_REQUEST, ApiErrorCode.RESOURCE_NOT_FOUND, "Proposal Not Found")
        if approver == proposal.proposer:
            message = "somebody else must approve it"
            raise ApiError(_BAD_REQUEST, ApiErrorCode.PRECONDITION_FAILED, message)
        if approver not in proposal.approvers:
            proposal = msgspec.structs.replace(proposal, approvers=(*proposal.approvers, approver))
            self.waiting[number] = proposal
        return proposal

    def is_approved(self, proposal: Proposal) -> bool:
        """Whether enough keys stand behind it."""
        return 1 + len(proposal.approvers) >= self.terms.approvals

    def due(self, time: int) -> Iterator[Proposal]:
        """Approved changes whose delay is over, oldest first."""
        for proposal in self.waiting.values():
            if proposal.due <= time and self.is_approved(proposal):
                yield proposal

    def done(self, number: int) -> None:
        """Forget a change that was made."""
        self.waiting.pop(number, None)

    def rows(self) -> bytes:
        """All of it as bytes, for a snapshot."""
        return _ENCODER.encode((self._next, tuple(self.waiting.values())))

    def restore(self, data: bytes) -> None:
        """Put back what `rows` was taken from."""
        self._next, waiting = _DECODER.decode(data)
        self.waiting = {proposal.number: proposal for proposal in waiting}


def proposal_body(command: Command, key: int) -> bytes:
    """What a PROPOSAL record holds."""
    return _BODY.encode((encode_command(command), key))


def approval_body(number: int, key: int) -> bytes:
    """What an APPROVAL record holds."""
    return _BODY.encode((number, key))


def read_proposal(body: bytes) -> tuple[bytes, int]:
    """Command and key of a PROPOSAL record."""
    return _PROPOSAL.decode(body)


def read_approval(body: bytes) -> tuple[int, int]:
    """Number and key of an APPROVAL record."""
    return _APPROVAL.decode(body)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(tuple[int, tuple[Proposal, ...]])
_BODY = msgspec.msgpack.Encoder()
_PROPOSAL = msgspec.msgpack.Decoder(tuple[bytes, int])
_APPROVAL = msgspec.msgpack.Decoder(tuple[int, int])
