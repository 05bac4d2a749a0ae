"""Questions: the parts that every query of the views is put together from."""

from collections.abc import Iterable

from solvent.domain.units import INT64_MAX, INT64_MIN
from solvent.history.tables.counts import counted
from solvent.history.tables.database import Database, Row, Value
from solvent.history.tables.rows import Paging
from solvent.history.tables.schema import PLACE_BITS, Table


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

    @property
    def is_of_owner(self) -> bool:
        """Whether nothing is asked but whose the rows are."""
        return len(self._clauses) == 1

    def __str__(self) -> str:
        """The clause, empty where there is no condition."""
        return f"WHERE {' AND '.join(self._clauses)}" if self._clauses else ""


class Questions:
    """What all queries share: the database, and how a page of a table is read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _read(
        self,
        columns: str,
        source: str,
        where: Where,
        order: str,
        paging: Paging,
        total: int | None = None,
    ) -> tuple[list[list[Value]], int]:
        """One page of rows in the order of a column, and how many there are in all.

        `source` is a table, or a query in brackets whose own values `where` begins with. Rows are
        counted, unless their `total` is known.
        """
        direction = "ASC" if paging.ascending else "DESC"
        ordered = ", ".join(f"{column} {direction}" for column in order.split())
        if total is None:
            found = self._database.fetch(f"SELECT COUNT(*) FROM {source} {where}", where.values)
            total = int(found[0][0])
        rows: list[Row] = []
        if paging.offset < total:
            rows = self._database.fetch(
                f"SELECT {columns} FROM {source} {where} ORDER BY {ordered} LIMIT ? OFFSET ?",
                [*where.values, _held(paging.limit), _held(paging.offset)],
            )
        return [list(row) for row in rows], total

    def _of_owner(self, table: Table, owner: int, where: Where) -> int | None:
        """How many rows there are where nothing is asked but whose they are; None otherwise."""
        return counted(self._database, table, _held(owner)) if where.is_of_owner else None


def _held(number: int) -> int:
    """A number that somebody asked with, as far as a column can hold it."""
    return max(INT64_MIN, min(int(number), INT64_MAX))


def integers(row: Iterable[Value]) -> list[int]:
    """A row of whole numbers."""
    return [int(value) for value in row]


def sequence_of(place: Value) -> int:
    """Number of the command that a place belongs to."""
    return int(place) >> PLACE_BITS
