"""A crash that is replayed, in a browser: the operator's pace, the past marked so, the report."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.clients.served import Service, serving
from tests.service.console.built import built
from tests.service.console.test_risk_desk import act_as

PATIENCE = 60_000
"""Milliseconds: a scenario is played to its end meanwhile."""
SCENARIO = "crash-2025-10-10"


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


def said(crash: Service, path: str, **fields: int) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"{crash.rest}{path}", params=fields).json()
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
    desk.get_by_role("button", name="×60", exact=True).click()
    expect(desk.get_by_text("playing, ×60")).to_be_visible()
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
    desk.get_by_role("link", name="Trade", exact=True).click()
    expect(desk.get_by_role("heading", name="Not in the past")).to_be_visible()
    expect(desk.get_by_role("button", name="Buy SOL")).to_have_count(0)
    desk.get_by_role("button", name="back to now").click()
    expect(desk.get_by_role("button", name="Buy SOL")).to_be_visible()
    desk.goto("/replay")
    with desk.expect_navigation():
        desk.get_by_role("link", name="Open the run's report").click()
    expect(desk.get_by_role("heading", name=SCENARIO)).to_be_visible()
    assert Decimal(str(was["markets"][3]["utilization"])) >= 0
