"""The moves of each price model: logarithms of prices since the start, by step and asset.

Sums run in a fixed order (`cumsum`, `fsum`, loops), never by a library's own blocks, so that the
last bit does not hang on the processor. What is drawn for an asset is keyed by its symbol: another
asset beside it changes nothing of it.
"""

from collections.abc import Sequence
from math import fsum

import numpy as np

from solvent.domain.units import RATIO, SECOND
from solvent.lab.paths.arithmetic import Numbers, exponential, logarithm, normal_quantile
from solvent.lab.paths.model import Bootstrap, Copula, Jumps, Shock
from solvent.lab.paths.streams import Streams

DAY = 24 * 3600 * SECOND


def bootstrap_moves(model: Bootstrap, history: Numbers, steps: int, streams: Streams) -> Numbers:
    """Blocks of the history's moves, going on at its beginning where a block meets its end."""
    length = len(history)
    breaks = streams.uniforms("blocks.break", steps) < model.resolution / model.block
    places = (streams.uniforms("blocks.place", steps) * length).astype(np.int64)
    taken, place = np.empty(steps, np.int64), 0
    for step in range(steps):
        place = int(places[step]) if step == 0 or breaks[step] else (place + 1) % length
        taken[step] = place
    return np.cumsum(history[taken], axis=0)


def copula_moves(
    model: Copula, history: Numbers, symbols: Sequence[str], steps: int, streams: Streams
) -> Numbers:
    """Each asset's own past moves, at ranks that a t copula of the history's joins."""
    roots = _roots(_scores(history))
    own = [streams.normals(f"copula.{symbol}", steps) for symbol in symbols]
    widths = _widths(model.degrees, steps, streams, "copula.width")
    moves = np.empty((steps, len(symbols)))
    ranked = np.sort(history, axis=0)
    for asset, row in enumerate(roots):
        joined = np.zeros(steps)
        for weight, draw in zip(row, own, strict=True):
            joined = joined + weight * draw
        chance = t_chance(joined / widths, model.degrees)
        places = np.minimum((chance * len(history)).astype(np.int64), len(history) - 1)
        moves[:, asset] = ranked[places, asset]
    return np.cumsum(moves, axis=0)


def jump_moves(
    model: Jumps, symbols: Sequence[str], steps: int, streams: Streams, count: int | None = None
) -> Numbers:
    """A diffusion and its jumps; `count` of them instead of a number that is drawn."""
    common = streams.normals("diffusion", steps)
    if count is None:
        count = jump_count(model, steps, streams)
    at = (streams.uniforms("jumps.at", count) * steps).astype(np.int64)
    shared = streams.normals("jumps.common", count)
    scale = np.sqrt(model.resolution / DAY)
    moves = np.empty((steps, len(symbols)))
    for asset, symbol in enumerate(symbols):
        own = streams.normals(f"diffusion.{symbol}", steps)
        moves[:, asset] = (
            model.volatility[asset] / RATIO * scale * _joined(model.loading[asset], common, own)
        )
        own = streams.normals(f"jumps.{symbol}", count)
        sizes = _joined(model.jump_loading[asset], shared, own) * (model.deviation[asset] / RATIO)
        np.add.at(moves[:, asset], at, sizes + model.mean[asset] / RATIO)
    return np.cumsum(moves, axis=0)


def shock_moves(model: Shock, symbols: Sequence[str], steps: int, streams: Streams) -> Numbers:
    """Nothing, then the shock in a straight line of logarithms, then what comes back of it."""
    common = streams.normals("shock.common", 1)
    width = _widths(model.degrees, 1, streams, "shock.width")
    room = max(0, steps * model.resolution - model.over)
    begun = streams.uniforms("shock.at", 1) * room
    passed = (np.arange(1, steps + 1) * model.resolution - begun) / model.over
    path = np.clip(passed, 0.0, 1.0) - model.back / RATIO * np.clip(passed - 1.0, 0.0, 1.0)
    moves = np.empty((steps, len(symbols)))
    for asset, symbol in enumerate(symbols):
        own = streams.normals(f"shock.{symbol}", 1)
        size = _joined(model.loading[asset], common, own) / width
        moves[:, asset] = path * (size * (model.scale[asset] / RATIO))
    return moves


def jump_mean(model: Jumps, steps: int) -> float:
    """How many jumps are expected in so many steps."""
    return model.intensity / RATIO * (steps * model.resolution / DAY)


def jump_chances(model: Jumps, steps: int, most: int) -> list[float]:
    """The chances of 0, 1, ..., `most` jumps (Poisson)."""
    mean = jump_mean(model, steps)
    chances = [float(exponential(np.array(-mean)))]
    for count in range(1, most + 1):
        chances.append(chances[-1] * mean / count)
    return chances


def jump_count(model: Jumps, steps: int, streams: Streams) -> int:
    """How many jumps a path has, by inversion of one uniform number."""
    drawn = float(streams.uniforms("jumps.count", 1)[0])
    mean = jump_mean(model, steps)
    chance = below = float(exponential(np.array(-mean)))
    count = 0
    while drawn > below and chance > 0.0:
        count += 1
        chance = chance * mean / count
        below += chance
    return count


def log_moves(prices: Sequence[Sequence[int]]) -> Numbers:
    """Logarithms of the ratios of prices that follow each other; (steps, assets)."""
    table = np.array(prices, np.float64).T
    return logarithm(table[1:] / table[:-1])


def t_chance(t: Numbers, degrees: int) -> Numbers:
    """Student's distribution function for an even number of degrees, where it is algebraic."""
    flat = degrees / (degrees + t * t)
    total, term = np.ones_like(t), 1.0
    power = np.ones_like(t)
    for place in range(1, degrees // 2):
        term *= (2 * place - 1) / (2 * place)
        power = power * flat
        total = total + term * power
    return 0.5 + 0.5 * (t / np.sqrt(degrees + t * t)) * total


def _joined(loading: int, common: Numbers, own: Numbers) -> Numbers:
    """A common and an own number of variance 1 with this correlation to the common one."""
    part = loading / RATIO
    found: Numbers = part * common + np.sqrt(1.0 - part * part) * own
    return found


def _widths(degrees: int, count: int, streams: Streams, purpose: str) -> Numbers:
    """What normal numbers are divided by to become Student's: sqrt(chi-squared / degrees)."""
    total = np.zeros(count)
    for place in range(degrees):
        draw = streams.normals(f"{purpose}.{place}", count)
        total = total + draw * draw
    return np.sqrt(total / degrees)


def _scores(history: Numbers) -> Numbers:
    """Each column's ranks as normal numbers; equal moves rank in order of time."""
    ranks = np.argsort(np.argsort(history, axis=0, kind="stable"), axis=0, kind="stable")
    chances = np.asarray((ranks + 1.0) / (len(history) + 1.0), np.float64)
    return normal_quantile(chances)


def _roots(scores: Numbers) -> list[list[float]]:
    """The Cholesky root of the scores' correlations, rows by asset."""
    count = scores.shape[1]
    whole = fsum(scores[:, 0] * scores[:, 0])
    rows: list[list[float]] = []
    for asset in range(count):
        row = [0.0] * count
        for other in range(asset + 1):
            wanted = fsum(scores[:, asset] * scores[:, other]) / whole
            rest = wanted - fsum(
                row[k] * (rows[other] if other < asset else row)[k] for k in range(other)
            )
            if other < asset:
                row[other] = rest / rows[other][other] if rows[other][other] else 0.0
            else:
                row[asset] = float(np.sqrt(max(0.0, rest)))
        rows.append(row)
    return rows
