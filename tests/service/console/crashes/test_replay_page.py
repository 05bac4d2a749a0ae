"""A crash that is replayed, in a browser: the operator's pace, the past marked so, the report."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.clients.served import Service, serving
from tests.service.console.built import built
from tests.service.console.signing import kept_key, said_to
from tests.service.console.test_newcomer import come_in, lend
from tests.service.console.test_risk_desk import act_as

PATIENCE = 60_000
"""Milliseconds: a scenario is played to its end meanwhile."""
pytestmark = pytest.mark.slow
SCENARIO = "crash-2025-10-10"
SCRUB = """(slider, time) => {
    slider.value = time;
    slider.dispatchEvent(new Event("change", { bubbles: true }));
}"""
"""Whoever moves a slider by hand; it keeps to its steps."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replayed")


@pytest.fixture(scope="module")
def crash(folder: Path) -> Iterator[Service]:
    built()
    with serving(folder, "--replay", SCENARIO, "--speed", "600", "--accounts", "40") as service:
        yield service


@pytest.fixture
def desk(chromium: Browser, crash: Service) -> Iterator[Page]:
    context = chromium.new_context(base_url=crash.rest, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def said(crash: Service, path: str, **fields: int | str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{crash.rest}{path}", params=fields).json()
    return found


def test_whoever_is_no_operator_looks_on(desk: Page) -> None:
    desk.goto("/")
    desk.get_by_role("link", name=f"replay {SCENARIO}").click()
    expect(desk.get_by_role("heading", name=SCENARIO)).to_be_visible()
    expect(desk.get_by_role("button", name="Pause")).to_be_disabled()
    expect(desk.get_by_text("not that of a clock on a wall")).to_be_visible()


def test_its_operator_pauses_it_and_sets_its_speed(
    desk: Page, crash: Service, folder: Path
) -> None:
    act_as(desk, folder, "operator")
    desk.goto("/replay")
    desk.get_by_role("button", name="Pause").click()
    expect(desk.get_by_text("It stands still.")).to_be_visible()
    stood = said(crash, "/solvent/v1/replay")
    desk.wait_for_timeout(500)
    assert said(crash, "/solvent/v1/replay")["time"] == stood["time"]
    desk.get_by_role("button", name="Go on").click()
    sixty = desk.get_by_role("button", name="×60", exact=True)
    sixty.click()
    # What it was played at before begins alike: "playing, ×60" would be found in ×600.
    expect(sixty).to_have_attribute("aria-pressed", "true")
    assert said(crash, "/solvent/v1/replay")["speed"] == "60"
    fastest = desk.get_by_role("button", name="×600")
    fastest.click()
    # Whoever leaves the page before the answer may take the request with him.
    expect(fastest).to_have_attribute("aria-pressed", "true")
    desk.goto("/risk/audit")
    expect(desk.locator("tbody tr").first).to_contain_text("pace replay")


def test_the_past_is_marked_and_takes_no_orders_and_the_end_has_a_report(
    desk: Page, crash: Service, folder: Path
) -> None:
    act_as(desk, folder, "operator")
    desk.goto("/replay")
    expect(desk.get_by_text("played to its end")).to_be_visible()
    now = said(crash, "/solvent/v1/replay")
    middle = (int(str(now["start"])) + int(str(now["end"]))) // 2 // 10**6 * 10**6
    middle += int(str(now["start"])) % 10**6
    desk.locator("input[name=past]").fill(str(middle))
    expect(desk.get_by_role("status").filter(has_text="The past,")).to_be_visible()
    was = httpx.get(f"{crash.rest}/solvent/v1/replay/past", params={"time": middle}).json()
    sol = desk.locator("tr[data-row=SOL]")
    expect(sol.locator("td").nth(2).locator("[data-value]")).to_have_attribute(
        "data-value", was["markets"][3]["assetMarkPrice"]
    )
    desk.get_by_role("link", name="Markets", exact=True).click()
    expect(desk.get_by_role("status").filter(has_text="orders are not taken")).to_be_visible()
    expect(desk.locator("tr[data-row=SOL]")).to_be_visible()
    desk.get_by_role("link", name="Waterfall", exact=True).click()
    expect(desk.get_by_text("until then").first).to_be_visible()
    expect(desk.locator(".crossing")).to_have_count(0)
    for step in desk.locator(".steps time").all():
        moment = datetime.fromisoformat(step.get_attribute("datetime") or "")
        assert moment.timestamp() * 10**6 <= int(middle)
    desk.get_by_role("link", name="Risk", exact=True).click()
    expect(desk.get_by_role("heading", name="Not in the past")).to_be_visible()
    desk.get_by_role("link", name="Trade", exact=True).click()
    expect(desk.get_by_role("heading", name="Book then")).to_be_visible()
    expect(desk.get_by_role("button", name="Buy SOL")).to_have_count(0)
    book = said(crash, "/solvent/v1/replay/past/book", time=middle, symbol="SOL_USDC")
    places = desk.locator("ul.bid button span:first-of-type")
    expect(places.first).to_have_text(f"{Decimal(book['bids'][-1][0]):,.2f}")
    expect(desk.locator("ul.bid button").first).to_be_disabled()
    desk.get_by_role("button", name="back to now").click()
    expect(desk.get_by_role("button", name="Buy SOL")).to_be_visible()
    desk.goto("/replay")
    with desk.expect_navigation():
        desk.get_by_role("link", name="Open the run's report").click()
    expect(desk.get_by_role("heading", name=SCENARIO)).to_be_visible()
    assert Decimal(str(was["markets"][3]["utilization"])) >= 0


def test_an_account_is_shown_as_it_was(chromium: Browser, tmp_path: Path) -> None:
    """After its deposit, and before what it lent later."""
    built()
    pace = ("--replay", SCENARIO, "--speed", "60", "--accounts", "40")
    with serving(tmp_path, *pace) as service:
        context = chromium.new_context(base_url=service.rest)
        _look_back_at_oneself(context.new_page(), service)
        context.close()


def _look_back_at_oneself(page: Page, service: Service) -> None:
    come_in(page)
    richer = int(said(service, "/solvent/v1/replay")["time"])
    lend(page, "60000")
    page.get_by_role("link", name=f"replay {SCENARIO}").click()
    slider = page.locator("input[name=past]")
    slider.evaluate(SCRUB, str(richer))
    expect(page.get_by_role("status").filter(has_text="The past,")).to_be_visible()
    time = slider.input_value()
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_text("as it was then")).to_be_visible()
    told = said_to(
        page,
        service,
        "/solvent/v1/replay/past/account",
        "replayPastAccountQuery",
        account=str(kept_key(page)["account"]),
        time=time,
    )
    (usdc,) = told["balances"]
    assert (Decimal(usdc["available"]), Decimal(usdc["lent"])) == (Decimal(100_000), Decimal(0))
    row = page.get_by_role("region", name="Assets and debts").locator("tr[data-row=USDC]")
    expect(row.locator("[data-value]").first).to_have_attribute("data-value", usdc["available"])
    expect(page.get_by_text("No loans until then.")).to_be_visible()
    expect(page.get_by_role("button", name="Lend USDC")).to_have_count(0)
    page.get_by_role("link", name=f"replay {SCENARIO}").click()
    page.get_by_role("button", name="back to now").first.click()
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_text("as it was then")).to_have_count(0)
    expect(page.get_by_role("table", name="Loans")).to_contain_text("60,000")
