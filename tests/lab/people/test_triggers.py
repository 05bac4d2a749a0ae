"""People who act on a price and not on a time: each changes what the run comes to."""

from pathlib import Path
from typing import Any

import pytest

from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.lab.runner import run
from solvent.lab.scenario.model import Deed, Trigger
from tests.lab.run_helpers import small

FUND = "[fund]\nbalance = 1_000"
FALLS = 'when = { asset = "SOL", falls = 0.05 }'
INTERVAL = "step = 60"


def acting(*lines: str) -> tuple[str, str]:
    """One more action in the small scenario, whose SOL falls by a quarter."""
    return (FUND, "\n".join(("[[actions]]", *lines, FUND)))


def figures(folder: Path, *changes: tuple[str, str]) -> dict[str, Any]:
    return run(small(folder, *changes), engine_factory=FastEngine).figures


def stage(found: dict[str, Any], name: str) -> float:
    (each,) = [each for each in found["stages"] if each["stage"] == name]
    return float(each["value"])


def pool(found: dict[str, Any], symbol: str) -> dict[str, Any]:
    (each,) = [each for each in found["pools"] if each["asset"] == symbol]
    return dict(each)


def longs(deed: str, share: str, *more: str) -> tuple[str, str]:
    asset = "SOL" if deed == "top_up" else "USDC"
    lines = ('group = "longs"', f'do = "{deed}"', f'asset = "{asset}"', f"share = {share}")
    return acting(FALLS, *lines, *more)


def test_who_tops_up_or_repays_is_not_liquidated(tmp_path: Path) -> None:
    usual = figures(tmp_path)
    assert usual["liquidated_accounts"] > 3
    topped = figures(tmp_path, longs("top_up", "0.5"))
    repaid = figures(tmp_path, longs("repay", "0.5"))
    assert topped["liquidated_accounts"] < usual["liquidated_accounts"]
    assert repaid["liquidated_accounts"] < usual["liquidated_accounts"]


def test_a_panic_fills_the_pool(tmp_path: Path) -> None:
    panic = acting(FALLS, 'group = "lenders"', 'do = "withdraw"', 'asset = "USDC"', "share = 1")
    usual, found = figures(tmp_path), figures(tmp_path, panic)
    assert pool(found, "USDC")["peak_utilization"] > pool(usual, "USDC")["peak_utilization"]


def test_a_sniper_takes_what_liquidations_bring_back(tmp_path: Path) -> None:
    """Once the pool lets nothing go; at every step whatever was repaid since."""
    panic = ('group = "lenders"', 'do = "withdraw"', 'asset = "USDC"', "share = 1")
    once = figures(tmp_path, acting(FALLS, *panic))
    sniped = figures(tmp_path, acting(FALLS, *panic, "repeats = true"))
    ends = [pool(each, "USDC")["end_utilization"] for each in (once, sniped)]
    assert ends[0] < ends[1]


def test_makers_who_leave_leave_the_book_thin(tmp_path: Path) -> None:
    leaving = '\n[[depth.leaving]]\nasset = "SOL"\nfalls = 0.05\nleft = 0.01\n'
    usual = figures(tmp_path)
    found = figures(tmp_path, ("[[providers]]", f"{leaving}\n[[providers]]"))
    assert stage(found, "book") < stage(usual, "book")


def test_a_provider_with_a_limit_takes_less_over(tmp_path: Path) -> None:
    thin = ("scale = 0.5", "scale = 0.01")
    soon = ('policy = "queue"', 'policy = "queue"\nnotice_seconds = 1')
    leaves = ("equity = 20_000", 'equity = 20_000\nleaves = { asset = "SOL", falls = 0.01 }')
    usual, found = figures(tmp_path, thin, soon), figures(tmp_path, thin, soon, leaves)
    assert stage(found, "backstop") < stage(usual, "backstop")


@pytest.mark.parametrize(("wide", "fires"), [("falls = 0.24", True), ("falls = 0.26", False)])
def test_a_trigger_fires_where_the_price_has_come_so_far(
    wide: str, fires: bool, tmp_path: Path
) -> None:
    """SOL falls from 200 to 150."""
    deed = longs("top_up", "0.001")
    usual = figures(tmp_path)
    found = figures(tmp_path, (deed[0], deed[1].replace("falls = 0.05", wide)))
    assert (found["commands"] > usual["commands"]) == fires


def test_a_trigger_that_is_reached_exactly_fires(tmp_path: Path) -> None:
    deed = longs("top_up", "0.001")
    found = figures(tmp_path, (deed[0], deed[1].replace("falls = 0.05", "falls = 0.25")))
    assert found["commands"] > figures(tmp_path)["commands"]


def test_a_trigger_is_read_as_it_is_written(tmp_path: Path) -> None:
    scenario = small(tmp_path, longs("top_up", "0.5", "repeats = true"))
    (action,) = scenario.actions
    assert action.trigger == Trigger(1, -50_000_000)
    assert (action.deed, action.repeats) == (Deed.TOP_UP, True)


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ('when = { asset = "SOL" }', "when.falls", "falls"),
        ('when = { asset = "SOL", falls = 0.1, rises = 0.1 }', "when.falls", "either"),
        ('when = { asset = "ETH", falls = 0.1 }', "when.asset", "no asset"),
        ('when = { asset = "SOL", falls = 1 }', "when.falls", "between"),
        (f"at = 2026-01-01T00:01:00Z\n{FALLS}", "at", "does not go with"),
    ],
)
def test_a_trigger_that_is_wrong_is_refused_by_field(
    line: str, field: str, said: str, tmp_path: Path
) -> None:
    lines = ('group = "longs"', 'do = "repay"', 'asset = "USDC"')
    with pytest.raises(InputError) as caught:
        small(tmp_path, acting(line, *lines))
    assert caught.value.field == f"actions[0].{field}"
    assert said in caught.value.reason
