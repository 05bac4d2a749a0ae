"""The runner: a scenario goes in, figures and hashes come out.

    set up    accounts open, prices are quoted, people deposit, lend and borrow, makers quote
    step      parameters that change, people who act, makers re-quote, prices, then the time step

People who ask for more than a limit allows take what it does allow, as somebody would who looked at
the preview first: a refused loan or withdrawal is asked for once more at the largest amount named
in the refusal. Everything else that is refused stays refused, and is counted.

The engine alone decides what happens. A run with the same scenario, prices, accounts and seed gives
the same commands and events; nothing here reads a clock or draws a number but from the seed.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from solvent.domain.commands import (
    Borrow,
    Command,
    TimeStep,
    UpdatePrice,
    Withdraw,
)
from solvent.domain.engine_face import Engine
from solvent.domain.events import Event, Refused
from solvent.domain.parameters import EngineParameters, Policy
from solvent.domain.units import INT64_MAX
from solvent.journal.event_hash import EventHasher
from solvent.journal.run_log import RunLogWriter
from solvent.lab.feed import Feed, Foreign, foreign_feed, own_feed
from solvent.lab.figures import Recorder
from solvent.lab.market_makers import MarketMakers
from solvent.lab.population import Crowd, Population, crowd
from solvent.lab.prices import time_text
from solvent.lab.providers import Providers
from solvent.lab.report import write_report
from solvent.lab.scenario_model import Scenario
from solvent.reference.engine import ReferenceEngine
from solvent.views.receipt_codec import receipt_line
from solvent.views.receipts import ReceiptBuilder

FIRST_ACCOUNT = 2
"""The fund and the treasury come before."""

RECEIPTS = "receipts.jsonl"
REPORT = "report.html"


EngineFactory = Callable[[EngineParameters], Engine]
Progress = Callable[[int, int], None]
"""Called with the steps done and all steps."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came out: `figures` and `series` are plain JSON, `notes` what had to be assumed."""

    figures: dict[str, Any]
    series: dict[str, Any]
    notes: tuple[str, ...]


def run(
    scenario: Scenario,
    *,
    prices: str | Path | None = None,
    sort_prices: bool = False,
    symbol: str | None = None,
    window: str | None = None,
    policy: Policy | None = None,
    default_policy: Policy | None = None,
    accounts: int | None = None,
    seed: int | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
    engine_factory: EngineFactory = ReferenceEngine,
) -> RunResult:
    """Carry a scenario out.

    - prices, sort_prices, symbol, window: another price file and how to read it (see `feed`).
    - policy, default_policy: how ADL picks who pays a stuck lender (case L) and which lenders
      settle a default (case B), instead of the scenario's.
    - accounts: how many people; sizes and the groups' shares stay, everything else scales.
    - seed: of the population and of the engine's draws.
    - out: a folder, missing or empty, for commands.log, events.log, receipts.jsonl, report.html
      and run.json: all of them or nothing.

    Raises InputError for what is wrong with a file or an argument, before anything is written.
    """
    if seed is not None and not 0 <= seed <= INT64_MAX:
        raise scenario.error("seed", f"must lie between 0 and {INT64_MAX}, is {seed}")
    scenario = _adjusted(scenario, policy, default_policy, seed)
    if prices is None:
        feed = own_feed(scenario)
    else:
        feed = foreign_feed(scenario, Foreign(Path(prices), sort_prices, symbol, window))
    people = crowd(scenario, accounts)
    with ExitStack() as stack:
        cast = _Cast(scenario, feed, people)
        log = None
        if out is not None:
            log = _Log(stack.enter_context(RunLogWriter(out, feed.parameters)), feed.parameters)
        stage = _Stage(feed.parameters, engine_factory, log)
        cast.set_up(stage)
        for number in range(1, feed.steps + 1):
            cast.step(stage, number)
            if progress is not None:
                progress(number, feed.steps)
        figures = _head(scenario, feed, people) | stage.finish()
        series = stage.recorder.all_series()
        if log is not None:
            log.finish(figures, series, stage.state_hash)
    return RunResult(figures, series, feed.notes)


def _adjusted(
    scenario: Scenario, policy: Policy | None, default_policy: Policy | None, seed: int | None
) -> Scenario:
    """The scenario with other policies or another seed in its parameters."""
    parameters = scenario.parameters
    waterfall = parameters.waterfall
    if policy is not None:
        waterfall = replace(waterfall, lender_policy=policy)
    if default_policy is not None:
        waterfall = replace(waterfall, default_policy=default_policy)
    parameters = replace(parameters, waterfall=waterfall)
    if seed is not None:
        parameters = replace(parameters, seed=seed)
    return replace(scenario, parameters=parameters)


def _head(scenario: Scenario, feed: Feed, people: Crowd) -> dict[str, Any]:
    """What was run, by the names that reports use."""
    waterfall = scenario.parameters.waterfall
    return {
        "scenario": scenario.name,
        "description": scenario.description,
        "source": scenario.source,
        "seed": scenario.parameters.seed,
        "policy": waterfall.lender_policy.name.lower(),
        "default_policy": waterfall.default_policy.name.lower(),
        "accounts": people.accounts,
        "assets": [asset.symbol for asset in scenario.parameters.assets],
        "start": time_text(feed.start),
        "end": time_text(feed.end),
    }


class _Log:
    """What a run writes: the logs, a receipt a settlement, and the report."""

    def __init__(self, writer: RunLogWriter, parameters: EngineParameters) -> None:
        self._writer = writer
        self._builder = ReceiptBuilder(parameters)
        self._commands = 0
        self._lines: list[str] = []

    def append(self, command: Command, events: tuple[Event, ...]) -> None:
        """Write down a command and what came of it."""
        self._writer.append(command, events)
        for receipt in self._builder.feed(self._commands, events):
            self._lines.append(receipt_line(receipt) + "\n")
        self._commands += 1

    def event_hash(self) -> str:
        """The event hash of everything so far."""
        return self._writer.event_hash()

    def finish(self, figures: dict[str, Any], series: dict[str, Any], state_hash: str) -> None:
        """Write the receipts, the report and, last, the manifest, which covers them all."""
        receipts = self._writer.path(RECEIPTS)
        with receipts.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(self._lines)
        write_report(figures, series, receipts, self._writer.path(REPORT))
        self._writer.finish(figures, state_hash)


class _Stage:
    """The engine and everybody who listens to it."""

    def __init__(
        self,
        parameters: EngineParameters,
        engine_factory: EngineFactory,
        log: _Log | None,
    ) -> None:
        self.engine = engine_factory(parameters)
        self.recorder = Recorder(parameters)
        self.state_hash = ""
        self._log = log
        self._hasher = EventHasher()

    def play(self, commands: Iterable[Command]) -> None:
        """Send commands in one batch."""
        batch = list(commands)
        for command, events in zip(batch, self.engine.apply(batch), strict=True):
            self._hear(command, events)

    def play_person(self, command: Command) -> None:
        """Send one person's command; once more with what a limit leaves, where it was refused."""
        (events,) = self.engine.apply([command])
        self._hear(command, events)
        if isinstance(command, Borrow | Withdraw) and isinstance(events[0], Refused):
            largest = events[0].largest
            if 0 < largest < command.quantity:
                self.play([replace(command, quantity=largest)])

    def _hear(self, command: Command, events: tuple[Event, ...]) -> None:
        self.recorder.hear(events)
        if self._log is None:
            self._hasher.update(events)
        else:
            self._log.append(command, events)

    def finish(self) -> dict[str, Any]:
        """Figures and hashes of the whole run."""
        self.state_hash = self.engine.state_hash()
        hashed = self._hasher.hexdigest() if self._log is None else self._log.event_hash()
        name = type(self.engine).__name__.removesuffix("Engine").lower()
        return {
            "engine": name,
            **self.recorder.figures(),
            "state_hash": self.state_hash,
            "event_hash": hashed,
        }


class _Cast:
    """Everybody who sends commands: people, makers, providers, the feed and the schedule."""

    def __init__(self, scenario: Scenario, feed: Feed, people: Crowd) -> None:
        self._scenario = scenario
        self._feed = feed
        self._assets = range(1, len(feed.tracks))
        self._makers = MarketMakers(scenario, people, FIRST_ACCOUNT)
        providers_first = FIRST_ACCOUNT + len(self._makers.makers)
        self._providers = Providers(scenario, people, providers_first)
        self._population = Population(
            scenario,
            people,
            scenario.parameters.seed,
            providers_first + len(self._providers.accounts),
            lambda after: lambda asset: feed.price(asset, feed.start + after),
        )

    def set_up(self, stage: _Stage) -> None:
        """Everything before the first step."""
        start = self._feed.start
        stage.play(self._makers.open())
        stage.play(self._providers.open())
        stage.play(self._population.open())
        stage.play(self._prices(start))
        for maker in self._makers.makers:
            stage.play(maker.setup(self._feed.price(maker.asset, start)))
        stage.play(self._providers.setup(lambda asset: self._feed.price(asset, start)))
        stage.play(self._population.setup())
        self._people(stage, -1, 0)
        stage.play(self._quotes(start))
        stage.recorder.see(stage.engine)

    def step(self, stage: _Stage, number: int) -> None:
        """One step of time and what leads up to it."""
        after = number * self._feed.step
        since = after - self._feed.step
        time = self._feed.start + after
        stage.play(self._changes(since, after))
        self._people(stage, since, after)
        stage.play(self._quotes(time))
        stage.play(self._prices(time))
        stage.play([TimeStep(time)])
        stage.recorder.see(stage.engine)

    def _people(self, stage: _Stage, since: int, until: int) -> None:
        for command in self._population.loans(since, until):
            stage.play_person(command)
        for action in self._scenario.actions:
            if action.after <= until and since < action.after + action.spread_over + 1:
                for command in self._population.deeds(action, since, until):
                    stage.play_person(command)

    def _changes(self, since: int, until: int) -> Iterator[Command]:
        for change in self._scenario.changes:
            if since < change.after <= until:
                yield change.command

    def _prices(self, time: int) -> Iterator[Command]:
        for asset in self._assets:
            if self._feed.quoted(asset, time):
                price = self._feed.price(asset, time)
                yield UpdatePrice(asset, 0, price, price, price)

    def _quotes(self, time: int) -> Iterator[Command]:
        for maker in self._makers.makers:
            multiplier = self._makers.multiplier(time - self._feed.start)
            yield from maker.quotes(self._feed.price(maker.asset, time), multiplier)
