"""Candles and tickers against the same figures computed from all trades at once."""

from datetime import UTC, datetime
from random import Random

import pytest

from solvent.domain.units import HOUR, SECOND
from solvent.history.followers.candles import DAY, INTERVALS, MINUTE, Candle
from solvent.service.streams.candles import (
    CandleNews,
    Figures,
    Tape,
    bounds,
)

NOON = 1_760_011_200 * SECOND


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("interval", "inside", "start", "end"),
    [
        ("1s", "2025-10-09T12:00:01", "2025-10-09T12:00:01", "2025-10-09T12:00:02"),
        ("15m", "2025-10-09T12:29:59", "2025-10-09T12:15:00", "2025-10-09T12:30:00"),
        ("1d", "2025-10-09T12:00:00", "2025-10-09", "2025-10-10"),
        ("1w", "2025-10-12T23:59:59", "2025-10-06", "2025-10-13"),
        ("1w", "2025-10-13T00:00:00", "2025-10-13", "2025-10-20"),
        ("1month", "2025-12-31T23:59:59", "2025-12-01", "2026-01-01"),
        ("1month", "2028-02-29T00:00:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_bounds_of_intervals(interval: str, inside: str, start: str, end: str) -> None:
    assert bounds(interval, at(inside)) == (at(start), at(end))


def test_every_second_is_in_one_candle_of_every_interval() -> None:
    rng = Random(1)
    for interval in INTERVALS:
        for _ in range(200):
            time = rng.randrange(4 * 10**9 * SECOND)
            start, end = bounds(interval, time)
            assert start <= time < end
            assert bounds(interval, end - 1) == (start, end)
            assert bounds(interval, end)[0] == end


Trade = tuple[int, int, int, int]


def shape(candle: Candle) -> tuple[int, ...]:
    return (
        candle.open,
        candle.close,
        candle.high,
        candle.low,
        candle.volume,
        candle.quote,
        candle.trades,
    )


def whole(trades: list[Trade]) -> tuple[int, ...]:
    prices = [price for _, price, _, _ in trades]
    volume, quote = (sum(trade[place] for trade in trades) for place in (2, 3))
    return prices[0], prices[-1], max(prices), min(prices), volume, quote, len(prices)


@pytest.mark.parametrize("seed", range(4))
def test_candles_are_those_of_all_their_trades(seed: int) -> None:
    rng = Random(seed)
    tape, trades, now = Tape(), list[Trade](), NOON
    last: dict[tuple[str, int], CandleNews] = {}
    closed: list[tuple[str, int]] = []

    def hear(news: CandleNews) -> None:
        place = news.interval, news.candle.start
        assert place not in closed, "a closed candle changed"
        if news.is_closed:
            assert news.candle.end <= now
            closed.append(place)
        last[place] = news

    for _ in range(500):
        now += rng.choice((0, 1, SECOND // 3, 7 * SECOND, 400 * SECOND, 5000 * SECOND))
        price, quantity = rng.randint(90, 110), rng.randint(1, 9)
        trades.append((now, price, quantity, price * quantity))
        tape.trade(*trades[-1])
        if rng.random() < 0.4:
            now += rng.choice((0, 30 * SECOND))
            tape.fold(now, hear)
    now += 40 * DAY
    tape.fold(now, hear)
    assert len(closed) == len(last)
    for interval in INTERVALS:
        groups: dict[int, list[Trade]] = {}
        for trade in trades:
            groups.setdefault(bounds(interval, trade[0])[0], []).append(trade)
        found = {
            start: shape(news.candle) for (name, start), news in last.items() if name == interval
        }
        assert found == {start: whole(group) for start, group in groups.items()}


def test_a_late_trade_counts_as_of_the_last() -> None:
    tape = Tape()
    news: list[CandleNews] = []
    tape.trade(NOON + MINUTE, 100, 1, 100)
    tape.trade(NOON, 120, 1, 120)
    tape.fold(NOON + MINUTE, news.append)
    minutes = [each.candle for each in news if each.interval == "1m"]
    assert [candle.start for candle in minutes] == [NOON + MINUTE]
    assert shape(minutes[0]) == (100, 120, 120, 100, 2, 220, 2)


def test_the_day_forgets_what_is_older() -> None:
    tape = Tape()
    assert tape.day(NOON) is None
    for hour, price in ((0, 90), (12, 110), (13, 100)):
        tape.trade(NOON + hour * HOUR, price, 2, 2 * price)
        tape.fold(NOON + hour * HOUR, lambda _: None)

    def day(hours: int) -> Figures | None:
        return tape.day(NOON + hours * HOUR)

    assert day(13) == Figures(90, 100, 110, 90, 6, 600, 3)
    assert day(25) == Figures(110, 100, 110, 100, 4, 420, 2)
    assert day(37) == Figures(100, 100, 100, 100, 2, 200, 1)
    assert day(99) == Figures(100, 100, 100, 100, 0, 0, 0)
