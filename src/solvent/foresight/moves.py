"""Moves: which marks are asked about, as shares of those in force, in 10^-9.

A mark that moved is rounded down to 10^-10 USDC and is at least that. USDC does not move.
"""

from collections.abc import Mapping, Sequence

from solvent.domain.errors import InputError
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import INT64_MAX, RATIO

PERCENT = RATIO // 100
LEAST_MOVE = -RATIO
MOST_MOVE = 100 * RATIO
CURVE = tuple(
    PERCENT * percent
    for percent in (
        *range(-90, -10, 10),
        *(-15, -10, -5, 0, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 250, 300),
    )
)
"""The moves of a curve, from -90 % to +300 %."""
_HIGHEST_MARK = INT64_MAX // 4


def moved(mark: int, move: int) -> int:
    """A mark that is known, after a move."""
    return max(1, mark * (RATIO + move) // RATIO)


def by_asset(
    parameters: EngineParameters, marks: Sequence[int], moves: Mapping[int, int]
) -> list[int]:
    """Marks with some of them moved. InputError for what cannot move, or not so far."""
    found = list(marks)
    for asset, move in moves.items():
        symbol = parameters.assets[asset].symbol
        if asset == USDC:
            raise InputError("what-if", symbol, "is the unit that prices are in; move another one")
        if not marks[asset]:
            raise InputError("what-if", symbol, "has no mark yet that could move")
        if not LEAST_MOVE <= move <= MOST_MOVE:
            raise InputError("what-if", symbol, "moves by -100 % at the least and 10,000 % at most")
        found[asset] = moved(marks[asset], move)
        if found[asset] > _HIGHEST_MARK:
            raise InputError("what-if", symbol, "would have a mark that is too high for an engine")
    return found


def by_beta(
    parameters: EngineParameters, marks: Sequence[int], betas: Mapping[int, int], move: int
) -> dict[int, int]:
    """Moves of all that have a mark, each its beta (10^-9, 1 where none is given) times `move`."""
    return {
        asset: max(LEAST_MOVE, betas.get(asset, RATIO) * move // RATIO)
        for asset in range(USDC + 1, len(parameters.assets))
        if marks[asset]
    }
