"""Plans: which commands of a record are still to be carried out.

A request may come twice, as the same signed bytes or as another one with a client id that was used.
Whether it did can be said only where the order of all requests is known, so it is asked here,
record by record, right before the engine. What an earlier record of the batch will be answered is
not known yet: a record that depends on one ends the batch (`depends_on_plans`).
"""

from collections.abc import Hashable, Iterator, Mapping, Set
from typing import NamedTuple

import msgspec

from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.commands import COMMAND_KINDS, PlaceOrder, encode_command
from solvent.service.core.proposals import Proposals, read_approval
from solvent.service.core.records import Record, RecordKind
from solvent.service.core.replies import Answer, Replies
from solvent.service.errors import ApiErrorCode

_OK = 200
_PLACE_ORDER = COMMAND_KINDS.index(PlaceOrder)
_NOTHING = EncodedCommands(b"")
_REFUSED = Answer(
    400,
    msgspec.json.encode(
        {
            "code": ApiErrorCode.INVALID_ORDER.value,
            "message": "clientId was used for another order",
        }
    ),
)


class Plan(NamedTuple):
    """What is to be done for a record.

    `first` is the answer to all of it where that is known; `skipped` the answers to items of a
    batch that are not carried out, by their places.
    """

    record: Record
    commands: EncodedCommands
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
    names: set[Hashable] = {(order.account, order.client_id) for _, order in named_orders(commands)}
    if record.digest:
        names.add(record.digest)
    if record.kind in _ABOUT_PROPOSALS or (record.kind == RecordKind.COMMANDS and record.body):
        names.add("proposals")
    return Request(record, commands, names)


class Planner:
    """Plans of records that come one after another."""

    def __init__(self, replies: Replies, proposals: Proposals) -> None:
        self._replies = replies
        self._proposals = proposals
        self._plans: list[Plan] = []
        self._names: set[Hashable] = set()

    def depends_on_plans(self, request: Request) -> bool:
        """Whether what was planned has to happen before the request can be planned."""
        if self._plans and RecordKind.CHECK in (request.record.kind, self._plans[-1].record.kind):
            return True
        return not self._names.isdisjoint(request.names)

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
        if not names:
            return Plan(record, commands)
        first = self._replies.find(record.digest) if record.digest else None
        if first is not None:
            return Plan(record, _NOTHING, first)
        if record.kind == RecordKind.COMMANDS and record.body and not self._waits(record):
            return Plan(record, _NOTHING, Answer(_OK, b""))
        skipped = dict(self._skipped(commands))
        if not skipped:
            return Plan(record, commands)
        if not record.is_batch:
            return Plan(record, _NOTHING, skipped[0])
        left = [command for place, command in enumerate(commands) if place not in skipped]
        return Plan(record, EncodedCommands.of(left), None, skipped)

    def _waits(self, record: Record) -> bool:
        """Whether the change of a parameter is still to be made, and may be."""
        number, _ = read_approval(record.body)
        proposal = self._proposals.waiting.get(number)
        return proposal is not None and self._proposals.is_approved(proposal)

    def _skipped(self, commands: EncodedCommands) -> Iterator[tuple[int, Answer]]:
        """Orders whose client id was used, by their places, and what is said to them."""
        used: set[tuple[int, int]] = set()
        for place, order in named_orders(commands):
            name = order.account, order.client_id
            found = self._replies.find_order(*name)
            if found is not None:
                yield place, found[1] if found[0] == encode_command(order) else _REFUSED
            elif name in used:
                yield place, _REFUSED
            used.add(name)


def named_orders(commands: EncodedCommands) -> Iterator[tuple[int, PlaceOrder]]:
    """Orders that come with a client id, and their places among the commands."""
    if _PLACE_ORDER not in commands.kinds:
        return
    for place, kind in enumerate(commands.kinds):
        if kind == _PLACE_ORDER:
            order = commands[place]
            assert isinstance(order, PlaceOrder)
            if order.client_id:
                yield place, order


_ABOUT_PROPOSALS = (RecordKind.PROPOSAL, RecordKind.APPROVAL)


def skipped_item(first: Answer) -> bytes:
    """The item of a batch's answer that says what was said to the order the first time."""
    outcome = b"Ok" if first.status == _OK else b"Err"
    return b'{"operation":"' + outcome + b'",' + first.body[1:]
