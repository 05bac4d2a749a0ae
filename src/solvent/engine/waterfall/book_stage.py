"""Stage 1 in kernels: sell collateral on the book and buy the debt back, as in `reference`.

What becomes of an account's step is written into its row of attempts. A fill never lowers health by
its price, one step closes at most a fraction of the debt, and a draw of the seed may skip it.
"""

from typing import NamedTuple

from solvent.domain.commands import OrderType, Side, TimeInForce
from solvent.domain.events import OrderAccepted, OrderExpired
from solvent.domain.labels import ExpiryReason, Reason, Source, Stage, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import RATIO
from solvent.domain.waterfall_events import HandedOver
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
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import best_price, cost_up, impact_limit
from solvent.engine.orderbook.matching import match, new_taker, taker_open
from solvent.engine.units import cover, divide_up, mul_div_up, value_down, value_up
from solvent.engine.waterfall.draws import draw_ratio
from solvent.engine.waterfall.sizing import debts_largest_first, largest_first, needed_debt
from solvent.engine.weights import margin_fraction_up, weight_of
from solvent.kernels.language import clear, emit, kernel, narrow, wide
from solvent.kernels.rows import Memory


class BookWork(NamedTuple):
    """One account's orders of one step: raise USDC out of collateral, then buy the debt back."""

    account: int
    debt: int
    chunk: int
    skipped: bool
    attempt: Attempt


@kernel
def book_stage(s: Store, account: int, attempt: Attempt) -> None:
    """Stage 1 for one account; the attempt says whether and why it hands over."""
    clear(attempt)
    attempt.account = account
    repay_from_holdings(s, account)
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if target_restored(s, values):
        return
    top = s.globals.scratch_top
    count = s.globals.assets
    portfolio = take(s, 3 * count)
    order = take(s, count)
    portfolio_of(s, account, portfolio)
    if debts_largest_first(s, portfolio, order):
        _work_book(s, attempt, portfolio, order)
    else:
        attempt.book_reason = Reason.STALE_PRICE
        _hand_over(s, attempt, 0, values)
    s.globals.scratch_top = top


@kernel
def _work_book(s: Store, attempt: Attempt, portfolio: Memory, order: Memory) -> None:
    """Close a part of the largest debt, the first in `order`, which is then written anew."""
    account = attempt.account
    debt = order[0]
    count = without(order, largest_first(s, account, order), debt)
    needed = needed_debt(s, portfolio, debt, order, count, s.rules.book_fee)
    chunk = min(needed, book_chunk(s, account, debt))
    skipped = draw_ratio(s, account) >= s.rules.book_probability
    _raise_and_buy(s, BookWork(account, debt, chunk, skipped, attempt), order, count)
    attempt.tried = not skipped
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
    for asset in range(s.globals.assets):
        free = min(position(s, account, asset).available, debt_of(s, account, asset))
        if free:
            quantity = _needed_repayment(s, account, asset, free)
            if quantity:
                pools.repay(s, account, asset, quantity, Source.LIQUIDATION)


@kernel
def _needed_repayment(s: Store, account: int, asset: int, free: int) -> int:
    """Least of `free` tokens whose repayment restores target health; all where none does."""
    top = s.globals.scratch_top
    context = take(s, 1 + 3 * s.globals.assets)
    context[0] = asset
    portfolio_of(s, account, context.at(1))
    quantity = smallest_passing(_repayment_restores, s, context, free)
    s.globals.scratch_top = top
    return quantity


@kernel
def _repayment_restores(s: Store, context: Memory, quantity: int) -> bool:
    """Of a context (asset, portfolio): whether repaying `quantity` restores target health."""
    held = context[0]
    owed = s.globals.assets + held
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
    chunk = mul_div_up(owed, s.rules.book_fraction, RATIO)
    if debt != USDC:
        chunk = max(chunk, asset_row(s, debt).min_quantity)
    return min(owed, chunk)


@kernel
def _judge_book(s: Store, attempt: Attempt, debt: int) -> None:
    """Decide whether the book stage hands over, and why, and write it down."""
    account = attempt.account
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if target_restored(s, values):
        return
    owed = debt_of(s, account, debt)
    notional = value_up(owed, mark_of(s, debt), asset_row(s, debt))
    stuck, acted = attempt.stuck, attempt.acted
    if stuck and not acted and not attempt.postponed:
        attempt.book_reason = Reason.NO_REDEEMABLE_CASH
    elif below_auto_close(s, values):
        attempt.book_reason = _reason_below_auto_close(s, attempt, debt, owed)
    elif notional > s.rules.book_limit:
        attempt.book_reason = Reason.OVER_BOOK_LIMIT
    else:
        return
    _hand_over(s, attempt, debt, values)


@kernel
def _reason_below_auto_close(s: Store, attempt: Attempt, debt: int, owed: int) -> int:
    dry = attempt.tried != 0 and attempt.acted == 0
    if attempt.stuck and dry:
        return Reason.NO_REDEEMABLE_CASH
    if debt != USDC and owed < asset_row(s, debt).min_quantity:
        return Reason.BELOW_LOT
    return Reason.NO_LIQUIDITY_IN_BAND if dry else Reason.PRICE_GAP


@kernel
def _hand_over(s: Store, attempt: Attempt, asset: int, values: Health) -> None:
    emit(
        s,
        HandedOver(
            account=attempt.account,
            stage=Stage.BOOK,
            reason=Reason(attempt.book_reason),
            asset=asset,
            value=report(values).debts_value,
        ),
    )


@kernel
def _raise_and_buy(s: Store, work: BookWork, order: Memory, count: int) -> None:
    """Redeem and sell collateral in the given order for what the chunk costs, then buy."""
    account, debt = work.account, work.debt
    if debt == USDC:
        budget = value_up(work.chunk, mark_of(s, debt), asset_row(s, debt))
    else:
        budget = cost_up(s, debt, _buy_limit(s, work), _lots(s, work), s.rules.book_fee)
    cash = position(s, account, USDC)
    for place in range(count):
        asset = order[place]
        short = budget - cash.available
        if short <= 0:
            break
        if asset == USDC:
            _redeem(s, work, USDC, min(short, claim_of(s, account, USDC)))
        elif not is_stale(s, asset):
            _sell(s, work, asset, short)
    if debt != USDC:
        _buy(s, work)
    # A bought lot is repaid whole: kept as collateral it would weigh less than it cost.
    repaid = position(s, account, debt).available
    if debt == USDC:
        repaid = min(repaid, work.chunk)
    if repaid:
        pools.repay(s, account, debt, repaid, Source.LIQUIDATION)


@kernel
def _lots(s: Store, work: BookWork) -> int:
    """The chunk in whole lots, rounded up, within the debt; 0 for a debt below an order."""
    market = asset_row(s, work.debt)
    owed = debt_of(s, work.account, work.debt)
    if owed < market.min_quantity:
        return 0
    lots = narrow(min(divide_up(work.chunk, market.lot), owed // market.lot))
    return max(lots * market.lot, market.min_quantity)


@kernel
def _redeem(s: Store, work: BookWork, asset: int, quantity: int) -> None:
    """Redeem up to `quantity` of a lend, past the bound but not past the cash (A4)."""
    granted = min(quantity, pools.redeemable(pool_row(s, asset)))
    if granted < quantity:
        attempt = work.attempt
        attempt.stuck = 1
    if granted:
        pools.redeem(s, work.account, asset, granted, Source.LIQUIDATION)
        _note_act(work)


@kernel
def _note_act(work: BookWork) -> None:
    work.attempt.acted = 1


@kernel
def _sell(s: Store, work: BookWork, asset: int, short: int) -> None:
    """Sell what brings `short` USDC at the mark after the fee, in whole lots."""
    market = asset_row(s, asset)
    lot = market.lot
    held = position(s, work.account, asset)
    gross = mul_div_up(short, RATIO, RATIO - s.rules.book_fee)
    most = held.available + claim_of(s, work.account, asset)
    covering, _ = cover(most, gross, mark_of(s, asset), market)
    lots = max(divide_up(covering, lot) * lot, market.min_quantity)
    wanted = narrow(min(lots, most // lot * lot))
    missing = wanted - held.available
    if missing > 0:
        _redeem(s, work, asset, missing)
    quantity = min(wanted, held.available) // lot * lot
    if quantity < market.min_quantity:
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
    attempt.postponed = s.rules.book_probability > 0


@kernel
def _sell_limit(s: Store, work: BookWork, asset: int) -> int:
    """Lowest price that neither leaves the impact band nor by itself lowers health, or NONE."""
    band = impact_limit(s, asset, Side.ASK)
    if band == NONE:
        return NONE
    row = position(s, work.account, asset)
    quantity = row.available + row.locked + claim_of(s, work.account, asset)
    mark = mark_of(s, asset)
    weight = weight_of(asset_row(s, asset), quantity, mark)
    least = narrow(divide_up(wide(mark) * weight, RATIO - s.rules.book_fee))
    return max(band, least + 1)


@kernel
def _relief(s: Store, work: BookWork) -> int:
    """Maintenance freed per unit of the debt repaid, in 10^-9, rounded down to be safe."""
    parameters = asset_row(s, work.debt)
    owed = debt_of(s, work.account, work.debt)
    notional = value_down(owed, mark_of(s, work.debt), parameters)
    base, factor = parameters.maintenance_base, parameters.maintenance_factor
    return max(0, margin_fraction_up(base, factor, notional) - 2)


@kernel
def _buy_limit(s: Store, work: BookWork) -> int:
    """Highest price that neither leaves the impact band nor by itself lowers health."""
    factor = RATIO + _relief(s, work)
    bearable = wide(mark_of(s, work.debt)) * factor // (RATIO + s.rules.book_fee) - 1
    band = impact_limit(s, work.debt, Side.BID)
    return narrow(max(1, bearable if band == NONE else min(band, bearable)))


@kernel
def _buy(s: Store, work: BookWork) -> None:
    """Buy the chunk back with the USDC that is free."""
    budget = position(s, work.account, USDC).available
    quantity = _lots(s, work)
    if budget == 0 or quantity == 0 or best_price(s, work.debt, Side.ASK) == NONE:
        return
    if work.skipped:
        _postpone(s, work)
    else:
        _trade(s, work, work.debt, Side.BID, _buy_limit(s, work), quantity, budget)


@kernel
def _trade(
    s: Store, work: BookWork, asset: int, side: Side, limit: int, quantity: int, lock: int
) -> None:
    """Send one reduce-only IOC order of the liquidation engine."""
    top = s.globals.scratch_top
    account = work.account
    order = s.globals.next_order
    s.globals.next_order = order + 1
    system = SystemOrder.BOOK_LIQUIDATION
    taker = new_taker(s, order, account, asset, side, limit, quantity, lock)
    taker.system = system
    emit(
        s,
        OrderAccepted(
            order=order,
            account=account,
            asset=asset,
            side=side,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.IOC,
            price=limit,
            quantity=quantity,
            quote_quantity=0,
            post_only=0,
            reduce_only=1,
            auto_borrow=0,
            auto_borrow_repay=0,
            auto_lend_redeem=0,
            self_trade_prevention=taker.prevention,
            client_id=0,
            locked=0,
            system_order=system,
        ),
    )
    match(s, taker)
    rest = taker_open(taker)
    if rest:
        reason = ExpiryReason(taker.stopped or ExpiryReason.PRICE_IMPACT)
        emit(s, OrderExpired(order=order, account=account, quantity=rest, reason=reason))
    if taker.filled:
        _note_act(work)
    s.globals.scratch_top = top
