"""Pools as the events tell them: shares, indices, and what rates were charged so far.

Every change of shares is in an event, and so are the indices with which it was made and those at
the top of each hour. So the mirror is the engine's pool as it was when it last changed.

Points of a pool's history are its state at the end of each hour that saw it change, so a point is
put together when the hour is over or the batch is written, not at every change.
"""

from solvent.domain.parameters import EngineParameters
from solvent.domain.units import HOUR, INDEX_SCALE, divide_up
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Database, Value
from solvent.history.tables.schema import POINTS, POOLS
from solvent.reference.lending.rates import borrow_apr, lend_apr, utilization_up

NOT_YET = -1


class PoolMirror:
    """One pool. `hours`, `borrow_rates` and `lend_rates` count and sum the hours charged.

    `charged` is the place of the last hour's interest, or -1, `lend_charged` and `debt_charged` the
    indices after it; `noted` that of the last hour's interest or deficit.
    """

    __slots__ = (
        "asset",
        "borrow_rates",
        "changed",
        "charged",
        "debt_charged",
        "debt_index",
        "debt_shares",
        "hours",
        "lend_charged",
        "lend_index",
        "lend_rates",
        "lend_shares",
        "noted",
        "touched",
    )

    def __init__(self, asset: int) -> None:
        self.asset = asset
        self.lend_shares = 0
        self.debt_shares = 0
        self.lend_index = INDEX_SCALE
        self.debt_index = INDEX_SCALE
        self.hours = 0
        self.borrow_rates = 0
        self.lend_rates = 0
        self.charged = NOT_YET
        self.lend_charged = INDEX_SCALE
        self.debt_charged = INDEX_SCALE
        self.noted = NOT_YET
        self.touched = NOT_YET
        self.changed = False

    def row(self) -> tuple[Value, ...]:
        """The mirror in the order of its table's columns."""
        return (
            self.asset,
            self.lend_shares,
            self.debt_shares,
            self.lend_index,
            self.debt_index,
            self.hours,
            self.borrow_rates,
            self.lend_rates,
            self.charged,
            self.lend_charged,
            self.debt_charged,
            self.noted,
            self.touched,
        )

    @classmethod
    def from_row(cls, row: tuple[Value, ...]) -> "PoolMirror":
        """The mirror that `row` was made of."""
        asset, *numbers = (int(value) for value in row)
        mirror = cls(asset)
        mirror.lend_shares, mirror.debt_shares, mirror.lend_index, mirror.debt_index = numbers[:4]
        mirror.hours, mirror.borrow_rates, mirror.lend_rates = numbers[4:7]
        mirror.charged, mirror.lend_charged, mirror.debt_charged = numbers[7:10]
        mirror.noted, mirror.touched = numbers[10:]
        return mirror

    def lent(self) -> int:
        """All claims, in atoms."""
        return self.lend_shares * self.lend_index // INDEX_SCALE

    def borrowed(self) -> int:
        """All debts, in atoms."""
        return divide_up(self.debt_shares * self.debt_index, INDEX_SCALE)

    def debt(self, shares: int) -> int:
        """What `shares` of a debt cost, rounded up."""
        return divide_up(shares * self.debt_index, INDEX_SCALE)


class PoolMirrors:
    """All pools of one market, and the points of their history."""

    def __init__(self, parameters: EngineParameters, batch: Batch) -> None:
        self.parameters = parameters
        self._batch = batch
        self._pools = [PoolMirror(asset) for asset in range(len(parameters.assets))]

    def load(self, database: Database) -> None:
        """Go on from what is in the database."""
        for row in database.fetch(f"SELECT {POOLS.listed} FROM {POOLS.name}"):
            mirror = PoolMirror.from_row(row)
            self._pools[mirror.asset] = mirror

    def change(self, asset: int, time: int) -> PoolMirror:
        """The mirror of `asset`, to be changed at `time`."""
        mirror = self._pools[asset]
        if mirror.changed and mirror.touched == time:
            return mirror
        if mirror.touched >= 0 and time // HOUR > mirror.touched // HOUR:
            self._note_point(mirror)
        mirror.touched = max(mirror.touched, time)
        mirror.changed = True
        return mirror

    def note_all(self) -> None:
        """Put every pool that changed, and the point that it stands at, into the batch."""
        for mirror in self._pools:
            if mirror.changed:
                self._note_point(mirror)
                self._batch.put(POOLS, mirror.row())
                mirror.changed = False

    def _note_point(self, mirror: PoolMirror) -> None:
        lent, borrowed = mirror.lent(), mirror.borrowed()
        level = utilization_up(borrowed, lent)
        pool = self.parameters.assets[mirror.asset].pool
        start = mirror.touched // HOUR * HOUR
        rates = borrow_apr(pool, level), lend_apr(pool, level)
        row = (mirror.asset, start, mirror.touched, lent, borrowed, level, *rates)
        self._batch.put(POINTS, row)
