"""Points of a sweep: which values a field takes, and that the scenario's own reader judges them."""

from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.domain.units import RATIO
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.sweeps.points import grid, parse_varied, scenario_at
from tests.lab.run_helpers import written


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("waterfall.patience=1,2,4", "waterfall.patience", ("1", "2", "4")),
        ("fund.balance = 0..100_000:5", "fund.balance", ("0", "25000", "50000", "75000", "100000")),
        ("a.b=0.1..0.2:3", "a.b", ("0.1", "0.15", "0.2")),
        ("a.b=1..0:4", "a.b", ("1", "0.666666667", "0.333333333", "0")),
        ("a.b=-0.2..0.2:3", "a.b", ("-0.2", "0", "0.2")),
        ("waterfall.policy=queue,pro_rata", "waterfall.policy", ("queue", "pro_rata")),
    ],
)
def test_values_are_exact(text: str, field: str, values: tuple[str, ...]) -> None:
    varied = parse_varied(text)
    assert (varied.field, varied.values) == (field, values)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a=", "=1", "a=1,,2", "a=1,1", "a=x..2:3", "a=1..1:3", "a=0..1:1", "a=0..1:5000"],
)
def test_what_is_no_field_with_values_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--vary"):
        parse_varied(text)


def test_the_grid_begins_with_the_scenario_as_it_is() -> None:
    assert grid([]) == ({},)
    points = grid([parse_varied("a=1,2"), parse_varied("b=x,y")])
    assert points == (
        {},
        {"a": "1", "b": "x"},
        {"a": "1", "b": "y"},
        {"a": "2", "b": "x"},
        {"a": "2", "b": "y"},
    )
    with pytest.raises(InputError, match="twice"):
        grid([parse_varied("a=1,2"), parse_varied("a=3")])
    with pytest.raises(InputError, match="1000 points"):
        grid([parse_varied("a=0..1:200"), parse_varied("b=0..1:200")])


def test_a_point_is_the_scenario_with_its_fields_replaced(tmp_path: Path) -> None:
    file = written(tmp_path)
    assert scenario_at(file, {}) == load_scenario(file)
    point = {
        "assets[SOL].haircut.weight": "0.8",
        "assets[0].maintenance.base": "0.04",
        "groups[longs].cushion": "[0.2, 0.4]",
        "fund.balance": "5_000",
        "fund.treasury": "7",
        "waterfall.policy": "pro_rata",
        "limits.max_leverage": "5",
    }
    scenario = scenario_at(file, point)
    assets = scenario.parameters.assets
    assert assets[0].maintenance.base == RATIO * 4 // 100
    assert assets[1].haircut.weight == RATIO * 4 // 5
    assert scenario.groups[1].cushion == (RATIO // 5, RATIO * 2 // 5)
    assert (scenario.fund, scenario.treasury) == (5_000 * 10**6, 7 * 10**6)
    assert scenario.parameters.waterfall.lender_policy.name == "PRO_RATA"
    assert scenario.parameters.max_leverage == 5 * RATIO
    assert load_scenario(file) == scenario_at(file, {})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("waterfall.patiense", "1", "not a known field"),
        ("assets.haircut.weight", "1", "assets[USDC]"),
        ("assets[ETH].haircut.weight", "1", "USDC, SOL"),
        ("assets[SOL]", "1", "end in the name"),
        ("assets[SOL].haircut", "1", "a table"),
        ("scenario.name.x", "1", "nothing called|must end"),
        ("fund.balance", "-1", "must lie between"),
        ("fund.balance", "many", "decimal|number"),
        ("a..b", "1", "is no field"),
    ],
)
def test_a_field_that_cannot_be_so_is_refused(
    field: str, value: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        scenario_at(written(tmp_path), {field: value})
    assert any(part in caught.value.reason for part in said.split("|"))
