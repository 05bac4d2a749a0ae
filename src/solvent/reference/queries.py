"""Queries of the reference engine: what lenders and borrowers can watch, and what could happen.

Reading changes nothing (I37). Everything here is computed from the state when it is asked for:
a pool's utilization, rates and limits; an account's health and the price at which it would
be liquidated; and how an auto-deleveraging round of a given size would treat a borrower today. What
a command would do is found out by carrying it out on a copy of the state.

Specification: section 6.5.
"""

from solvent.domain import commands as c
from solvent.domain.commands import PlaceOrder, Role, Side
from solvent.domain.labels import Tier
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE, USDC, EngineParameters
from solvent.domain.queries import Queries
from solvent.domain.readings import (
    HIGHEST_MULTIPLE,
    AccountFractions,
    AccountHealth,
    AccountSettings,
    AdlForecast,
    AfterTrade,
    AmountCommand,
    Balance,
    CollateralValue,
    DebtMargin,
    Depth,
    Level,
    LiquidationPrices,
    OracleReading,
    OrderReading,
    PoolCommand,
    PoolReport,
    PriceReading,
    SourceReading,
    StandingBy,
    Trade,
)
from solvent.domain.rejections import Refusal
from solvent.domain.units import (
    FINE_PER_VALUE,
    INDEX_SCALE,
    INT64_MAX,
    RATIO,
    divide_up,
    fine_down,
    fine_up,
    mul_div_down,
    mul_div_up,
    payable,
    value_divisor,
    value_up,
)
from solvent.reference.dispatch import HANDLERS
from solvent.reference.ledger import borrowed_total, claim_of, debt_of, lent_total
from solvent.reference.lending import wallet
from solvent.reference.lending.pool import redeemable
from solvent.reference.lending.rates import borrow_apr, lend_apr, utilization
from solvent.reference.lending.throttle import bound_in_force, within
from solvent.reference.limits import gated, largest_passing, pool_state, smallest_passing
from solvent.reference.margin import (
    Doubt,
    Portfolio,
    health,
    health_of,
    leverage_exceeded,
    margin_fraction_up,
    portfolio_of,
    weighted_down,
)
from solvent.reference.orderbook.orders import largest_order
from solvent.reference.prices import is_fresh
from solvent.reference.snapshot import read_snapshot, write_snapshot
from solvent.reference.standby.posted import in_order
from solvent.reference.state import TREASURY, Pool, State
from solvent.reference.waterfall.adl import borrowers
from solvent.reference.waterfall.policies import Candidate, Demand, allot, most_levered_first
from solvent.reference.waterfall.settlement import Means, means_worth


class ReferenceQueries(Queries):
    """Reads a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        return self._state.parameters

    # Accounts.

    def accounts(self) -> int:
        """How many accounts there are."""
        return len(self._state.accounts)

    def role(self, account: int) -> Role:
        """What kind of account it is."""
        self._check(account, USDC)
        return self._state.accounts[account].role

    def settings(self, account: int) -> AccountSettings:
        """What the account has chosen, and whether it is in the waterfall."""
        self._check(account, USDC)
        holder = self._state.accounts[account]
        return AccountSettings(
            auto_lend=holder.auto_lend,
            auto_repay_borrows=holder.auto_repay_borrows,
            auto_borrow_settlements=holder.auto_borrow_settlements,
            leverage_limit=holder.leverage_limit,
            liquidating=account in self._state.liquidating,
        )

    def liquidating(self) -> list[int]:
        """Accounts in the waterfall, ascending."""
        return sorted(self._state.liquidating)

    def balances(self, account: int) -> list[Balance]:
        """What the account has and owes, by asset number."""
        self._check(account, USDC)
        holder = self._state.accounts[account]
        return [
            Balance(
                holder.available[asset],
                holder.locked[asset],
                claim_of(self._state, account, asset),
                debt_of(self._state, account, asset),
                holder.unfunded[asset],
            )
            for asset in range(len(self._state.pools))
        ]

    def committed(self, provider: int, asset: int) -> int:
        """Atoms of debts in the asset that the provider still offers to take over."""
        self._check(provider, asset)
        return self._state.accounts[provider].committed[asset]

    def committed_in_all(self) -> list[int]:
        """The same of all providers together, by asset number."""
        accounts, assets = self._state.accounts, range(len(self._state.pools))
        return [sum(account.committed[asset] for account in accounts) for asset in assets]

    def standing_by(self) -> list[StandingBy]:
        """Who stands by, the first to be called first."""
        return [
            StandingBy(account, each.posted, each.premium, each.leaving, each.leaves_at)
            for account, each in in_order(self._state)
        ]

    def health(self, account: int) -> AccountHealth:
        """The account's margin, rounded against it."""
        self._check(account, USDC)
        return AccountHealth(*health_of(self._state, account).report())

    def fractions(self, account: int) -> AccountFractions:
        """The account's margin as fractions; they are for people and decide nothing."""
        self._check(account, USDC)
        values = health_of(self._state, account)
        owes, positive = values.exposure > 0, values.net_equity > 0
        equity = values.net_equity
        return AccountFractions(
            margin_fraction=equity * RATIO // values.exposure if owes else None,
            maintenance_ratio=(
                divide_up(values.maintenance * RATIO, equity) if owes and positive else None
            ),
            leverage=divide_up(values.exposure * RATIO, equity) if positive else None,
            liquidating=account in self._state.liquidating,
            over_leverage_limit=leverage_exceeded(
                values, self._state.accounts[account].leverage_limit
            ),
        )

    def collateral_values(self, account: int) -> list[CollateralValue]:
        """What the account's holdings are worth and count for, by asset number, rounded down."""
        found = []
        for asset, balance in enumerate(self.balances(account)):
            about, mark = self._state.asset(asset), self._state.mark(asset)
            quantity = balance.available + balance.locked + balance.lent
            fine = fine_down(quantity, mark, about.decimals)
            weighted = weighted_down(about, quantity, mark)
            found.append(CollateralValue(fine // FINE_PER_VALUE, weighted // FINE_PER_VALUE))
        return found

    def debt_margins(self, account: int) -> list[DebtMargin]:
        """The account's debts and their margin fractions, by asset number, rounded up."""
        found = []
        for asset, balance in enumerate(self.balances(account)):
            about = self._state.asset(asset)
            fine = fine_up(balance.debt, self._state.mark(asset), about.decimals)
            notional = divide_up(fine, FINE_PER_VALUE)
            initial = margin_fraction_up(about.initial, notional)
            maintenance = margin_fraction_up(about.maintenance, notional)
            found.append(DebtMargin(notional, initial, maintenance))
        return found

    # What could happen to an account.

    def liquidation_prices(self, account: int, asset: int) -> LiquidationPrices:
        """How far one asset's mark can move before `account` is liquidatable."""
        self._check(account, asset)
        return _liquidation_prices(self._state, portfolio_of(self._state, account), asset)

    def liquidation_prices_after(self, command: PoolCommand) -> LiquidationPrices:
        """The same of the command's asset, once the command was carried out."""
        after, refused = self._tried(command)
        assert refused is None, "a command that is refused has no afterwards"
        return _liquidation_prices(after, portfolio_of(after, command.account), command.asset)

    def after_trade(self, trade: Trade, asset: int) -> AfterTrade:
        """How an account would stand after a trade, and the marks of `asset` that liquidate it."""
        self._check(trade.account, asset)
        portfolio = portfolio_of(self._state, trade.account)
        taken = min(trade.paid, portfolio.quantities[trade.gives])
        portfolio.quantities[trade.gives] -= taken
        portfolio.debts[trade.gives] += trade.paid - taken
        portfolio.quantities[trade.gets] += trade.got
        values = health(self._state, portfolio)
        counts = values.exposure > 0 and values.net_equity > 0
        return AfterTrade(
            divide_up(values.maintenance * RATIO, values.net_equity) if counts else None,
            _liquidation_prices(self._state, portfolio, asset),
            trade.paid - taken,
        )

    def _forecast(self, account: int, asset: int, quantity: int) -> AdlForecast | None:
        """What case L of `quantity` atoms would take from `account`; None: not eligible.

        As if the lender owed USDC: who has some is asked first, and everybody for what is left.
        """
        state = self._state
        candidates = borrowers(state, asset)
        places = [place for place, each in enumerate(candidates) if each.account == account]
        if not places:
            return None
        mark, decimals = state.mark(asset), state.asset(asset).decimals
        policy = state.parameters.waterfall.lender_policy
        allotted = 0
        rest = list(candidates)
        for means in (Means(Tier.OWED, USDC), None):
            group = [
                candidate._replace(cap=cap)
                for candidate in rest
                if (cap := min(candidate.cap, self._reach(candidate, asset, means)))
            ]
            total = min(quantity, sum(candidate.cap for candidate in group))
            parts = allot(policy, group, Demand(total, value_up(total, mark, decimals)))
            quantity -= total
            given = {one.account: part for one, part in zip(group, parts, strict=True)}
            allotted += given.get(account, 0)
            rest = [one._replace(cap=one.cap - given.get(one.account, 0)) for one in rest]
        return AdlForecast(
            rank=most_levered_first(candidates).index(places[0]) + 1,
            candidates=len(candidates),
            allotted=allotted,
            value=value_up(allotted, mark, decimals),
            cash_left=redeemable(state.pools[asset]),
        )

    def _reach(self, candidate: Candidate, asset: int, means: Means | None) -> int:
        """Atoms that a borrower can pay for in these means; in any of his own where None."""
        if means is None:
            return candidate.cap
        state = self._state
        worth = means_worth(state, candidate.account, asset, means)
        return payable(candidate.cap, worth, state.mark(asset), state.asset(asset).decimals)

    # Pools, prices, books.

    def pool(self, asset: int) -> PoolReport:
        """What there is to know about one pool."""
        self._check(USDC, asset)
        pool = self._state.pools[asset]
        parameters = self._state.asset(asset).pool
        level = utilization(pool)
        bound = bound_in_force(parameters, pool)
        return PoolReport(
            lent=lent_total(pool),
            borrowed=borrowed_total(pool),
            cash=pool.cash,
            utilization=level,
            borrow_apr=borrow_apr(parameters, level),
            lend_apr=lend_apr(parameters, level),
            bound=bound,
            threshold=parameters.throttle_threshold,
            max_utilization=parameters.max_utilization,
            state=pool_state(self._state, asset),
            redeemable=redeemable(pool),
            withdrawable=_withdrawable(pool, bound),
            gated=gated(self._state, asset),
            fees=pool.fees,
            residue=pool.residue,
            deficit=pool.deficit,
        )

    def price(self, asset: int) -> PriceReading:
        """The asset's index and mark."""
        self._check(USDC, asset)
        price = self._state.prices[asset]
        return PriceReading(price.index, price.mark, price.stale, price.halted, price.updated)

    def oracle(self, asset: int) -> OracleReading:
        """What the sources of the asset's price last said, and whether they are enough."""
        self._check(USDC, asset)
        price, parameters = self._state.prices[asset], self._state.asset(asset).price
        return OracleReading(
            tuple(
                SourceReading(
                    quote.bid,
                    quote.ask,
                    quote.last,
                    quote.time,
                    is_fresh(parameters, quote, self._state.now),
                )
                for quote in price.quotes
            ),
            parameters.quorum,
            price.in_doubt,
        )

    def order(self, order: int) -> OrderReading | None:
        """The resting order of this number."""
        self._check_number("order", order)
        held = self._state.orders.get(order)
        if held is None:
            return None
        return OrderReading(*(getattr(held, name) for name in OrderReading._fields))

    def orders_of(self, account: int) -> list[OrderReading]:
        """The account's resting orders, oldest first."""
        self._check(account, USDC)
        found = map(self.order, sorted(self._state.accounts[account].open_orders))
        return [order for order in found if order is not None]

    def depth(self, asset: int, levels: int | None = None) -> Depth:
        """The best `levels` price levels of both sides, or all of them, best first."""
        self._check_market(asset)
        count = None if levels is None else max(0, levels)
        bids, asks = (self._levels(asset, side)[:count] for side in (Side.BID, Side.ASK))
        return Depth(bids, asks)

    def level(self, asset: int, side: Side, price: int) -> int:
        """All that rests at one price: 0 where nothing does."""
        self._check_number("price", price)
        self._check_market(asset)
        return sum(held.quantity for held in self._levels(asset, side) if held.price == price)

    def _levels(self, asset: int, side: Side) -> list[Level]:
        book = self._state.books[asset]
        quantities: dict[int, int] = {}
        for number in book.bids if side is Side.BID else book.asks:
            order = self._state.orders[number]
            quantities[order.price] = quantities.get(order.price, 0) + order.quantity
        return [Level(price, quantity) for price, quantity in quantities.items()]

    # Previews.

    def max_lend(self, account: int, asset: int) -> int:
        """The most that a `Lend` may ask for now; 0 when none passes."""
        self._check(account, asset)
        if not self._may_act(account):
            return 0
        return min(wallet.largest_lend(self._state, account, asset), MAX_SUPPLY)

    def max_redeem(self, account: int, asset: int) -> int:
        """The most that a `Redeem` may ask for now; 0 when none passes."""
        self._check(account, asset)
        if not self._may_act(account, custodial=account == TREASURY):
            return 0
        return min(wallet.largest_redeem(self._state, account, asset), MAX_SUPPLY)

    def max_borrow(self, account: int, asset: int) -> int:
        """The most that a `Borrow` may ask for now; 0 when none passes."""
        self._check(account, asset)
        if not self._may_act(account):
            return 0
        return min(wallet.largest_borrow(self._state, account, asset), MAX_SUPPLY)

    def max_repay(self, account: int, asset: int) -> int:
        """The most that a `Repay` takes now, as far as it buys a share; in the waterfall too."""
        self._check(account, asset)
        if not self._has_owner(account):
            return 0
        return min(wallet.largest_repay(self._state, account, asset), MAX_SUPPLY)

    def max_withdraw(
        self, account: int, asset: int, *, auto_lend_redeem: bool, auto_borrow: bool
    ) -> int:
        """The most that a `Withdraw` with these flags may ask for now; 0 when none passes."""
        self._check(account, asset)
        treasury = account == TREASURY
        if not self._may_act(account, custodial=treasury):
            return 0
        largest = wallet.largest_withdraw(
            self._state,
            account,
            asset,
            redeem=auto_lend_redeem,
            borrow=auto_borrow and not treasury,
        )
        return min(largest, MAX_SUPPLY)

    def max_order_like(self, command: PlaceOrder) -> int:
        """The largest quantity with which the order may be placed now; 0 when none passes."""
        self._check(command.account, command.asset)
        c.encode_command(command)
        if command.asset == USDC or not self._may_act(command.account):
            return 0
        return largest_order(self._state, command)

    def refusal(self, command: AmountCommand) -> Refusal | None:
        """Why the command would be refused now, its largest amount left out; None: it would not."""
        self._check(command.account, command.asset)
        _, refused = self._tried(command)
        return None if refused is None else Refusal(refused.code, refused.limit)

    def _tried(self, command: AmountCommand) -> tuple[State, Refusal | None]:
        """A copy of the state after the command, and why it was refused if it was."""
        c.encode_command(command)
        copy = read_snapshot(write_snapshot(self._state))
        return copy, HANDLERS[type(command)](copy, command)

    def _may_act(self, account: int, *, custodial: bool = False) -> bool:
        """Whether commands of the account are carried out at all."""
        return account not in self._state.liquidating and (custodial or self._has_owner(account))

    def _has_owner(self, account: int) -> bool:
        return self._state.accounts[account].role not in (Role.BACKSTOP_FUND, Role.TREASURY)


def _withdrawable(pool: Pool, bound: int) -> int:
    borrowed, index = borrowed_total(pool), pool.lend_index

    def passes(quantity: int) -> bool:
        shares = mul_div_up(quantity, INDEX_SCALE, index)
        lent = mul_div_down(max(0, pool.lend_shares - shares), index, INDEX_SCALE)
        return within(borrowed, lent, bound)

    return largest_passing(passes, redeemable(pool)) if index else 0


def _liquidation_prices(state: State, portfolio: Portfolio, asset: int) -> LiquidationPrices:
    marks = [price.mark for price in state.prices]
    mark = marks[asset]

    def liquidatable_at(price: int) -> bool:
        imagined = [*marks[:asset], price, *marks[asset + 1 :]]
        return health(state, portfolio, Doubt.FOR_ACCOUNT, marks=imagined).liquidatable

    if liquidatable_at(mark):
        return LiquidationPrices(mark, mark)
    below = largest_passing(lambda price: price == 0 or liquidatable_at(price), mark)
    highest = max(mark, _highest_imagined(state, portfolio, asset))
    above = mark + smallest_passing(lambda rise: liquidatable_at(mark + rise), highest - mark)
    return LiquidationPrices(
        below if below and liquidatable_at(below) else None,
        above if liquidatable_at(above) else None,
    )


def _highest_imagined(state: State, portfolio: Portfolio, asset: int) -> int:
    atoms = portfolio.quantities[asset] + portfolio.debts[asset] + portfolio.unfunded[asset]
    worth = MAX_VALUE * value_divisor(state.asset(asset).decimals) // max(1, atoms)
    return min(state.mark(asset) * HIGHEST_MULTIPLE, worth, INT64_MAX // 4)
