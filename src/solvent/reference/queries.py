"""Queries: what lenders and borrowers can watch, and what could happen to them (A14).

Reading changes nothing (I37). Everything here is computed from the state when it is asked for: a
pool's utilization, rates and limits; an account's health and the price at which it would be
liquidated; and for a borrower how an auto-deleveraging round of a given size would treat it today.

Specification: section 6.5.
"""

from typing import NamedTuple

from solvent.domain.commands import PlaceOrder, Role
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE, USDC
from solvent.domain.readings import (
    HIGHEST_MULTIPLE,
    AdlForecast,
    LiquidationPrices,
    PoolReport,
)
from solvent.domain.units import (
    INDEX_SCALE,
    INT64_MAX,
    RATIO,
    divide_up,
    mul_div_down,
    mul_div_up,
    value_divisor,
    value_up,
)
from solvent.reference.ledger import borrowed_total, claim_of, debt_of, lent_total
from solvent.reference.lending import wallet
from solvent.reference.lending.pool import redeemable
from solvent.reference.lending.rates import borrow_apr, lend_apr, utilization
from solvent.reference.lending.throttle import bound_in_force, within
from solvent.reference.limits import gated, largest_passing, pool_state, smallest_passing
from solvent.reference.margin import (
    Doubt,
    Health,
    Portfolio,
    health,
    health_of,
    leverage_exceeded,
    portfolio_of,
)
from solvent.reference.orderbook.orders import largest_order
from solvent.reference.state import TREASURY, Pool, State
from solvent.reference.waterfall.adl import borrowers
from solvent.reference.waterfall.policies import Demand, allot, most_levered_first


def pool_report(state: State, asset: int) -> PoolReport:
    """What there is to know about one pool."""
    pool = state.pools[asset]
    parameters = state.asset(asset).pool
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
        state=pool_state(state, asset),
        redeemable=redeemable(pool),
        withdrawable=_withdrawable(pool, bound),
        gated=gated(state, asset),
        fees=pool.fees,
        residue=pool.residue,
        deficit=pool.deficit,
    )


def _withdrawable(pool: Pool, bound: int) -> int:
    borrowed, index = borrowed_total(pool), pool.lend_index

    def passes(quantity: int) -> bool:
        shares = mul_div_up(quantity, INDEX_SCALE, index)
        lent = mul_div_down(max(0, pool.lend_shares - shares), index, INDEX_SCALE)
        return within(borrowed, lent, bound)

    return largest_passing(passes, redeemable(pool)) if index else 0


class AccountReport(NamedTuple):
    """One account now: health in 10^-12 USDC; fractions in 10^-9, None where nothing is owed.

    `margin_fraction` is NE / E, `maintenance_ratio` M / NE (liquidation at RATIO or above, None
    when NE <= 0), `leverage` E / NE.
    """

    health: Health
    margin_fraction: int | None
    maintenance_ratio: int | None
    leverage: int | None
    liquidating: bool
    over_leverage_limit: bool


def account_report(state: State, account: int) -> AccountReport:
    """What there is to know about one account; the fractions are for display and decide nothing."""
    values = health_of(state, account)
    holder = state.accounts[account]
    owes = values.exposure > 0
    positive = values.net_equity > 0
    return AccountReport(
        health=values,
        margin_fraction=values.net_equity * RATIO // values.exposure if owes else None,
        maintenance_ratio=(
            divide_up(values.maintenance * RATIO, values.net_equity) if owes and positive else None
        ),
        leverage=divide_up(values.exposure * RATIO, values.net_equity) if positive else None,
        liquidating=account in state.liquidating,
        over_leverage_limit=leverage_exceeded(values, holder.leverage_limit),
    )


def liquidation_prices(state: State, account: int, asset: int) -> LiquidationPrices:
    """How far one asset's mark can move before `account` is liquidatable, to the unit of price.

    The present mark itself counts on both sides when the account is liquidatable now. Prices at
    which the account's part of the asset is worth more than columns hold are not looked at.
    """
    portfolio = portfolio_of(state, account)
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


def adl_forecast(state: State, account: int, asset: int, quantity: int) -> AdlForecast | None:
    """What a case L round of `quantity` atoms would take from `account`; None if not eligible."""
    candidates = borrowers(state, asset, set())
    places = [place for place, each in enumerate(candidates) if each.account == account]
    if not places:
        return None
    mark, decimals = state.mark(asset), state.asset(asset).decimals
    total = min(quantity, sum(candidate.cap for candidate in candidates))
    policy = state.parameters.waterfall.lender_policy
    parts = allot(policy, candidates, Demand(total, value_up(total, mark, decimals)))
    allotted = parts[places[0]]
    return AdlForecast(
        rank=most_levered_first(candidates).index(places[0]) + 1,
        candidates=len(candidates),
        allotted=allotted,
        value=value_up(allotted, mark, decimals),
        cash_left=redeemable(state.pools[asset]),
    )


class Holding(NamedTuple):
    """One account's atoms of one asset."""

    available: int
    locked: int
    lent: int
    debt: int


def holding(state: State, account: int, asset: int) -> Holding:
    """What an account has and owes of one asset."""
    holder = state.accounts[account]
    return Holding(
        holder.available[asset],
        holder.locked[asset],
        claim_of(state, account, asset),
        debt_of(state, account, asset),
    )


def _may_act(state: State, account: int, *, custodial: bool = False) -> bool:
    """Whether commands of the account are carried out at all."""
    return account not in state.liquidating and (custodial or _has_owner(state, account))


def _has_owner(state: State, account: int) -> bool:
    return state.accounts[account].role not in (Role.BACKSTOP_FUND, Role.TREASURY)


def max_lend(state: State, account: int, asset: int) -> int:
    """The most that a `Lend` may ask for now; 0 when none passes."""
    largest = wallet.largest_lend(state, account, asset) if _may_act(state, account) else 0
    return min(largest, MAX_SUPPLY)


def max_redeem(state: State, account: int, asset: int) -> int:
    """The most that a `Redeem` may ask for now; 0 when none passes."""
    if not _may_act(state, account, custodial=account == TREASURY):
        return 0
    return min(wallet.largest_redeem(state, account, asset), MAX_SUPPLY)


def max_borrow(state: State, account: int, asset: int) -> int:
    """The most that a `Borrow` may ask for now; 0 when none passes."""
    largest = wallet.largest_borrow(state, account, asset) if _may_act(state, account) else 0
    return min(largest, MAX_SUPPLY)


def max_withdraw(state: State, account: int, asset: int, *, redeem: bool, borrow: bool) -> int:
    """The most that a `Withdraw` with these flags may ask for now; 0 when none passes."""
    treasury = account == TREASURY
    if not _may_act(state, account, custodial=treasury):
        return 0
    borrow = borrow and not treasury
    largest = wallet.largest_withdraw(state, account, asset, redeem=redeem, borrow=borrow)
    return min(largest, MAX_SUPPLY)


def max_repay(state: State, account: int, asset: int) -> int:
    """The most that a `Repay` takes now, as far as it buys back a share; in the waterfall too."""
    largest = wallet.largest_repay(state, account, asset) if _has_owner(state, account) else 0
    return min(largest, MAX_SUPPLY)


def max_order(state: State, command: PlaceOrder) -> int:
    """The largest quantity with which the order may be placed now; 0 when none passes.

    For a market order, which fills what there is, the largest that the impact band holds.
    """
    if command.asset == USDC or not _may_act(state, command.account):
        return 0
    return largest_order(state, command)
