"""A member: one gateway as the writer's process sees it, from its first frame to its last.

A record that comes in is asked for anew what a gateway may not know or can only know for itself: is
this key still who it was, and is there room in the buckets of all. Then it goes where a request of
this process would go.
"""

from collections.abc import Callable
from functools import partial

from starlette.types import ASGIApp

from solvent.service.api.buckets import Buckets
from solvent.service.api.intake import Payment, spend
from solvent.service.core.idempotency import Answer
from solvent.service.core.node import Node
from solvent.service.core.records import Record
from solvent.service.edge.channels import Channels
from solvent.service.edge.frames import (
    AnyFrame,
    Counted,
    FromGateway,
    Hand,
    Knows,
    Ready,
    Refused,
    Said,
    Spent,
    from_gateway,
)
from solvent.service.edge.line import Line
from solvent.service.errors import ApiError, ApiErrorCode


class Member:
    """One gateway. `tell_others` tells the others what was paid at this one."""

    def __init__(
        self,
        node: Node,
        app: ASGIApp,
        buckets: Buckets,
        tell_others: Callable[["Member", list[Payment]], None],
        on_end: Callable[[], None],
    ) -> None:
        self._node = node
        self._buckets = buckets
        self._tell_others = tell_others
        self._on_end = on_end
        self.line: Line[FromGateway] = Line(from_gateway, self._hear, self._ended)
        self._channels = Channels(app, self.send)
        self.is_ready = False
        self.knows = 0
        """The version of keys and parameters that it said it has."""
        self.on_news: Callable[[], None] = _nothing

    def send(self, frame: AnyFrame) -> None:
        """Send it a frame."""
        self.line.send(frame)

    def _ended(self) -> None:
        self._channels.lose()
        self._on_end()
        self.on_news()

    def _hear(self, frame: FromGateway) -> None:
        if isinstance(frame, Hand):
            self._take(frame)
        elif isinstance(frame, Ready):
            self.is_ready = True
            self.on_news()
        elif isinstance(frame, Knows):
            self.knows = frame.version
            self.on_news()
        elif isinstance(frame, Counted):
            for answer in frame.answers:
                self._node.metrics.answered(*answer)
        elif isinstance(frame, Spent):
            for payment in frame.paid:
                self._buckets.charge(payment.kind, payment.name, payment.tokens)
            self._tell_others(self, frame.paid)
        else:
            self._channels.hear(frame)

    def _take(self, handed: Hand) -> None:
        answer = partial(self._answer, handed.number)
        try:
            if self._node.market.keys.find(handed.key) != handed.principal:
                raise ApiError(401, ApiErrorCode.UNAUTHORIZED, "The key may not act")
            for payment in handed.paid:
                spend(self._buckets, payment)
            self._node.hand(_taken_in(handed.record, self._node.clock()), answer)
        except ApiError as error:
            answer(error)

    def _answer(self, number: int, said: Answer | ApiError) -> None:
        sequence = self._node.reached.sequence
        if isinstance(said, Answer):
            told = self._node.clock() if self._node.clock.is_told else None
            self.line.send(Said(number, said.status, said.body, sequence, told))
        else:
            self.line.send(
                Refused(number, said.status, said.code, said.message, said.retry_after, sequence)
            )


def _taken_in(record: Record, time: int) -> Record:
    """A record as of the moment at which it is taken in, by the one clock of the market."""
    return Record(
        record.kind,
        time,
        record.account,
        record.commands,
        record.is_batch,
        record.digest,
        record.expires,
        record.memo,
        record.body,
        record.actor,
    )


def _nothing() -> None:
    """For a member of which nobody waits for news."""
