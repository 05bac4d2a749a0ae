"""Losers leave early, winners and the frontier never; the sweep is the same whoever computes."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from solvent.lab.sweeps import sweeping
from solvent.lab.sweeps.elimination import alive, survivors
from solvent.lab.sweeps.frontier import frontier
from solvent.lab.sweeps.log import LOG
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.rows import METRICS, Row
from solvent.lab.sweeps.summary import choice_of, frontier_sheet
from solvent.lab.sweeps.sweeping import begin, sweep
from solvent.lab.sweeps.workers import local_pool
from tests.cli.helpers import solvent
from tests.lab.sweeps.helpers import falling
from tests.lab.sweeps.test_dask import plan_of

POINTS: tuple[dict[str, str], ...] = ({}, {"a": "1"}, {"a": "2"}, {"a": "3"})
PATHS = 100


def rows(shifts: list[float], more: dict[int, dict[str, str]], seed: int = 1) -> list[Row]:
    """Losses with this much more at each point, and other figures of some points."""
    draws = random.Random(seed)
    weather = [draws.expovariate(0.01) for _ in range(PATHS)]
    return [
        Row(
            point,
            path,
            dict.fromkeys(METRICS, "0")
            | {"deficit": f"{weather[path] + shift + draws.gauss(0, 1):.6f}"}
            | more.get(point, {}),
        )
        for point, shift in enumerate(shifts)
        for path in range(PATHS)
    ]


def test_what_is_surely_worse_in_the_loss_and_better_in_nothing_leaves() -> None:
    found = rows([0, 50, -50, 0.01], {})
    assert survivors(found, [0, 1, 2, 3], 1) == [0, 2], "the scenario as it is stays"
    assert survivors(rows([0, 0.01, -0.01, 0], {}), [0, 1, 2, 3], 1) == [0, 1, 2, 3]


@pytest.mark.parametrize("figures", [{"lend_rate": "0.2"}, {"liquidated": "-1"}])
def test_what_pays_for_its_losses_elsewhere_stays(figures: dict[str, str]) -> None:
    found = rows([0, 50, -50, 0.01], {1: figures})
    assert survivors(found, [0, 1, 2, 3], 1) == [0, 1, 2]
    assert 1 in frontier(found, [0, 1, 2, 3])


def test_the_best_is_seldom_left_out() -> None:
    """Of equal points, over many samples and three looks each, the least may fall in 2.5 %."""
    wrong = 0
    for seed in range(200):
        found = rows([0, 0, 0, 0], {}, seed)
        points = [0, 1, 2, 3]
        for look in (1, 2, 3):
            points = survivors(found, points, look)
        wrong += len(points) < 4
    assert wrong / 200 <= 0.05 + 0.05


def test_figures_are_chosen_among_those_that_went_on() -> None:
    found = [row for row in rows([0, 50, -50, 0], {}) if row.point in (0, 2) or row.path < 50]
    plan = Plan("x", "", "", POINTS, PATHS, drop=True)
    assert alive(found, 4) == [0, 2]
    choice = choice_of(plan, found)
    assert choice is not None
    assert choice.best == 2
    assert [line[-1] for line in frontier_sheet(plan, found)[0].rows] == [
        "no",
        "left out",
        "yes",
        "left out",
    ]
    only = [row for row in found if row.point == 2 or row.path < 50]
    assert choice_of(plan, only) == type(choice)(2, ())


@pytest.mark.slow
def test_a_sweep_that_leaves_losers_out_is_the_same_however_it_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "FIRST_LOOK", 20)
    file = falling(tmp_path / "own")
    funds: tuple[dict[str, str], ...] = ({}, *({"fund.balance": x} for x in ("0", "2000000")))
    plan = replace(plan_of(file, 60), points=funds, drop=True)
    begin(tmp_path / "one", plan)
    first = sweep(tmp_path / "one", local_pool(1))
    counts = [sum(row.point == point for row in first) for point in range(3)]
    assert counts[0] == 60
    assert counts[2] == 60
    assert counts[1] in (20, 40), "no fund: surely worse, and better in nothing"
    begin(tmp_path / "two", plan)
    (tmp_path / "two" / LOG).write_bytes((tmp_path / "one" / LOG).read_bytes()[:5000])
    sweep(tmp_path / "two", local_pool(2))
    for name in (sweeping.ROWS, "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_shard_cannot_leave_losers_out(tmp_path: Path) -> None:
    done = solvent(
        *("lab", "sweep", falling(tmp_path / "own"), "--out", tmp_path / "out"),
        *("--drop-losers", "--shard", "1/2"),
    )
    assert (done.returncode, "--drop-losers: needs all paths of all points" in done.stderr) == (
        2,
        True,
    )
    assert not (tmp_path / "out").exists()
