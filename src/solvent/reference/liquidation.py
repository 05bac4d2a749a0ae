"""Liquidation: the waterfall's one parent, and its first stage, the order book.

`watch` finds accounts at MMR >= 100 %, in real time: after every change of price, interest or
parameters. They are `liquidating` from then until target health NE >= M * (1 + buffer): their own
commands are refused but deposit and repay, their orders are gone. Each time step the parent takes
every one of them through the stages in order (A6, I15):

    book -> backstop providers -> ADL (case L, then case B) -> deficit

and each stage acts on what the one before left and says why it left it. The book stage repays from
what is held, redeems lent collateral (throttle-exempt), sells collateral and buys the debt back
with reduce-only IOC orders: at most a fraction of the position per step, each step skipped with a
probability drawn from the seed, and no fill at a price that would by itself lower health (I16).
"""

from dataclasses import dataclass, field

from solvent.domain.commands import Side
from solvent.domain.events import (
    ExpiryReason,
    HandedOver,
    LiquidationEnded,
    LiquidationStarted,
    OrderAccepted,
    OrderExpired,
    Reason,
    Source,
    Stage,
    SystemOrder,
)
from solvent.domain.parameters import USDC
from solvent.domain.units import (
    RATIO,
    divide_up,
    mul_div_up,
    quantity_down,
    quantity_up,
    value_down,
    value_up,
)
from solvent.reference import pool as pools
from solvent.reference.adl import settle_defaults, settle_stuck_lenders
from solvent.reference.backstop import take_over
from solvent.reference.book import best_price, cost_up, expire_all, impact_limit, market_of, opposite
from solvent.reference.draws import draw_ratio
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.margin import (
    Doubt,
    Health,
    below_auto_close,
    health,
    health_of,
    liquidatable,
    margin_fraction_up,
    portfolio_of,
    target_restored,
    weight_down,
)
from solvent.reference.matching import Taker, match
from solvent.reference.sizing import debts_largest_first, largest_first, needed_debt
from solvent.reference.limits import smallest_passing
from solvent.reference.state import State


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


def watch(state: State) -> None:
    """Find accounts that reached MMR 100 %, cancel their orders and mark them."""
    for account, holder in enumerate(state.accounts):
        if account in state.liquidating or not any(holder.debt_shares):
            continue
        if liquidatable(state, account):
            state.liquidating.add(account)
            expire_all(state, account, ExpiryReason.LIQUIDATION)
            values = health_of(state, account)
            state.emit(LiquidationStarted(account, *_summary(values)))


def _summary(values: Health) -> tuple[int, int, int, int]:
    report = values.report()
    return report.net_equity, report.maintenance, report.exposure, report.total_value


def release(state: State) -> None:
    """Let go of accounts whose target health is restored or who owe nothing."""
    for account in sorted(state.liquidating):
        values = health_of(state, account, Doubt.FOR_ACCOUNT)
        if target_restored(state, values):
            state.liquidating.discard(account)
            state.emit(LiquidationEnded(account, *_summary(values)))


def step_waterfall(state: State) -> None:
    """Take every liquidating account through the stages once."""
    release(state)
    attempts = [book_stage(state, account) for account in sorted(state.liquidating)]
    for attempt in attempts:
        if attempt.book_reason is not None and liquidatable(state, attempt.account):
            attempt.backstop_reason = take_over(state, attempt.account)
    stuck = {
        attempt.account: (attempt.book_reason, attempt.backstop_reason)
        for attempt in attempts
        if attempt.stuck and attempt.book_reason and attempt.backstop_reason
    }
    settle_stuck_lenders(state, stuck)
    defaulted = {
        attempt.account: (attempt.book_reason, attempt.backstop_reason)
        for attempt in attempts
        if attempt.book_reason and attempt.backstop_reason and _in_default(state, attempt)
    }
    settle_defaults(state, defaulted)
    release(state)


def _in_default(state: State, attempt: Attempt) -> bool:
    """Whether nothing but case B is left: the book could not act and MF < ACMF, or TV <= 0."""
    if not liquidatable(state, attempt.account):
        return False
    values = health_of(state, attempt.account)
    if values.total_value <= 0:
        return True
    could_not = (attempt.tried and not attempt.acted) or attempt.stuck
    return could_not and below_auto_close(state, values)


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
        portfolio = portfolio_of(state, account)

        def restored(quantity: int, asset: int = asset) -> bool:
            after = portfolio.copy()
            after.quantities[asset] -= quantity
            after.debts[asset] -= quantity
            return target_restored(state, health(state, after, Doubt.FOR_ACCOUNT))

        quantity = smallest_passing(restored, free)
        if quantity:
            pools.repay(state, account, asset, quantity, Source.LIQUIDATION)


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
        repaid = min(free[self.debt], self.chunk)
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
        wanted = quantity_up(gross, state.mark(asset), parameters.decimals)
        wanted = max(divide_up(wanted, market.lot) * market.lot, market.min_quantity)
        held = holder.available[asset] + claim_of(state, self.account, asset)
        wanted = min(wanted, held // market.lot * market.lot)
        missing = wanted - holder.available[asset]
        if missing > 0:
            self._redeem(asset, missing)
        quantity = min(wanted, holder.available[asset]) // market.lot * market.lot
        if quantity < market.min_quantity:
            return
        limit = self._sell_limit(asset)
        if self.skipped:
            self.attempt.postponed = True
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
        value = value_down(quantity, state.mark(asset), parameters.decimals)
        weight = weight_down(parameters.haircut, quantity, value, parameters.decimals)
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
            self.attempt.postponed = True
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
                price=limit,
                quantity=quantity,
                quote_quantity=0,
                locked=0,
                client_id=0,
                system_order=taker.system,
            )
        )
        match(state, taker)
        if taker.open:
            reason = taker.stopped or ExpiryReason.PRICE_IMPACT
            state.emit(OrderExpired(taker.order, self.account, taker.open, reason))
        self.attempt.acted = self.attempt.acted or taker.filled > 0
