"""Interest in kernels: debts pay and claims earn for the time that they stand.

As in `reference.lending.interest`: simple from the top of the hour, compounded at the next, split
exactly into fee and lenders' part, the rest carried; shares double where an index passes one.
"""

from solvent.domain.events import InterestAccrued, InterestCharged, PoolFrozen
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE
from solvent.domain.units import HOUR, HOURS_PER_YEAR, INDEX_SCALE, RATIO
from solvent.engine.ledger import (
    asset_row,
    highest_mark,
    pool_row,
    scale_claims,
    scale_debts,
    settle_residue,
)
from solvent.engine.lending.rates import borrow_apr, utilization
from solvent.engine.memory.layout import UNSET
from solvent.engine.memory.rows import Pool
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up
from solvent.kernels.language import Wide, emit, huge, kernel, narrow, thin, wide

BASE_SCALE = 10**18
"""Parts of a unit of the debt index in which its base is kept."""
_YEAR = RATIO * HOURS_PER_YEAR


@kernel
def accrue(s: Store, since: int, until: int) -> None:
    """Charge and pay every pool's interest from one time to a later one, hour by hour."""
    start = since
    while start < until:
        top = start // HOUR * HOUR + HOUR
        end = min(top, until)
        for asset in range(s.globals.assets):
            accrue_pool(s, asset, end - start)
            if end == top:
                end_hour(s, asset, top // HOUR)
        start = end


@kernel
def accrue_pool(s: Store, asset: int, elapsed: int) -> None:
    """Charge and pay one pool's interest for `elapsed` microseconds within an hour."""
    pool = pool_row(s, asset)
    if pool.debt_shares == 0 and pool.frozen == 0:
        return
    if pool.apr == UNSET:
        pool.apr = borrow_apr(asset_row(s, asset), utilization(pool))
    hour = fine_index_up(pool, wide(pool.apr) * HOUR)
    fits = _is_holdable(s, asset, narrow(divide_up(hour, BASE_SCALE)))
    if fits == (pool.frozen != 0):
        pool.frozen = 0 if fits else 1
        emit(s, PoolFrozen(asset=asset, frozen=pool.frozen))
    if not fits:
        return
    rates = _rates(pool) + wide(pool.apr) * elapsed
    index = narrow(divide_up(fine_index_up(pool, rates), BASE_SCALE))
    pool.accrued = narrow(rates // HOUR)
    pool.accrued_part = narrow(rates % HOUR)
    pool.owed_time += elapsed
    owed = wide(pool.debt_shares) * pool.debt_index
    claims = pool.lend_shares
    debts = pool.debt_shares
    pool.debt_index = index
    if index > INDEX_SCALE:
        _double_debts(s, asset, rates)
    _share(s, asset, wide(pool.debt_shares) * pool.debt_index - owed)
    settle_residue(s, asset)
    if claims != pool.lend_shares or debts != pool.debt_shares:
        emit(
            s,
            InterestAccrued(asset=asset, lend_index=pool.lend_index, debt_index=pool.debt_index),
        )


@kernel
def _rates(pool: Pool) -> Wide:
    """Rates since the top of the hour, 10^-9 * microseconds."""
    return wide(pool.accrued) * HOUR + pool.accrued_part


@kernel
def fine_index_up(pool: Pool, rates: Wide) -> Wide:
    """The debt index in 10^-36 after rates (10^-9 * microseconds) since the top of the hour."""
    base = wide(pool.debt_base) * BASE_SCALE - pool.base_ahead
    hours = -(-(huge(base) * rates) // HOUR)
    return base + thin(-(-hours // _YEAR))


@kernel
def _is_holdable(s: Store, asset: int, index: int) -> bool:
    """Whether debts at a new index still fit their columns, and so does their value."""
    owed = divide_up(wide(pool_row(s, asset).debt_shares) * index, INDEX_SCALE)
    if owed > 2 * MAX_SUPPLY:
        return False
    return owed * highest_mark(s, asset) <= wide(2 * MAX_VALUE) * asset_row(s, asset).value_divisor


@kernel
def _double_debts(s: Store, asset: int, rates: Wide) -> None:
    """Halve the debt index until a share is worth at most an atom."""
    pool = pool_row(s, asset)
    factor = 1
    base = wide(pool.debt_base) * BASE_SCALE - pool.base_ahead
    while pool.debt_index > INDEX_SCALE:
        factor *= 2
        base = divide_up(base, 2)
        _put_base(pool, base)
        pool.debt_index = narrow(divide_up(fine_index_up(pool, rates), BASE_SCALE))
    scale_debts(s, asset, factor)


@kernel
def _put_base(pool: Pool, fine: Wide) -> None:
    """Keep `fine` (10^-36) as the debt index from which the hour is reckoned."""
    pool.debt_base = narrow(divide_up(fine, BASE_SCALE))
    pool.base_ahead = narrow(wide(pool.debt_base) * BASE_SCALE - fine)


@kernel
def _share(s: Store, asset: int, grown: Wide) -> None:
    """Share what debts grew by, in 10^-18 atoms, between fee and lenders."""
    pool = pool_row(s, asset)
    total = pool.interest_part + grown
    chunks = total // RATIO - pool.interest_part // RATIO
    pool.interest += narrow(total // INDEX_SCALE)
    pool.interest_part = narrow(total % INDEX_SCALE)
    rate = asset_row(s, asset).pool_fee
    fee = pool.fee_part + chunks * rate
    pool.fees += narrow(fee // INDEX_SCALE)
    pool.hour_fee += narrow(fee // INDEX_SCALE)
    pool.fee_part = narrow(fee % INDEX_SCALE)
    if pool.lend_shares:
        _pay_lenders(s, asset, chunks * (RATIO - rate))


@kernel
def _pay_lenders(s: Store, asset: int, earned: Wide) -> None:
    """Raise the lend index by what it can tell of `earned` (10^-18 atoms), and carry the rest."""
    pool = pool_row(s, asset)
    unpaid = pool.unpaid + earned
    index = pool.lend_index + unpaid // pool.lend_shares
    pool.unpaid = narrow(unpaid % pool.lend_shares)
    factor = 1
    while index > wide(INDEX_SCALE) * factor:
        factor *= 2
    pool.lend_index = narrow(index // factor)
    if factor > 1:
        pool.unpaid += narrow(index % factor * pool.lend_shares)
        scale_claims(s, asset, factor, 1)


@kernel
def end_hour(s: Store, asset: int, hour: int) -> None:
    """Compound at the top of an hour, and say what the hour's interest was."""
    pool = pool_row(s, asset)
    rates = _rates(pool)
    if pool.owed_time:
        emit(
            s,
            InterestCharged(
                asset=asset,
                hour=hour,
                apr=narrow(rates // pool.owed_time),
                utilization=utilization(pool),
                interest=pool.interest,
                fee=pool.hour_fee,
                lend_index=pool.lend_index,
                debt_index=pool.debt_index,
            ),
        )
    _put_base(pool, fine_index_up(pool, rates))
    pool.accrued = 0
    pool.accrued_part = 0
    pool.owed_time = 0
    pool.interest = 0
    pool.hour_fee = 0
    pool.apr = UNSET


@kernel
def halve_claims(s: Store, asset: int) -> None:
    """After a loss that left a share next to nothing: halve shares until one is half an atom."""
    pool = pool_row(s, asset)
    if not 0 < pool.lend_index <= INDEX_SCALE // 4:
        return
    divisor = 1
    while wide(pool.lend_index) * divisor <= INDEX_SCALE // 2:
        divisor *= 2
    pool.lend_index *= divisor
    scale_claims(s, asset, 1, divisor)
    pool.unpaid = min(pool.unpaid, max(0, pool.lend_shares - 1))
    settle_residue(s, asset)
