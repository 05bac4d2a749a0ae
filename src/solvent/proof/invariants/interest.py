"""Interest checks: what time alone does to pools, reckoned again from the curve (I5, I6, I44).

The rate stands while nothing changes it; the debt index is the hour's base times one and the sum of
rates and time over a year; what debts grew by is split into fee and lenders' part, and what makes
no whole atom and no whole unit of an index is carried. So every number that interest moves follows
from the view before, however time was cut, and is compared to the last digit. Nothing here asks the
pool or the curve's own code.

Specification: sections 5.3, 9.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE, AssetParameters, Curve
from solvent.domain.settlement_properties import up
from solvent.domain.units import (
    HOUR,
    HOURS_PER_YEAR,
    INDEX_SCALE,
    PRICE_DECIMALS,
    RATIO,
    VALUE_DECIMALS,
)
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.postings import Bookings
from solvent.proof.invariants.state_view import PoolView, StateView

YEAR = RATIO * HOURS_PER_YEAR * HOUR
PARTS = 10**18
OF_TIME = (
    "debt_index",
    "debt_base",
    "base_ahead",
    "accrued",
    "accrued_part",
    "owed_time",
    "interest",
    "interest_part",
    "hour_fee",
)
"""Numbers that nothing but interest moves."""


class Charge(NamedTuple):
    """What an `InterestCharged` must say of an hour."""

    apr: int
    utilization: int
    interest: int
    fee: int
    lend_index: int
    debt_index: int


class Accrual(NamedTuple):
    """A pool after interest alone, its hours, and the factors of its claims' and debts' shares."""

    pool: PoolView
    hours: dict[int, Charge]
    claims: int
    debts: int


def check_interest(before: StateView, after: StateView, booked: Bookings) -> Iterator[Breach]:
    """I6, I44: in a pass each pool's interest is that of the time that passed, exactly."""
    for asset, new in enumerate(after.pools):
        right = accrual_of(before, asset, after.now)
        yield from _hours(asset, booked, right, after.now // HOUR)
        yield from _exactly(asset, new, right.pool, booked)


def _exactly(asset: int, new: PoolView, right: PoolView, booked: Bookings) -> Iterator[Breach]:
    """I6, I44: a pool's numbers of interest."""
    if asset in booked.adjusted and new.interest_part == right.interest_part // RATIO * RATIO:
        # Where a loss left nothing else, what is carried for nobody yet bears it.
        right = right._replace(interest_part=new.interest_part)
    for name in OF_TIME:
        if getattr(new, name) != getattr(right, name):
            numbers = (asset, getattr(new, name), getattr(right, name))
            yield breach("I44", f"{name} is not that of the time that passed", *numbers)
    if asset in booked.adjusted:
        return
    if new.lend_index != right.lend_index:
        numbers = (asset, new.lend_index, right.lend_index)
        yield breach("I6", "lenders were not paid what was charged", *numbers)
    kept = right.fees + booked.fees[asset], right.fee_part
    if (new.fees, new.fee_part) != kept:
        yield breach("I6", "the pool's fees are not what was charged", asset, new.fees, *kept)
    if new.unpaid > right.unpaid:
        yield breach("I6", "more is carried than was left over", asset, new.unpaid)


def _hours(asset: int, booked: Bookings, right: Accrual, last: int) -> Iterator[Breach]:
    """I6: each hour that ended was charged once, and what was said of it is so."""
    charged = [event for event in booked.interest[asset] if event.hour <= last]
    said = {event.hour: event for event in charged}
    if len(said) != len(charged) or said.keys() != right.hours.keys():
        yield breach("I6", "the hours that ended are not those charged", asset, *said)
    for hour, charge in right.hours.items():
        event = said.get(hour)
        if event and Charge(*(getattr(event, name) for name in Charge._fields)) != charge:
            yield breach("I6", "interest is not what the curve says", asset, hour, *charge)


def accrued(before: StateView, until: int) -> StateView:
    """The view with nothing changed but by interest: its pools, and the shares of holders."""
    accruals = [accrual_of(before, asset, until) for asset in range(len(before.pools))]
    claims, debts = [each.claims for each in accruals], [each.debts for each in accruals]
    holdings = before.holdings
    if max(*claims, *debts) > 1:
        holdings = tuple(
            holding._replace(
                lent_shares=_times(holding.lent_shares, claims),
                debt_shares=_times(holding.debt_shares, debts),
            )
            for holding in holdings
        )
    return replace(before, pools=tuple(each.pool for each in accruals), holdings=holdings)


def _times(shares: tuple[int, ...], factors: list[int]) -> tuple[int, ...]:
    return tuple(share * factor for share, factor in zip(shares, factors, strict=True))


def accrual_of(before: StateView, asset: int, until: int) -> Accrual:
    """What interest alone does to a pool until a later time."""
    parameters, price = before.parameters.assets[asset], before.prices[asset]
    # What the index may rise to by the quotes that it has.
    mark = max([price.mark, *(sorted(quote[:3])[1] for quote in price.quotes)])
    pool, now = before.pools[asset], before.now
    hours: dict[int, Charge] = {}
    while now < until:
        end = min(until, now // HOUR * HOUR + HOUR)
        pool = _grown(pool, parameters, mark, end - now)
        if end % HOUR == 0:
            if pool.owed_time:
                hours[end // HOUR] = _charge(pool)
            pool = _compounded(pool)
        now = end
    old = before.pools[asset]
    return Accrual(
        pool,
        hours,
        pool.lend_shares // old.lend_shares if old.lend_shares else 1,
        pool.debt_shares // old.debt_shares if old.debt_shares else 1,
    )


def _grown(pool: PoolView, parameters: AssetParameters, mark: int, elapsed: int) -> PoolView:
    """A pool after some time within an hour."""
    if not (pool.debt_shares or pool.frozen):
        return pool
    apr = pool.apr if pool.apr >= 0 else rate_on(parameters.pool.curve, pool.utilization_up)
    then = up(pool.debt_shares * up(_fine(pool, apr * HOUR), PARTS), INDEX_SCALE)
    if not _holdable(then, mark, parameters.decimals):
        return pool._replace(apr=apr, frozen=1)
    rates = _rates(pool) + apr * elapsed
    index = up(_fine(pool, rates), PARTS)
    owed = pool.debt_shares * pool.debt_index
    pool = pool._replace(
        apr=apr,
        frozen=0,
        debt_index=index,
        accrued=rates // HOUR,
        accrued_part=rates % HOUR,
        owed_time=pool.owed_time + elapsed,
    )
    while pool.debt_index > INDEX_SCALE:
        pool = _put_base(pool, up(_fine(pool, 0), 2))
        pool = pool._replace(debt_index=up(_fine(pool, rates), PARTS))
        pool = pool._replace(debt_shares=2 * pool.debt_shares)
    return _shared(pool, pool.debt_shares * pool.debt_index - owed, parameters.pool.fee)


def _holdable(borrowed: int, mark: int, decimals: int) -> bool:
    """Whether a pool's debts, and their value, are within twice what may ever be supplied."""
    highest = 2 * MAX_VALUE * 10 ** (decimals + PRICE_DECIMALS - VALUE_DECIMALS)
    return borrowed <= 2 * MAX_SUPPLY and borrowed * mark <= highest


def _rates(pool: PoolView) -> int:
    return pool.accrued * HOUR + pool.accrued_part


def _fine(pool: PoolView, rates: int) -> int:
    """The debt index, 10^-36, so many rates * microseconds after the top of the hour."""
    base = pool.debt_base * PARTS - pool.base_ahead
    return base + up(base * rates, YEAR)


def _put_base(pool: PoolView, fine: int) -> PoolView:
    base = up(fine, PARTS)
    return pool._replace(debt_base=base, base_ahead=base * PARTS - fine)


def _shared(pool: PoolView, grown: int, rate: int) -> PoolView:
    """A pool whose debts grew by `grown` * 10^-18 atoms: fee, and lenders' part."""
    total = pool.interest_part + grown
    chunks = total // RATIO - pool.interest_part // RATIO
    kept = pool.fee_part + chunks * rate
    index, shares, unpaid = pool.lend_index, pool.lend_shares, pool.unpaid
    if shares:
        # Of all that claims are worth and are owed, what makes whole units of the index.
        worth = index * shares + unpaid + chunks * (RATIO - rate)
        # Twice as many where a share would be worth more than an atom.
        factor = 1
        while worth // shares > INDEX_SCALE * factor:
            factor *= 2
        shares *= factor
        index, unpaid = divmod(worth, shares)
    return pool._replace(
        interest=pool.interest + total // INDEX_SCALE,
        interest_part=total % INDEX_SCALE,
        fees=pool.fees + kept // INDEX_SCALE,
        hour_fee=pool.hour_fee + kept // INDEX_SCALE,
        fee_part=kept % INDEX_SCALE,
        lend_index=index,
        lend_shares=shares,
        unpaid=unpaid,
        lent=shares * index // INDEX_SCALE,
        borrowed=up(pool.debt_shares * pool.debt_index, INDEX_SCALE),
    )


def _charge(pool: PoolView) -> Charge:
    return Charge(
        _rates(pool) // pool.owed_time,
        pool.utilization_up,
        pool.interest,
        pool.hour_fee,
        pool.lend_index,
        pool.debt_index,
    )


def _compounded(pool: PoolView) -> PoolView:
    """A pool at the top of an hour."""
    pool = _put_base(pool, _fine(pool, _rates(pool)))
    return pool._replace(accrued=0, accrued_part=0, owed_time=0, interest=0, hour_fee=0, apr=-1)


def rate_on(curve: Curve, utilization: int) -> int:
    """APR in 10^-9 on the straight line between the curve's points, rounded up."""
    level = min(utilization, RATIO)
    last = curve.points[0]
    for point in curve.points[1:]:
        if level <= point[0]:
            return last[1] + up((point[1] - last[1]) * (level - last[0]), point[0] - last[0])
        last = point
    return last[1]
