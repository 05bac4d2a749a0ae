"""Path number n of a scenario: the same scenario with prices that are drawn and seeds of its own.

What comes out is an ordinary scenario whose prices are points, so that a drawn path is run, served
and reported as any other. A drawn price is start * exp(moves), computed in floats and rounded once,
to the nearest 10^-10 USDC; from there on everything is whole numbers.

A scenario without a price model keeps its prices on every path; then only people and draws differ.
"""

from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from solvent.domain.units import INT64_MAX
from solvent.lab.paths.arithmetic import Numbers, exponential
from solvent.lab.paths.model import Bootstrap, Copula, FromFile, Jumps
from solvent.lab.paths.moves import (
    bootstrap_moves,
    copula_moves,
    jump_moves,
    log_moves,
    shock_moves,
)
from solvent.lab.paths.streams import Streams
from solvent.lab.prices.paths import read_prices
from solvent.lab.scenario.brought import price_bytes
from solvent.lab.scenario.model import PriceSource, Scenario

MOST_PRICE = INT64_MAX // 4


def scenario_hash(scenario: Scenario) -> str:
    """The digest of the scenario's file and of the price file that it names, if any."""
    digest = sha256(Path(scenario.file).read_bytes())
    source = scenario.prices
    file = source.model.file if isinstance(source.model, FromFile) else source.file
    if file is not None:
        digest.update(price_bytes(scenario, file))
    return digest.hexdigest()


def steps_of(scenario: Scenario) -> int:
    """How many moves a drawn path of the scenario has."""
    assert scenario.prices.model is not None
    return -(-(scenario.end - scenario.start) // scenario.prices.model.resolution)


def drawn(scenario: Scenario, root: str, path: int, jumps: int | None = None) -> Scenario:
    """The scenario of path `path` under the hash `root`; `jumps` fixes how many jumps it has.

    InputError where a price leaves the range of prices, or `jumps` has no model to go with.
    """
    streams = Streams(root, path)
    if jumps is not None and not isinstance(scenario.prices.model, Jumps):
        raise scenario.error("prices.model", 'has no jumps to be counted; kind = "jumps" has')
    parameters = replace(scenario.parameters, seed=streams.seed("people and engine"))
    prices = scenario.prices
    if prices.model is not None:
        prices = _points(scenario, streams, jumps)
    return replace(scenario, parameters=parameters, prices=prices)


Forks = tuple[tuple[int, str], ...]
"""Where a path left another one: after so many moves, as the branch of that name."""


def forked(scenario: Scenario, root: str, path: int, forks: Forks) -> Scenario:
    """Path `path` whose later moves are those of branches, each from its fork on.

    InputError as of `drawn`, and of a model whose moves hang on those before.
    """
    if not isinstance(scenario.prices.model, Jumps | Copula):
        reason = 'has moves that hang on those before; kind = "jumps" or "copula" can be split'
        raise scenario.error("prices.model", reason)
    first = drawn(scenario, root, path)
    return replace(first, prices=_points(scenario, Streams(root, path), None, forks))


def drawn_prices(scenario: Scenario) -> PriceSource:
    """The prices of path 0 under the scenario's own hash. InputError as of `drawn`."""
    return _points(scenario, Streams(scenario_hash(scenario), 0), None)


def _points(
    scenario: Scenario, streams: Streams, jumps: int | None, forks: Forks = ()
) -> PriceSource:
    model = scenario.prices.model
    assert model is not None
    symbols = [asset.symbol for asset in scenario.parameters.assets[1:]]
    first, moves = _moves(scenario, symbols, streams, jumps)
    for after, branch in forks:
        _, others = _moves(scenario, symbols, replace(streams, branch=branch), None)
        # Moves after a fork hang on nothing before it, so any path's will do.
        begun = (moves[after - 1], others[after - 1]) if after else (0.0, 0.0)
        moves = np.concatenate([moves[:after], begun[0] + (others[after:] - begun[1])])
    prices = np.rint(np.array(first, np.float64) * exponential(np.clip(moves, -700.0, 700.0)))
    if not (prices.min() >= 1 and prices.max() <= MOST_PRICE):
        where = f"leads to a price out of range on path {streams.path}"
        raise scenario.error("prices.model", f"{where}; lower its volatility or its jumps")
    times = [(step + 1) * model.resolution for step in range(len(prices))]
    points = tuple(
        ((0, first[asset]), *zip(times, map(int, prices[:, asset]), strict=True))
        for asset in range(len(symbols))
    )
    return PriceSource(scenario.prices.names, points=((), *points), resolution=model.resolution)


def _moves(
    scenario: Scenario, symbols: list[str], streams: Streams, jumps: int | None
) -> tuple[tuple[int, ...], Numbers]:
    model, steps = scenario.prices.model, steps_of(scenario)
    assert model is not None
    if isinstance(model, FromFile):
        first, history = history_of(scenario, model)
        if isinstance(model, Bootstrap):
            return first, bootstrap_moves(model, history, steps, streams)
        assert isinstance(model, Copula)
        return first, copula_moves(model, history, symbols, steps, streams)
    if isinstance(model, Jumps):
        return model.first, jump_moves(model, symbols, steps, streams, jumps)
    return model.first, shock_moves(model, symbols, steps, streams)


def history_of(scenario: Scenario, model: FromFile) -> tuple[tuple[int, ...], Numbers]:
    """The first prices of a model's file and its moves over the model's resolution.

    InputError where the file cannot be read, or lacks an asset or moves.
    """
    try:
        return file_history(model)
    except ValueError as reason:
        raise scenario.error("prices.model.file", str(reason)) from None


@lru_cache(maxsize=8)
def file_history(model: FromFile) -> tuple[tuple[int, ...], Numbers]:
    """The first prices of a file and its moves over the model's resolution.

    InputError where the file cannot be read, ValueError where it lacks an asset or moves.
    """
    path = read_prices(model.file).in_unit_of_account()
    rows = []
    for names in model.names[1:]:
        found = next((name for name in names if name in path.symbols), None)
        if found is None:
            has = ", ".join(path.symbols)
            raise ValueError(f"has no prices of {names[0]}; it has {has}")
        rows.append(path.prices[path.symbols.index(found)])
    grid = range(path.times[0], path.times[-1] + 1, model.resolution)
    places = np.searchsorted(np.array(path.times), np.array(grid), side="right") - 1
    sampled = [[row[place] for place in places] for row in rows]
    if len(places) <= len(rows) + 1:
        raise ValueError(f"has {len(places)} prices at this resolution; give it more")
    return tuple(row[0] for row in sampled), log_moves(sampled)
