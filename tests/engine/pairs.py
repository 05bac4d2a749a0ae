"""Pairs: one state as both engines have it, read from the same snapshot.

States come from the simulator, each as it is and with prices gone stale and pools closed.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import NamedTuple

from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE, EngineParameters, PoolState
from solvent.domain.units import value_divisor
from solvent.engine.memory.columns import plain_store
from solvent.engine.memory.snapshot import read_snapshot
from solvent.engine.memory.store import Store
from solvent.kernels.language import allocate
from solvent.kernels.rows import Memory
from solvent.reference.margin import Portfolio
from solvent.reference.snapshot import read_snapshot as read_reference
from solvent.reference.snapshot import write_snapshot
from solvent.reference.state import State, new_state
from tests.engine.stepwise import steps
from tests.tables.market import plain_parameters

SEEDS = range(1, 9)
COMMANDS = 400
EVERY = 20


class Pair(NamedTuple):
    """One state as both engines have it."""

    state: State
    store: Store


def pair_of(state: State) -> Pair:
    """The state and the same in columns."""
    return Pair(state, plain_store(read_snapshot(write_snapshot(state))))


@cache
def snapshots() -> tuple[bytes, ...]:
    """Every 20th state of some runs of the simulator."""
    return tuple(
        step.after
        for seed in SEEDS
        for number, step in enumerate(steps(seed, COMMANDS))
        if number % EVERY == 0
    )


def pairs() -> Iterator[Pair]:
    """The simulator's states, each also with some prices gone stale and some pools closed."""
    rng = Random(1)
    for data in snapshots():
        yield pair_of(read_reference(data))
        state = read_reference(data)
        for price in state.prices[1:]:
            price.stale = rng.random() < 0.5
        state.parameters = with_pool_states(state.parameters, rng)
        yield pair_of(state)


def with_pool_states(parameters: EngineParameters, rng: Random) -> EngineParameters:
    """The parameters with pools open, closed or in repayment."""
    assets = tuple(
        replace(asset, pool=replace(asset.pool, state=rng.choice(tuple(PoolState))))
        for asset in parameters.assets
    )
    return replace(parameters, assets=assets)


def plain_pair() -> Pair:
    """The stories' market before its first command."""
    return pair_of(new_state(plain_parameters()))


def row_of(numbers: list[int]) -> Memory:
    """A row of these numbers."""
    row = allocate(len(numbers))
    for place, number in enumerate(numbers):
        row[place] = number
    return row


def portfolio_row(portfolio: Portfolio) -> Memory:
    """A portfolio as kernels have it."""
    return row_of([*portfolio.quantities, *portfolio.debts, *portfolio.unfunded])


def words(row: Memory, count: int) -> list[int]:
    """The first numbers of a row."""
    return [row[place] for place in range(count)]


def imagined(rng: Random, state: State, portfolio: Portfolio) -> Portfolio:
    """A portfolio of which parts are gone, exchanged, or changed by an atom."""

    def change(number: int) -> int:
        return max(0, rng.choice((number, number, 0, number // 3, 2 * number, number - 1)))

    changed = portfolio.copy()
    for column in (changed.quantities, changed.debts, changed.unfunded):
        column[:] = [change(number) for number in column]
        if rng.random() < 0.3:
            rng.shuffle(column)
        column[:] = [
            min(most, number) for most, number in zip(holdable(state), column, strict=True)
        ]
    return changed


def holdable(state: State) -> list[int]:
    """The most of each asset that an engine takes in, in atoms."""
    return [
        min(MAX_SUPPLY, MAX_VALUE * value_divisor(asset.decimals) // max(1, price.mark))
        for asset, price in zip(state.parameters.assets, state.prices, strict=True)
    ]
