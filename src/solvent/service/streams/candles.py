"""Candles: open, high, low and close of every interval, and the figures of the last 24 hours.

Trades are gathered into candles of a second, the shortest interval, and these are folded into all
longer ones, so that a burst of trades costs no more than a quiet second. Times are microseconds
UTC; the intervals are those of the views, and so is the day of whole minutes that a ticker tells.

Absent: candles of intervals in which nobody traded, and what `Tape.restore` was not told.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from solvent.domain.units import SECOND
from solvent.history.followers.candles import DAY, INTERVALS, MINUTE, Candle, end_of, start_of
from solvent.history.tables.rows import CandleRow


def bounds(interval: str, time: int) -> tuple[int, int]:
    """When the candle that holds `time` begins and ends."""
    length = INTERVALS[interval].length
    start = start_of(time, length)
    return start, end_of(start, length)


class CandleNews(NamedTuple):
    """A candle as it is now, or as it was when its time was up."""

    interval: str
    candle: Candle
    is_closed: bool


class Figures(NamedTuple):
    """The last 24 hours: first and last price, extremes, base and quote volume, trades."""

    open: int
    close: int
    high: int
    low: int
    volume: int
    quote: int
    trades: int


class Tape:
    """What one market traded."""

    def __init__(self) -> None:
        self._fresh: deque[Candle] = deque()
        self._candles: dict[str, Candle] = {}
        self._day: deque[Candle] = deque()
        self._last: int | None = None

    def restore(
        self, last: int, candles: Mapping[str, CandleRow], minutes: Iterable[CandleRow]
    ) -> None:
        """Begin with the last price, the present candles by interval, and a day's minutes."""
        self._last = last
        self._candles = {interval: Candle.of(row) for interval, row in candles.items()}
        self._day = deque(map(Candle.of, minutes))

    def trade(self, time: int, price: int, quantity: int, quote: int) -> None:
        """One trade; one that comes late counts as of the last."""
        second = start_of(time, SECOND)
        if self._fresh:
            second = max(second, self._fresh[-1].start)
        if not self._fresh or self._fresh[-1].start != second:
            self._fresh.append(Candle(second, second + SECOND, price))
        self._fresh[-1].trade(price, quantity, quote)
        self._last = price

    def fold(self, now: int, tell: Callable[[CandleNews], None]) -> bool:
        """Fold what was traded into all candles; whether there was anything.

        Tells of every candle whose time is up at `now`, once, and of every one that changed. Of
        candles that close at one moment the shortest is told first.
        """
        traded = bool(self._fresh)
        changed: dict[str, Candle] = {}
        while self._fresh:
            second = self._fresh.popleft()
            self._close_until(second.start, changed, tell)
            for interval in INTERVALS:
                changed[interval] = self._absorb(interval, second)
            self._absorb_day(second)
        self._close_until(now, changed, tell)
        for interval, candle in changed.items():
            tell(CandleNews(interval, candle, is_closed=False))
        return traded

    def _absorb(self, interval: str, second: Candle) -> Candle:
        candle = self._candles.get(interval)
        if candle is None:
            candle = Candle(*bounds(interval, second.start), second.open)
            self._candles[interval] = candle
        candle.absorb(second)
        return candle

    def _close_until(
        self, time: int, changed: dict[str, Candle], tell: Callable[[CandleNews], None]
    ) -> None:
        # By INTERVALS, not as the dict has them: its order is another after `restore`.
        for interval in INTERVALS:
            candle = self._candles.get(interval)
            if candle is not None and candle.end <= time:
                del self._candles[interval]
                changed.pop(interval, None)
                tell(CandleNews(interval, candle, is_closed=True))

    def _absorb_day(self, second: Candle) -> None:
        start = start_of(second.start, MINUTE)
        if not self._day or self._day[-1].start != start:
            self._day.append(Candle(start, start + MINUTE, second.open))
        self._day[-1].absorb(second)

    def day(self, now: int) -> Figures | None:
        """The 24 hours before `now` and the rest of their first minute; None if never traded."""
        if self._last is None:
            return None
        oldest = now - DAY
        while self._day and self._day[0].end <= oldest:
            self._day.popleft()
        if not self._day:
            return Figures(self._last, self._last, self._last, self._last, 0, 0, 0)
        return Figures(
            self._day[0].open,
            self._last,
            max(candle.high for candle in self._day),
            min(candle.low for candle in self._day),
            sum(candle.volume for candle in self._day),
            sum(candle.quote for candle in self._day),
            sum(candle.trades for candle in self._day),
        )
