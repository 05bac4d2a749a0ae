"""Stage 1, the book: sell collateral, buy the debt back, never more than needed.

The engine repays from what the account holds, redeems lent collateral (throttle-exempt, up to the
pool's cash), sells collateral for USDC and buys the debt back with reduce-only IOC orders, the
largest debt first, out of the largest collateral first. One step closes at most a fraction of the
position; each step's orders are skipped with a probability drawn from the seed. No fill happens at
a price that would by itself lower health (I16): a sale must bring at least what the collateral
weighs, a purchase may cost at most what the debt weighs, fee included.

Specification: section 7.3.
"""

from dataclasses import dataclass, field

from solvent.domain.commands import OrderType, Side, TimeInForce
from solvent.domain.events import OrderAccepted, OrderExpired
from solvent.domain.labels import ExpiryReason, Reason, Source, Stage, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import (
    RATIO,
    cover,
    divide_up,
    mul_div_up,
    value_down,
    value_up,
)
from solvent.domain.waterfall_events import HandedOver
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.lending import pool as pools
from solvent.reference.limits import smallest_passing
from solvent.reference.margin import (
    Doubt,
    Health,
    below_auto_close,
    health,
    health_of,
    margin_fraction_up,
    portfolio_of,
    target_restored,
    weight_of,
)
from solvent.reference.orderbook.book import (
    best_price,
    cost_up,
    impact_limit,
    market_of,
    opposite,
)
from solvent.reference.orderbook.matching import Taker, match
from solvent.reference.state import State
from solvent.reference.waterfall.draws import draw_ratio
from solvent.reference.waterfall.sizing import debts_largest_first, largest_first, needed_debt


@dataclass(slots=True)
class Attempt:
    """What became of one account's step: did the book act, and why did it hand over."""

    account: int
    tried: bool = False
    acted: bool = False
    postponed: bool = False
    stuck: bool = False
    book_reason: Reason | None = None
    backstop_reason: Reason | None = None
    redeem_failed: set[int] = field(default_factory=set)

    @property
    def idle(self) -> bool:
        """Whether the book did nothing and could not have done anything with another draw."""
        return not self.acted and not self.postponed


def book_stage(state: State, account: int) -> Attempt:
    """Stage 1 for one account; the attempt says whether and why it hands over."""
    attempt = Attempt(account)
    repay_from_holdings(state, account)
    values = health_of(state, account, Doubt.FOR_ACCOUNT)
    if target_restored(state, values):
        return attempt
    portfolio = portfolio_of(state, account)
    debts = debts_largest_first(state, portfolio)
    if not debts:
        attempt.book_reason = Reason.STALE_PRICE
        _hand_over(state, attempt, 0, values)
        return attempt
    debt = debts[0]
    fee = state.parameters.waterfall.book_fee
    order = [asset for asset in largest_first(state, account) if asset != debt]
    needed = needed_debt(state, portfolio, debt, order, fee)
    chunk = min(needed, book_chunk(state, account, debt))
    skipped = draw_ratio(state, account) >= state.parameters.waterfall.book_probability
    work = _BookWork(state, attempt, debt, chunk, skipped)
    work.raise_and_buy(order)
    attempt.stuck = bool(attempt.redeem_failed)
    attempt.tried = not skipped
    _judge_book(state, attempt, debt)
    return attempt


def repay_from_holdings(state: State, account: int) -> None:
    """Repay debts from free balances of the same asset, no more than target health needs."""
    holder = state.accounts[account]
    for asset in range(len(state.pools)):
        free = min(holder.available[asset], debt_of(state, account, asset))
        if not free:
            continue
        quantity = _needed_repayment(state, account, asset, free)
        if quantity:
            pools.repay(state, account, asset, quantity, Source.LIQUIDATION)


def _needed_repayment(state: State, account: int, asset: int, free: int) -> int:
    """Least of `free` tokens whose repayment restores target health; all where none does."""
    portfolio = portfolio_of(state, account)

    def restored(quantity: int) -> bool:
        after = portfolio.copy()
        after.quantities[asset] -= quantity
        after.debts[asset] -= quantity
        return target_restored(state, health(state, after, Doubt.FOR_ACCOUNT))

    return smallest_passing(restored, free)


def book_chunk(state: State, account: int, debt: int) -> int:
    """The most of a debt that one step may close: a fraction of it, at least one minimum order."""
    owed = debt_of(state, account, debt)
    chunk = mul_div_up(owed, state.parameters.waterfall.book_fraction, RATIO)
    if debt != USDC:
        chunk = max(chunk, market_of(state, debt).min_quantity)
    return min(owed, chunk)


def _judge_book(state: State, attempt: Attempt, debt: int) -> None:
    """Decide whether the book stage hands over, and why, and write it down."""
    values = health_of(state, attempt.account, Doubt.FOR_ACCOUNT)
    if target_restored(state, values):
        return
    parameters = state.asset(debt)
    owed = debt_of(state, attempt.account, debt)
    notional = value_up(owed, state.mark(debt), parameters.decimals)
    if attempt.stuck and not attempt.acted and not attempt.postponed:
        attempt.book_reason = Reason.NO_REDEEMABLE_CASH
    elif below_auto_close(state, values):
        dry = attempt.tried and not attempt.acted
        dust = debt != USDC and owed < market_of(state, debt).min_quantity
        attempt.book_reason = Reason.NO_LIQUIDITY_IN_BAND if dry else Reason.PRICE_GAP
        if attempt.stuck and dry:
            attempt.book_reason = Reason.NO_REDEEMABLE_CASH
        elif dust:
            attempt.book_reason = Reason.BELOW_LOT
    elif notional > state.parameters.waterfall.book_limit:
        attempt.book_reason = Reason.OVER_BOOK_LIMIT
    else:
        return
    _hand_over(state, attempt, debt, values)


def _hand_over(state: State, attempt: Attempt, asset: int, values: Health) -> None:
    if attempt.book_reason is not None:
        state.emit(
            HandedOver(
                attempt.account,
                Stage.BOOK,
                attempt.book_reason,
                asset,
                values.report().debts_value,
            )
        )


class _BookWork:
    """One account's orders of one step: raise USDC out of collateral, then buy the debt back."""

    def __init__(
        self, state: State, attempt: Attempt, debt: int, chunk: int, skipped: bool
    ) -> None:
        self.state = state
        self.attempt = attempt
        self.account = attempt.account
        self.debt = debt
        self.chunk = chunk
        self.skipped = skipped

    def raise_and_buy(self, order: list[int]) -> None:
        """Redeem and sell collateral in the given order for what the chunk costs, then buy."""
        state = self.state
        fee = state.parameters.waterfall.book_fee
        mark, decimals = state.mark(self.debt), state.asset(self.debt).decimals
        budget = value_up(self.chunk, mark, decimals)
        if self.debt != USDC:
            budget = cost_up(state, self.debt, self._buy_limit(), self._lots(self.chunk), fee)
        free = state.accounts[self.account].available
        for asset in order:
            short = budget - free[USDC]
            if short <= 0:
                break
            if asset == USDC:
                self._redeem(USDC, min(short, claim_of(state, self.account, USDC)))
            elif not state.prices[asset].stale:
                self._sell(asset, short)
        if self.debt != USDC:
            self._buy()
        # A bought lot is repaid whole: kept as collateral it would weigh less than it cost.
        repaid = min(free[self.debt], self.chunk) if self.debt == USDC else free[self.debt]
        if repaid:
            pools.repay(state, self.account, self.debt, repaid, Source.LIQUIDATION)

    def _lots(self, quantity: int) -> int:
        """`quantity` in whole lots, rounded up, within the debt; 0 for a debt below an order."""
        market = market_of(self.state, self.debt)
        owed = debt_of(self.state, self.account, self.debt)
        if owed < market.min_quantity:
            return 0
        lots = min(divide_up(quantity, market.lot), owed // market.lot)
        return max(lots * market.lot, market.min_quantity)

    def _redeem(self, asset: int, quantity: int) -> bool:
        """Redeem up to `quantity` of a lend, past the bound but not past the cash (A4)."""
        state = self.state
        granted = min(quantity, pools.redeemable(state.pools[asset]))
        if granted < quantity:
            self.attempt.redeem_failed.add(asset)
        if granted:
            pools.redeem(state, self.account, asset, granted, Source.LIQUIDATION)
            self.attempt.acted = True
        return granted == quantity

    def _sell(self, asset: int, short: int) -> None:
        """Sell what brings `short` USDC at the mark after the fee, in whole lots."""
        state = self.state
        holder = state.accounts[self.account]
        parameters = state.asset(asset)
        market = market_of(state, asset)
        gross = mul_div_up(short, RATIO, RATIO - state.parameters.waterfall.book_fee)
        held = holder.available[asset] + claim_of(state, self.account, asset)
        wanted, _ = cover(held, gross, state.mark(asset), parameters.decimals)
        wanted = max(divide_up(wanted, market.lot) * market.lot, market.min_quantity)
        wanted = min(wanted, held // market.lot * market.lot)
        missing = wanted - holder.available[asset]
        if missing > 0:
            self._redeem(asset, missing)
        quantity = min(wanted, holder.available[asset]) // market.lot * market.lot
        if quantity < market.min_quantity:
            return
        limit = self._sell_limit(asset)
        if self.skipped:
            self.attempt.postponed = self.state.parameters.waterfall.book_probability > 0
        elif limit is not None:
            self._trade(asset, Side.ASK, limit, quantity, quantity)

    def _sell_limit(self, asset: int) -> int | None:
        """Lowest price that neither leaves the impact band nor by itself lowers health."""
        state = self.state
        band = impact_limit(state, asset, Side.ASK)
        if band is None:
            return None
        parameters = state.asset(asset)
        portfolio = portfolio_of(state, self.account)
        quantity = portfolio.quantities[asset]
        weight = weight_of(parameters, quantity, state.mark(asset))
        fee = state.parameters.waterfall.book_fee
        return max(band, divide_up(state.mark(asset) * weight, RATIO - fee) + 1)

    def _relief(self) -> int:
        """Maintenance freed per unit of the debt repaid, in 10^-9, rounded down to be safe."""
        state = self.state
        parameters = state.asset(self.debt)
        owed = debt_of(state, self.account, self.debt)
        notional = value_down(owed, state.mark(self.debt), parameters.decimals)
        return max(0, margin_fraction_up(parameters.maintenance, notional) - 2)

    def _buy_limit(self) -> int:
        """Highest price that neither leaves the impact band nor by itself lowers health."""
        state = self.state
        fee = state.parameters.waterfall.book_fee
        bearable = state.mark(self.debt) * (RATIO + self._relief()) // (RATIO + fee) - 1
        band = impact_limit(state, self.debt, Side.BID)
        return max(1, bearable if band is None else min(band, bearable))

    def _buy(self) -> None:
        state = self.state
        budget = state.accounts[self.account].available[USDC]
        best = best_price(state, self.debt, opposite(Side.BID))
        quantity = self._lots(self.chunk)
        if not (budget and quantity and best is not None):
            return
        if self.skipped:
            self.attempt.postponed = self.state.parameters.waterfall.book_probability > 0
        else:
            self._trade(self.debt, Side.BID, self._buy_limit(), quantity, budget)

    def _trade(self, asset: int, side: Side, limit: int, quantity: int, lock: int) -> None:
        """Send one reduce-only IOC order of the liquidation engine."""
        state = self.state
        taker = Taker(
            order=state.next_order,
            account=self.account,
            asset=asset,
            side=side,
            limit=limit,
            quantity=quantity,
            lock=lock,
            system=SystemOrder.BOOK_LIQUIDATION,
        )
        state.next_order += 1
        state.emit(
            OrderAccepted(
                order=taker.order,
                account=self.account,
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
                self_trade_prevention=taker.self_trade_prevention,
                client_id=0,
                locked=0,
                system_order=taker.system,
            )
        )
        match(state, taker)
        if taker.open:
            reason = taker.stopped or ExpiryReason.PRICE_IMPACT
            state.emit(OrderExpired(taker.order, self.account, taker.open, reason))
        self.attempt.acted = self.attempt.acted or taker.filled > 0
