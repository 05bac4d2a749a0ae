"""Prices that liquidations move, and an oracle that is not the market."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from solvent.domain.commands import Side
from solvent.domain.errors import InputError
from solvent.domain.units import PRICE_SCALE, RATIO, SECOND
from solvent.engine.engine import FastEngine
from solvent.lab.prices.impact import FARTHEST, Impact, distance
from solvent.lab.prices.oracle import Oracle
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Fault, OracleFault
from tests.lab.run_helpers import small

MILLION = 10**12
"""A million USDC in 10^-6."""
BP = RATIO // 10_000
CURVE = ((10 * BP, MILLION), (20 * BP, 3 * MILLION), (30 * BP, 4 * MILLION))
FUND = "[fund]\nbalance = 1_000"
IMPACT = "[impact]\nwhole = 1\nrecovery_seconds = 300\n"


def more(text: str) -> tuple[str, str]:
    return FUND, f"{text}\n{FUND}"


def figures(folder: Path, *changes: tuple[str, str]) -> dict[str, Any]:
    return run(small(folder, *changes), engine_factory=FastEngine).figures


@pytest.mark.parametrize(
    ("eaten", "away"),
    [
        (0, 0),
        (MILLION // 2, 5 * BP),
        (MILLION, 10 * BP),
        (2 * MILLION, 15 * BP),
        (4 * MILLION, 30 * BP),
        (6 * MILLION, 50 * BP),
    ],
)
def test_a_price_stands_where_the_depth_reaches(eaten: int, away: int) -> None:
    """Within bands on a straight line; beyond them as in the last."""
    assert distance(CURVE, eaten) == away


def test_a_band_without_depth_is_jumped_over() -> None:
    flat = ((10 * BP, MILLION), (20 * BP, MILLION), (30 * BP, 2 * MILLION))
    assert distance(flat, MILLION) == 10 * BP
    assert distance(flat, MILLION + 1) >= 20 * BP


def test_sales_lower_a_price_and_purchases_lift_it() -> None:
    impact = Impact({1: CURVE}, SECOND, 0)
    impact.take(1, Side.ASK, MILLION)
    assert impact.moved(1, 100 * PRICE_SCALE, RATIO) == 999 * PRICE_SCALE // 10
    impact.take(1, Side.BID, 2 * MILLION)
    assert impact.moved(1, 100 * PRICE_SCALE, RATIO) == 1001 * PRICE_SCALE // 10
    assert impact.farthest == {1: 10 * BP}
    assert impact.moved(2, 7, RATIO) == 7


def test_a_thin_book_is_moved_further() -> None:
    """A tenth of the depth at ten times the distance: a hundred times as far."""
    impact = Impact({1: CURVE}, SECOND, 0)
    impact.take(1, Side.ASK, MILLION // 100)
    calm, thin = (impact.moved(1, 10**6, part) for part in (RATIO, RATIO // 10))
    assert (10**6 - calm, 10**6 - thin) == (10, 1000)


def test_depth_comes_back_but_for_what_lasts() -> None:
    impact = Impact({1: CURVE}, 100 * SECOND, RATIO // 4)
    impact.take(1, Side.ASK, 4 * MILLION)
    impact.pass_time(50 * SECOND, RATIO)
    # Two of the three million that pass are back.
    assert impact.moved(1, 10**6, RATIO) == 10**6 - 1500
    impact.pass_time(1000 * SECOND, RATIO)
    assert impact.moved(1, 10**6, RATIO) == 10**6 - 1000


def test_no_impact_takes_a_price_to_nothing() -> None:
    impact = Impact({1: CURVE}, SECOND, 0)
    impact.take(1, Side.ASK, 10**9 * MILLION)
    assert impact.moved(1, 10**6, RATIO) == 10**6 * (RATIO - FARTHEST) // RATIO
    assert impact.moved(1, 1, RATIO) == 1


def test_liquidations_move_the_market_and_others_follow(tmp_path: Path) -> None:
    """The small market falls by a quarter: what is sold on the way brings down others with it."""
    usual, found = figures(tmp_path), figures(tmp_path, more(IMPACT))
    assert usual["impact"] is None
    far = float(found["impact"]["farthest_bp"]["SOL"])
    assert far > 1
    assert found["impact"]["books"] == "1"
    assert found["event_hash"] != usual["event_hash"]


def test_the_smaller_the_market_the_more_is_liquidated(tmp_path: Path) -> None:
    """A fall to 165 reaches a few; where books are small those bring all the others down."""
    mild = ("2026-01-01T00:10:00Z, 150]]", "2026-01-01T00:10:00Z, 165]]")
    deep, thin = (
        figures(tmp_path, mild, more(IMPACT.replace("whole = 1", f"whole = {whole}")))
        for whole in ("1000", "0.02")
    )
    assert 0 < deep["liquidated_accounts"] < thin["liquidated_accounts"]
    far = [float(each["impact"]["farthest_bp"]["SOL"]) for each in (deep, thin)]
    assert far[0] < far[1]


def test_the_mark_follows_the_market(tmp_path: Path) -> None:
    scenario = small(tmp_path, more(IMPACT.replace("whole = 1", "whole = 0.1")))
    ends = [
        run(each, engine_factory=FastEngine).series["marks"]["SOL"][-1]
        for each in (replace(scenario, impact=None), scenario)
    ]
    assert ends[1] < ends[0]


def fault(kind: Fault, amount: int = 0, sources: tuple[int, ...] = ()) -> OracleFault:
    return OracleFault(1, 10, 20, kind, amount, sources)


@pytest.mark.parametrize(
    ("each", "before", "quoted", "after"),
    [
        (fault(Fault.STOP), 100, None, 300),
        (fault(Fault.HOLD), 100, 150, 300),
        (fault(Fault.WRONG, RATIO // 2), 100, 100, 300),
        (fault(Fault.CAP, 120), 100, 120, 300),
        (fault(Fault.LATE, 7), 100, 100, 300),
        (fault(Fault.STOP, sources=(1,)), 100, 200, 300),
        (fault(Fault.STOP, sources=(0,)), 100, None, 300),
    ],
)
def test_what_a_faulty_source_quotes(
    each: OracleFault, before: int, quoted: int | None, after: int
) -> None:
    oracle, told = Oracle([each]), {}
    for time, market in ((5, 100), (10, 150), (15, 200), (20, 300)):
        oracle.see(1, time, market)
        told[time] = oracle.quote(1, 0, time, market)
    assert (told[5], told[15], told[20]) == (before, quoted, after)
    assert oracle.quote(2, 0, 15, 77) == 77


MARKET = "[assets.market]\ntick = 0.01"
THREE = MARKET, f"[assets.price]\nsource_weights = [1, 1, 1]\n\n{MARKET}"
WINDOW = "at = 2026-01-01T00:01:00Z\n"


def oracle(do: str, *lines: str) -> tuple[str, str]:
    return more("\n".join(('[[oracle]]\nasset = "SOL"', f'do = "{do}"', WINDOW, *lines)))


def test_an_oracle_that_holds_still_liquidates_nobody(tmp_path: Path) -> None:
    """The market falls by a quarter and the oracle says 200: whoever should be sold is not."""
    usual, held = figures(tmp_path), figures(tmp_path, oracle("hold"))
    assert usual["liquidated_accounts"] > held["liquidated_accounts"]


def test_an_oracle_that_is_wrong_liquidates_who_is_healthy(tmp_path: Path) -> None:
    flat = ("2026-01-01T00:10:00Z, 150]]", "2026-01-01T00:10:00Z, 200]]")
    assert figures(tmp_path, flat)["liquidated_accounts"] == 0
    wrong = figures(tmp_path, flat, oracle("wrong", "times = 0.85"))
    assert wrong["liquidated_accounts"] > 0
    capped = figures(tmp_path, flat, oracle("cap", "at_most = 170"))
    assert capped["liquidated_accounts"] == wrong["liquidated_accounts"]


def test_one_wrong_source_of_three_changes_nobody(tmp_path: Path) -> None:
    """The median of the others clamps it to within a percent."""
    flat = ("2026-01-01T00:10:00Z, 150]]", "2026-01-01T00:10:00Z, 200]]")
    one = figures(tmp_path, flat, THREE, oracle("wrong", "times = 0.85", "sources = [2]"))
    assert one["liquidated_accounts"] == 0
    two = figures(tmp_path, flat, THREE, oracle("wrong", "times = 0.85", "sources = [1, 2]"))
    assert two["liquidated_accounts"] > 0


def test_an_oracle_that_stops_grows_stale(tmp_path: Path) -> None:
    """After max_age nobody is liquidated on the old price."""
    price = MARKET, f"[assets.price]\nmax_age_seconds = 60\n\n{MARKET}"
    usual, stopped = figures(tmp_path, price), figures(tmp_path, price, oracle("stop"))
    assert stopped["liquidated_accounts"] < usual["liquidated_accounts"]


def test_a_fault_ends(tmp_path: Path) -> None:
    """Held to the last moment but one, which then liquidates whom it would have before."""
    held = figures(tmp_path, oracle("hold", "until = 2026-01-01T00:10:00Z"))
    assert held["liquidated_accounts"] == figures(tmp_path)["liquidated_accounts"]


def test_a_late_oracle_liquidates_later(tmp_path: Path) -> None:
    usual, late = (
        figures(tmp_path, *changes) for changes in ((), (oracle("late", "by_seconds = 300"),))
    )
    assert late["liquidated_accounts"] < usual["liquidated_accounts"]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        (more("[impact]\nwhole = 0\nrecovery_seconds = 9"), "impact.whole", "between"),
        (more("[impact]\nwhole = 1\nrecovery_seconds = 0"), "impact.recovery_seconds", "between"),
        (more(f"{IMPACT}lasting = 1.5"), "impact.lasting", "between"),
        (more(f"{IMPACT}depth = 1"), "impact.depth", "not a known field"),
        (oracle("guess"), "oracle[0].do", "choose from stop, hold"),
        (oracle("wrong"), "oracle[0].times", "missing"),
        (oracle("hold", "until = 2026-01-01T00:01:00Z"), "oracle[0].until", "after `at`"),
        (oracle("hold", "sources = [1]"), "oracle[0].sources", "the asset has 1"),
        (
            more('[[oracle]]\nasset = "USDC"\ndo = "stop"\n' + WINDOW),
            "oracle[0].asset",
            "unit of account",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_field(
    change: tuple[str, str], field: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        small(tmp_path, change)
    assert caught.value.field == field
    assert said in caught.value.reason


def test_an_impact_needs_a_book(tmp_path: Path) -> None:
    path = Path(small(tmp_path).file)
    head, _, rest = path.read_text().partition("[depth]")
    path.write_text(f"{head}[[providers]]{rest.partition('[[providers]]')[2]}\n{IMPACT}")
    with pytest.raises(InputError, match="needs a book"):
        load_scenario(path)
