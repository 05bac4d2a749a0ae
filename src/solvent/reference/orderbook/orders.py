"""Orders: which may be placed, and what becomes of them.

An order is checked in the order of the rejection enum, against what it could do at worst: its full
quantity at its limit. Funds come from the free balance, then from a redemption (autoLendRedeem),
then on credit (autoBorrow), and each obeys the pool's limits. Then it trades; what is left rests,
expires, or, for fill-or-kill, never began.

Market orders are bounded by the impact band: the best opposite price times the market's multiplier.
A limit order that reaches beyond the band trades up to it and the rest expires.

Specification: section 6.3.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from solvent.domain.commands import OrderType, PlaceOrder, Side, TimeInForce
from solvent.domain.events import OrderAccepted, OrderExpired, OrderRested
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE, USDC
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import RATIO, divide_up, value_divisor
from solvent.reference.ledger import available, claim_of, debt_of, locked, move
from solvent.reference.lending import pool as pools
from solvent.reference.lending.wallet import Funding, redeem_rounding
from solvent.reference.limits import largest_passing, risk_refusal
from solvent.reference.margin import portfolio_of
from solvent.reference.orderbook.book import (
    best_price,
    bill_of,
    cost_up,
    crosses,
    fee_up,
    insert,
    market_of,
    opposite,
    pays_with,
)
from solvent.reference.orderbook.depth import Walk, base_for_quote, best_maker, impact_limit, walk
from solvent.reference.orderbook.matching import Taker, match
from solvent.reference.state import Order, State


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """An order that passed: how far it may trade and what it must hold.

    `payment` is the most it can cost, `quantity` base atoms wanted; `limit` the worst price. Of an
    order by quote, `whole` says that the quote ends before the book does.
    """

    quantity: int
    limit: int
    payment: int
    whole: bool = False


def order_form(state: State, command: PlaceOrder) -> Refusal | None:
    """Whether an order is well formed and within its market's filters and price band."""
    return (
        _quantity_refusal(state, command)
        or _price_refusal(state, command)
        or _kind_refusal(state, command)
    )


def order_refusal(state: State, command: PlaceOrder) -> Refusal | None:
    """Whether a well-formed order may trade now, is funded, and is borne by its owner's margin."""
    if state.prices[command.asset].stale:
        return Refusal(RejectionCode.TRADING_PAUSED, Limit.STALE_PRICE)
    if _may_rest(command) and is_full(state, command.account):
        return Refusal(RejectionCode.ORDER_LIMIT, Limit.ORDER_COUNT)
    return _means_refusal(state, command, plan_order(state, command))


def is_full(state: State, account: int) -> bool:
    """Whether as many orders of an account rest and wait as may."""
    holder = state.accounts[account]
    count = len(holder.open_orders) + len(holder.triggers)
    return count >= state.parameters.max_orders_per_account


def waiting_form(state: State, command: PlaceOrder) -> Refusal | None:
    """Whether an order that is to wait is well formed, whatever its market is when it fires."""
    market, price = market_of(state, command.asset), command.price
    refusal = _amount_refusal(state, command)
    if refusal is not None:
        return refusal
    if command.order_type is OrderType.MARKET:
        if price:
            return Refusal(RejectionCode.INVALID_PRICE)
    elif price < market.tick or price % market.tick:
        return Refusal(RejectionCode.INVALID_PRICE)
    if command.order_type is OrderType.LIMIT and command.quote_quantity:
        return Refusal(RejectionCode.INVALID_ORDER)
    if command.post_only and not _may_rest(command):
        return Refusal(RejectionCode.INVALID_ORDER)
    return None


def _quantity_refusal(state: State, command: PlaceOrder) -> Refusal | None:
    """A right amount; of an order by quote, one for the minimum at the book's prices."""
    refusal = _amount_refusal(state, command)
    if refusal is None and command.quote_quantity and _below_minimum(state, command):
        return Refusal(RejectionCode.INVALID_QUANTITY)
    return refusal


def _amount_refusal(state: State, command: PlaceOrder) -> Refusal | None:
    """One quantity, in whole lots, at least the minimum, worth no more than a column holds."""
    market = market_of(state, command.asset)
    by_quote = command.quote_quantity != 0
    refusal = Refusal(RejectionCode.INVALID_QUANTITY)
    if min(command.quantity, command.quote_quantity) < 0 or by_quote == (command.quantity != 0):
        return refusal
    if max(command.quantity, command.quote_quantity) > MAX_SUPPLY:
        return refusal
    if command.quantity % market.lot or (not by_quote and command.quantity < market.min_quantity):
        return refusal
    if by_quote:
        return None
    divisor = value_divisor(state.asset(command.asset).decimals)
    return refusal if command.quantity * command.price > MAX_VALUE * divisor else None


def _below_minimum(state: State, command: PlaceOrder) -> bool:
    """Whether a market order by quote is for less than the minimum at the book's prices."""
    if command.order_type is OrderType.LIMIT:
        return False
    plan = plan_order(state, command)
    return plan.whole and plan.quantity < market_of(state, command.asset).min_quantity


def _price_refusal(state: State, command: PlaceOrder) -> Refusal | None:
    """No price for a market order; whole ticks within the band of the mark for a limit order."""
    if command.order_type is OrderType.MARKET:
        return Refusal(RejectionCode.INVALID_PRICE) if command.price else None
    market = market_of(state, command.asset)
    if command.price < market.tick or command.price % market.tick:
        return Refusal(RejectionCode.INVALID_PRICE)
    mark = state.mark(command.asset)
    highest = mark * market.max_multiplier // RATIO
    if command.side is Side.BID and mark and command.price > highest:
        return Refusal(RejectionCode.INVALID_PRICE, Limit.PRICE_BAND, highest)
    if command.side is Side.ASK and command.price * RATIO < mark * market.min_multiplier:
        return Refusal(RejectionCode.INVALID_PRICE, Limit.PRICE_BAND)
    return None


def _kind_refusal(state: State, command: PlaceOrder) -> Refusal | None:
    """Flags that make sense together; post-only orders that rest, reduce-only ones that reduce."""
    refusal = Refusal(RejectionCode.INVALID_ORDER)
    if command.order_type is OrderType.LIMIT and command.quote_quantity:
        return refusal
    if command.post_only:
        best = best_price(state, command.asset, opposite(command.side))
        if not _may_rest(command):
            return refusal
        if best is not None and crosses(command.side, command.price, best):
            return refusal
    if command.reduce_only and not _reduces(state, command):
        return Refusal(RejectionCode.INVALID_ORDER, Limit.OUTSTANDING_DEBT)
    return None


def _reduces(state: State, command: PlaceOrder) -> bool:
    """A reduce-only bid buys back a debt; a reduce-only ask sells what is held."""
    quantity = command.quantity or plan_order(state, command).quantity
    if command.side is Side.BID:
        return 0 < quantity <= debt_of(state, command.account, command.asset)
    held = state.accounts[command.account].available[command.asset]
    held += claim_of(state, command.account, command.asset)
    return not command.auto_borrow and quantity <= held


def plan_order(state: State, command: PlaceOrder) -> OrderPlan:
    """How far an order may trade and what it could cost at most."""
    if command.order_type is OrderType.LIMIT:
        payment = _limit_payment(state, command)
        return OrderPlan(command.quantity, command.price, payment)
    account, asset, side = command.account, command.asset, command.side
    band = impact_limit(state, asset, side, account)
    if band is None:
        return OrderPlan(0, 0, 0)
    sure = command.time_in_force is TimeInForce.FOK
    wanted = command.quantity
    if command.quote_quantity:
        wanted = base_for_quote(state, account, asset, side, band, command.quote_quantity, sure)
    seen = walk(state, account, asset, side, band, wanted, sure)
    whole = bool(command.quote_quantity) and _ends_first(state, command, band, seen)
    if side is Side.ASK:
        return OrderPlan(seen.quantity, band, seen.quantity, whole)
    fee = fee_up(seen.quote, state.parameters.taker_fee)
    return OrderPlan(seen.quantity, band, seen.quote + fee, whole)


def _ends_first(state: State, command: PlaceOrder, band: int, seen: Walk) -> bool:
    """Whether what is left of a quote buys no lot, be it that the book holds more or not."""
    account, asset, side = command.account, command.asset, command.side
    lot = market_of(state, asset).lot
    sure = command.time_in_force is TimeInForce.FOK
    if walk(state, account, asset, side, band, seen.quantity + lot, sure).quantity > seen.quantity:
        return True
    best = best_maker(state, asset, side, account)
    assert best is not None, "an order that set the band"
    rate = state.parameters.taker_fee if side is Side.BID else 0
    left = command.quote_quantity - seen.quote
    return left < cost_up(state, asset, best.price, lot, rate)


def _limit_payment(state: State, command: PlaceOrder) -> int:
    """A bid may cost its quantity at its limit with the dearer fee; an ask costs its quantity."""
    if command.side is Side.ASK:
        return command.quantity
    fee = max(state.parameters.maker_fee, state.parameters.taker_fee)
    return cost_up(state, command.asset, command.price, command.quantity, fee)


def _means_refusal(state: State, command: PlaceOrder, plan: OrderPlan) -> Refusal | None:
    """Whether funds, pool limits and margin carry the order at its worst."""
    asset = pays_with(command.side, command.asset)
    funding = Funding(state, command.account, asset, plan.payment)
    refusal = funding.refusal(redeem=command.auto_lend_redeem, borrow=command.auto_borrow)
    if refusal is not None:
        return refusal
    # Twice: as an order that rests unfilled, whose credit counts as exposure, and as one that
    # fills at once. Neither is always the worse of the two.
    if funding.borrowed and _may_rest(command):
        resting = portfolio_of(state, command.account)
        resting.unfunded[asset] += funding.borrowed
        refusal = risk_refusal(state, command.account, resting)
        if refusal is not None:
            return refusal
    after = portfolio_of(state, command.account)
    after.quantities[asset] -= plan.payment - funding.borrowed
    if funding.redeemed:
        after.quantities[asset] -= redeem_rounding(state, command.account, asset, funding.redeemed)
    after.debts[asset] = funding.debt_after()
    if command.side is Side.BID:
        after.quantities[command.asset] += plan.quantity
    else:
        after.quantities[USDC] += _least_proceeds(state, command, plan)
    return risk_refusal(state, command.account, after)


def _may_rest(command: PlaceOrder) -> bool:
    """Whether what is left of an order may stay in the book."""
    limit = command.order_type is OrderType.LIMIT
    return limit and command.time_in_force is TimeInForce.GTC


def _least_proceeds(state: State, command: PlaceOrder, plan: OrderPlan) -> int:
    """USDC that an ask brings at its limit, the dearer fee taken off, rounded down."""
    decimals = state.asset(command.asset).decimals
    quote = plan.quantity * plan.limit // value_divisor(decimals)
    rate = max(state.parameters.maker_fee, state.parameters.taker_fee)
    return quote - divide_up(quote * rate, RATIO)


class Entry(NamedTuple):
    """How an order enters: what it may do, what it holds, redeems for that, and may borrow."""

    plan: OrderPlan
    lock: int
    redeemed: int
    credit: int


def entry_of(state: State, command: PlaceOrder) -> Entry:
    """How an order that passed `order_refusal` enters now."""
    plan = plan_order(state, command)
    asset = pays_with(command.side, command.asset)
    funding = Funding(state, command.account, asset, plan.payment)
    return Entry(plan, plan.payment - funding.borrowed, funding.redeemed, funding.borrowed)


def place_order(state: State, command: PlaceOrder) -> None:
    """Enter an order that passed `order_refusal`: hold its funds, trade, then rest or end."""
    entry = entry_of(state, command)
    number = state.next_order
    state.next_order += 1
    state.emit(
        OrderAccepted(
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
            locked=entry.lock,
            system_order=SystemOrder.USER,
        )
    )
    enter(state, command, number, entry)


def enter(state: State, command: PlaceOrder, number: int, entry: Entry) -> None:
    """Hold the funds of an order that was announced, trade, then rest or end."""
    plan, lock = entry.plan, entry.lock
    asset = pays_with(command.side, command.asset)
    if entry.redeemed:
        pools.redeem(state, command.account, asset, entry.redeemed, Source.SPOT_MARGIN)
    move(state, asset, lock, available(command.account), locked(command.account))
    taker = _taker(state, command, plan, number, lock, entry.credit)
    if command.time_in_force is TimeInForce.FOK and not _fills_whole(state, command, plan):
        taker.stopped = ExpiryReason.FILL_OR_KILL
    elif not command.post_only:
        if command.time_in_force is TimeInForce.FOK:
            _borrow_first(state, taker)
        match(state, taker)
    _finish(state, command, taker, plan)


def _taker(
    state: State, command: PlaceOrder, plan: OrderPlan, number: int, lock: int, credit: int
) -> Taker:
    band = impact_limit(state, command.asset, command.side, command.account)
    limit = plan.limit
    if band is not None:
        limit = min(limit, band) if command.side is Side.BID else max(limit, band)
    return Taker(
        order=number,
        account=command.account,
        asset=command.asset,
        side=command.side,
        limit=limit,
        quantity=plan.quantity,
        lock=lock,
        credit=credit,
        auto_borrow_repay=command.auto_borrow_repay,
        reduce_only=command.reduce_only,
        judged=command.time_in_force is not TimeInForce.FOK,
        self_trade_prevention=command.self_trade_prevention,
        budget=command.quote_quantity or None,
    )


def _fills_whole(state: State, command: PlaceOrder, plan: OrderPlan) -> bool:
    """Whether the book surely holds all that a fill-or-kill order wants."""
    band = impact_limit(state, command.asset, command.side, command.account)
    if band is None:
        return False
    if command.quote_quantity:
        return plan.whole and plan.quantity > 0
    limit, wanted = plan.limit, command.quantity
    limit = min(limit, band) if command.side is Side.BID else max(limit, band)
    seen = walk(state, command.account, command.asset, command.side, limit, wanted, sure=True)
    return seen.quantity == wanted


def _borrow_first(state: State, taker: Taker) -> None:
    """A fill-or-kill order borrows all it may need at once, so that no later fill can fail."""
    if taker.credit:
        asset = pays_with(taker.side, taker.asset)
        pools.borrow(state, taker.account, asset, taker.credit, Source.SPOT_MARGIN)
        move(state, asset, taker.credit, available(taker.account), locked(taker.account))
        taker.lock += taker.credit
        taker.credit = 0


def _finish(state: State, command: PlaceOrder, taker: Taker, plan: OrderPlan) -> None:
    """Rest what may rest; otherwise free the funds and say why the rest ended."""
    rests = (
        taker.open
        and taker.stopped is None
        and _may_rest(command)
        and not _beyond_band(state, command)
    )
    if rests:
        _rest(state, command, taker)
        return
    asset = pays_with(command.side, command.asset)
    move(state, asset, taker.lock, locked(taker.account), available(taker.account))
    if command.quote_quantity:
        _finish_quote(state, command, taker, plan)
        return
    unfilled = command.quantity - taker.filled
    if unfilled:
        reason = taker.stopped or _end_reason(state, command, taker)
        state.emit(OrderExpired(taker.order, taker.account, unfilled, reason, 0))


def _finish_quote(state: State, command: PlaceOrder, taker: Taker, plan: OrderPlan) -> None:
    """Say what an order by quote did not spend, and why."""
    unspent = command.quote_quantity - taker.spent
    reason = taker.stopped
    if plan.whole and reason in (None, ExpiryReason.INSUFFICIENT_FUNDS):
        reason = ExpiryReason.IMMEDIATE_OR_CANCEL
    reason = reason or _end_reason(state, command, taker)
    state.emit(OrderExpired(taker.order, taker.account, 0, reason, unspent))


def _beyond_band(state: State, command: PlaceOrder) -> bool:
    """Whether the rest would still cross the book: only the impact band stopped it."""
    best = best_price(state, command.asset, opposite(command.side))
    return best is not None and crosses(command.side, command.price, best)


def _end_reason(state: State, command: PlaceOrder, taker: Taker) -> ExpiryReason:
    if command.order_type is OrderType.LIMIT and _beyond_band(state, command):
        return ExpiryReason.PRICE_IMPACT
    if command.order_type is OrderType.MARKET and taker.filled == 0:
        return ExpiryReason.INSUFFICIENT_LIQUIDITY
    if command.order_type is OrderType.MARKET:
        return ExpiryReason.PRICE_IMPACT
    return ExpiryReason.IMMEDIATE_OR_CANCEL


def _rest(state: State, command: PlaceOrder, taker: Taker) -> None:
    """Put the rest in the book, holding no more than it can cost."""
    asset = pays_with(command.side, command.asset)
    need = taker.open
    if command.side is Side.BID:
        rate, ahead = state.parameters.maker_fee, (taker.quote_ahead, taker.fee_ahead)
        need = bill_of(state, command.asset, command.price, taker.open, rate, *ahead).total
    lock = min(taker.lock, need)
    move(state, asset, taker.lock - lock, locked(taker.account), available(taker.account))
    unfunded = min(taker.credit, need - lock)
    state.accounts[taker.account].unfunded[asset] += unfunded
    insert(
        state,
        Order(
            order=taker.order,
            account=taker.account,
            asset=command.asset,
            side=command.side,
            price=command.price,
            quantity=taker.open,
            locked=lock,
            unfunded=unfunded,
            reduce_only=command.reduce_only,
            auto_borrow=command.auto_borrow,
            auto_borrow_repay=command.auto_borrow_repay,
            self_trade_prevention=command.self_trade_prevention,
            client_id=command.client_id,
            quote_ahead=taker.quote_ahead,
            fee_ahead=taker.fee_ahead,
            place=_place(state, taker.order),
        ),
    )
    state.emit(OrderRested(taker.order, taker.open))


def _place(state: State, order: int) -> int:
    """The age at which an order comes to rest: one that waited is as old as its firing."""
    if order == state.next_order - 1:
        return order
    state.next_order += 1
    return state.next_order - 1


def largest_order(state: State, command: PlaceOrder) -> int:
    """The largest quantity (base atoms, whole lots) that `command` could ask for (max-order).

    A market order may ask for any quantity and fills what the impact band holds; for it this is the
    largest that the band holds and the account can bear.
    """
    market = market_of(state, command.asset)

    def passes(lots: int) -> bool:
        quantity = lots * market.lot
        # Too small is not too large: the search needs one turn from yes to no.
        if quantity < market.min_quantity:
            return True
        asked = _with_quantity(command, quantity)
        return (order_form(state, asked) or order_refusal(state, asked)) is None

    high = MAX_SUPPLY
    if command.order_type is OrderType.MARKET:
        high = plan_order(
            state, _with_quantity(command, MAX_SUPPLY // market.lot * market.lot)
        ).quantity
    lots = largest_passing(passes, high // market.lot)
    return lots * market.lot if lots * market.lot >= market.min_quantity else 0


def _with_quantity(command: PlaceOrder, quantity: int) -> PlaceOrder:
    return replace(command, quantity=quantity, quote_quantity=0)
