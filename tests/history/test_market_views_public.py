"""Everybody's past, against sums over the raw events."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from solvent.domain import events as e
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Side, UpdatePrice
from solvent.domain.events import Event
from solvent.domain.units import HOUR, SECOND
from solvent.domain.waterfall_events import PoolWrittenDown
from solvent.history.followers.candles import DAY, INTERVALS, MINUTE, WEEK, end_of, start_of
from solvent.history.market_views import Views
from solvent.history.questions.market import POOL_SPANS, TICKER_SPANS
from solvent.history.tables.rows import CandleRow, Paging, PriceKind
from solvent.proof.passes import passes_of
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import borrowed_total, lent_total
from tests.history.market_records import simulated, told, views_of
from tests.proof import proves

ALL = Paging(limit=10**9, ascending=True)
MARKETS = [19, 22, 38, "weth-stuck-2026-04"]
FAR = 2**60


@pytest.mark.parametrize("name", MARKETS)
def test_trades_are_the_fills_of_the_book(name: int | str) -> None:
    market, views = told(name), views_of(name)
    expected = defaultdict(list)
    for _, time, event in market.events(e.Filled):
        side = event.side is Side.ASK
        row = (event.trade, time, event.price, event.quantity, event.quote, side)
        expected[event.asset].append((*row, event.system_order))
    # In the scenario all is settled off the book.
    assert expected or isinstance(name, str)
    for asset in range(1, len(market.state.pools)):
        page = views.trades(asset, ALL)
        found = [
            (r.trade, r.time, r.price, r.quantity, r.quote, r.buyer_is_maker, r.system)
            for r in page.rows
        ]
        assert found == expected[asset]
        assert page.total == len(found)
        assert views.trades(asset, Paging(limit=2)).rows == page.rows[::-1][:2]


def naive_start(time: int, interval: str) -> int:
    """When an interval begins, by the calendar."""
    moment = datetime.fromtimestamp(time // SECOND, UTC)
    if interval == "1month":
        return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()) * SECOND
    if interval == "1w":
        return (time // DAY - moment.weekday()) * DAY
    unit = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}[interval[-1]]
    length = int(interval[:-1]) * unit
    return time // length * length


Seen = list[tuple[int, int, int, int]]
"""(time, price, quantity, quote)."""


def naive_candles(seen: Seen, interval: str) -> list[tuple[int, ...]]:
    groups: defaultdict[int, Seen] = defaultdict(list)
    for each in seen:
        groups[naive_start(each[0], interval)].append(each)
    return [
        (
            start,
            group[0][1],
            max(each[1] for each in group),
            min(each[1] for each in group),
            group[-1][1],
            sum(each[2] for each in group),
            sum(each[3] for each in group),
            sum(1 for each in group if each[2]),
        )
        for start, group in sorted(groups.items())
    ]


def as_tuple(candle: CandleRow) -> tuple[int, ...]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return (candle.start, *prices, candle.volume, candle.quote_volume, candle.trades)


def seen_prices(name: int | str, asset: int) -> dict[PriceKind, Seen]:
    market = told(name)
    seen: dict[PriceKind, Seen] = {kind: [] for kind in PriceKind}
    for _, time, event in market.events(Event):
        if isinstance(event, e.Filled) and event.asset == asset:
            seen[PriceKind.LAST].append((time, event.price, event.quantity, event.quote))
        elif isinstance(event, e.IndexUpdated | e.MarkUpdated) and event.asset == asset:
            seen[PriceKind.INDEX].append((time, event.index, 0, 0))
            seen[PriceKind.MARK].append((time, event.mark, 0, 0))
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("name", MARKETS)
@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_are_those_of_the_raw_events(name: int | str, interval: str) -> None:
    market, views = told(name), views_of(name)
    compared = 0
    for asset in range(1, len(market.state.pools)):
        for kind, seen in seen_prices(name, asset).items():
            found = views.klines(asset, interval, 0, FAR, kind, limit=10**9)
            assert [as_tuple(candle) for candle in found] == naive_candles(seen, interval)
            assert all(
                candle.end == end_of(candle.start, INTERVALS[interval].length) for candle in found
            )
            compared += len(found)
    assert compared


@pytest.mark.parametrize("interval", ["1s", "5m", "1h", "1w", "1month"])
def test_a_range_of_candles(interval: str) -> None:
    views = views_of(57)
    whole = views.klines(1, interval, 0, FAR, PriceKind.MARK, limit=10**9)
    assert len(whole) > 1
    middle = whole[len(whole) // 2]
    before = views.klines(1, interval, 0, middle.start, PriceKind.MARK, limit=10**9)
    after = views.klines(1, interval, middle.start, FAR, PriceKind.MARK, limit=10**9)
    assert before + after == whole
    assert before
    assert after[0] == middle
    assert views.klines(1, interval, middle.start + 1, FAR, PriceKind.MARK) == after[1:1001]
    assert views.klines(1, interval, 0, FAR, PriceKind.MARK, limit=1) == whole[:1]
    with_it = views.klines(1, interval, middle.start, middle.start + 1, PriceKind.MARK)
    assert with_it == [middle]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_clock_that_goes_back_finds_its_candles_again(size: int) -> None:
    market = simulated(19)
    times = [0, 5, 59, 61, 30, 62, 3601, 10, 61, 3600, 90_000, 20, 90_001]
    views = Views.open(":memory:", market.parameters)
    seen = []
    for number, seconds in enumerate(times):
        price = 1000 + (number * 7) % 11
        seen.append((seconds * SECOND, price, 0, 0))
        events = (e.IndexUpdated(1, price, price),)
        command = UpdatePrice(1, 0, price, price, price)
        views.apply(seconds * SECOND, Transcript.of(number, [(command, events)]))
        if number % size == 0:
            views.commit()
    views.commit()
    for interval in ("1s", "1m", "1h", "1d"):
        found = views.klines(1, interval, 0, FAR, PriceKind.INDEX)
        assert [as_tuple(candle) for candle in found] == naive_candles(seen, interval)


def test_months_and_weeks_begin_where_the_calendar_says() -> None:
    leap = int(datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC).timestamp()) * SECOND
    month = INTERVALS["1month"].length
    start, end = start_of(leap, month), end_of(start_of(leap, month), month)
    assert start == int(datetime(2028, 2, 1, tzinfo=UTC).timestamp()) * SECOND
    assert end == int(datetime(2028, 3, 1, tzinfo=UTC).timestamp()) * SECOND
    monday = start_of(leap, WEEK)
    assert datetime.fromtimestamp(monday // SECOND, UTC).isoformat() == "2028-02-28T00:00:00+00:00"


@pytest.mark.parametrize("name", MARKETS)
@pytest.mark.parametrize("interval", TICKER_SPANS)
def test_tickers_are_sums_of_trades(name: int | str, interval: str) -> None:
    market, views = told(name), views_of(name)
    now = market.records[-1][0]
    points, length = TICKER_SPANS[interval]
    start = now // length * length - points * length
    for asset in range(1, len(market.state.pools)):
        everything = seen_prices(name, asset)[PriceKind.LAST]
        seen = [each for each in everything if each[0] >= start]
        ticker = views.ticker(asset, interval, now)
        if not everything:
            assert ticker is None
            continue
        assert ticker is not None
        if not seen:
            assert (ticker.last, ticker.trades, ticker.volume) == (everything[-1][1], 0, 0)
            continue
        assert (ticker.first, ticker.last) == (seen[0][1], seen[-1][1])
        assert ticker.high == max(each[1] for each in seen)
        assert ticker.low == min(each[1] for each in seen)
        assert ticker.volume == sum(each[2] for each in seen)
        assert ticker.quote_volume == sum(each[3] for each in seen)
        assert ticker.trades == len(seen)


@pytest.mark.parametrize("seed", [19, 38])
def test_a_ticker_counts_nothing_before_its_span(seed: int) -> None:
    views = views_of(seed)
    last = views.trades(1, Paging(limit=1)).rows or views.trades(2, Paging(limit=1)).rows
    (trade,) = last
    later = views.ticker(trade.asset, "1d", trade.time + 2 * DAY)
    assert later is not None
    assert (later.first, later.last, later.trades) == (trade.price, trade.price, 0)
    assert views.ticker(trade.asset, "1d", 0) is None


@proves("A14", "A1")
@pytest.mark.parametrize("interval", POOL_SPANS)
@pytest.mark.parametrize("seed", [22, 38])
def test_pools_are_known_at_the_end_of_each_interval(seed: int, interval: str) -> None:
    """Run the engine again, look at its pools all the time, and compare the points.

    Indices are those last said: before shares change, and at the top of the hour.
    """
    market = simulated(seed)
    engine = ReferenceEngine(market.parameters)
    count, length = POOL_SPANS[interval]
    now = market.records[-1][0]
    known: list[dict[int, tuple[int, ...]]] = [{} for _ in market.state.pools]
    said = [replace(pool) for pool in engine.state.pools]
    commands = [command for _, (_, command, _) in market.entries()]
    for command in (each for one in commands for each in passes_of(engine.state, one)):
        for event in engine.apply_one(command):
            if isinstance(event, e.InterestCharged | e.InterestAccrued):
                pool = said[event.asset]
                pool.lend_index, pool.debt_index = event.lend_index, event.debt_index
            elif isinstance(event, PoolWrittenDown):
                said[event.asset].lend_index = event.lend_index
            elif isinstance(event, e.SharesRescaled):
                side = "debt_index" if event.of_debts else "lend_index"
                setattr(said[event.asset], side, event.index)
        for pool, now_pool, states in zip(said, engine.state.pools, known, strict=True):
            pool.lend_shares, pool.debt_shares = now_pool.lend_shares, now_pool.debt_shares
            states[engine.now // length] = (lent_total(pool), borrowed_total(pool))
    views = views_of(seed)
    compared = 0
    for asset, states in enumerate(known):
        points = views.pool_history(asset, interval, now)
        assert len(points) <= count
        for point in points:
            before = max(each for each in states if each <= point.start // length)
            assert (point.lent, point.borrowed) == states[before]
            compared += 1
        steps = {later.start - point.start for point, later in pairwise(points)}
        assert steps <= {length}
        if points:
            assert points[-1].start == now // length * length
    assert compared
