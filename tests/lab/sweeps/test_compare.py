"""`lab compare`: policies and rules on the same paths, and who bears ADL under each."""

import subprocess
from decimal import Decimal
from pathlib import Path

from solvent.domain.parameters import Policy
from solvent.lab.scenario.model import Scenario
from solvent.lab.sweeps.burden_sheets import burden_sheets, effect_sheets
from solvent.lab.sweeps.plan import Plan, read_plan
from solvent.lab.sweeps.points import policy_points, rule_points, scenario_at, stage_points
from solvent.lab.sweeps.rows import METRICS, Row
from solvent.lab.sweeps.summary import sobol_sheet
from solvent.lab.sweeps.sweeping import read_rows
from tests.cli.helpers import command
from tests.lab.sweeps.helpers import falling

PLAN = Plan("x", "", "", policy_points(default=False)[:2], 2)


def row(point: int, path: int, **figures: str) -> Row:
    return Row(point, path, dict.fromkeys(METRICS, "0") | figures)


def test_points_name_fields_that_the_scenario_has(tmp_path: Path) -> None:
    file = falling(tmp_path)
    for policy, point in zip(Policy, policy_points(default=False)[1:], strict=True):
        assert scenario_at(file, point).parameters.waterfall.lender_policy is policy
    for policy, point in zip(Policy, policy_points(default=True)[1:], strict=True):
        assert scenario_at(file, point).parameters.waterfall.default_policy is policy
    as_it_is = scenario_at(file, {}).parameters.waterfall
    changed = [scenario_at(file, point).parameters.waterfall for point in rule_points()[1:]]
    assert all(each != as_it_is for each in changed)
    assert not changed[0].opposites
    assert not changed[1].tiers
    assert changed[2].patience == 1
    assert not changed[3].mark_limits


def test_means_are_those_of_paths_where_anybody_is_asked_at_some_point() -> None:
    rows = [
        row(0, 0),
        row(0, 1, asked="2", gini="0.2"),
        row(1, 0, asked="4", gini="0.5"),
        row(1, 1, asked="1", gini="0.1"),
        row(0, 2),
        row(1, 2),
    ]
    means, differences = burden_sheets(PLAN, rows)
    assert "2 paths" in means.caption
    asked = [line[2:] for line in means.rows if line[0] == "Accounts asked"]
    assert asked == [("1.000 [–, –]", "1"), ("2.500 [–, –]", "2")]
    told = {line[0]: line[2:] for line in differences.rows}
    assert told["Accounts asked"] == ("1.500 [–, –]", "2"), "two pairs carry no interval"
    assert told["Regret"] == ("0.000 [–, –]", "0")


def test_a_path_that_failed_at_one_point_is_left_out_at_all() -> None:
    rows = [row(0, 0, asked="2"), row(0, 1, asked="2"), row(1, 0, asked="4"), Row(1, 1, {}, "no")]
    assert "1 paths" in burden_sheets(PLAN, rows)[0].caption
    assert burden_sheets(PLAN, [row(0, 0), row(1, 0)]) == []


def test_a_stage_is_taken_out_of_the_scenario(tmp_path: Path) -> None:
    file = falling(tmp_path)
    found: list[Scenario] = [scenario_at(file, point) for point in stage_points()]
    as_it_is, book, providers, fund, opposites, *rules = found
    assert as_it_is.providers
    assert as_it_is.fund
    assert book.parameters.waterfall.book_limit == 0
    assert providers.providers == ()
    assert fund.fund == 0
    assert not opposites.parameters.waterfall.opposites
    assert all(each.parameters.waterfall != as_it_is.parameters.waterfall for each in rules)


def test_effects_are_those_of_all_paths() -> None:
    rows = [row(0, 0), row(0, 1, lend_rate="8"), row(1, 0, lend_rate="4"), row(1, 1, lend_rate="8")]
    means, differences = effect_sheets(PLAN, rows)
    assert "2 paths" in means.caption
    rates = [line[2:] for line in means.rows if line[0] == "Lend rate"]
    assert rates == [("4.000 [–, –]", "1"), ("6.000 [–, –]", "2")]
    told = {line[0]: line[2:] for line in differences.rows}
    assert told["Lend rate"] == ("2.000 [–, –]", "1")
    failed = [row(0, 0), Row(1, 0, {}, "no")]
    assert effect_sheets(PLAN, failed) == []


def test_points_of_several_fields_are_no_grid() -> None:
    """No field has all its values beside all of another, so none has an index of its own."""
    points = stage_points()
    rows = [row(place, path) for place in range(len(points)) for path in range(20)]
    assert sobol_sheet(Plan("x", "", "", points, 20), rows) == []


def test_who_pays_hangs_on_the_policy(tmp_path: Path) -> None:
    """Pro rata takes the same of everybody; a greedy rule asks fewer, and unevenly."""
    out = tmp_path / "out"
    asked = command(
        *("lab", "compare", falling(tmp_path / "scenario"), "--out", out, "--paths", "8"),
        *("--change", "default-policies", "--workers", "1"),
    )
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Who bears ADL" in done.stdout
    plan, rows = read_plan(out), read_rows(out)
    assert plan.points == policy_points(default=True)

    def total(metric: str) -> dict[str, Decimal]:
        return {
            point["waterfall.default_policy"]: sum(
                (each.value(metric) for each in rows if each.point == place), Decimal()
            )
            for place, point in enumerate(plan.points)
            if point
        }

    for metric in ("asked", "largest_share", "gini", "regret"):
        found = total(metric)
        assert found["pro_rata"] != found["largest_loan"], metric
    assert total("asked")["largest_loan"] < total("asked")["pro_rata"]
    assert total("gini")["largest_loan"] > total("gini")["pro_rata"]
    assert total("regret")["largest_loan"] > total("regret")["pro_rata"]
    assert total("sybil_gain")["largest_loan"] > total("sybil_gain")["pro_rata"] == 0
