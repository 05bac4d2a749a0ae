"""Plans of orders in kernels: how far one may trade and what it could cost, as in `reference`.

An order is its command.
"""

from typing import NamedTuple

from solvent.domain.commands import OrderType, PlaceOrder, Side, TimeInForce
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.units import RATIO
from solvent.engine.ledger import asset_row
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import (
    best_price,
    cost_up,
    crosses,
    fee_up,
    impact_limit,
    opposite,
)
from solvent.engine.orderbook.depth import base_for_quote, walk
from solvent.engine.units import divide_up
from solvent.kernels.language import kernel, narrow, wide


class OrderPlan(NamedTuple):
    """An order that passed: how far it may trade and what it must hold.

    `payment` is the most it can cost, `quantity` base atoms wanted; `limit` the worst price.
    """

    quantity: int
    limit: int
    payment: int


@kernel
def plan_order(s: Store, command: PlaceOrder) -> OrderPlan:
    """How far an order may trade and what it could cost at most."""
    account, asset, side = command.account, command.asset, command.side
    if command.order_type == OrderType.LIMIT:
        return OrderPlan(command.quantity, command.price, _limit_payment(s, command))
    band = impact_limit(s, asset, side)
    if band == NONE:
        return OrderPlan(0, 0, 0)
    sure = command.time_in_force == TimeInForce.FOK
    wanted = command.quantity or _base_for_quote(s, command, band)
    seen = walk(s, account, asset, side, band, wanted, sure)
    if side == Side.ASK:
        return OrderPlan(seen.quantity, band, seen.quantity)
    quote = narrow(seen.quote)
    return OrderPlan(seen.quantity, band, quote + fee_up(quote, s.rules.taker_fee))


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
def _base_for_quote(s: Store, command: PlaceOrder, band: int) -> int:
    """Whole lots that a market order by quote can trade without passing its quote quantity."""
    account, asset, side = command.account, command.asset, command.side
    quote = command.quote_quantity
    market = asset_row(s, asset)
    cheapest = max(1, min(band, best_price(s, asset, opposite(side))))
    most = min(MAX_SUPPLY, divide_up(wide(quote) * market.value_divisor, cheapest))
    got = base_for_quote(s, account, asset, side, band, quote)
    return narrow(min(got, most)) // market.lot * market.lot


@kernel
def limit_within_band(s: Store, command: PlaceOrder, plan: OrderPlan) -> int:
    """Worst price an order may trade at."""
    band = impact_limit(s, command.asset, command.side)
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
def wanted_quantity(command: PlaceOrder, plan: OrderPlan) -> int:
    """Base atoms that an order asks for; of one by quote, what they turned out to be."""
    return command.quantity or plan.quantity


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
    if best_price(s, asset, opposite(side)) == NONE:
        return False
    wanted = wanted_quantity(command, plan)
    seen = walk(s, account, asset, side, limit_within_band(s, command, plan), wanted, sure=True)
    return wanted > 0 and seen.quantity == wanted
