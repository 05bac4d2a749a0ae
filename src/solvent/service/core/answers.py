"""Answers: what a client is told about what its commands led to, made of commands and events alone.

Nothing here looks at the market as it is now, so that a request that comes again, also after a
restart, gets the same bytes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.labels import ExpiryReason
from solvent.domain.parameters import EngineParameters
from solvent.service.api.objects.base import ApiObject
from solvent.service.api.objects.enums import OrderStatus
from solvent.service.api.objects.orders import OrderType
from solvent.service.api.shapes import order_type, withdrawal
from solvent.service.core.idempotency import Answer, batch_item, error_answer
from solvent.service.core.open_orders import OpenOrder, accepted
from solvent.service.errors import ApiError, from_refusal
from solvent.service.strict_json import encode

Events = Sequence[e.Event]


class Results(NamedTuple):
    """What the commands of a record led to, at `time`, under `parameters`.

    `ended` are the orders that ended, by the number of the command that ended them.
    """

    parameters: EngineParameters
    transcript: Transcript
    ended: Mapping[int, Sequence[OpenOrder]]
    time: int


OK = Answer(200, b"")
_DONE = batch_item(OK)
Memo = tuple[str, str, str]

_REFUSED = kind_number(e.Refused)
_TELLING = frozenset(
    map(c.COMMAND_KINDS.index, (c.PlaceOrder, c.CancelOrder, c.CancelAllOrders, c.Withdraw))
)
"""Kinds of commands, by number, that are answered with more than that they were carried out."""


def placed_by(command: c.Command, events: Events, time: int) -> OpenOrder | None:
    """The order that a command placed, as it was when it entered, before any fill."""
    if not isinstance(command, c.PlaceOrder):
        return None
    for event in events:
        if isinstance(event, e.OrderAccepted) and event.account == command.account:
            return accepted(command, event.order, time)
    return None


def answer(results: Results, memo: Memo | None = None) -> Answer:
    """What is said to a request of these results: what its first success says, if it has one."""
    transcript = results.transcript
    if not transcript:
        return OK
    if _REFUSED not in transcript.present:
        return answer_to(results, 0, memo)
    done = (index for index in range(len(transcript)) if not _is_refused(results, index))
    return answer_to(results, next(done, 0), memo)


def answer_to(results: Results, index: int, memo: Memo | None = None) -> Answer:
    """What is said to one command, as if it had come alone."""
    if _is_refused(results, index):
        return error_answer(_error(results, index))
    body = _body(results, index, memo)
    return OK if body is None else Answer(200, encode(body))


def batch_items(results: Results) -> list[bytes]:
    """What is said to each command of a batch."""
    transcript = results.transcript
    kinds = transcript.commands.kinds
    if _REFUSED not in transcript.present and _TELLING.isdisjoint(kinds):
        return [_DONE] * len(kinds)
    return [
        batch_item(answer_to(results, index))
        if kind in _TELLING or _is_refused(results, index)
        else _DONE
        for index, kind in enumerate(kinds)
    ]


def _is_refused(results: Results, index: int) -> bool:
    """Whether a command was: a refusal is the only event then."""
    transcript = results.transcript
    events = transcript.span(index)
    return bool(events) and transcript.kinds[events[0]] == _REFUSED


def _error(results: Results, index: int) -> ApiError:
    _, command, (refused, *_) = results.transcript[index]
    assert isinstance(refused, e.Refused)
    return from_refusal(refused, results.parameters, command)


def _body(results: Results, index: int, memo: Memo | None) -> ApiObject | list[OrderType] | None:
    parameters, transcript, ended, time = results
    if transcript.commands.kinds[index] not in _TELLING:
        return None
    number, command, events = transcript[index]
    if isinstance(command, c.PlaceOrder):
        order = placed_by(command, events, time)
        assert order is not None
        return order_type(parameters, _after(order, events), _status(order, events))
    if isinstance(command, c.CancelOrder):
        return order_type(parameters, ended[number][-1], OrderStatus.CANCELLED)
    if isinstance(command, c.CancelAllOrders):
        return [
            order_type(parameters, order, OrderStatus.CANCELLED) for order in ended.get(number, ())
        ]
    assert isinstance(command, c.Withdraw)
    return withdrawal(parameters, number, command.asset, command.quantity, time, memo)


def _after(order: OpenOrder, events: Events) -> OpenOrder:
    """The order after what its own command filled."""
    for event in events:
        if isinstance(event, e.Filled) and event.taker_order == order.order:
            order = order.filled(event.quantity, event.quote)
    return order


def _status(order: OpenOrder, events: Events) -> OrderStatus:
    """The status that an order has after its own command."""
    done = _after(order, events)
    for event in events:
        if isinstance(event, e.OrderExpired) and event.order == order.order:
            # An order by quote that leaves less than a lot is as filled as it can be.
            rest = event.reason == ExpiryReason.IMMEDIATE_OR_CANCEL and order.quote_quantity
            return OrderStatus.FILLED if rest and done.executed else OrderStatus.EXPIRED
    if done.quantity and done.executed == done.quantity:
        return OrderStatus.FILLED
    rests = any(isinstance(event, e.OrderRested) for event in events)
    if not rests:
        return OrderStatus.FILLED
    return OrderStatus.PARTIALLY_FILLED if done.executed else OrderStatus.NEW
