"""The live agents: what a run says, at a pace of its own, and a market that goes on after it."""

import asyncio
import math
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from solvent.domain.commands import OpenAccount
from solvent.domain.errors import InputError
from solvent.domain.events import Refused
from solvent.domain.units import PRICE_SCALE, RATIO, SECOND
from solvent.engine.engine import FastEngine
from solvent.lab.live.driver import (
    DEMO_STEP,
    LiveAgents,
    LiveAgentsError,
    parameters_at,
    speed_rate,
    start_of,
)
from solvent.lab.live.prices import FARTHEST, wander
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import Scenario, load_scenario
from solvent.service.core.node import Node
from solvent.service.core.node_engine import NodeEngine
from solvent.service.core.opening import Start, open_node
from tests.lab.live_helpers import DAY, HandWatch, Heard, agents_of, market, played
from tests.lab.run_helpers import SMALL, small, written
from tests.proof import proves

STEP = 60 * SECOND
SOL = 1
STEADY = ("[2026-01-01T00:10:00Z, 150]]", "[2026-01-01T00:10:00Z, 201]]")
"""A path on which nobody is liquidated: then every step is the scenario's."""


def steady(folder: Path) -> Scenario:
    """The small scenario in quiet times."""
    return small(folder, STEADY)


class TestSameAsARun:
    """With a time of its own the agents say what a run says, from another start."""

    @proves("I35")
    def test_the_state_is_that_of_a_run_at_that_time(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        moved = load_scenario(
            written(tmp_path, SMALL.replace("2026-01-01", "2026-04-11"), "moved.toml")
        )
        assert moved.start == scenario.start + 100 * DAY
        _, engine = played(scenario, 10, moved.start, speed=60)
        expected = run(moved, engine_factory=FastEngine).figures
        assert expected["liquidated_accounts"] > 0
        assert engine.now == moved.end
        assert engine.state_hash() == expected["state_hash"]

    @pytest.mark.parametrize("speed", [0.5, 1, 60, 1000])
    def test_a_second_of_the_scenario_takes_one_over_speed(
        self, tmp_path: Path, speed: float
    ) -> None:
        scenario = steady(tmp_path)
        _, engine = played(scenario, math.ceil(6 * 60 / speed), speed=speed)
        moments = engine.moments()
        assert len(moments) >= 6
        for number, moment in enumerate(moments, start=1):
            due = scenario.start + round(number * 60 * SECOND / speed)
            assert due <= moment <= due + number

    def test_nothing_is_left_out_when_late(self, tmp_path: Path) -> None:
        """A market that takes five seconds a batch, two a step, where a step is due each second."""
        scenario = steady(tmp_path)
        _, engine = played(scenario, 40, cost=5 * SECOND, speed=60)
        times = engine.times()
        assert times == [scenario.start + number * STEP for number in range(1, 5)]


class TestPace:
    """A market's own time, whose pace somebody changes."""

    def test_time_stands_still_and_goes_on_without_a_jump(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        engine = market(scenario, scenario.start, 10_000)
        agents = agents_of(scenario, engine, speed=60)
        agents.set_up()
        agents._pace.begin(engine.now, engine.watch.now())
        start = agents.clock()
        engine.watch.time += 10 * SECOND
        assert agents.clock() == start + 600 * SECOND
        agents.set_pace(60_000, is_paused=True)
        engine.watch.time += DAY
        assert agents.clock() == start + 600 * SECOND
        agents.set_pace(1_000, is_paused=False)
        assert agents.clock() == start + 600 * SECOND
        engine.watch.time += SECOND
        assert agents.clock() == start + 601 * SECOND
        assert (agents.rate, agents.is_paused) == (1_000, False)

    def test_who_is_paused_does_nothing(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        engine = market(scenario, scenario.start, 120)
        agents = agents_of(scenario, engine, speed=60)
        agents.set_up()
        agents.set_pace(60_000, is_paused=True)
        said = len(engine.said)
        agents.run()
        assert len(engine.said) == said
        assert agents.clock() == engine.now


class TestWallClock:
    """Agents that follows the wall clock."""

    def test_what_is_late_is_one_step(self, tmp_path: Path) -> None:
        """Batches that take three steps of time, two of them a step."""
        scenario = steady(tmp_path)
        _, engine = played(scenario, 3000, cost=3 * STEP, follows_wall=True)
        times = engine.times()
        assert {later - earlier for earlier, later in pairwise(times)} == {2 * 3 * STEP}

    def test_the_clock_is_the_watch_and_never_goes_back(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        agents, engine = played(scenario, 120, follows_wall=True)
        assert agents.clock() == engine.watch.now()
        engine.watch.time = scenario.start - DAY
        assert agents.clock() == engine.now

    def test_it_goes_on_after_an_interruption(self, tmp_path: Path) -> None:
        """Nobody is opened or endowed twice, and prices are those of the moment."""
        scenario = steady(tmp_path)
        _, engine = played(scenario, 180, follows_wall=True)
        engine.said.clear()
        engine.watch.time += 240 * SECOND
        engine.watch.until = engine.watch.time + 61 * SECOND
        again = agents_of(scenario, engine, follows_wall=True)
        again.resume()
        again.run()
        kinds = {type(command).__name__ for _, command, _ in engine.said}
        assert kinds == {"CancelAllOrders", "PlaceOrder", "UpdatePrice", "TimeStep"}
        whole = run_of(scenario, 600)
        assert engine.prices(SOL)[0] == whole.prices(SOL)[-3]

    def test_somebody_else_may_keep_the_time(self, tmp_path: Path) -> None:
        _, engine = played(small(tmp_path), 180, follows_wall=True, keeps_time=False)
        assert engine.times() == []
        assert len(engine.prices(SOL)) == 4


def run_of(scenario: Scenario, seconds: int) -> Heard:
    """A market in which the agents followed the wall clock without a break."""
    return played(scenario, seconds, follows_wall=True)[1]


class TestAfterTheStory:
    """Prices wander on, and the book stays."""

    def test_the_market_goes_on(self, tmp_path: Path) -> None:
        scenario = steady(tmp_path)
        _, engine = played(scenario, 600, speed=60)
        last = 201 * PRICE_SCALE
        wandered = engine.prices(SOL)[12:]
        assert len(wandered) > 500
        assert len(set(wandered)) > len(wandered) // 2
        assert all(abs(each - last) * RATIO <= last * FARTHEST for each in wandered)
        assert not any(
            isinstance(event, Refused) for _, _, events in engine.said[-50:] for event in events
        )
        bids, asks = engine.queries.depth(SOL, 5)
        assert bids
        assert asks

    def test_a_wander_begins_where_it_is_and_stays_near(self) -> None:
        price = 150 * PRICE_SCALE
        assert wander(price, 0, 1, SOL) == price
        path = [wander(price, second * SECOND, 1, SOL) for second in range(3000)]
        assert max(abs(each - price) for each in path) * RATIO <= price * FARTHEST
        assert max(path) - min(path) > price // 500
        moves = [abs(later - earlier) for earlier, later in pairwise(path)]
        assert max(moves) < price // 1000
        others = [wander(price, 99 * SECOND, seed, asset) for seed, asset in ((1, 2), (2, 1))]
        assert path[99] not in others

    def test_a_price_is_never_zero(self) -> None:
        assert {wander(1, second * SECOND, 1, SOL) for second in range(100)} == {1}


class TestThread:
    """The agents in a thread of its own."""

    def test_start_to_stop(self) -> None:
        scenario = load_scenario("demo-market")
        ended: list[BaseException | None] = []
        engine = FastEngine(parameters_at(scenario, DAY * 20_000))
        agents = LiveAgents(scenario, engine, start=DAY * 20_000, speed=1000, on_end=ended.append)
        assert agents.clock() == engine.now
        agents.start()
        assert agents.ready.wait(60)
        while engine.now < DAY * 20_000 + 10 * DEMO_STEP:
            assert agents.failed is None
            time.sleep(0.01)
        agents.stop()
        assert ended == [None]
        for asset in (1, 2, 3):
            bids, asks = engine.queries.depth(asset, 1)
            assert bids
            assert asks

    def test_a_stop_ends_a_set_up(self) -> None:
        scenario = load_scenario("demo-market")
        engine = Heard(parameters_at(scenario, DAY))
        engine.watch = HandWatch(DAY, DAY)
        agents = agents_of(scenario, engine)
        agents._stopped.set()
        agents.start()
        agents.stop()
        assert agents.failed is None
        assert not agents.ready.is_set()

    def test_a_market_that_is_not_new_is_said(self, tmp_path: Path) -> None:
        scenario = small(tmp_path)
        engine = market(scenario, scenario.start, 1)
        engine.apply([OpenAccount(2)])
        ended: list[BaseException | None] = []
        agents = agents_of(scenario, engine, on_end=ended.append)
        agents.start()
        agents.stop()
        assert isinstance(agents.failed, LiveAgentsError)
        assert ended == [agents.failed]
        assert "account 2" in str(agents.failed)

    @pytest.mark.parametrize(
        "options",
        [{"speed": 0}, {"speed": 0.0001}, {"speed": 1001}, {"speed": 2, "follows_wall": True}],
    )
    def test_speeds_that_cannot_be(self, tmp_path: Path, options: dict[str, Any]) -> None:
        scenario = small(tmp_path)
        engine = market(scenario, scenario.start, 1)
        with pytest.raises(InputError) as refusal:
            agents_of(scenario, engine, **options)
        assert refusal.value.field == "speed"


class TestOverANode:
    """The agents in a market whose every command is journaled first."""

    @proves("I35")
    def test_the_market_is_that_of_an_engine(self, tmp_path: Path) -> None:
        """Also while it goes by the waterfall's interval."""
        scenario = small(tmp_path)
        _, alone = played(scenario, 9, speed=60)
        assert len(alone.times()) > 20
        begin = Start(parameters_at(scenario, scenario.start))
        told = asyncio.run(over_a_node(scenario, open_node(tmp_path / "market", begin), 9))
        assert told == alone.state_hash()

    @proves("I35")
    def test_the_market_survives(self, tmp_path: Path) -> None:
        """Opened again from the disk the agents go on in it as without a break.

        In quiet times: what was eaten of a ladder is in nobody's journal.
        """
        scenario = steady(tmp_path)
        begin = Start(parameters_at(scenario, scenario.start))
        asyncio.run(over_a_node(scenario, open_node(tmp_path / "market", begin), 5))
        again = asyncio.run(
            over_a_node(scenario, open_node(tmp_path / "market", None, is_clock_accepted=True), 5)
        )
        _, longer = played(scenario, 10, speed=60)
        assert again == longer.state_hash()


async def over_a_node(scenario: Scenario, node: Node, seconds: int) -> str:
    """Play in a node for so many seconds; its state hash then."""
    engine = NodeEngine(node)
    watch = HandWatch(0, seconds * SECOND)
    agents = LiveAgents(scenario, engine, start=scenario.start, speed=60, watch=watch)
    await node.start(keeps_time=False)
    try:
        await asyncio.to_thread(agents.set_up if engine.now == scenario.start else agents.resume)
        await asyncio.to_thread(agents.run)
        return engine.state_hash()
    finally:
        await node.close()


def test_what_is_played_faster_comes_up_with_the_present_and_stays_there(tmp_path: Path) -> None:
    """It begins so far back that its end is now; no step is left out, and none comes early."""
    scenario = steady(tmp_path)
    rate = speed_rate(scenario, 60, follows_wall=False)
    length = scenario.end - scenario.start
    now = DAY * 20_000
    start = start_of(scenario, now, rate)
    assert start == (now - length * 59 // 60) // SECOND * SECOND
    assert start_of(scenario, now, 500) == start_of(scenario, now, 1000) == now
    engine = Heard(parameters_at(scenario, start))
    engine.watch = HandWatch(now, now + length // 60 + 100 * scenario.step)
    agents = agents_of(scenario, engine, speed=60, latest=engine.watch.now)
    agents.set_up()
    engine.stop = agents.stop
    agents.run()
    times, moments = engine.times(), engine.moments()
    assert {later - earlier for earlier, later in pairwise(times)} == {scenario.step}
    assert all(time <= moment for time, moment in zip(times, moments, strict=True))
    assert times[-1] > agents.end + 50 * scenario.step
    assert moments[-1] - times[-1] < SECOND
