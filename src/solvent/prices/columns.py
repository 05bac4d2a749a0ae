"""What the columns of price files are called, and what a file without names has in them.

A file's header says which column is the time, the symbol and the price, by one of the names below,
in whatever case. The option `columns` says it where the header does not: as a list it names the
columns of a file that has no header, in order; as a mapping from a name below to the file's own
name it renames them. Klines as exchanges publish them have no header and twelve columns, which are
recognised by what is in them.

Deliberately absent: a guess. A file in which another column seems to name symbols is refused until
somebody says which.
"""

import re
from collections.abc import Mapping, Sequence

from solvent.domain.errors import InputError
from solvent.prices.cells import TimeUnit, infer_unit, parse_time

TIME_NAMES = ("time", "timestamp", "datetime", "date", "open_time")
SYMBOL_NAMES = ("symbol", "pair", "market", "ticker", "instrument", "product", "code", "coin")
PRICE_NAMES = ("close", "price")
BAR_NAMES = ("open", "high", "low", "close")
QUOTE_NAMES = ("ask", "bid")
WINDOW_NAME = "window"
KNOWN_NAMES = frozenset(
    (*TIME_NAMES, *SYMBOL_NAMES, *PRICE_NAMES, *BAR_NAMES, *QUOTE_NAMES, WINDOW_NAME)
)
KLINE_NAMES = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "trades",
    "taker_base_volume",
    "taker_quote_volume",
    "unused",
)
"""A published kline: Binance's data archive and the `klines` endpoints modelled on it."""

Columns = Sequence[str] | Mapping[str, str]
"""The option: names in the file's order, or the file's names by ours."""

SAMPLE = 500
"""Rows whose other cells are looked at for symbols."""

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_LIKE_A_SYMBOL = re.compile(r"(?=[^A-Z]*[A-Z])[A-Z0-9]{2,12}([-/_:.][A-Z0-9]{1,12}){0,2}")
_SIDES = frozenset({"BUY", "SELL", "BID", "ASK", "LIMIT", "MARKET", "MAKER", "TAKER", "NA", "NAN"})
_MOST_SHOWN = 4


def name_columns(file: str, names: Sequence[str], columns: Columns) -> tuple[str, ...]:
    """The names of a header once `columns` has renamed them. InputError for one it has not."""
    if not isinstance(columns, Mapping):
        return tuple(columns)
    absent = [own for own in columns.values() if own not in names]
    if absent:
        reason = f"no column is called {', '.join(absent)}; the file has {', '.join(names)}"
        raise InputError(file, "columns", reason)
    ours = {own: name for name, own in columns.items()}
    # Another column that already has the name would be read for it.
    taken = {name.lower() for name in columns}
    return tuple(
        ours[name] if name in ours else f"{name} (not read)" if name.lower() in taken else name
        for name in names
    )


def missing_header(file: str, cells: Sequence[str]) -> tuple[str, ...] | None:
    """The names for a file whose first line holds numbers; None where it is a header.

    InputError for numbers that are no kline, saying how to name them.
    """
    filled = [cell for cell in cells if cell]
    numbers = [cell for cell in filled if _NUMBER.fullmatch(cell)]
    if not numbers or any(not _is_value(cell) for cell in filled):
        return None
    if _is_kline(cells):
        return KLINE_NAMES
    shown = ",".join(cells[:_MOST_SHOWN])
    raise InputError(
        file,
        "file",
        f"has no header line: the first line is {shown}...; name its columns with `columns`, say"
        " time,open,high,low,close",
    )


def _is_value(cell: str) -> bool:
    if _NUMBER.fullmatch(cell):
        return True
    try:
        parse_time(cell)
    except ValueError:
        return False
    return True


def _is_kline(cells: Sequence[str]) -> bool:
    """Whether twelve numbers are a kline: it opens before it closes, low and high hold the rest."""
    if len(cells) != len(KLINE_NAMES) or not all(_NUMBER.fullmatch(cell) for cell in cells):
        return False
    unit, end_unit = _unit(cells[0]), _unit(cells[6])
    first, high, low, last = (float(cell) for cell in cells[1:5])
    inside = 0 < low <= min(first, last) <= max(first, last) <= high
    return unit is not None and unit == end_unit and int(cells[0]) < int(cells[6]) and inside


def _unit(cell: str) -> TimeUnit | None:
    try:
        return infer_unit(int(cell), None)
    except ValueError:
        return None


def refuse_hidden_symbols(file: str, samples: Mapping[str, Sequence[str | None]]) -> None:
    """InputError where a column that nobody reads seems to name several symbols.

    Two tokens in one file under a name not known here would otherwise become one price path.
    """
    for name, cells in samples.items():
        values = list(dict.fromkeys(cell for cell in cells if cell))
        several = 1 < len(values) <= len(cells) // 2
        alike = all(_LIKE_A_SYMBOL.fullmatch(value) for value in values)
        if several and alike and _SIDES.isdisjoint(values):
            shown = ", ".join(values[:_MOST_SHOWN])
            reason = (
                f"seems to name symbols ({shown}); say which column does with `columns`"
                f" symbol={name}, or that all rows are one token with `symbol`"
            )
            raise InputError(file, name, reason)
