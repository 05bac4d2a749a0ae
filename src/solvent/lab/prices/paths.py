"""Price paths: what each token was worth at each moment, exactly, read from a price file.

Theory of operation. A path holds for every symbol the price in force at every time of the path: the
last one seen at or before it (forward fill). It never looks ahead: it starts when the last of its
symbols has a first price. `prints` says when each symbol itself had a price. Where a symbol went
without one for longer than it usually takes, the path says so in `gaps`, and `max_gap` refuses the
file instead. What had to be assumed (a symbol taken from the file's name, a mid of ask and bid,
rows put in order) is said in `notes`.

Prices are in USDC. A file in another unit, US dollars say, that also has the price of USDC in it is
converted: a token's price in USDC is its price divided by that of USDC at the same moment.

Which files are understood is in `layouts`, how a cell becomes an integer in `solvent.prices`.

Deliberately absent: interpolation, resampling, look-ahead, and any float.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import lt
from pathlib import Path

import numpy as np

from solvent.domain.units import INT64_MAX, PRICE_DECIMALS, PRICE_SCALE, format_decimal
from solvent.lab.prices.layouts import Adverse, Reading, Series, may_matter, read_series
from solvent.prices.cells import TimeUnit
from solvent.prices.columns import Columns
from solvent.prices.files import read_table
from solvent.prices.plain_cells import Numbers

UNIT_OF_ACCOUNT = "USDC"


@dataclass(frozen=True, slots=True)
class Gap:
    """A symbol had no bar between `start` and `end` (microseconds UTC), where `step` is usual."""

    symbol: str
    start: int
    end: int
    step: int

    def __str__(self) -> str:
        """One sentence, for a report."""
        length = timedelta(microseconds=self.end - self.start)
        usual = timedelta(microseconds=self.step)
        return (
            f"{self.symbol} has no bar for {length} (usually {usual}) "
            f"from {time_text(self.start)} to {time_text(self.end)}"
        )


@dataclass(frozen=True, slots=True)
class PricePath:
    """The price of every symbol at every time.

    `times` are microseconds UTC, strictly increasing. `prices[s][t]` is that of `symbols[s]` at
    `times[t]`, in 10^-10 USDC per whole token, above zero. `prints[s]` are the times at which it
    had a price of its own. `gaps` is the report of missing prices, symbol by symbol in order of
    time; `notes` is what was assumed in reading.
    """

    symbols: tuple[str, ...]
    times: tuple[int, ...]
    prices: tuple[tuple[int, ...], ...]
    prints: tuple[tuple[int, ...], ...]
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold the path to what the class says; ValueError where it is broken."""
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            raise ValueError(f"a path needs symbols, each once, got {self.symbols}")
        if not self.times or not all(map(lt, self.times, islice(self.times, 1, None))):
            raise ValueError("a path needs times that strictly increase")
        if not len(self.prices) == len(self.prints) == len(self.symbols):
            raise ValueError("a path needs one row of prices and of prints a symbol")
        for symbol, row in zip(self.symbols, self.prices, strict=True):
            if len(row) != len(self.times):
                raise ValueError(f"{symbol} needs one price a time")
            if not 0 < min(row) <= max(row) <= INT64_MAX:
                raise ValueError(f"{symbol} has a price that is not above zero, or too large")

    def window(self, start: int, end: int) -> "PricePath":
        """The part from `start` up to but without `end` (microseconds UTC).

        ValueError where no time of the path lies in it.
        """
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        if first >= last:
            raise ValueError(f"no prices from {time_text(start)} to {time_text(end)}")
        return replace(
            self,
            times=self.times[first:last],
            prices=tuple(row[first:last] for row in self.prices),
            prints=tuple(
                # The last print before the window is in force at its start.
                row[max(0, bisect_right(row, start) - 1) : bisect_left(row, end)]
                for row in self.prints
            ),
            gaps=tuple(gap for gap in self.gaps if gap.start < end and gap.end > start),
        )

    def renamed(self, mapping: Mapping[str, str]) -> "PricePath":
        """The same path with symbols called otherwise, say {"BTCUSDT": "BTC"}; others stay.

        ValueError for a name that is not in the path, or where two symbols would share one.
        """
        unknown = [name for name in mapping if name not in self.symbols]
        if unknown:
            has = ", ".join(self.symbols)
            raise ValueError(f"there is no {', '.join(unknown)} to be renamed; there is {has}")
        gaps = (replace(gap, symbol=mapping.get(gap.symbol, gap.symbol)) for gap in self.gaps)
        return replace(
            self,
            symbols=tuple(mapping.get(symbol, symbol) for symbol in self.symbols),
            gaps=tuple(gaps),
        )

    def in_unit_of_account(self, quote: str = UNIT_OF_ACCOUNT) -> "PricePath":
        """The same path in USDC, where `quote` is what one USDC costs in the path's own unit.

        Prices are rounded half to even, and at least one unit. The path itself where it has no such
        symbol; ValueError where a price in USDC is too large.
        """
        if quote not in self.symbols:
            return self
        place = self.symbols.index(quote)
        unit = self.prices[place]
        rest = [number for number in range(len(self.symbols)) if number != place]
        if not rest:
            raise ValueError(f"the path has {quote} alone")
        low, high = (format_decimal(price, PRICE_DECIMALS) for price in (min(unit), max(unit)))
        said = f"divided all prices by that of {quote}, {low} to {high} in the file's unit"
        return PricePath(
            symbols=tuple(self.symbols[number] for number in rest),
            times=self.times,
            prices=tuple(tuple(map(_divided, self.prices[number], unit)) for number in rest),
            prints=tuple(
                # A token is worth another number of USDC whenever either of them moves.
                tuple(sorted({*self.prints[number], *self.prints[place]}))
                for number in rest
            ),
            gaps=tuple(gap for gap in self.gaps if gap.symbol != quote),
            notes=(*self.notes, said) if set(unit) != {PRICE_SCALE} else self.notes,
        )


def _divided(price: int, unit: int) -> int:
    """`price` over `unit`, both 10^-10, half to even."""
    whole, rest = divmod(price * PRICE_SCALE, unit)
    half = 2 * rest - unit
    return max(1, whole + (half > 0 or (half == 0 and whole % 2)))


def read_prices(
    path: str | Path,
    *,
    symbols: Sequence[str] | None = None,
    symbol: str | None = None,
    window: str | None = None,
    ohlc: bool | None = None,
    adverse: Adverse = "low",
    max_gap: int | None = None,
    sort: bool = False,
    time_unit: TimeUnit | None = None,
    columns: Columns = (),
) -> PricePath:
    """Read a price file: CSV (plain, .gz or .zip) or Parquet.

    - symbols: take these, in this order; by default all, in the file's order. In a file with one
      column a symbol, columns that are not in capitals are only read when they are named here.
    - symbol: what to call the token of a file that names none; by default the file's own name up
      to the first underscore, point or hyphen, in capitals.
    - window: take the rows with this value in the column `window`, which must hold one otherwise.
    - ohlc, adverse: four prices a bar, the extreme named by `adverse` first, or (False) its close
      alone; by default four where the file has them.
    - max_gap: refuse a longer time without a bar, in microseconds; by default gaps are reported.
    - sort: put rows that are out of order in order; by default they are refused.
    - time_unit: the unit of times that are whole numbers; by default it is told from their size.
    - columns: names for the columns of a file without a header, in order ("-" for one that nobody
      needs), or other names for those of a header, {"close": "Last price"}.

    Raises InputError, and nothing else, for whatever is wrong with the file.
    """
    chosen = tuple(dict.fromkeys(symbols or ()))
    table = read_table(path, lambda name: may_matter(name, chosen), columns)
    reading = Reading(
        table=table,
        symbols=chosen,
        symbol=symbol,
        window=window,
        ohlc=ohlc,
        adverse=adverse,
        sort=sort,
        time_unit=time_unit,
        named=bool(columns),
        notes=list(table.notes),
    )
    series = read_series(reading)
    start = max(int(each.times[0]) for each in series)
    gaps = tuple(_gaps(series, start))
    for gap in gaps:
        if max_gap is not None and gap.end - gap.start > max_gap:
            limit = timedelta(microseconds=max_gap)
            raise table.error("max_gap", f"{gap}, more than {limit}; fill the hole or take a part")
    moments = _moments(series, start, reading.notes)
    times = tuple(moments.tolist())
    return PricePath(
        symbols=tuple(each.symbol for each in series),
        times=times,
        prices=tuple(tuple(_forward_filled(each, moments).tolist()) for each in series),
        prints=tuple(
            times if np.array_equal(own := _prints(each, start), moments) else tuple(own.tolist())
            for each in series
        ),
        gaps=gaps,
        notes=tuple(reading.notes),
    )


def _gaps(series: list[Series], start: int) -> Iterator[Gap]:
    """Where a symbol had no bar for over one and a half times its usual step, after `start`.

    The path's end counts as a bar, so that a symbol which stops early is reported too.
    """
    end = max(int(each.bars[-1]) for each in series)
    for each in series:
        bars = np.append(each.bars, end)
        long = (bars[1:] > start) & (2 * np.diff(bars) > 3 * each.step)
        for place in np.flatnonzero(long).tolist():
            yield Gap(each.symbol, int(bars[place]), int(bars[place + 1]), each.step)


def _moments(series: list[Series], start: int, notes: list[str]) -> Numbers:
    """Every time of the path: any symbol's, from when all of them have a price."""
    if len(series) == 1:
        return series[0].times
    moments = np.unique(np.concatenate([each.times for each in series]))
    early = int(np.searchsorted(moments, start))
    if early:
        last = max(series, key=lambda each: int(each.times[0])).symbol
        notes.append(f"left out {early} times before {time_text(start)}, the first of {last}")
    return moments[early:]


def _forward_filled(series: Series, moments: Numbers) -> Numbers:
    """At each of `moments` the price last seen; no moment is earlier than the first one."""
    return series.prices[np.searchsorted(series.times, moments, side="right") - 1]


def _prints(series: Series, start: int) -> Numbers:
    """When a symbol had a price of its own; the one in force at the start counts for it."""
    return series.times[np.searchsorted(series.times, start, side="right") - 1 :]


def time_text(time: int) -> str:
    """`time`, in microseconds UTC, as ISO 8601 text."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).isoformat()
