"""A price file as a table of columns whose cells become exact integers, or an error with its line.

Theory of operation. A file is read once, line by line, and of its columns only those are kept that
the caller may want. Cells stay text, so that a number keeps the digits it was written with and an
error can quote them; they are converted a column at a time, for the rows that are asked for.

Deliberately absent: what the columns mean together, guessing at a damaged cell, other formats.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from solvent.domain.errors import InputError
from solvent.prices.cells import (
    TimeUnit,
    parse_price,
    parse_time,
    round_price,
    whole_time,
)

Wanted = Callable[[str], bool]
"""Whether a column of this name is to be kept."""


class Kind(Enum):
    """What the cells of a column were before they became text."""

    TEXT = auto()
    WHOLE = auto()
    DECIMAL = auto()
    FLOAT = auto()
    MOMENT = auto()
    """Microseconds UTC since 1970."""
    OTHER = auto()
    """Neither numbers nor times nor text."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's cells as text, None or "" where empty, and what `type_name` says they were."""

    cells: Sequence[str | None]
    kind: Kind = Kind.TEXT
    type_name: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """One file. Rows count from 0; `lines` has the line of each, and is None if it is binary.

    `names` are those of all columns, `columns` what was kept of them, `samples` the first cells of
    text in those whose name says nothing, `notes` what had to be assumed in reading them.
    """

    file: str
    names: tuple[str, ...]
    columns: Mapping[str, Column]
    height: int
    lines: Sequence[int] | None
    samples: Mapping[str, Sequence[str | None]]
    notes: tuple[str, ...] = ()

    def find(self, *names: str) -> str | None:
        """The first column called one of `names`, in whatever case, or None."""
        by_lower = {column.lower(): column for column in reversed(self.names)}
        return next((by_lower[name] for name in names if name in by_lower), None)

    def error(self, field: str, reason: str, row: int | None = None) -> InputError:
        """The InputError about `field`, at `row` where that is given."""
        if row is None:
            return InputError(self.file, field, reason)
        if self.lines is None:
            return InputError(self.file, field, f"row {row + 1}: {reason}")
        return InputError(self.file, field, reason, line=self.lines[row])

    def place(self, row: int) -> str:
        """Where `row` is, in words."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"

    def texts(self, column: str, rows: Sequence[int]) -> list[str]:
        """The cells of a column of names. InputError on an empty one."""
        texts = []
        for row, cell in self._cells(column, rows):
            if not cell:
                raise self.error(column, "the cell is empty; write a name there", row)
            texts.append(cell)
        return texts

    def prices(
        self,
        column: str,
        rows: Sequence[int],
        parse: Callable[[str | None], int] = parse_price,
    ) -> list[int]:
        """The cells of a price column, in 10^-10 USDC per whole token, all above zero.

        `parse` reads what is written in digits; floats are rounded. InputError on an empty cell, a
        NaN or infinity, a text that is no number, a price that is zero, negative or too large for
        64 bits, and what else `parse` refuses: by default more than 10 decimals.
        """
        held = self.columns[column]
        if held.kind in (Kind.MOMENT, Kind.OTHER):
            raise self.error(column, f"holds {held.type_name}, not numbers")
        convert = round_price if held.kind is Kind.FLOAT else parse
        prices = []
        for row, cell in self._cells(column, rows):
            try:
                prices.append(convert(cell))
            except ValueError as reason:
                raise self.error(column, str(reason), row) from None
        return prices

    def times(self, column: str, rows: Sequence[int], unit: TimeUnit | None = None) -> list[int]:
        """The cells of the time column, in microseconds UTC since 1970.

        `unit` is that of whole numbers; None tells it from their size (see `cells`). InputError on
        an empty cell, a text that is no time, and a time before 1970 or after the year 9999.
        """
        kind = self.columns[column].kind
        if kind not in (Kind.TEXT, Kind.WHOLE, Kind.MOMENT):
            held = self.columns[column].type_name
            raise self.error(column, f"holds {held}; write ISO times or whole numbers")
        told: TimeUnit | None = "us" if kind is Kind.MOMENT else unit
        seen: TimeUnit | None = None
        times = []
        for row, cell in self._cells(column, rows):
            try:
                if cell and (kind is not Kind.TEXT or (cell.isascii() and cell.isdigit())):
                    time, seen = whole_time(cell, told, seen)
                    times.append(time)
                else:
                    times.append(parse_time(cell))
            except ValueError as reason:
                raise self.error(column, str(reason), row) from None
        return times

    def _cells(self, column: str, rows: Sequence[int]) -> Iterator[tuple[int, str | None]]:
        cells = self.columns[column].cells
        return ((row, cells[row]) for row in rows)
