"""A stranger's ten questions: each answered in three clicks at most, with the API's own number.

Clicks are counted from the page that a newcomer sees first, the markets; for questions about an
account or the house from there with a key that is known already. docs/how-to/use-the-console.md has
the questions with their paths. Who paid whom is asked in crashes/test_story.py, where somebody was
paid.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.service.clients.served import Key, Service, Staff, until
from tests.service.console.built import PATIENCE
from tests.service.console.signing import said_to
from tests.service.console.test_newcomer import come_in, lend

MOST_CLICKS = 3


class Stranger:
    """Clicks, and counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, place: Locator) -> None:
        self.clicks += 1
        assert self.clicks <= MOST_CLICKS
        place.click()

    def link(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True).first)

    def fact(self, name: str) -> Locator:
        return self.page.locator(".fact", has_text=name).locator("[data-value]").first


@pytest.fixture(scope="module")
def debtor(chromium: Browser, demo: Service) -> Iterator[Page]:
    """Somebody who has lent USDC and owes SOL, on the first page."""
    context = chromium.new_context(base_url=demo.rest, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    come_in(page)
    lend(page, "50000")
    page.goto("/account/borrow/SOL")
    page.get_by_label("Amount to borrow").fill("120")
    page.get_by_role("button", name="Borrow SOL").click()
    expect(page.get_by_text("Done: borrowed 120 SOL.")).to_be_visible()
    yield page
    context.close()


@pytest.fixture
def known(debtor: Page) -> Stranger:
    debtor.goto("/")
    return Stranger(debtor)


def public(demo: Service, path: str) -> Any:
    return httpx.get(f"{demo.rest}{path}").json()


def near(place: Locator, told: str, by: str = "0.001") -> None:
    """The number shown is the API's, but for what a live market moved in between."""
    expect(place).to_be_visible()
    shown, expected = Decimal(place.get_attribute("data-value") or ""), Decimal(told)
    assert abs(shown - expected) <= abs(expected) * Decimal(by), (shown, expected)


def test_1_what_does_it_cost_to_borrow(page: Page, demo: Service) -> None:
    page.goto("/")
    (sol,) = (
        each for each in public(demo, "/api/v1/borrowLend/markets") if each["symbol"] == "SOL"
    )
    rate = page.locator("tr[data-row=SOL] td").nth(3).locator("[data-value]")
    near(rate, sol["borrowInterestRate"])


def test_2_how_much_may_still_be_borrowed(page: Page, demo: Service) -> None:
    page.goto("/")
    stranger = Stranger(page)
    stranger.link("SOL")
    (sol,) = (each for each in public(demo, "/solvent/v1/pools") if each["symbol"] == "SOL")
    near(stranger.fact("May be borrowed now"), sol["borrowable"])


def test_3_what_is_my_maximum_and_why(known: Stranger, demo: Service) -> None:
    known.link("Account")
    known.click(known.page.locator("tr[data-row=SOL]").get_by_role("link", name="borrow"))
    limits = said_to(known.page, demo, "/solvent/v1/limits", "limitsQuery", symbol="SOL")
    near(known.page.locator(".max [data-value]"), limits["borrow"]["quantity"])
    expect(known.page.locator(".bound")).to_contain_text("the pool's throttle lets no more out")
    assert limits["borrow"]["limit"] == "UtilizationBound"


def test_4_when_am_i_liquidated(known: Stranger, demo: Service) -> None:
    known.link("Account")
    told = said_to(known.page, demo, "/api/v1/borrowLend/positions", "borrowLendPositionQuery")
    (debt,) = (each for each in told if each["symbol"] == "SOL")
    place = known.page.locator("tr[data-row=SOL] td").nth(7).locator("[data-value]")
    near(place, debt["estLiquidationPrice"])


def test_5_how_near_am_i_to_it(known: Stranger, demo: Service) -> None:
    known.link("Account")
    told = said_to(known.page, demo, "/solvent/v1/forecast", "forecastQuery", symbol="SOL")
    near(known.page.locator(".health [data-value]"), told["marginRatio"], "0.01")


def test_6_what_would_adl_do_to_me(known: Stranger, demo: Service) -> None:
    known.link("Account")
    told = said_to(known.page, demo, "/solvent/v1/forecast", "forecastQuery", symbol="SOL")
    fact = known.page.locator(".fact", has_text="If lenders of SOL were stuck now")
    assert told["candidate"] is True
    expect(fact).to_contain_text(f"of {told['candidates']}")


def test_7_is_every_lender_whole(page: Page, demo: Service) -> None:
    page.goto("/")
    stranger = Stranger(page)
    stranger.link("Waterfall")
    table = page.get_by_role("region", name="Claims and what stands behind them")
    for pool in public(demo, "/solvent/v1/solvency")["pools"]:
        row = table.locator(f"tr[data-row={pool['symbol']}]")
        expect(row).to_contain_text("yes" if pool["covered"] else "no")
        near(row.locator("[data-value]").first, pool["claims"])


def test_9_what_if_sol_falls_by_a_fifth(page: Page, demo: Service, staff: Path) -> None:
    use(page, staff)
    stranger = Stranger(page)
    stranger.link("Risk")
    stranger.click(page.get_by_role("button", name="asset by asset"))
    stranger.clicks += 1
    page.get_by_role("slider", name="SOL").fill("-20")
    told = said_to(page, demo, "/solvent/v1/what-if", "whatIfQuery", moves="SOL:-0.2")
    hit = page.locator(".hit")
    expect(hit).to_have_attribute("data-value", str(told["point"]["accounts"]), timeout=PATIENCE)
    assert stranger.clicks <= MOST_CLICKS


def test_10_who_approved_this_change(page: Page, demo: Service, staff: Path) -> None:
    """A fee of the ETH pool, asked for by one person and approved by another."""
    number = changed(demo, staff)
    use(page, staff)
    stranger = Stranger(page)
    stranger.link("Risk")
    stranger.link("Changes")
    proposals = said_to(page, demo, "/solvent/v1/proposals", "proposalQuery")
    (told,) = (each for each in proposals if each["proposal"] == number)
    (approver,) = told["approvers"]
    entries = said_to(page, demo, "/solvent/v1/audit", "auditQuery", limit="200")
    acts = {each["act"]: each["actor"] for each in entries if each["proposal"] == number}
    assert acts["Approve"] == approver != told["proposer"] == acts["ChangeParameter"]
    cells = page.locator(f"tr[data-row='{number}'] td")
    assert told["state"] == "made"
    expect(cells.nth(1)).to_contain_text("made")
    expect(cells.nth(3)).to_have_text(f"key {told['proposer']}")
    expect(cells.nth(4)).to_have_text(f"key {approver}")


def changed(demo: Service, staff: Path) -> int:
    """The number of a change that two people stand behind, and that is made."""
    keys = json.loads(staff.read_text())
    first, second = (
        Staff(demo, Key(keys[name]["publicKey"], keys[name]["secret"]))
        for name in ("risk-admin", "risk-admin-2")
    )
    change = {"symbol": "ETH", "field": "POOL_FEE", "value": 110_000_000}
    number: int = first.post("/solvent/v1/risk/proposals", "riskPropose", change)["proposal"]

    def row() -> dict[str, Any]:
        rows = first.get("/solvent/v1/proposals", "proposalQuery")
        (found,) = (each for each in rows if each["proposal"] == number)
        return dict(found)

    until(lambda: {"rehearsal", "notRehearsed"} & set(row()))
    second.post("/solvent/v1/proposals/approvals", "proposalApprove", {"proposal": number})
    until(lambda: row()["state"] == "made")
    return number


def use(page: Page, staff: Path) -> None:
    """Act as a risk admin from the first page on."""
    page.goto("/key")
    page.get_by_role("checkbox").check()
    page.locator("input[type=file]").set_input_files(staff)
    page.get_by_role("button", name="risk-admin", exact=True).click()
    expect(page.get_by_title("Whose key signs")).to_have_text("risk-admin")
    page.goto("/")
