"""The door between the nodes of a cluster: a node's frames, for who has the cluster's secret.

It stands at an address of its own, apart from the market's, and answers nothing that is not sealed
with the cluster's secret (`cluster.peers`): frames hold what is private to accounts.
"""

import asyncio
from collections.abc import Awaitable
from typing import NamedTuple

import msgspec

from solvent.cluster.peers import open_question, sealed_answer
from solvent.journal.journal_errors import JournalError
from solvent.service.core.cluster.replicated import ReplicatedSequencer, frames_from
from solvent.service.core.cluster.sights import status_of
from solvent.service.door import Door

FORBIDDEN = 403
NOT_FOUND = 404
BYTES, TEXT = "application/octet-stream", "text/plain"
NOT_SEALED = b"the question is not sealed with this cluster's secret: has each node the same file?"


class AmongNodes(NamedTuple):
    """Where a node answers the others, and the secret that they share."""

    host: str
    port: int
    secret: bytes


def nodes_door(sequencer: ReplicatedSequencer, secret: bytes) -> Door:
    """The door of the node that this writer is of."""

    async def answer(path: str) -> tuple[int, str, bytes]:
        question = open_question(secret, path)
        if question is None:
            return FORBIDDEN, TEXT, NOT_SEALED
        words, nonce = question
        said = await asyncio.to_thread(_said, sequencer, words)
        if said is None:
            return NOT_FOUND, TEXT, b"a node does not know that question"
        return 200, BYTES, sealed_answer(secret, words, nonce, said)

    def ask(path: str) -> Awaitable[tuple[int, str, bytes]]:
        return answer(path)

    return Door(ask)


def _said(sequencer: ReplicatedSequencer, words: str) -> bytes | None:
    """The answer to a question that was sealed; None to one that is none."""
    name, _, number = words.partition("/")
    if name == "frames" and number.isdecimal():
        try:
            frames = frames_from(sequencer.journal, int(number))
        except JournalError:
            # What this journal cannot read another one may have.
            frames = []
        return msgspec.msgpack.encode(frames)
    if words == "status":
        return msgspec.msgpack.encode(status_of(sequencer.place))
    if name == "hand-over" and number.isdecimal():
        # A question that is heard and asked again names an epoch that is over.
        sequencer.hand_over(int(number))
        return b""
    return None
