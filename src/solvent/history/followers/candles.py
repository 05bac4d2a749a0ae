"""Candles: open, high, low and close of trades, index and mark, by second, minute, hour and day.

Those four are kept; every other interval of the public API is put together from the widest kept one
that divides it. Weeks begin on Monday, months on their first day, all in UTC. An interval in which
nothing happened has no candle.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple, Self

from solvent.domain.units import HOUR, SECOND
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Database, Row, Value
from solvent.history.tables.rows import CandleRow, PriceKind
from solvent.history.tables.schema import CANDLES

MINUTE = 60 * SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY
MONDAY = 4 * DAY
"""The first Monday since the epoch, which was a Thursday."""
MONTH = -1
"""Stands for a calendar month where a length in microseconds stands otherwise."""

END_OF_TIME = 8000 * 365 * DAY
"""No calendar is asked beyond this."""

KEPT = (SECOND, MINUTE, HOUR, DAY)


class Interval(NamedTuple):
    """An interval: the length of its candles, and of those that it is put together from."""

    length: int
    kept: int


INTERVALS: dict[str, Interval] = {
    "1s": Interval(SECOND, SECOND),
    "1m": Interval(MINUTE, MINUTE),
    "3m": Interval(3 * MINUTE, MINUTE),
    "5m": Interval(5 * MINUTE, MINUTE),
    "15m": Interval(15 * MINUTE, MINUTE),
    "30m": Interval(30 * MINUTE, MINUTE),
    "1h": Interval(HOUR, HOUR),
    "2h": Interval(2 * HOUR, HOUR),
    "4h": Interval(4 * HOUR, HOUR),
    "6h": Interval(6 * HOUR, HOUR),
    "8h": Interval(8 * HOUR, HOUR),
    "12h": Interval(12 * HOUR, HOUR),
    "1d": Interval(DAY, DAY),
    "3d": Interval(3 * DAY, DAY),
    "1w": Interval(WEEK, DAY),
    "1month": Interval(MONTH, DAY),
}
"""KlineInterval of the public API."""


def start_of(time: int, length: int) -> int:
    """When the interval that `time` lies in begins."""
    if length == MONTH:
        day = datetime.fromtimestamp(time // SECOND, UTC)
        first = datetime(day.year, day.month, 1, tzinfo=UTC)
        return int(first.timestamp()) * SECOND
    if length == WEEK:
        return (time - MONDAY) // WEEK * WEEK + MONDAY
    return time // length * length


def end_of(start: int, length: int) -> int:
    """When the interval that begins at `start` ends."""
    return start_of(start + 32 * DAY, MONTH) if length == MONTH else start + length


def spans(start: int, end: int, length: int, most: int) -> list[tuple[int, int]]:
    """Begin and end of the intervals that begin at `start` or later and before `end`, up to `most`.

    Times that no calendar has are taken as the nearest that it has.
    """
    start, end = (min(max(time, 0), END_OF_TIME) for time in (start, end))
    begun = start_of(start, length)
    if begun < start:
        begun = end_of(begun, length)
    found: list[tuple[int, int]] = []
    while begun < end and len(found) < most:
        over = end_of(begun, length)
        found.append((begun, over))
        begun = over
    return found


class Candle:
    """Prices from `start` to `end`, and what was traded: base atoms, USDC atoms, trades."""

    __slots__ = ("close", "end", "high", "low", "open", "quote", "start", "trades", "volume")

    def __init__(self, start: int, end: int, price: int) -> None:
        self.start = start
        self.end = end
        self.open = self.high = self.low = self.close = price
        self.volume = self.quote = self.trades = 0

    @classmethod
    def of(cls, row: CandleRow) -> Self:
        """A candle that was kept."""
        candle = cls(row.start, row.end, row.open)
        candle.high, candle.low, candle.close = row.high, row.low, row.close
        candle.volume, candle.quote, candle.trades = row.volume, row.quote_volume, row.trades
        return candle

    def price(self, price: int) -> None:
        """Let in a price later than all others."""
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price

    def trade(self, price: int, quantity: int, quote: int) -> None:
        """Let in a trade later than all prices before."""
        self.price(price)
        self.volume += quantity
        self.quote += quote
        self.trades += 1

    def absorb(self, later: "Candle") -> None:
        """Let in all of a later, shorter candle."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.quote += later.quote
        self.trades += later.trades

    def row(self) -> CandleRow:
        """The candle as questions about the past are answered with it."""
        prices = self.open, self.high, self.low, self.close
        return CandleRow(self.start, self.end, *prices, self.volume, self.quote, self.trades)


class _Kept(Candle):
    """A candle of the table; `changed` since the last batch was written."""

    __slots__ = ("changed",)

    def __init__(self, start: int, end: int, price: int) -> None:
        super().__init__(start, end, price)
        self.changed = False


_Key = tuple[int, int, int, int]
"""(asset, kind, span, start)."""


class Candles:
    """Candles on their way to the table."""

    def __init__(self, database: Database, batch: Batch) -> None:
        self._database = database
        self._batch = batch
        self._current: dict[tuple[int, int, int], _Kept] = {}
        self._latest: dict[tuple[int, int, int], int] = {}
        self._dirty: dict[_Key, _Kept] = {}

    def price(
        self, asset: int, kind: PriceKind, time: int, price: int, quantity: int = 0, quote: int = 0
    ) -> None:
        """A price at a time; of a trade, its quantity and quote as well."""
        for span in KEPT:
            candle = self._current.get((asset, kind, span))
            if candle is None or not candle.start <= time < candle.end:
                candle = self._find((asset, kind, span), time // span * span, price)
            if not candle.changed:
                candle.changed = True
                self._dirty[asset, kind, span, candle.start] = candle
            if quantity:
                candle.trade(price, quantity, quote)
            else:
                candle.price(price)

    def _find(self, series: tuple[int, int, int], start: int, price: int) -> _Kept:
        """The candle of a series that begins at `start`: of this batch, the database, or new."""
        key = (*series, start)
        candle = self._dirty.get(key)
        if candle is None:
            latest = self._latest.get(series)
            stored = self._load(key) if latest is None or start <= latest else None
            candle = stored or _Kept(start, start + series[2], price)
        self._latest[series] = max(start, self._latest.get(series, start))
        self._current[series] = candle
        return candle

    def _load(self, key: _Key) -> _Kept | None:
        rows = self._database.fetch(
            "SELECT open, high, low, close, volume, quote, trades FROM candles "
            "WHERE asset = ? AND kind = ? AND span = ? AND start = ?",
            [int(part) for part in key],
        )
        if not rows:
            return None
        return _Kept.of(candle_of((key[3], key[2], *rows[0])))

    def note_all(self) -> None:
        """Put every candle that changed into the batch."""
        for (asset, kind, span, start), candle in self._dirty.items():
            row: tuple[Value, ...] = (
                asset,
                int(kind),
                span,
                start,
                candle.open,
                candle.high,
                candle.low,
                candle.close,
                str(candle.volume),
                str(candle.quote),
                candle.trades,
            )
            self._batch.put(CANDLES, row)

    def written(self) -> None:
        """The batch is in the database."""
        for candle in self._dirty.values():
            candle.changed = False
        self._dirty.clear()


def candle_of(row: Row) -> CandleRow:
    """A candle from (start, span, open, high, low, close, volume, quote, trades)."""
    start, span, *numbers = (int(value) for value in row)
    return CandleRow(start, start + span, *numbers)


def joined(candles: Iterable[CandleRow], length: int) -> Iterator[CandleRow]:
    """Candles of the given length, put together from shorter ones in the order of time."""
    for start, group in groupby(candles, lambda candle: start_of(candle.start, length)):
        first, *others = group
        whole = Candle.of(first)
        whole.start, whole.end = start, end_of(start, length)
        for each in others:
            whole.absorb(Candle.of(each))
        yield whole.row()
