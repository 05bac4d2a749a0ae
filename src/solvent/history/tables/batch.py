"""A batch: rows that wait to be written together.

`append` keeps rows of tables that only grow, `put` the newest state of rows that change. Where rows
of one batch replace each other, only the last is written, so the database is the same whatever the
size of the batches was.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import chain

from solvent.history.tables.counts import COUNTED, add_counts
from solvent.history.tables.database import Database, Value
from solvent.history.tables.schema import MOVEMENTS, Table

MOST_VALUES = 999
"""Values of one statement, as many as any SQLite takes."""


class Batch:
    """Rows on their way to the database. `movements` are those of that table, by their places."""

    def __init__(self) -> None:
        self._appended: defaultdict[Table, list[list[Value]]] = defaultdict(list)
        self._put: defaultdict[Table, dict[Hashable, tuple[Value, ...]]] = defaultdict(dict)
        self.movements: dict[int, list[Value]] = {}
        self._ends: list[tuple[int, int, int]] = []
        self._counts: Counter[tuple[Table, int]] = Counter()

    def count(self, table: Table, owner: int) -> None:
        """A row that is `put` is new: one more of its owner."""
        self._counts[table, owner] += 1

    def append(self, table: Table, row: list[Value]) -> None:
        """A new row, in the order of the table's columns."""
        self._appended[table].append(row)

    def put(self, table: Table, row: tuple[Value, ...]) -> None:
        """A row's newest state."""
        self._put[table][row[: table.keys]] = row

    def end_movement(self, place: int, until: int, *, pays: bool) -> None:
        """Say until when what a movement left was held, and whether an hour was charged by then."""
        row = self.movements.get(place)
        if row is None:
            self._ends.append((until, int(pays), place))
        else:
            row[_UNTIL] = until
            row[_PAYS] = int(pays)

    def write(self, database: Database) -> None:
        """Write everything, within the transaction in work."""
        if self._ends:
            database.execute_many(_END, self._ends)
        _append(database, MOVEMENTS, list(self.movements.values()))
        counts = self._counts.copy()
        for table, rows in self._appended.items():
            _append(database, table, rows)
            if (column := COUNTED.get(table)) is not None:
                counts.update((table, int(row[column])) for row in rows)
        add_counts(database, counts)
        for table, newest in self._put.items():
            if newest:
                database.execute_many(table.upsert(), newest.values())

    def clear(self) -> None:
        """Forget everything: it is written."""
        self._appended.clear()
        self._put.clear()
        self.movements.clear()
        self._ends.clear()
        self._counts.clear()


def _append(database: Database, table: Table, rows: Sequence[Sequence[Value]]) -> None:
    """Write new rows, as many in a statement as may be: a statement costs more than a row."""
    together = MOST_VALUES // len(table.columns)
    whole = len(rows) - len(rows) % together
    blocks = range(0, whole, together)
    database.execute_many(
        table.insert(together),
        ([*chain.from_iterable(rows[start : start + together])] for start in blocks),
    )
    database.execute_many(table.insert(), rows[whole:])


_UNTIL = MOVEMENTS.columns.index("until")
_PAYS = MOVEMENTS.columns.index("pays")
_END = "UPDATE movements SET until = ?, pays = ? WHERE place = ?"
