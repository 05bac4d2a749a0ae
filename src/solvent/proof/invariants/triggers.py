"""Triggers: what waits, when it fires and in which order, from prices and events alone (I42).

A command and each waiting order that it fired are looked at one by one. Where one begins that was
not fired, nothing may be left that could; one that was fired must have been first in its turn.

Specification: section 6.3.
"""

from collections.abc import Iterator
from operator import itemgetter

from solvent.domain import events as e
from solvent.domain.commands import TriggerBy
from solvent.domain.events import Event
from solvent.proof.invariants.invariants import ORDER, PLACE, Breach, breach
from solvent.proof.invariants.state_view import StateView
from solvent.reference.state import Trigger

ENDS = (e.OrderCancelled, e.OrderExpired, e.Triggered, e.TriggerFailed)


def check_triggers(before: StateView, events: tuple[Event, ...]) -> Iterator[Breach]:
    """What was reached has fired, one after another, and nothing else."""
    due = sorted(_due(before))
    first = events[0] if events else None
    if not isinstance(first, e.Triggered | e.TriggerFailed):
        if due:
            yield breach("I42", "a price was reached and nothing fired", due[0][-1])
        return
    if not due or due[0][-1] != first.order:
        yield breach("I42", "an order fired out of its turn", first.order)
        return
    trigger = next(each for each in before.triggers if each.order == first.order)
    if first.reached != _price(before, trigger):
        yield breach("I42", "an order fired at another price", first.order, first.reached)


def _due(view: StateView) -> Iterator[tuple[int, ...]]:
    """Turn and number of each order whose price is reached."""
    for trigger in view.triggers:
        asset, wanted = trigger.becomes.asset, trigger.trigger_price
        price = _price(view, trigger)
        rose, fell = trigger.rising and price >= wanted, not trigger.rising and price <= wanted
        if (rose or fell) and not view.prices[asset].stale:
            turn = asset, int(trigger.trigger_by), int(rose), wanted if rose else -wanted
            yield (*turn, trigger.order)


def _price(view: StateView, trigger: Trigger) -> int:
    asset = trigger.becomes.asset
    price = view.prices[asset]
    return {
        TriggerBy.MARK: price.mark,
        TriggerBy.INDEX: price.index_price,
        TriggerBy.LAST: view.last_trades[asset],
    }[trigger.trigger_by]


def check_waiting_orders(
    before: StateView, after: StateView, events: tuple[Event, ...]
) -> Iterator[Breach]:
    """Waiting orders come and go as the events say, and trades are the last prices."""
    waiting = {trigger.order: trigger for trigger in before.triggers}
    last = list(before.last_trades)
    placed = set()
    for event in events:
        if isinstance(event, ENDS):
            waiting.pop(event.order, None)
        elif isinstance(event, e.TriggerPlaced):
            placed.add(event.order)
        elif isinstance(event, e.Filled):
            last[event.asset] = event.price
    if {trigger.order for trigger in after.triggers} != waiting.keys() | placed:
        yield breach("I42", "waiting orders are not those that the events tell of", *waiting)
    if any(waiting.get(each.order, each) != each for each in after.triggers):
        yield breach("I42", "a waiting order became another", *waiting)
    rested = [event.order for event in events if isinstance(event, e.OrderRested)]
    youngest = max(after.orders, key=itemgetter(PLACE), default=None)
    if rested and youngest is not None and youngest[ORDER] != rested[-1]:
        yield breach("I27", "an order came to rest before others", rested[-1], youngest[ORDER])
    if list(after.last_trades) != last:
        yield breach("I42", "a last price is not that of the last trade", *after.last_trades)
