"""One market under four models: fits load, flips are said first, crashes are held against them."""

import random
import subprocess
from pathlib import Path

import numpy as np
import pytest

from solvent.domain.errors import InputError
from solvent.domain.units import RATIO, SECOND
from solvent.lab.models.backtest import DAYS, PARTS, backtests
from solvent.lab.models.fitting import fit_jumps, fit_shock, fitted, loadings
from solvent.lab.models.points import model_of, model_points, other_fields
from solvent.lab.models.sheets import headline, tables
from solvent.lab.paths.moves import DAY, jump_moves
from solvent.lab.paths.streams import Streams
from solvent.lab.scenario.catalog import load_scenario, scenario_path
from solvent.lab.scenario.price_models import KINDS
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.points import scenario_at
from solvent.lab.sweeps.rows import METRICS, Row
from solvent.lab.sweeps.sweeping import read_rows
from tests.cli.helpers import command

NAME = "crash-2022-11-08"
TWO: tuple[dict[str, str], ...] = ({}, {"fund.balance": "0"})
MODELS = {kind: f'{{ model = {{ kind = "{kind}" }} }}' for kind in ("jumps", "copula")}
PLAN = Plan("x", "", "", model_points(MODELS, TWO), 60)
STEP = 60 * SECOND


def rows(shifts: list[float]) -> list[Row]:
    """Losses with so much more at each point of `PLAN`."""
    draws = random.Random(3)
    weather = [draws.expovariate(0.01) + 100 for _ in range(60)]
    return [
        Row(
            point,
            path,
            dict.fromkeys(METRICS, "0")
            # Noise of the same mean at each point.
            | {"deficit": f"{weather[path] + shift + (7 * path + 3 * point) % 5:f}"},
        )
        for point, shift in enumerate(shifts)
        for path in range(60)
    ]


def test_points_are_all_points_under_each_model() -> None:
    assert [model_of(point) for point in PLAN.points] == ["", *["jumps"] * 2, *["copula"] * 2]
    assert [other_fields(point) for point in PLAN.points] == [{}, *TWO, *TWO]


def test_a_ranking_that_flips_is_said_first() -> None:
    said = headline(PLAN, rows([0, 0, 20, 20, 0]))
    assert said.startswith("The ranking flips")
    assert "as it is surely loses less than fund.balance = 0 under jumps and more" in said
    assert "alike" in headline(PLAN, rows([0, 0, 20, 0, 20]))
    assert "no two contradict surely" in headline(PLAN, rows([0, 0, 20, 0.001, 0]))
    none = [Row(row.point, row.path, dict.fromkeys(METRICS, "0")) for row in rows([0] * 5)]
    assert "nothing to rank" in headline(PLAN, none)
    ranking, crashes, *_ = tables(PLAN, rows([0, 0, 20, 20, 0]))
    assert [line[:3] for line in ranking.rows] == [
        ("jumps", "1", "as it is"),
        ("jumps", "2", "fund.balance = 0"),
        ("copula", "1", "fund.balance = 0"),
        ("copula", "2", "as it is"),
    ]
    assert len(crashes.rows) == len(DAYS) * 3 * len(PARTS)


def test_four_models_of_a_scenario_that_names_a_file() -> None:
    found = fitted(load_scenario(NAME))
    assert tuple(found) == KINDS
    own = load_scenario(NAME)
    for kind, text in found.items():
        scenario = scenario_at(scenario_path(NAME), {"prices": text})
        assert type(scenario.prices.model).__name__.lower() == kind
        assert scenario.groups == own.groups
    with pytest.raises(InputError, match="names no price file"):
        fitted(load_scenario("quiet"))


def test_a_fit_has_the_moments_of_what_it_was_fitted_to() -> None:
    """Fitted to a long path of its own kind it finds the same rates again, within a tenth or so."""
    calm = np.zeros((5000, 2))
    draws = np.random.default_rng(1)
    common = draws.normal(0, 1, 5000)
    for asset, wide in enumerate((0.001, 0.002)):
        calm[:, asset] = wide * (0.9 * common + np.sqrt(1 - 0.81) * draws.normal(0, 1, 5000))
    moves = calm.copy()
    moves[::100] += (-0.05, -0.08)
    found = fit_jumps((1, 1), moves, STEP)
    a_day = DAY / STEP
    assert found.intensity / RATIO == pytest.approx(a_day / 100, rel=0.05)
    assert found.mean[0] / RATIO == pytest.approx(-0.05, rel=0.02)
    assert found.volatility[1] / RATIO == pytest.approx(0.002 * np.sqrt(a_day), rel=0.05)
    assert found.loading[0] / RATIO == pytest.approx(0.95, abs=0.03), "0.81 = 0.9 * 0.9 together"
    drawn = np.diff(jump_moves(found, ("A", "B"), 20_000, Streams("x", 0)), axis=0)
    assert drawn.std(axis=0) == pytest.approx(moves.std(axis=0), rel=0.1)
    shock = fit_shock((1, 1), calm, STEP)
    assert shock.over == 10 * STEP
    assert shock.scale[0] / RATIO == pytest.approx(0.001 * np.sqrt(10) / np.sqrt(2), rel=0.1)
    assert loadings(np.zeros((50, 2))).tolist() == [0.0, 0.0]


def test_the_shipped_crashes_tell_models_apart() -> None:
    """A diffusion with jumps is passed far too often in the crash that follows its calm half."""
    found = {(each.day, each.model, each.part): each.coverage for each in backtests()}
    assert len(found) == len(DAYS) * 3 * len(PARTS)
    assert found["2021-05-19", "jumps", 0.99].kupiec < 0.001
    assert found["2022-11-08", "bootstrap", 0.95].kupiec > 0.05


@pytest.mark.slow
def test_the_command_is_a_sweep(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = command(
        *("lab", "models", NAME, "--vary", "fund.balance=0", "--paths", "2", "--accounts", "20"),
        *("--workers", "1", "--out", out),
    )
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert len(read_rows(out)) == 2 * (1 + 4 * 2)
    assert "Coverage on crashes that were" in done.stdout
    checked = subprocess.run(
        command("lab", "verify", out, "--paths", "3"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "3 of 3 rows" in checked.stdout
