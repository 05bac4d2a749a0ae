"""Triggers: orders that wait for a price, hold nothing till then, and are then like any other.

A waiting order is looked at when a command is done, against the mark, the index or the last trade
of its market as they then are; the one that is first in its turn fires, is carried out whole, and
the next is looked for, until none is left that could fire.

Specification: section 6.3.
"""

from solvent.domain.commands import PlaceTrigger, TriggerBy, fired_order
from solvent.domain.events import Triggered, TriggerFailed, TriggerPlaced
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import INT64_MAX
from solvent.reference.orderbook.book import leave, market_of, wait
from solvent.reference.orderbook.orders import (
    enter,
    entry_of,
    is_full,
    order_form,
    order_refusal,
    waiting_form,
)
from solvent.reference.state import State, Trigger


def looked_at(state: State, asset: int, trigger_by: TriggerBy) -> int:
    """The price of an asset that a trigger looks at; 0 before there was one."""
    price = state.prices[asset]
    if trigger_by is TriggerBy.MARK:
        return price.mark
    return price.index if trigger_by is TriggerBy.INDEX else price.last


def trigger_form(state: State, command: PlaceTrigger) -> Refusal | None:
    """Whether a waiting order is well formed; what depends on its market is asked when it fires."""
    refusal = waiting_form(state, fired_order(command))
    if refusal is not None and refusal.code < RejectionCode.INVALID_PRICE:
        return refusal
    wanted, now = command.trigger_price, looked_at(state, command.asset, command.trigger_by)
    tick = market_of(state, command.asset).tick
    if not tick <= wanted <= INT64_MAX // 4 or wanted % tick or (now in (0, wanted)):
        return Refusal(RejectionCode.INVALID_PRICE)
    return refusal


def trigger_refusal(state: State, command: PlaceTrigger) -> Refusal | None:
    """Whether a well-formed order may wait now."""
    if state.prices[command.asset].stale:
        return Refusal(RejectionCode.TRADING_PAUSED, Limit.STALE_PRICE)
    if is_full(state, command.account):
        return Refusal(RejectionCode.ORDER_LIMIT, Limit.ORDER_COUNT)
    return None


def place_trigger(state: State, command: PlaceTrigger) -> None:
    """Let an order that passed wait for its price to come from where it is now."""
    number = state.next_order
    state.next_order += 1
    rising = command.trigger_price > looked_at(state, command.asset, command.trigger_by)
    wait(
        state,
        Trigger(
            order=number,
            becomes=fired_order(command),
            trigger_price=command.trigger_price,
            trigger_by=command.trigger_by,
            rising=rising,
        ),
    )
    state.emit(
        TriggerPlaced(
            order=number,
            account=command.account,
            asset=command.asset,
            side=command.side,
            order_type=command.order_type,
            time_in_force=command.time_in_force,
            price=command.price,
            quantity=command.quantity,
            quote_quantity=command.quote_quantity,
            post_only=int(command.post_only),
            reduce_only=int(command.reduce_only),
            auto_borrow=int(command.auto_borrow),
            auto_borrow_repay=int(command.auto_borrow_repay),
            auto_lend_redeem=int(command.auto_lend_redeem),
            self_trade_prevention=command.self_trade_prevention,
            client_id=command.client_id,
            trigger_price=command.trigger_price,
            trigger_by=command.trigger_by,
            rising=int(rising),
        )
    )


def next_due(state: State) -> Trigger | None:
    """The waiting order that fires next, or None when none is reached."""
    due = (trigger for trigger in state.triggers.values() if _is_reached(state, trigger))
    return min(due, key=_turn, default=None)


def _is_reached(state: State, trigger: Trigger) -> bool:
    """Whether the price has come to where the order waits; never while it is stale."""
    asset = trigger.becomes.asset
    price = looked_at(state, asset, trigger.trigger_by)
    if state.prices[asset].stale:
        return False
    return price >= trigger.trigger_price if trigger.rising else price <= trigger.trigger_price


def _turn(trigger: Trigger) -> tuple[int, ...]:
    """By market, kind of price and direction; then what was reached first; then by age."""
    nearest = trigger.trigger_price if trigger.rising else -trigger.trigger_price
    line = (trigger.becomes.asset, trigger.trigger_by, trigger.rising)
    return (*line, nearest, trigger.order)


def fire(state: State, trigger: Trigger) -> None:
    """Carry out a waiting order whose price was reached, or say why it is refused."""
    order = trigger.becomes
    reached = looked_at(state, order.asset, trigger.trigger_by)
    leave(state, trigger)
    state.asleep = False
    named = trigger.order, order.account, order.asset, trigger.trigger_by, reached
    refusal = order_form(state, order) or order_refusal(state, order)
    if refusal is not None:
        state.emit(TriggerFailed(*named, refusal.code, refusal.limit))
        return
    entry = entry_of(state, order)
    state.emit(Triggered(*named, entry.lock))
    enter(state, order, trigger.order, entry)
