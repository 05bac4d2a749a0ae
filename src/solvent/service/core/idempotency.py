"""Idempotency: a request is carried out one time, however often and how soon again it comes.

A signed request is known by its digest until its window has passed; an order with a client id, by
account and client id, as long as it has not ended: then the id is free for another order. All that
is known of either is in one table, `FirstAnswers`, which is a part of the market: it follows from
the journal, is saved with the market and is bounded, by time and by the orders that have not ended.
Whoever repeats a request gets the first answer, and nothing happens a second time.

Whether a request came before can be said only where the order of all requests is known, so it is
asked record by record, right before the engine (`repeated`). A request whose first coming is not
answered yet never gets that far: it waits for the answer to it (`InFlight`).
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Generic, NamedTuple, TypeVar

import msgspec

from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.commands import (
    COMMAND_KINDS,
    NO_CLIENT_ID,
    PlaceOrder,
    PlaceTrigger,
    encode_command,
)
from solvent.service.core.records import Record
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import FUTURE_MS, WINDOW_MS

AHEAD_MS = WINDOW_MS + FUTURE_MS
"""How far after the moment at which a request is taken in its window may end."""
OK = 200
_BAD_REQUEST = 400
Placing = PlaceOrder | PlaceTrigger
"""What may come with a client id."""
_PLACING = frozenset(map(COMMAND_KINDS.index, (PlaceOrder, PlaceTrigger)))


class Answer(NamedTuple):
    """What is said to a request: HTTP status and body."""

    status: int
    body: bytes


def error_answer(error: ApiError) -> Answer:
    """An error as an answer, which is kept like every other."""
    return Answer(error.status, msgspec.json.encode(error.body))


_USED = error_answer(
    ApiError(_BAD_REQUEST, ApiErrorCode.INVALID_ORDER, "clientId is in use by another order")
)

DigestRow = tuple[bytes, int, int, bytes]
ClientRow = tuple[int, int, bytes, int, bytes]


class FirstAnswers:
    """The first answer to every request that may come again, by digest and by client id.

    `forgotten` is the latest end of a window, milliseconds UTC, of a request that is forgotten.
    """

    def __init__(self) -> None:
        self._by_digest: dict[bytes, tuple[int, Answer]] = {}
        self._first_to_go: list[tuple[int, bytes]] = []
        self._by_client: dict[tuple[int, int], tuple[bytes, Answer]] = {}
        self.forgotten = 0

    def find(self, digest: bytes) -> Answer | None:
        """The answer to the request of this digest."""
        found = self._by_digest.get(digest)
        return found[1] if found else None

    def find_unless_forgotten(self, digest: bytes, expires: int) -> Answer | None:
        """The answer to a request that comes now, if it came before.

        Raises ApiError for one that may have come and been forgotten.
        """
        first = self.find(digest)
        if first is None and self.is_forgotten(expires):
            raise ApiError(_BAD_REQUEST, ApiErrorCode.INVALID_CLIENT_REQUEST, "Request has expired")
        return first

    def find_order(self, order: Placing) -> Answer | None:
        """What is said to an order whose client id is in use: the first answer, if it is that one.

        An id is in use until the order that has it ends.
        """
        found = self._by_client.get((order.account, order.client_id))
        if found is None:
            return None
        command, answer = found
        return answer if command == encode_command(order) else _USED

    def is_forgotten(self, expires: int) -> bool:
        """Whether a request whose window ends then may have been here and be forgotten.

        Such a request has expired by the clock that took in what let it be forgotten; where a clock
        was set back it must be refused all the same.
        """
        return expires <= self.forgotten

    def keep(self, digest: bytes, expires: int, now: int, answer: Answer) -> None:
        """Keep an answer until no request of its window can come: `expires`, milliseconds UTC.

        `now` is when the request was taken in. What is kept does not depend on `expires` of others:
        a request of a clock that was ahead lets nothing be forgotten that may still come.
        """
        self._by_digest[digest] = (expires, answer)
        heappush(self._first_to_go, (expires, digest))
        while self._first_to_go and self._first_to_go[0][0] < now - AHEAD_MS:
            self.forgotten, digest = heappop(self._first_to_go)
            self._by_digest.pop(digest, None)

    def keep_order(self, order: Placing, answer: Answer) -> None:
        """Keep the answer to an order with a client id, which rests or waits."""
        self._by_client[order.account, order.client_id] = (encode_command(order), answer)

    def free(self, account: int, client_id: int) -> None:
        """The order of this client id has ended."""
        self._by_client.pop((account, client_id), None)

    def uses(self, names: Iterable[Hashable]) -> bool:
        """Whether a client id among the names of a request is in use."""
        return not self._by_client.keys().isdisjoint(names)

    def rows(self) -> tuple[list[DigestRow], list[ClientRow]]:
        """All of it as plain values, for a snapshot."""
        digests = [
            (digest, expires, answer.status, answer.body)
            for digest, (expires, answer) in self._by_digest.items()
        ]
        clients = [
            (account, client, command, answer.status, answer.body)
            for (account, client), (command, answer) in self._by_client.items()
        ]
        return digests, clients

    @classmethod
    def from_rows(
        cls, digests: Sequence[DigestRow], clients: Sequence[ClientRow], forgotten: int
    ) -> "FirstAnswers":
        """What `rows` and `forgotten` were taken from."""
        answers = cls()
        answers.forgotten = forgotten
        for digest, expires, status, body in digests:
            answers._by_digest[digest] = (expires, Answer(status, body))
            answers._first_to_go.append((expires, digest))
        heapify(answers._first_to_go)
        for account, client, command, status, body in clients:
            answers._by_client[account, client] = (command, Answer(status, body))
        return answers


# In the log: which commands of a record came before.


def names_of(record: Record, commands: EncodedCommands) -> Set[Hashable]:
    """All by which a record or its orders may be known again."""
    names: set[Hashable] = {(order.account, order.client_id) for _, order in named_orders(commands)}
    if record.digest:
        names.add(record.digest)
    return names


def named_orders(commands: EncodedCommands) -> Iterator[tuple[int, Placing]]:
    """Orders that come with a client id, and their places among the commands."""
    if _PLACING.isdisjoint(commands.kinds):
        return
    for place, kind in enumerate(commands.kinds):
        if kind in _PLACING:
            order = commands[place]
            assert isinstance(order, Placing)
            if order.client_id != NO_CLIENT_ID:
                yield place, order


def repeated(answers: FirstAnswers, commands: EncodedCommands) -> Iterator[tuple[int, Answer]]:
    """Orders whose client id is in use, by their places, and what is said to them.

    Of a list, a client id is the first order's that has it, whatever becomes of that.
    """
    used: set[tuple[int, int]] = set()
    for place, order in named_orders(commands):
        first = answers.find_order(order)
        if first is None and (order.account, order.client_id) in used:
            first = _USED
        if first is not None:
            yield place, first
        used.add((order.account, order.client_id))


def batch_item(said: Answer) -> bytes:
    """What was said to a command, now or the first time, as an item of a batch's answer."""
    outcome = b"Ok" if said.status == OK else b"Err"
    fields = b"," + said.body[1:] if said.body.startswith(b"{") else b"}"
    return b'{"operation":"' + outcome + b'"' + fields


# Before the log: requests that are not answered yet.

Said = TypeVar("Said")


class Ticket(Generic[Said]):
    """A request that was handed in, and all who wait for what is said to it."""

    __slots__ = ("_waiting", "digest")

    def __init__(self, digest: bytes = b"") -> None:
        self.digest = digest
        self._waiting: list[Callable[[Said | Exception], object]] = []

    def then(self, hear: Callable[[Said | Exception], object]) -> None:
        """Let somebody hear what is said to the request, or why nothing is."""
        self._waiting.append(hear)

    async def said(self) -> Said:
        """What is said to the request. Raises what it was told instead."""
        future: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self.then(partial(_settle, future))
        return await future

    def tell(self, said: Said | Exception) -> None:
        """Let those who still wait go on."""
        for hear in self._waiting:
            hear(said)


def _settle(future: "asyncio.Future[Said]", said: Said | Exception) -> None:
    if future.done():
        return
    if isinstance(said, Exception):
        future.set_exception(said)
    else:
        future.set_result(said)


class InFlight(Generic[Said]):
    """Requests that were handed in and are not answered, by digest; those without are not kept.

    A caller that goes away leaves its request here until it is answered.
    """

    def __init__(self) -> None:
        self._tickets: dict[bytes, Ticket[Said]] = {}

    def find(self, digest: bytes) -> Ticket[Said] | None:
        """The ticket of a request that was handed in."""
        return self._tickets.get(digest) if digest else None

    def add(self, ticket: Ticket[Said]) -> None:
        """Keep a ticket until it is told."""
        if ticket.digest:
            self._tickets[ticket.digest] = ticket

    def tell(self, ticket: Ticket[Said], said: Said | Exception) -> None:
        """Let those who wait for a request go on, and forget its ticket."""
        self._tickets.pop(ticket.digest, None)
        ticket.tell(said)
