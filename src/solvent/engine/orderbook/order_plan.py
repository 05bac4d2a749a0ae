"""Plans of orders in kernels: how far one may trade and what it could cost, as in `reference`.

An order is its command.
"""

from typing import NamedTuple

from solvent.domain.commands import OrderType, PlaceOrder, Side, TimeInForce
from solvent.domain.units import RATIO
from solvent.engine.ledger import asset_row
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import (
    best_price,
    cost_up,
    crosses,
    fee_up,
    opposite,
)
from solvent.engine.orderbook.depth import Walk, base_for_quote, best_maker, impact_limit, walk
from solvent.engine.orderbook.levels import order_row
from solvent.engine.units import divide_up
from solvent.kernels.language import kernel, narrow, wide


class OrderPlan(NamedTuple):
    """An order that passed: how far it may trade and what it must hold.

    `payment` is the most it can cost, `quantity` base atoms wanted; `limit` the worst price. Of an
    order by quote, `whole` says that the quote ends before the book does.
    """

    quantity: int
    limit: int
    payment: int
    whole: bool


@kernel
def plan_order(s: Store, command: PlaceOrder) -> OrderPlan:
    """How far an order may trade and what it could cost at most."""
    account, asset, side = command.account, command.asset, command.side
    if command.order_type == OrderType.LIMIT:
        return OrderPlan(command.quantity, command.price, _limit_payment(s, command), False)
    band = impact_limit(s, asset, side, account)
    if band == NONE:
        return OrderPlan(0, 0, 0, False)
    sure = command.time_in_force == TimeInForce.FOK
    wanted = command.quantity
    by_quote = command.quote_quantity
    if by_quote:
        wanted = base_for_quote(s, account, asset, side, band, by_quote, sure)
    seen = walk(s, account, asset, side, band, wanted, sure)
    whole = False
    if by_quote:
        whole = _ends_first(s, command, band, seen)
    if side == Side.ASK:
        return OrderPlan(seen.quantity, band, seen.quantity, whole)
    quote = narrow(seen.quote)
    return OrderPlan(seen.quantity, band, quote + fee_up(quote, s.rules.taker_fee), whole)


@kernel
def _ends_first(s: Store, command: PlaceOrder, band: int, seen: Walk) -> bool:
    """Whether what is left of a quote buys no lot, be it that the book holds more or not."""
    account, asset, side = command.account, command.asset, command.side
    lot = asset_row(s, asset).lot
    sure = command.time_in_force == TimeInForce.FOK
    more = walk(s, account, asset, side, band, seen.quantity + lot, sure)
    if more.quantity > seen.quantity:
        return True
    best = order_row(s, best_maker(s, asset, side, account)).price
    rate = s.rules.taker_fee if side == Side.BID else 0
    return command.quote_quantity - seen.quote < cost_up(s, asset, best, lot, rate)


@kernel
def _limit_payment(s: Store, command: PlaceOrder) -> int:
    """A bid may cost its quantity at its limit with the dearer fee; an ask costs its quantity."""
    if command.side == Side.ASK:
        return command.quantity
    price, quantity = command.price, command.quantity
    return cost_up(s, command.asset, price, quantity, _dearer_fee(s))


@kernel
def _dearer_fee(s: Store) -> int:
    """The higher of the maker's and the taker's fee, 10^-9."""
    return max(s.rules.maker_fee, s.rules.taker_fee)


@kernel
def limit_within_band(s: Store, command: PlaceOrder, plan: OrderPlan) -> int:
    """Worst price an order may trade at."""
    band = impact_limit(s, command.asset, command.side, command.account)
    if band == NONE:
        return plan.limit
    return min(plan.limit, band) if command.side == Side.BID else max(plan.limit, band)


@kernel
def may_rest(command: PlaceOrder) -> bool:
    """Whether what is left of an order may stay in the book."""
    limit = command.order_type == OrderType.LIMIT
    return limit and command.time_in_force == TimeInForce.GTC


@kernel
def beyond_band(s: Store, command: PlaceOrder) -> bool:
    """Whether a limit order would cross the book; for a rest, only the impact band stopped it."""
    best = best_price(s, command.asset, opposite(command.side))
    return best != NONE and crosses(command.side, command.price, best)


@kernel
def least_proceeds(s: Store, command: PlaceOrder, plan: OrderPlan) -> int:
    """USDC that an ask brings at its limit, the dearer fee taken off, rounded down."""
    divisor = asset_row(s, command.asset).value_divisor
    quote = wide(plan.quantity) * plan.limit // divisor
    return narrow(quote - divide_up(quote * _dearer_fee(s), RATIO))


@kernel
def fills_whole(s: Store, command: PlaceOrder, plan: OrderPlan) -> bool:
    """Whether the book surely holds all that a fill-or-kill order wants."""
    account, asset, side = command.account, command.asset, command.side
    if impact_limit(s, asset, side, account) == NONE:
        return False
    if command.quote_quantity:
        return plan.whole and plan.quantity > 0
    wanted = command.quantity
    seen = walk(s, account, asset, side, limit_within_band(s, command, plan), wanted, sure=True)
    return seen.quantity == wanted
