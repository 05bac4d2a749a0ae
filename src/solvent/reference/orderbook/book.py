"""The order book: price-time priority, one market per asset against USDC.

Resting orders are kept best price first and, within a price, oldest first. This module puts orders
in, takes them out, frees what they lock, and answers questions about the book; `matching` trades
and `orders` decides which orders may be placed.

A bid locks USDC for its quantity at its price plus the maker's fee; an ask locks the base asset.
What an order does not lock (`unfunded`) would be borrowed when it fills, and counts in its owner's
initial requirement until then.

Specification: section 6.3.
"""

from bisect import insort
from typing import NamedTuple

from solvent.domain.commands import Side
from solvent.domain.events import OrderCancelled, OrderExpired
from solvent.domain.labels import ExpiryReason
from solvent.domain.parameters import USDC, MarketParameters
from solvent.domain.units import RATIO, divide_up, mul_div_up, value_divisor, value_up
from solvent.reference.ledger import available, locked, move
from solvent.reference.limits import largest_passing
from solvent.reference.state import Order, State, Trigger


def market_of(state: State, asset: int) -> MarketParameters:
    """Filters and bands of an asset's market; USDC has none and must not be asked for."""
    market = state.asset(asset).market
    if market is None:
        raise AssertionError(f"asset {asset} has no market")
    return market


def pays_with(side: Side, asset: int) -> int:
    """The asset that an order gives: USDC for a bid, the base asset for an ask."""
    return USDC if side is Side.BID else asset


def fee_up(quote: int, rate: int) -> int:
    """Trading fee on `quote` USDC atoms."""
    return mul_div_up(quote, rate, RATIO)


class Bill(NamedTuple):
    """What a buyer pays for a fill, USDC atoms, and how far its order then is ahead."""

    quote: int
    fee: int
    quote_ahead: int
    fee_ahead: int

    @property
    def total(self) -> int:
        """Quote and fee."""
        return self.quote + self.fee


def bill_of(
    state: State, asset: int, price: int, quantity: int, rate: int, quote_ahead: int, fee_ahead: int
) -> Bill:
    """What one more fill costs a buyer whose order is ahead so far: the sums round up once.

    An order that is filled in many parts pays what it would have paid for them in one.
    """
    divisor = value_divisor(state.asset(asset).decimals)
    exact = quantity * price - quote_ahead
    quote = divide_up(exact, divisor)
    fee, ahead = fee_of(quote, rate, fee_ahead)
    return Bill(quote, fee, quote * divisor - exact, ahead)


def fee_of(quote: int, rate: int, fee_ahead: int) -> tuple[int, int]:
    """Fee on `quote` more, where `fee_ahead` was charged beyond the exact sum, and what is then."""
    exact = quote * rate - fee_ahead
    fee = divide_up(exact, RATIO)
    return fee, fee * RATIO - exact


def borne_rate(side: Side, price: int, bearable: int, rate: int) -> int:
    """A taker's fee, cut to what a fill at `price` leaves to the `bearable` one; 0 cuts nothing."""
    if not bearable:
        return rate
    spare = bearable - price if side is Side.BID else price - bearable
    return max(0, min(rate, spare * RATIO // price))


def cost_up(state: State, asset: int, price: int, quantity: int, fee_rate: int) -> int:
    """USDC that a buyer of `quantity` at `price` pays, fee included."""
    quote = value_up(quantity, price, state.asset(asset).decimals)
    return quote + fee_up(quote, fee_rate)


def side_of(state: State, asset: int, side: Side) -> list[int]:
    """Ids of the resting orders on one side, in priority order."""
    book = state.books[asset]
    return book.bids if side is Side.BID else book.asks


def opposite(side: Side) -> Side:
    """The other side."""
    return Side.ASK if side is Side.BID else Side.BID


def crosses(side: Side, limit: int, price: int) -> bool:
    """Whether a taker on `side` with `limit` would trade at `price`."""
    return price <= limit if side is Side.BID else price >= limit


def best_price(state: State, asset: int, side: Side) -> int | None:
    """Best resting price of a side, or None when it is empty."""
    ids = side_of(state, asset, side)
    return state.orders[ids[0]].price if ids else None


def insert(state: State, order: Order) -> None:
    """Let an order rest, behind all orders at its price."""
    state.orders[order.order] = order
    ids = side_of(state, order.asset, order.side)
    if order.side is Side.BID:
        insort(ids, order.order, key=lambda other: _turn(state.orders[other], -1))
    else:
        insort(ids, order.order, key=lambda other: _turn(state.orders[other], 1))
    state.accounts[order.account].open_orders.add(order.order)


def _turn(order: Order, rising: int) -> tuple[int, int]:
    """Where an order stands on its side: by price, and by age among those at its price."""
    return rising * order.price, order.place


def remove(state: State, order: Order) -> None:
    """Take a resting order out and free what it still locks and what it would have borrowed."""
    side_of(state, order.asset, order.side).remove(order.order)
    del state.orders[order.order]
    state.accounts[order.account].open_orders.discard(order.order)
    set_funding(state, order, 0, 0)


def set_funding(state: State, order: Order, lock: int, unfunded: int) -> None:
    """Make an order lock `lock` atoms (at most what it locks now) and `unfunded` more on credit."""
    asset = pays_with(order.side, order.asset)
    freed = order.locked - lock
    # `move` refuses a negative quantity, so a lock never grows here.
    move(state, asset, freed, locked(order.account), available(order.account))
    state.accounts[order.account].unfunded[asset] += unfunded - order.unfunded
    order.locked = lock
    order.unfunded = unfunded


def cancel(state: State, order: Order) -> None:
    """End a resting order at its owner's wish."""
    remove(state, order)
    state.emit(OrderCancelled(order.order, order.account, order.quantity))


def expire(state: State, order: Order, reason: ExpiryReason) -> None:
    """End a resting order for a reason its owner did not choose."""
    remove(state, order)
    state.emit(OrderExpired(order.order, order.account, order.quantity, reason, 0))


def expire_all(state: State, account: int, reason: ExpiryReason) -> None:
    """End all of an account's orders, oldest first; nothing of it is locked afterwards (I20)."""
    for order in open_orders(state, account):
        if isinstance(order, Order):
            expire(state, order, reason)
        else:
            expire_waiting(state, order, reason)


def open_orders(state: State, account: int) -> list[Order | Trigger]:
    """Orders of an account that rest or wait, oldest first."""
    holder = state.accounts[account]
    found: list[Order | Trigger] = [state.orders[number] for number in holder.open_orders]
    found += [state.triggers[number] for number in holder.triggers]
    return sorted(found, key=_age)


def _age(order: Order | Trigger) -> int:
    return order.place if isinstance(order, Order) else order.order


def wait(state: State, trigger: Trigger) -> None:
    """Let an order wait."""
    state.triggers[trigger.order] = trigger
    state.accounts[trigger.becomes.account].triggers.add(trigger.order)


def leave(state: State, trigger: Trigger) -> None:
    """Let an order wait no longer; it holds nothing."""
    del state.triggers[trigger.order]
    state.accounts[trigger.becomes.account].triggers.discard(trigger.order)


def cancel_waiting(state: State, trigger: Trigger) -> None:
    """End a waiting order at its owner's wish."""
    leave(state, trigger)
    state.emit(OrderCancelled(trigger.order, trigger.becomes.account, trigger.becomes.quantity))


def expire_waiting(state: State, trigger: Trigger, reason: ExpiryReason) -> None:
    """End a waiting order for a reason its owner did not choose."""
    leave(state, trigger)
    wanted = trigger.becomes
    quote = wanted.quote_quantity
    state.emit(OrderExpired(trigger.order, wanted.account, wanted.quantity, reason, quote))


def expire_paying(state: State, account: int, asset: int, reason: ExpiryReason) -> None:
    """End the orders of an account that pay with `asset`, oldest first; none of it is locked."""
    for order in open_orders(state, account):
        if isinstance(order, Order) and pays_with(order.side, order.asset) == asset:
            expire(state, order, reason)


def required_lock(state: State, order: Order) -> int:
    """What the rest of an order needs to be paid in full at its limit, maker's fee included."""
    if order.side is Side.ASK:
        return order.quantity
    return next_bill(state, order, order.quantity).total


def next_bill(state: State, order: Order, quantity: int) -> Bill:
    """What a resting bid pays for `quantity` at its price."""
    rate = state.parameters.maker_fee
    ahead = order.quote_ahead, order.fee_ahead
    return bill_of(state, order.asset, order.price, quantity, rate, *ahead)


class Purchase(NamedTuple):
    """What a buyer asks who may be ahead: about which asset, at which price and fee."""

    asset: int
    price: int
    fee_rate: int
    quote_ahead: int = 0
    fee_ahead: int = 0


def affordable(state: State, purchase: Purchase, budget: int, wanted: int) -> int:
    """Most of `wanted`, in whole lots, that `budget` USDC buys, fee included."""

    def buys(quantity: int) -> bool:
        asset, price, rate, *ahead = purchase
        return bill_of(state, asset, price, quantity, rate, *ahead).total <= budget

    if buys(wanted):
        return wanted
    lot = market_of(state, purchase.asset).lot
    return largest_passing(lambda lots: buys(lots * lot), wanted // lot) * lot
