"""Real commands and events for the views: the simulator's, and those of packaged scenarios."""

from collections.abc import Iterable, Iterator
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

from solvent.domain.codec.transcript import Entry, Transcript
from solvent.domain.commands import Command, TimeStep, Withdraw
from solvent.domain.events import Event, Stepped
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import HOUR
from solvent.engine.engine import FastEngine
from solvent.history.market_views import Applied, Views
from solvent.history.tables.memo import Memo
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.market import random_parameters
from solvent.reference.engine import ReferenceEngine
from solvent.reference.state import State

SEEDS = (4, 5, 7, 9, 19, 22, 25, 34, 38, 39, 57)
"""Simulations in which claims are handed over, debts and what was paid in kind are taken over, and
pools start anew."""
SCENARIOS = ("weth-stuck-2026-04", "short-squeeze")

Kind = TypeVar("Kind", bound=Event)


class Told(NamedTuple):
    """What views are told of one market, and what the engine came to."""

    parameters: EngineParameters
    records: list[Applied]
    state: State

    def events(self, kind: type[Kind]) -> Iterator[tuple[int, int, Kind]]:
        """(sequence, time, event) of every event of a kind; its time is that of its pass."""
        for end, (number, _, events) in self.entries():
            passes = [event.time for event in events if isinstance(event, Stepped)]
            for event in events:
                if isinstance(event, kind):
                    yield number, passes[0] if passes else end, event
                if isinstance(event, Stepped):
                    passes.pop(0)

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Every command with what it led to, and its time."""
        for time, transcript, _ in self.records:
            for entry in transcript:
                yield time, entry


@cache
def simulated(seed: int, commands: int = 1200) -> Told:
    """A simulation to the top of an hour; every withdrawal has a memo."""
    rng = Random(seed)
    parameters, anchors = random_parameters(rng)
    engine = ReferenceEngine(parameters)
    moves = Moves(rng, engine, anchors)
    records: list[Applied] = []
    while len(records) < commands:
        plan = moves.next()
        last = TimeStep(next_hour(engine.now)) if len(records) == commands - 1 else None
        command = last or (plan.command if plan is not None else None)
        if command is not None:
            events = tuple(engine.apply_one(command))
            number = len(records)
            transcript = Transcript.of(number, [(command, events)])
            records.append((engine.now, transcript, _memo(number, command)))
    return Told(parameters, records, engine.state)


def next_hour(now: int) -> int:
    """The top of the hour, when histories know what indices are."""
    return now // HOUR * HOUR + HOUR


def _memo(number: int, command: Command) -> Memo | None:
    return Memo(f"w{number}", "an address", "Solana") if isinstance(command, Withdraw) else None


class Recording(FastEngine):
    """The fast engine, which keeps what it was told and said."""

    def __init__(self, parameters: EngineParameters) -> None:
        super().__init__(parameters)
        self.initial = parameters
        self.records: list[Applied] = []

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry commands out one by one and keep what they led to."""
        done = []
        for command in batch:
            (entry,) = super().apply([command])
            done.append((command, entry.events))
            transcript = Transcript.of(len(self.records), done[-1:])
            self.records.append((self.now, transcript, None))
        return Transcript.of(0, done)


@cache
def scenario(name: str) -> Told:
    """A packaged scenario, run on the fast engine."""
    engines: list[Recording] = []

    def make(parameters: EngineParameters) -> Recording:
        engines.append(Recording(parameters))
        return engines[-1]

    run(load_scenario(name), engine_factory=make)
    (engine,) = engines
    engine.apply([TimeStep(next_hour(engine.now))])
    state = ReferenceEngine.restore(engine.snapshot()).state
    return Told(engine.initial, engine.records, state)


def told(name: int | str) -> Told:
    """A simulation by its seed, or a scenario by its name."""
    return simulated(name) if isinstance(name, int) else scenario(name)


def filled(market: Told, url: str = ":memory:", size: int = 10**9) -> Views:
    """Views that were told everything, committed after every `size` commands."""
    views = Views.open(url, market.parameters)
    for record in market.records[views.applied :]:
        views.apply(*record)
        if views.applied % size == 0:
            views.commit()
    views.commit()
    return views


@cache
def views_of(name: int | str) -> Views:
    """Views of a market in memory, for questions."""
    return filled(told(name))
