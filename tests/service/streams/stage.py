"""A stage: a simulated market, its publisher, and somebody who listens to everything.

Commands come from the simulator; both engines carry them out, and the publisher hears of the fast
one's events, so that what it made of them can be held against the reference's state.
"""

import asyncio
import json
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command, Side
from solvent.domain.events import Event
from solvent.domain.parameters import EngineParameters
from solvent.engine.engine import FastEngine
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.market import random_parameters
from solvent.reference.engine import ReferenceEngine
from solvent.service.api.shapes import market_symbol, price_text, quantity_text
from solvent.service.core.open_orders import OpenOrders
from solvent.service.streams.publisher import Publisher
from solvent.service.streams.subscriptions import Consumer, Topic

Levels = dict[str, str]


class Message(NamedTuple):
    """What a listener got."""

    stream: str
    data: dict[str, Any]

    def text(self, key: str) -> str:
        """A field that is a text."""
        value = self.data[key]
        assert isinstance(value, str), (key, value)
        return value

    def number(self, key: str) -> int:
        """A field that is an integer."""
        value = self.data[key]
        assert isinstance(value, int), (key, value)
        return value

    def levels(self, key: str) -> Levels:
        """A field of prices and quantities."""
        value = self.data[key]
        assert isinstance(value, list)
        found = {}
        for level in value:
            assert isinstance(level, list)
            price, quantity = level
            assert isinstance(price, str)
            assert isinstance(quantity, str)
            found[price] = quantity
        return found


class Listener:
    """Somebody who listens and never lags."""

    def __init__(self, publisher: Publisher) -> None:
        self._subscriptions = publisher.subscriptions
        self.consumer = Consumer(10**9, 10**12)

    def join(self, *topics: Topic) -> None:
        """Listen to these."""
        self._subscriptions.join(self.consumer, topics)

    def leave(self, *topics: Topic) -> None:
        """Listen to these no more."""
        self._subscriptions.leave(self.consumer, topics)

    def heard(self) -> list[Message]:
        """All that came since the last time."""
        self.consumer.offer("null")
        texts = asyncio.run(self.consumer.take())
        return [Message(each["stream"], each["data"]) for each in map(json.loads, texts) if each]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


class Stage:
    """A market by seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.parameters, anchors = random_parameters(self.rng)
        self.reference = ReferenceEngine(self.parameters)
        self.engine = FastEngine(self.parameters)
        self.queries = self.engine.queries
        self.clock = Clock()
        self.publisher = Publisher(self.parameters, self.clock)
        self.orders = OpenOrders()
        self.commands = 0
        self._moves = Moves(self.rng, self.reference, anchors)

    def play(self, commands: int) -> Iterator[tuple[Command, tuple[Event, ...]]]:
        """Carry out so many commands; each comes with its events when it was published."""
        self.publisher.restore(self.queries, self.orders.all(), self.commands)
        yield from self.go_on(commands)

    def go_on(self, commands: int) -> Iterator[tuple[Command, tuple[Event, ...]]]:
        """The same with a publisher that has begun."""
        for _ in range(commands):
            plan = self._moves.next()
            if plan is None:
                continue
            self.reference.apply_one(plan.command)
            events = self.engine.apply_one(plan.command)
            transcript = Transcript.of(self.commands, [(plan.command, events)])
            self.publisher.publish(self.engine.now, transcript, self.queries)
            self.orders.follow(events, self.engine.now)
            self.commands += 1
            yield plan.command, events

    def levels(self, asset: int) -> tuple[Levels, Levels]:
        """The reference's bids and asks, best first, as clients read them."""
        return self._side(asset, Side.BID), self._side(asset, Side.ASK)

    def _side(self, asset: int, side: Side) -> Levels:
        state = self.reference.state
        book = state.books[asset]
        found: dict[int, int] = {}
        for number in book.bids if side is Side.BID else book.asks:
            order = state.orders[number]
            found[order.price] = found.get(order.price, 0) + order.quantity
        return {
            price_text(price): quantity_text(self.parameters, asset, quantity)
            for price, quantity in found.items()
        }

    @property
    def symbols(self) -> dict[str, int]:
        """Assets by the name of their market."""
        return symbols(self.parameters)


def symbols(parameters: EngineParameters) -> dict[str, int]:
    """Assets by the name of their market."""
    return {market_symbol(parameters, asset): asset for asset in range(1, len(parameters.assets))}
