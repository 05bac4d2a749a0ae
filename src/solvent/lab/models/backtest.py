"""Backtests of the models on crashes that were: fitted to a file's first half, held to its second.

The portfolio is the same part of each asset; its loss over one move is held against what the model
says is passed in 5 % and in 1 % of moves. A shock happens once a path and has no such level.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from solvent.domain.units import SECOND
from solvent.lab.estimate.coverage import Coverage, coverage
from solvent.lab.models.fitting import BLOCK, DEGREES, fit_jumps
from solvent.lab.paths.arithmetic import Numbers
from solvent.lab.paths.drawing import file_history
from solvent.lab.paths.model import Bootstrap, Copula
from solvent.lab.paths.moves import bootstrap_moves, copula_moves, jump_moves
from solvent.lab.paths.streams import Streams
from solvent.lab.scenario.catalog import FOLDER

DRAWN = 20_000
PARTS = (0.95, 0.99)
RESOLUTION = 60 * SECOND
SYMBOLS = ("BTC", "ETH")
DAYS = ("2020_03_12", "2021_05_19", "2022_11_08", "2024_08_05", "2025_10_10")
"""The crashes whose prices are shipped."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """A model and a level on the second half of one crash."""

    day: str
    model: str
    part: float
    coverage: Coverage


@lru_cache(maxsize=1)
def backtests() -> tuple[Backtest, ...]:
    """Every model with a level for each move, on every crash that is shipped."""
    found = []
    for day in DAYS:
        file = FOLDER.parent / "data" / f"crash_{day}.csv"
        found += [
            Backtest(day.replace("_", "-"), model, part, each)
            for (model, part), each in on_file(file).items()
        ]
    return tuple(found)


def on_file(file: Path) -> dict[tuple[str, float], Coverage]:
    """By model and level, how the second half of a price file of BTC and ETH fares."""
    names = ((), *((symbol,) for symbol in SYMBOLS))
    blocks = Bootstrap(file, names, RESOLUTION, BLOCK * RESOLUTION)
    first, moves = file_history(blocks)
    half = len(moves) // 2
    past, losses = moves[:half], -moves[half:].mean(axis=1)
    found = {}
    for model, drawn in _drawn(blocks, first, past).items():
        ranked = np.sort(-np.diff(drawn, axis=0).mean(axis=1))
        for part in PARTS:
            edge = float(ranked[min(len(ranked) - 1, int(part * len(ranked)))])
            found[model, part] = coverage([bool(loss > edge) for loss in losses], part)
    return found


def _drawn(blocks: Bootstrap, first: tuple[int, ...], past: Numbers) -> dict[str, Numbers]:
    """A long path of each model, as logarithms."""
    streams = Streams("backtest", 0)
    copula = Copula(blocks.file, blocks.names, blocks.resolution, DEGREES)
    jumps = fit_jumps(first, past, blocks.resolution)
    return {
        "bootstrap": bootstrap_moves(blocks, past, DRAWN, streams),
        "copula": copula_moves(copula, past, SYMBOLS, DRAWN, streams),
        "jumps": jump_moves(jumps, SYMBOLS, DRAWN, streams),
    }
