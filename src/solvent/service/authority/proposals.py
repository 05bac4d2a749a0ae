"""Proposals: acts that wait for another person or for their time, and what is put beside them."""

import msgspec

from solvent.service.api.objects.governance import ProposalState
from solvent.service.authority.acts import AnyAct, decode_act


class Attached(msgspec.Struct, array_like=True, frozen=True):
    """An encoded rehearsal or effect, or why there is none; neither where it is not there yet."""

    document: bytes = b""
    failure: str = ""

    def __bool__(self) -> bool:
        return bool(self.document or self.failure)


class Proposal(msgspec.Struct, array_like=True, frozen=True):
    """An act that waits, or waited: whose (key number), from when on, until when (microseconds)."""

    number: int
    act: bytes
    proposer: int
    made: int
    due: int
    expires: int
    approvers: tuple[int, ...] = ()
    state: ProposalState = ProposalState.WAITING
    reason: str = ""
    rehearsal: Attached = Attached()
    effect: Attached = Attached()

    @property
    def decoded(self) -> AnyAct:
        """The act."""
        return decode_act(self.act)
