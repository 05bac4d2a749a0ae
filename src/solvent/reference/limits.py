"""Limits: what a pool, an account's margin and the platform allow, asked before anything moves.

Every check is a pure question: would this pass? It answers with None or with a Refusal that names
the code and the limit. The largest amount that would have passed is found by asking the same
question again (`largest_passing`), so a preview cannot disagree with execution (I37). Caps bind the
result, not the kind of order (I12): whatever redeems or borrows on the way asks here.

Specification: sections 4, 5.1.
"""

from collections.abc import Callable

from solvent.domain.parameters import PoolState
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import INDEX_SCALE, RATIO, divide_up, mul_div_down
from solvent.reference.ledger import borrowed_total, claim_of, claim_worth, impaired_index
from solvent.reference.lending.pool import lent_after_redeem, pool_terms, redeemable
from solvent.reference.lending.throttle import bound_in_force, within
from solvent.reference.margin import (
    Doubt,
    Portfolio,
    health,
    leverage_exceeded,
    portfolio_of,
)
from solvent.reference.state import Pool, State


def pool_state(state: State, asset: int) -> PoolState:
    """The state in force: an open pool that is frozen or has a stale price takes repayment only."""
    configured = state.asset(asset).pool.state
    # A pool that is configured to be closed stays closed, whatever its price.
    held = state.prices[asset].stale or state.pools[asset].frozen
    if configured is PoolState.OPEN and held:
        return PoolState.REPAY_ONLY
    return configured


def gated(state: State, asset: int) -> bool:
    """Whether certain losses of the pool wait for their booking: nobody comes or goes (I38)."""
    return state.pools[asset].impaired > 0


def is_gate_shut(state: State) -> bool:
    """Whether any pool is impaired."""
    return any(pool.impaired for pool in state.pools)


def behind_gate(state: State, account: int, portfolio: Portfolio) -> Portfolio:
    """A portfolio of `account`, its claims counted at what certain and uncertain losses leave.

    Nobody redeems from an impaired pool, so the claims in it are those that the account has now;
    and what a doubtful pool may take is the same before a redemption and after it.
    """
    if not (is_gate_shut(state) or any(state.doubtful)):
        return portfolio
    counted = portfolio.copy()
    for asset, pool in enumerate(state.pools):
        shares = state.accounts[account].lent_shares[asset]
        if (pool.impaired or state.doubtful[asset]) and shares:
            left = mul_div_down(shares, impaired_index(pool), INDEX_SCALE)
            lost = claim_worth(pool, shares) - left + left_behind(state, account, asset)
            counted.quantities[asset] = max(0, counted.quantities[asset] - lost)
    return counted


def left_behind(state: State, account: int, asset: int) -> int:
    """What an account must leave in a doubtful pool of its claim and of what it took: atoms, up."""
    whole = claim_of(state, account, asset) + state.accounts[account].taken[asset]
    return divide_up(whole * state.doubtful[asset], RATIO)


def redeem_refusal(state: State, account: int, asset: int, quantity: int) -> Refusal | None:
    """Whether the pool lets a user take `quantity` of its claim out (A3, A4).

    A closed pool keeps its lenders only while it has debts (I33).
    """
    pool = state.pools[asset]
    if pool_state(state, asset) is PoolState.CLOSED and pool.debt_shares:
        return Refusal(RejectionCode.INSUFFICIENT_SUPPLY, Limit.POOL_STATE)
    if gated(state, asset):
        return Refusal(RejectionCode.INSUFFICIENT_SUPPLY, Limit.INSOLVENCY_GATE)
    if quantity > claim_of(state, account, asset) - left_behind(state, account, asset):
        return Refusal(RejectionCode.INSUFFICIENT_SUPPLY, Limit.UNCERTAIN_LOSS)
    if quantity > redeemable(pool):
        return Refusal(RejectionCode.INSUFFICIENT_SUPPLY, Limit.POOL_CASH)
    bound = bound_in_force(state.asset(asset).pool, pool)
    if not within(borrowed_total(pool), lent_after_redeem(state, account, asset, quantity), bound):
        return _over_bound(state, asset, bound)
    return None


def _over_bound(state: State, asset: int, bound: int) -> Refusal:
    """The throttle's bound refused, or, where it stands there, the pool's maximum."""
    at_maximum = bound == state.asset(asset).pool.max_utilization
    limit = Limit.MAX_UTILIZATION if at_maximum else Limit.UTILIZATION_BOUND
    return Refusal(RejectionCode.INSUFFICIENT_SUPPLY, limit)


def borrow_refusal(state: State, account: int, asset: int, quantity: int) -> Refusal | None:
    """Whether the pool lends `quantity` more to an account whose own claim leaves it first."""
    own = state.accounts[account].lent_shares[asset]
    return pool_refusal(state, asset, state.pools[asset], own, quantity)


def pool_refusal(state: State, asset: int, pool: Pool, own: int, quantity: int) -> Refusal | None:
    """Whether `pool`, as it is or would be, lends `quantity` once `own` lent shares left it."""
    if pool_state(state, asset) is not PoolState.OPEN:
        limit = Limit.STALE_PRICE if state.prices[asset].stale else Limit.POOL_STATE
        return Refusal(RejectionCode.BORROW_LIMIT, limit)
    terms = pool_terms(pool, own, quantity)
    if terms.borrowed > state.asset(asset).pool.open_borrow_lend_limit:
        return Refusal(RejectionCode.BORROW_LIMIT, Limit.OPEN_BORROW_LEND_LIMIT)
    # Cash without the borrower's own claim, which leaves the pool in the same command.
    if quantity > terms.lent - borrowed_total(pool):
        return Refusal(RejectionCode.INSUFFICIENT_SUPPLY, Limit.POOL_CASH)
    bound = bound_in_force(state.asset(asset).pool, pool)
    if not within(terms.borrowed, terms.lent, bound):
        return _over_bound(state, asset, bound)
    return None


def risk_refusal(state: State, account: int, after: Portfolio) -> Refusal | None:
    """Whether `account` may come to hold `after` by its own action (A13).

    An action that raises no exposure and lowers neither NE - I nor NE - M, however stale prices are
    read, passes whatever the account's health. Any other needs NE >= I, NE > M and leverage within
    the account's limit, stale collateral counting nothing and claims on impaired pools what their
    booking will leave; of an account that owes a stale asset it is refused.
    """
    new = health(state, behind_gate(state, account, after), Doubt.AGAINST_ACCOUNT)
    # Before leverage and margin: an account in trouble may always reduce what it owes.
    if new.exposure == 0 or _no_riskier(state, account, after):
        return None
    if owes_stale(state, account):
        return Refusal(RejectionCode.INSUFFICIENT_MARGIN, Limit.STALE_PRICE)
    if leverage_exceeded(new, state.accounts[account].leverage_limit):
        return Refusal(RejectionCode.MAX_LEVERAGE_REACHED, Limit.LEVERAGE)
    if new.net_equity < new.initial or new.liquidatable:
        return Refusal(RejectionCode.INSUFFICIENT_MARGIN, Limit.INITIAL_MARGIN)
    return None


def owes_stale(state: State, account: int) -> bool:
    """Whether an account owes anything whose price is stale: nobody knows then what it can bear."""
    debts = state.accounts[account].debt_shares
    return any(debts[asset] and price.stale for asset, price in enumerate(state.prices))


def _no_riskier(state: State, account: int, after: Portfolio) -> bool:
    """Whether `after` is at least as healthy as now, read for and against the account."""
    before = behind_gate(state, account, portfolio_of(state, account))
    after = behind_gate(state, account, after)
    for doubt in (Doubt.AGAINST_ACCOUNT, Doubt.FOR_ACCOUNT):
        new, old = health(state, after, doubt), health(state, before, doubt)
        if new.net_equity - new.initial < old.net_equity - old.initial:
            return False
        if new.surplus < old.surplus or new.exposure > old.exposure:
            return False
    return True


def rounding_refusal(state: State, after: Portfolio) -> Refusal | None:
    """Whether a move between balance and pool, which changes risk by rounding only, is harmless."""
    if health(state, after, Doubt.FOR_ACCOUNT).liquidatable:
        return Refusal(RejectionCode.INSUFFICIENT_MARGIN, Limit.INITIAL_MARGIN)
    return None


def largest_passing(passes: Callable[[int], bool], high: int) -> int:
    """The largest amount from 0 to `high` that passes, for a question that turns once to no."""
    low = 0
    while low < high:
        # Rounded up, or `low` would never move where `high` is one above it.
        middle = low + (high - low + 1) // 2
        if passes(middle):
            low = middle
        else:
            high = middle - 1
    return low


def smallest_passing(passes: Callable[[int], bool], high: int) -> int:
    """The smallest amount from 0 to `high` that passes, for a question that turns once to yes.

    `high` when none below it passes.
    """
    low = 0
    while low < high:
        middle = low + (high - low) // 2
        if passes(middle):
            high = middle
        else:
            low = middle + 1
    return low
