"""A price file as a table of columns whose cells become exact integers, or an error with its line.

Theory of operation. CSV is read as text, every column of it, so that a number keeps the digits it
was written with and an error can quote them. Parquet keeps its own types. Cells are converted a
column at a time, only for the rows that were asked for:

- a price becomes an integer of 10^-10 USDC per whole token. Text, integers and decimals must fit
  exactly: more than 10 decimals are refused. A binary float is first written as the shortest text
  that reads back as the same float (1848.12, not 1848.1199999999998909), then rounded to 10
  decimals, half to even.
- a time becomes an integer of microseconds UTC. ISO 8601 text, dates, datetimes, and whole seconds,
  milliseconds or microseconds since 1970 are understood. A time without a zone is UTC, another zone
  is converted, and what is finer than a microsecond is cut off.

Deliberately absent: what the columns mean together (see `price_layouts`), guessing at a damaged
cell, and any other format.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Literal

import polars as pl

from solvent.domain.errors import InputError
from solvent.domain.units import (
    INT64_MAX,
    PRICE_DECIMALS,
    DecimalTextError,
    format_decimal,
    parse_decimal,
)

TimeUnit = Literal["s", "ms", "us"]

MICROSECONDS_PER_UNIT: dict[TimeUnit, int] = {"s": 10**6, "ms": 10**3, "us": 1}
FIRST_CLEAR_SECOND = 10**9  # 9 Sep 2001: whole numbers below it could be dates, rows or other units
EPOCH_UNIT_SPAN = 100  # each unit is taken from FIRST_CLEAR_SECOND to the year 5138
END_OF_TIME = 253_402_300_800 * 10**6  # the year 10000, past what a datetime can hold
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_PRICE_TEXT = format_decimal(INT64_MAX, PRICE_DECIMALS)
EXPONENT_NOTATION = re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+")
NO_NUMBER = frozenset({"nan", "inf", "infinity", "null", "none", "na", "n/a"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDE = Context(prec=80)


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of one file. Rows count from 0; `first_line` is that of row 0, None if binary."""

    file: str
    columns: dict[str, pl.Series]
    height: int
    first_line: int | None

    def find(self, *names: str) -> str | None:
        """The first column called one of `names`, in whatever case, or None."""
        by_lower = {column.lower(): column for column in reversed(self.columns)}
        return next((by_lower[name] for name in names if name in by_lower), None)

    def error(self, field: str, reason: str, row: int | None = None) -> InputError:
        """The InputError about `field`, at `row` where that is given."""
        if row is None:
            return InputError(self.file, field, reason)
        if self.first_line is None:
            return InputError(self.file, field, f"row {row + 1}: {reason}")
        return InputError(self.file, field, reason, line=row + self.first_line)

    def place(self, row: int) -> str:
        """Where `row` is, in words."""
        return f"row {row + 1}" if self.first_line is None else f"line {row + self.first_line}"

    def texts(self, column: str, rows: list[int]) -> list[str]:
        """The cells of a column of names. InputError on an empty one."""
        cells = self.columns[column].cast(pl.String).gather(rows).to_list()
        for row, cell in zip(rows, cells, strict=True):
            if not cell:
                raise self.error(column, "the cell is empty; write a name there", row)
        return [str(cell) for cell in cells]

    def prices(self, column: str, rows: list[int]) -> list[int]:
        """The cells of a price column, in 10^-10 USDC per whole token, all above zero.

        InputError on an empty cell, a NaN or infinity, a text that is no plain number, a price that
        is zero, negative or too large for 64 bits, and more than 10 decimals but in a float.
        """
        series = self.columns[column]
        if not (series.dtype.is_numeric() or _holds_text(series)):
            raise self.error(column, f"holds {series.dtype}, not numbers")
        convert = round_price if series.dtype.is_float() else parse_price
        cells = series.gather(rows).cast(pl.String).to_list()
        prices = []
        for row, cell in zip(rows, cells, strict=True):
            try:
                prices.append(convert(cell))
            except ValueError as reason:
                raise self.error(column, str(reason), row) from None
        return prices

    def times(self, column: str, rows: list[int], unit: TimeUnit | None) -> list[int]:
        """The cells of the time column, in microseconds UTC since 1970.

        `unit` is that of whole numbers; None infers it from their size. InputError on an empty
        cell, a text that is no time, and a time before 1970 or after the year 9999.
        """
        series = self.columns[column].gather(rows)
        cells: Iterable[int | str | None]
        if isinstance(series.dtype, pl.Date | pl.Datetime):
            cells, unit = series.dt.epoch("us").to_list(), "us"
        elif series.dtype.is_integer():
            cells = series.to_list()
        elif _holds_text(series):
            cells = series.cast(pl.String).to_list()
        else:
            raise self.error(column, f"holds {series.dtype}; write ISO times or whole numbers")
        return self._times(column, rows, cells, unit)

    def _times(
        self,
        column: str,
        rows: list[int],
        cells: Iterable[int | str | None],
        unit: TimeUnit | None,
    ) -> list[int]:
        times = []
        seen: TimeUnit | None = None
        for row, cell in zip(rows, cells, strict=True):
            try:
                if isinstance(cell, int) or (cell and cell.isascii() and cell.isdigit()):
                    seen = unit or infer_unit(int(cell), seen)
                    times.append(epoch_time(int(cell), seen))
                else:
                    times.append(parse_time(cell))
            except ValueError as reason:
                raise self.error(column, str(reason), row) from None
        return times


def _holds_text(series: pl.Series) -> bool:
    return isinstance(series.dtype, pl.String | pl.Categorical | pl.Enum)


def parse_price(text: str | None) -> int:
    """The price that `text` states exactly. ValueError, saying what to do, on anything else."""
    cell = _number_text(text)
    if EXPONENT_NOTATION.fullmatch(cell):
        raise ValueError(f"{cell!r} is in exponent notation; write the number out in digits")
    try:
        price = parse_decimal(cell, PRICE_DECIMALS, signed=True)
    except DecimalTextError as error:
        raise ValueError(f"{error}; a price is at most {MAX_PRICE_TEXT} USDC") from None
    return _positive(price, cell)


def round_price(text: str | None) -> int:
    """The price nearest to the shortest text of a float, half to even. ValueError as above."""
    cell = _number_text(text)
    units = Decimal(cell).scaleb(PRICE_DECIMALS, _WIDE)
    if units > INT64_MAX:
        raise ValueError(f"{cell} is too large; a price is at most {MAX_PRICE_TEXT} USDC")
    return _positive(int(units.to_integral_value(ROUND_HALF_EVEN, _WIDE)), cell)


def _number_text(text: str | None) -> str:
    if not text:
        raise ValueError("the price is empty; fill it in, or leave the row out")
    if text.lower().lstrip("+-") in NO_NUMBER:
        raise ValueError(f"{text} is no price; fill it in, or leave the row out")
    return text


def _positive(price: int, text: str) -> int:
    if price <= 0:
        least = format_decimal(1, PRICE_DECIMALS)
        raise ValueError(f"{text} is not above zero; a price is at least {least} USDC")
    return price


def infer_unit(number: int, seen: TimeUnit | None) -> TimeUnit:
    """The unit of a whole-number time, from its size.

    ValueError where the size does not settle it, or rows above were in another unit (`seen`).
    """
    for unit, scale in MICROSECONDS_PER_UNIT.items():
        least = FIRST_CLEAR_SECOND * 10**6 // scale
        if least <= number < least * EPOCH_UNIT_SPAN:
            if seen not in (None, unit):
                raise ValueError(f"{number} looks like {unit}, the times above it like {seen}")
            return unit
    raise ValueError(f"{number} could be any unit; write ISO times, or pass time_unit")


def epoch_time(number: int, unit: TimeUnit) -> int:
    """Microseconds UTC of `number` units since 1970. ValueError outside 1970 to 9999."""
    time = number * MICROSECONDS_PER_UNIT[unit]
    if not 0 <= time < END_OF_TIME:
        raise ValueError(f"{number} {unit} is before 1970 or after the year 9999")
    return time


def parse_time(text: str | None) -> int:
    """Microseconds UTC of an ISO 8601 text. ValueError where it is none, or before 1970."""
    if not text:
        raise ValueError("the time is empty; fill it in, or leave the row out")
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        example = "2025-10-10T21:20:00Z"
        raise ValueError(f"{text!r} is no time; write it like {example}") from None
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return epoch_time((utc - _EPOCH) // timedelta(microseconds=1), "us")


def read_table(path: str | Path) -> Table:
    """The table in a .csv, .csv.gz or .parquet file.

    Leading lines that are blank or begin with # are passed over. InputError where the file is
    missing, unreadable, damaged, of another kind, without a row, or names a column twice.
    """
    file, name = str(path), Path(path).name.lower()
    if not name.endswith((".csv", ".csv.gz", ".parquet")):
        raise InputError(file, "file", "is of no known kind; use .csv, .csv.gz or .parquet")
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(file, "file", "does not exist; check the path") from None
    except OSError as error:
        raise InputError(file, "file", f"cannot be read: {error.strerror}") from None
    table = _parquet(file, data) if name.endswith(".parquet") else _csv(file, data)
    if not table.height:
        raise InputError(file, "file", "has no rows; a price file needs at least one")
    return table


def _parquet(file: str, data: bytes) -> Table:
    if not data:
        raise InputError(file, "file", "is empty; fetch or export it again")
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = f"is damaged or no Parquet file ({_first_line(error)}); fetch or export it again"
        raise InputError(file, "file", reason) from None
    return Table(file, {column.name: column for column in frame}, frame.height, None)


def _csv(file: str, data: bytes) -> Table:
    text = _decompressed(file, data).removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n")
    header_line = 1
    while text.startswith((b"#", b"\r", b"\n")):
        header_line += 1
        text = text.partition(b"\n")[2]
    if not text.strip():
        raise InputError(file, "file", "is empty; a price file has a header line and rows")
    if b"\0" in text:
        raise InputError(file, "file", "is not text; export it as CSV, or name it by its kind")
    try:
        frame = pl.read_csv(io.BytesIO(text), infer_schema=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = f"is no regular CSV ({_first_line(error)}); give every line the header's columns"
        raise InputError(file, "file", reason) from None
    for column in frame.columns:
        if "_duplicated_" in column:
            original = column.partition("_duplicated_")[0]
            raise InputError(file, original, "names two columns; rename or remove one")
    return Table(file, {column.name: column for column in frame}, frame.height, header_line + 1)


def _decompressed(file: str, data: bytes) -> bytes:
    if not data.startswith(GZIP_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        reason = f"is a damaged gzip file ({_first_line(error)}); fetch it again"
        raise InputError(file, "file", reason) from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
