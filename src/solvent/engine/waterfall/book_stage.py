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
    claim_of,
    claim_worth,
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
    target_restored,
    total_value,
)
from solvent.engine.memory.layout import NO_REASON, NONE
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import best_price, cost_up, crosses, opposite
from solvent.engine.orderbook.matching import match, new_taker, taker_open
from solvent.engine.units import cover, divide_up, mul_div_up, value_down, value_up
from solvent.engine.waterfall.draws import interval_of
from solvent.engine.waterfall.sizing import debts_largest_first, largest_first, needed_debt, without
from solvent.engine.weights import margin_fraction_up, weight_of
from solvent.kernels.language import clear, emit, kernel, narrow, wide
from solvent.kernels.rows import Memory


class BookPlan(NamedTuple):
    """What an attempt is to do: close `chunk` atoms of `debt`, which takes `budget` USDC.

    Collateral is raised in `order`, of `length` assets.
    """

    account: int
    debt: int
    chunk: int
    budget: int
    order: Memory
    length: int


class Terms(NamedTuple):
    """An order's worst price and the one that can be borne without fee, 10^-10 USDC."""

    limit: int
    bearable: int


class Sale(NamedTuple):
    """How one asset raises USDC: of `asked` atoms of the claim `redeemed` can be, then the sale.

    `quantity` is 0 where there is too little for an order or nobody to meet.
    """

    asset: int
    asked: int
    redeemed: int
    quantity: int
    limit: int
    bearable: int


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
        apply_book(s, plan, attempt)
        note_shortage(s, attempt, plan.chunk, owed - debt_of(s, account, debt))
        values = health_of(s, account, Doubt.FOR_ACCOUNT)
        attempt.book_reason = judge_book(s, attempt, debt, values)
    if attempt.book_reason != NO_REASON:
        _hand_over(s, attempt, debt, values)
    s.globals.scratch_top = top


@kernel
def note_shortage(s: Store, attempt: Attempt, chunk: int, closed: int) -> None:
    """Add the part of its chunk that an attempt could not close; it is short of nothing else."""
    row = s.waiting[attempt.account]
    limit = s.rules.patience * RATIO
    short = 0
    if closed < chunk:
        short = mul_div_up(chunk - closed, RATIO, chunk)
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
    budget = 0
    length = 0
    if debts_largest_first(s, portfolio, order):
        debt = order[0]
        length = without(order, largest_first(s, account, order), debt)
        needed = needed_debt(s, portfolio, debt, order, length, s.rules.book_fee)
        chunk = min(needed, book_chunk(s, account, debt))
        budget = _budget(s, account, debt, chunk)
    s.globals.scratch_top = top
    return BookPlan(account, debt, chunk, budget, order, length)


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
def apply_book(s: Store, plan: BookPlan, attempt: Attempt) -> None:
    """Raise what the chunk costs out of collateral, then buy the debt back and repay it."""
    account, debt = plan.account, plan.debt
    cash = position(s, account, USDC)
    for place in range(plan.length):
        short = plan.budget - cash.available
        if short <= 0:
            break
        apply_sale(s, plan, plan_sale(s, plan, plan.order[place], short), attempt)
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
def plan_sale(s: Store, plan: BookPlan, asset: int, short: int) -> Sale:
    """How one asset brings `short` USDC at the mark after the fee, in whole lots.

    Lent tokens are redeemed past the throttle's bound but not past the pool's cash (A4).
    """
    account = plan.account
    held = position(s, account, asset)
    claim = claim_of(s, account, asset)
    cash = pools.redeemable(pool_row(s, asset))
    if asset == USDC:
        usdc = min(short, claim)
        return Sale(USDC, usdc, min(usdc, cash), 0, NONE, NONE)
    market = asset_row(s, asset)
    lot = market.lot
    gross = mul_div_up(short, RATIO, RATIO - s.rules.book_fee)
    most = held.available + claim
    covering, _ = cover(most, gross, mark_of(s, asset), market)
    lots = max(divide_up(covering, lot) * lot, market.min_quantity)
    wanted = narrow(min(lots, most // lot * lot))
    asked = max(0, wanted - held.available)
    redeemed = min(asked, cash)
    quantity = min(wanted, held.available + redeemed) // lot * lot
    if quantity < market.min_quantity:
        return Sale(asset, asked, redeemed, 0, NONE, NONE)
    terms = sale_terms(s, account, asset, plan.debt, redeemed)
    if not _meets(s, asset, Side.ASK, terms.limit):
        quantity = 0
    return Sale(asset, asked, redeemed, quantity, terms.limit, terms.bearable)


@kernel
def slippage(values: Health, most: int) -> int:
    """How far from the mark a price may be, in 10^-9: what the account is worth, at most `most`."""
    worth = max(wide(0), total_value(values)) * RATIO // max(wide(1), values.debts_value)
    return narrow(min(wide(most), worth))


@kernel
def sale_terms(s: Store, account: int, asset: int, debt: int, redeemed: int) -> Terms:
    """Lowest prices of a sale: near the mark, in the market's band, and no loss of health.

    A fill is judged with the maintenance that its repayment frees; where a purchase repays, that is
    the purchase's. What weighs is the holding once `redeemed` atoms of the claim became tokens.
    """
    row = position(s, account, asset)
    lent = row.lent_shares - pools.claim_shares_up(s, account, asset, redeemed)
    quantity = row.available + row.locked + redeemed + claim_worth(pool_row(s, asset), lent)
    mark = wide(mark_of(s, asset))
    values = health_of(s, account, Doubt.NONE)
    freed = _relief(s, account, debt) if debt == USDC else 0
    weight = weight_of(asset_row(s, asset), quantity, mark_of(s, asset))
    least = divide_up(mark * weight, RATIO + freed)
    solvent = divide_up(mark * (RATIO - slippage(values, RATIO)), RATIO)
    near = divide_up(mark * (RATIO - slippage(values, s.rules.max_discount)), RATIO)
    banded = divide_up(mark * asset_row(s, asset).min_multiplier, RATIO)
    limit = max(wide(1), least, near, banded)
    return Terms(narrow(limit), narrow(max(wide(1), least, solvent)))


@kernel
def _meets(s: Store, asset: int, side: Side, limit: int) -> bool:
    """Whether an order of the engine meets anybody within its limit."""
    best = best_price(s, asset, opposite(side))
    return best != NONE and crosses(side, limit, best)


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
    if budget == 0 or not _meets(s, plan.debt, Side.BID, terms.limit):
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
    most = mark * (RATIO + _relief(s, account, debt)) // RATIO
    solvent = mark * (RATIO + slippage(values, RATIO)) // RATIO
    near = mark * (RATIO + slippage(values, s.rules.max_discount)) // RATIO
    banded = mark * asset_row(s, debt).max_multiplier // RATIO
    limit = min(most, near, banded)
    return Terms(narrow(max(wide(1), limit)), narrow(max(wide(1), min(most, solvent))))


@kernel
def _relief(s: Store, account: int, debt: int) -> int:
    """Maintenance freed per unit of the debt repaid, in 10^-9, rounded down to be safe."""
    parameters = asset_row(s, debt)
    owed = debt_of(s, account, debt)
    notional = value_down(owed, mark_of(s, debt), parameters)
    base, factor = parameters.maintenance_base, parameters.maintenance_factor
    return max(0, margin_fraction_up(base, factor, notional) - 2)


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
