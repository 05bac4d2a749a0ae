"""Draws: the engine's randomness depends on seed, interval and account, and on nothing else."""

from dataclasses import replace

from solvent.domain.units import RATIO
from solvent.reference.state import State, new_state
from solvent.reference.waterfall.draws import draw_ratio, mix
from tests.proof import proves
from tests.tables.market import plain_parameters


def state_of(seed: int) -> State:
    """A state with nothing but a seed."""
    return new_state(replace(plain_parameters(), seed=seed))


@proves("I27")
def test_a_draw_depends_on_seed_interval_and_account() -> None:
    state = state_of(7)
    drawn = draw_ratio(state, 5, 3)
    assert drawn == draw_ratio(state, 5, 3) == draw_ratio(state_of(7), 5, 3)
    others = [draw_ratio(state_of(8), 5, 3), draw_ratio(state, 5, 4), draw_ratio(state, 6, 3)]
    assert drawn not in others


def test_draws_fill_the_range_evenly() -> None:
    state = state_of(1)
    drawn = [draw_ratio(state, account, step) for step in range(50) for account in range(80)]
    assert all(0 <= number < RATIO for number in drawn)
    tenths = [sum(number * 10 // RATIO == tenth for number in drawn) for tenth in range(10)]
    assert min(tenths) > 330
    assert max(tenths) < 470


def test_the_mixer_gives_its_published_first_outputs() -> None:
    # SplitMix64 seeded with 0 and 1234567: outputs that its authors' program prints.
    golden = 0x9E3779B97F4A7C15
    assert [mix(golden * n) for n in (1, 2, 3)] == [
        0xE220A8397B1DCDAF,
        0x6E789E6AA1B965F4,
        0x06C45D188009454F,
    ]
    assert mix(1234567 + golden) == 6457827717110365317
