"""Subscriptions: who listens to what, and how much may wait for whom.

A topic is a stream's name, and for an account's own streams the account. A message is encoded once
for all who listen. Each consumer has a bounded store of messages of its own: whose store is full is
cut off with a reason, and neither the market nor anybody else ever waits for him. A message of a
stream whose latest value is all that matters replaces the one that still waits; all others are kept
in their order and never lost, short of the cut.

Absent: sockets, which `sockets` owns, and what is in the messages.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import NamedTuple

from solvent.domain.parameters import USDC, EngineParameters
from solvent.history.followers.candles import INTERVALS
from solvent.service.api.objects.streams import Payload, StreamMessage
from solvent.service.api.shapes import market_symbol
from solvent.service.strict_json import encode

NAME_BYTES = 16
PUBLIC = -1
"""In place of an account in the topics of public streams."""
STAFF = -2
"""In place of an account in the topics of streams for staff."""

ORDERS = "account.orderUpdate"
BALANCES = "account.balanceUpdate"
POSITIONS = "account.positionUpdate"
RFQS = "account.rfqUpdate"
LIQUIDATIONS = "liquidation"
AUDIT = "audit"
WATERFALL = "waterfall"
PACES = {"depth": 0, "depth.200ms": 200, "depth.600ms": 600, "depth.1000ms": 1000}
"""Streams of a book, and how many milliseconds lie at least between two messages of one."""
_BY_MARKET = (*PACES, "bookTicker", "trade", "ticker", "markPrice", "openInterest")


class Topic(NamedTuple):
    """A stream, and whose it is."""

    stream: str
    account: int = PUBLIC


class CloseCode(IntEnum):
    """Why a connection ends: status codes of the WebSocket protocol."""

    GOING_AWAY = 1001
    POLICY = 1008
    TOO_BIG = 1009


class Cut(NamedTuple):
    """Why a consumer is cut off."""

    code: CloseCode
    reason: str


def is_private(stream: str) -> bool:
    """Whether a stream is for those who sign: an account's own, or staff's."""
    return stream.startswith("account.") or stream == AUDIT


def stream_names(parameters: EngineParameters) -> frozenset[str]:
    """The names of all streams there are."""
    symbols = [
        market_symbol(parameters, asset)
        for asset, about in enumerate(parameters.assets)
        if about.market is not None and asset != USDC
    ]
    names = {LIQUIDATIONS, WATERFALL, AUDIT, BALANCES, ORDERS, POSITIONS, RFQS}
    for symbol in symbols:
        names.update(f"{kind}.{symbol}" for kind in (*_BY_MARKET, ORDERS, POSITIONS, RFQS))
        names.update(f"kline.{interval}.{symbol}" for interval in INTERVALS)
    return frozenset(names)


class Consumer:
    """What waits for one client. `messages` and `size` (characters) bound it.

    `name` tells the connection from every other one; `signers` are the numbers of the keys that
    signed on it, and their versions then; `told` counts what it was offered.
    """

    def __init__(self, messages: int, size: int) -> None:
        self.topics: set[Topic] = set()
        self.name = secrets.token_hex(NAME_BYTES)
        self.signers: dict[int, int] = {}
        self.told = 0
        self.cut_off: Cut | None = None
        self._most = messages
        self._largest = size
        self._size = 0
        self._number = 0
        self._waiting: dict[int | str, str] = {}
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()

    def has_ended(self) -> bool:
        """Whether it is at its end."""
        return self.cut_off is not None

    def offer(self, text: str, key: str | None = None) -> None:
        """Let a message wait, in place of one with the same `key` that still does."""
        if self.has_ended():
            return
        self._number += 1
        self.told += 1
        place: int | str = key or self._number
        before = self._waiting.get(place)
        self._size += len(text) - (len(before) if before is not None else 0)
        self._waiting[place] = text
        self._changed.set()
        if len(self._waiting) > self._most or self._size > self._largest:
            self.cut(CloseCode.POLICY, f"too slow: {len(self._waiting)} messages waited to be read")

    def cut(self, code: CloseCode, reason: str) -> None:
        """End it; what waits is dropped. The first reason stays."""
        if self.cut_off is None:
            self.cut_off = Cut(code, reason)
            self._waiting.clear()
            self._size = 0
            self._changed.set()
            self._ended.set()

    async def wait_for_cut(self) -> None:
        """Wait until it is cut off."""
        await self._ended.wait()

    async def take(self) -> list[str]:
        """Wait for messages and take them all; none when it is cut off."""
        while not self._waiting and not self.has_ended():
            self._changed.clear()
            await self._changed.wait()
        taken = list(self._waiting.values())
        self._waiting.clear()
        self._size = 0
        return taken


class Subscriptions:
    """All topics and who listens to them."""

    def __init__(self) -> None:
        self._consumers: dict[Topic, dict[Consumer, None]] = {}

    def join(self, consumer: Consumer, topics: Iterable[Topic]) -> None:
        """Let a consumer listen; to listen twice changes nothing."""
        for topic in topics:
            self._consumers.setdefault(topic, {})[consumer] = None
            consumer.topics.add(topic)

    def leave(self, consumer: Consumer, topics: Iterable[Topic]) -> None:
        """Let a consumer listen no more; topics it did not listen to are passed over."""
        for topic in topics:
            listening = self._consumers.get(topic, {})
            listening.pop(consumer, None)
            if not listening:
                self._consumers.pop(topic, None)
            consumer.topics.discard(topic)

    def has(self, topic: Topic) -> bool:
        """Whether anybody listens."""
        return topic in self._consumers

    def tell(self, topic: Topic, payload: Callable[[], Payload], key: str | None = None) -> None:
        """Send what `payload` makes to all who listen; it is not called when nobody does."""
        if topic in self._consumers:
            self.send(topic, payload(), key)

    def send(self, topic: Topic, data: Payload, key: str | None = None) -> None:
        """Send an object to all who listen."""
        consumers = self._consumers.get(topic)
        if consumers:
            self.say(topic, encode(StreamMessage(stream=topic.stream, data=data)).decode(), key)

    def say(self, topic: Topic, text: str, key: str | None = None) -> None:
        """Send a message that is written already to all who listen."""
        for consumer in tuple(self._consumers.get(topic, ())):
            consumer.offer(text, key)
