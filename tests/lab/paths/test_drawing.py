"""Drawn paths: each model's moves have the law that the scenario names, and every path its bits."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.lab.paths.drawing import drawn, scenario_hash
from solvent.lab.paths.model import Bootstrap, Copula, Jumps, Shock
from solvent.lab.paths.moves import (
    bootstrap_moves,
    copula_moves,
    jump_chances,
    jump_count,
    jump_moves,
    shock_moves,
)
from solvent.lab.paths.streams import Streams
from solvent.lab.runner import run
from solvent.lab.scenario.model import Scenario
from tests.lab.run_helpers import SMALL, small

DAY, MINUTE, RATIO = 86_400 * 10**6, 60 * 10**6, 10**9
POINTS = "[prices.paths]\nSOL = [[2026-01-01T00:00:00Z, 200], [2026-01-01T00:10:00Z, 150]]"
FILE_PRICES = "time,symbol,close\n" + "".join(
    f"2025-12-01T00:{minute:02}:00Z,SOL,{200 + (minute * 7) % 11}\n" for minute in range(60)
)

JUMPS = """
[prices.model]
kind = "jumps"
start = { SOL = 200 }
volatility = { SOL = 0.8 }
loading = { SOL = 0.5 }
jumps_a_day = 150
jump_mean = { SOL = -0.1 }
jump_deviation = { SOL = 0.05 }
jump_loading = { SOL = 1 }
"""
SHOCK = """
[prices.model]
kind = "shock"
start = { SOL = 200 }
scale = { SOL = 0.2 }
loading = { SOL = 1 }
degrees = 4
over_seconds = 120
back = 0.5
"""
BOOTSTRAP = '[prices.model]\nkind = "bootstrap"\nfile = "sol.csv"\nblock_seconds = 180\n'
COPULA = '[prices.model]\nkind = "copula"\nfile = "sol.csv"\ndegrees = 4\n'
KINDS = {"jumps": JUMPS, "shock": SHOCK, "bootstrap": BOOTSTRAP, "copula": COPULA}
# The first bytes of the digest of path 5's points, the same on every machine.
PINNED = {
    "jumps": "07a633320cf6",
    "shock": "1a3d8dd62331",
    "bootstrap": "e17998481359",
    "copula": "bea844d9b5d2",
}


def with_model(folder: Path, model: str, *changes: tuple[str, str]) -> Scenario:
    """The small scenario with a price model; what a file model needs lies beside it."""
    (folder / "sol.csv").write_text(FILE_PRICES)
    for old, new in changes:
        assert old in model
        model = model.replace(old, new)
    assert POINTS in SMALL
    return small(folder, (POINTS, model))


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_has_its_bits_and_its_seed(kind: str, tmp_path: Path) -> None:
    scenario = with_model(tmp_path, KINDS[kind])
    path = drawn(scenario, "root", 5)
    assert sha256(repr(path.prices.points).encode()).hexdigest()[:12] == PINNED[kind]
    assert path == drawn(scenario, "root", 5)
    other = drawn(scenario, "root", 6)
    assert other.prices.points != path.prices.points
    assert other.parameters.seed != path.parameters.seed
    times = [time for time, _ in path.prices.points[1]]
    assert times == list(range(0, 10 * MINUTE + 1, MINUTE))


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawn_path_runs(kind: str, tmp_path: Path) -> None:
    path = drawn(with_model(tmp_path, KINDS[kind]), "root", 1)
    once, again = (run(path, engine_factory=FastEngine).figures for _ in range(2))
    assert once["event_hash"] == again["event_hash"]
    assert once["steps"] >= 10


def test_a_scenario_that_draws_runs_as_its_path_0_and_says_so(tmp_path: Path) -> None:
    scenario = with_model(tmp_path, JUMPS)
    plain = run(scenario, engine_factory=FastEngine)
    assert any("path 0" in note for note in plain.notes)
    first = drawn(scenario, scenario_hash(scenario), 0)
    same = replace(scenario, prices=first.prices)
    assert run(same, engine_factory=FastEngine).figures["event_hash"] == plain.figures["event_hash"]


def test_without_a_model_people_differ_and_prices_do_not(tmp_path: Path) -> None:
    scenario = small(tmp_path)
    path = drawn(scenario, "root", 5)
    assert path.prices == scenario.prices
    assert path.parameters.seed != scenario.parameters.seed


def test_the_hash_covers_the_price_file(tmp_path: Path) -> None:
    scenario = with_model(tmp_path, BOOTSTRAP)
    before = scenario_hash(scenario)
    (tmp_path / "sol.csv").write_text(FILE_PRICES + "2025-12-01T01:00:00Z,SOL,1\n")
    assert scenario_hash(scenario) != before
    (tmp_path / "sol.csv").unlink()
    with pytest.raises(InputError, match="does not exist; its path"):
        scenario_hash(scenario)


JUMP_MODEL = Jumps(
    first=(1, 1),
    resolution=MINUTE,
    volatility=(RATIO * 4 // 100, RATIO * 8 // 100),
    loading=(RATIO * 9 // 10, RATIO * 8 // 10),
    intensity=2 * RATIO,
    mean=(-RATIO // 10, -RATIO // 5),
    deviation=(RATIO // 20, RATIO // 10),
    jump_loading=(RATIO, RATIO // 2),
)
TWO = ("A", "B")


def ends(moves: list[np.ndarray]) -> np.ndarray:
    return np.array([each[-1] for each in moves])


def test_the_diffusion_has_its_volatility_and_correlation() -> None:
    days = ends([jump_moves(JUMP_MODEL, TWO, 1440, Streams("d", n), 0) for n in range(800)])
    # Four standard errors of each estimate.
    assert abs(days.mean(axis=0) / days.std(axis=0)).max() < 4 / 800**0.5
    assert np.allclose(days.std(axis=0), [0.04, 0.08], rtol=4 / 1600**0.5)
    assert abs(np.corrcoef(days.T)[0, 1] - 0.72) < 4 * (1 - 0.72**2) / 800**0.5


def test_jumps_come_as_often_as_poisson_says_and_together() -> None:
    counts = [jump_count(JUMP_MODEL, 1440, Streams("c", n)) for n in range(4000)]
    assert abs(np.mean(counts) - 2.0) < 4 * (2.0 / 4000) ** 0.5
    assert abs(np.var(counts) - 2.0) < 0.25
    chances = jump_chances(JUMP_MODEL, 1440, 30)
    assert abs(sum(chances) - 1.0) < 1e-12
    assert abs(counts.count(0) / 4000 - chances[0]) < 4 * (chances[0] / 4000) ** 0.5
    still = Jumps(
        **{**{f: getattr(JUMP_MODEL, f) for f in JUMP_MODEL.__slots__}, "volatility": (0, 0)}
    )
    sizes = ends([jump_moves(still, TWO, 1440, Streams("j", n), 1) for n in range(3000)])
    assert np.allclose(sizes.mean(axis=0), [-0.1, -0.2], atol=4 * 0.1 / 1500**0.5)
    assert np.allclose(sizes.std(axis=0), [0.05, 0.1], rtol=4 / 3000**0.5)
    assert abs(np.corrcoef(sizes.T)[0, 1] - 0.5) < 4 * 0.75 / 1500**0.5


def test_another_asset_leaves_the_moves_of_the_first_alone() -> None:
    both = jump_moves(JUMP_MODEL, TWO, 100, Streams("a", 1))
    alone = jump_moves(JUMP_MODEL, TWO[:1], 100, Streams("a", 1))
    assert (both[:, :1] == alone).all()


def test_a_bootstrap_takes_blocks_of_the_history() -> None:
    model = Bootstrap(Path("x"), ((),), MINUTE, 10 * MINUTE)
    history = np.arange(500.0).reshape(-1, 1)
    moves = bootstrap_moves(model, history, 20_000, Streams("b", 0))
    taken = np.diff(np.concatenate([[0.0], moves[:, 0]]))
    joins = np.diff(taken)
    inside = np.isin(joins, [1.0, -499.0])
    assert abs((~inside).mean() - 0.1) < 0.01
    assert abs(taken.mean() - 249.5) < 20


def test_a_copula_keeps_each_assets_own_moves_and_their_ranks_correlation() -> None:
    streams = Streams("history", 0)
    common, own = streams.normals("x", 2000), streams.normals("y", 2000)
    history = np.stack([common**3, 0.8 * common + 0.6 * own], axis=1)
    model = Copula(Path("x"), ((),), MINUTE, 4)
    moves = copula_moves(model, history, TWO, 8000, Streams("k", 0))
    steps = np.diff(moves, axis=0)
    for asset in range(2):
        assert np.isin(np.round(steps[:, asset], 9), np.round(history[:, asset], 9)).mean() > 0.999
    ranks: np.ndarray = np.argsort(np.argsort(steps, axis=0), axis=0)
    # Rank correlation of a t copula with 4 degrees and correlation 0.8: a little below 0.786.
    assert 0.72 < np.corrcoef(ranks.T)[0, 1] < 0.80
    extremes = (ranks > 0.99 * len(ranks)).all(axis=1).mean() / 0.01
    # With normal joints 0.38 of the extreme moves would come together.
    assert extremes > 0.42


def test_a_shock_falls_within_its_time_and_comes_back_in_part() -> None:
    model = Shock(
        (1, 1), MINUTE, (RATIO // 5, RATIO // 10), (RATIO, RATIO), 4, 3 * MINUTE, RATIO // 2
    )
    paths = [shock_moves(model, TWO, 60, Streams("s", n)) for n in range(1500)]
    whole = np.array([path[np.argmax(np.abs(path[:, 0]))] for path in paths])
    assert np.allclose(whole[:, 0], 2 * whole[:, 1])
    deep = [abs(path[-1, 0]) / np.abs(path[:, 0]).max() for path in paths]
    assert 0.4 < np.median(deep) < 0.6
    # Student with 4 degrees: |t| > 2.132 with chance 0.1; steps see nearly the whole fall.
    assert abs((np.abs(whole[:, 0]) > 0.2 * 2.132).mean() - 0.1) < 0.031


@pytest.mark.parametrize(
    ("model", "change", "field", "said"),
    [
        (JUMPS, ('"jumps"', '"levy"'), "kind", "bootstrap, copula, jumps, shock"),
        (JUMPS, ("start = { SOL = 200 }", "start = {}"), "start.SOL", "missing"),
        (JUMPS, ("loading = { SOL = 0.5 }", "loading = { SOL = 1.5 }"), "loading.SOL", "-1 and 1"),
        (JUMPS, ("jumps_a_day = 150", "jumps_a_day = -1"), "jumps_a_day", "between"),
        (SHOCK, ("degrees = 4", "degrees = 5"), "degrees", "even"),
        (SHOCK, ("back = 0.5", "bock = 0.5"), "bock", "not a known field"),
        (BOOTSTRAP, ("= 180", "= 18"), "block_seconds", "resolution_seconds"),
    ],
)
def test_a_model_that_is_wrong_is_refused_by_field(
    model: str, change: tuple[str, str], field: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        with_model(tmp_path, model, change)
    assert caught.value.field == f"prices.model.{field}"
    assert said in caught.value.reason
    assert caught.value.line is not None


def test_a_price_that_leaves_the_range_is_said_with_its_path(tmp_path: Path) -> None:
    scenario = with_model(
        tmp_path, JUMPS, ("jump_mean = { SOL = -0.1 }", "jump_mean = { SOL = 5 }")
    )
    with pytest.raises(InputError, match="path 3"):
        drawn(scenario, "root", 3, jumps=20)
    with pytest.raises(InputError, match="no jumps"):
        drawn(with_model(tmp_path, SHOCK), "root", 3, jumps=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no prices of SOL|file|empty"),
        ("time,symbol,close\n2025-12-01T00:00:00Z,SOL,200\n", "give it more"),
    ],
)
def test_a_file_that_a_model_cannot_use_is_refused(text: str, said: str, tmp_path: Path) -> None:
    scenario = with_model(tmp_path, COPULA, ("sol.csv", "other.csv"))
    (tmp_path / "other.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        drawn(scenario, "root", 0)
