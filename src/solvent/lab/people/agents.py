"""Agents: the accounts that send commands in a scenario, and the driver that passes them on.

    open      every account, in one batch
    set up    prices are quoted, members deposit, lend and borrow, makers quote
    step      the time step, parameters that change, prices, members that act, makers re-quote

A member that asks for more than a limit allows takes what it does allow, as a user does who looks
at the preview first: a refused loan or withdrawal is asked for again at the largest amount named in
the refusal. Everything else that is refused stays refused.

The agents send the same to a run's own engine and to a market that is served. Nothing here reads a
clock: what is sent at a step depends on the scenario, its prices and the seed alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import (
    Borrow,
    Command,
    PlaceOrder,
    TimeStep,
    UpdateSettings,
    Withdraw,
    WithdrawBackstop,
    one_moment,
)
from solvent.domain.events import Event, Filled, Refused, Stepped
from solvent.domain.waterfall_events import (
    BackstopFilled,
    BackstopLeg,
    LiquidationEnded,
    LiquidationStarted,
)
from solvent.lab.people.governors import Governors
from solvent.lab.people.market import Market, Prices
from solvent.lab.people.market_makers import MarketMakers
from solvent.lab.people.population import Crowd, Population
from solvent.lab.people.positions import NO_BOOK, Book, BookMembers, tightened
from solvent.lab.people.providers import Providers
from solvent.lab.people.roles import Role
from solvent.lab.people.triggers import Watch
from solvent.lab.report.parties import Party
from solvent.lab.scenario.model import Action, Scenario, Trigger
from solvent.reference.state import FUND, TREASURY

FILLS = frozenset({kind_number(Filled)})
HEARD = frozenset(map(kind_number, (Filled, BackstopFilled, BackstopLeg)))
REFUSALS = frozenset({kind_number(Refused)})
WATERFALL = frozenset(map(kind_number, (Stepped, LiquidationStarted, LiquidationEnded)))
FIRST_ACCOUNT = 2
"""The fund and the treasury come before."""


class Driver(ABC):
    """Sends commands to a market in batches; subclasses carry them out and hear the answers.

    How commands are cut into batches makes no difference to their events.
    """

    BATCH = 4096

    def __init__(self) -> None:
        self.liquidating = 0
        """How many accounts are in the waterfall, as the market said last."""

    @abstractmethod
    def carry_out(self, batch: list[Command]) -> Transcript:
        """Carry out commands in order."""

    @abstractmethod
    def utilization(self, asset: int) -> int:
        """How much of an asset's pool is lent out now, 10^-9."""

    @abstractmethod
    def hear(self, transcript: Transcript) -> None:
        """Take note of commands and their events."""

    def send(self, batch: list[Command]) -> Transcript:
        """Carry out commands in order, and hear of it."""
        transcript = self.carry_out(batch)
        for event in transcript.of_kinds(WATERFALL):
            if isinstance(event, Stepped):
                # The whole count, also for who came to a market in which some were there before.
                self.liquidating = event.liquidating
            else:
                self.liquidating += 1 if isinstance(event, LiquidationStarted) else -1
        self.hear(transcript)
        return transcript

    def run(self, commands: Iterable[Command]) -> None:
        """Send commands."""
        for _ in self._sent(commands):
            pass

    def run_for(self, commands: Iterable[Command], kinds: Collection[int]) -> Iterator[Event]:
        """Send commands; give the events of some kinds as they come."""
        for transcript in self._sent(commands):
            yield from transcript.of_kinds(kinds)

    def run_refused(self, commands: Iterable[Command]) -> int:
        """Send commands; how many of them were refused."""
        return sum(1 for _ in self.run_for(commands, REFUSALS))

    def _sent(self, commands: Iterable[Command]) -> Iterator[Transcript]:
        waiting = iter(commands)
        while batch := list(islice(waiting, self.BATCH)):
            yield self.send(batch)

    def run_agent(self, command: Command) -> None:
        """Send one member's command; where it was refused, again with what the limit leaves."""
        transcript = self.send([command])
        if isinstance(command, Borrow | Withdraw | WithdrawBackstop):
            first = transcript.event(0)
            if isinstance(first, Refused) and 0 < first.largest < command.quantity:
                self.run([replace(command, quantity=first.largest)])


class Agents:
    """Members, makers, providers, the prices and the schedule; accounts are numbered from `first`.

    With a `book` the engine must start with the `relaxed` parameters of the scenario; the set-up
    brings the scenario's own into force. `notes` say where the population is not as written.
    InputError where the scenario's groups cannot exist together.
    """

    def __init__(
        self,
        scenario: Scenario,
        prices: Prices,
        people: Crowd,
        first: int = FIRST_ACCOUNT,
        book: Book = NO_BOOK,
    ) -> None:
        self._scenario = scenario
        self._makers = MarketMakers(scenario, people, first)
        self._market = Market(scenario, prices, people, self._makers.multiplier)
        providers_first = first + len(self._makers.makers)
        self._providers = Providers(scenario, people, providers_first)
        members_first = providers_first + len(self._providers.accounts)
        self._population = Population(
            scenario,
            people,
            scenario.parameters.seed,
            members_first,
            lambda after: lambda asset: prices.price(asset, prices.start + after),
        )
        self._first = first
        self._book_first = members_first + len(self._population.members)
        self._book = BookMembers(book, self._book_first)
        self.next_account = self._book_first + len(book.names)
        self._relaxed = book.file is not None
        self.notes = self._population.notes
        self._watch = Watch((), lambda asset: prices.price(asset, prices.start))
        self._governors = Governors(scenario.governors)

    def fork(self, prices: Prices) -> "Agents":
        """Agents who did the same so far and go on with other prices."""
        other = deepcopy(self)
        other._market.follow(prices)
        return other

    @property
    def parties(self) -> tuple[Party, ...]:
        """Everybody by what they are: the fund, the treasury, makers, providers, each group."""
        providers = [account for account, _ in self._providers.accounts]
        groups: dict[str, list[int]] = {group.name: [] for group in self._scenario.groups}
        for member in self._population.members:
            groups[member.group.name].append(member.account)
        return (
            Party("backstop fund", (FUND,), Role.FUND),
            Party("treasury", (TREASURY,), Role.TREASURY),
            Party("market makers", [each.account for each in self._makers.makers], Role.MAKER),
            Party("backstop providers", providers, Role.PROVIDER),
            *(Party(name, accounts) for name, accounts in groups.items()),
            Party("accounts of the book", range(self._book_first, self.next_account)),
        )

    def impact(self) -> dict[str, Any] | None:
        """How far they moved prices, for reports; None where prices do not answer to them."""
        return self._market.record()

    def open(self) -> Iterator[Command]:
        """Open every account."""
        yield from self._makers.open()
        yield from self._providers.open()
        yield from self._population.open()
        yield from self._book.open()

    def set_up(self, driver: Driver) -> None:
        """Everything between the opening of accounts and the first step."""
        start = self._market.start
        self._watch = Watch(self._triggers(), lambda asset: self._market.price(asset, start))
        driver.run(self._market.quotes(start))
        for maker in self._makers.makers:
            driver.run(maker.setup(self._market.price(maker.asset, start)))
        driver.run(self._providers.setup(lambda asset: self._market.price(asset, start)))
        driver.run(self._population.setup())
        self._people(driver, -1, 0)
        driver.run(self._book.setup())
        refused = driver.run_refused(self._book.loans())
        if refused:
            said = "not put in: the account is worth less than a hundredth of what it owes"
            self.notes = (*self.notes, f"{refused} loans of the book were {said}")
        if self._relaxed:
            driver.run(tightened(self._scenario.parameters))
            driver.run(self._leverage())
        driver.run(self._governors.begin())
        driver.run(self._quotes(start))

    def _leverage(self) -> Iterator[Command]:
        """The scenario's own leverage limit for makers and providers.

        Accounts of the book keep theirs: some stand above it, and none of them borrows again.
        """
        limit = self._scenario.parameters.max_leverage
        for account in range(self._first, self._book_first):
            yield UpdateSettings(account, leverage_limit=limit)

    def next_step(self, driver: Driver, since: int, until: int) -> int:
        """When the step after `since` ends: at `until`, or at the waterfall's next pass before it.

        While anybody is liquidating a step is one of the waterfall's: makers then quote between two
        passes, so neither the pace of a liquidation nor the depth that it meets hangs on how long
        the scenario's steps are.
        """
        if not driver.liquidating:
            return until
        start, interval = self._market.start, self._scenario.parameters.waterfall.interval
        return min(until, ((start + since) // interval + 1) * interval - start)

    def step(self, driver: Driver, since: int, until: int, *, keeps_time: bool = True) -> None:
        """One step, from `since` to `until` microseconds after the start, and what happens then.

        Time passes first, unless another client keeps it: what is known at `until` must not be
        known before, and whoever acts then acts on the prices of that moment.
        """
        time = self._market.start + until
        self._market.pass_time(until)
        clock = [TimeStep(time)] if keeps_time else []
        prices = one_moment(self._market.quotes(time))
        for event in driver.run_for(chain(clock, self._changes(since, until), prices), HEARD):
            if isinstance(event, Filled):
                self._trade(event)
            else:
                assert isinstance(event, BackstopFilled | BackstopLeg)
                self._providers.hear(event)
        self._leave(driver, until)
        for order in self._providers.unwind(until - since):
            for fill in self._fills(driver, order):
                driver.run(self._providers.traded(fill))
        self._people(driver, since, until)
        driver.run(self._governors.look(until, driver.utilization))
        driver.run(self._quotes(time))

    def _people(self, driver: Driver, since: int, until: int) -> None:
        for command in self._population.loans(since, until):
            driver.run_agent(command)
        for action in self._begun():
            ended = since >= action.after + action.spread_over + 1
            if action.after <= until and (action.repeats or not ended):
                for command in self._population.actions(action, since, until):
                    if isinstance(command, PlaceOrder):
                        list(self._fills(driver, command))
                    else:
                        driver.run_agent(command)

    def _fills(self, driver: Driver, order: PlaceOrder) -> Iterator[Filled]:
        """Send an order; its trades, of which makers and market take note."""
        for fill in driver.run_for([order], FILLS):
            assert isinstance(fill, Filled)
            self._trade(fill)
            yield fill

    def _trade(self, fill: Filled) -> None:
        if self._makers.take_note(fill):
            self._market.take_note(fill)

    def _triggers(self) -> Iterator[Trigger]:
        """Whatever anybody waits for, each once."""
        scenario = self._scenario
        waited = [
            *(action.trigger for action in scenario.actions),
            *(provider.leaves for provider in scenario.providers),
            *(trigger for trigger, _ in scenario.depth.leaving),
        ]
        yield from dict.fromkeys(trigger for trigger in waited if trigger is not None)

    def _leave(self, driver: Driver, until: int) -> None:
        """Makers and providers who go when a price has moved so far, or they lost so much."""
        time = self._market.start + until

        def price(asset: int) -> int:
            return self._market.price(asset, time)

        fired = self._watch.look(until, price, driver.utilization)
        self._makers.leave(fired)
        for command in self._providers.leave(fired, price):
            driver.run_agent(command)

    def asked(self, action: Action, since: int, until: int) -> Iterator[Command]:
        """What a group would do of an action in this time, each account once, for who does it."""
        yield from self._population.actions(replace(action, repeats=False), since, until)

    def _begun(self) -> Iterator[Action]:
        """Actions with the time at which they begin, those that still wait apart."""
        for action in self._scenario.actions:
            if action.trigger is None:
                yield action
            elif action.trigger in self._watch.fired:
                yield replace(action, after=self._watch.fired[action.trigger])

    def _changes(self, since: int, until: int) -> Iterator[Command]:
        for change in self._scenario.changes:
            if since < change.after <= until:
                yield change.command

    def _quotes(self, time: int) -> Iterator[Command]:
        after = time - self._market.start
        return self._makers.quotes(time, after, lambda asset: self._market.price(asset, time))
