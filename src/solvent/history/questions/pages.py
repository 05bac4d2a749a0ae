"""Questions: the parts that every query of the views is put together from."""

from collections.abc import Iterable

from solvent.domain.units import INT64_MAX, INT64_MIN
from solvent.history.tables.database import Database, Row, Value
from solvent.history.tables.rows import Paging
from solvent.history.tables.schema import PLACE_BITS


class Where:
    """Conditions that all must hold, and their values in order."""

    def __init__(self) -> None:
        self._clauses: list[str] = []
        self.values: list[Value] = []

    def equal(self, column: str, value: Value | None) -> "Where":
        """The column has this value; nothing is asked where it is None."""
        return self._add(f"{column} = ?", value)

    def between(self, column: str, first: int | None, end: int | None) -> "Where":
        """The column is at least `first` and less than `end`; None leaves a side open."""
        return self._add(f"{column} >= ?", first)._add(f"{column} < ?", end)

    def among(self, column: str, values: Iterable[int] | None) -> "Where":
        """The column has one of these values; none of an empty list."""
        if values is None:
            return self
        known = sorted({int(value) for value in values})
        marks = ", ".join("?" * len(known)) or "NULL"
        self._clauses.append(f"{column} IN ({marks})")
        self.values += known
        return self

    def _add(self, clause: str, value: Value | None) -> "Where":
        if value is not None:
            self._clauses.append(clause)
            self.values.append(_held(value) if isinstance(value, int) else value)
        return self

    def __str__(self) -> str:
        """The clause, empty where there is no condition."""
        return f"WHERE {' AND '.join(self._clauses)}" if self._clauses else ""


class Questions:
    """What all queries share: the database, and how a page of a table is read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _read(
        self, columns: str, source: str, where: Where, order: str, paging: Paging
    ) -> tuple[list[list[Value]], int]:
        """One page of rows in the order of a column, and how many there are in all.

        `source` is a table, or a query in brackets whose own values `where` begins with.
        """
        direction = "ASC" if paging.ascending else "DESC"
        ordered = ", ".join(f"{column} {direction}" for column in order.split())
        counted = self._database.fetch(f"SELECT COUNT(*) FROM {source} {where}", where.values)
        total = int(counted[0][0])
        rows: list[Row] = []
        if paging.offset < total:
            rows = self._database.fetch(
                f"SELECT {columns} FROM {source} {where} ORDER BY {ordered} LIMIT ? OFFSET ?",
                [*where.values, _held(paging.limit), _held(paging.offset)],
            )
        return [list(row) for row in rows], total


def _held(number: int) -> int:
    """A number that somebody asked with, as far as a column can hold it."""
    return max(INT64_MIN, min(int(number), INT64_MAX))


def integers(row: Iterable[Value]) -> list[int]:
    """A row of whole numbers."""
    return [int(value) for value in row]


def sequence_of(place: Value) -> int:
    """Number of the command that a place belongs to."""
    return int(place) >> PLACE_BITS
