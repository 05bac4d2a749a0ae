"""Retention: which rows of the past stay, and a little at a time the others go.

    kept for `keep`            trades, fills, settlements, deposits, withdrawals, dust, standbys,
                               orders that have ended, positions that were closed, movements that
                               were followed by others, candles of a second and of a minute
    kept for `keep_unfilled`   orders that ended and of which nothing was traded
    kept for good              candles of hours and days, pools by the hour, interest and losses by
                               the hour, liquidations and receipts, and all that is still open

Times are the market's, counted back from its newest. The journal keeps everything: views that are
made anew with a longer rule have it again. A sweep begins every hour of the market's time; each
`step` of one removes some hundred rows in a transaction of its own, so that nobody waits for it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from solvent.domain.units import HOUR, SECOND
from solvent.history.followers.candles import DAY, MINUTE
from solvent.history.tables.counts import COUNTED, add_counts
from solvent.history.tables.database import Database, Row
from solvent.history.tables.schema import (
    CANDLES,
    DEPOSITS,
    DUST,
    FILLS,
    MOVEMENTS,
    ORDERS,
    POSITIONS,
    SETTLEMENTS,
    STANDBYS,
    TRADES,
    WITHDRAWALS,
    Table,
)

ROWS = 500
"""Rows that a step looks at."""
_LOGS = (TRADES, FILLS, SETTLEMENTS, DEPOSITS, WITHDRAWALS, DUST, STANDBYS)
"""Tables whose rows come in the order of time and never change."""
_FINE = (SECOND, MINUTE)


class Keep(NamedTuple):
    """For how long rows are kept, microseconds; orders of which nothing was traded no longer."""

    keep: int = 90 * DAY
    keep_unfilled: int = 7 * DAY

    @classmethod
    def of_days(cls, days: int) -> "Keep":
        """So many days, and orders without a fill a week of them at most."""
        return cls(days * DAY, min(days, 7) * DAY)


class Retention:
    """Removes what is older than a rule says from the tables of one market."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sweep: Iterator[None] | None = None
        self._due = 0
        self._swept = 0

    def step(self, keep: Keep, now: int) -> None:
        """Go on with the sweep, or begin one when it is time. Raises DatabaseError."""
        if self._sweep is None:
            if now < self._due:
                return
            self._due = now + HOUR
            self._sweep = self._steps(keep, now)
        self._database.begin()
        try:
            if next(self._sweep, self) is self:
                self._sweep = None
            self._database.commit()
        except BaseException:
            self._sweep = None
            self._database.rollback()
            raise

    def _steps(self, keep: Keep, now: int) -> Iterator[None]:
        until = now - keep.keep
        for table in _LOGS:
            yield from self._log(table, until)
        yield from self._orders(0, until, until)
        yield from self._orders(self._swept, until, now - min(keep))
        yield from self._closed(until)
        yield from self._candles(until)

    def _log(self, table: Table, until: int) -> Iterator[None]:
        owner = table.columns[COUNTED.get(table, 0)]
        while True:
            rows = self._database.fetch(
                f"SELECT {table.key[0]}, {owner} FROM (SELECT * FROM {table.name} "
                f"ORDER BY {table.key[0]} LIMIT {ROWS}) AS oldest WHERE time < ?",
                [until],
            )
            self._remove(table, rows)
            yield
            if len(rows) < ROWS:
                return

    def _orders(self, after: int, until: int, begun: int) -> Iterator[None]:
        """Orders that began before `begun`, from a number on."""
        while True:
            seen = self._database.fetch(
                "SELECT id, account, time, ended, executed FROM orders WHERE id > ? "
                f"ORDER BY id LIMIT {ROWS}",
                [after],
            )
            seen = [row for row in seen if int(row[2]) < begun]
            unfilled = begun if begun > until else until
            self._remove(
                ORDERS,
                [row[:2] for row in seen if 0 < int(row[3]) < (until if int(row[4]) else unfilled)],
            )
            after = int(seen[-1][0]) if seen else after
            self._swept = max(self._swept, after) if begun > until else self._swept
            yield
            if len(seen) < ROWS:
                return

    def _closed(self, until: int) -> Iterator[None]:
        """Movements and positions that came to an end before the last full hour of before."""
        found = self._database.fetch(
            "SELECT COALESCE(MAX(place), -1) FROM interest WHERE hour <= ?", [until // HOUR]
        )
        place = int(found[0][0])
        for table, began, ended in (
            (MOVEMENTS, "place", "CASE WHEN shares = 0 THEN place ELSE until END"),
            (POSITIONS, "opened", "closed"),
        ):
            key, after = table.key[0], -1
            while True:
                seen = self._database.fetch(
                    f"SELECT {key}, {began}, {ended} FROM {table.name} WHERE {key} > ? "
                    f"ORDER BY {key} LIMIT {ROWS}",
                    [after],
                )
                seen = [row for row in seen if int(row[1]) < place]
                self._remove(table, [row for row in seen if int(row[2]) < place])
                yield
                if len(seen) < ROWS:
                    break
                after = int(seen[-1][0])

    def _candles(self, until: int) -> Iterator[None]:
        kinds = self._database.fetch("SELECT DISTINCT asset, kind FROM candles")
        for asset, kind in kinds:
            for span in _FINE:
                of = [asset, kind, span]
                where = "WHERE asset = ? AND kind = ? AND span = ?"
                while True:
                    found = self._database.fetch(
                        f"SELECT COALESCE(MIN(start), {until}) FROM candles {where}", of
                    )
                    end = min(int(found[0][0]) + ROWS * span, until)
                    if int(found[0][0]) >= until:
                        break
                    self._database.execute_many(
                        f"DELETE FROM {CANDLES.name} {where} AND start < ?", [[*of, end]]
                    )
                    yield

    def _remove(self, table: Table, rows: list[Row]) -> None:
        """Remove rows by their key, of which the second column is the owner."""
        statement = f"DELETE FROM {table.name} WHERE {table.key[0]} = ?"
        self._database.execute_many(statement, [row[:1] for row in rows])
        if table in COUNTED:
            gone = Counter(int(row[1]) for row in rows)
            add_counts(self._database, {(table, owner): -number for owner, number in gone.items()})
