"""Sobol indices against functions whose indices are known."""

import numpy as np
import pytest

from solvent.lab.estimate.sobol import indices, mean_of, worst_of

LEVELS = [5, 4]
X, Y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 4), indexing="ij")


def losses(figure: np.ndarray, noise: float = 0.0, paths: int = 60) -> np.ndarray:
    """Paths around a figure; their weather is the same at all points."""
    random = np.random.default_rng(1)
    own = random.normal(0, noise, (figure.size, paths)) if noise else 0.0
    return figure.reshape(-1, 1) + random.normal(0, 3, paths) + own


def test_what_adds_has_indices_that_add_to_one() -> None:
    found = indices(losses(2 * X + Y), LEVELS, mean_of)
    assert found is not None
    first = [each.first.value for each in found]
    share = 4 * X.var() / (4 * X.var() + Y.var())
    assert first == pytest.approx([share, 1 - share])
    assert [each.total.value for each in found] == pytest.approx(first)


def test_what_acts_only_together_has_no_first_order() -> None:
    found = indices(losses(X * Y), LEVELS, mean_of)
    assert found is not None
    assert [each.first.value for each in found] == pytest.approx([0, 0], abs=1e-9)
    assert [each.total.value for each in found] == pytest.approx([1, 1])


def test_the_interval_holds_the_truth_under_noise() -> None:
    found = indices(losses(2 * X + Y, 1.0, 400), LEVELS, mean_of)
    assert found is not None
    share = 4 * X.var() / (4 * X.var() + Y.var())
    assert found[0].first.low < share < found[0].first.high
    assert found[0].first.high - found[0].first.low < 0.2


def test_a_figure_that_does_not_vary_has_none() -> None:
    assert indices(np.zeros((20, 10)), LEVELS, mean_of) is None


def test_the_tail_may_hang_on_another_field_than_the_mean() -> None:
    base = np.zeros((20, 100))
    base[:, 0] = 1000 * (Y.ravel() + 2)
    base += 50 * X.ravel().reshape(-1, 1)
    means, tails = indices(base, LEVELS, mean_of), indices(base, LEVELS, worst_of(0.99))
    assert means is not None
    assert tails is not None
    assert means[0].first.value > means[1].first.value
    assert tails[1].first.value > tails[0].first.value
