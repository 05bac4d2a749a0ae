"""What the columns of a price file mean: which rows and cells are which symbol's prices.

Layouts, told apart by their columns, in whatever case and beside whatever other columns:

    time, symbol, open, high, low, close [, window]    one row a bar
    time, symbol, close [, window]                     one row a print; `price` for `close`
    time, close                                        one symbol, named by `symbol` or the file
    time, ask, bid [, symbol]                          the price is the mid, half to even
    time, WETH, USDC, ...                              one column a symbol

Other names of a column are in `solvent.prices.columns`. A print acts at its time. The time of a bar
is that of its opening, and its prices act when they are known: with `ohlc` the open at once, the
adverse extreme after a third, the other extreme after two thirds, the close at the end, where the
next bar's open takes its place; without, the close alone, at the end. The adverse extreme is the
low, which hurts holders of the token as collateral; ask for the high where the path must hurt its
borrowers. By default a file with bars is read with all four.

Deliberately absent: how symbols are put side by side (see `paths`), and any repair of a row.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from solvent.domain.errors import InputError
from solvent.prices.cells import TimeUnit
from solvent.prices.columns import (
    BAR_NAMES,
    KNOWN_NAMES,
    PRICE_NAMES,
    QUOTE_NAMES,
    SYMBOL_NAMES,
    TIME_NAMES,
    WINDOW_NAME,
    refuse_hidden_symbols,
)
from solvent.prices.plain_cells import Numbers
from solvent.prices.table import Table, row_numbers

CAPITALS = re.compile(r"[A-Z0-9._-]*[A-Z][A-Z0-9._-]*")
THIRDS = 3
MOST_NAMES = 12

Adverse = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One file being read, what was asked of it (see `read_prices`), and notes as they gather.

    `ohlc` is None where the file's columns decide, `named` says that the user named its columns.
    """

    table: Table
    symbols: tuple[str, ...]
    symbol: str | None
    window: str | None
    ohlc: bool | None
    adverse: Adverse
    sort: bool
    time_unit: TimeUnit | None
    named: bool
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Series:
    """One symbol: its rows' times, the usual time between them, and its prices at their times.

    Times strictly increase.
    """

    symbol: str
    bars: Numbers
    step: int
    times: Numbers
    prices: Numbers


@dataclass(frozen=True, slots=True)
class _Source:
    """Where one symbol's prices stand: its rows, and one, two (ask, bid) or four (bar) columns."""

    symbol: str
    time: str
    rows: Numbers
    columns: tuple[str, ...]


def may_matter(column: str, symbols: Sequence[str]) -> bool:
    """Whether a column of this name may be read where these symbols are asked for."""
    return column.lower() in KNOWN_NAMES or column in symbols or bool(CAPITALS.fullmatch(column))


def read_series(reading: Reading) -> list[Series]:
    """Every symbol that was asked for, in that order. InputError on whatever is wrong."""
    rows = _window_rows(reading)
    sources = _sources(reading, rows)
    time = sources[0].time
    times = np.zeros(reading.table.height, dtype=np.int64)
    times[rows] = reading.table.times(time, rows, reading.time_unit)
    return [_series(reading, source, times) for source in sources]


def _window_rows(reading: Reading) -> Numbers:
    """The rows of the window asked for, or all of them."""
    table = reading.table
    everything = row_numbers(range(table.height))
    column = table.find(WINDOW_NAME)
    if column is None:
        if reading.window is not None:
            raise table.error("window", "no such column; leave `window` out")
        return everything
    windows = table.groups(column, everything)
    if reading.window is None:
        if len(windows) > 1:
            reason = f"has {', '.join(windows)}; choose one with `window`"
            raise table.error(column, reason)
        return everything
    if reading.window not in windows:
        reason = f"no row is in {reading.window!r}; the file has {', '.join(windows)}"
        raise table.error(column, reason)
    return windows[reading.window]


def _sources(reading: Reading, rows: Numbers) -> list[_Source]:
    """Symbol by symbol, where the prices are."""
    table = reading.table
    time, named = table.find(*TIME_NAMES), table.find(*SYMBOL_NAMES)
    columns = _price_columns(reading)
    if named is not None and reading.symbol is not None:
        raise table.error(named, "the file names its symbols; leave `symbol` out")
    if time is not None and named is None and not columns:
        wide = _symbol_columns(reading, time)
        if wide:
            return [_Source(symbol, time, rows, (symbol,)) for symbol in wide]
    if time is None or not columns:
        raise _missing(table, *([] if time else ["time"]), *([] if columns else ["close"]))
    if named is None and not reading.named and reading.symbol is None:
        refuse_hidden_symbols(table.file, table.samples)
    groups = {_only_symbol(reading): rows} if named is None else table.groups(named, rows)
    chosen = reading.symbols or tuple(groups)
    _check_known(table, chosen, groups)
    return [_Source(symbol, time, groups[symbol], columns) for symbol in chosen]


def _price_columns(reading: Reading) -> tuple[str, ...]:
    """The columns a price is made of: open, high, low, close; or close; or ask, bid; or none."""
    table = reading.table
    bar = [(name, table.find(name)) for name in BAR_NAMES]
    absent = [name for name, column in bar if column is None]
    if absent and reading.ohlc:
        raise _missing(table, *absent)
    if not absent:
        if reading.ohlc is False:
            reading.notes.append("took the closes alone, though the file has highs and lows")
        return tuple(column for _, column in bar if column is not None)
    price = table.find(*PRICE_NAMES)
    ask, bid = (table.find(name) for name in QUOTE_NAMES)
    if price is not None:
        return (price,)
    return (ask, bid) if ask is not None and bid is not None else ()


def _symbol_columns(reading: Reading, time: str) -> tuple[str, ...]:
    """The columns of a file that has one a symbol: those asked for, or those in capitals."""
    if reading.symbols:
        _check_known(reading.table, reading.symbols, reading.table.names)
        return reading.symbols
    names = [name for name in reading.table.names if name != time and CAPITALS.fullmatch(name)]
    if names and reading.symbol is not None:
        reason = f"the columns name the symbols; choose with symbols from {', '.join(names)}"
        raise reading.table.error("symbol", reason)
    return tuple(names)


def _only_symbol(reading: Reading) -> str:
    """What to call the token of a file without symbols."""
    if reading.symbol is not None:
        return reading.symbol
    symbol = re.split(r"[_.-]", Path(reading.table.file).name)[0].upper()
    reading.notes.append(f"took the symbol {symbol} from the file's name; `symbol` says otherwise")
    return symbol


def _check_known(table: Table, chosen: Sequence[str], known: Iterable[str]) -> None:
    has = list(known)
    absent = [name for name in chosen if name not in has]
    if absent:
        reason = f"no prices for {', '.join(absent)}; the file has {', '.join(has)}"
        raise table.error("symbol", reason)


def _missing(table: Table, *names: str) -> InputError:
    """The columns that a price file needs and this one has not."""
    has = table.names
    more = f" and {len(has) - MOST_NAMES} more" if len(has) > MOST_NAMES else ""
    return table.error(
        ", ".join(names),
        "no such column; a price file has time, symbol and close, or time, ask and bid, or time and"
        f" a column in capitals for every symbol; it has {', '.join(has[:MOST_NAMES])}{more}",
    )


def _series(reading: Reading, source: _Source, times: Numbers) -> Series:
    rows = _rows_in_order(reading, source, times)
    bars = times[rows]
    step = _median_low(np.diff(bars)) if len(bars) > 1 else 0
    cells = [reading.table.prices(column, rows) for column in source.columns]
    if len(source.columns) == len(BAR_NAMES):
        return Series(source.symbol, bars, step, *_bar_points(reading, source, rows, bars, cells))
    prices = cells[0] if len(cells) == 1 else _mids(reading, source, rows, *cells)
    return Series(source.symbol, bars, step, bars, prices)


def _median_low(numbers: Numbers) -> int:
    middle = (len(numbers) - 1) // 2
    return int(np.partition(numbers, middle)[middle])


def _rows_in_order(reading: Reading, source: _Source, times: Numbers) -> Numbers:
    """The rows of one symbol by time, each time once."""
    table, symbol, rows = reading.table, source.symbol, source.rows
    own = times[rows]
    if bool((np.diff(own) > 0).all()):
        return rows
    first: dict[int, int] = {}
    for row, time in zip(rows.tolist(), own.tolist(), strict=True):
        before = first.setdefault(time, row)
        if before != row:
            reason = f"{symbol} has this time twice, first at {table.place(before)}; keep one"
            raise table.error(source.time, reason, row)
    late = int(rows[1:][np.diff(own) < 0][0])
    if not reading.sort:
        reason = f"{symbol} goes back in time; put the rows in order, or pass sort=True"
        raise table.error(source.time, reason, late)
    reading.notes.append(f"put the rows of {symbol} in order of time, as of {table.place(late)}")
    return rows[np.argsort(own, kind="stable")]


def _mids(
    reading: Reading, source: _Source, rows: Numbers, asks: Numbers, bids: Numbers
) -> Numbers:
    """Halfway between ask and bid, half to even."""
    reading.notes.append(f"took the mid of {' and '.join(source.columns)} for {source.symbol}")
    if bool((below := asks < bids).any()):
        row = int(rows[below][0])
        raise reading.table.error(source.columns[0], "is below the bid; mend the row", row)
    apart = asks - bids
    mids: Numbers = bids + apart // 2
    return mids + (apart % 2) * (mids % 2)


def _bar_points(
    reading: Reading, source: _Source, rows: Numbers, bars: Numbers, cells: list[Numbers]
) -> tuple[Numbers, Numbers]:
    """The times at which the prices of bars act, and the prices.

    A bar lasts as long as the shortest of the symbol.
    """
    length = int(np.diff(bars).min()) if len(bars) > 1 else 0
    if length < THIRDS:
        reason = f"cannot tell how long a bar of {source.symbol} is; give it more rows"
        raise reading.table.error(source.time, reason, int(rows[-1]))
    first, high, low, last = cells
    too_low, too_high = low > np.minimum(first, last), np.maximum(first, last) > high
    if bool((wrong := too_low | too_high).any()):
        place = int(np.flatnonzero(wrong)[0])
        reason = "open and close must lie between low and high; mend the row"
        raise reading.table.error("low" if too_low[place] else "high", reason, int(rows[place]))
    if reading.ohlc is False:
        return bars + length, last
    extremes = (low, high) if reading.adverse == "low" else (high, low)
    after = [place * length // THIRDS for place in range(THIRDS + 1)]
    times = (bars[:, None] + np.array(after)).ravel()
    prices = np.column_stack((first, *extremes, last)).ravel()
    # Where a bar ends as the next one opens, the open takes the close's place.
    kept = np.append(np.diff(times) > 0, True)
    return times[kept], prices[kept]
