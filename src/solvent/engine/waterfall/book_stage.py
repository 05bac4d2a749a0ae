"""Stage 1 in kernels: sell collateral on the book and buy the debt back, as in `reference`.

What is done is planned from the state first: `plan_repayments`, `plan_book`, and for each order
`plan_sale` and `plan_purchase`. What becomes of an account's step is written into its row of
attempts. A fill never lowers health by its price, one step closes at most a fraction of the debt,
and a draw of the seed may skip it.
"""

from typing import NamedTuple

from solvent.domain.commands import NO_CLIENT_ID, OrderType, Side, TimeInForce
from solvent.domain.events import OrderAccepted, OrderExpired
from solvent.domain.labels import ExpiryReason, Reason, Source, Stage, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import RATIO
from solvent.domain.waterfall_events import HandedOver
from solvent.engine.ledger import (
    asset_row,
    debt_of,
    debt_worth,
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
    is_liquidatable,
    portfolio_of,
    report,
    target_gap,
    target_restored,
)
from solvent.engine.memory.layout import NO_REASON, NONE
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import cost_up
from solvent.engine.orderbook.depth import impact_limit
from solvent.engine.orderbook.matching import match, new_taker, taker_open
from solvent.engine.units import divide_up, mul_div_up, value_up
from solvent.engine.waterfall.draws import interval_of
from solvent.engine.waterfall.rows import Part
from solvent.engine.waterfall.sales import (
    Sale,
    Terms,
    meets,
    plan_sale,
    relief,
    sale_order,
    slippage,
)
from solvent.engine.waterfall.sizing import debts_largest_first, needed_debt_in_order
from solvent.kernels.language import clear, emit, kernel, narrow, rows_in, wide
from solvent.kernels.rows import Memory


class BookPlan(NamedTuple):
    """What an attempt is to do: close `chunk` atoms of `debt`, which takes `budget` USDC.

    Collateral is raised in `order`, of `length` assets. `restores`: at the marks the chunk, less
    than the debt, restores target health.
    """

    account: int
    debt: int
    chunk: int
    restores: bool
    budget: int
    order: Memory
    length: int


class Purchase(NamedTuple):
    """Atoms of the debt's asset to buy (0: none) at most at `limit`, for at most `budget` USDC."""

    quantity: int
    limit: int
    bearable: int
    budget: int


@kernel
def book_stage(s: Store, account: int, attempt: Attempt) -> None:
    """Stage 1 for one account; the attempt says whether and why it hands over."""
    clear(attempt)
    attempt.account = account
    s.waiting[account].attempted = interval_of(s)
    repay_from_holdings(s, account)
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if target_restored(s, values):
        return
    top = s.globals.scratch_top
    debt = USDC
    plan = plan_book(s, account, take(s, s.globals.assets))
    if plan.debt == NONE:
        attempt.book_reason = Reason.STALE_PRICE
    else:
        debt = plan.debt
        owed = debt_of(s, account, debt)
        gap = target_gap(s, values)
        apply_book(s, plan, attempt)
        values = health_of(s, account, Doubt.FOR_ACCOUNT)
        short = part_missed(owed - debt_of(s, account, debt), plan.chunk)
        if plan.restores:
            short = max(short, part_missed(gap - target_gap(s, values), gap))
        note_shortage(s, attempt, short)
        attempt.book_reason = judge_book(s, attempt, debt, values)
    if attempt.book_reason != NO_REASON:
        _hand_over(s, attempt, debt, values)
    s.globals.scratch_top = top


@kernel
def part_missed(closed: int, whole: int) -> int:
    """Which part of a chunk or gap was not closed, 10^-9, rounded up; none of an empty one."""
    return mul_div_up(min(whole, max(0, whole - closed)), RATIO, max(1, whole))


@kernel
def note_shortage(s: Store, attempt: Attempt, short: int) -> None:
    """Add what an attempt was short by, 10^-9 of it: part of its chunk, or of the gap it left."""
    row = s.waiting[attempt.account]
    limit = s.rules.patience * RATIO
    shortage = min(limit, row.shortage + short)
    if shortage != row.shortage:
        row.shortage = shortage
        s.globals.asleep = 0
    if short == 0:
        attempt.stuck = 0
    attempt.exhausted = shortage == limit


@kernel
def repay_from_holdings(s: Store, account: int) -> None:
    """Repay debts from free balances of the same asset, no more than target health needs."""
    top = s.globals.scratch_top
    costs = take(s, s.globals.assets)
    plan_repayments(s, account, costs)
    for asset in range(s.globals.assets):
        if costs[asset]:
            pools.repay(s, account, asset, costs[asset], Source.LIQUIDATION)
    s.globals.scratch_top = top


@kernel
def plan_repayments(s: Store, account: int, costs: Memory) -> None:
    """Write by asset what its free balance repays of the debt beside it, until target health."""
    assets = s.globals.assets
    top = s.globals.scratch_top
    context = take(s, 1 + 3 * assets)
    portfolio = context.at(1)
    portfolio_of(s, account, portfolio)
    for asset in range(assets):
        costs[asset] = 0
        held = position(s, account, asset)
        free = min(held.available, portfolio[assets + asset])
        if free:
            context[0] = asset
            quantity = smallest_passing(_repayment_restores, s, context, free)
            shares, cost = pools.repay_shares_down(s, account, asset, quantity)
            if shares:
                costs[asset] = cost
                portfolio[asset] -= cost
                portfolio[assets + asset] = debt_worth(
                    pool_row(s, asset), held.debt_shares - shares
                )
    s.globals.scratch_top = top


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
def plan_book(s: Store, account: int, order: Memory) -> BookPlan:
    """How much of the largest debt a step closes, and out of what.

    The debt is NONE where all debts are at stale prices.
    """
    top = s.globals.scratch_top
    portfolio = take(s, 3 * s.globals.assets)
    portfolio_of(s, account, portfolio)
    debt = NONE
    chunk = 0
    restores = False
    budget = 0
    length = 0
    if debts_largest_first(s, portfolio, order):
        debt = order[0]
        most = book_chunk(s, account, debt)
        parts = rows_in(Part, take(s, 2 * Part.WIDTH * s.globals.assets))
        length = sale_order(s, account, debt, _budget(s, account, debt, most), order, parts)
        fee = s.rules.book_fee
        needed = needed_debt_in_order(s, portfolio, debt, fee, parts, 2 * length)
        chunk = min(needed, most)
        restores = needed == chunk and needed < portfolio[s.globals.assets + debt]
        budget = _budget(s, account, debt, chunk)
    s.globals.scratch_top = top
    return BookPlan(account, debt, chunk, restores, budget, order, length)


@kernel
def book_chunk(s: Store, account: int, debt: int) -> int:
    """The most of a debt that one step may close: a fraction of it, at least one minimum order."""
    owed = debt_of(s, account, debt)
    chunk = mul_div_up(owed, s.rules.book_fraction, RATIO)
    if debt != USDC:
        chunk = max(chunk, asset_row(s, debt).min_quantity)
    return min(owed, chunk)


@kernel
def _budget(s: Store, account: int, debt: int, chunk: int) -> int:
    """USDC that closing `chunk` atoms takes: their value, or the dearest purchase of as much."""
    if debt == USDC:
        return value_up(chunk, mark_of(s, debt), asset_row(s, debt))
    lots = _lots(s, account, debt, chunk)
    return cost_up(s, debt, purchase_terms(s, account, debt).limit, lots, s.rules.book_fee)


@kernel
def judge_book(s: Store, attempt: Attempt, debt: int, values: Health) -> int:
    """Why the book stage hands over what its attempt left, or NO_REASON where it does not.

    It does so at MF < ACMF, over the book's limit, or when patience is used up.
    """
    if not is_liquidatable(values):
        return NO_REASON
    owed = debt_of(s, attempt.account, debt)
    notional = value_up(owed, mark_of(s, debt), asset_row(s, debt))
    below = below_auto_close(s, values)
    over_limit = notional > s.rules.book_limit
    if not (below or over_limit or attempt.exhausted):
        return NO_REASON
    if attempt.stuck:
        return Reason.NO_REDEEMABLE_CASH
    if over_limit and not below:
        return Reason.OVER_BOOK_LIMIT
    if debt != USDC and owed < asset_row(s, debt).min_quantity:
        return Reason.BELOW_LOT
    return Reason.PRICE_GAP if below and attempt.acted else Reason.NO_LIQUIDITY_IN_BAND


@kernel
def _hand_over(s: Store, attempt: Attempt, asset: int, values: Health) -> None:
    reason = Reason(attempt.book_reason)
    value = report(values).debts_value
    emit(s, HandedOver(attempt.account, Stage.BOOK, reason, asset, value))


@kernel
def apply_book(s: Store, plan: BookPlan, attempt: Attempt) -> None:
    """Raise what the chunk costs out of collateral, then buy the debt back and repay it."""
    account, debt = plan.account, plan.debt
    cash = position(s, account, USDC)
    for place in range(plan.length):
        short = plan.budget - cash.available
        if short <= 0:
            break
        apply_sale(s, plan, plan_sale(s, account, debt, plan.order[place], short), attempt)
    if debt != USDC:
        purchase = plan_purchase(s, plan)
        if purchase.quantity:
            apply_purchase(s, plan, purchase, attempt)
    # A bought lot is repaid whole: kept as collateral it would weigh less than it cost.
    repaid = position(s, account, debt).available
    if debt == USDC:
        repaid = min(repaid, plan.chunk)
    if repaid:
        pools.repay(s, account, debt, repaid, Source.LIQUIDATION)


@kernel
def apply_sale(s: Store, plan: BookPlan, sale: Sale, attempt: Attempt) -> None:
    """Redeem, then sell what the plan says, and note in the attempt what came of it."""
    if sale.redeemed < sale.asked:
        attempt.stuck = 1
    if sale.redeemed:
        pools.redeem(s, plan.account, sale.asset, sale.redeemed, Source.LIQUIDATION)
        attempt.acted = 1
    if sale.quantity:
        quantity = sale.quantity
        terms = Terms(sale.limit, sale.bearable)
        if _trade(s, plan, sale.asset, Side.ASK, terms, quantity, quantity):
            attempt.acted = 1


@kernel
def plan_purchase(s: Store, plan: BookPlan) -> Purchase:
    """How the chunk is bought back with the USDC that is free."""
    budget = position(s, plan.account, USDC).available
    quantity = _lots(s, plan.account, plan.debt, plan.chunk)
    terms = purchase_terms(s, plan.account, plan.debt)
    if budget == 0 or not meets(s, plan.debt, Side.BID, terms.limit):
        quantity = 0
    return Purchase(quantity, terms.limit, terms.bearable, budget)


@kernel
def _lots(s: Store, account: int, debt: int, quantity: int) -> int:
    """`quantity` in whole lots, rounded up, within the debt; 0 for a debt below an order."""
    market = asset_row(s, debt)
    owed = debt_of(s, account, debt)
    if owed < market.min_quantity:
        return 0
    lots = narrow(min(divide_up(quantity, market.lot), owed // market.lot))
    return max(lots * market.lot, market.min_quantity)


@kernel
def purchase_terms(s: Store, account: int, debt: int) -> Terms:
    """Highest prices of a purchase: near the mark, in the market's band, and no loss of health."""
    mark = wide(mark_of(s, debt))
    values = health_of(s, account, Doubt.NONE)
    most = mark * (RATIO + relief(s, account, debt)) // RATIO
    solvent = mark * (RATIO + slippage(values, RATIO)) // RATIO
    near = mark * (RATIO + slippage(values, s.rules.max_discount)) // RATIO
    banded = mark * asset_row(s, debt).max_multiplier // RATIO
    limit = min(most, near, banded)
    if s.rules.mark_limits == 0:
        band = impact_limit(s, debt, Side.BID, account)
        limit = most if band == NONE else min(most, wide(band))
    return Terms(narrow(max(wide(1), limit)), narrow(max(wide(1), min(most, solvent))))


@kernel
def apply_purchase(s: Store, plan: BookPlan, purchase: Purchase, attempt: Attempt) -> None:
    """Send the purchase, and note in the attempt what came of it."""
    terms = Terms(purchase.limit, purchase.bearable)
    if _trade(s, plan, plan.debt, Side.BID, terms, purchase.quantity, purchase.budget):
        attempt.acted = 1


@kernel
def _trade(
    s: Store, plan: BookPlan, asset: int, side: Side, terms: Terms, quantity: int, lock: int
) -> int:
    """Send one reduce-only IOC order of the liquidation engine; return the atoms filled."""
    top = s.globals.scratch_top
    account = plan.account
    order = s.globals.next_order
    s.globals.next_order = order + 1
    system = SystemOrder.BOOK_LIQUIDATION
    taker = new_taker(s, order, account, asset, side, terms.limit, quantity, lock)
    taker.bearable = terms.bearable
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
            price=terms.limit,
            quantity=quantity,
            quote_quantity=0,
            post_only=0,
            reduce_only=1,
            auto_borrow=0,
            auto_borrow_repay=0,
            auto_lend_redeem=0,
            self_trade_prevention=taker.prevention,
            client_id=NO_CLIENT_ID,
            locked=0,
            system_order=system,
        ),
    )
    match(s, taker)
    rest = taker_open(taker)
    if rest:
        reason = ExpiryReason(taker.stopped or ExpiryReason.PRICE_IMPACT)
        emit(
            s,
            OrderExpired(order=order, account=account, quantity=rest, reason=reason, unspent=0),
        )
    filled = taker.filled
    s.globals.scratch_top = top
    return filled
