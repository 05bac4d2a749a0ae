"""Plans of orders in kernels: how far one may trade and what it could cost, as in `reference`.

An order is the row of its command, and the names of its fields are here.
"""

from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.commands import OrderType, Side, TimeInForce
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.units import RATIO
from solvent.engine.ledger import asset_row
from solvent.engine.memory.layout import (
    COMMAND_WIDTH,
    LOT,
    MAKER_FEE,
    NONE,
    TAKER_FEE,
    VALUE_DIVISOR,
    field_of,
)
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
from solvent.kernels.language import Memory, Store, kernel, narrow, wide

ASKED_ACCOUNT = field_of(c.PlaceOrder, "account")
ASKED_ASSET = field_of(c.PlaceOrder, "asset")
ASKED_SIDE = field_of(c.PlaceOrder, "side")
ASKED_TYPE = field_of(c.PlaceOrder, "order_type")
ASKED_TIME_IN_FORCE = field_of(c.PlaceOrder, "time_in_force")
ASKED_PRICE = field_of(c.PlaceOrder, "price")
ASKED_QUANTITY = field_of(c.PlaceOrder, "quantity")
ASKED_QUOTE_QUANTITY = field_of(c.PlaceOrder, "quote_quantity")
ASKED_POST_ONLY = field_of(c.PlaceOrder, "post_only")
ASKED_REDUCE_ONLY = field_of(c.PlaceOrder, "reduce_only")
ASKED_AUTO_BORROW = field_of(c.PlaceOrder, "auto_borrow")
ASKED_AUTO_BORROW_REPAY = field_of(c.PlaceOrder, "auto_borrow_repay")
ASKED_AUTO_LEND_REDEEM = field_of(c.PlaceOrder, "auto_lend_redeem")
ASKED_SELF_TRADE_PREVENTION = field_of(c.PlaceOrder, "self_trade_prevention")
ASKED_CLIENT_ID = field_of(c.PlaceOrder, "client_id")


class OrderPlan(NamedTuple):
    """An order that passed: how far it may trade and what it must hold.

    `payment` is the most it can cost, `quantity` base atoms wanted; `limit` the worst price.
    """

    quantity: int
    limit: int
    payment: int


@kernel
def plan_order(s: Store, command: Memory) -> OrderPlan:
    """How far an order may trade and what it could cost at most."""
    account, asset, side = command[ASKED_ACCOUNT], command[ASKED_ASSET], command[ASKED_SIDE]
    if command[ASKED_TYPE] == OrderType.LIMIT:
        return OrderPlan(command[ASKED_QUANTITY], command[ASKED_PRICE], _limit_payment(s, command))
    band = impact_limit(s, asset, side)
    if band == NONE:
        return OrderPlan(0, 0, 0)
    sure = command[ASKED_TIME_IN_FORCE] == TimeInForce.FOK
    wanted = command[ASKED_QUANTITY]
    if wanted == 0:
        wanted = _base_for_quote(s, command, band)
    seen = walk(s, account, asset, side, band, wanted, sure)
    if side == Side.ASK:
        return OrderPlan(seen.quantity, band, seen.quantity)
    quote = narrow(seen.quote)
    return OrderPlan(seen.quantity, band, quote + fee_up(quote, s.rules[TAKER_FEE]))


@kernel
def _limit_payment(s: Store, command: Memory) -> int:
    """A bid may cost its quantity at its limit with the dearer fee; an ask costs its quantity."""
    if command[ASKED_SIDE] == Side.ASK:
        return command[ASKED_QUANTITY]
    price, quantity = command[ASKED_PRICE], command[ASKED_QUANTITY]
    return cost_up(s, command[ASKED_ASSET], price, quantity, _dearer_fee(s))


@kernel
def _dearer_fee(s: Store) -> int:
    """The higher of the maker's and the taker's fee, 10^-9."""
    return max(s.rules[MAKER_FEE], s.rules[TAKER_FEE])


@kernel
def _base_for_quote(s: Store, command: Memory, band: int) -> int:
    """Whole lots that a market order by quote can trade without passing its quote quantity."""
    account, asset, side = command[ASKED_ACCOUNT], command[ASKED_ASSET], command[ASKED_SIDE]
    quote = command[ASKED_QUOTE_QUANTITY]
    market = asset_row(s, asset)
    cheapest = max(1, min(band, best_price(s, asset, opposite(side))))
    most = min(MAX_SUPPLY, divide_up(wide(quote) * market[VALUE_DIVISOR], cheapest))
    got = base_for_quote(s, account, asset, side, band, quote)
    return narrow(min(got, most)) // market[LOT] * market[LOT]


@kernel
def copy_order(command: Memory, target: Memory) -> None:
    """Write an order over another row, to ask `what if` of."""
    for number in range(COMMAND_WIDTH):
        target[number] = command[number]


@kernel
def limit_within_band(s: Store, command: Memory, plan: OrderPlan) -> int:
    """Worst price an order may trade at."""
    band = impact_limit(s, command[ASKED_ASSET], command[ASKED_SIDE])
    if band == NONE:
        return plan.limit
    return min(plan.limit, band) if command[ASKED_SIDE] == Side.BID else max(plan.limit, band)


@kernel
def may_rest(command: Memory) -> bool:
    """Whether what is left of an order may stay in the book."""
    limit = command[ASKED_TYPE] == OrderType.LIMIT
    return limit and command[ASKED_TIME_IN_FORCE] == TimeInForce.GTC


@kernel
def beyond_band(s: Store, command: Memory) -> bool:
    """Whether a limit order would cross the book; for a rest, only the impact band stopped it."""
    best = best_price(s, command[ASKED_ASSET], opposite(command[ASKED_SIDE]))
    return best != NONE and crosses(command[ASKED_SIDE], command[ASKED_PRICE], best)


@kernel
def wanted_quantity(command: Memory, plan: OrderPlan) -> int:
    """Base atoms that an order asks for; of one by quote, what they turned out to be."""
    return command[ASKED_QUANTITY] if command[ASKED_QUANTITY] else plan.quantity


@kernel
def least_proceeds(s: Store, command: Memory, plan: OrderPlan) -> int:
    """USDC that an ask brings at its limit, the dearer fee taken off, rounded down."""
    divisor = asset_row(s, command[ASKED_ASSET])[VALUE_DIVISOR]
    quote = wide(plan.quantity) * plan.limit // divisor
    return narrow(quote - divide_up(quote * _dearer_fee(s), RATIO))


@kernel
def fills_whole(s: Store, command: Memory, plan: OrderPlan) -> bool:
    """Whether the book surely holds all that a fill-or-kill order wants."""
    account, asset, side = command[ASKED_ACCOUNT], command[ASKED_ASSET], command[ASKED_SIDE]
    if best_price(s, asset, opposite(side)) == NONE:
        return False
    wanted = wanted_quantity(command, plan)
    seen = walk(s, account, asset, side, limit_within_band(s, command, plan), wanted, sure=True)
    return wanted > 0 and seen.quantity == wanted
