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
    cost_up,
    crosses,
    fee_up,
    impact_limit,
    insert,
    market_of,
    opposite,
    pays_with,
)
from solvent.reference.orderbook.matching import Taker, match, walk
from solvent.reference.state import Order, State


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """An order that passed: how far it may trade and what it must hold.

    `payment` is the most it can cost, `quantity` base atoms wanted; `limit` the worst price.
    """

    quantity: int
    limit: int
    payment: int


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
    if len(state.accounts[command.account].open_orders) >= state.parameters.max_orders_per_account:
        return Refusal(RejectionCode.ORDER_LIMIT, Limit.ORDER_COUNT)
    return _means_refusal(state, command, plan_order(state, command))


def _quantity_refusal(state: State, command: PlaceOrder) -> Refusal | None:
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
    divisor = value_divisor(state.asset(command.asset).decimals)
    return refusal if command.quantity * command.price > MAX_VALUE * divisor else None


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
    if command.side is Side.BID:
        debt = debt_of(state, command.account, command.asset)
        return command.quote_quantity == 0 and command.quantity <= debt
    held = state.accounts[command.account].available[command.asset]
    held += claim_of(state, command.account, command.asset)
    return not command.auto_borrow and command.quantity <= held


def plan_order(state: State, command: PlaceOrder) -> OrderPlan:
    """How far an order may trade and what it could cost at most."""
    limit = command.price
    band = impact_limit(state, command.asset, command.side)
    if command.order_type is OrderType.LIMIT:
        payment = _limit_payment(state, command)
        return OrderPlan(command.quantity, limit, payment)
    if band is None:
        return OrderPlan(0, 0, 0)
    sure = command.time_in_force is TimeInForce.FOK
    wanted = command.quantity or _base_for_quote(state, command, band)
    seen = walk(state, command.account, command.asset, command.side, band, wanted, sure)
    if command.side is Side.ASK:
        return OrderPlan(seen.quantity, band, seen.quantity)
    fee = fee_up(seen.quote, state.parameters.taker_fee)
    return OrderPlan(seen.quantity, band, seen.quote + fee)


def _limit_payment(state: State, command: PlaceOrder) -> int:
    """A bid may cost its quantity at its limit with the dearer fee; an ask costs its quantity."""
    if command.side is Side.ASK:
        return command.quantity
    fee = max(state.parameters.maker_fee, state.parameters.taker_fee)
    return cost_up(state, command.asset, command.price, command.quantity, fee)


def _base_for_quote(state: State, command: PlaceOrder, band: int) -> int:
    """Whole lots that a market order by quote can trade without passing its quote quantity."""
    market = market_of(state, command.asset)
    decimals = state.asset(command.asset).decimals
    best = best_price(state, command.asset, opposite(command.side)) or band
    cheapest = max(1, min(best, band))
    divisor = value_divisor(decimals)
    most = min(MAX_SUPPLY, divide_up(command.quote_quantity * divisor, cheapest))

    def passes(lots: int) -> bool:
        seen = walk(
            state, command.account, command.asset, command.side, band, lots * market.lot, sure=False
        )
        return seen.quantity == lots * market.lot and seen.quote <= command.quote_quantity

    return largest_passing(passes, most // market.lot) * market.lot


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


def place_order(state: State, command: PlaceOrder) -> None:
    """Enter an order that passed `order_refusal`: hold its funds, trade, then rest or end."""
    plan = plan_order(state, command)
    asset = pays_with(command.side, command.asset)
    funding = Funding(state, command.account, asset, plan.payment)
    credit = funding.borrowed
    lock = plan.payment - credit
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
            locked=lock,
            system_order=SystemOrder.USER,
        )
    )
    if funding.redeemed:
        pools.redeem(state, command.account, asset, funding.redeemed, Source.SPOT_MARGIN)
    move(state, asset, lock, available(command.account), locked(command.account))
    taker = _taker(state, command, plan, number, lock, credit)
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
    band = impact_limit(state, command.asset, command.side)
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
        self_trade_prevention=command.self_trade_prevention,
    )


def _fills_whole(state: State, command: PlaceOrder, plan: OrderPlan) -> bool:
    """Whether the book surely holds all that a fill-or-kill order wants."""
    band = impact_limit(state, command.asset, command.side)
    if band is None:
        return False
    limit = plan.limit
    limit = min(limit, band) if command.side is Side.BID else max(limit, band)
    wanted = command.quantity or plan.quantity
    seen = walk(state, command.account, command.asset, command.side, limit, wanted, sure=True)
    return wanted > 0 and seen.quantity == wanted


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
    unfilled = (command.quantity or plan.quantity) - taker.filled
    reason = taker.stopped or _end_reason(state, command, taker)
    if unfilled or plan.quantity == 0:
        state.emit(OrderExpired(taker.order, taker.account, unfilled, reason))


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
        fee = state.parameters.maker_fee
        need = cost_up(state, command.asset, command.price, taker.open, fee)
    # The lock was planned with the dearer of both fees; at rest only the maker's can fall due.
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
        ),
    )
    state.emit(OrderRested(taker.order, taker.open))


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
