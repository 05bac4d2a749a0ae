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
from solvent.history.followers.orders import Order
from solvent.service.api.objects.base import ApiObject
from solvent.service.api.objects.enums import OrderStatus
from solvent.service.api.objects.orders import OrderType
from solvent.service.api.shapes import STATUSES, order_type, withdrawal
from solvent.service.core.idempotency import Answer, batch_item, error_answer
from solvent.service.errors import ApiError, from_refusal
from solvent.service.strict_json import encode


class Results(NamedTuple):
    """What the commands of a record led to, at `time`, under `parameters`.

    `orders` are those that a command placed or changed, as they are after it and by its number: the
    one that it placed first, before its makers.
    """

    parameters: EngineParameters
    transcript: Transcript
    orders: Mapping[int, Sequence[Order]]
    time: int


OK = Answer(200, b"")
_DONE = batch_item(OK)
Memo = tuple[str, str, str]

_REFUSED = kind_number(e.Refused)
_TELLING = frozenset(
    map(
        c.COMMAND_KINDS.index,
        (c.PlaceOrder, c.PlaceTrigger, c.CancelOrder, c.CancelAllOrders, c.Withdraw),
    )
)
"""Kinds of commands, by number, that are answered with more than that they were carried out."""


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


def cancelled(results: Results) -> Answer:
    """What is said to a request that cancels any number of orders one by one: all of them."""
    bodies = [_body(results, index, None) for index in range(len(results.transcript))]
    return Answer(OK.status, encode(bodies))


def refusal(results: Results) -> ApiError | None:
    """What the first command was refused with, if it was."""
    is_refused = bool(results.transcript) and _is_refused(results, 0)
    return _error(results, 0) if is_refused else None


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
    parameters, transcript, orders, time = results
    if transcript.commands.kinds[index] not in _TELLING:
        return None
    number, command = transcript.first + index, transcript.commands[index]
    if isinstance(command, c.Withdraw):
        return withdrawal(parameters, number, command.asset, command.quantity, time, memo)
    shapes = [order_type(parameters, order, _status(order)) for order in orders.get(number, ())]
    return shapes if isinstance(command, c.CancelAllOrders) else shapes[0]


def _status(order: Order) -> OrderStatus:
    """The status that an order has after its own command."""
    is_rest = order.reason is ExpiryReason.IMMEDIATE_OR_CANCEL and order.quote_quantity
    if is_rest and order.executed:
        # An order by quote that leaves less than a lot is as filled as it can be.
        return OrderStatus.FILLED
    return STATUSES[order.status]
