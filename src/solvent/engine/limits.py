"""Limits in kernels: what a pool and an account's margin allow, asked before anything moves.

As in `reference.limits`: every check is a pure question, answered with 0 or with a refusal, and the
largest amount that would have passed is found by asking the same question again. A question about
an amount is a kernel of a context row and the amount; the context holds what a closure would.
"""

from collections.abc import Callable
from typing import TypeVar

from solvent.domain.parameters import PoolState
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.engine.ledger import (
    account_row,
    asset_row,
    borrowed_total,
    claim_of,
    claim_worth,
    commitment,
    impaired_index,
    is_stale,
    pool_row,
    position,
)
from solvent.engine.lending.pool import lent_after_redeem, pool_terms, redeemable
from solvent.engine.lending.throttle import bound_in_force, within
from solvent.engine.margin import (
    Doubt,
    copy_portfolio,
    first_asset,
    health,
    is_liquidatable,
    leverage_exceeded,
    portfolio_of,
    surplus,
)
from solvent.engine.memory.rows import Pool
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.refusals import refuse
from solvent.engine.units import mul_div_down, mul_div_up
from solvent.kernels.language import bit, kernel
from solvent.kernels.rows import Memory

Asked = TypeVar("Asked")
Question = Callable[[Store, Asked, int], bool]
"""Whether an amount passes, given a context row."""


@kernel
def pool_state(s: Store, asset: int) -> int:
    """The state in force: an open pool that is frozen or has a stale price takes repayment only."""
    configured = asset_row(s, asset).pool_state
    held = is_stale(s, asset) or pool_row(s, asset).frozen != 0
    if configured == PoolState.OPEN and held:
        return PoolState.REPAY_ONLY
    return configured


@kernel
def gated(s: Store, asset: int) -> bool:
    """Whether certain losses of the pool wait for their booking: nobody comes or goes (I38)."""
    return pool_row(s, asset).impaired > 0


@kernel
def is_gate_shut(s: Store) -> bool:
    """Whether any pool is impaired."""
    impaired = 0
    for asset in range(s.globals.assets):
        impaired = impaired | pool_row(s, asset).impaired
    return impaired != 0


@kernel
def is_any_doubtful(s: Store) -> bool:
    """Whether uncertain losses may take a part of any pool's claims."""
    doubtful = 0
    for asset in range(s.globals.assets):
        doubtful = doubtful | pool_row(s, asset).doubtful
    return doubtful != 0


@kernel
def behind_gate(s: Store, account: int, portfolio: Memory, counted: Memory) -> None:
    """Write a portfolio with claims counted at what certain and uncertain losses leave of them."""
    copy_portfolio(s, portfolio, counted)
    for asset in range(s.globals.assets):
        pool = pool_row(s, asset)
        shares = position(s, account, asset).lent_shares
        if (pool.impaired or pool.doubtful) and shares:
            left = mul_div_down(shares, impaired_index(pool), INDEX_SCALE)
            lost = claim_worth(pool, shares) - left + left_behind(s, account, asset)
            counted[asset] = max(0, counted[asset] - lost)


@kernel
def left_behind(s: Store, account: int, asset: int) -> int:
    """What an account must leave in a doubtful pool of its claim and of what it took: atoms, up."""
    doubtful = pool_row(s, asset).doubtful
    if not doubtful:
        return 0
    whole = claim_of(s, account, asset) + commitment(s, account, asset).taken
    return mul_div_up(whole, doubtful, RATIO)


@kernel
def redeem_refusal(s: Store, account: int, asset: int, quantity: int) -> int:
    """Whether the pool lets a user take `quantity` of his claim out (A3, A4)."""
    pool = pool_row(s, asset)
    if pool_state(s, asset) == PoolState.CLOSED and pool.debt_shares:
        return refuse(RejectionCode.INSUFFICIENT_SUPPLY, Limit.POOL_STATE)
    if gated(s, asset):
        return refuse(RejectionCode.INSUFFICIENT_SUPPLY, Limit.INSOLVENCY_GATE)
    if quantity > claim_of(s, account, asset) - left_behind(s, account, asset):
        return refuse(RejectionCode.INSUFFICIENT_SUPPLY, Limit.UNCERTAIN_LOSS)
    if quantity > redeemable(pool):
        return refuse(RejectionCode.INSUFFICIENT_SUPPLY, Limit.POOL_CASH)
    bound = bound_in_force(asset_row(s, asset), pool)
    if not within(borrowed_total(pool), lent_after_redeem(s, account, asset, quantity), bound):
        return _over_bound(s, asset, bound)
    return 0


@kernel
def _over_bound(s: Store, asset: int, bound: int) -> int:
    """The throttle's bound refused, or, where it stands there, the pool's maximum."""
    if bound == asset_row(s, asset).max_utilization:
        return refuse(RejectionCode.INSUFFICIENT_SUPPLY, Limit.MAX_UTILIZATION)
    return refuse(RejectionCode.INSUFFICIENT_SUPPLY, Limit.UTILIZATION_BOUND)


@kernel
def borrow_refusal(s: Store, account: int, asset: int, quantity: int) -> int:
    """Whether the pool lends `quantity` more to an account whose own claim leaves it first."""
    own = position(s, account, asset).lent_shares
    return pool_refusal(s, asset, pool_row(s, asset), own, quantity)


@kernel
def pool_refusal(s: Store, asset: int, pool: Pool, own: int, quantity: int) -> int:
    """Whether `pool`, as it is or would be, lends `quantity` once `own` lent shares left it."""
    row = asset_row(s, asset)
    if pool_state(s, asset) != PoolState.OPEN:
        limit = Limit.STALE_PRICE if is_stale(s, asset) else Limit.POOL_STATE
        return refuse(RejectionCode.BORROW_LIMIT, limit)
    terms = pool_terms(pool, own, quantity)
    if terms.borrowed > row.open_borrow_lend_limit:
        return refuse(RejectionCode.BORROW_LIMIT, Limit.OPEN_BORROW_LEND_LIMIT)
    if quantity > terms.lent - borrowed_total(pool):
        return refuse(RejectionCode.INSUFFICIENT_SUPPLY, Limit.POOL_CASH)
    bound = bound_in_force(row, pool)
    if not within(terms.borrowed, terms.lent, bound):
        return _over_bound(s, asset, bound)
    return 0


@kernel
def risk_refusal(s: Store, account: int, after: Memory) -> int:
    """Whether `account` may come to hold the portfolio `after` by its own action (A13)."""
    if not (is_gate_shut(s) or is_any_doubtful(s)):
        return _risk_refusal(s, account, after)
    top = s.globals.scratch_top
    counted = take(s, 3 * s.globals.assets)
    behind_gate(s, account, after, counted)
    refusal = _risk_refusal(s, account, counted)
    s.globals.scratch_top = top
    return refusal


@kernel
def _risk_refusal(s: Store, account: int, after: Memory) -> int:
    new = health(s, after, Doubt.AGAINST_ACCOUNT, 0)
    if new.exposure == 0:
        return 0
    over = leverage_exceeded(new, account_row(s, account).leverage_limit)
    stale = owes_stale(s, account)
    if not (over or stale) and new.net_equity >= new.initial and not is_liquidatable(new):
        return 0
    # Only who would be refused is asked whether the deed makes him riskier: that takes longer.
    if _no_riskier(s, account, after):
        return 0
    if stale:
        return refuse(RejectionCode.INSUFFICIENT_MARGIN, Limit.STALE_PRICE)
    if over:
        return refuse(RejectionCode.MAX_LEVERAGE_REACHED, Limit.LEVERAGE)
    return refuse(RejectionCode.INSUFFICIENT_MARGIN, Limit.INITIAL_MARGIN)


@kernel
def owes_stale(s: Store, account: int) -> bool:
    """Whether an account owes anything whose price is stale: nobody knows then what it can bear."""
    rest = account_row(s, account).debts
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        if is_stale(s, asset):
            return True
    return False


@kernel
def _no_riskier(s: Store, account: int, after: Memory) -> bool:
    """Whether `after` is at least as healthy as now, read for and against the account."""
    top = s.globals.scratch_top
    before = take(s, 3 * s.globals.assets)
    now = take(s, 3 * s.globals.assets)
    portfolio_of(s, account, now)
    behind_gate(s, account, now, before)
    passes = _no_riskier_read(s, before, after, Doubt.AGAINST_ACCOUNT) and _no_riskier_read(
        s, before, after, Doubt.FOR_ACCOUNT
    )
    s.globals.scratch_top = top
    return passes


@kernel
def _no_riskier_read(s: Store, before: Memory, after: Memory, doubt: int) -> bool:
    new = health(s, after, doubt, 0)
    old = health(s, before, doubt, 0)
    if new.net_equity - new.initial < old.net_equity - old.initial:
        return False
    return surplus(new) >= surplus(old) and new.exposure <= old.exposure


@kernel
def rounding_refusal(s: Store, after: Memory) -> int:
    """Whether a move between balance and pool, which changes risk by rounding only, is harmless."""
    if is_liquidatable(health(s, after, Doubt.FOR_ACCOUNT, 0)):
        return refuse(RejectionCode.INSUFFICIENT_MARGIN, Limit.INITIAL_MARGIN)
    return 0


@kernel
def largest_passing(passes: Question[Asked], s: Store, context: Asked, high: int) -> int:
    """The largest amount from 0 to `high` that passes, for a question that turns once to no."""
    low = 0
    while low < high:
        middle = low + (high - low + 1) // 2
        if passes(s, context, middle):
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def smallest_passing(passes: Question[Asked], s: Store, context: Asked, high: int) -> int:
    """The smallest amount from 0 to `high` that passes, for a question that turns once to yes.

    `high` when none below it passes.
    """
    low = 0
    while low < high:
        middle = low + (high - low) // 2
        if passes(s, context, middle):
            high = middle
        else:
            low = middle + 1
    return low
