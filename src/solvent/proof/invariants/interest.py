"""Interest checks: each hour charged again from the curve, in full and once (I5, I6).

The debt index of every hour follows from the utilization that the hour before left; what it adds to
debts is the interest, of which the fee is taken and the rest shared by the lend index. Nothing here
asks the pool or the curve's own code.

Specification: sections 5.3, 9.
"""

from collections.abc import Iterator

from solvent.domain import events as e
from solvent.domain.events import Event
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE, Curve
from solvent.domain.settlement_properties import up
from solvent.domain.units import (
    HOUR,
    HOURS_PER_YEAR,
    INDEX_SCALE,
    INT64_MAX,
    PRICE_DECIMALS,
    RATIO,
    VALUE_DECIMALS,
)
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.postings import Bookings
from solvent.proof.invariants.state_view import PoolView, StateView

YEAR = RATIO * HOURS_PER_YEAR


CALM = (
    e.InterestCharged,
    e.IndexUpdated,
    e.MarkUpdated,
    e.PriceStaleness,
    e.ThrottleMoved,
    e.BackstopCommitted,
    e.Stepped,
)
"""Events of a time step that change no pool but by interest."""


def check_interest(
    before: StateView, after: StateView, booked: Bookings, events: tuple[Event, ...]
) -> Iterator[Breach]:
    """I5, I6: each hour that began was charged once, at the curve's rate, and shared in full.

    Only an hour whose debts would no longer fit their columns is left out, and hours that began
    after the waterfall had changed pools in the same step.
    """
    first, last = before.now // HOUR + 1, after.now // HOUR
    calm = next((place for place, one in enumerate(events) if not isinstance(one, CALM)), None)
    if calm is not None:
        times = (one.time for one in events[calm:] if isinstance(one, e.Stepped))
        last = min(last, next(times) // HOUR)
    for asset, pool in enumerate(before.pools):
        parameters = before.parameters.assets[asset]
        charged = {event.hour: event for event in booked.interest[asset]}
        if len(charged) != len(booked.interest[asset]):
            yield breach("I6", "an hour was charged twice", asset)
        charged = {hour: event for hour, event in charged.items() if hour <= last}
        level = pool
        for hour in range(first, last + 1) if pool.debt_shares else ():
            apr = rate_on(parameters.pool.curve, level.utilization_up)
            charge, fee = hour_charged(level, apr, parameters.pool.fee)
            if not _holdable(charge, before.prices[asset].mark, parameters.decimals):
                continue
            level = charge
            event = charged.pop(hour, None)
            said = event and (event.apr, event.fee, event.debt_index, event.lend_index)
            if said != (apr, fee, level.debt_index, level.lend_index):
                numbers = (asset, hour, *(said or ()), apr, fee, *level)
                yield breach("I6", "interest is not what the curve says", *numbers)
                break
        else:
            if charged:
                yield breach("I6", "hours were charged that did not begin", asset, *charged)


def _holdable(pool: PoolView, mark: int, decimals: int) -> bool:
    """Whether a pool's debts, and their value, are within twice what may ever be supplied."""
    highest = 2 * MAX_VALUE * 10 ** (decimals + PRICE_DECIMALS - VALUE_DECIMALS)
    return pool.borrowed <= 2 * MAX_SUPPLY and pool.borrowed * mark <= highest


def rate_on(curve: Curve, utilization: int) -> int:
    """APR in 10^-9 on the straight line between the curve's points, rounded up."""
    level = min(utilization, RATIO)
    last = curve.points[0]
    for point in curve.points[1:]:
        if level <= point[0]:
            return last[1] + up((point[1] - last[1]) * (level - last[0]), point[0] - last[0])
        last = point
    return last[1]


def hour_charged(pool: PoolView, apr: int, fee_rate: int) -> tuple[PoolView, int]:
    """A pool after one hour's interest, and the fee taken of it."""
    debt_index = up(pool.debt_index * (YEAR + apr), YEAR)
    borrowed = up(pool.debt_shares * debt_index, INDEX_SCALE)
    interest = borrowed - pool.borrowed
    fee = up(interest * fee_rate, RATIO)
    lend_index = pool.lend_index
    if pool.lend_shares:
        raised = lend_index + (interest - fee) * INDEX_SCALE // pool.lend_shares
        lend_index = raised if raised <= INT64_MAX else lend_index
    lent = pool.lend_shares * lend_index // INDEX_SCALE
    return (
        pool._replace(debt_index=debt_index, lend_index=lend_index, borrowed=borrowed, lent=lent),
        fee,
    )
