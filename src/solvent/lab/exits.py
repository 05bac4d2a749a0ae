"""Exits of a pool that is nearly full, compared: who gets out, when, and how evenly.

The engine's own rules are its pool's parameters: the bound that pauses (no creep) or creeps, and a
pool that only an empty till stops. How a line in front of it is served is no rule of the engine: a
clerk outside holds what lenders ask for and withdraws for them, after every step, what the engine
lets go, in one of three ways.

    tickets    whoever came first gets all that there is, then the next
    race       another order at every step, by the seed
    pro rata   what there is, in proportion to what each still waits for

Who asks, for how much and when are the scenario's withdrawals. A share is what somebody got of what
he asked for; a wait is that of value at the last mark, to the end of the run where it never came.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from solvent.domain.commands import Command, Withdraw
from solvent.domain.units import HOUR, RATIO
from solvent.lab.driving import EngineFactory, RunDriver, go_to
from solvent.lab.people.agents import Agents
from solvent.lab.people.population import crowd
from solvent.lab.people.sampling import draw_word
from solvent.lab.prices.feed import own_feed
from solvent.lab.report.figures import Recorder
from solvent.lab.report.formatting import money, number, percent
from solvent.lab.report.summary import Sheet
from solvent.lab.scenario.model import Action, Deed, Scenario
from solvent.reference.engine import ReferenceEngine
from solvent.reference.waterfall.policies import apportion

MINUTES = 60
STUCK = "adl_stuck_lender"
THRESHOLD = RATIO * 9 // 10


class Line(Enum):
    """How a clerk serves those who wait; the value is its name."""

    TICKETS = "tickets"
    RACE = "race"
    PRO_RATA = "pro rata"


class Exit(NamedTuple):
    """A rule: where the pool's bound begins, how it creeps (10^-9), and how the line is served."""

    name: str
    threshold: int
    creep: int
    line: Line


EXITS = (
    Exit("pause at 90 %", THRESHOLD, 0, Line.TICKETS),
    Exit("creeping from 90 %", THRESHOLD, RATIO // 100, Line.TICKETS),
    Exit("to 100 %, race", RATIO, 0, Line.RACE),
    Exit("to 100 %, tickets", RATIO, 0, Line.TICKETS),
    Exit("to 100 %, pro rata", RATIO, 0, Line.PRO_RATA),
)


@dataclass(slots=True)
class Wish:
    """What an account asked for and when, what is left of it, and atoms times their wait so far."""

    account: int
    asset: int
    asked: int
    since: int
    left: int
    waited: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    """How an exit went: who got which share, in order of arrival; of all value the part served and
    the mean wait in hours; and the run's figures.
    """

    exit: Exit
    shares: tuple[float, ...]
    served: float
    wait: float
    figures: dict[str, Any]


def exits(
    scenario: Scenario,
    *,
    accounts: int | None = None,
    engine_factory: EngineFactory = ReferenceEngine,
) -> Iterator[Gone]:
    """Each exit in turn. InputError where nobody withdraws at a time that is stated."""
    leaving = tuple(each for each in scenario.actions if each.deed is Deed.WITHDRAW)
    if not leaving:
        raise scenario.error("actions", 'nobody leaves; add [[actions]] with do = "withdraw"')
    if any(each.trigger for each in leaving):
        raise scenario.error("actions", "a withdrawal waits for `when`; give it a time, `at`")
    for each in EXITS:
        yield _carried_out(each, scenario, leaving, accounts, engine_factory)


class Clerk:
    """Holds what was asked for and serves it from what the engine lets go."""

    def __init__(self, line: Line, seed: int) -> None:
        self._line = line
        self._seed = seed
        self.wishes: list[Wish] = []

    def ask(self, command: Command, time: int) -> None:
        """Take a withdrawal into the line."""
        assert isinstance(command, Withdraw)
        quantity = command.quantity
        self.wishes.append(Wish(command.account, command.asset, quantity, time, quantity))

    def serve(self, driver: RunDriver, time: int) -> None:
        """Withdraw what the engine lets go now, each asset's line by itself."""
        for asset in sorted({each.asset for each in self.wishes}):
            waiting = [each for each in self.wishes if each.asset == asset and each.left]
            if self._line is Line.PRO_RATA:
                _in_proportion(driver, waiting, time)
                continue
            if self._line is Line.RACE:
                waiting.sort(key=lambda each: draw_word(self._seed, time, each.account))
            for wish in waiting:
                _take(driver, wish, _room(driver, wish), time)


def _in_proportion(driver: RunDriver, waiting: Sequence[Wish], time: int) -> None:
    """Share out what there is until nothing is, or nobody waits."""
    while waiting := [each for each in waiting if each.left]:
        # An account sees the till up to its own claim, so the largest claim sees most of it.
        rooms = [_room(driver, each) for each in waiting]
        wants = [min(each.left, room) for each, room in zip(waiting, rooms, strict=True)]
        parts = apportion(max(wants), [each.left for each in waiting], wants)
        before = sum(each.left for each in waiting)
        for wish, part in zip(waiting, parts, strict=True):
            _take(driver, wish, part, time)
        if sum(each.left for each in waiting) == before:
            return


def _room(driver: RunDriver, wish: Wish) -> int:
    return driver.engine.queries.max_withdraw(
        wish.account, wish.asset, auto_lend_redeem=True, auto_borrow=False
    )


def _take(driver: RunDriver, wish: Wish, room: int, time: int) -> None:
    quantity = min(wish.left, room)
    if not quantity:
        return
    command = Withdraw(wish.account, wish.asset, quantity, auto_lend_redeem=True)
    if not driver.run_refused([command]):
        wish.left -= quantity
        wish.waited += quantity * (time - wish.since)


def _carried_out(
    rule: Exit,
    scenario: Scenario,
    leaving: Sequence[Action],
    accounts: int | None,
    engine_factory: EngineFactory,
) -> Gone:
    scenario = _under(rule, scenario, {each.asset for each in leaving})
    feed = own_feed(scenario)
    agents = Agents(scenario, feed, crowd(scenario, accounts))
    recorder = Recorder(scenario.parameters, agents.parties, {})
    driver = RunDriver(feed.parameters, recorder, engine_factory, None)
    driver.run(agents.open())
    agents.set_up(driver)
    driver.begin()
    clerk = Clerk(rule.line, scenario.parameters.seed)
    done = 0
    for moment in feed.moments:
        until = moment - feed.start
        go_to(agents, driver, done, until)
        for action in leaving:
            for command in agents.asked(action, done, until):
                clerk.ask(command, until)
        clerk.serve(driver, until)
        done = until
    return _told(rule, clerk.wishes, driver, done)


def _under(rule: Exit, scenario: Scenario, pools: set[int]) -> Scenario:
    """The scenario with these pools under a rule, and without the withdrawals."""
    assets = tuple(
        replace(
            asset,
            pool=replace(
                asset.pool,
                max_utilization=RATIO,
                throttle_threshold=rule.threshold,
                throttle_update_fraction=rule.creep,
            ),
        )
        if number in pools
        else asset
        for number, asset in enumerate(scenario.parameters.assets)
    )
    kept = tuple(each for each in scenario.actions if each.deed is not Deed.WITHDRAW)
    parameters = replace(scenario.parameters, assets=assets)
    return replace(scenario, parameters=parameters, actions=kept)


def _told(rule: Exit, wishes: Sequence[Wish], driver: RunDriver, end: int) -> Gone:
    marks = {each.asset: driver.engine.queries.price(each.asset).mark for each in wishes}
    asked, left, waited = (
        sum(marks[each.asset] * of for each, of in zip(wishes, column, strict=True))
        for column in (
            [each.asked for each in wishes],
            [each.left for each in wishes],
            [each.waited + each.left * (end - each.since) for each in wishes],
        )
    )
    shares = tuple(1.0 - each.left / each.asked for each in wishes)
    whole = max(1, asked)
    return Gone(rule, shares, 1.0 - left / whole, waited / whole / HOUR, driver.finish())


def exits_sheet(rows: Sequence[Gone]) -> Sheet:
    """A line an exit."""
    head = ("", "Served", "First", "Last", "Gini", "Wait, h", "Full, h", "By ADL", "Loss")
    lines = []
    for row in rows:
        middle = len(row.shares) // 2
        lines.append(
            (
                row.exit.name,
                percent(row.served),
                percent(_mean(row.shares[:middle])),
                percent(_mean(row.shares[middle:])),
                number(_gini(row.shares), 3),
                number(row.wait, 1),
                number(max(pool["minutes_full"] for pool in row.figures["pools"]) / MINUTES, 1),
                money(_stuck(row.figures)),
                money(row.figures["lenders"]["deficit"]),
            )
        )
    note = (
        "Served: the part of all value that got out. First, last: mean share of the half who came"
        " first, and of the other. Gini: of all shares. Wait: of value, to the end where it never"
        " came. By ADL: USDC that stuck lenders who were liquidated got at the mark"
        " instead (case L)."
    )
    return Sheet("Exits", head, lines, notes=(note,))


def _stuck(figures: Mapping[str, Any]) -> Decimal:
    (stage,) = (each for each in figures["stages"] if each["stage"] == STUCK)
    return Decimal(stage["value"])


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares) if shares else 0.0


def _gini(shares: Sequence[float]) -> float:
    ranked, whole = sorted(shares), sum(shares)
    count = len(ranked)
    if not whole:
        return 0.0
    weighted = sum((2 * place - count + 1) * share for place, share in enumerate(ranked))
    return weighted / (count * whole)
