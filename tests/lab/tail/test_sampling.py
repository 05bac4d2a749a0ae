"""Samples of the tail: strata have their chances, and workers change no row."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.lab.paths.model import Jumps
from solvent.lab.paths.moves import jump_mean
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.sweeps.workers import local_pool
from solvent.lab.tail.sampling import Asked, LeafRow, _jumps, chances, design, places, sample
from solvent.lab.tail.sheets import cost_words, tail_sheet
from solvent.lab.tail.trajectory import LEVELS
from tests.cli.helpers import solvent
from tests.lab.paths.test_drawing import JUMPS, SHOCK, with_model
from tests.lab.sweeps.helpers import falling


def rows_of(asked: Asked) -> list[LeafRow]:
    with ThreadPoolExecutor(1) as one:
        return [row for found in sample(asked, one) for row in found]


def test_strata_are_the_numbers_of_jumps(tmp_path: Path) -> None:
    scenario = with_model(tmp_path, JUMPS)
    found = chances(scenario, 3)
    assert sum(found) == pytest.approx(1.0)
    # 150 jumps a day in ten minutes: e^-m and m e^-m.
    assert found[1] / found[0] == pytest.approx(150 / 144)
    asked = Asked(scenario.file, 7, strata=3)
    numbers = list(places(asked))
    assert [stratum for stratum, _ in numbers] == [0] * 3 + [1] * 3 + [2] * 3
    assert len({path for _, path in numbers}) == 9


def test_the_last_stratum_has_all_the_rest(tmp_path: Path) -> None:
    """The mean number of jumps over all strata is that of the model."""
    scenario = with_model(tmp_path, JUMPS)
    asked = Asked(scenario.file, 9, strata=2)
    found = [_jumps(asked, scenario, "root", 1, path) for path in range(4000)]
    assert min(found) == 1
    mean = chances(scenario, 2)[1] * sum(found) / len(found)
    model = scenario.prices.model
    assert isinstance(model, Jumps)
    assert mean == pytest.approx(jump_mean(model, 10), rel=0.03)


def test_prices_without_jumps_have_no_strata(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no jumps"):
        chances(with_model(tmp_path, SHOCK), 2)


@pytest.mark.parametrize(("strata", "ways", "levels"), [(2, 1, ()), (0, 2, LEVELS)])
def test_workers_change_no_row(
    strata: int, ways: int, levels: tuple[str, ...], tmp_path: Path
) -> None:
    asked = Asked(str(falling(tmp_path)), 6, strata, ways, levels)
    alone = rows_of(asked)
    with local_pool(2).make() as two:
        assert alone == [row for found in sample(asked, two) for row in found]
    assert not any(row.error for row in alone)


def test_a_path_that_fails_is_a_row_and_leaves_the_estimate(tmp_path: Path) -> None:
    asked = Asked(str(falling(tmp_path)), 4, accounts=1)
    rows = rows_of(asked)
    assert "no figure" in str(tail_sheet(asked, rows).rows)
    assert all("at least 2" in row.error for row in rows)
    assert "4 failed" in cost_words(asked, rows)


def test_a_sample_is_a_table(tmp_path: Path) -> None:
    asked = Asked(str(falling(tmp_path)), 6, ways=2, levels=("liquidation",))
    rows = rows_of(asked)
    sheet = tail_sheet(asked, rows)
    assert [line[0].split(",")[0] for line in sheet.rows][:3] == [
        "Chance that a lender loses",
        "Mean loss",
        "VaR 95",
    ]
    assert len(rows) > 6
    found = design(asked, rows, "liquidated")
    assert found.mean().value > 0
    assert load_scenario(asked.scenario).name == "small"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--strata", "2", "--split", "2"), "does not go with"),
        (("--levels", "pool90", "--split", "2"), "choose from liquidation"),
        (("--paths", "3", "--strata", "2"), "at least 4"),
        (("--shard", "3/2"), "must lie between 1/N and N/N"),
    ],
)
def test_what_does_not_fit_is_refused(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = solvent("lab", "tail", falling(tmp_path), "--out", out, *words)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert not out.exists()
