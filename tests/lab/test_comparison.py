"""Comparisons: one thing changes from row to row, and each row is the run that it says."""

from dataclasses import replace

import pytest

from solvent.domain.parameters import Policy
from solvent.engine.engine import FastEngine
from solvent.foresight.stage_figures import OPPOSITES
from solvent.lab.comparison import RULES, Compared, compare, comparison_sheets, policies
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from tests.cli.helpers import solvent

CRASH, FEW = "crash-2025-10-10", 40


@pytest.fixture(scope="module")
def rows() -> list[Compared]:
    """The crash with few accounts, a row for each rule."""
    return list(compare(load_scenario(CRASH), RULES, accounts=FEW, engine_factory=FastEngine))


def opposites_of(row: Compared) -> float:
    (stage,) = (each for each in row.figures["stages"] if each["stage"] == OPPOSITES)
    return float(stage["value"])


def test_the_first_row_is_the_run_itself(rows: list[Compared]) -> None:
    plain = run(load_scenario(CRASH), accounts=FEW, engine_factory=FastEngine)
    assert rows[0].figures == plain.figures
    assert [row.name for row in rows] == [variant.name for variant in RULES]


def test_each_row_switches_its_rule_back_and_nothing_else(rows: list[Compared]) -> None:
    usual = load_scenario(CRASH).parameters.waterfall
    changed = [variant.change(usual) for variant in RULES]
    assert changed == [
        usual,
        replace(usual, opposites=False),
        replace(usual, tiers=False),
        replace(usual, patience=1),
        replace(usual, mark_limits=False),
    ]
    assert len({row.figures["state_hash"] for row in rows}) == len(rows)
    assert opposites_of(rows[0]) > 0 == opposites_of(rows[1])


@pytest.mark.slow
def test_policies_are_those_that_a_run_can_be_told() -> None:
    scenario = load_scenario("weth-stuck-2026-04")
    found = compare(scenario, policies(default=False), accounts=FEW, engine_factory=FastEngine)
    for policy, row in zip(Policy, found, strict=True):
        told = run(scenario, accounts=FEW, policy=policy, engine_factory=FastEngine)
        assert row.figures["event_hash"] == told.figures["event_hash"]
        assert row.name == policy.name.lower().replace("_", "-")


def test_defaults_have_their_own_policies() -> None:
    usual = load_scenario(CRASH).parameters.waterfall
    for policy, variant in zip(Policy, policies(default=True), strict=True):
        assert variant.change(usual) == replace(usual, default_policy=policy)


def test_shares_are_of_what_was_received(rows: list[Compared]) -> None:
    lenders = {
        "owed": "100",
        "received": "100",
        "in_token": "0",
        "in_usdc": "25",
        "in_kind": "70",
        "as_claims": "5",
        "deficit": "1",
    }
    later = {"after": [{"paid": "0", "worth": "0"}], "end": {"paid": "70", "worth": "77"}}
    stages = [{"stage": OPPOSITES, "value": "300"}]
    waits = ((90, "-1"), (70.5, "3"), (120, "4"))
    defaults = [{"after_seconds": after, "worth": worth} for after, worth in waits]
    figures = {**rows[0].figures, "lenders": lenders, "kind_later": later, "stages": stages}
    figures["defaults"] = defaults
    paid, worth, waited = comparison_sheets([Compared("made up", figures)])
    assert paid.rows == [
        ("made up", "300.00", "100.00", "0.0 %", "25.0 %", "70.0 %", "5.0 %", "1.00")
    ]
    assert worth.rows[0][3:] == ("81.2 %", "–", "110.0 %")
    assert waited.rows == [("made up", "3", "2", "70.5 s", "120 s")]
    figures["defaults"] = defaults[:1]
    assert comparison_sheets([Compared("made up", figures)])[2].rows[0][2:] == ("0", "–", "–")


def test_a_scenario_that_there_is_not_is_refused_in_one_line() -> None:
    done = solvent("compare", "no-such-scenario")
    assert done.returncode == 2
    assert not done.stdout
    assert len(done.stderr.splitlines()) == 1
