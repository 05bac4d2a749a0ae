"""Orders in kernels: who may place what, and what becomes of it, as `reference.orderbook.orders`.

An order is the row of its command; one of another quantity is a copy of it. Where an account owes
nothing and the order borrows nothing, margin is not asked, for there is no exposure.
"""

from solvent.domain.commands import OrderType, Side, TimeInForce
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
from solvent.engine.memory.layout import (
    ASSETS,
    AUTO_BORROW,
    AUTO_BORROW_REPAY,
    AVAILABLE,
    CLIENT_ID,
    COMMAND_WIDTH,
    LARGEST,
    LOT,
    MAKER_FEE,
    MAX_MULTIPLIER,
    MAX_ORDERS,
    MIN_MULTIPLIER,
    MIN_QUANTITY,
    NEXT_ORDER,
    ORDER_ACCEPTED,
    ORDER_ACCOUNT,
    ORDER_ASSET,
    ORDER_COUNT,
    ORDER_EXPIRED,
    ORDER_ID,
    ORDER_LOCKED,
    ORDER_PRICE,
    ORDER_QUANTITY,
    ORDER_RESTED,
    ORDER_SIDE,
    ORDER_UNFUNDED,
    REDUCE_ONLY,
    SCRATCH_TOP,
    SELF_TRADE_PREVENTION,
    TICK,
    VALUE_DIVISOR,
)
from solvent.engine.memory.scratch import take
from solvent.engine.orderbook.book import (
    cost_up,
    insert,
    is_exposed,
    pays_with,
)
from solvent.engine.orderbook.levels import order_row, take_slot
from solvent.engine.orderbook.matching import (
    TAKER_ACCOUNT,
    TAKER_ASSET,
    TAKER_CREDIT,
    TAKER_FILLED,
    TAKER_LOCK,
    TAKER_ORDER,
    TAKER_PREVENTION,
    TAKER_REPAYS,
    TAKER_SIDE,
    TAKER_STOPPED,
    match,
    new_taker,
    taker_open,
)
from solvent.engine.orderbook.order_plan import (
    ASKED_ACCOUNT,
    ASKED_ASSET,
    ASKED_AUTO_BORROW,
    ASKED_AUTO_BORROW_REPAY,
    ASKED_AUTO_LEND_REDEEM,
    ASKED_CLIENT_ID,
    ASKED_POST_ONLY,
    ASKED_PRICE,
    ASKED_QUANTITY,
    ASKED_QUOTE_QUANTITY,
    ASKED_REDUCE_ONLY,
    ASKED_SELF_TRADE_PREVENTION,
    ASKED_SIDE,
    ASKED_TIME_IN_FORCE,
    ASKED_TYPE,
    OrderPlan,
    beyond_band,
    copy_order,
    fills_whole,
    least_proceeds,
    limit_within_band,
    may_rest,
    plan_order,
    wanted_quantity,
)
from solvent.engine.refusals import refuse
from solvent.kernels.language import Memory, Store, emit, kernel, narrow, wide


@kernel
def order_form(s: Store, command: Memory) -> int:
    """Whether an order is well formed and within its market's filters and price band."""
    refusal = _quantity_refusal(s, command)
    if not refusal:
        refusal = _price_refusal(s, command)
    if not refusal:
        refusal = _kind_refusal(s, command)
    return refusal


@kernel
def order_refusal(s: Store, command: Memory) -> int:
    """Whether a well-formed order may trade now, is funded, and is borne by its owner's margin."""
    if is_stale(s, command[ASKED_ASSET]):
        return refuse(RejectionCode.TRADING_PAUSED, Limit.STALE_PRICE)
    if account_row(s, command[ASKED_ACCOUNT])[ORDER_COUNT] >= s.rules[MAX_ORDERS]:
        return refuse(RejectionCode.ORDER_LIMIT, Limit.ORDER_COUNT)
    return _means_refusal(s, command, plan_order(s, command))


@kernel
def _quantity_refusal(s: Store, command: Memory) -> int:
    """One quantity, in whole lots, at least the minimum, worth no more than a column holds."""
    market = asset_row(s, command[ASKED_ASSET])
    quantity, quote_quantity = command[ASKED_QUANTITY], command[ASKED_QUOTE_QUANTITY]
    refusal = refuse(RejectionCode.INVALID_QUANTITY, Limit.NONE)
    if min(quantity, quote_quantity) < 0 or (quote_quantity != 0) == (quantity != 0):
        return refusal
    if max(quantity, quote_quantity) > MAX_SUPPLY:
        return refusal
    if quantity % market[LOT] or (quote_quantity == 0 and quantity < market[MIN_QUANTITY]):
        return refusal
    fits = wide(quantity) * command[ASKED_PRICE] <= wide(MAX_VALUE) * market[VALUE_DIVISOR]
    return 0 if fits else refusal


@kernel
def _price_refusal(s: Store, command: Memory) -> int:
    """No price for a market order; whole ticks within the band of the mark for a limit order."""
    price = command[ASKED_PRICE]
    refusal = refuse(RejectionCode.INVALID_PRICE, Limit.NONE)
    if command[ASKED_TYPE] == OrderType.MARKET:
        return refusal if price else 0
    market = asset_row(s, command[ASKED_ASSET])
    if price < market[TICK] or price % market[TICK]:
        return refusal
    mark = mark_of(s, command[ASKED_ASSET])
    if command[ASKED_SIDE] == Side.BID:
        highest = wide(mark) * market[MAX_MULTIPLIER] // RATIO
        if mark and price > highest:
            s.globals[LARGEST] = narrow(highest)
            return refuse(RejectionCode.INVALID_PRICE, Limit.PRICE_BAND)
    elif wide(price) * RATIO < wide(mark) * market[MIN_MULTIPLIER]:
        return refuse(RejectionCode.INVALID_PRICE, Limit.PRICE_BAND)
    return 0


@kernel
def _kind_refusal(s: Store, command: Memory) -> int:
    """Flags that make sense together; post-only orders that rest, reduce-only ones that reduce."""
    refusal = refuse(RejectionCode.INVALID_ORDER, Limit.NONE)
    if command[ASKED_TYPE] == OrderType.LIMIT and command[ASKED_QUOTE_QUANTITY]:
        return refusal
    if command[ASKED_POST_ONLY] and (not may_rest(command) or beyond_band(s, command)):
        return refusal
    if command[ASKED_REDUCE_ONLY] and not _reduces(s, command):
        return refuse(RejectionCode.INVALID_ORDER, Limit.OUTSTANDING_DEBT)
    return 0


@kernel
def _reduces(s: Store, command: Memory) -> bool:
    """A reduce-only bid buys back a debt; a reduce-only ask sells what is held."""
    account, asset, quantity = command[ASKED_ACCOUNT], command[ASKED_ASSET], command[ASKED_QUANTITY]
    if command[ASKED_SIDE] == Side.BID:
        return command[ASKED_QUOTE_QUANTITY] == 0 and quantity <= debt_of(s, account, asset)
    held = position(s, account, asset)[AVAILABLE] + claim_of(s, account, asset)
    return command[ASKED_AUTO_BORROW] == 0 and quantity <= held


@kernel
def _means_refusal(s: Store, command: Memory, plan: OrderPlan) -> int:
    """Whether funds, pool limits and margin carry the order at its worst."""
    account = command[ASKED_ACCOUNT]
    funding = funding_of(
        s, account, pays_with(command[ASKED_SIDE], command[ASKED_ASSET]), plan.payment
    )
    redeem, borrow = command[ASKED_AUTO_LEND_REDEEM] != 0, command[ASKED_AUTO_BORROW] != 0
    refusal = funding_refusal(s, funding, redeem, borrow)
    if refusal or not (funding.borrowed or is_exposed(s, account)):
        return refusal
    top = s.globals[SCRATCH_TOP]
    after = take(s, 3 * s.globals[ASSETS])
    if funding.borrowed and may_rest(command):
        refusal = _resting_refusal(s, funding, after)
    if not refusal:
        refusal = _filled_refusal(s, command, plan, funding, after)
    s.globals[SCRATCH_TOP] = top
    return refusal


@kernel
def _resting_refusal(s: Store, funding: Funding, after: Memory) -> int:
    """Whether margin carries the order while it rests; `after` is room for a portfolio."""
    portfolio_of(s, funding.account, after)
    after[2 * s.globals[ASSETS] + funding.asset] += funding.borrowed
    return risk_refusal(s, funding.account, after)


@kernel
def _filled_refusal(
    s: Store, command: Memory, plan: OrderPlan, funding: Funding, after: Memory
) -> int:
    """Whether margin carries the order when it is filled; `after` is room for a portfolio."""
    account, asset = funding.account, funding.asset
    portfolio_of(s, account, after)
    after[asset] -= plan.payment - funding.borrowed
    if funding.redeemed:
        after[asset] -= redeem_rounding(s, account, asset, funding.redeemed)
    after[s.globals[ASSETS] + asset] = debt_after(s, funding)
    if command[ASKED_SIDE] == Side.BID:
        after[command[ASKED_ASSET]] += plan.quantity
    else:
        after[USDC] += least_proceeds(s, command, plan)
    return risk_refusal(s, account, after)


@kernel
def place_order(s: Store, command: Memory) -> None:
    """Enter an order that passed `order_refusal`: hold its funds, trade, then rest or end."""
    account, asset, side = command[ASKED_ACCOUNT], command[ASKED_ASSET], command[ASKED_SIDE]
    plan = plan_order(s, command)
    paid = pays_with(side, asset)
    funding = funding_of(s, account, paid, plan.payment)
    lock = plan.payment - funding.borrowed
    order = s.globals[NEXT_ORDER]
    s.globals[NEXT_ORDER] = order + 1
    emit(
        s,
        ORDER_ACCEPTED,
        order,
        account,
        asset,
        side,
        command[ASKED_TYPE],
        command[ASKED_TIME_IN_FORCE],
        command[ASKED_PRICE],
        command[ASKED_QUANTITY],
        command[ASKED_QUOTE_QUANTITY],
        command[ASKED_POST_ONLY],
        command[ASKED_REDUCE_ONLY],
        command[ASKED_AUTO_BORROW],
        command[ASKED_AUTO_BORROW_REPAY],
        command[ASKED_AUTO_LEND_REDEEM],
        command[ASKED_SELF_TRADE_PREVENTION],
        command[ASKED_CLIENT_ID],
        lock,
        SystemOrder.USER,
    )
    if funding.redeemed:
        pools.redeem(s, account, paid, funding.redeemed, Source.SPOT_MARGIN)
    move(s, paid, lock, available(account), locked(account))
    top = s.globals[SCRATCH_TOP]
    limit = limit_within_band(s, command, plan)
    taker = new_taker(s, order, account, asset, side, limit, plan.quantity, lock)
    taker[TAKER_CREDIT] = funding.borrowed
    taker[TAKER_REPAYS] = command[ASKED_AUTO_BORROW_REPAY]
    taker[TAKER_PREVENTION] = command[ASKED_SELF_TRADE_PREVENTION]
    _trade(s, command, taker, plan)
    _finish(s, command, taker, plan)
    s.globals[SCRATCH_TOP] = top


@kernel
def _trade(s: Store, command: Memory, taker: Memory, plan: OrderPlan) -> None:
    kill = command[ASKED_TIME_IN_FORCE] == TimeInForce.FOK
    if kill and not fills_whole(s, command, plan):
        taker[TAKER_STOPPED] = ExpiryReason.FILL_OR_KILL
    elif not command[ASKED_POST_ONLY]:
        if kill:
            _borrow_first(s, taker)
        match(s, taker)


@kernel
def _borrow_first(s: Store, taker: Memory) -> None:
    """A fill-or-kill order borrows all it may need at once, so that no later fill can fail."""
    credit = taker[TAKER_CREDIT]
    if credit:
        account = taker[TAKER_ACCOUNT]
        asset = pays_with(taker[TAKER_SIDE], taker[TAKER_ASSET])
        pools.borrow(s, account, asset, credit, Source.SPOT_MARGIN, fee=True)
        move(s, asset, credit, available(account), locked(account))
        taker[TAKER_LOCK] += credit
        taker[TAKER_CREDIT] = 0


@kernel
def _finish(s: Store, command: Memory, taker: Memory, plan: OrderPlan) -> None:
    """Rest what may rest; otherwise free the funds and say why the rest ended."""
    ended = taker_open(taker) == 0 or taker[TAKER_STOPPED] != 0
    if not ended and may_rest(command) and not beyond_band(s, command):
        _rest(s, command, taker)
        return
    account = taker[TAKER_ACCOUNT]
    asset = pays_with(command[ASKED_SIDE], command[ASKED_ASSET])
    move(s, asset, taker[TAKER_LOCK], locked(account), available(account))
    unfilled = wanted_quantity(command, plan) - taker[TAKER_FILLED]
    if unfilled or plan.quantity == 0:
        reason = taker[TAKER_STOPPED]
        if not reason:
            reason = _end_reason(s, command, taker)
        emit(s, ORDER_EXPIRED, taker[TAKER_ORDER], account, unfilled, reason)


@kernel
def _end_reason(s: Store, command: Memory, taker: Memory) -> int:
    if command[ASKED_TYPE] == OrderType.LIMIT:
        if beyond_band(s, command):
            return ExpiryReason.PRICE_IMPACT
        return ExpiryReason.IMMEDIATE_OR_CANCEL
    if taker[TAKER_FILLED] == 0:
        return ExpiryReason.INSUFFICIENT_LIQUIDITY
    return ExpiryReason.PRICE_IMPACT


@kernel
def _rest(s: Store, command: Memory, taker: Memory) -> None:
    """Put the rest in the book, holding no more than it can cost."""
    account, base, side = taker[TAKER_ACCOUNT], taker[TAKER_ASSET], taker[TAKER_SIDE]
    asset = pays_with(side, base)
    rest = taker_open(taker)
    need = rest
    if side == Side.BID:
        need = cost_up(s, base, command[ASKED_PRICE], rest, s.rules[MAKER_FEE])
    lock = min(taker[TAKER_LOCK], need)
    move(s, asset, taker[TAKER_LOCK] - lock, locked(account), available(account))
    slot = take_slot(s)
    order = order_row(s, slot)
    order[ORDER_ID] = taker[TAKER_ORDER]
    order[ORDER_ACCOUNT] = account
    order[ORDER_ASSET] = base
    order[ORDER_SIDE] = side
    order[ORDER_PRICE] = command[ASKED_PRICE]
    order[ORDER_QUANTITY] = rest
    order[ORDER_LOCKED] = lock
    order[ORDER_UNFUNDED] = min(taker[TAKER_CREDIT], need - lock)
    order[REDUCE_ONLY] = command[ASKED_REDUCE_ONLY]
    order[AUTO_BORROW] = command[ASKED_AUTO_BORROW]
    order[AUTO_BORROW_REPAY] = command[ASKED_AUTO_BORROW_REPAY]
    order[SELF_TRADE_PREVENTION] = command[ASKED_SELF_TRADE_PREVENTION]
    order[CLIENT_ID] = command[ASKED_CLIENT_ID]
    insert(s, slot)
    emit(s, ORDER_RESTED, taker[TAKER_ORDER], rest)


@kernel
def largest_order(s: Store, command: Memory) -> int:
    """The largest quantity (base atoms, whole lots) that `command` could ask for (max-order).

    For a market order this is the largest that the band holds and the account can bear.
    """
    market = asset_row(s, command[ASKED_ASSET])
    lot = market[LOT]
    top = s.globals[SCRATCH_TOP]
    asked = take(s, COMMAND_WIDTH)
    copy_order(command, asked)
    asked[ASKED_QUOTE_QUANTITY] = 0
    high = MAX_SUPPLY
    if command[ASKED_TYPE] == OrderType.MARKET:
        asked[ASKED_QUANTITY] = MAX_SUPPLY // lot * lot
        high = plan_order(s, asked).quantity
    quantity = largest_passing(_passes, s, asked, high // lot) * lot
    s.globals[SCRATCH_TOP] = top
    return quantity if quantity >= market[MIN_QUANTITY] else 0


@kernel
def _passes(s: Store, asked: Memory, lots: int) -> bool:
    """Whether the order `asked` would pass with so many lots; one below an order is no obstacle."""
    market = asset_row(s, asked[ASKED_ASSET])
    quantity = lots * market[LOT]
    if quantity < market[MIN_QUANTITY]:
        return True
    asked[ASKED_QUANTITY] = quantity
    return order_form(s, asked) == 0 and order_refusal(s, asked) == 0
