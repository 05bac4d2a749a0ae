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
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

import polars as pl

from solvent.domain.errors import InputError
from solvent.domain.units import SECOND
from solvent.service.feeds import Quote, Reading, flat_quote, price_from_text

TIME_COLUMNS = ("time", "timestamp", "date", "datetime", "open_time")
PRICE_COLUMNS = ("close", "price")
BAR_COLUMNS = ("open", "low", "high", "close")
SPEED_UNIT = 1000
FIRST_CLEAR_SECOND = 10**9
EPOCH_UNIT_SPAN = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    """Quotes tracks from their first moment to their last, `speed` times as fast."""

    def __init__(
        self, tracks: Sequence[Track], *, speed: float = 1.0, interval: float = 1.0
    ) -> None:
        self._rate = round(speed * SPEED_UNIT)
        if self._rate < 1 or interval <= 0:
            raise InputError("feed", "speed", "and interval must be above zero")
        self._tracks = tracks
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
                quotes.append(flat_quote(track.symbol, 0, price))
        self._time += self._stride
        return Reading(quotes, None if time == self._end else self._interval)


def read_tracks(path: Path, symbols: Sequence[str] | None = None) -> list[Track]:
    """The tracks of a price file, of all its symbols or of these. Raises InputError."""
    frame = _frame(path)
    columns = {name.lower(): name for name in frame.columns}
    time = next((columns[name] for name in TIME_COLUMNS if name in columns), None)
    if time is None or "symbol" not in columns:
        raise InputError(str(path), "columns", "needs time and symbol, one row a bar")
    bars = [columns[name] for name in BAR_COLUMNS if name in columns]
    if len(bars) < len(BAR_COLUMNS):
        bars = [columns[name] for name in PRICE_COLUMNS if name in columns][:1]
    if not bars:
        raise InputError(str(path), "columns", "needs close, or open, high, low and close")
    names = frame[columns["symbol"]].cast(pl.String).to_list()
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(str(name), []).append(row)
    missing = [name for name in symbols or () if name not in rows]
    if missing:
        raise InputError(str(path), "symbol", f"has no {missing[0]}; it has {', '.join(rows)}")
    cells = _Cells(path, frame, time, bars)
    return [cells.track(name, rows[name]) for name in symbols or rows]


class _Cells:
    """Cells of a table as numbers; errors name the row, counted from 1."""

    def __init__(self, path: Path, frame: pl.DataFrame, time: str, bars: Sequence[str]) -> None:
        self._path = path
        series = frame[time]
        if isinstance(series.dtype, pl.Date | pl.Datetime):
            series = series.dt.epoch("us")
        self._time = time
        self._times = series.cast(pl.String).to_list()
        self._bars = [(name, frame[name].cast(pl.String).to_list()) for name in bars]

    def track(self, symbol: str, rows: Sequence[int]) -> Track:
        """One symbol's rows, in order of time."""
        bars = sorted((self._moment(row), row) for row in rows)
        gaps = [later[0] - earlier[0] for earlier, later in pairwise(bars)]
        for gap, (_, row) in zip(gaps, bars[1:], strict=True):
            if gap == 0:
                raise self._error(self._time, row, f"{symbol} has two bars at this time")
        step = median_low(gaps) if gaps else 60 * SECOND
        points = [
            (time + place * step // len(self._bars), self._price(name, texts, row))
            for time, row in bars
            for place, (name, texts) in enumerate(self._bars)
        ]
        points.sort(key=lambda point: point[0])
        return Track(symbol, [at for at, _ in points], [price for _, price in points], step)

    def _moment(self, row: int) -> int:
        try:
            return _microseconds(str(self._times[row]))
        except ValueError:
            raise self._error(self._time, row, f"{self._times[row]!r} is no time") from None

    def _price(self, name: str, texts: Sequence[str | None], row: int) -> int:
        try:
            return price_from_text(str(texts[row]))
        except ValueError as error:
            raise self._error(name, row, str(error)) from None

    def _error(self, column: str, row: int, reason: str) -> InputError:
        return InputError(str(self._path), column, f"row {row + 1}: {reason}")


def _frame(path: Path) -> pl.DataFrame:
    """The table; of CSV all cells as text, so that no number becomes a float."""
    try:
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
        else:
            frame = pl.read_csv(path, infer_schema=False, comment_prefix="#")
    except FileNotFoundError:
        raise InputError(str(path), "file", "does not exist; check the path") from None
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = (str(error).splitlines() or ["cannot be read"])[0]
        raise InputError(str(path), "file", f"is no CSV or Parquet table: {reason}") from None
    if not frame.height:
        raise InputError(str(path), "file", "has no rows; a price file needs at least one")
    return frame


def _microseconds(text: str) -> int:
    """Microseconds UTC of ISO 8601 text or of whole seconds, milliseconds or microseconds."""
    if text.isascii() and text.isdigit():
        number = int(text)
        for scale in (SECOND, 1000, 1):
            least = FIRST_CLEAR_SECOND * SECOND // scale
            if least <= number < least * EPOCH_UNIT_SPAN:
                return number * scale
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (utc - _EPOCH) // timedelta(microseconds=1)
