"""Planting: a canary is a bug in the reference engine on purpose, which its checks must notice.

A canary replaces one function of the engine by a wrong one. `caught_by` names the invariants of
which at least one must be in the first breach, `where` what shows it: the simulator's seeds, or a
boundary population where commands that are drawn seldom come to where the bug is. A canary that
nobody notices means that a check proves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from solvent.proof.fuzz.simulator import simulate
from solvent.proof.invariants.invariants import Breach
from tests.simulator.populations import Population

RUN = 1500
Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Seeds:
    """Runs of `RUN` commands with seeds from `first` on, `within` commands in all."""

    within: int
    first: int = 0

    def first_breaches(self) -> tuple[int, list[Breach]]:
        """Commands until the simulator noticed something, and what; nothing where it did not."""
        done = seed = 0
        while done < self.within:
            result = simulate(self.first + seed, min(RUN, self.within - done))
            done += result.commands + bool(result.breaches)
            if result.breaches:
                return done, [found.breach for found in result.breaches]
            seed += 1
        return done, []


@dataclass(frozen=True)
class Canary:
    """One planted bug, what must notice it, and where."""

    name: str
    plant: Plant
    caught_by: frozenset[str]
    where: Seeds | Population


CANARIES: list[Canary] = []


def canary(
    *caught_by: str, within: int = 0, first_seed: int = 0, population: Population | None = None
) -> Callable[[Plant], Plant]:
    """List a planted bug under its function's name."""

    def listed(plant: Plant) -> Plant:
        where = population or Seeds(within, first_seed)
        CANARIES.append(Canary(plant.__name__, plant, frozenset(caught_by), where))
        return plant

    return listed
