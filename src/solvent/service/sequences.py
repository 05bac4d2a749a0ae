"""Sequences: every answer says up to which record, or frame of a cluster's log, it knows all.

A client that goes from node to node names the number that it has seen, and is answered by a node
that knows as much or told to ask another.
"""

from solvent.service.api.calls import Reply
from solvent.service.api.intake import Intake
from solvent.service.api.params import bad_request
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import BEHIND_WAIT_SECONDS

SEQUENCE_HEADER = "X-Solvent-Sequence"
LEAST_HEADER = "X-Solvent-Min-Sequence"
UNAVAILABLE = 503
DIGITS = 18


async def least_of(intake: Intake, said: str | None) -> int:
    """What the node knows now, once it is as much as is asked for. Raises ApiError."""
    if said is None:
        return intake.reached.sequence
    if not (said.isascii() and said.isdecimal() and len(said) <= DIGITS):
        raise bad_request(f"{LEAST_HEADER} must be a number")
    if not await intake.reached.wait(int(said), BEHIND_WAIT_SECONDS):
        reason = f"this node knows all up to {intake.reached.sequence}: ask again, or another one"
        raise ApiError(UNAVAILABLE, ApiErrorCode.MAINTENANCE, reason, retry_after=1)
    return intake.reached.sequence


def knowing(reply: Reply, sequence: int) -> Reply:
    """The answer, saying up to which number it knows all."""
    return reply._replace(headers=[*reply.headers, (SEQUENCE_HEADER.lower(), str(sequence))])
