"""No result hangs on the step: any step gives about the same, and the report says how far."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from solvent.domain.events import Stepped
from solvent.domain.units import SECOND
from solvent.engine.engine import FastEngine
from solvent.lab.report.step_check import compared
from solvent.lab.report.summary import step_sheet
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import list_scenarios, load_scenario
from tests.lab.run_helpers import HISTORY, keep

MADE = tuple(name for name in list_scenarios() if name not in HISTORY)
STEPS = (1, 5, 15, 30, 60)
LONG, LONG_STEPS = "weth-stuck-2026-04", (60, 600, 3600)
CALM = ("demo-market", "quiet", "jump-day")
"""Nobody is liquidated, on the first path of the one whose prices are drawn."""
APART = 0.05
"""Of all that the waterfall cleared: when members act and how often makers are asked is left."""


def stepping(name: str, seconds: int) -> dict[str, Any]:
    scenario = replace(load_scenario(name), step=seconds * SECOND)
    return run(scenario, engine_factory=FastEngine).figures


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_steps_from_a_second_to_a_minute_agree(name: str) -> None:
    """But for the fifteen days of weth-stuck-2026-04, which begin at a minute."""
    steps = LONG_STEPS if name == LONG else STEPS
    results = [stepping(name, seconds) for seconds in steps]
    # Prints that stand closer than the step make it no other run.
    assert len({result["event_hash"] for result in results}) > 1
    assert results[0]["liquidated_accounts"] > 10 or name in CALM
    for result in results[1:]:
        assert compared(SECOND, results[0], result)["largest"] < APART
        liquidated = result["liquidated_accounts"]
        assert abs(liquidated - results[0]["liquidated_accounts"]) <= 0.03 * liquidated


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_half_the_step_is_about_the_same_in_every_packaged_scenario(name: str) -> None:
    figures = run(load_scenario(name), engine_factory=FastEngine, check_step=True).figures
    assert figures["step_check"]["largest"] < APART
    whole, half = figures["step_check"]["liquidated"]
    assert abs(whole - half) <= 0.03 * whole


def test_a_run_checks_itself_by_half_the_step() -> None:
    scenario = load_scenario("crash-2025-10-10")
    figures = run(scenario, accounts=60, engine_factory=FastEngine, check_step=True).figures
    check = figures["step_check"]
    assert (check["step_seconds"], check["half_seconds"]) == (15, 7.5)
    assert [each["value"] for each in check["stages"]] == [
        each["value"] for each in figures["stages"]
    ]
    half = replace(scenario, step=scenario.step // 2)
    again = run(half, accounts=60, engine_factory=FastEngine).figures
    assert [each["half"] for each in check["stages"]] == [each["value"] for each in again["stages"]]
    assert step_sheet(figures).rows[-1][0].startswith("Largest difference")


def test_the_largest_difference_is_a_part_of_all() -> None:
    def figures(*values: str) -> dict[str, Any]:
        stages = [{"stage": str(at), "value": value} for at, value in enumerate(values)]
        return {"stages": stages, "liquidated_accounts": 3}

    assert compared(2 * SECOND, figures("60", "40"), figures("60", "40"))["largest"] == 0
    assert compared(2 * SECOND, figures("60", "40"), figures("55", "44"))["largest"] == 0.05
    assert compared(2 * SECOND, figures("0", "0"), figures("1", "0"))["largest"] == 0


@pytest.mark.slow
def test_while_anybody_is_liquidating_a_run_goes_by_the_second() -> None:
    """But for the first step after the price that made him so, which ends the quiet one."""
    kept = keep(load_scenario("crash-2025-10-10"), accounts=60)
    steps = [
        event for _, events in kept.engine.said for event in events if isinstance(event, Stepped)
    ]
    gaps = {after.time - before.time for before, after in pairwise(steps) if before.liquidating}
    assert gaps
    assert max(gaps) <= SECOND
    assert sum(Decimal(each["value"]) for each in kept.figures["stages"]) > 0
