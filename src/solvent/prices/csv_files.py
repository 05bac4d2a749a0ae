"""CSV over the standard library: one line at a time, plain, gzipped, or alone in a zip archive.

Cells are parted by commas, tabs or semicolons, whichever the first line has most of; blanks around
a cell are not part of it. A line may have fewer cells than the header, which are then empty, and
not more. Blank lines among the rows are rows without cells; at the end they are nothing.

Rows that are all alike, as in most files, are left where they are (`plain_cells`); all others go
through the standard library's reader.
"""

import csv
import gzip
import zipfile
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader, BytesIO
from itertools import chain

import numpy as np

from solvent.domain.errors import InputError
from solvent.prices.columns import (
    KNOWN_NAMES,
    SAMPLE,
    Columns,
    missing_header,
    name_columns,
)
from solvent.prices.plain_cells import PlainCells, regular_cells
from solvent.prices.table import Column, Table, Wanted

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
DELIMITERS = ",\t;"
UNREAD = "-"
"""What `columns` calls a column that nobody needs; several may be called so."""

BYTE_ORDER_MARK = "\ufeff"


def read_csv(file: str, stream: BufferedReader, wanted: Wanted, columns: Columns) -> Table:
    """The table in `stream`, with the columns whose name is `wanted` once `columns` named them.

    Raises InputError, which names `file`, for what is no regular CSV; OSError where reading fails.
    """
    start = stream.peek(len(ZIP_MAGIC))
    try:
        if start.startswith(GZIP_MAGIC):
            with gzip.open(stream) as text:
                return _table(file, text.read(), wanted, columns)
        if start.startswith(ZIP_MAGIC):
            with (
                zipfile.ZipFile(stream) as archive,
                archive.open(_only_name(file, archive)) as text,
            ):
                return _table(file, text.read(), wanted, columns)
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error) as error:
        kind = "gzip" if start.startswith(GZIP_MAGIC) else "zip"
        reason = f"is a damaged {kind} file ({str(error).rstrip('.')}); fetch it again"
        raise InputError(file, "file", reason) from None
    return _table(file, stream.read(), wanted, columns)


def _only_name(file: str, archive: zipfile.ZipFile) -> str:
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if len(names) != 1:
        held = ", ".join(names) or "nothing"
        raise InputError(file, "file", f"holds {held}; a zip must hold one CSV file")
    return names[0]


def _table(file: str, data: bytes, wanted: Wanted, columns: Columns) -> Table:
    stream = BytesIO(data)
    lines = _lines(file, stream)
    first, header = _header(file, lines)
    delimiter = max(DELIMITERS, key=header.count)
    body = stream.tell()
    # A quote behind a blank opens a quoted cell, as in exports that put blanks after commas.
    reader = csv.reader(
        chain([header], lines), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    before = first - 1
    line = first
    try:
        cells = _stripped(next(reader))
        names, notes, is_row = _names(file, cells, columns)
        rows = _Rows(file, names, wanted, notes)
        plain = _plain(data, body - len(header.encode()) if is_row else body, delimiter, len(names))
        if plain is not None:
            return rows.left_in_place(first if is_row else first + 1, plain)
        if is_row:
            rows.add(line, cells)
        line = before + reader.line_num + 1
        for cells in reader:
            rows.add(line, _stripped(cells))
            line = before + reader.line_num + 1
    except csv.Error as error:
        raise _irregular(file, str(error).partition(" - ")[0], line) from None
    return rows.table()


def _plain(data: bytes, begin: int, delimiter: str, width: int) -> list[PlainCells] | None:
    """The columns of the rows from `begin` on, where all rows are alike; None where they are not.

    That is: no quote, ASCII, and `width` cells in every line.
    """
    if not data.removeprefix(BYTE_ORDER_MARK.encode()).isascii() or b'"' in data or b"\0" in data:
        return None
    rows = data[begin:]
    if b"\r" in rows:
        rows = rows.replace(b"\r\n", b"\n")
        if b"\r" in rows:
            return None
    rows = rows.rstrip(b"\n") + b"\n"
    return regular_cells(np.frombuffer(rows, dtype=np.uint8), delimiter, width)


def _stripped(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _names(
    file: str, cells: Sequence[str], columns: Columns
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Names of the columns, notes on them, and whether the first line is a row already."""
    unnamed = missing_header(file, cells) if not columns else None
    if unnamed is not None:
        return unnamed, ("has no header line: read as klines as exchanges publish them",), True
    names = name_columns(file, cells, columns) if columns else tuple(cells)
    listed = isinstance(columns, Sequence) and bool(columns)
    if listed and len(names) != len(cells):
        reason = f"names {len(names)} columns, the first line has {len(cells)}"
        raise InputError(file, "columns", reason)
    _check_names(file, names)
    return names, (), listed


def _lines(file: str, stream: Iterable[bytes]) -> Iterator[str]:
    """The lines of the file. InputError on what is no text."""
    for number, line in enumerate(stream, 1):
        if b"\0" in line:
            reason = "is not text; export it as CSV, or name it by its kind"
            raise InputError(file, "file", reason)
        try:
            text = line.decode()
        except UnicodeDecodeError:
            reason = "is not UTF-8 text; save it as UTF-8"
            raise InputError(file, "file", reason, number) from None
        yield text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text


def _header(file: str, lines: Iterable[str]) -> tuple[int, str]:
    """The number and text of the first line that is neither blank nor a comment."""
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            return number, line
    raise InputError(file, "file", "is empty; write a header line and rows")


def _check_names(file: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if not name:
            continue  # a data frame's index, which nobody reads
        if name in names[:place] and name != UNREAD:
            raise InputError(file, name, "names two columns; rename or remove one")


class _Rows:
    """The rows of a file as they are read: the columns that are wanted, and each row's line."""

    def __init__(
        self, file: str, names: Sequence[str], wanted: Wanted, notes: tuple[str, ...]
    ) -> None:
        self._file = file
        self._names = tuple(names)
        self._notes = notes
        self._kept = [(place, name) for place, name in enumerate(names) if wanted(name)]
        self._cells: list[list[str]] = [[] for _ in self._kept]
        self._first: list[Sequence[str]] = []
        self._lines = array("Q")
        self._blank: list[int] = []

    def add(self, line: int, cells: Sequence[str]) -> None:
        """Take in the row that begins in `line`. InputError where it is longer than the header."""
        if len(cells) > len(self._names):
            raise _irregular(self._file, "found more cells than columns", line)
        if not cells:
            self._blank.append(line)
            return
        for blank in self._blank:
            self._keep(blank, ())
        self._blank.clear()
        self._keep(line, cells)

    def _keep(self, line: int, cells: Sequence[str]) -> None:
        self._lines.append(line)
        if len(self._first) < SAMPLE:
            self._first.append(cells)
        for (place, _), column in zip(self._kept, self._cells, strict=True):
            column.append(cells[place] if place < len(cells) else "")

    def left_in_place(self, line: int, cells: Sequence[PlainCells]) -> Table:
        """The table of rows that were not taken in, a line each, the first of them in `line`."""
        height = len(cells[0])
        columns = {name: Column(cells[place]) for place, name in self._kept}
        samples = {
            name: cells[place][:SAMPLE]
            for place, name in enumerate(self._names)
            if name.lower() not in KNOWN_NAMES
        }
        lines = range(line, line + height)
        return Table(self._file, self._names, columns, height, lines, samples, self._notes)

    def table(self) -> Table:
        """What was taken in."""
        columns = {
            name: Column(cells) for (_, name), cells in zip(self._kept, self._cells, strict=True)
        }
        samples = {
            name: [cells[place] if place < len(cells) else "" for cells in self._first]
            for place, name in enumerate(self._names)
            if name.lower() not in KNOWN_NAMES
        }
        height = len(self._lines)
        return Table(self._file, self._names, columns, height, self._lines, samples, self._notes)


def _irregular(file: str, what: str, line: int) -> InputError:
    reason = f"is no regular CSV ({what}); give every line the header's columns"
    return InputError(file, "file", reason, line)
