"""A holding: what is known of an open position, a claim or a debt of one account.

Sides are numbers here, not words of their list, for movements come in great numbers.
"""

from solvent.domain.units import INDEX_SCALE, divide_up
from solvent.history.followers.pools import PoolMirror
from solvent.history.tables.rows import BorrowLendSide

BORROW, LEND = int(BorrowLendSide.BORROW), int(BorrowLendSide.LEND)


class Holding:
    """An open position. `last` is the place of its last movement.

    `settled` is what it had earned or cost when the last hour before that movement was charged.
    """

    __slots__ = (
        "added",
        "hours",
        "last",
        "number",
        "opened",
        "opened_at",
        "rates",
        "removed",
        "settled",
        "shares",
        "source",
    )

    def __init__(self, number: int, source: int, opened: int, opened_at: int) -> None:
        self.number = number
        self.source = source
        self.opened = opened
        self.opened_at = opened_at
        self.shares = 0
        self.added = 0
        self.removed = 0
        self.settled = 0
        self.last = opened
        self.hours = 0
        self.rates = 0

    def settle_hours(self, pool: PoolMirror, side: int) -> None:
        """Before a movement: what the position had earned or cost after the last hour charged."""
        if side == LEND:
            worth = self.shares * pool.lend_charged // INDEX_SCALE
        else:
            worth = divide_up(self.shares * pool.debt_charged, INDEX_SCALE)
        self.settled = worth + self.removed - self.added
