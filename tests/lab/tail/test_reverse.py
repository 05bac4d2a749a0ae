"""Reverse stress: the covariance is the model's, and the shortest shock is at the edge."""

from pathlib import Path

import numpy as np
import pytest

from solvent.domain.errors import InputError
from solvent.domain.units import SECOND
from solvent.lab.paths.drawing import drawn
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Scenario
from solvent.lab.tail.reverse import (
    EVENTS,
    FARTHEST,
    HALVINGS,
    Found,
    covariance,
    directions,
    search,
    shortest,
)
from solvent.lab.tail.sheets import reverse_sheet
from tests.lab.paths.test_drawing import BOOTSTRAP, COPULA, JUMPS, SHOCK, with_model
from tests.lab.run_helpers import small
from tests.lab.sweeps.helpers import falling


def moves_of(scenario: Scenario, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Logarithms of the last price over the first of so many paths."""
    ends = []
    for path in range(count):
        points = drawn(scenario, "root", path).prices.points[1]
        ends.append(np.log(points[-1][1] / points[0][1]))
    return np.array(ends)


@pytest.mark.parametrize("model", [JUMPS, SHOCK.replace("degrees = 4", "degrees = 10"), COPULA])
def test_the_covariance_is_that_of_drawn_paths(model: str, tmp_path: Path) -> None:
    scenario = with_model(tmp_path, model.replace("back = 0.5", "back = 0"))
    (found,) = covariance(scenario).ravel()
    assert found == pytest.approx(moves_of(scenario, 700).var(), rel=0.25)


def test_of_two_assets_it_has_their_correlation() -> None:
    """BTC and ETH of jump-day, of whose diffusion and jumps loadings are 0.95 and 0.9."""
    found = covariance(load_scenario("jump-day"))
    assert found.shape == (3, 3)
    assert np.allclose(found, found.T)
    days, jumps = 0.25, 3.0
    wanted = days * (0.03 * 0.04 * 0.95 * 0.9 + jumps * (0.08 * 0.1 + 0.06 * 0.08 * 0.95 * 0.9))
    assert found[0, 1] == pytest.approx(wanted)


def test_without_a_model_nothing_is_plausible(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model"):
        covariance(small(tmp_path))
    assert covariance(with_model(tmp_path, BOOTSTRAP)).shape == (1, 1)


def test_directions_are_units_and_the_same_again() -> None:
    found = list(directions("root", 3, 5))
    assert len(found) == 11
    assert found == list(directions("root", 3, 5))
    assert all(sum(x * x for x in each) == pytest.approx(1.0) for each in found)
    assert (0.0, -1.0, 0.0) in found


def test_the_edge_is_where_it_begins(tmp_path: Path) -> None:
    """A little less of the shock found does not bring the event about, itself it does."""
    file = str(falling(tmp_path))
    found = {each.event: each for each in search(file, 60 * SECOND, None, (-1.0,))}
    assert set(found) == set(EVENTS) - {"a pool is full"}
    loss = found["a lender loses"]
    assert 0 < found["ADL acts"].distance <= loss.distance < FARTHEST
    assert loss.distance % (FARTHEST / 2**HALVINGS) == 0
    assert loss.moves[0] < 0
    up = {each.event for each in search(file, 60 * SECOND, None, (1.0,))}
    assert "a lender loses" not in up


def test_the_shortest_of_all_directions_is_told(tmp_path: Path) -> None:
    found = [
        Found("ADL acts", 5.0, (-0.2,)),
        Found("ADL acts", 4.125, (-0.1,)),
        Found("a pool is full", 7.0, (0.3,)),
    ]
    assert [each.distance for each in shortest(found)] == [7.0, 4.125]
    sheet = reverse_sheet(small(tmp_path), found)
    assert sheet.rows == [
        ("a pool is full", "7.0", "+35.0 %"),
        ("ADL acts", "4.1", "-9.5 %"),
        ("a lender loses", "over 30", "–"),
    ]
