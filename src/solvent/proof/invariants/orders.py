"""Orders: what they promised at placement and how they were asked at the fill (I42).

Fills are followed order by order through a command's events, from what each order had paid ahead
in the state before: quotes and fees round once, on the sum of its fills. A command's own order
shows whether all-or-nothing, a budget and a debt to reduce were kept; why orders ended shows
whether funds that were locked sufficed.

Specification: section 6.3.
"""

from collections import defaultdict
from collections.abc import Iterator

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain.commands import OrderType, Side, TimeInForce
from solvent.domain.events import Event
from solvent.domain.labels import ExpiryReason, SystemOrder
from solvent.domain.settlement_properties import up
from solvent.domain.units import INDEX_SCALE, PRICE_DECIMALS, RATIO, VALUE_DECIMALS
from solvent.proof.invariants.interest import accrual_of
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.state_view import StateView
from solvent.proof.invariants.triggers import check_triggers

ENTERED = (e.OrderAccepted, e.Triggered)
"""With which an order enters: one that a command placed, one that waited."""
ORDER, SIDE, UNFUNDED, REDUCE_ONLY, QUOTE_AHEAD, FEE_AHEAD = 0, 3, 7, 8, 13, 14


def check_orders(
    before: StateView, after: StateView, command: c.Command, events: tuple[Event, ...]
) -> Iterator[Breach]:
    """All that is wrong with the fills and ends of orders that a command led to."""
    yield from check_triggers(before, events)
    yield from _sums(before, events)
    yield from _sufficient(before, command, events)
    yield from _reducing(before, after, events)
    if isinstance(command, c.PlaceOrder) and isinstance(events[0], ENTERED):
        yield from _promises(before, command, events)


def _sums(before: StateView, events: tuple[Event, ...]) -> Iterator[Breach]:
    """What buyers pay and what both sides are charged round up once an order."""
    quotes: dict[int, int] = defaultdict(int)
    fees: dict[int, int] = defaultdict(int)
    for row in before.orders:
        quotes[row[ORDER]], fees[row[ORDER]] = row[QUOTE_AHEAD], row[FEE_AHEAD]
    parameters = before.parameters
    for event in events:
        if not isinstance(event, e.Filled):
            continue
        decimals = parameters.assets[event.asset].decimals
        divisor = 10 ** (decimals + PRICE_DECIMALS - VALUE_DECIMALS)
        bid = event.side is Side.BID
        buyer = event.taker_order if bid else event.maker_order
        exact = event.quantity * event.price
        due = up(exact - quotes[buyer], divisor)
        quotes[buyer] += due * divisor - exact
        if event.quote != due:
            yield breach("I42", "a quote is not that of the sum", event.trade, event.quote, due)
        user = event.system_order is SystemOrder.USER
        taker_rate = parameters.taker_fee if user else parameters.waterfall.book_fee
        received = exact // divisor
        for order, charged, rate, worth in (
            (event.taker_order, event.taker_fee, taker_rate, due if bid else received),
            (event.maker_order, event.maker_fee, parameters.maker_fee, received if bid else due),
        ):
            owed = up(worth * rate - fees[order], RATIO)
            fees[order] += owed * RATIO - worth * rate if user or order == event.maker_order else 0
            # A liquidation's fee is cut to what its fills can bear; it is never more.
            cut = not user and order == event.taker_order and charged < owed
            if charged != owed and not cut:
                yield breach("I42", "a fee is not that of the sum", event.trade, charged, owed)


def _sufficient(
    before: StateView, command: c.Command, events: tuple[Event, ...]
) -> Iterator[Breach]:
    """No order that was funded for all of it ends because funds do not suffice."""
    funded = {row[ORDER] for row in before.orders if not row[UNFUNDED]}
    limit = isinstance(command, c.PlaceOrder) and command.order_type is OrderType.LIMIT
    for event in events:
        if isinstance(event, ENTERED) and limit:
            funded.add(event.order)
        if not isinstance(event, e.OrderExpired) or event.order not in funded:
            continue
        if event.reason is ExpiryReason.INSUFFICIENT_FUNDS:
            yield breach("I42", "a funded order lacked funds", event.order, event.quantity)


def _reducing(before: StateView, after: StateView, events: tuple[Event, ...]) -> Iterator[Breach]:
    """No fill of a reduce-only bid that rested is larger than the debt when its command began.

    In a time step interest comes before fills.
    """
    bids = {row[ORDER] for row in before.orders if row[REDUCE_ONLY] and row[SIDE] == Side.BID}
    for event in events:
        if isinstance(event, e.Filled) and event.maker_order in bids:
            pool = accrual_of(before, event.asset, after.now)
            shares = before.holdings[event.maker].debt_shares[event.asset] * pool.debts
            debt = up(shares * pool.pool.debt_index, INDEX_SCALE)
            if event.quantity > debt:
                yield breach("I42", "a fill is larger than the debt", event.trade, debt)


def _promises(
    before: StateView, command: c.PlaceOrder, events: tuple[Event, ...]
) -> Iterator[Breach]:
    """All or nothing, no more than the quote, no more than the debt; ends told exactly."""
    accepted = events[0]
    assert isinstance(accepted, ENTERED)
    fills = [
        event
        for event in events
        if isinstance(event, e.Filled) and event.taker_order == accepted.order
    ]
    ends = [
        event
        for event in events
        if isinstance(event, e.OrderExpired) and event.order == accepted.order
    ]
    filled = sum(fill.quantity for fill in fills)
    reduces = command.reduce_only and command.side is Side.BID
    if reduces and filled > before.health[command.account].debts[command.asset]:
        yield breach("I42", "a reduce-only bid bought more than the debt", accepted.order, filled)
    killed = command.time_in_force is TimeInForce.FOK
    if killed and command.quantity and filled not in (0, command.quantity):
        yield breach("I42", "a fill-or-kill order filled in part", accepted.order, filled)
    if not command.quote_quantity:
        return
    spent = sum(_spent(before, fill) for fill in fills)
    unspent = sum(end.unspent for end in ends)
    if spent + unspent != command.quote_quantity:
        yield breach("I42", "spent and unspent are not the quote", spent, unspent)
    rest = {ExpiryReason.IMMEDIATE_OR_CANCEL, ExpiryReason.FILL_OR_KILL}
    if killed and any(end.reason not in rest for end in ends):
        yield breach("I42", "a fill-or-kill quote was spent in part", accepted.order, unspent)


def _spent(before: StateView, fill: e.Filled) -> int:
    """USDC that a taker by quote spent: a bid with its fee, an ask before it."""
    if fill.side is Side.BID:
        return fill.quote + fill.taker_fee
    decimals = before.parameters.assets[fill.asset].decimals
    divisor = 10 ** (decimals + PRICE_DECIMALS - VALUE_DECIMALS)
    return int(fill.quantity * fill.price // divisor)
