"""Live exchanges: ccxt's own clients against a local server, which at times misbehaves."""

import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from solvent.domain.errors import InputError
from solvent.service.feeds import Quote
from solvent.service.feeds.exchanges import (
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    MAX_AGE_MS,
    ExchangeFeed,
    connect,
)
from tests.service.feeds.exchange import Exchange, binance, kraken, running

UNIT = 10**10
SYMBOLS = ["BTC", "SOL"]


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.time


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """A well-behaved exchange."""
    with running() as found:
        found.stamp = time.time_ns() // 10**6
        yield found


@pytest.fixture
def clock() -> HandClock:
    """A clock set by hand."""
    return HandClock()


def symbols_of(quotes: Any) -> list[str]:
    """Which assets are quoted."""
    return [quote.symbol for quote in quotes]


def reasons(caplog: pytest.LogCaptureFixture) -> str:
    """Why something was left out."""
    return " ".join(str(record.__dict__["reason"]) for record in caplog.records)


class TestReading:
    """Two exchanges with two protocols are two sources."""

    def test_prices_are_the_texts_that_were_sent(self, exchange: Exchange) -> None:
        feed = ExchangeFeed({"kraken": kraken(exchange), "binance": binance(exchange)}, SYMBOLS)
        reading = feed.read()
        btc = (1_000_001 * UNIT // 10, 1_000_003 * UNIT // 10, 1_000_002 * UNIT // 10)
        sol = (200 * UNIT, 2002 * UNIT // 10, 2001 * UNIT // 10)
        assert list(reading.quotes) == [
            Quote(symbol, source, *prices)
            for source in (0, 1)
            for symbol, prices in (("BTC", btc), ("SOL", sol))
        ]
        assert reading.wait is not None
        assert 0 <= reading.wait <= 5

    def test_markets_are_asked_for_once(self, exchange: Exchange) -> None:
        feed = ExchangeFeed({"kraken": kraken(exchange)}, SYMBOLS)
        assert feed.read() != feed.read()
        assert sum("AssetPairs" in path for path in exchange.asked) == 1
        assert sum("Ticker" in path for path in exchange.asked) == 2

    def test_digits_that_no_float_has(self, exchange: Exchange) -> None:
        exchange.price("BTC", "123456789.0123456789")
        feed = ExchangeFeed({"kraken": kraken(exchange)}, ["BTC"])
        assert feed.read().quotes[0].last == 1234567890123456789

    def test_an_unknown_token_is_left_out(
        self, exchange: Exchange, clock: HandClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = {"kraken": kraken(exchange)}
        assert symbols_of(ExchangeFeed(source, ["BTC", "NONE"]).read().quotes) == ["BTC"]
        assert not ExchangeFeed(source, ["NONE"], clock=clock).read().quotes
        assert "has no market of NONE" in reasons(caplog)


class TestMisbehaviour:
    """Whatever an exchange does, the others are quoted and nothing wrong is."""

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"<html>busy</html>",
            b"null",
            b"[]",
            b"{",
            b'{"error":["EService:Unavailable"]}',
            b'{"error":[],"result":[]}',
            b'{"error":[],"result":{"XBTUSDC":7}}',
            b'{"error":[],"result":{"XBTUSDC":{"a":[],"b":{},"c":null}}}',
            b"\xff\xfe\x00",
        ],
    )
    def test_garbage(self, exchange: Exchange, raw: bytes) -> None:
        with running() as good:
            feed = ExchangeFeed({"bad": kraken(exchange), "good": kraken(good)}, ["BTC"])
            assert len(feed.read().quotes) == 2
            exchange.raw = raw
            assert [quote.source for quote in feed.read().quotes] == [1]

    @pytest.mark.parametrize(
        "prices",
        [
            ("-1", "1", "1"),
            ("0", "1", "1"),
            ("nan", "nan", "nan"),
            ("Infinity", "1", "1"),
            ("1e99", "1e99", "1e99"),
            ("0x10", "0x10", "0x10"),
            ("1,5", "1,5", "1,5"),
            ("", "", ""),
            ("99999999999", "99999999999", "99999999999"),
        ],
    )
    def test_numbers_that_are_no_prices(
        self, exchange: Exchange, prices: tuple[str, str, str]
    ) -> None:
        """Of that exchange at most the other token is quoted; ccxt gives some answers up whole."""
        exchange.price("BTC", *prices)
        with running() as good:
            feed = ExchangeFeed({"bad": kraken(exchange), "good": kraken(good)}, SYMBOLS)
            quoted = {(quote.source, quote.symbol) for quote in feed.read().quotes}
        assert (0, "BTC") not in quoted
        assert {(1, "BTC"), (1, "SOL")} <= quoted

    def test_a_crossed_book_and_a_hole(
        self, exchange: Exchange, caplog: pytest.LogCaptureFixture
    ) -> None:
        exchange.price("BTC", "100001", "100000")
        exchange.price("SOL", "150", "250", "200")
        assert not ExchangeFeed({"kraken": kraken(exchange)}, SYMBOLS).read().quotes
        assert "crossed" in reasons(caplog)
        assert "too wide" in reasons(caplog)

    def test_a_jump_waits_for_a_second_reading(self, exchange: Exchange) -> None:
        feed = ExchangeFeed({"kraken": kraken(exchange)}, ["SOL"])
        posted = []
        for price in ("200", "150", "201", "150", "149", "149", "300", "450", "460"):
            exchange.price("SOL", price)
            posted.append([quote.last // UNIT for quote in feed.read().quotes])
        assert posted == [[200], [], [201], [], [149], [149], [], [], [460]]

    def test_an_old_stamp(self, exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
        exchange.stamp -= MAX_AGE_MS + 1000
        feed = ExchangeFeed({"old": binance(exchange), "kraken": kraken(exchange)}, SYMBOLS)
        assert {quote.source for quote in feed.read().quotes} == {1}
        assert "old by the exchange" in reasons(caplog)

    def test_who_does_not_answer_in_time_holds_nobody_up(
        self, exchange: Exchange, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The others are quoted at the deadline; what comes after it is not taken."""
        with running() as slow:
            feed = ExchangeFeed(
                {"slow": kraken(slow), "kraken": kraken(exchange)}, ["BTC"], deadline=0.3
            )
            assert len(feed.read().quotes) == 2
            slow.hangs.set()
            assert [quote.source for quote in feed.read().quotes] == [1]
            answer = feed.sources[0].answer
            assert answer is not None
            assert [quote.source for quote in feed.read().quotes] == [1]
            assert feed.sources[0].answer is answer
            slow.hangs.clear()
            slow.released.set()
            assert answer.result(20)
            assert len(feed.read().quotes) == 2
            assert "too late" in reasons(caplog)

    def test_a_time_limit_is_a_failure(self, exchange: Exchange) -> None:
        client = kraken(exchange, timeout_ms=1000)
        feed = ExchangeFeed({"kraken": client}, ["BTC"])
        assert feed.read().quotes
        exchange.hangs.set()
        assert not feed.read().quotes
        assert feed.sources[0].rests_until > time.monotonic()

    def test_a_failing_source_rests_longer_each_time(
        self, exchange: Exchange, clock: HandClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        exchange.status = 503
        feed = ExchangeFeed({"kraken": kraken(exchange)}, ["BTC"], clock=clock)
        source = feed.sources[0]
        rests = []
        for _ in range(10):
            assert not feed.read().quotes
            rests.append(source.rests_until - clock.time)
            tries = len(exchange.asked)
            clock.time = source.rests_until - 0.1
            assert not feed.read().quotes
            assert len(exchange.asked) == tries
            clock.time = source.rests_until
        expected = [min(FIRST_BACKOFF * 2**place, LONGEST_BACKOFF) for place in range(10)]
        assert rests == pytest.approx(expected)
        assert rests[-1] == LONGEST_BACKOFF
        exchange.status = 200
        assert feed.read().quotes
        exchange.status = 503
        assert not feed.read().quotes
        assert source.rests_until - clock.time == FIRST_BACKOFF
        assert all(record.levelno == logging.WARNING for record in caplog.records)

    def test_an_exchange_that_is_not_there(self, exchange: Exchange) -> None:
        with running() as gone:
            client = kraken(gone)
        feed = ExchangeFeed({"gone": client, "kraken": kraken(exchange)}, ["BTC"])
        assert [quote.source for quote in feed.read().quotes] == [1]


class TestConnect:
    """What cannot be used is said in one line."""

    def test_an_unknown_exchange(self) -> None:
        with pytest.raises(InputError, match="'nowhere' is no exchange"):
            connect("nowhere")

    @pytest.mark.parametrize("name", ["Exchange", "__doc__", ""])
    def test_names_of_other_things(self, name: str) -> None:
        with pytest.raises(InputError):
            connect(name)

    def test_without_ccxt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "ccxt", None)
        with pytest.raises(InputError, match=r"install solvent\[live\]"):
            connect("kraken")
