"""What a booking must keep, asked of its own records with plain arithmetic and nothing else.

Every pool is written down once, by what its debts fell by; what it loses is borne by the fees that
are given back, the residue and the lenders, and by nobody twice; all its claims fall by one
fraction, since one index carries it. The fund pays what it says, out of what it had. Receipts and
invariants are both judged here; nothing is shared with the engines.

Specification: sections 8.7, 9.
"""

from collections import Counter
from collections.abc import Iterator

from solvent.domain.settlement_properties import Flaw, flaw, up
from solvent.domain.settlements import Booking
from solvent.domain.units import INDEX_SCALE
from solvent.domain.waterfall_events import PoolWrittenDown


def booking_flaws(booking: Booking) -> Iterator[Flaw]:
    """All that the records of a booking show to be wrong."""
    yield from _written_once(booking)
    for down in booking.downs:
        yield from _borne(booking, down)
    yield from _fund(booking)


def _shares(booking: Booking) -> Counter[int]:
    """Debt shares that were written off, by asset."""
    shares: Counter[int] = Counter()
    for written in booking.written.values():
        for each in written:
            shares[each.asset] += each.debt_shares
    return shares


def _written_once(booking: Booking) -> Iterator[Flaw]:
    """I38: each pool with a loss is written down, and once."""
    downs = [down.asset for down in booking.downs]
    if sorted(downs) != sorted(_shares(booking)):
        yield flaw("I38", "a pool is not written down once", booking.opened.booking)


def _borne(booking: Booking, down: PoolWrittenDown) -> Iterator[Flaw]:
    """I29, I38: a loss is what debts fell by and what was borne, by claims through the index."""
    pool, reserves = booking.pools[down.asset], booking.reserves[down.asset]
    fall = up(_shares(booking)[down.asset] * pool.debt_index, INDEX_SCALE)
    borne = down.fees + down.treasury + down.residue + down.lenders
    if not down.loss == fall == borne:
        yield flaw("I29", "a loss is not what is borne", down.asset, down.loss, borne)
    if down.fees > reserves.fees or down.treasury > reserves.treasury:
        yield flaw("I29", "more fees were given back than there were", down.asset)
    index = _index_after(pool.lend_index, pool.lend_shares, down.lenders)
    # Claims of less than an atom lose nothing that is told, and may end with the pool's loss.
    ended = pool.lend_shares * index < INDEX_SCALE and bool(down.lenders or down.restarted)
    if down.lend_index != (INDEX_SCALE if ended else index) or ended != bool(down.restarted):
        yield flaw("I38", "claims fell by another fraction", down.asset, down.lend_index, index)


def _index_after(index: int, shares: int, loss: int) -> int:
    """A lend index once claims of so many shares fell by `loss` atoms."""
    return max(0, index - up(loss * INDEX_SCALE, shares)) if loss else index


def _fund(booking: Booking) -> Iterator[Flaw]:
    """I29: the fund pays each account what is said, all of it is said, and it had it."""
    spent: Counter[int] = Counter()
    total = 0
    for booked in booking.accounts:
        paid = booking.paid[booked.account]
        if booked.fund != sum(one.value for one in paid):
            yield flaw("I29", "the fund paid another part", booked.fund, account=booked.account)
        for one in paid:
            spent[one.asset] += one.quantity
            total += one.value
    if booking.opened.paid != total:
        yield flaw("I29", "the fund paid another amount", booking.opened.paid, total)
    for asset, quantity in spent.items():
        if quantity > booking.reserves[asset].fund:
            yield flaw("I29", "the fund paid more than it had", asset, quantity)
