"""Live exchanges through ccxt: each exchange is one source of quotes, and may fail as it likes.

Exchanges are asked at the same time, each in a thread of its own, and a reading waits for them no
longer than its deadline. Who fails is left alone for a while, twice as long each time up to a
bound. What comes too late, is old by its own time stamp, or does not pass the `gate` is left out,
so that in the engine the source's last quote grows old instead of being renewed by a wrong one.

Numbers are taken as the texts that exchanges send; ccxt is told to make no floats of them. A token
is read against USDC, else USD, else USDT, and those are taken to be worth the same.

ccxt is needed only here and imported only when a client is made. Deliberately absent: keys, orders,
anything private; repair of a reading.
"""

import importlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Protocol, cast

from solvent.domain.errors import InputError
from solvent.service.feeds import Quote, Reading, price_from_text
from solvent.service.feeds.gate import Gate

LOG = logging.getLogger("solvent.feeds")
QUOTE_SYMBOLS = ("USDC", "USD", "USDT")
TIMEOUT_MS = 5_000
"""How long an exchange may take for one answer."""
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 120.0
"""Seconds that a failing source is left alone."""
MAX_AGE_MS = 60_000
"""A quote that is older by the exchange's own stamp is not posted."""

Ticker = Mapping[str, object]


class Client(Protocol):
    """What is used of a ccxt exchange."""

    has: Mapping[str, object]
    markets: Mapping[str, Mapping[str, object]] | None

    def load_markets(self) -> object:
        """Ask for the markets, unless they are known."""
        ...

    def fetch_ticker(self, symbol: str) -> Ticker:
        """One market's best bid, best ask and last trade."""
        ...

    def fetch_tickers(self, symbols: list[str]) -> Mapping[str, Ticker]:
        """Several markets', with one request."""
        ...


def connect(name: str, settings: Mapping[str, object] | None = None) -> Client:
    """A ccxt client of the exchange called `name`; `settings` are ccxt's own.

    Raises InputError where ccxt is not installed or does not know the exchange.
    """
    try:
        ccxt = importlib.import_module("ccxt")
    except ImportError:
        reason = "live prices need ccxt, which is not installed: install solvent[live]"
        raise InputError("feed", "exchanges", reason) from None
    if name not in ccxt.exchanges:
        raise InputError("feed", "exchanges", f"{name!r} is no exchange that ccxt knows")
    client = getattr(ccxt, name)(
        {"enableRateLimit": True, "timeout": TIMEOUT_MS, **(settings or {})}
    )
    client.number = str
    return cast("Client", client)


class Source:
    """One exchange and how it has behaved; `number` is its place in the index."""

    def __init__(self, number: int, name: str, client: Client, symbols: Sequence[str]) -> None:
        self.number = number
        self.name = name
        self._client = client
        self._symbols = symbols
        self._failures = 0
        self.asked = 0.0
        self.rests_until = 0.0
        self.answer: Future[list[Quote]] | None = None

    def ask(self, now: float) -> None:
        """Begin to fetch in a thread, unless an answer is awaited or the source rests."""
        if self.answer is not None or now < self.rests_until:
            return
        answer: Future[list[Quote]] = Future()
        self.answer, self.asked = answer, now
        threading.Thread(target=self._fetch, args=(answer,), name=self.name, daemon=True).start()

    def take(self, now: float, oldest: float) -> list[Quote]:
        """The quotes that were asked for after `oldest`, if they came; nothing otherwise."""
        answer = self.answer
        if answer is None or not answer.done():
            return []
        self.answer = None
        error = answer.exception()
        if error is not None:
            self._failures += 1
            rest = FIRST_BACKOFF * 2 ** min(self._failures - 1, 16)
            self.rests_until = now + min(rest, LONGEST_BACKOFF)
            self.warn(f"{type(error).__name__}: {str(error)[:200]}")
            return []
        if self.asked < oldest:
            self.warn("the answer came too late")
            return []
        self._failures = 0
        return answer.result()

    def warn(self, reason: str, symbol: str = "") -> None:
        """Log why something of this source is left out."""
        name = f"{self.name} {symbol}".strip()
        LOG.warning("left out", extra={"reason": f"{name}: {reason}"})

    def _fetch(self, answer: "Future[list[Quote]]") -> None:
        try:
            answer.set_result(self._quotes())
        except BaseException as error:
            answer.set_exception(error)

    def _quotes(self) -> list[Quote]:
        self._client.load_markets()
        names = {symbol: self._market(symbol) for symbol in self._symbols}
        wanted = [name for name in names.values() if name is not None]
        if not wanted:
            raise ValueError(f"has no market of {', '.join(self._symbols)}")
        if self._client.has.get("fetchTickers"):
            tickers = self._client.fetch_tickers(wanted)
        else:
            tickers = {name: self._client.fetch_ticker(name) for name in wanted}
        quotes = []
        for symbol, name in names.items():
            ticker = tickers.get(name) if name is not None else None
            if ticker is not None:
                quotes += self._quote(symbol, ticker)
        return quotes

    def _market(self, symbol: str) -> str | None:
        """The exchange's market of a token: the first quote token that it has."""
        markets = self._client.markets or {}
        for quote in QUOTE_SYMBOLS:
            market = markets.get(f"{symbol}/{quote}")
            if market is not None and market.get("active") is not False:
                return f"{symbol}/{quote}"
        return None

    def _quote(self, symbol: str, ticker: Ticker) -> list[Quote]:
        """The quote in a ticker, or nothing where it has none."""
        stamp = ticker.get("timestamp")
        if isinstance(stamp, int) and stamp < time.time_ns() // 10**6 - MAX_AGE_MS:
            self.warn("the quote is old by the exchange's own stamp", symbol)
            return []
        try:
            bid, ask, last = (price_from_text(str(ticker.get(each))) for each in _PRICES)
        except ValueError as error:
            self.warn(str(error), symbol)
            return []
        return [Quote(symbol, self.number, bid, ask, last)]


_PRICES = ("bid", "ask", "last")


class ExchangeFeed:
    """Reads all sources every `interval` seconds, and waits `deadline` seconds for them at most."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        symbols: Sequence[str],
        *,
        interval: float = 5.0,
        deadline: float = 6.0,
        gate: Gate | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sources = [
            Source(number, name, client, symbols)
            for number, (name, client) in enumerate(clients.items())
        ]
        self._interval = interval
        self._deadline = deadline
        self._gate = gate or Gate()
        self._clock = clock

    def read(self) -> Reading:
        """Ask every source that does not rest, and take what comes in time and passes."""
        started = self._clock()
        for source in self.sources:
            source.take(started, started)
            source.ask(started)
        wait(
            [source.answer for source in self.sources if source.answer is not None],
            self._deadline,
        )
        now = self._clock()
        quotes = [
            quote
            for source in self.sources
            for quote in source.take(now, started)
            if self._passes(source, quote)
        ]
        return Reading(quotes, max(0.0, started + self._interval - now))

    def _passes(self, source: Source, quote: Quote) -> bool:
        verdict = self._gate.judge(quote)
        if not verdict.passes:
            source.warn(verdict.reason, quote.symbol)
        return verdict.passes
