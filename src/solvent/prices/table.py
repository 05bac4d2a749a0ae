"""A price file as a table of columns whose cells become exact integers, or an error with its line.

Theory of operation. A file is read once, line by line, and of its columns only those are kept that
the caller may want. Cells stay text, so that a number keeps the digits it was written with and an
error can quote them; they are converted a column at a time, for the rows that are asked for: all at
once where every cell is plain (`plain_cells`), else one by one, by the same meaning.

Deliberately absent: what the columns mean together, guessing at a damaged cell, other formats.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from solvent.domain.errors import InputError
from solvent.domain.units import PRICE_DECIMALS
from solvent.prices.cells import (
    TimeUnit,
    parse_price,
    parse_time,
    round_price,
    whole_time,
)
from solvent.prices.plain_cells import Numbers, PlainCells

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

    def texts(self, column: str, rows: Sequence[int] | Numbers) -> list[str]:
        """The cells of a column of names. InputError on an empty one."""
        cells, chosen = self.columns[column].cells, row_numbers(rows)
        if isinstance(cells, PlainCells) and (plain := cells.texts(chosen)) is not None:
            return plain
        texts = []
        for row, cell in self._cells(column, chosen):
            if not cell:
                raise self.error(column, "the cell is empty; write a name there", row)
            texts.append(cell)
        return texts

    def groups(self, column: str, rows: Sequence[int] | Numbers) -> dict[str, Numbers]:
        """The rows that hold each name, in the order in which names appear first.

        InputError on an empty cell.
        """
        cells, chosen = self.columns[column].cells, row_numbers(rows)
        if isinstance(cells, PlainCells) and (plain := cells.groups(chosen)) is not None:
            return plain
        groups: dict[str, list[int]] = {}
        for row, name in zip(chosen.tolist(), self.texts(column, chosen), strict=True):
            groups.setdefault(name, []).append(row)
        return {name: row_numbers(group) for name, group in groups.items()}

    def prices(
        self,
        column: str,
        rows: Sequence[int] | Numbers,
        parse: Callable[[str | None], int] = parse_price,
    ) -> Numbers:
        """The cells of a price column, in 10^-10 USDC per whole token, all above zero.

        `parse` reads what is written in digits; floats are rounded. InputError on an empty cell, a
        NaN or infinity, a text that is no number, a price that is zero, negative or too large for
        64 bits, and what else `parse` refuses: by default more than 10 decimals.
        """
        held, chosen = self.columns[column], row_numbers(rows)
        if held.kind in (Kind.MOMENT, Kind.OTHER):
            raise self.error(column, f"holds {held.type_name}, not numbers")
        if isinstance(held.cells, PlainCells) and parse is parse_price:
            plain = held.cells.decimals(chosen, PRICE_DECIMALS)
            if plain is not None and int(plain.min(initial=1)) > 0:
                return plain
        convert = round_price if held.kind is Kind.FLOAT else parse
        prices = []
        for row, cell in self._cells(column, chosen):
            try:
                prices.append(convert(cell))
            except ValueError as reason:
                raise self.error(column, str(reason), row) from None
        return row_numbers(prices)

    def plain_decimals(self, column: str, rows: Numbers, places: int) -> Numbers | None:
        """A column's numbers of so many decimals as integers, an empty cell as zero.

        None where one of them is not plain, and has to be looked at by itself.
        """
        cells = self.columns[column].cells
        return cells.decimals(rows, places, blank=0) if isinstance(cells, PlainCells) else None

    def times(
        self, column: str, rows: Sequence[int] | Numbers, unit: TimeUnit | None = None
    ) -> Numbers:
        """The cells of the time column, in microseconds UTC since 1970.

        `unit` is that of whole numbers; None tells it from their size (see `cells`). InputError on
        an empty cell, a text that is no time, and a time before 1970 or after the year 9999.
        """
        held, chosen = self.columns[column], row_numbers(rows)
        kind = held.kind
        if kind not in (Kind.TEXT, Kind.WHOLE, Kind.MOMENT):
            raise self.error(column, f"holds {held.type_name}; write ISO times or whole numbers")
        told: TimeUnit | None = "us" if kind is Kind.MOMENT else unit
        if isinstance(held.cells, PlainCells):
            plain = held.cells.times(chosen, told)
            if plain is not None:
                return plain
        seen: TimeUnit | None = None
        times = []
        for row, cell in self._cells(column, chosen):
            try:
                if cell and (kind is not Kind.TEXT or (cell.isascii() and cell.isdigit())):
                    time, seen = whole_time(cell, told, seen)
                    times.append(time)
                else:
                    times.append(parse_time(cell))
            except ValueError as reason:
                raise self.error(column, str(reason), row) from None
        return row_numbers(times)

    def _cells(self, column: str, rows: Numbers) -> Iterator[tuple[int, str | None]]:
        cells = self.columns[column].cells
        return ((row, cells[row]) for row in rows.tolist())


def row_numbers(rows: Sequence[int] | Numbers) -> Numbers:
    """Rows, or what a column says in them, as a column of 64 bits."""
    if isinstance(rows, range):
        return np.arange(rows.start, rows.stop, rows.step, dtype=np.int64)
    return np.asarray(rows, dtype=np.int64)
