"""What the tests of scenarios and runs share: a small scenario, and runs whose engines are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.domain.events import Event
from solvent.domain.parameters import EngineParameters, Policy
from solvent.domain.waterfall_events import AdlOpened
from solvent.lab.runner import RunResult, run
from solvent.lab.scenario.catalog import Scenario, list_scenarios, load_scenario
from solvent.reference.engine import ReferenceEngine
from solvent.reference.state import State

HISTORY = (
    "crash-2020-03-13",
    "crash-2021-05-19",
    "crash-2022-11-08",
    "crash-2024-08-05",
    "luna-2022-05",
    "usdc-2023-03-11",
)
"""Days that were, with a small made-up population; 2025-10 and 2026-04 are larger runs."""
RUNNABLE = tuple(name for name in list_scenarios() if not load_scenario(name).prices.bring)
"""The packaged scenarios that need no file to be brought."""

SMALL = """\
[scenario]
name = "small"
description = "A small market for tests"
source = "made up"
seed = 7
start = 2026-01-01T00:00:00Z
end = 2026-01-01T00:10:00Z
step = 60

[prices.paths]
SOL = [[2026-01-01T00:00:00Z, 200], [2026-01-01T00:10:00Z, 150]]

[waterfall]
policy = "queue"

[[assets]]
symbol = "USDC"
decimals = 6
haircut = { weight = 1 }
initial = { base = 0.05 }
maintenance = { base = 0.03 }
pool = { curve = [[0, 0], [1, 0.5]], fee = 0.1, optimal_utilization = 0.8, \
max_utilization = 0.95, throttle_threshold = 0.9 }

[[assets]]
symbol = "SOL"
decimals = 9
haircut = { weight = 0.9 }
initial = { base = 0.1 }
maintenance = { base = 0.05 }

[assets.pool]
curve = [[0, 0], [0.8, 0.1], [1, 1]]
fee = 0.1
optimal_utilization = 0.8
max_utilization = 0.95
throttle_threshold = 0.9

[assets.market]
tick = 0.01
lot = 0.001
min_multiplier = 0.75
max_multiplier = 1.25
min_impact_multiplier = 0.97
max_impact_multiplier = 1.03

[[groups]]
name = "lenders"
count = 6
size = 50_000
spread = 0.5
collateral = [{ asset = "USDC", lent = true }]
utilization = 0.8

[[groups]]
name = "longs"
count = 10
size = 10_000
collateral = [{ asset = "SOL", lent = true }]
debt = "USDC"
cushion = [0.1, 0.5]

[depth]
scale = 0.5
inventory = 10
thinning = [[2026-01-01T00:00:00Z, 1], [2026-01-01T00:10:00Z, 0.5]]

[depth.bands]
SOL = [[10, 20_000], [20, 50_000]]

[[providers]]
name = "providers"
count = 2
equity = 20_000
commitments = { USDC = 5_000 }

[fund]
balance = 1_000
"""


def written(folder: Path, text: str = SMALL, name: str = "small.toml") -> Path:
    """A scenario file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def small(folder: Path, *changes: tuple[str, str]) -> Scenario:
    """The small scenario with texts replaced; every change must hit."""
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return load_scenario(written(folder, text))


class KeepingEngine(ReferenceEngine):
    """The reference engine, which keeps the ADL rounds it opened."""

    def __init__(self, parameters: EngineParameters) -> None:
        super().__init__(parameters)
        self.rounds: list[AdlOpened] = []
        self.said: list[tuple[Command, tuple[Event, ...]]] = []

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Carry commands out and keep what they led to."""
        transcript = super().apply(batch)
        self.said.extend((entry.command, entry.events) for entry in transcript)
        for event in transcript.of_kinds({kind_number(AdlOpened)}):
            assert isinstance(event, AdlOpened)
            self.rounds.append(event)
        return transcript


@dataclass(frozen=True)
class Kept:
    """A run and the engine it ran on."""

    result: RunResult
    engine: KeepingEngine

    @property
    def figures(self) -> dict[str, Any]:
        """The run's figures."""
        return self.result.figures

    @property
    def state(self) -> State:
        """The engine's state after the run."""
        return self.engine.state

    def stage(self, name: str) -> dict[str, Any]:
        """The record of one stage."""
        (found,) = [each for each in self.figures["stages"] if each["stage"] == name]
        return dict(found)

    def pool(self, symbol: str) -> dict[str, Any]:
        """The record of one pool."""
        (found,) = [each for each in self.figures["pools"] if each["asset"] == symbol]
        return dict(found)


def keep(scenario: Scenario, **options: Any) -> Kept:
    """Run a scenario on an engine that is kept."""
    engines: list[KeepingEngine] = []

    def factory(parameters: EngineParameters) -> KeepingEngine:
        engines.append(KeepingEngine(parameters))
        return engines[-1]

    result = run(scenario, engine_factory=factory, **options)
    return Kept(result, engines[0])


@cache
def packaged(name: str, accounts: int | None = None, policy: Policy | None = None) -> Kept:
    """A packaged scenario's run, once a process."""
    return keep(load_scenario(name), accounts=accounts, policy=policy)
