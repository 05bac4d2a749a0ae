"""Orders in kernels: who may place what, and what becomes of it, as `reference.orderbook.orders`.

An order is its command; one of another quantity is a copy of its fields. Where an account owes
nothing and the order borrows nothing, margin is not asked, for there is no exposure.
"""

from solvent.domain.commands import OrderType, PlaceOrder, Side, TimeInForce, command_fields
from solvent.domain.events import OrderAccepted, OrderExpired, OrderRested
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE, USDC
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import RATIO
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    claim_of,
    debt_of,
    is_stale,
    locked,
    mark_of,
    move,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.lending.wallet import (
    Funding,
    debt_after,
    funding_of,
    funding_refusal,
    redeem_rounding,
)
from solvent.engine.limits import largest_passing, risk_refusal
from solvent.engine.margin import portfolio_of
from solvent.engine.memory.rows import COMMAND_WIDTH
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import bill_of, bill_total, insert, is_exposed, pays_with
from solvent.engine.orderbook.levels import order_row, take_slot
from solvent.engine.orderbook.matching import Taker, match, new_taker, taker_open
from solvent.engine.orderbook.order_plan import (
    OrderPlan,
    beyond_band,
    fills_whole,
    least_proceeds,
    limit_within_band,
    may_rest,
    plan_order,
)
from solvent.engine.refusals import refuse
from solvent.kernels.language import emit, kernel, message, narrow, put_message, wide
from solvent.kernels.rows import Memory

_QUANTITY = command_fields(PlaceOrder).index("quantity")
_QUOTE_QUANTITY = command_fields(PlaceOrder).index("quote_quantity")


@kernel
def order_form(s: Store, command: PlaceOrder) -> int:
    """Whether an order is well formed and within its market's filters and price band."""
    refusal = _quantity_refusal(s, command)
    if not refusal:
        refusal = _price_refusal(s, command)
    if not refusal:
        refusal = _kind_refusal(s, command)
    return refusal


@kernel
def order_refusal(s: Store, command: PlaceOrder) -> int:
    """Whether a well-formed order may trade now, is funded, and is borne by its owner's margin."""
    if is_stale(s, command.asset):
        return refuse(RejectionCode.TRADING_PAUSED, Limit.STALE_PRICE)
    if may_rest(command) and is_full(s, command.account):
        return refuse(RejectionCode.ORDER_LIMIT, Limit.ORDER_COUNT)
    return _means_refusal(s, command, plan_order(s, command))


@kernel
def is_full(s: Store, account: int) -> bool:
    """Whether as many orders of an account rest and wait as may."""
    return account_row(s, account).order_count >= s.rules.max_orders


@kernel
def waiting_form(s: Store, command: PlaceOrder) -> int:
    """Whether an order that is to wait is well formed, whatever its market is when it fires."""
    market, price = asset_row(s, command.asset), command.price
    refusal = _amount_refusal(s, command)
    if refusal:
        return refusal
    if command.order_type == OrderType.MARKET:
        if price:
            return refuse(RejectionCode.INVALID_PRICE, Limit.NONE)
    elif price < market.tick or price % market.tick:
        return refuse(RejectionCode.INVALID_PRICE, Limit.NONE)
    if command.order_type == OrderType.LIMIT and command.quote_quantity:
        return refuse(RejectionCode.INVALID_ORDER, Limit.NONE)
    if command.post_only and not may_rest(command):
        return refuse(RejectionCode.INVALID_ORDER, Limit.NONE)
    return 0


@kernel
def _quantity_refusal(s: Store, command: PlaceOrder) -> int:
    """A right amount; of an order by quote, one for the minimum at the book's prices."""
    refusal = _amount_refusal(s, command)
    if refusal == 0 and command.quote_quantity and _below_minimum(s, command):
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.NONE)
    return refusal


@kernel
def _amount_refusal(s: Store, command: PlaceOrder) -> int:
    """One quantity, in whole lots, at least the minimum, worth no more than a column holds."""
    market = asset_row(s, command.asset)
    quantity, quote_quantity = command.quantity, command.quote_quantity
    refusal = refuse(RejectionCode.INVALID_QUANTITY, Limit.NONE)
    if min(quantity, quote_quantity) < 0 or (quote_quantity != 0) == (quantity != 0):
        return refusal
    if max(quantity, quote_quantity) > MAX_SUPPLY:
        return refusal
    if quantity % market.lot or (quote_quantity == 0 and quantity < market.min_quantity):
        return refusal
    if quote_quantity:
        return 0
    fits = wide(quantity) * command.price <= wide(MAX_VALUE) * market.value_divisor
    return 0 if fits else refusal


@kernel
def _below_minimum(s: Store, command: PlaceOrder) -> bool:
    """Whether a market order by quote is for less than the minimum at the book's prices."""
    if command.order_type == OrderType.LIMIT:
        return False
    plan = plan_order(s, command)
    return plan.whole and plan.quantity < asset_row(s, command.asset).min_quantity


@kernel
def _price_refusal(s: Store, command: PlaceOrder) -> int:
    """No price for a market order; whole ticks within the band of the mark for a limit order."""
    price = command.price
    refusal = refuse(RejectionCode.INVALID_PRICE, Limit.NONE)
    if command.order_type == OrderType.MARKET:
        return refusal if price else 0
    market = asset_row(s, command.asset)
    if price < market.tick or price % market.tick:
        return refusal
    mark = mark_of(s, command.asset)
    if command.side == Side.BID:
        highest = wide(mark) * market.max_multiplier // RATIO
        if mark and price > highest:
            s.globals.largest = narrow(highest)
            return refuse(RejectionCode.INVALID_PRICE, Limit.PRICE_BAND)
    elif wide(price) * RATIO < wide(mark) * market.min_multiplier:
        return refuse(RejectionCode.INVALID_PRICE, Limit.PRICE_BAND)
    return 0


@kernel
def _kind_refusal(s: Store, command: PlaceOrder) -> int:
    """Flags that make sense together; post-only orders that rest, reduce-only ones that reduce."""
    refusal = refuse(RejectionCode.INVALID_ORDER, Limit.NONE)
    if command.order_type == OrderType.LIMIT and command.quote_quantity:
        return refusal
    if command.post_only and (not may_rest(command) or beyond_band(s, command)):
        return refusal
    if command.reduce_only and not _reduces(s, command):
        return refuse(RejectionCode.INVALID_ORDER, Limit.OUTSTANDING_DEBT)
    return 0


@kernel
def _reduces(s: Store, command: PlaceOrder) -> bool:
    """A reduce-only bid buys back a debt; a reduce-only ask sells what is held."""
    account, asset = command.account, command.asset
    quantity = command.quantity or plan_order(s, command).quantity
    if command.side == Side.BID:
        return quantity > 0 and quantity <= debt_of(s, account, asset)
    held = position(s, account, asset).available + claim_of(s, account, asset)
    return command.auto_borrow == 0 and quantity <= held


@kernel
def _means_refusal(s: Store, command: PlaceOrder, plan: OrderPlan) -> int:
    """Whether funds, pool limits and margin carry the order at its worst."""
    account = command.account
    funding = funding_of(s, account, pays_with(command.side, command.asset), plan.payment)
    redeem, borrow = command.auto_lend_redeem != 0, command.auto_borrow != 0
    refusal = funding_refusal(s, funding, redeem, borrow)
    if refusal or not (funding.borrowed or is_exposed(s, account)):
        return refusal
    top = s.globals.scratch_top
    after = take(s, 3 * s.globals.assets)
    if funding.borrowed and may_rest(command):
        refusal = _resting_refusal(s, funding, after)
    if not refusal:
        refusal = _filled_refusal(s, command, plan, funding, after)
    s.globals.scratch_top = top
    return refusal


@kernel
def _resting_refusal(s: Store, funding: Funding, after: Memory) -> int:
    """Whether margin carries the order while it rests; `after` is room for a portfolio."""
    portfolio_of(s, funding.account, after)
    after[2 * s.globals.assets + funding.asset] += funding.borrowed
    return risk_refusal(s, funding.account, after)


@kernel
def _filled_refusal(
    s: Store, command: PlaceOrder, plan: OrderPlan, funding: Funding, after: Memory
) -> int:
    """Whether margin carries the order when it is filled; `after` is room for a portfolio."""
    account, asset = funding.account, funding.asset
    portfolio_of(s, account, after)
    after[asset] -= plan.payment - funding.borrowed
    if funding.redeemed:
        after[asset] -= redeem_rounding(s, account, asset, funding.redeemed)
    after[s.globals.assets + asset] = debt_after(s, funding)
    if command.side == Side.BID:
        after[command.asset] += plan.quantity
    else:
        after[USDC] += least_proceeds(s, command, plan)
    return risk_refusal(s, account, after)


@kernel
def place_order(s: Store, command: PlaceOrder) -> None:
    """Enter an order that passed `order_refusal`: hold its funds, trade, then rest or end."""
    plan = plan_order(s, command)
    funding = entry_of(s, command, plan)
    order = s.globals.next_order
    s.globals.next_order = order + 1
    emit(
        s,
        OrderAccepted(
            order=order,
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
            locked=plan.payment - funding.borrowed,
            system_order=SystemOrder.USER,
        ),
    )
    enter(s, command, order, plan, funding)


@kernel
def entry_of(s: Store, command: PlaceOrder, plan: OrderPlan) -> Funding:
    """How an order that passed `order_refusal` is paid for; what it does not borrow it locks."""
    return funding_of(s, command.account, pays_with(command.side, command.asset), plan.payment)


@kernel
def enter(s: Store, command: PlaceOrder, order: int, plan: OrderPlan, funding: Funding) -> None:
    """Hold the funds of an order that was announced, trade, then rest or end."""
    account, asset, side = command.account, command.asset, command.side
    paid, lock = funding.asset, plan.payment - funding.borrowed
    if funding.redeemed:
        pools.redeem(s, account, paid, funding.redeemed, Source.SPOT_MARGIN)
    move(s, paid, lock, available(account), locked(account))
    top = s.globals.scratch_top
    limit = limit_within_band(s, command, plan)
    taker = new_taker(s, order, account, asset, side, limit, plan.quantity, lock)
    taker.credit = funding.borrowed
    taker.reduce_only = command.reduce_only
    taker.judged = command.time_in_force != TimeInForce.FOK
    taker.budget = command.quote_quantity
    taker.repays = command.auto_borrow_repay
    taker.prevention = command.self_trade_prevention
    _trade(s, command, taker, plan)
    _finish(s, command, taker, plan)
    s.globals.scratch_top = top


@kernel
def _trade(s: Store, command: PlaceOrder, taker: Taker, plan: OrderPlan) -> None:
    kill = command.time_in_force == TimeInForce.FOK
    if kill and not fills_whole(s, command, plan):
        taker.stopped = ExpiryReason.FILL_OR_KILL
    elif not command.post_only:
        if kill:
            _borrow_first(s, taker)
        match(s, taker)


@kernel
def _borrow_first(s: Store, taker: Taker) -> None:
    """A fill-or-kill order borrows all it may need at once, so that no later fill can fail."""
    credit = taker.credit
    if credit:
        account = taker.account
        asset = pays_with(taker.side, taker.asset)
        pools.borrow(s, account, asset, credit, Source.SPOT_MARGIN)
        move(s, asset, credit, available(account), locked(account))
        taker.lock += credit
        taker.credit = 0


@kernel
def _finish(s: Store, command: PlaceOrder, taker: Taker, plan: OrderPlan) -> None:
    """Rest what may rest; otherwise free the funds and say why the rest ended."""
    ended = taker_open(taker) == 0 or taker.stopped != 0
    if not ended and may_rest(command) and not beyond_band(s, command):
        _rest(s, command, taker)
        return
    account = taker.account
    asset = pays_with(command.side, command.asset)
    move(s, asset, taker.lock, locked(account), available(account))
    unfilled = unspent = 0
    stopped = taker.stopped
    if command.quote_quantity:
        unspent = command.quote_quantity - taker.spent
        if plan.whole and (stopped == 0 or stopped == ExpiryReason.INSUFFICIENT_FUNDS):
            stopped = ExpiryReason.IMMEDIATE_OR_CANCEL
    else:
        unfilled = command.quantity - taker.filled
    if unfilled or command.quote_quantity:
        reason = ExpiryReason(stopped or _end_reason(s, command, taker))
        emit(
            s,
            OrderExpired(
                order=taker.order,
                account=account,
                quantity=unfilled,
                reason=reason,
                unspent=unspent,
            ),
        )


@kernel
def _end_reason(s: Store, command: PlaceOrder, taker: Taker) -> int:
    if command.order_type == OrderType.LIMIT:
        if beyond_band(s, command):
            return ExpiryReason.PRICE_IMPACT
        return ExpiryReason.IMMEDIATE_OR_CANCEL
    if taker.filled == 0:
        return ExpiryReason.INSUFFICIENT_LIQUIDITY
    return ExpiryReason.PRICE_IMPACT


@kernel
def _rest(s: Store, command: PlaceOrder, taker: Taker) -> None:
    """Put the rest in the book, holding no more than it can cost."""
    account, base, side = taker.account, taker.asset, taker.side
    asset = pays_with(side, base)
    rest = taker_open(taker)
    need = rest
    if side == Side.BID:
        rate, quote_ahead, fee_ahead = s.rules.maker_fee, taker.quote_ahead, taker.fee_ahead
        bill = bill_of(s, base, command.price, rest, rate, quote_ahead, fee_ahead)
        need = bill_total(bill)
    lock = min(taker.lock, need)
    move(s, asset, taker.lock - lock, locked(account), available(account))
    slot = take_slot(s)
    order = order_row(s, slot)
    order.order = taker.order
    order.account = account
    order.asset = base
    order.side = side
    order.price = command.price
    order.quantity = rest
    order.locked = lock
    order.unfunded = min(taker.credit, need - lock)
    order.reduce_only = command.reduce_only
    order.auto_borrow = command.auto_borrow
    order.auto_borrow_repay = command.auto_borrow_repay
    order.self_trade_prevention = command.self_trade_prevention
    order.client_id = command.client_id
    order.quote_ahead = taker.quote_ahead
    order.fee_ahead = taker.fee_ahead
    order.place = _place(s, taker.order)
    order.line = side
    insert(s, slot)
    emit(s, OrderRested(order=taker.order, quantity=rest))


@kernel
def _place(s: Store, order: int) -> int:
    """The age at which an order comes to rest: one that waited is as old as its firing."""
    if order == s.globals.next_order - 1:
        return order
    s.globals.next_order += 1
    return s.globals.next_order - 1


@kernel
def largest_order(s: Store, command: PlaceOrder) -> int:
    """The largest quantity (base atoms, whole lots) that `command` could ask for (max-order).

    For a market order this is the largest that the band holds and the account can bear.
    """
    market = asset_row(s, command.asset)
    lot = market.lot
    top = s.globals.scratch_top
    asked = take(s, COMMAND_WIDTH)
    put_message(command, asked)
    asked[_QUOTE_QUANTITY] = 0
    high = MAX_SUPPLY
    if command.order_type == OrderType.MARKET:
        asked[_QUANTITY] = MAX_SUPPLY // lot * lot
        high = plan_order(s, message(PlaceOrder, asked)).quantity
    quantity = largest_passing(_passes, s, asked, high // lot) * lot
    s.globals.scratch_top = top
    return quantity if quantity >= market.min_quantity else 0


@kernel
def _passes(s: Store, asked: Memory, lots: int) -> bool:
    """Whether the order in `asked` passes with so many lots; one below an order is no obstacle."""
    market = asset_row(s, message(PlaceOrder, asked).asset)
    quantity = lots * market.lot
    if quantity < market.min_quantity:
        return True
    asked[_QUANTITY] = quantity
    command = message(PlaceOrder, asked)
    return order_form(s, command) == 0 and order_refusal(s, command) == 0
