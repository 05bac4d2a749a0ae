"""Stage 1 in kernels: sell collateral on the book and buy the debt back, as in `reference`.

What becomes of an account's step is written into its row of attempts. A fill never lowers health by
its price, one step closes at most a fraction of the debt, and a draw of the seed may skip it.
"""

from typing import NamedTuple

from solvent.domain.commands import OrderType, Side, TimeInForce
from solvent.domain.labels import ExpiryReason, Reason, Source, Stage, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import RATIO
from solvent.engine.ledger import (
    asset_row,
    claim_of,
    debt_of,
    is_stale,
    mark_of,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.limits import smallest_passing
from solvent.engine.margin import (
    Doubt,
    Health,
    below_auto_close,
    health,
    health_of,
    portfolio_of,
    report,
    target_restored,
)
from solvent.engine.memory.layout import (
    ASSETS,
    ATTEMPT_ACCOUNT,
    ATTEMPT_ACTED,
    ATTEMPT_BOOK_REASON,
    ATTEMPT_POSTPONED,
    ATTEMPT_STUCK,
    ATTEMPT_TRIED,
    ATTEMPT_WIDTH,
    AVAILABLE,
    BOOK_FEE,
    BOOK_FRACTION,
    BOOK_LIMIT,
    BOOK_PROBABILITY,
    HANDED_OVER,
    LOCKED,
    LOT,
    MAINTENANCE_BASE,
    MAINTENANCE_FACTOR,
    MIN_QUANTITY,
    NEXT_ORDER,
    NONE,
    ORDER_ACCEPTED,
    ORDER_EXPIRED,
    SCRATCH_TOP,
)
from solvent.engine.memory.scratch import take
from solvent.engine.orderbook.book import best_price, cost_up, impact_limit
from solvent.engine.orderbook.matching import (
    TAKER_FILLED,
    TAKER_PREVENTION,
    TAKER_STOPPED,
    TAKER_SYSTEM,
    match,
    new_taker,
    taker_open,
)
from solvent.engine.units import cover, divide_up, mul_div_up, value_down, value_up
from solvent.engine.waterfall.draws import draw_ratio
from solvent.engine.waterfall.sizing import debts_largest_first, largest_first, needed_debt
from solvent.engine.weights import margin_fraction_up, weight_of
from solvent.kernels.language import Memory, Store, emit, kernel, narrow, wide


class BookWork(NamedTuple):
    """One account's orders of one step: raise USDC out of collateral, then buy the debt back."""

    account: int
    debt: int
    chunk: int
    skipped: bool
    attempt: Memory


@kernel
def book_stage(s: Store, account: int, attempt: Memory) -> None:
    """Stage 1 for one account; the attempt says whether and why it hands over."""
    for number in range(ATTEMPT_WIDTH):
        attempt[number] = 0
    attempt[ATTEMPT_ACCOUNT] = account
    repay_from_holdings(s, account)
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if target_restored(s, values):
        return
    top = s.globals[SCRATCH_TOP]
    count = s.globals[ASSETS]
    portfolio = take(s, 3 * count)
    order = take(s, count)
    portfolio_of(s, account, portfolio)
    if debts_largest_first(s, portfolio, order):
        _work_book(s, attempt, portfolio, order)
    else:
        attempt[ATTEMPT_BOOK_REASON] = Reason.STALE_PRICE
        _hand_over(s, attempt, 0, values)
    s.globals[SCRATCH_TOP] = top


@kernel
def _work_book(s: Store, attempt: Memory, portfolio: Memory, order: Memory) -> None:
    """Close a part of the largest debt, the first in `order`, which is then written anew."""
    account = attempt[ATTEMPT_ACCOUNT]
    debt = order[0]
    count = without(order, largest_first(s, account, order), debt)
    needed = needed_debt(s, portfolio, debt, order, count, s.rules[BOOK_FEE])
    chunk = min(needed, book_chunk(s, account, debt))
    skipped = draw_ratio(s, account) >= s.rules[BOOK_PROBABILITY]
    _raise_and_buy(s, BookWork(account, debt, chunk, skipped, attempt), order, count)
    attempt[ATTEMPT_TRIED] = not skipped
    _judge_book(s, attempt, debt)


@kernel
def without(order: Memory, count: int, asset: int) -> int:
    """Take `asset` out of a list of `count` assets; how many are left."""
    left = 0
    for place in range(count):
        if order[place] != asset:
            order[left] = order[place]
            left += 1
    return left


@kernel
def repay_from_holdings(s: Store, account: int) -> None:
    """Repay debts from free balances of the same asset, no more than target health needs."""
    for asset in range(s.globals[ASSETS]):
        free = min(position(s, account, asset)[AVAILABLE], debt_of(s, account, asset))
        if free:
            quantity = _needed_repayment(s, account, asset, free)
            if quantity:
                pools.repay(s, account, asset, quantity, Source.LIQUIDATION)


@kernel
def _needed_repayment(s: Store, account: int, asset: int, free: int) -> int:
    """Least of `free` tokens whose repayment restores target health; all where none does."""
    top = s.globals[SCRATCH_TOP]
    context = take(s, 1 + 3 * s.globals[ASSETS])
    context[0] = asset
    portfolio_of(s, account, context.at(1))
    quantity = smallest_passing(_repayment_restores, s, context, free)
    s.globals[SCRATCH_TOP] = top
    return quantity


@kernel
def _repayment_restores(s: Store, context: Memory, quantity: int) -> bool:
    """Of a context (asset, portfolio): whether repaying `quantity` restores target health."""
    held = context[0]
    owed = s.globals[ASSETS] + held
    portfolio = context.at(1)
    portfolio[held] -= quantity
    portfolio[owed] -= quantity
    restored = target_restored(s, health(s, portfolio, Doubt.FOR_ACCOUNT, 0))
    portfolio[held] += quantity
    portfolio[owed] += quantity
    return restored


@kernel
def book_chunk(s: Store, account: int, debt: int) -> int:
    """The most of a debt that one step may close: a fraction of it, at least one minimum order."""
    owed = debt_of(s, account, debt)
    chunk = mul_div_up(owed, s.rules[BOOK_FRACTION], RATIO)
    if debt != USDC:
        chunk = max(chunk, asset_row(s, debt)[MIN_QUANTITY])
    return min(owed, chunk)


@kernel
def _judge_book(s: Store, attempt: Memory, debt: int) -> None:
    """Decide whether the book stage hands over, and why, and write it down."""
    account = attempt[ATTEMPT_ACCOUNT]
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if target_restored(s, values):
        return
    owed = debt_of(s, account, debt)
    notional = value_up(owed, mark_of(s, debt), asset_row(s, debt))
    stuck, acted = attempt[ATTEMPT_STUCK], attempt[ATTEMPT_ACTED]
    if stuck and not acted and not attempt[ATTEMPT_POSTPONED]:
        attempt[ATTEMPT_BOOK_REASON] = Reason.NO_REDEEMABLE_CASH
    elif below_auto_close(s, values):
        attempt[ATTEMPT_BOOK_REASON] = _reason_below_auto_close(s, attempt, debt, owed)
    elif notional > s.rules[BOOK_LIMIT]:
        attempt[ATTEMPT_BOOK_REASON] = Reason.OVER_BOOK_LIMIT
    else:
        return
    _hand_over(s, attempt, debt, values)


@kernel
def _reason_below_auto_close(s: Store, attempt: Memory, debt: int, owed: int) -> int:
    dry = attempt[ATTEMPT_TRIED] != 0 and attempt[ATTEMPT_ACTED] == 0
    if attempt[ATTEMPT_STUCK] and dry:
        return Reason.NO_REDEEMABLE_CASH
    if debt != USDC and owed < asset_row(s, debt)[MIN_QUANTITY]:
        return Reason.BELOW_LOT
    return Reason.NO_LIQUIDITY_IN_BAND if dry else Reason.PRICE_GAP


@kernel
def _hand_over(s: Store, attempt: Memory, asset: int, values: Health) -> None:
    emit(
        s,
        HANDED_OVER,
        attempt[ATTEMPT_ACCOUNT],
        Stage.BOOK,
        attempt[ATTEMPT_BOOK_REASON],
        asset,
        report(values).debts_value,
    )


@kernel
def _raise_and_buy(s: Store, work: BookWork, order: Memory, count: int) -> None:
    """Redeem and sell collateral in the given order for what the chunk costs, then buy."""
    account, debt = work.account, work.debt
    if debt == USDC:
        budget = value_up(work.chunk, mark_of(s, debt), asset_row(s, debt))
    else:
        budget = cost_up(s, debt, _buy_limit(s, work), _lots(s, work), s.rules[BOOK_FEE])
    cash = position(s, account, USDC)
    for place in range(count):
        asset = order[place]
        short = budget - cash[AVAILABLE]
        if short <= 0:
            break
        if asset == USDC:
            _redeem(s, work, USDC, min(short, claim_of(s, account, USDC)))
        elif not is_stale(s, asset):
            _sell(s, work, asset, short)
    if debt != USDC:
        _buy(s, work)
    # A bought lot is repaid whole: kept as collateral it would weigh less than it cost.
    repaid = position(s, account, debt)[AVAILABLE]
    if debt == USDC:
        repaid = min(repaid, work.chunk)
    if repaid:
        pools.repay(s, account, debt, repaid, Source.LIQUIDATION)


@kernel
def _lots(s: Store, work: BookWork) -> int:
    """The chunk in whole lots, rounded up, within the debt; 0 for a debt below an order."""
    market = asset_row(s, work.debt)
    owed = debt_of(s, work.account, work.debt)
    if owed < market[MIN_QUANTITY]:
        return 0
    lots = narrow(min(divide_up(work.chunk, market[LOT]), owed // market[LOT]))
    return max(lots * market[LOT], market[MIN_QUANTITY])


@kernel
def _redeem(s: Store, work: BookWork, asset: int, quantity: int) -> None:
    """Redeem up to `quantity` of a lend, past the bound but not past the cash (A4)."""
    granted = min(quantity, pools.redeemable(pool_row(s, asset)))
    if granted < quantity:
        attempt = work.attempt
        attempt[ATTEMPT_STUCK] = 1
    if granted:
        pools.redeem(s, work.account, asset, granted, Source.LIQUIDATION)
        _note_act(work)


@kernel
def _note_act(work: BookWork) -> None:
    attempt = work.attempt
    attempt[ATTEMPT_ACTED] = 1


@kernel
def _sell(s: Store, work: BookWork, asset: int, short: int) -> None:
    """Sell what brings `short` USDC at the mark after the fee, in whole lots."""
    market = asset_row(s, asset)
    lot = market[LOT]
    held = position(s, work.account, asset)
    gross = mul_div_up(short, RATIO, RATIO - s.rules[BOOK_FEE])
    most = held[AVAILABLE] + claim_of(s, work.account, asset)
    covering, _ = cover(most, gross, mark_of(s, asset), market)
    lots = max(divide_up(covering, lot) * lot, market[MIN_QUANTITY])
    wanted = narrow(min(lots, most // lot * lot))
    missing = wanted - held[AVAILABLE]
    if missing > 0:
        _redeem(s, work, asset, missing)
    quantity = min(wanted, held[AVAILABLE]) // lot * lot
    if quantity < market[MIN_QUANTITY]:
        return
    limit = _sell_limit(s, work, asset)
    if work.skipped:
        _postpone(s, work)
    elif limit != NONE:
        _trade(s, work, asset, Side.ASK, limit, quantity, quantity)


@kernel
def _postpone(s: Store, work: BookWork) -> None:
    """Note that another draw would have let the book act."""
    attempt = work.attempt
    attempt[ATTEMPT_POSTPONED] = s.rules[BOOK_PROBABILITY] > 0


@kernel
def _sell_limit(s: Store, work: BookWork, asset: int) -> int:
    """Lowest price that neither leaves the impact band nor by itself lowers health, or NONE."""
    band = impact_limit(s, asset, Side.ASK)
    if band == NONE:
        return NONE
    row = position(s, work.account, asset)
    quantity = row[AVAILABLE] + row[LOCKED] + claim_of(s, work.account, asset)
    mark = mark_of(s, asset)
    weight = weight_of(asset_row(s, asset), quantity, mark)
    least = narrow(divide_up(wide(mark) * weight, RATIO - s.rules[BOOK_FEE]))
    return max(band, least + 1)


@kernel
def _relief(s: Store, work: BookWork) -> int:
    """Maintenance freed per unit of the debt repaid, in 10^-9, rounded down to be safe."""
    parameters = asset_row(s, work.debt)
    owed = debt_of(s, work.account, work.debt)
    notional = value_down(owed, mark_of(s, work.debt), parameters)
    base, factor = parameters[MAINTENANCE_BASE], parameters[MAINTENANCE_FACTOR]
    return max(0, margin_fraction_up(base, factor, notional) - 2)


@kernel
def _buy_limit(s: Store, work: BookWork) -> int:
    """Highest price that neither leaves the impact band nor by itself lowers health."""
    factor = RATIO + _relief(s, work)
    bearable = wide(mark_of(s, work.debt)) * factor // (RATIO + s.rules[BOOK_FEE]) - 1
    band = impact_limit(s, work.debt, Side.BID)
    return narrow(max(1, bearable if band == NONE else min(band, bearable)))


@kernel
def _buy(s: Store, work: BookWork) -> None:
    """Buy the chunk back with the USDC that is free."""
    budget = position(s, work.account, USDC)[AVAILABLE]
    quantity = _lots(s, work)
    if budget == 0 or quantity == 0 or best_price(s, work.debt, Side.ASK) == NONE:
        return
    if work.skipped:
        _postpone(s, work)
    else:
        _trade(s, work, work.debt, Side.BID, _buy_limit(s, work), quantity, budget)


@kernel
def _trade(
    s: Store, work: BookWork, asset: int, side: int, limit: int, quantity: int, lock: int
) -> None:
    """Send one reduce-only IOC order of the liquidation engine."""
    top = s.globals[SCRATCH_TOP]
    account = work.account
    order = s.globals[NEXT_ORDER]
    s.globals[NEXT_ORDER] = order + 1
    system = SystemOrder.BOOK_LIQUIDATION
    taker = new_taker(s, order, account, asset, side, limit, quantity, lock)
    taker[TAKER_SYSTEM] = system
    emit(
        s,
        ORDER_ACCEPTED,
        order,
        account,
        asset,
        side,
        OrderType.LIMIT,
        TimeInForce.IOC,
        limit,
        quantity,
        0,
        0,
        1,
        0,
        0,
        0,
        taker[TAKER_PREVENTION],
        0,
        0,
        system,
    )
    match(s, taker)
    rest = taker_open(taker)
    if rest:
        reason = taker[TAKER_STOPPED] if taker[TAKER_STOPPED] else ExpiryReason.PRICE_IMPACT
        emit(s, ORDER_EXPIRED, order, account, rest, reason)
    if taker[TAKER_FILLED]:
        _note_act(work)
    s.globals[SCRATCH_TOP] = top
