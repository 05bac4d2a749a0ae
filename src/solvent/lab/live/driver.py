"""Live agents: the agents of a scenario act in a market that runs, in a thread of their own.

    set up    as fast as the market takes it; accounts open in one batch
    steps     paced, one second of the scenario in 1/speed seconds
    after     when the scenario's prices end, prices wander on and the agents go on, until `stop`

Times are the scenario's, counted from `start`. With `follows_wall` the market's time is the wall
clock's: what is late merges into one step, and after an interruption the agents go on where they
would be by now. Otherwise the market has a time of its own, which `clock` tells: it stands still
during the set-up and while no agent acts, runs `speed` times as fast until it has come up with
`latest`, and no step is left out, so that a market without other clients ends in the state that a
run of the scenario ends in.

The market's own rules hold for the agents as for every client.
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Protocol

from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command, OpenAccount
from solvent.domain.events import Refused
from solvent.domain.parameters import EngineParameters
from solvent.domain.readings import PoolReading
from solvent.domain.units import SECOND, divide_up
from solvent.lab.live.pace import SPEED_UNIT, Pace
from solvent.lab.live.prices import LivePrices
from solvent.lab.live.traders import Traders
from solvent.lab.people.agents import FIRST_ACCOUNT, Agents, Driver
from solvent.lab.people.population import crowd
from solvent.lab.prices.feed import PriceAt, own_feed
from solvent.lab.scenario.model import Scenario

BATCH = 256
"""The set-up comes in batches of so many commands, so that others get a turn between them."""

SLOWEST, FASTEST = 1, 1_000_000
"""Speeds are taken in thousandths, from a thousandth to a thousand."""

LOOK = SECOND // 10
"""Whoever waits in a market with a time of its own looks so often whether its pace is another."""

DEMO_STEP = 2 * SECOND
DEMO_TRADERS = 8
"""In steps of how long a demo is played, and how many trade."""


class LiveAgentsError(RuntimeError):
    """The agents cannot play: the market is not as it must be. One line."""


class _StoppedError(Exception):
    """The agents were told to stop."""


class LiveMarket(Protocol):
    """What the agents need of a market that runs; every engine will do."""

    @property
    def now(self) -> int:
        """Time of the last step, microseconds UTC."""
        ...

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry out commands in order; return them with their events."""
        ...

    def pool_readings(self) -> list[PoolReading]:
        """Utilization and bound in force of every pool, by asset number."""
        ...


class Watch(Protocol):
    """Tells the time and waits; another one in tests."""

    def now(self) -> int:
        """Microseconds UTC, never less than before."""
        ...

    def wait(self, duration: int, stopped: threading.Event) -> None:
        """Let `duration` microseconds pass, or return when `stopped`."""
        ...


class WallWatch:
    """The wall clock as of its making, carried on by a clock that cannot be set."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Microseconds UTC."""
        return (time.monotonic_ns() + self._offset) // 1000

    def wait(self, duration: int, stopped: threading.Event) -> None:
        """Sleep."""
        stopped.wait(duration / SECOND)


def parameters_at(scenario: Scenario, start: int) -> EngineParameters:
    """The scenario's parameters for a new market that starts at `start` (microseconds UTC)."""
    return replace(scenario.parameters, start_time=start)


def start_of(scenario: Scenario, now: int, rate: int) -> int:
    """When a market begins that has played the scenario by `rate` when it has come to the present.

    Microseconds UTC, a whole second; `rate` in thousandths. What is played no faster than it
    happened begins now.
    """
    gained = (scenario.end - scenario.start) * max(0, rate - SPEED_UNIT) // max(rate, SPEED_UNIT)
    return (now - gained) // SECOND * SECOND


def speed_rate(scenario: Scenario, speed: float, *, follows_wall: bool) -> int:
    """`speed` in thousandths. InputError for one at which the agents cannot act."""
    # Infinity and what is no number cannot be rounded, and fail the comparison.
    if not SLOWEST <= speed * SPEED_UNIT <= FASTEST:
        raise scenario.error("speed", f"must lie between 0.001 and 1000, is {speed:g}")
    rate = round(speed * SPEED_UNIT)
    if follows_wall and rate != SPEED_UNIT:
        raise scenario.error("speed", "must be 1 where the agents follow the wall clock")
    return rate


class LiveAgents:
    """A scenario's agents for `market`, whose parameters are those of `parameters_at`.

    - start: the market's `start_time`, microseconds UTC.
    - accounts: how many accounts; the scenario's own number by default.
    - first_account: the number of the first free account.
    - speed: seconds of the scenario a second; 1 where the agents follow the wall clock.
    - step: time between two steps in microseconds, instead of the scenario's.
    - traders: accounts that trade a little at each step.
    - keeps_time: whether the agents send the time steps; otherwise another client must.
    - latest: what the market's time may not be ahead of, microseconds UTC.
    - on_end: told, in the thread, why it ended, or None when it was stopped.

    Raises InputError for what the scenario does not allow.
    """

    def __init__(
        self,
        scenario: Scenario,
        market: LiveMarket,
        *,
        start: int,
        accounts: int | None = None,
        first_account: int = FIRST_ACCOUNT,
        speed: float = 1,
        step: int | None = None,
        traders: int = 0,
        follows_wall: bool = False,
        keeps_time: bool = True,
        watch: Watch | None = None,
        latest: Callable[[], int] | None = None,
        on_end: Callable[[BaseException | None], None] | None = None,
    ) -> None:
        self._pace = Pace(speed_rate(scenario, speed, follows_wall=follows_wall))
        scenario = replace(scenario, step=step or scenario.step)
        self._market = market
        self._stopped = threading.Event()
        self._driver = _LiveDriver(market, self._stopped)
        self._prices = LivePrices(own_feed(scenario), start, scenario.parameters.seed)
        self._agents = Agents(scenario, self._prices, crowd(scenario, accounts), first_account)
        self._traders = Traders(scenario.parameters, traders, self._agents.next_account)
        self._start = start
        self._step = scenario.step
        self._follows_wall = follows_wall
        self._keeps_time = keeps_time
        self._watch = watch or WallWatch()
        self._latest = latest
        self._on_end = on_end
        self._done = 0
        self._thread = threading.Thread(target=self._run, name="agents", daemon=True)
        self.ready = threading.Event()
        self.failed: BaseException | None = None

    @property
    def next_account(self) -> int:
        """The first account number that the agents leave free."""
        return self._traders.next_account

    def clock(self) -> int:
        """The market's time, microseconds UTC; never goes backwards."""
        if self._follows_wall:
            return max(self._watch.now(), self._market.now)
        if not self._pace.has_begun:
            return self._market.now
        due = self._pace.time(self._watch.now())
        return due if self._latest is None else min(due, max(self._pace.at, self._latest()))

    @property
    def rate(self) -> int:
        """How fast the scenario is played where it is not paused, thousandths."""
        return self._pace.rate

    @property
    def is_paused(self) -> bool:
        """Whether the market's time stands still because somebody asked for it."""
        return self._pace.is_paused

    def set_pace(self, rate: int, *, is_paused: bool) -> None:
        """Play on at another rate, or let time stand still. Only for a time of the market's own."""
        assert not self._follows_wall
        has_begun, at = self._pace.has_begun, self.clock()
        self._pace.change(rate, is_paused=is_paused)
        if has_begun:
            self._pace.begin(at, self._watch.now())

    @property
    def is_stopped(self) -> bool:
        """Whether the play is over."""
        return self._stopped.is_set()

    @property
    def end(self) -> int:
        """When the scenario's own prices end, microseconds UTC."""
        return self._prices.end

    def set_up(self) -> None:
        """Bring a new market to where the scenario begins.

        Raises LiveAgentsError where it is not new.
        """
        self._driver.open(chain(self._agents.open(), self._traders.open()))
        self._agents.set_up(self._driver)
        self._driver.run(self._traders.setup(self._prices_at(self._start)))
        self.ready.set()

    def resume(self) -> None:
        """Go on in a market that was set up to its end: nothing that was done is done again."""
        self._done = self._market.now - self._start
        self.ready.set()

    def start(self) -> None:
        """Play in a thread, from the set-up, where it is still to be done, to `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step in work, and wait for that."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            if not self.ready.is_set():
                self.set_up()
            self.run()
        except _StoppedError:
            pass
        except BaseException as error:
            self.failed = error
        if self._on_end is not None:
            self._on_end(self.failed)

    def run(self) -> None:
        """Play in this thread until `stop`; the market must be set up."""
        if not self._pace.has_begun:
            self._pace.begin(self._market.now, self._watch.now())
        with suppress(_StoppedError):
            self._play()

    def _play(self) -> None:
        while not self._stopped.is_set():
            due = self._next_due()
            missing = self._start + due - self.clock()
            if missing > 0:
                self._watch.wait(self._pause(missing), self._stopped)
                continue
            if self._follows_wall:
                due = max(due, (due - missing) // self._step * self._step)
            self._take_step(due)

    def _next_due(self) -> int:
        """When the next step ends: the scenario's, or the waterfall's for who keeps time."""
        end = (self._done // self._step + 1) * self._step
        if not self._keeps_time:
            return end
        return self._agents.next_step(self._driver, self._done, end)

    def _pause(self, missing: int) -> int:
        """How long it takes until the market's time has gone on by `missing`, all microseconds."""
        if self._follows_wall:
            return missing
        has_come_up = self._latest is not None and self.clock() >= self._latest()
        rate = min(SPEED_UNIT, self._pace.in_force) if has_come_up else self._pace.in_force
        return min(LOOK, divide_up(missing * SPEED_UNIT, rate)) if rate else LOOK

    def _take_step(self, due: int) -> None:
        since, self._done = self._done, due
        self._agents.step(self._driver, since, due, keeps_time=self._keeps_time)
        if due % self._step == 0:
            prices = self._prices_at(self._start + due)
            self._driver.run(self._traders.actions(due // self._step, prices))

    def _prices_at(self, time: int) -> PriceAt:
        return lambda asset: self._prices.price(asset, time)


_REFUSED = frozenset({kind_number(Refused)})


class _LiveDriver(Driver):
    """A market that runs, spoken to in small batches until `stopped`."""

    BATCH = BATCH

    def __init__(self, market: LiveMarket, stopped: threading.Event) -> None:
        super().__init__()
        self._market = market
        self._stopped = stopped

    def carry_out(self, batch: list[Command]) -> Transcript:
        """Send them, unless the play is over."""
        if self._stopped.is_set():
            raise _StoppedError
        return self._market.apply(batch)

    def utilization(self, asset: int) -> int:
        """As the market has it."""
        return self._market.pool_readings()[asset].utilization

    def open(self, accounts: Iterable[Command]) -> None:
        """Open accounts, all at once: all are there or none."""
        self.send(list(accounts))

    def hear(self, transcript: Transcript) -> None:
        """An account that does not open means that the market had accounts before."""
        for index, _ in transcript.by_command(_REFUSED):
            command = transcript.commands[index]
            if isinstance(command, OpenAccount):
                raise LiveAgentsError(
                    f"account {command.account} cannot be opened: the market is not new; "
                    "start the agents before anybody else opens an account, or in an empty folder"
                )
