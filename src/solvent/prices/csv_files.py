"""CSV over the standard library: one line at a time, plain or compressed with gzip.

A line may have fewer cells than the header, which are then empty, and not more. Blank lines among
the rows are rows without cells; at the end they are nothing.
"""

import csv
import gzip
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader
from itertools import chain

from solvent.domain.errors import InputError
from solvent.prices.table import Column, Table, Wanted

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = "\ufeff"


def read_csv(file: str, stream: BufferedReader, wanted: Wanted) -> Table:
    """The table in `stream`, with the columns whose name is `wanted`.

    Raises InputError, which names `file`, for what is no regular CSV; OSError where reading fails.
    """
    if stream.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
        try:
            with gzip.open(stream) as text:
                return _table(file, text, wanted)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            reason = f"is a damaged gzip file ({str(error).rstrip('.')}); fetch it again"
            raise InputError(file, "file", reason) from None
    return _table(file, stream, wanted)


def _table(file: str, stream: Iterable[bytes], wanted: Wanted) -> Table:
    lines = _lines(file, stream)
    first, header = _header(file, lines)
    reader = csv.reader(chain([header], lines), strict=True)
    before = first - 1
    line = first
    try:
        names = next(reader)
        _check_names(file, names)
        rows = _Rows(file, names, wanted)
        line = before + reader.line_num + 1
        for cells in reader:
            rows.add(line, cells)
            line = before + reader.line_num + 1
    except csv.Error as error:
        raise _irregular(file, f"{str(error).partition(' - ')[0]} in line {line}") from None
    return rows.table()


def _lines(file: str, stream: Iterable[bytes]) -> Iterator[str]:
    """The lines of the file. InputError on what is no text."""
    for number, line in enumerate(stream, 1):
        if b"\0" in line:
            reason = "is not text; export it as CSV, or name it by its kind"
            raise InputError(file, "file", reason)
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise _irregular(file, f"invalid utf-8 in line {number}") from None
        yield text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text


def _header(file: str, lines: Iterable[str]) -> tuple[int, str]:
    """The number and text of the first line that is neither blank nor a comment."""
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            return number, line
    raise InputError(file, "file", "is empty; a price file has a header line and rows")


def _check_names(file: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InputError(file, name, "names two columns; rename or remove one")


class _Rows:
    """The rows of a file as they are read: the columns that are wanted, and each row's line."""

    def __init__(self, file: str, names: Sequence[str], wanted: Wanted) -> None:
        self._file = file
        self._names = tuple(names)
        self._kept = [(place, name) for place, name in enumerate(names) if wanted(name)]
        self._cells: list[list[str]] = [[] for _ in self._kept]
        self._lines = array("Q")
        self._blank: list[int] = []

    def add(self, line: int, cells: Sequence[str]) -> None:
        """Take in the row that begins in `line`. InputError where it is longer than the header."""
        if len(cells) > len(self._names):
            raise _irregular(self._file, f"found more cells than columns in line {line}")
        if not cells:
            self._blank.append(line)
            return
        for blank in self._blank:
            self._keep(blank, ())
        self._blank.clear()
        self._keep(line, cells)

    def _keep(self, line: int, cells: Sequence[str]) -> None:
        self._lines.append(line)
        for (place, _), column in zip(self._kept, self._cells, strict=True):
            column.append(cells[place] if place < len(cells) else "")

    def table(self) -> Table:
        """What was taken in."""
        columns = {
            name: Column(cells) for (_, name), cells in zip(self._kept, self._cells, strict=True)
        }
        return Table(self._file, self._names, columns, len(self._lines), self._lines)


def _irregular(file: str, what: str) -> InputError:
    reason = f"is no regular CSV ({what}); give every line the header's columns"
    return InputError(file, "file", reason)
