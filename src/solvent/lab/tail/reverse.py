"""Reverse stress: not what a given day does, but which day it takes.

A shock is one move of all assets together: from the half of the horizon on their logarithms go in a
straight line to where they stay. How implausible it is, is its length in standard deviations of
the scenario's own price model over the whole horizon (Mahalanobis):

    distance = sqrt(x' C^-1 x)     C = the covariance of the model's moves from start to end

Along each of many directions the shortest shock that brings about an event is found by bisection,
and of all directions the shortest is told: so there may be a shorter one still between them, and an
event that a longer shock undoes again may be missed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np

from solvent.domain.units import RATIO
from solvent.engine.engine import FastEngine
from solvent.lab.paths.arithmetic import Numbers, exponential
from solvent.lab.paths.drawing import drawn, history_of, scenario_hash, steps_of
from solvent.lab.paths.model import FromFile, Jumps, Shock
from solvent.lab.paths.moves import DAY
from solvent.lab.paths.streams import Streams
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import PriceSource, Scenario

FARTHEST = 30.0
"""Standard deviations beyond which nobody looks."""
HALVINGS = 7
EVENTS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "a pool is full": lambda figures: any(p["minutes_full"] > 0 for p in figures["pools"]),
    "ADL acts": lambda figures: any(
        float(stage["value"]) > 0
        for stage in figures["stages"]
        if stage["stage"].startswith("adl_")
    ),
    "a lender loses": lambda figures: float(figures["lenders"]["deficit"]) > 0,
}
"""What is looked for, by name, in the figures of a run."""


@dataclass(frozen=True, slots=True)
class Found:
    """The shortest shock along a direction that brings an event about: moves of the logarithms."""

    event: str
    distance: float
    moves: tuple[float, ...]


def covariance(scenario: Scenario) -> Numbers:
    """Of the model's logarithmic moves from start to end. InputError without a price model."""
    model = scenario.prices.model
    if model is None:
        raise scenario.error("prices", "has no model to say what is plausible; give [prices.model]")
    if isinstance(model, FromFile):
        _, history = history_of(scenario, model)
        found: Numbers = np.atleast_2d(np.cov(history, rowvar=False)) * steps_of(scenario)
        return found
    loading = np.array(model.loading, np.float64) / RATIO
    joint = np.outer(loading, loading)
    np.fill_diagonal(joint, 1.0)
    if isinstance(model, Shock):
        scale = np.array(model.scale, np.float64) / RATIO
        # A t of two degrees has no variance: its scale is then taken for it.
        wide = model.degrees / (model.degrees - 2) if model.degrees > 2 else 1.0  # noqa: PLR2004
        return np.outer(scale, scale) * joint * wide
    assert isinstance(model, Jumps)
    days = steps_of(scenario) * model.resolution / DAY
    wide_days, mean, deviation, shared = (
        np.array(each, np.float64) / RATIO
        for each in (model.volatility, model.mean, model.deviation, model.jump_loading)
    )
    together = np.outer(shared, shared)
    np.fill_diagonal(together, 1.0)
    jumps = np.outer(mean, mean) + np.outer(deviation, deviation) * together
    return days * (np.outer(wide_days, wide_days) * joint + model.intensity / RATIO * jumps)


def directions(root: str, assets: int, count: int) -> Iterator[tuple[float, ...]]:
    """Unit vectors: every asset alone both ways, all together both ways, and drawn ones."""
    for asset in range(assets):
        for sign in (-1.0, 1.0):
            yield tuple(sign if each == asset else 0.0 for each in range(assets))
    for number in range(count):
        drawn_vector = Streams(root, number).normals("reverse.direction", assets)
        length = sqrt(float(sum(x * x for x in drawn_vector)))
        yield tuple(float(x) / length for x in drawn_vector)


def search(file: str, over: int, accounts: int | None, direction: Sequence[float]) -> list[Found]:
    """What the shortest shock of a direction is for each event that any shock brings about.

    `over` microseconds is how long the move takes. InputError as of `covariance`.
    """
    scenario = load_scenario(file)
    root = np.linalg.cholesky(covariance(scenario))
    unit = root @ np.array(direction)
    weather = drawn(scenario, scenario_hash(scenario), 0)
    seen: dict[float, dict[str, Any]] = {}

    def happens(event: str, distance: float) -> bool:
        if distance not in seen:
            moves = [distance * float(x) for x in unit]
            shocked = replace(weather, prices=_prices(weather, moves, over))
            ran = run(shocked, accounts=accounts, engine_factory=FastEngine).figures
            seen[distance] = {name: test(ran) for name, test in EVENTS.items()}
        return bool(seen[distance][event])

    found = []
    for event in EVENTS:
        if happens(event, FARTHEST):
            low, high = 0.0, FARTHEST
            for _ in range(HALVINGS):
                middle = (low + high) / 2.0
                low, high = (low, middle) if happens(event, middle) else (middle, high)
            found.append(Found(event, high, tuple(high * float(x) for x in unit)))
    return found


def shortest(found: Sequence[Found]) -> list[Found]:
    """Of each event the shortest shock, in the order of `EVENTS`; those never seen are left out."""
    return [
        min((each for each in found if each.event == event), key=lambda each: each.distance)
        for event in EVENTS
        if any(each.event == event for each in found)
    ]


def _prices(weather: Scenario, moves: Sequence[float], over: int) -> PriceSource:
    """Flat to the half of the horizon, then the shock, and flat again."""
    half = (weather.end - weather.start) // 2
    resolution = weather.step
    steps = max(1, -(-over // resolution))
    corners = []
    for points, move in zip(weather.prices.points[1:], moves, strict=True):
        first = points[0][1]
        fall = [
            (
                half + step * resolution,
                max(1, round(first * float(exponential(np.array(move * step / steps))))),
            )
            for step in range(1, steps + 1)
        ]
        corners.append(((0, first), (half, first), *fall))
    return replace(weather.prices, points=((), *corners), resolution=resolution)
