"""The recorded feed: the prices of a file, at the file's pace or faster.

The file is CSV or Parquet with a bar a row: `time`, `symbol` and either `close` (or `price`) alone
or open, high, low and close. With all four a bar becomes four prices a quarter of it apart: open,
low, high, close. Leading lines that begin with # are passed over.

At each reading the price in force at that moment of the file is quoted, so that a bar of five
minutes does not grow stale between two rows. Where a symbol has a hole, of more than twice what its
bars usually take, it is not quoted. The feed ends with the file.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from solvent.domain.errors import InputError
from solvent.domain.units import SECOND
from solvent.prices.columns import KNOWN_NAMES, PRICE_NAMES, SYMBOL_NAMES, TIME_NAMES
from solvent.prices.files import read_table
from solvent.prices.table import Table
from solvent.service.feeds import Quote, Reading, flat_quote, price_from_text

BAR_COLUMNS = ("open", "low", "high", "close")
"""In the order in which a bar is quoted."""
SPEED_UNIT = 1000


class Track(NamedTuple):
    """One symbol: times (microseconds UTC), prices, and how long a bar usually takes."""

    symbol: str
    times: Sequence[int]
    prices: Sequence[int]
    step: int

    def price(self, time: int) -> int | None:
        """The price in force at `time`; None before the first and within a hole."""
        place = bisect_right(self.times, time) - 1
        if place < 0 or time - self.times[place] > 2 * self.step:
            return None
        return self.prices[place]


class RecordedFeed:
    """Quotes tracks from their first moment to their last, `speed` times as fast.

    A file has one price; each of so many `sources` quotes it.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        *,
        speed: float = 1.0,
        sources: int = 1,
        interval: float = 1.0,
    ) -> None:
        self._rate = round(speed * SPEED_UNIT)
        if self._rate < 1 or interval <= 0:
            raise InputError("feed", "speed", "and interval must be above zero")
        self._tracks = tracks
        self._sources = range(sources)
        self._interval = interval
        self._stride = max(1, round(interval * SECOND) * self._rate // SPEED_UNIT)
        self._time = min(track.times[0] for track in tracks)
        self._end = max(track.times[-1] for track in tracks)

    def read(self) -> Reading:
        """What is in force now; the next reading is an interval later."""
        time = min(self._time, self._end)
        quotes: list[Quote] = []
        for track in self._tracks:
            price = track.price(time)
            if price is not None:
                quotes += [flat_quote(track.symbol, source, price) for source in self._sources]
        self._time += self._stride
        return Reading(quotes, None if time == self._end else self._interval)


def read_tracks(path: Path, symbols: Sequence[str] | None = None) -> list[Track]:
    """The tracks of a price file, of all its symbols or of these. Raises InputError."""
    table = read_table(path, lambda name: name.lower() in KNOWN_NAMES)
    time, symbol = table.find(*TIME_NAMES), table.find(*SYMBOL_NAMES)
    if time is None or symbol is None:
        raise table.error("columns", "needs time and symbol, one row a bar")
    bars = [column for name in BAR_COLUMNS if (column := table.find(name))]
    if len(bars) < len(BAR_COLUMNS):
        bars = [column for name in PRICE_NAMES if (column := table.find(name))][:1]
    if not bars:
        raise table.error("columns", "needs close, or open, high, low and close")
    groups = table.groups(symbol, range(table.height))
    rows = {name: group.tolist() for name, group in groups.items()}
    missing = [name for name in symbols or () if name not in rows]
    if missing:
        raise table.error("symbol", f"has no {missing[0]}; it has {', '.join(rows)}")
    return [_track(table, name, rows[name], time, bars) for name in symbols or rows]


def _track(
    table: Table, symbol: str, rows: Sequence[int], time: str, columns: Sequence[str]
) -> Track:
    """One symbol's rows, in order of time."""
    bars = sorted(zip(table.times(time, rows).tolist(), rows, strict=True))
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(bars)]
    for gap, (_, row) in zip(gaps, bars[1:], strict=True):
        if gap == 0:
            raise table.error(time, f"{symbol} has two bars at this time", row)
    step = median_low(gaps) if gaps else 60 * SECOND
    times, in_order = [at for at, _ in bars], [row for _, row in bars]
    points = [
        (at + place * step // len(columns), price)
        for place, column in enumerate(columns)
        for at, price in zip(times, table.prices(column, in_order, _price).tolist(), strict=True)
    ]
    points.sort(key=lambda point: point[0])
    return Track(symbol, [at for at, _ in points], [price for _, price in points], step)


def _price(cell: str | None) -> int:
    return price_from_text(cell or "")
