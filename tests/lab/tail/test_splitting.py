"""Splitting: right on average whatever the levels are, and a fork is the run itself."""

from fractions import Fraction
from math import sqrt
from pathlib import Path
from random import Random

import pytest

from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.lab.paths.drawing import drawn, forked
from solvent.lab.runner import run
from solvent.lab.tail import trajectory
from solvent.lab.tail.splitting import leaves
from solvent.lab.tail.trajectory import LEVELS, Trajectory
from tests.lab.paths.test_drawing import JUMPS, SHOCK, with_model
from tests.sizes import sized

STEPS = 12


class Walk:
    """A coin's walk of twelve steps, whose levels are heights; its chances are known."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self.done = self.height = self.top = 0

    def advance(self) -> bool:
        if self.done == STEPS:
            return False
        self.height += Random(f"{self._seed} {self.done}").choice((-1, 1))
        self.top = max(self.top, self.height)
        self.done += 1
        return True

    def crossed(self) -> set[str]:
        return {str(level) for level in range(1, self.top + 1)}

    def fork(self, branch: str) -> "Walk":
        other = Walk(f"{self._seed} {branch}")
        other.done, other.height, other.top = self.done, self.height, self.top
        return other


def estimate(seed: int, levels: tuple[str, ...], ways: int, wanted: int) -> float:
    found = list(leaves(Walk(str(seed)), levels, ways))
    assert sum(leaf.weight for leaf in found) == 1
    return float(sum((leaf.weight for leaf in found if leaf.path.height >= wanted), Fraction()))


WALKS = sized(400, 2000, 20_000)
CHANCE = 79 / 4096
"""That the walk ends at 8 or above: 1 + 12 + 66 of 4,096 ways."""


@pytest.mark.parametrize("levels", [(), ("2", "4", "6"), ("6",), ("1", "2", "3", "9")])
def test_the_mean_is_right_whatever_the_levels(levels: tuple[str, ...]) -> None:
    found = [estimate(seed, levels, 3, 8) for seed in range(WALKS)]
    mean = sum(found) / len(found)
    spread = sqrt(sum((x - mean) ** 2 for x in found) / (len(found) - 1) / len(found))
    assert abs(mean - CHANCE) < 4 * spread


def test_good_levels_make_it_surer() -> None:
    def variance(levels: tuple[str, ...]) -> float:
        found = [estimate(seed, levels, 3, 8) for seed in range(WALKS)]
        return sum((x - CHANCE) ** 2 for x in found)

    assert variance(("2", "4", "6")) < variance(()) / 3


def test_levels_crossed_together_split_once() -> None:
    walk = Walk("7")
    walk.top = 3
    found = list(leaves(walk, ("1", "2", "3"), 4))
    assert len(found) == 4
    assert {leaf.weight for leaf in found} == {Fraction(1, 4)}
    assert [leaf.branch for leaf in found] == ["0", "0.1-3", "0.1-2", "0.1-1"]


def test_a_path_that_is_not_split_is_the_run(tmp_path: Path) -> None:
    scenario = with_model(tmp_path, JUMPS)
    path = Trajectory(scenario, "root", 5, FastEngine)
    while path.advance():
        pass
    found = path.figures()
    usual = run(drawn(scenario, "root", 5), engine_factory=FastEngine).figures
    assert found["liquidated_accounts"] > 0
    assert {name: usual[name] for name in found} == found


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_fork_without_new_weather_is_the_run(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything a run is goes over: engine, people, makers, figures, hashes."""
    scenario = with_model(tmp_path, JUMPS)
    monkeypatch.setattr(
        trajectory, "forked", lambda scenario, root, path, _: forked(scenario, root, path, ())
    )
    whole = Trajectory(scenario, "root", 5, FastEngine)
    for _ in range(after):
        whole.advance()
    fork = whole.fork("other")
    while fork.advance():
        pass
    first = fork.figures()
    while whole.advance():
        pass
    assert first == whole.figures()
    assert first["liquidated_accounts"] > 0


def test_a_fork_has_the_past_and_another_future(tmp_path: Path) -> None:
    scenario = with_model(tmp_path, JUMPS)
    first = forked(scenario, "root", 5, ()).prices.points[1]
    other, third = (
        forked(scenario, "root", 5, forks).prices.points[1]
        for forks in (((4, "a"),), ((4, "a"), (7, "b")))
    )
    assert first[:5] == other[:5] == third[:5]
    assert first[5:] != other[5:]
    assert other[:8] == third[:8]
    assert other[8:] != third[8:]
    assert first[5][1] != other[5][1]


def test_a_model_with_a_memory_is_not_split(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can be split"):
        Trajectory(with_model(tmp_path, SHOCK), "root", 0, FastEngine)


def test_a_run_that_is_split_has_the_mean_of_plain_ones(tmp_path: Path) -> None:
    """Accounts that are closed, by plain paths and by split ones of other numbers."""
    wild = ("volatility = { SOL = 0.8 }", "volatility = { SOL = 2 }")
    scenario = with_model(tmp_path, JUMPS, wild)
    size = sized(8, 24, 400)

    def closed(number: int, ways: int) -> float:
        path = Trajectory(scenario, "root", number, FastEngine)
        found = leaves(path, LEVELS, ways)
        return float(sum(leaf.weight * leaf.path.figures()["closed_accounts"] for leaf in found))

    plain = [closed(number, 1) for number in range(size)]
    split = [closed(number, 2) for number in range(size, 2 * size)]
    means = [sum(each) / size for each in (plain, split)]
    spread = sqrt(
        sum(
            sum((x - mean) ** 2 for x in each) / (size - 1) / size
            for each, mean in zip((plain, split), means, strict=True)
        )
    )
    assert min(means) > 0
    assert abs(means[0] - means[1]) < 4 * spread
