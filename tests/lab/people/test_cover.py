"""Cover-n: who is the largest, what is taken out of an account, and what it leads to."""

from pathlib import Path

from solvent.engine.engine import FastEngine
from solvent.lab.cover import TITLES, cover_sheet, covered, largest, strip, without
from solvent.lab.driving import RunDriver
from solvent.lab.people.agents import Agents
from solvent.lab.people.population import crowd
from solvent.lab.prices.feed import own_feed
from solvent.lab.report.figures import Recorder
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Provider
from tests.lab.sweeps.helpers import falling

SMALL, LARGE = Provider("small", 2, 10, ((0, 5),)), Provider("large", 2, 20, ((0, 5),))


def test_the_largest_providers_go_first_one_by_one() -> None:
    counts = {n: {each.name: each.count for each in without((SMALL, LARGE), n)} for n in range(6)}
    assert counts[0] == {"small": 2, "large": 2}
    assert counts[1] == {"small": 2, "large": 1}
    assert counts[3] == {"small": 1}
    assert counts[4] == counts[5] == {}


def test_who_defaults_takes_out_all_that_the_engine_lets_him(tmp_path: Path) -> None:
    scenario = load_scenario(falling(tmp_path))
    feed = own_feed(scenario)
    agents = Agents(scenario, feed, crowd(scenario, 40))
    recorder = Recorder(scenario.parameters, agents.parties, {})
    driver = RunDriver(feed.parameters, recorder, FastEngine, None)
    driver.run(agents.open())
    agents.set_up(driver)
    queries = driver.engine.queries
    members = range(2, agents.next_account)
    ranked = largest(driver, members, 1000)
    debts = [queries.health(each).debts_value for each in ranked]
    assert debts == sorted(debts, reverse=True)
    assert debts[-1] > 0
    assert largest(driver, members, 3) == ranked[:3]
    before = queries.health(ranked[0])
    strip(driver, ranked[0])
    after = queries.health(ranked[0])
    assert after.debts_value == before.debts_value
    assert after.total_value < before.total_value
    assert after.net_equity >= after.initial
    for asset in range(len(queries.balances(ranked[0]))):
        assert not queries.max_withdraw(ranked[0], asset, auto_lend_redeem=True, auto_borrow=False)


def test_a_table_has_a_line_an_n_and_counts_what_failed(tmp_path: Path) -> None:
    file = str(falling(tmp_path))
    rows = [covered(file, 40, (count, path)) for count in (0, 4) for path in range(3)]
    assert not any(row.error for row in rows)
    loss = [sum(row.figures[0] for row in rows if row.count == count) for count in (0, 4)]
    assert loss[0] < loss[1]
    assert [row for row in rows if row.count == 4] == [covered(file, 40, (4, p)) for p in range(3)]
    broken = covered(file, 1, (0, 0))
    assert "at least" in broken.error
    sheet = cover_sheet([*rows, broken])
    assert [(line[0], line[-1]) for line in sheet.rows] == [("0", "1"), ("4", "0")]
    assert len(sheet.rows[0]) == len(TITLES) + 2
