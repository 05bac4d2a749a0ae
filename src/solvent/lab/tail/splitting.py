"""Splitting: a path that comes near what happens seldom goes on as several, each of less weight.

When a path first crosses a level, it is forked into `ways` that share its past, and each goes on
with weather of its own and a `ways`-th of the weight. So

    estimate of E[f] from one path = sum over its leaves of weight * f(leaf)

which has the right mean whatever the levels are and in whatever order they are crossed, for every
leaf's future has the law that it has given the past. Good levels make it vary less; bad ones waste
time. The paths that began apart are independent, so intervals are those of a plain sample of them.

Nothing here knows what a path is: a run of the engine, or a toy whose chance is known.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, Protocol, Self, TypeVar

FIRST = "0"
"""The name of the branch that a path begins with."""


class Splittable(Protocol):
    """A path that goes on moment by moment."""

    def advance(self) -> bool:
        """Go on to the next moment; False where there is none."""
        ...

    def crossed(self) -> Collection[str]:
        """The levels that were crossed so far."""
        ...

    def fork(self, branch: str) -> Self:
        """A path with the same past and weather of its own, by the name of its branch."""
        ...


Path = TypeVar("Path", bound=Splittable)


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Path]):
    """A path that came to its end, the name of its branch, and its weight."""

    path: Path
    branch: str
    weight: Fraction


def leaves(root: Path, levels: Collection[str], ways: int) -> Iterator[Leaf[Path]]:
    """All leaves of a path that is split into `ways` at the first crossing of each level.

    Levels that are crossed at the same moment split it once. The weights sum to one.
    """
    waiting = [(root, FIRST, Fraction(1), frozenset[str]())]
    while waiting:
        path, branch, weight, seen = waiting.pop()
        forks = 0
        while path.advance():
            new = frozenset(path.crossed()) & frozenset(levels) - seen
            if not new:
                continue
            weight, seen, forks = weight / ways, seen | new, forks + 1
            for way in range(1, ways):
                name = f"{branch}.{forks}-{way}"
                waiting.append((path.fork(name), name, weight, seen))
        yield Leaf(path, branch, weight)
