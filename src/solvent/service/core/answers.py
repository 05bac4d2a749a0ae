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
from solvent.service.api.shapes import order_object, withdrawal_object
from solvent.service.core.idempotency import Answer, error_answer
from solvent.service.core.open_orders import OpenOrder, accepted
from solvent.service.errors import ApiError, from_refusal
from solvent.service.strict_json import JsonValue, encode

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
Memo = tuple[str, str, str]

_REFUSED = kind_number(e.Refused)
_TELLING = frozenset(
    map(c.COMMAND_KINDS.index, (c.PlaceOrder, c.CancelOrder, c.CancelAllOrders, c.Withdraw))
)
"""Kinds of commands, by number, that are answered with more than that they were carried out."""
_DONE = encode({"operation": "Ok"})


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
        encode(_batch_item(results, index))
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


def _batch_item(results: Results, index: int) -> JsonValue:
    if _is_refused(results, index):
        error = _error(results, index)
        return {"operation": "Err", "code": error.code, "message": error.message}
    body = _body(results, index, None)
    return {"operation": "Ok", **(body if isinstance(body, dict) else {})}


def _body(results: Results, index: int, memo: Memo | None) -> JsonValue:
    parameters, transcript, ended, time = results
    if transcript.commands.kinds[index] not in _TELLING:
        return None
    number, command, events = transcript[index]
    if isinstance(command, c.PlaceOrder):
        order = placed_by(command, events, time)
        assert order is not None
        return order_object(parameters, _after(order, events), _status(order, events))
    if isinstance(command, c.CancelOrder):
        return order_object(parameters, ended[number][-1], "Cancelled")
    if isinstance(command, c.CancelAllOrders):
        return [order_object(parameters, order, "Cancelled") for order in ended.get(number, ())]
    assert isinstance(command, c.Withdraw)
    return withdrawal_object(parameters, number, command, time, memo)


def _after(order: OpenOrder, events: Events) -> OpenOrder:
    """The order after what its own command filled."""
    for event in events:
        if isinstance(event, e.Filled) and event.taker_order == order.order:
            order = order.filled(event.quantity, event.quote)
    return order


def _status(order: OpenOrder, events: Events) -> str:
    """The status that an order has after its own command."""
    done = _after(order, events)
    for event in events:
        if isinstance(event, e.OrderExpired) and event.order == order.order:
            # An order by quote that leaves less than a lot is as filled as it can be.
            rest = event.reason == ExpiryReason.IMMEDIATE_OR_CANCEL and order.quote_quantity
            return "Filled" if rest and done.executed else "Expired"
    if done.quantity and done.executed == done.quantity:
        return "Filled"
    rests = any(isinstance(event, e.OrderRested) for event in events)
    if not rests:
        return "Filled"
    return "PartiallyFilled" if done.executed else "New"
