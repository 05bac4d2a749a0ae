"""Interest: debts pay and claims earn for the time that they stand (I5, I6, I44).

Every time step accrues each pool from the step before. The rate in force stands until shares, the
curve or the hour change; within the hour interest is simple, at its top it compounds:

    debt index = B + B * (sum of rate * time) / year      B: the debt index at the top of the hour

That is computed from B each time and never added to, so that it does not matter how often. What
debts grow by is split exactly into fee and lenders' part; what makes no whole atom of a fee and no
whole unit of the lend index is carried. A share is worth at most an atom: an index that would pass
that is halved, and all shares double. A pool whose debts would outgrow their columns within an hour
stands still: that is asked of the hour, so that it does not matter how often either.

Specification: section 5.3.
"""

from solvent.domain.events import InterestAccrued, InterestCharged, PoolFrozen
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE
from solvent.domain.units import (
    HOUR,
    HOURS_PER_YEAR,
    INDEX_SCALE,
    RATIO,
    divide_up,
    value_divisor,
)
from solvent.reference.ledger import scale_claims, scale_debts, settle_residue
from solvent.reference.lending.rates import borrow_apr, utilization
from solvent.reference.state import UNSET, Pool, State

BASE_SCALE = 10**18
"""Parts of a unit of the debt index in which its base is kept."""
_YEAR = RATIO * HOURS_PER_YEAR


def accrue(state: State, since: int, until: int) -> None:
    """Charge and pay every pool's interest from one time to a later one, hour by hour."""
    while since < until:
        top = since // HOUR * HOUR + HOUR
        end = min(top, until)
        for asset in range(len(state.pools)):
            accrue_pool(state, asset, end - since)
            if end == top:
                end_hour(state, asset, top // HOUR)
        since = end


def accrue_pool(state: State, asset: int, elapsed: int) -> None:
    """Charge and pay one pool's interest for `elapsed` microseconds within an hour."""
    pool = state.pools[asset]
    if not (pool.debt_shares or pool.frozen):
        return
    if pool.apr == UNSET:
        pool.apr = borrow_apr(state.asset(asset).pool, utilization(pool))
    fits = _holdable(state, asset, divide_up(fine_index_up(pool, pool.apr * HOUR), BASE_SCALE))
    if fits == bool(pool.frozen):
        pool.frozen = int(not fits)
        state.emit(PoolFrozen(asset, pool.frozen))
    # Time that a frozen pool stands still is not made up for.
    if not fits:
        return
    rates = pool.accrued * HOUR + pool.accrued_part + pool.apr * elapsed
    index = divide_up(fine_index_up(pool, rates), BASE_SCALE)
    pool.accrued, pool.accrued_part = divmod(rates, HOUR)
    pool.owed_time += elapsed
    owed = pool.debt_shares * pool.debt_index
    shares = pool.lend_shares, pool.debt_shares
    pool.debt_index = index
    if index > INDEX_SCALE:
        _double_debts(state, asset, rates)
    _share(state, asset, pool.debt_shares * pool.debt_index - owed)
    settle_residue(state, asset)
    if shares != (pool.lend_shares, pool.debt_shares):
        state.emit(InterestAccrued(asset, pool.lend_index, pool.debt_index))


def fine_index_up(pool: Pool, rates: int) -> int:
    """The debt index in 10^-36 after rates (10^-9 * microseconds) since the top of the hour."""
    base = pool.debt_base * BASE_SCALE - pool.base_ahead
    # One division less than by the year's length at once, and as exact.
    return base + divide_up(divide_up(base * rates, HOUR), _YEAR)


def _holdable(state: State, asset: int, index: int) -> bool:
    """Whether debts at a new index still fit their columns, and so does their value."""
    pool = state.pools[asset]
    owed = divide_up(pool.debt_shares * index, INDEX_SCALE)
    divisor = value_divisor(state.asset(asset).decimals)
    return owed <= 2 * MAX_SUPPLY and owed * state.highest_mark(asset) <= 2 * MAX_VALUE * divisor


def _double_debts(state: State, asset: int, rates: int) -> None:
    """Halve the debt index until a share is worth at most an atom."""
    pool = state.pools[asset]
    factor = 1
    base = pool.debt_base * BASE_SCALE - pool.base_ahead
    while pool.debt_index > INDEX_SCALE:
        factor *= 2
        base = divide_up(base, 2)
        _put_base(pool, base)
        pool.debt_index = divide_up(fine_index_up(pool, rates), BASE_SCALE)
    scale_debts(state, asset, factor)


def _put_base(pool: Pool, fine: int) -> None:
    """Keep `fine` (10^-36) as the debt index from which the hour is reckoned."""
    pool.debt_base = divide_up(fine, BASE_SCALE)
    pool.base_ahead = pool.debt_base * BASE_SCALE - fine


def _share(state: State, asset: int, grown: int) -> None:
    """Share what debts grew by, in 10^-18 atoms, between fee and lenders."""
    pool = state.pools[asset]
    total = pool.interest_part + grown
    # Whole chunks of 10^-9 atoms, of which fee and lenders' part are whole numbers.
    chunks = total // RATIO - pool.interest_part // RATIO
    pool.interest += total // INDEX_SCALE
    pool.interest_part = total % INDEX_SCALE
    rate = state.asset(asset).pool.fee
    fee = pool.fee_part + chunks * rate
    pool.fees += fee // INDEX_SCALE
    pool.hour_fee += fee // INDEX_SCALE
    pool.fee_part = fee % INDEX_SCALE
    if pool.lend_shares:
        _pay_lenders(state, asset, chunks * (RATIO - rate))


def _pay_lenders(state: State, asset: int, earned: int) -> None:
    """Raise the lend index by what it can tell of `earned` (10^-18 atoms), and carry the rest."""
    pool = state.pools[asset]
    unpaid = pool.unpaid + earned
    index = pool.lend_index + unpaid // pool.lend_shares
    pool.unpaid = unpaid % pool.lend_shares
    factor = 1
    while index > INDEX_SCALE * factor:
        factor *= 2
    pool.lend_index = index // factor
    if factor > 1:
        # What the halving left of a unit is carried, for all shares.
        pool.unpaid += index % factor * pool.lend_shares
        scale_claims(state, asset, factor, 1)


def end_hour(state: State, asset: int, hour: int) -> None:
    """Compound at the top of an hour, and say what the hour's interest was."""
    pool = state.pools[asset]
    rates = pool.accrued * HOUR + pool.accrued_part
    if pool.owed_time:
        state.emit(
            InterestCharged(
                asset=asset,
                hour=hour,
                apr=rates // pool.owed_time,
                utilization=utilization(pool),
                interest=pool.interest,
                fee=pool.hour_fee,
                lend_index=pool.lend_index,
                debt_index=pool.debt_index,
            )
        )
    _put_base(pool, fine_index_up(pool, rates))
    pool.accrued = pool.accrued_part = pool.owed_time = pool.interest = pool.hour_fee = 0
    pool.apr = UNSET


def halve_claims(state: State, asset: int) -> None:
    """After a loss that left a share next to nothing: halve shares until one is worth half an atom.

    So new ones fit their columns whatever was lost (I43). A claim may lose less than an atom by it,
    which falls to the sink.
    """
    pool = state.pools[asset]
    if not 0 < pool.lend_index <= INDEX_SCALE // 4:
        return
    divisor = 1
    while pool.lend_index * divisor <= INDEX_SCALE // 2:
        divisor *= 2
    pool.lend_index *= divisor
    scale_claims(state, asset, 1, divisor)
    pool.unpaid = min(pool.unpaid, max(0, pool.lend_shares - 1))
    settle_residue(state, asset)
