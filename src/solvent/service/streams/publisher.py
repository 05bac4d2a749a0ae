"""The publisher: commands and their events in, messages of all streams out.

Trades, liquidations and orders are told at once, one message each. What is a state, namely depth,
tickers, candles, marks and balances, is gathered and told by `flush`, once a tick and only where it
changed, so that a burst costs a client one message a stream. Everything is made of events, except
balances, which are asked of the engine at the flush: it must stand still then.

Times are those of the commands and never go back; only the pace of the slower streams of depth is
the clock's. Absent: sockets, and the past beyond what `restore` and `recall` are told.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

from solvent.domain import events as e
from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event
from solvent.domain.parameters import EngineParameters
from solvent.domain.readings import PriceReading
from solvent.history.followers.candles import DAY, INTERVALS, MINUTE, start_of
from solvent.history.followers.orders import KINDS as ORDER_KINDS
from solvent.history.followers.orders import Order
from solvent.history.followers.transfers import KINDS as TRANSFER_KINDS
from solvent.history.tables.rows import CandleRow, PriceKind, TickerRow
from solvent.service.api.objects.markets import Depth
from solvent.service.api.objects.streams import Payload, WaterfallStep
from solvent.service.api.shapes import market_symbol
from solvent.service.streams import payloads
from solvent.service.streams.balances import BalanceWatch, Holdings
from solvent.service.streams.books import Books, Level, Watcher
from solvent.service.streams.bridge import Bridge
from solvent.service.streams.candles import CandleNews, Figures, Tape
from solvent.service.streams.payloads import Moment
from solvent.service.streams.reports import Reports
from solvent.service.streams.subscriptions import (
    PACES,
    WATERFALL,
    Subscriptions,
    Topic,
    stream_names,
)
from solvent.service.streams.waterfall import Waterfall

_MS = 1000
_FOLLOWED = ORDER_KINDS.union(TRANSFER_KINDS, map(kind_number, (e.IndexUpdated, e.MarkUpdated)))
"""Kinds of events, by number, that more follows from than that balances changed."""
_READ = _FOLLOWED | {kind_number(e.Stepped)}
"""Those, and what says when each pass of a time step was."""


class Questions(Holdings, Protocol):
    """What is asked of the engine, while it stands still."""

    def price(self, asset: int) -> PriceReading:
        """Index and mark."""


class History(Protocol):
    """Who knows what was traded before, to the last committed command."""

    def ticker(self, asset: int, interval: str, now: int) -> TickerRow | None:
        """What was traded in the last day."""

    def klines(
        self,
        asset: int,
        interval: str,
        start: int,
        end: int,
        kind: PriceKind = PriceKind.LAST,
        limit: int = 1,
    ) -> Sequence[CandleRow]:
        """Candles that begin at `start` or later and before `end`."""


class _Pace:
    """A stream of one book: what gathers for it, and when it may be told next."""

    def __init__(self, name: str, milliseconds: int, watcher: Watcher) -> None:
        self.topic = Topic(name)
        self.seconds = milliseconds / _MS
        self.watcher = watcher
        self.due = 0.0


class _Market:
    """What is known of one market besides its book."""

    def __init__(self, symbol: str, paces: list[_Pace]) -> None:
        self.symbol = symbol
        self.paces = paces
        self.tape = Tape()
        self.index = 0
        self.mark = 0
        self.marked = 0
        self.is_mark_news = False
        self.told_top: tuple[Level | None, Level | None] | None = None
        self.told_day: Figures | None = None


class Publisher:
    """Makes the messages of all streams; see the module.

    `clock` (seconds) paces slower streams; with `secret` pseudonyms are made.
    """

    def __init__(
        self,
        parameters: EngineParameters,
        clock: Callable[[], float] = time.monotonic,
        secret: bytes = b"",
    ) -> None:
        self.subscriptions = Subscriptions()
        self.streams = stream_names(parameters)
        self._parameters = parameters
        self._clock = clock
        self._now = parameters.start_time
        self._minute = self._now // MINUTE
        self._has_published = False
        self._questions: Questions | None = None
        self._books = Books(
            asset for asset, about in enumerate(parameters.assets) if about.market is not None
        )
        self._markets = self._new_markets()
        self.waterfall = Waterfall(parameters, secret)
        self.bridge = Bridge(parameters)
        self._reports = Reports(parameters, self.subscriptions)
        self._balances = BalanceWatch(parameters, self.subscriptions)

    def _new_markets(self) -> dict[int, _Market]:
        found = {}
        for asset, book in self._books.by_asset.items():
            symbol = market_symbol(self._parameters, asset)
            paces = [
                _Pace(f"{kind}.{symbol}", milliseconds, Watcher(book))
                for kind, milliseconds in PACES.items()
            ]
            found[asset] = _Market(symbol, paces)
        return found

    # The beginning.

    def restore(
        self,
        questions: Questions,
        orders: Iterable[Order] = (),
        commands: int = 0,
    ) -> None:
        """Begin with the market as it is after so many commands; `orders` have not ended then."""
        self._questions = questions
        self._books.restore(orders, commands)
        self._markets = self._new_markets()
        assets = range(len(self._parameters.assets))
        self.bridge.restore([questions.price(asset).mark for asset in assets])
        for asset, market in self._markets.items():
            price = questions.price(asset)
            market.index, market.mark = price.index, price.mark

    def recall(self, history: History, now: int) -> None:
        """Begin with the candles and the last 24 hours that `history` has; after `restore`."""
        self._now = max(self._now, now)
        self._minute = self._now // MINUTE
        self.bridge.recall(self._now)
        for asset, market in self._markets.items():
            ticker = history.ticker(asset, "1d", now)
            if ticker is None:
                continue
            candles: dict[str, CandleRow] = {}
            for interval, (length, _) in INTERVALS.items():
                rows = history.klines(asset, interval, start_of(now, length), now + 1)
                candles.update((interval, row) for row in rows)
            since = start_of(now, MINUTE) - DAY
            minutes = history.klines(asset, "1m", since, now + 1, limit=DAY // MINUTE + 1)
            market.tape.restore(ticker.last, candles, minutes)

    # What happens.

    def publish(self, time_us: int, transcript: Transcript, queries: Questions) -> None:
        """Durable commands and what they led to.

        `queries` is not asked before the next flush.
        """
        self._questions = queries
        self._has_published = True
        before, self._now = self._now, max(self._now, time_us)
        self._balances.note(transcript)
        steps = deque(self.waterfall.follow(self._now, transcript))
        self.bridge.follow(self._now, transcript)
        if transcript.present.isdisjoint(_FOLLOWED):
            self._tell_steps(steps, transcript.end)
            return
        for index, events in transcript.by_command(_READ):
            self._tell_steps(steps, transcript.first + index)
            for time_of_pass, event in _timed(events, time_us):
                self._now = max(before, time_of_pass)
                self._reports.when = Moment(self._now, time_of_pass)
                self._follow(event)
            self._now = max(before, time_us)
            self._finish(transcript.first + index + 1, time_us)
        self._tell_steps(steps, transcript.end)

    def _tell_steps(self, steps: deque[WaterfallStep], command: int) -> None:
        """Tell those up to a command: before what else it led to, behind what came earlier."""
        while steps and steps[0].command <= command:
            self.subscriptions.send(Topic(WATERFALL), steps.popleft())

    def _finish(self, commands: int, time_us: int) -> None:
        """Close the last of so many commands."""
        for asset, levels in self._books.finish(commands, time_us).items():
            for pace in self._markets[asset].paces:
                pace.watcher.note(levels)

    def _follow(self, event: Event) -> None:
        happened = self._reports.when.happened
        match event:
            case e.Filled():
                taker, maker = self._books.follow(event, happened)
                tape = self._markets[event.asset].tape
                tape.trade(self._now, event.price, event.quantity, event.quote)
                self._reports.filled(event, taker, maker)
            case e.TriggerPlaced():
                self._reports.waits(*self._books.follow(event, happened))
            case e.TriggerFailed():
                self._reports.failed(*self._books.follow(event, happened))
            case e.OrderAccepted() | e.Triggered():
                self._reports.entered(*self._books.follow(event, happened))
            case e.OrderRested():
                self._books.follow(event, happened)
            case e.OrderCancelled():
                self._reports.cancelled(*self._books.follow(event, happened))
            case e.OrderExpired():
                self._reports.expired(*self._books.follow(event, happened))
            case e.IndexUpdated() | e.MarkUpdated():
                self._marked(event.asset, event.index, event.mark)
            case _:
                self._reports.transferred(event)

    def _marked(self, asset: int, index: int, mark: int) -> None:
        market = self._markets[asset]
        market.index, market.mark = index, mark
        market.marked = self._reports.when.happened
        market.is_mark_news = True

    # What is known.

    def depth(self, asset: int, limit: int) -> Depth:
        """The best `limit` levels of a market, under the update id that streams count with."""
        return payloads.depth_answer(self._parameters, asset, self._books.by_asset[asset], limit)

    # The tick.

    @property
    def has_news(self) -> bool:
        """Whether there is anything to flush."""
        return self._has_published or any(
            pace.watcher.has_news for market in self._markets.values() for pace in market.paces
        )

    def flush(self) -> None:
        """Tell all that gathered; the engine must stand still."""
        self._has_published = False
        clock = self._clock()
        minute = self._now // MINUTE
        for asset, market in self._markets.items():
            self._flush_depth(asset, market, clock)
            self._flush_top(asset, market)
            self._flush_trades(asset, market, is_new_minute=minute != self._minute)
            self._flush_mark(asset, market)
            if minute != self._minute:
                self._tell(
                    f"openInterest.{market.symbol}",
                    partial(payloads.open_interest, self._parameters, asset, self._now),
                )
        self._minute = minute
        if self._questions is not None:
            self._balances.tell(self._questions, self._now)

    def _flush_depth(self, asset: int, market: _Market, clock: float) -> None:
        for pace in market.paces:
            if not self.subscriptions.has(pace.topic):
                pace.watcher.skip()
            elif pace.watcher.has_news and clock >= pace.due:
                pace.due = clock + pace.seconds
                change = pace.watcher.take()
                shape = payloads.depth(self._parameters, asset, change, self._now)
                self.subscriptions.send(pace.topic, shape)

    def _flush_top(self, asset: int, market: _Market) -> None:
        stream = f"bookTicker.{market.symbol}"
        if not self.subscriptions.has(Topic(stream)):
            return
        book = self._books.by_asset[asset]
        top = book.best_bid(), book.best_ask()
        if top != market.told_top:
            market.told_top = top
            self._tell(
                stream,
                lambda: payloads.book_ticker(self._parameters, asset, book, self._now),
                stream,
            )

    def _flush_trades(self, asset: int, market: _Market, *, is_new_minute: bool) -> None:
        def tell(news: CandleNews) -> None:
            stream = f"kline.{news.interval}.{market.symbol}"
            key = None if news.is_closed else f"{stream} {news.candle.start}"
            self._tell(
                stream,
                lambda: payloads.kline(self._parameters, asset, news, self._now),
                key,
            )

        traded = market.tape.fold(self._now, tell)
        stream = f"ticker.{market.symbol}"
        if not (traded or is_new_minute) or not self.subscriptions.has(Topic(stream)):
            return
        day = market.tape.day(self._now)
        if day is not None and day != market.told_day:
            market.told_day = day
            self._tell(
                stream, lambda: payloads.ticker(self._parameters, asset, day, self._now), stream
            )

    def _flush_mark(self, asset: int, market: _Market) -> None:
        if not market.is_mark_news:
            return
        market.is_mark_news = False
        stream = f"markPrice.{market.symbol}"
        when = Moment(self._now, market.marked)
        self._tell(
            stream,
            lambda: payloads.mark_price(self._parameters, asset, market.index, market.mark, when),
            stream,
        )

    def _tell(self, stream: str, payload: Callable[[], Payload], key: str | None = None) -> None:
        self.subscriptions.tell(Topic(stream), payload, key)


def _timed(events: Sequence[Event], time_us: int) -> Iterator[tuple[int, Event]]:
    """Events of a command with their time: in a step of several passes that of their pass."""
    waiting: list[Event] = []
    for event in events:
        if isinstance(event, e.Stepped):
            yield from ((event.time, each) for each in waiting)
            waiting.clear()
        else:
            waiting.append(event)
    yield from ((time_us, each) for each in waiting)
