"""Everybody's past: trades, candles, tickers and pools.

Times are microseconds UTC; questions that look back from now are told what time it is. Questions
see what was committed.
"""

from typing import NamedTuple

from solvent.domain.labels import SystemOrder
from solvent.domain.units import HOUR
from solvent.history.followers.candles import (
    DAY,
    END_OF_TIME,
    INTERVALS,
    MINUTE,
    candle_of,
    end_of,
    joined,
    start_of,
)
from solvent.history.questions.pages import Questions, Where, integers
from solvent.history.tables.counts import counted
from solvent.history.tables.rows import (
    NEWEST,
    CandleRow,
    Page,
    Paging,
    PoolPoint,
    PriceKind,
    TickerRow,
    TradeRow,
)
from solvent.history.tables.schema import POINTS, TRADES

MOST_CANDLES = 1000
_CANDLE = "start, span, open, high, low, close, volume, quote, trades"


class Span(NamedTuple):
    """A look back: how many points, how far apart."""

    points: int
    length: int


TICKER_SPANS = {"1d": Span(24 * 60, MINUTE), "1w": Span(7 * 24, HOUR)}
"""TickerInterval of the public API: what the candles it is made of are."""

POOL_SPANS = {
    "1d": Span(24, HOUR),
    "1w": Span(7 * 24, HOUR),
    "1month": Span(30, DAY),
    "1year": Span(365, DAY),
}
"""BorrowLendMarketHistoryInterval of the public API."""


class MarketHistory(Questions):
    """Queries of everybody's past."""

    def trades(
        self,
        asset: int,
        paging: Paging = NEWEST,
        before: int | None = None,
        end: int | None = None,
    ) -> Page[TradeRow]:
        """Trades of one market, of a number lower than `before` and earlier than `end`, if given.

        `total` is of them all.
        """
        columns = "id, time, asset, price, quantity, quote, side, system"
        where = Where().equal("asset", asset).between("id", None, before)
        where.between("time", None, end)
        total = counted(self._database, TRADES, asset)
        rows, _ = self._read(columns, "trades", where, "id", paging, total)
        return Page([_trade(integers(row)) for row in rows], total)

    def klines(
        self,
        asset: int,
        interval: str,
        start: int,
        end: int,
        kind: PriceKind = PriceKind.LAST,
        limit: int = MOST_CANDLES,
    ) -> list[CandleRow]:
        """Candles that begin at `start` or later and before `end`, oldest first, up to `limit`.

        `interval` is one of `candles.INTERVALS`; another raises KeyError.
        """
        length, kept = INTERVALS[interval]
        start, end = (min(max(time, 0), END_OF_TIME) for time in (start, end))
        first = start_of(start, length)
        if first < start:
            first = end_of(first, length)
        rows = self._database.fetch(
            f"SELECT {_CANDLE} FROM candles WHERE asset = ? AND kind = ? AND span = ? "
            "AND start >= ? AND start < ? ORDER BY start LIMIT ?",
            [asset, int(kind), kept, first, _last_end(end, length), limit * _parts(length, kept)],
        )
        return list(joined(map(candle_of, rows), length))[:limit]

    def ticker(self, asset: int, interval: str, now: int) -> TickerRow | None:
        """What was traded in the last day or week; None where there never was a trade.

        The look back begins with a whole minute, of a week with a whole hour.
        """
        points, length = TICKER_SPANS[interval]
        start = start_of(now, length) - points * length
        rows = self._database.fetch(
            f"SELECT {_CANDLE} FROM candles WHERE asset = ? AND kind = ? AND span = ? "
            "AND start >= ? AND start <= ? ORDER BY start",
            [asset, int(PriceKind.LAST), length, start, now],
        )
        parts = [candle_of(row) for row in rows]
        if parts:
            return TickerRow(
                asset=asset,
                first=parts[0].open,
                last=parts[-1].close,
                high=max(part.high for part in parts),
                low=min(part.low for part in parts),
                volume=sum(part.volume for part in parts),
                quote_volume=sum(part.quote_volume for part in parts),
                trades=sum(part.trades for part in parts),
            )
        last = self.trades(asset, Paging(limit=1)).rows
        if not last or last[0].time > now:
            return None
        price = last[0].price
        return TickerRow(asset, price, price, price, price, 0, 0, 0)

    def pool_history(self, asset: int, interval: str, now: int) -> list[PoolPoint]:
        """One pool at the end of each hour or day of the look back, oldest first.

        The running hour or day is the last; none comes before the pool's first change.
        """
        count, length = POOL_SPANS[interval]
        last = start_of(now, length)
        first = last - (count - 1) * length
        before = self._database.fetch(
            f"SELECT {POINTS.listed} FROM points WHERE asset = ? AND start < ? "
            "ORDER BY start DESC LIMIT 1",
            [asset, first],
        )
        within = self._database.fetch(
            f"SELECT {POINTS.listed} FROM points WHERE asset = ? AND start >= ? AND start <= ? "
            "ORDER BY start",
            [asset, first, now],
        )
        states = [integers(row) for row in [*before, *within]]
        found = []
        known: list[int] | None = None
        for start in range(first, last + 1, length):
            while states and states[0][1] < start + length:
                known = states.pop(0)
            if known is not None:
                found.append(PoolPoint(asset, start, *known[3:]))
        return found


def _parts(length: int, kept: int) -> int:
    """The most kept candles that one candle is put together from."""
    return length // kept if length > 0 else 31


def _last_end(end: int, length: int) -> int:
    """The end of the last candle that begins before `end`."""
    start = start_of(end, length)
    return end if start == end else end_of(start, length)


def _trade(row: list[int]) -> TradeRow:
    trade, time, asset, price, quantity, quote, side, system = row
    return TradeRow(trade, time, asset, price, quantity, quote, bool(side), SystemOrder(system))
