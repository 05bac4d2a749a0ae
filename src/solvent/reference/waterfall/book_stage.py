"""Stage 1, the book: sell collateral, buy the debt back, never more than needed.

The engine repays from what the account holds, redeems lent collateral (throttle-exempt, up to the
pool's cash), sells collateral for USDC and buys the debt back with reduce-only IOC orders, the
largest debt first, out of the collateral of which the least must be sold (`sales`). One step closes
at most a fraction of the position. Limit prices come from the mark, so that nobody's order in the
book moves them (I39), and no fill happens at a price that would by itself lower health (I16): with
the maintenance that its repayment frees a sale brings what the collateral weighs, and a purchase
costs what the debt weighs. The fee is cut to what is left of that.

What the stage does is planned from the state before it is done: `plan_repayments`, then `plan_book`
for the step, `plan_sale` and `plan_purchase` for each order, since what an order brings is known
only when it has met the book.

Specification: section 7.3.
"""

from dataclasses import dataclass
from typing import NamedTuple

from solvent.domain.commands import NO_CLIENT_ID, OrderType, Side, TimeInForce
from solvent.domain.events import OrderAccepted, OrderExpired
from solvent.domain.labels import ExpiryReason, Reason, Source, Stage, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import (
    RATIO,
    divide_up,
    mul_div_up,
    value_up,
)
from solvent.domain.waterfall_events import HandedOver
from solvent.reference.ledger import debt_of, debt_worth
from solvent.reference.lending import pool as pools
from solvent.reference.limits import smallest_passing
from solvent.reference.margin import (
    Doubt,
    Health,
    Portfolio,
    below_auto_close,
    health,
    health_of,
    portfolio_of,
    target_gap,
    target_restored,
)
from solvent.reference.orderbook.book import (
    cost_up,
    market_of,
)
from solvent.reference.orderbook.depth import impact_limit
from solvent.reference.orderbook.matching import Taker, match
from solvent.reference.state import State
from solvent.reference.waterfall.sales import (
    Sale,
    Terms,
    meets,
    parts_in_order,
    plan_sale,
    relief,
    sale_order,
    slippage,
)
from solvent.reference.waterfall.sizing import debts_largest_first, draw_in_order, needed_debt


@dataclass(slots=True)
class Attempt:
    """What became of one account's attempt: did the book act, and why did it hand over.

    `stuck` says that a pool had no cash for a claim and nothing else made up for it, `exhausted`
    that the book's patience is used up.
    """

    account: int
    acted: bool = False
    stuck: bool = False
    exhausted: bool = False
    book_reason: Reason | None = None
    backstop_reason: Reason | None = None

    @property
    def idle(self) -> bool:
        """Whether the book can do nothing for the account, or had its chance."""
        return self.exhausted or not self.acted


class Repayment(NamedTuple):
    """Atoms of a free balance that go to the debt in the same asset: what whole shares cost."""

    asset: int
    quantity: int


class BookPlan(NamedTuple):
    """What an attempt is to do: close `chunk` atoms of `debt`, which takes `budget` USDC.

    Collateral is raised in `order`. `restores`: at the marks the chunk, less than the debt,
    restores target health.
    """

    account: int
    debt: int
    chunk: int
    restores: bool
    budget: int
    order: tuple[int, ...]


class Purchase(NamedTuple):
    """Atoms of the debt's asset to buy at most at `limit`, for at most `budget` USDC."""

    quantity: int
    terms: Terms
    budget: int


def book_stage(state: State, account: int) -> Attempt:
    """Stage 1 for one account; the attempt says whether and why it hands over."""
    attempt = Attempt(account)
    state.accounts[account].attempted = state.interval()
    repay_from_holdings(state, account)
    values = health_of(state, account, Doubt.FOR_ACCOUNT)
    if target_restored(state, values):
        return attempt
    plan = plan_book(state, account)
    if plan is None:
        attempt.book_reason = Reason.STALE_PRICE
        _hand_over(state, attempt, 0, values)
        return attempt
    owed, gap = debt_of(state, account, plan.debt), target_gap(state, values)
    apply_book(state, plan, attempt)
    values = health_of(state, account, Doubt.FOR_ACCOUNT)
    short = part_missed(owed - debt_of(state, account, plan.debt), plan.chunk)
    if plan.restores:
        short = max(short, part_missed(gap - target_gap(state, values), gap))
    note_shortage(state, attempt, short)
    attempt.book_reason = judge_book(state, attempt, plan.debt, values)
    if attempt.book_reason is not None:
        _hand_over(state, attempt, plan.debt, values)
    return attempt


def part_missed(closed: int, whole: int) -> int:
    """Which part of a chunk or gap was not closed, 10^-9, rounded up; none of an empty one."""
    return mul_div_up(min(whole, max(0, whole - closed)), RATIO, max(1, whole))


def note_shortage(state: State, attempt: Attempt, short: int) -> None:
    """Add what an attempt was short by, 10^-9 of it.

    That is the part of its chunk that it could not close. Where the chunk was to restore target
    health, and what it was bought or sold for took that away, it is the part of the gap that stays.
    """
    holder = state.accounts[attempt.account]
    limit = state.parameters.waterfall.patience * RATIO
    shortage = min(limit, holder.shortage + short)
    if shortage != holder.shortage:
        holder.shortage = shortage
        state.asleep = False
    attempt.stuck = attempt.stuck and short > 0
    attempt.exhausted = shortage == limit


def repay_from_holdings(state: State, account: int) -> None:
    """Repay debts from free balances of the same asset, no more than target health needs."""
    for repayment in plan_repayments(state, account):
        paid = pools.repay(state, account, repayment.asset, repayment.quantity, Source.LIQUIDATION)
        assert paid == repayment.quantity, "whole shares are repaid, as planned"


def plan_repayments(state: State, account: int) -> list[Repayment]:
    """What each free balance repays of the debt beside it, by asset, until target health."""
    holder = state.accounts[account]
    portfolio = portfolio_of(state, account)
    repayments = []
    for asset, pool in enumerate(state.pools):
        free = min(holder.available[asset], portfolio.debts[asset])
        quantity = _needed_repayment(state, portfolio, asset, free)
        shares, cost = pools.repay_shares_down(state, account, asset, quantity)
        if shares:
            repayments.append(Repayment(asset, cost))
            portfolio.quantities[asset] -= cost
            portfolio.debts[asset] = debt_worth(pool, holder.debt_shares[asset] - shares)
    return repayments


def _needed_repayment(state: State, portfolio: Portfolio, asset: int, free: int) -> int:
    """Least of `free` tokens whose repayment restores target health; all where none does."""

    def restored(quantity: int) -> bool:
        after = portfolio.copy()
        after.quantities[asset] -= quantity
        after.debts[asset] -= quantity
        return target_restored(state, health(state, after, Doubt.FOR_ACCOUNT))

    return smallest_passing(restored, free)


def plan_book(state: State, account: int) -> BookPlan | None:
    """How much of the largest debt a step closes, and out of what; None where all are stale."""
    portfolio = portfolio_of(state, account)
    debts = debts_largest_first(state, portfolio)
    if not debts:
        return None
    debt = debts[0]
    most = book_chunk(state, account, debt)
    prospects = sale_order(state, account, debt, _budget(state, account, debt, most))
    parts = parts_in_order(prospects)

    def take(quantities: list[int], value: int) -> None:
        draw_in_order(state, quantities, value, parts)

    needed = needed_debt(state, portfolio, debt, state.parameters.waterfall.book_fee, take)
    chunk = min(needed, most)
    return BookPlan(
        account=account,
        debt=debt,
        chunk=chunk,
        restores=needed == chunk < portfolio.debts[debt],
        budget=_budget(state, account, debt, chunk),
        order=tuple(each.asset for each in prospects),
    )


def book_chunk(state: State, account: int, debt: int) -> int:
    """The most of a debt that one step may close: a fraction of it, at least one minimum order."""
    owed = debt_of(state, account, debt)
    chunk = mul_div_up(owed, state.parameters.waterfall.book_fraction, RATIO)
    if debt != USDC:
        chunk = max(chunk, market_of(state, debt).min_quantity)
    return min(owed, chunk)


def _budget(state: State, account: int, debt: int, chunk: int) -> int:
    """USDC that closing `chunk` atoms takes: their value, or the dearest purchase of as much."""
    if debt == USDC:
        return value_up(chunk, state.mark(debt), state.asset(debt).decimals)
    lots = _lots(state, account, debt, chunk)
    limit = purchase_terms(state, account, debt).limit
    return cost_up(state, debt, limit, lots, state.parameters.waterfall.book_fee)


def judge_book(state: State, attempt: Attempt, debt: int, values: Health) -> Reason | None:
    """Why the book stage hands over what its attempt left, or None where it does not.

    It does so at MF < ACMF, over the book's limit, or when patience is used up.
    """
    if not values.liquidatable:
        return None
    owed = debt_of(state, attempt.account, debt)
    notional = value_up(owed, state.mark(debt), state.asset(debt).decimals)
    below = below_auto_close(state, values)
    over_limit = notional > state.parameters.waterfall.book_limit
    if not (below or over_limit or attempt.exhausted):
        return None
    if attempt.stuck:
        return Reason.NO_REDEEMABLE_CASH
    if over_limit and not below:
        return Reason.OVER_BOOK_LIMIT
    if debt != USDC and owed < market_of(state, debt).min_quantity:
        return Reason.BELOW_LOT
    return Reason.PRICE_GAP if below and attempt.acted else Reason.NO_LIQUIDITY_IN_BAND


def _hand_over(state: State, attempt: Attempt, asset: int, values: Health) -> None:
    """Write down why what is left goes to the backstop."""
    assert attempt.book_reason is not None
    state.emit(
        HandedOver(
            account=attempt.account,
            stage=Stage.BOOK,
            reason=attempt.book_reason,
            asset=asset,
            value=values.report().debts_value,
        )
    )


def apply_book(state: State, plan: BookPlan, attempt: Attempt) -> None:
    """Raise what the chunk costs out of collateral, then buy the debt back and repay it."""
    free = state.accounts[plan.account].available
    for asset in plan.order:
        short = plan.budget - free[USDC]
        if short <= 0:
            break
        apply_sale(state, plan, plan_sale(state, plan.account, plan.debt, asset, short), attempt)
    if plan.debt != USDC:
        purchase = plan_purchase(state, plan)
        if purchase is not None:
            apply_purchase(state, plan, purchase, attempt)
    # A bought lot is repaid whole: kept as collateral it would weigh less than it cost.
    repaid = min(free[USDC], plan.chunk) if plan.debt == USDC else free[plan.debt]
    if repaid:
        pools.repay(state, plan.account, plan.debt, repaid, Source.LIQUIDATION)


def apply_sale(state: State, plan: BookPlan, sale: Sale, attempt: Attempt) -> None:
    """Redeem, then sell what the plan says, and note in the attempt what came of it."""
    if sale.redeemed < sale.asked:
        attempt.stuck = True
    if sale.redeemed:
        pools.redeem(state, plan.account, sale.asset, sale.redeemed, Source.LIQUIDATION)
        attempt.acted = True
    if sale.terms is not None:
        filled = _trade(state, plan, sale.asset, Side.ASK, sale.terms, sale.quantity, sale.quantity)
        attempt.acted = attempt.acted or filled > 0


def plan_purchase(state: State, plan: BookPlan) -> Purchase | None:
    """How the chunk is bought back with the USDC that is free; None where nothing can be."""
    budget = state.accounts[plan.account].available[USDC]
    quantity = _lots(state, plan.account, plan.debt, plan.chunk)
    terms = purchase_terms(state, plan.account, plan.debt)
    if not (budget and quantity and meets(state, plan.debt, Side.BID, terms.limit)):
        return None
    return Purchase(quantity, terms, budget)


def _lots(state: State, account: int, debt: int, quantity: int) -> int:
    """`quantity` in whole lots, rounded up, within the debt; 0 for a debt below an order."""
    market = market_of(state, debt)
    owed = debt_of(state, account, debt)
    if owed < market.min_quantity:
        return 0
    lots = min(divide_up(quantity, market.lot), owed // market.lot)
    return max(lots * market.lot, market.min_quantity)


def purchase_terms(state: State, account: int, debt: int) -> Terms:
    """Highest prices of a purchase: near the mark, in the market's band, and no loss of health."""
    mark, values = state.mark(debt), health_of(state, account)
    most = mark * (RATIO + relief(state, account, debt)) // RATIO
    solvent = mark * (RATIO + slippage(values, RATIO)) // RATIO
    bearable = max(1, min(most, solvent))
    if not state.parameters.waterfall.mark_limits:
        band = impact_limit(state, debt, Side.BID, account)
        return Terms(max(1, most if band is None else min(most, band)), bearable)
    near = slippage(values, state.parameters.waterfall.max_discount)
    near = mark * (RATIO + near) // RATIO
    banded = mark * market_of(state, debt).max_multiplier // RATIO
    return Terms(max(1, min(most, near, banded)), bearable)


def apply_purchase(state: State, plan: BookPlan, purchase: Purchase, attempt: Attempt) -> None:
    """Send the purchase, and note in the attempt what came of it."""
    quantity, terms, budget = purchase
    filled = _trade(state, plan, plan.debt, Side.BID, terms, quantity, budget)
    attempt.acted = attempt.acted or filled > 0


def _trade(
    state: State, plan: BookPlan, asset: int, side: Side, terms: Terms, quantity: int, lock: int
) -> int:
    """Send one reduce-only IOC order of the liquidation engine; return the atoms filled."""
    taker = Taker(
        order=state.next_order,
        account=plan.account,
        asset=asset,
        side=side,
        limit=terms.limit,
        quantity=quantity,
        lock=lock,
        bearable=terms.bearable,
        system=SystemOrder.BOOK_LIQUIDATION,
    )
    state.next_order += 1
    state.emit(
        OrderAccepted(
            order=taker.order,
            account=plan.account,
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
            self_trade_prevention=taker.self_trade_prevention,
            client_id=NO_CLIENT_ID,
            locked=0,
            system_order=taker.system,
        )
    )
    match(state, taker)
    if taker.open:
        reason = taker.stopped or ExpiryReason.PRICE_IMPACT
        state.emit(OrderExpired(taker.order, plan.account, taker.open, reason, 0))
    return taker.filled
