"""A run that can be forked: the engine goes on from its own snapshot, everybody else from a copy.

What a run is at a moment is its engine, its agents and what listens. All of it is copied when a
level is crossed, the engine as the bytes of its snapshot, so a fork costs a few milliseconds and
not the run up to it. A fork draws new weather from there; people and the engine's own draws are
part of its past, and stay.
"""

from collections.abc import Collection
from typing import Any, Self

from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.engine_face import EngineFactory
from solvent.domain.units import RATIO
from solvent.domain.waterfall_events import AdlOpened, LiquidationStarted, PoolWrittenDown
from solvent.lab.driving import RunDriver, go_to
from solvent.lab.paths.drawing import Forks, forked
from solvent.lab.people.agents import Agents
from solvent.lab.people.population import crowd
from solvent.lab.prices.feed import own_feed
from solvent.lab.report.figures import Recorder
from solvent.lab.scenario.model import Scenario

NEARLY_FULL = RATIO * 95 // 100
BY_KIND = {
    kind_number(LiquidationStarted): "liquidation",
    kind_number(AdlOpened): "adl",
    kind_number(PoolWrittenDown): "deficit",
}
BY_POOL = (("pool95", NEARLY_FULL), ("pool100", RATIO))
LEVELS = ("liquidation", *(name for name, _ in BY_POOL), "adl", "deficit")
"""Levels that a run can cross: the first liquidation, a pool so full, the first round, a loss."""


class _Watched(RunDriver):
    """A driver that notes which levels events crossed."""

    crossed: frozenset[str] = frozenset()

    def hear(self, transcript: Transcript) -> None:
        """Let everybody have it, and look for what was never seen before."""
        super().hear(transcript)
        kinds = set(transcript.kinds)
        self.crossed |= {name for kind, name in BY_KIND.items() if kind in kinds}


class Trajectory:
    """Path `path` of a scenario, under the hash `root`, on its way."""

    def __init__(
        self,
        scenario: Scenario,
        root: str,
        path: int,
        engine: EngineFactory,
        accounts: int | None = None,
    ) -> None:
        self._scenario = scenario
        self._root = root
        self._path = path
        self._engine = engine
        self._forks: Forks = ()
        first = forked(scenario, root, path, ())
        self._feed = own_feed(first)
        self._agents = Agents(first, self._feed, crowd(first, accounts))
        recorder = Recorder(first.parameters, self._agents.parties, {})
        self._driver = _Watched(self._feed.parameters, recorder, engine, None)
        self._driver.run(self._agents.open())
        self._agents.set_up(self._driver)
        self._driver.begin()
        self._place = 0
        self.moments = 0
        """Moments that were computed for this path since it began or was forked."""

    def advance(self) -> bool:
        """Go on to the next moment of its prices; False where there is none."""
        if self._place == len(self._feed.moments):
            return False
        start = self._feed.start
        done = self._feed.moments[self._place - 1] - start if self._place else 0
        go_to(self._agents, self._driver, done, self._feed.moments[self._place] - start)
        self._place += 1
        self.moments += 1
        return True

    def crossed(self) -> Collection[str]:
        """The levels that were crossed so far."""
        fullest = max(pool.utilization for pool in self._driver.engine.pool_readings())
        full = {name for name, level in BY_POOL if fullest >= level}
        self._driver.crossed |= full
        return self._driver.crossed

    def fork(self, branch: str) -> Self:
        """The same run up to now, with new weather from now on."""
        model = self._scenario.prices.model
        assert model is not None
        after = (self._feed.moments[self._place - 1] - self._feed.start) // model.resolution
        other = object.__new__(type(self))
        other._scenario, other._root, other._path = self._scenario, self._root, self._path
        other._engine, other._place, other.moments = self._engine, self._place, 0
        other._forks = (*self._forks, (after, branch))
        other._feed = own_feed(forked(self._scenario, self._root, self._path, other._forks))
        other._agents = self._agents.fork(other._feed)
        other._driver = self._driver.fork(self._engine.restore(self._driver.engine.snapshot()))
        return other

    def figures(self) -> dict[str, Any]:
        """The figures and hashes of a run that came to its end."""
        return self._driver.finish()
