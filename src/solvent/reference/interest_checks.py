"""Interest checks: each hour charged again from the curve, in full and once (I5, I6).

The debt index of every hour follows from the utilization that the hour before left; what it adds to
debts is the interest, of which the fee is taken and the rest shared by the lend index. Nothing here
asks the pool or the curve's own code.
"""

from collections.abc import Iterator

from solvent.domain.parameters import Curve
from solvent.domain.units import HOUR, HOURS_PER_YEAR, INDEX_SCALE, RATIO
from solvent.reference.bookings import Bookings, up
from solvent.reference.invariants import Breach, breach
from solvent.reference.picture import Picture, PoolPicture

YEAR = RATIO * HOURS_PER_YEAR


def check_interest(before: Picture, after: Picture, booked: Bookings) -> Iterator[Breach]:
    """I5, I6: each hour that began was charged once, at the curve's rate, and shared in full."""
    hours = after.now // HOUR - before.now // HOUR
    for asset, pool in enumerate(before.pools):
        charged = booked.interest[asset]
        wanted = hours if pool.debt_shares else 0
        if len(charged) != wanted:
            yield breach(
                "I6", "hours that began and hours charged differ", asset, wanted, len(charged)
            )
            continue
        parameters = before.parameters.assets[asset].pool
        level = pool
        for place, event in enumerate(charged):
            if event.hour != before.now // HOUR + 1 + place:
                yield breach("I6", "an hour was charged twice or left out", asset, event.hour)
            apr = rate_on(parameters.curve, level.utilization_up)
            level, fee = hour_charged(level, apr, parameters.fee)
            said = (event.apr, event.fee, event.debt_index, event.lend_index)
            if said != (apr, fee, level.debt_index, level.lend_index):
                yield breach(
                    "I6",
                    "interest is not what the curve says",
                    asset,
                    *said,
                    apr,
                    fee,
                    level.debt_index,
                    level.lend_index,
                )
                break


def rate_on(curve: Curve, utilization: int) -> int:
    """APR in 10^-9 on the straight line between the curve's points, rounded up."""
    level = min(utilization, RATIO)
    last = curve.points[0]
    for point in curve.points[1:]:
        if level <= point[0]:
            return last[1] + up((point[1] - last[1]) * (level - last[0]), point[0] - last[0])
        last = point
    return last[1]


def hour_charged(pool: PoolPicture, apr: int, fee_rate: int) -> tuple[PoolPicture, int]:
    """A pool after one hour's interest, and the fee taken of it."""
    debt_index = up(pool.debt_index * (YEAR + apr), YEAR)
    borrowed = up(pool.debt_shares * debt_index, INDEX_SCALE)
    interest = borrowed - pool.borrowed
    fee = up(interest * fee_rate, RATIO)
    lend_index = pool.lend_index
    if pool.lend_shares:
        lend_index += (interest - fee) * INDEX_SCALE // pool.lend_shares
    lent = pool.lend_shares * lend_index // INDEX_SCALE
    return (
        pool._replace(debt_index=debt_index, lend_index=lend_index, borrowed=borrowed, lent=lent),
        fee,
    )
