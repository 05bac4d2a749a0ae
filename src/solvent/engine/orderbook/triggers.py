"""Triggers in kernels: orders that wait for a price, as `reference.orderbook.triggers`.

What waits in a market lies in six lines of levels: mark, index and last trade, each falling and
rising, nearest last. A look asks only markets in which a price was made, and there the nearest.
"""

from solvent.domain.commands import PlaceOrder, PlaceTrigger, TriggerBy
from solvent.domain.events import Triggered, TriggerFailed, TriggerPlaced
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INT64_MAX
from solvent.engine.ledger import asset_row, is_stale
from solvent.engine.margin import first_asset
from solvent.engine.memory.layout import FIRST_WAITING, LINES, NONE
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import insert, remove
from solvent.engine.orderbook.levels import best_slot, order_row, take_slot
from solvent.engine.orderbook.order_plan import plan_order
from solvent.engine.orderbook.orders import (
    enter,
    entry_of,
    is_full,
    order_form,
    order_refusal,
    waiting_form,
)
from solvent.engine.refusals import refusal_code, refusal_limit, refuse
from solvent.kernels.language import bit, emit, kernel, message, put_message


@kernel
def looked_at(s: Store, asset: int, trigger_by: TriggerBy) -> int:
    """The price of an asset that a trigger looks at; 0 before there was one."""
    price = s.prices[asset]
    if trigger_by == TriggerBy.MARK:
        return price.mark
    return price.index if trigger_by == TriggerBy.INDEX else price.last


@kernel
def trigger_form(s: Store, command: PlaceTrigger, order: PlaceOrder) -> int:
    """Whether a waiting order is well formed; what depends on its market is asked when it fires.

    `order` is what it becomes.
    """
    refusal = waiting_form(s, order)
    if refusal and refusal_code(refusal) < RejectionCode.INVALID_PRICE:
        return refusal
    wanted, now = command.trigger_price, looked_at(s, command.asset, command.trigger_by)
    tick = asset_row(s, command.asset).tick
    if not tick <= wanted <= INT64_MAX // 4 or wanted % tick or now == 0 or now == wanted:
        return refuse(RejectionCode.INVALID_PRICE, Limit.NONE)
    return refusal


@kernel
def trigger_refusal(s: Store, command: PlaceTrigger) -> int:
    """Whether a well-formed order may wait now."""
    if is_stale(s, command.asset):
        return refuse(RejectionCode.TRADING_PAUSED, Limit.STALE_PRICE)
    if is_full(s, command.account):
        return refuse(RejectionCode.ORDER_LIMIT, Limit.ORDER_COUNT)
    return 0


@kernel
def place_trigger(s: Store, command: PlaceTrigger) -> None:
    """Let an order that passed wait for its price to come from where it is now."""
    number = s.globals.next_order
    s.globals.next_order = number + 1
    now = looked_at(s, command.asset, command.trigger_by)
    rising = 1 if command.trigger_price > now else 0
    slot = take_slot(s)
    put_message(command, s.triggers[slot].asked)
    order = order_row(s, slot)
    order.order = number
    order.account = command.account
    order.asset = command.asset
    order.side = command.side
    order.price = command.trigger_price
    order.quantity = command.quantity
    order.locked = 0
    order.unfunded = 0
    order.place = number
    order.line = FIRST_WAITING + 2 * command.trigger_by + rising
    insert(s, slot)
    emit(
        s,
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
            post_only=command.post_only,
            reduce_only=command.reduce_only,
            auto_borrow=command.auto_borrow,
            auto_borrow_repay=command.auto_borrow_repay,
            auto_lend_redeem=command.auto_lend_redeem,
            self_trade_prevention=command.self_trade_prevention,
            client_id=command.client_id,
            trigger_price=command.trigger_price,
            trigger_by=command.trigger_by,
            rising=rising,
        ),
    )


@kernel
def look(s: Store) -> None:
    """Fire what waits in the markets in which prices were made, until none is left that could."""
    printed = s.globals.printed
    while printed and s.globals.waiting:
        asset = first_asset(printed)
        printed = printed ^ bit(asset)
        slot = next_due(s, asset)
        while slot != NONE:
            fire(s, slot)
            slot = next_due(s, asset)
    s.globals.printed = 0


@kernel
def is_any_due(s: Store) -> bool:
    """Whether an order waits for one of the prices that were made."""
    printed = s.globals.printed
    while printed and s.globals.waiting:
        asset = first_asset(printed)
        printed = printed ^ bit(asset)
        if next_due(s, asset) != NONE:
            return True
    return False


@kernel
def next_due(s: Store, asset: int) -> int:
    """Slot of the waiting order of a market that fires next, or NONE when none is reached."""
    if is_stale(s, asset):
        return NONE
    for line in range(FIRST_WAITING, LINES):
        slot = best_slot(s, asset, line)
        if slot != NONE:
            price = looked_at(s, asset, TriggerBy((line - FIRST_WAITING) // 2))
            wanted = order_row(s, slot).price
            if price >= wanted if line % 2 else price <= wanted:
                return slot
    return NONE


@kernel
def fire(s: Store, slot: int) -> None:
    """Carry out a waiting order whose price was reached, or say why it is refused."""
    asked = s.triggers[slot].asked
    trigger, command = message(PlaceTrigger, asked), message(PlaceOrder, asked)
    number, trigger_by = order_row(s, slot).order, trigger.trigger_by
    reached = looked_at(s, command.asset, trigger_by)
    remove(s, slot)
    s.globals.asleep = 0
    refusal = order_form(s, command)
    if not refusal:
        refusal = order_refusal(s, command)
    if refusal:
        emit(
            s,
            TriggerFailed(
                order=number,
                account=command.account,
                asset=command.asset,
                trigger_by=trigger_by,
                reached=reached,
                code=RejectionCode(refusal_code(refusal)),
                limit=Limit(refusal_limit(refusal)),
            ),
        )
        return
    plan = plan_order(s, command)
    funding = entry_of(s, command, plan)
    emit(
        s,
        Triggered(
            order=number,
            account=command.account,
            asset=command.asset,
            trigger_by=trigger_by,
            reached=reached,
            locked=plan.payment - funding.borrowed,
        ),
    )
    enter(s, command, number, plan, funding)
