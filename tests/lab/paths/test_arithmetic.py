"""The lab's own exponential, logarithm and quantile: right, and the same bits everywhere."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from solvent.lab.paths.arithmetic import exponential, logarithm, normal_quantile
from solvent.lab.paths.moves import t_chance
from solvent.lab.paths.streams import Streams


def test_exponential_and_logarithm_are_right_to_a_few_units_in_the_last_place() -> None:
    powers = np.linspace(-650.0, 650.0, 4001)
    for x, got in zip(powers, exponential(powers), strict=True):
        assert math.isclose(got, math.exp(x), rel_tol=2e-15)
    numbers = np.exp(np.linspace(-30.0, 30.0, 4001))
    for x, got in zip(numbers, logarithm(numbers), strict=True):
        assert math.isclose(got, math.log(x), rel_tol=2e-15, abs_tol=2e-16)
    assert logarithm(np.array([1.0]))[0] == 0.0
    assert exponential(np.array([0.0]))[0] == 1.0


def test_the_normal_quantile_is_that_of_the_standard_library() -> None:
    chances = np.array([2.0**-54, 1e-12, 1e-6, 0.001, 0.075, 0.3, 0.5, 0.925, 0.999, 1 - 1e-12])
    for chance, got in zip(chances, normal_quantile(chances), strict=True):
        assert math.isclose(got, NormalDist().inv_cdf(chance), rel_tol=1e-13, abs_tol=1e-15)


@pytest.mark.parametrize(
    ("degrees", "t", "chance"),
    # Quantiles as tables of Student's distribution have them.
    [
        (2, 4.302652730, 0.975),
        (4, 2.131846786, 0.95),
        (10, 2.763769458, 0.99),
        (30, -1.697260887, 0.05),
    ],
)
def test_students_distribution_is_that_of_the_tables(degrees: int, t: float, chance: float) -> None:
    assert math.isclose(float(t_chance(np.array([t]), degrees)[0]), chance, rel_tol=1e-9)


def test_streams_give_these_bits_on_every_machine() -> None:
    streams = Streams("root", 3)
    assert [x.hex() for x in streams.uniforms("a", 2)] == UNIFORMS
    assert [x.hex() for x in streams.normals("a", 2)] == NORMALS
    assert streams.seed("a") == SEED


def test_a_stream_hangs_on_its_key_alone() -> None:
    whole = Streams("root", 3).uniforms("a", 5)
    assert (Streams("root", 3).uniforms("a", 2) == whole[:2]).all()
    others = [Streams("root", 4), Streams("toor", 3)]
    assert all((other.uniforms("a", 5) != whole).all() for other in others)
    assert (Streams("root", 3).uniforms("b", 5) != whole).all()
    assert 0.0 < whole.min() < whole.max() < 1.0


UNIFORMS = ["0x1.add7175d5e2c4p-3", "0x1.a9537106e0209p-1"]
NORMALS = ["-0x1.9d18818b0f4f4p-1", "0x1.e9fb0d77f1576p-1"]
SEED = 5438727981788255758
