"""Samples of the tail: paths in strata of their jumps, or split where they cross levels.

    plain       path n of the scenario, as a sweep has it
    strata      so many strata: no jump, one jump, ..., and as many as that or more
    split       each path goes on as several whenever it first crosses a level

What a worker is given is one path; what it gives back are its leaves. So the sample is the same for
any number of workers, and its rows are in order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import count

from solvent.engine.engine import FastEngine
from solvent.lab.estimate.designs import Design, Stratum
from solvent.lab.paths.drawing import drawn, scenario_hash, steps_of
from solvent.lab.paths.model import Jumps
from solvent.lab.paths.moves import jump_chances, jump_mean
from solvent.lab.paths.streams import Streams
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Scenario
from solvent.lab.sweeps.rows import HASHES, METRICS, row_figures
from solvent.lab.tail.splitting import FIRST, leaves
from solvent.lab.tail.trajectory import Trajectory

MOST_STRATA = 50
COLUMNS = ("stratum", "path", "branch", "weight", "moments", *METRICS, *HASHES, "error")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is sampled: `strata` is 0 for none, `ways` 1 for no splitting at `levels`.

    `shard` (i, n) has the paths whose number leaves i - 1 when divided by n.
    """

    scenario: str
    paths: int
    strata: int = 0
    ways: int = 1
    levels: tuple[str, ...] = ()
    accounts: int | None = None
    shard: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A leaf of a path: its stratum, branch and weight (a fraction), and figures or an error."""

    stratum: int
    path: int
    branch: str
    weight: str
    moments: int
    figures: Mapping[str, str]
    error: str = ""

    def cells(self) -> list[str]:
        """The row by `COLUMNS`."""
        place = str(self.stratum), str(self.path), self.branch, self.weight, str(self.moments)
        return [*place, *(self.figures.get(name, "") for name in (*METRICS, *HASHES)), self.error]


def leaf_of(cells: list[str]) -> LeafRow:
    """The row of these cells. ValueError where they are none."""
    if len(cells) != len(COLUMNS):
        raise ValueError(f"has {len(cells)} cells, not {len(COLUMNS)}")
    stratum, path, branch, weight, moments, *told, error = cells
    figures = {} if error else dict(zip((*METRICS, *HASHES), told, strict=True))
    return LeafRow(int(stratum), int(path), branch, weight, int(moments), figures, error)


def sample(asked: Asked, executor: Executor) -> Iterator[list[LeafRow]]:
    """The leaves of each path, in order of strata and paths."""
    yield from executor.map(partial(path_leaves, asked), places(asked))


def places(asked: Asked) -> Iterable[tuple[int, int]]:
    """The stratum and the number of every path: strata share no path, so they are independent."""
    numbers = count()
    each = -(-asked.paths // max(1, asked.strata))
    found = [(h, next(numbers)) for h in range(max(1, asked.strata)) for _ in range(each)]
    part, parts = asked.shard
    return [place for place in found if place[1] % parts == part - 1]


def chances(scenario: Scenario, strata: int) -> list[float]:
    """The chances of the strata. InputError where the scenario's prices do not jump."""
    if not strata:
        return [1.0]
    model = scenario.prices.model
    if not isinstance(model, Jumps):
        raise scenario.error("prices.model", 'has no jumps to be counted; kind = "jumps" has')
    below = jump_chances(model, steps_of(scenario), strata - 1)[: strata - 1]
    return [*below, 1.0 - sum(below)]


def design(asked: Asked, rows: Sequence[LeafRow], metric: str) -> Design:
    """One figure of a sample as a design; paths with a leaf that failed are left out."""
    scenario = load_scenario(asked.scenario)
    failed = {row.path for row in rows if row.error}
    found = []
    for number, part in enumerate(chances(scenario, asked.strata)):
        paths: dict[int, list[tuple[float, float]]] = {}
        for row in rows:
            if row.stratum == number and row.path not in failed:
                over, _, under = row.weight.partition("/")
                value = float(row.figures[metric])
                paths.setdefault(row.path, []).append((int(over) / int(under or 1), value))
        found.append(Stratum(part, list(paths.values())))
    return Design(found)


def path_leaves(asked: Asked, place: tuple[int, int]) -> list[LeafRow]:
    """The leaves of one path, by its stratum and number; what is wrong with it is its row."""
    stratum, path = place
    scenario = load_scenario(asked.scenario)
    root = scenario_hash(scenario)
    try:
        if asked.ways == 1:
            return [_whole(asked, scenario, root, stratum, path)]
        trajectory = Trajectory(scenario, root, path, FastEngine, asked.accounts)
        return [
            LeafRow(
                stratum,
                path,
                leaf.branch,
                str(leaf.weight),
                leaf.path.moments,
                row_figures(leaf.path.figures()),
            )
            for leaf in leaves(trajectory, asked.levels, asked.ways)
        ]
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return [LeafRow(stratum, path, FIRST, "1", 0, {}, told)]


def _whole(asked: Asked, scenario: Scenario, root: str, stratum: int, path: int) -> LeafRow:
    jumps = _jumps(asked, scenario, root, stratum, path) if asked.strata else None
    weather = drawn(scenario, root, path, jumps)
    figures = run(weather, accounts=asked.accounts, engine_factory=FastEngine).figures
    return LeafRow(stratum, path, FIRST, "1", figures["steps"], row_figures(figures))


def _jumps(asked: Asked, scenario: Scenario, root: str, stratum: int, path: int) -> int:
    """How many jumps a stratum's path has; in the last one at least so many, by inversion."""
    if stratum < asked.strata - 1:
        return stratum
    model = scenario.prices.model
    assert isinstance(model, Jumps)
    steps = steps_of(scenario)
    below = jump_chances(model, steps, stratum)
    rest = 1.0 - sum(below[:stratum])
    drawn_part = float(Streams(root, path).uniforms("stratum", 1)[0]) * rest
    number, chance, passed = stratum, below[stratum], below[stratum]
    while drawn_part > passed and chance > 0.0:
        number += 1
        chance *= jump_mean(model, steps) / number
        passed += chance
    return number
