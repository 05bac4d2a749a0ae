"""Governors: the rates that they give a curve, and what somebody gains who parks utilization."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.commands import ChangeParameter, Command
from solvent.domain.errors import InputError
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import MAX_APR, EngineParameters
from solvent.domain.units import HOUR, RATIO
from solvent.engine.engine import FastEngine
from solvent.lab.people.governors import Governors, error_of
from solvent.lab.rates import rates_sheet, tried
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Governor, Rule

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "parked-utilization.toml"
TARGET, RATE = RATIO * 8 // 10, RATIO * 4 // 100
GOVERNOR = Governor(
    asset=1,
    rule=Rule.ADAPTIVE,
    every=HOUR,
    target=TARGET,
    rate=RATE,
    steepness=4 * RATIO,
    speed=50 * RATIO,
    lowest=RATIO // 1000,
    highest=2 * RATIO,
)


def changed(parameters: EngineParameters, commands: Iterator[Command]) -> EngineParameters:
    """The parameters after every command, each of which is valid where it stands."""
    for command in commands:
        assert isinstance(command, ChangeParameter)
        parameters = changed_parameters(parameters, command)
    return parameters


def rates_at(governor: Governor, levels: list[int]) -> list[int]:
    """The rate at the target after each hour at these utilizations, from the curve itself."""
    people, found = Governors((governor,)), []
    parameters = changed(load_scenario(EXAMPLE).parameters, people.begin())
    for hour, level in enumerate(levels, start=1):
        parameters = changed(parameters, people.look(hour * HOUR, {1: level}.__getitem__))
        curve = parameters.assets[1].pool.curve.points
        assert curve[1][0] == TARGET
        assert curve[0][1] == curve[1][1] // 4
        found.append(curve[1][1])
    return found


def test_an_error_is_one_at_both_ends_and_zero_at_the_target() -> None:
    assert [error_of(level, TARGET) for level in (0, TARGET, RATIO)] == [-RATIO, 0, RATIO]


def test_a_full_pool_doubles_the_adaptive_rate_in_five_days() -> None:
    """ln 2 / 50 years are 5.06 days."""
    found = rates_at(GOVERNOR, [RATIO] * 122)
    assert found[120] < 2 * RATE < found[121]


@given(st.lists(st.integers(0, RATIO), min_size=1, max_size=40), st.sampled_from(Rule))
def test_every_curve_is_valid_and_within_its_bounds(levels: list[int], rule: Rule) -> None:
    governor = replace(GOVERNOR, rule=rule, proportional=2 * RATIO, integral=RATIO)
    for rate in rates_at(governor, levels):
        assert governor.lowest <= rate <= governor.highest <= MAX_APR
        assert rule is not Rule.KINKED or rate == RATE


def test_a_sum_that_the_bounds_hold_back_is_not_made_up_for() -> None:
    """Full for ten weeks or for most of a year: the rate falls in the same hour."""
    governor = replace(GOVERNOR, rule=Rule.PID, proportional=2 * RATIO, integral=RATIO)
    weeks, year = (rates_at(governor, [RATIO] * days * 24 + [TARGET // 2]) for days in (70, 300))
    assert weeks[-2] == year[-2] == governor.highest
    assert weeks[-1] == year[-1] < governor.highest


@pytest.mark.slow
def test_what_remembers_can_be_fed() -> None:
    rows = list(tried(load_scenario(EXAMPLE), ["holders", "parker"], engine_factory=FastEngine))
    kinked, adaptive, pid = rows
    assert Decimal(0) < kinked.attackers < adaptive.attackers < pid.attackers
    assert all(row.attackers + row.others < 0 for row in rows), "the pool's fee is lost to both"
    assert kinked.calm.last == pytest.approx(kinked.attacked.last, rel=0.001)
    assert 2 * adaptive.calm.last < adaptive.attacked.last
    assert len(rates_sheet(rows).rows[0]) == 1 + len(Rule)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('rule = "kinked"', 'rule = "magic"', "rule"),
        ("[[0, 0.01], [0.8, 0.04], [1, 0.16]]", "[[0, 0.01], [1, 0.16]]", "has 2 points"),
        ("target = 0.8", "target = 1", "target"),
        ("rate = 0.04", "rate = 3", "rate"),
    ],
)
def test_a_governor_that_cannot_be_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "x.toml"
    text = EXAMPLE.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=said):
        load_scenario(file)


def test_two_governors_of_a_pool_and_strange_attackers_are_refused(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    start = text.index("[[governors]]")
    table = text[start : text.index("[[groups]]")]
    file = tmp_path / "x.toml"
    file.write_text(text.replace(table, table + table))
    with pytest.raises(InputError, match="has a governor already"):
        load_scenario(file)
    with pytest.raises(InputError, match="no group; choose attackers from holders"):
        next(tried(load_scenario(EXAMPLE), ["who"]))
    file.write_text(text.replace(table, ""))
    with pytest.raises(InputError, match="is missing; add"):
        next(tried(load_scenario(file), ["holders"]))
