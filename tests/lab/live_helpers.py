"""What tests of the live agents share: a watch that is set by hand, and a market that remembers."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command, TimeStep, UpdatePrice
from solvent.domain.events import Event
from solvent.domain.units import SECOND
from solvent.engine.engine import FastEngine
from solvent.lab.live.driver import LiveAgents, parameters_at
from solvent.lab.scenario.catalog import Scenario

DAY = 24 * 3600 * SECOND


class HandWatch:
    """A watch that moves when somebody waits on it; whoever waits past `until` is stopped."""

    def __init__(self, start: int, until: int) -> None:
        self.time = start
        self.until = until

    def now(self) -> int:
        """Microseconds UTC."""
        return self.time

    def wait(self, duration: int, stopped: threading.Event) -> None:
        """Move on."""
        assert duration > 0
        self.time += duration
        if self.time > self.until:
            stopped.set()


class Heard(FastEngine):
    """The engine, which keeps what was said and when; each batch takes `cost` of the watch."""

    watch: HandWatch
    cost = 0
    stop: Callable[[], None] | None = None

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry out and keep."""
        transcript = super().apply(batch)
        self.watch.time += self.cost
        if self.stop is not None and self.watch.time > self.watch.until:
            self.stop()
        for entry in transcript:
            self.said.append((self.watch.time, entry.command, entry.events))
        return transcript

    @property
    def said(self) -> list[tuple[int, Command, tuple[Event, ...]]]:
        """Moment, command and events."""
        return self.__dict__.setdefault("_said", [])  # type: ignore[no-any-return]

    def times(self) -> list[int]:
        """Of the time steps."""
        return [command.time for _, command, _ in self.said if isinstance(command, TimeStep)]

    def moments(self) -> list[int]:
        """When the time steps came, by the watch."""
        return [moment for moment, command, _ in self.said if isinstance(command, TimeStep)]

    def prices(self, asset: int) -> list[int]:
        """What was quoted."""
        return [
            command.last
            for _, command, _ in self.said
            if isinstance(command, UpdatePrice) and command.asset == asset
        ]


def market(scenario: Scenario, start: int, seconds: int) -> Heard:
    """A new market whose watch allows so many seconds."""
    engine = Heard(parameters_at(scenario, start))
    engine.watch = HandWatch(start, start + seconds * SECOND)
    return engine


def agents_of(scenario: Scenario, engine: Heard, **options: Any) -> LiveAgents:
    """Agents for that market."""
    start = engine.parameters.start_time
    return LiveAgents(scenario, engine, start=start, watch=engine.watch, **options)


def played(
    scenario: Scenario, seconds: int, start: int | None = None, cost: int = 0, **options: Any
) -> tuple[LiveAgents, Heard]:
    """Agents that played in a new market for so many seconds of the watch."""
    engine = market(scenario, scenario.start if start is None else start, seconds)
    agents = agents_of(scenario, engine, **options)
    agents.set_up()
    engine.cost, engine.stop = cost, agents.stop
    agents.run()
    return agents, engine
