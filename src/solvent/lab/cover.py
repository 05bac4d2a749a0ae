"""Cover-n: what lenders lose if the n largest providers leave and the n largest borrowers default.

A borrower who defaults takes out what the engine lets him, as soon as the market stands, and does
nothing any more: no top-up, no repayment. What the engine lets him is all down to his initial
margin, so from there on he has no cushion but that. The largest are those who owe most at the mark.
A provider who is gone never was there; the largest are those with the most equity.

Everything else is the path of a scenario, with the same weather, people and draws for every n.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import isinf
from typing import Any

from solvent.domain.commands import Withdraw
from solvent.engine.engine import FastEngine
from solvent.lab.driving import RunDriver, advance
from solvent.lab.estimate.figures import Estimate, mean
from solvent.lab.paths.drawing import drawn, scenario_hash
from solvent.lab.people.agents import Agents
from solvent.lab.people.population import crowd
from solvent.lab.prices.feed import own_feed
from solvent.lab.report.figures import Recorder
from solvent.lab.report.formatting import ABSENT, number
from solvent.lab.report.summary import Sheet
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Provider, Scenario
from solvent.lab.sweeps.rows import row_figures

FIGURES = ("deficit", "adl_share", "backstop", "liquidated")
TITLES = ("Lenders' loss, USDC", "Share of ADL", "By providers, USDC", "Liquidated")


@dataclass(frozen=True, slots=True)
class Covered:
    """One path with the n largest gone: its figures by `FIGURES`, or what was wrong with it."""

    count: int
    path: int
    figures: tuple[Decimal, ...]
    error: str = ""


def covered(file: str, accounts: int | None, place: tuple[int, int]) -> Covered:
    """Carry out a path with so many gone: `place` is (n, path)."""
    count, path = place
    try:
        scenario = load_scenario(file)
        weather = drawn(scenario, scenario_hash(scenario), path)
        found = row_figures(_run(weather, count, accounts))
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return Covered(count, path, (), told)
    return Covered(count, path, tuple(Decimal(found[name]) for name in FIGURES))


def _run(scenario: Scenario, count: int, accounts: int | None) -> dict[str, Any]:
    scenario = replace(scenario, providers=without(scenario.providers, count))
    feed = own_feed(scenario)
    agents = Agents(scenario, feed, crowd(scenario, accounts))
    recorder = Recorder(scenario.parameters, agents.parties, {})
    driver = RunDriver(feed.parameters, recorder, FastEngine, None)
    driver.run(agents.open())
    agents.set_up(driver)
    driver.begin()
    members = [
        account for party in agents.parties if party.role is None for account in party.accounts
    ]
    for account in largest(driver, members, count):
        strip(driver, account)
    advance(agents, driver, feed, None)
    return driver.finish()


def without(providers: Sequence[Provider], count: int) -> tuple[Provider, ...]:
    """The providers without the `count` largest, those of a kind one by one."""
    left, kept = count, list[Provider]()
    for provider in sorted(providers, key=lambda each: -each.equity):
        gone = min(left, provider.count)
        left -= gone
        if provider.count > gone:
            kept.append(replace(provider, count=provider.count - gone))
    return tuple(kept)


def largest(driver: RunDriver, members: Sequence[int], count: int) -> list[int]:
    """The accounts who owe most at the mark, ties by number; those who owe nothing apart."""
    owed = {each: driver.engine.queries.health(each).debts_value for each in members}
    ranked = sorted(members, key=lambda account: (-owed[account], account))
    return [account for account in ranked[:count] if owed[account]]


def strip(driver: RunDriver, account: int) -> None:
    """Take out of an account what the engine lets go, asset by asset."""
    queries = driver.engine.queries
    for asset in range(len(queries.balances(account))):
        quantity = queries.max_withdraw(account, asset, auto_lend_redeem=True, auto_borrow=False)
        if quantity:
            driver.run([Withdraw(account, asset, quantity, auto_lend_redeem=True)])


def cover_sheet(rows: Sequence[Covered]) -> Sheet:
    """A line an n: means over its paths with 95 % intervals, and how many failed."""
    lines = []
    for count in sorted({row.count for row in rows}):
        ran = [row for row in rows if row.count == count and not row.error]
        failed = sum(1 for row in rows if row.count == count and row.error)
        columns = zip(*(row.figures for row in ran), strict=True)
        told = [_interval(mean(list(map(float, column)))) for column in columns]
        lines.append((str(count), *(told or [ABSENT] * len(TITLES)), number(failed)))
    caption = "The n largest providers are gone, and the n largest borrowers default"
    return Sheet(caption, ("n", *TITLES, "Failed"), lines)


def _interval(found: Estimate) -> str:
    places = 3 if abs(found.value) < 1 else 0
    ends = (ABSENT if isinf(x) else number(x, places) for x in (found.low, found.high))
    return f"{number(found.value, places)} [{', '.join(ends)}]"
