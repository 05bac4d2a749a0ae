"""Answers: what a client is told about what its commands led to, made of commands and events alone.

Nothing here looks at the market as it is now, so that a request that comes again, also after a
restart, gets the same bytes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain.labels import ExpiryReason
from solvent.domain.parameters import EngineParameters
from solvent.service.errors import from_refusal
from solvent.service.open_orders import OpenOrder, accepted
from solvent.service.replies import Answer
from solvent.service.shapes import order_object, withdrawal_object
from solvent.service.strict_json import JsonValue, encode

Events = tuple[e.Event, ...]


class Result(NamedTuple):
    """A command, its number among all commands, what happened, and the orders that ended by it."""

    number: int
    command: c.Command
    events: Events
    ended: Sequence[OpenOrder]


OK = Answer(200, b"")


def placed_by(command: c.Command, events: Events, time: int) -> OpenOrder | None:
    """The order that a command placed, as it was when it entered, before any fill."""
    if not isinstance(command, c.PlaceOrder):
        return None
    for event in events:
        if isinstance(event, e.OrderAccepted) and event.account == command.account:
            return accepted(command, event.order, time)
    return None


def answer(
    parameters: EngineParameters,
    results: Sequence[Result],
    time: int,
    *,
    is_batch: bool = False,
    memo: tuple[str, str, str] | None = None,
) -> Answer:
    """What is said to a request of these results: without a batch, what its first success says."""
    if is_batch:
        return Answer(200, encode([_batch_item(parameters, result, time) for result in results]))
    if not results:
        return OK
    result = next((each for each in results if _refused(each.events) is None), results[0])
    refused = _refused(result.events)
    if refused is not None:
        error = from_refusal(refused, parameters, result.command)
        return Answer(error.status, encode({"code": error.code, "message": error.message}))
    body = _body(parameters, result, time, memo)
    return OK if body is None else Answer(200, encode(body))


def _refused(events: Events) -> e.Refused | None:
    return events[0] if events and isinstance(events[0], e.Refused) else None


def _batch_item(parameters: EngineParameters, result: Result, time: int) -> JsonValue:
    refused = _refused(result.events)
    if refused is not None:
        error = from_refusal(refused, parameters, result.command)
        return {"operation": "Err", "code": error.code, "message": error.message}
    body = _body(parameters, result, time, None)
    return {"operation": "Ok", **(body if isinstance(body, dict) else {})}


def _body(
    parameters: EngineParameters,
    result: Result,
    time: int,
    memo: tuple[str, str, str] | None,
) -> JsonValue:
    command = result.command
    if isinstance(command, c.PlaceOrder):
        order = placed_by(command, result.events, time)
        assert order is not None
        return order_object(parameters, _after(order, result.events), _status(order, result.events))
    if isinstance(command, c.CancelOrder):
        return order_object(parameters, result.ended[-1], "Cancelled")
    if isinstance(command, c.CancelAllOrders):
        return [order_object(parameters, order, "Cancelled") for order in result.ended]
    if isinstance(command, c.Withdraw):
        return withdrawal_object(parameters, result.number, command, time, memo)
    return None


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
