"""The risk desk in a browser: the map, the sliders, a change that takes two people, the log."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.clients.served import Service
from tests.service.console.built import PATIENCE
from tests.service.console.signing import said_to


@pytest.fixture
def desk(chromium: Browser, demo: Service) -> Iterator[Page]:
    context = chromium.new_context(base_url=demo.rest, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def act_as(page: Page, folder: Path, name: str) -> None:
    """Use a key of the demo's staff, from the file that the demo wrote."""
    page.goto("/key")
    page.get_by_role("checkbox").check()
    page.locator("input[type=file]").set_input_files(folder / "market" / "demo-staff.json")
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_title("Whose key signs")).to_have_text(name)


def test_the_map_and_the_sliders_say_what_the_api_says(
    desk: Page, demo: Service, demo_folder: Path
) -> None:
    act_as(desk, demo_folder, "risk-admin")
    desk.get_by_role("link", name="Risk", exact=True).click()
    expect(desk.get_by_text("exact, from the book")).to_be_visible()
    expect(desk.get_by_role("img", name="Value to be closed by price move")).to_be_visible(
        timeout=PATIENCE
    )
    desk.get_by_role("slider", name="All assets").fill("-40")
    hit = desk.locator(".hit")
    told = said_to(desk, demo, "/solvent/v1/what-if", "whatIfQuery", move="-0.4")
    assert told["point"]["accounts"] > 0
    expect(hit).to_have_attribute("data-value", str(told["point"]["accounts"]))
    desk.get_by_role("button", name="asset by asset").click()
    desk.get_by_role("slider", name="SOL").fill("-20")
    told = said_to(desk, demo, "/solvent/v1/what-if", "whatIfQuery", moves="SOL:-0.2")
    expect(hit).to_have_attribute("data-value", str(told["point"]["accounts"]))
    row = desk.locator("tr[data-row=SOL]").last
    mark = Decimal(row.locator("[data-value]").first.get_attribute("data-value") or "0")
    assert abs(mark - Decimal(told["point"]["pools"][3]["markPrice"])) < Decimal("2")


def test_accounts_by_health_are_the_apis_and_one_is_looked_at(
    desk: Page, demo: Service, demo_folder: Path
) -> None:
    act_as(desk, demo_folder, "risk-admin")
    desk.goto("/risk/accounts")
    row = desk.get_by_role("region", name="Accounts by health").locator("tbody tr").first
    expect(row).to_be_visible()
    number = row.get_attribute("data-row") or ""
    told = said_to(desk, demo, "/solvent/v1/watch/accounts", "watchAccountsQuery", limit="3")
    assert number in [str(each["account"]) for each in told["accounts"]]
    desk.get_by_role("slider", name="All assets").fill("-90")
    expect(desk.get_by_text("The fund pays for the largest 2")).to_be_visible()
    expect(desk.get_by_role("region", name="Concentration")).to_contain_text("USDC")
    row.get_by_role("link").click()
    expect(desk.get_by_role("heading", name=f"Account {number}")).to_be_visible()
    expect(desk.get_by_text("looked at, not acted for")).to_be_visible()
    expect(desk.get_by_role("region", name="Assets and debts")).to_be_visible()


def test_the_oracle_page_says_what_prices_rest_on(desk: Page, demo: Service) -> None:
    desk.goto("/risk/oracle")
    row = desk.get_by_role("region", name="Prices").locator("tr[data-row=SOL]")
    expect(row).to_contain_text("in use")
    told = httpx.get(f"{demo.rest}/solvent/v1/oracle").json()["prices"]
    (sol,) = (each for each in told if each["symbol"] == "SOL")
    expect(row).to_contain_text(f"{sol['fresh']} of {len(sol['sources'])}")


def test_betas_say_how_many_times_each_asset_moves(
    desk: Page, demo: Service, demo_folder: Path
) -> None:
    act_as(desk, demo_folder, "risk-admin")
    desk.get_by_role("link", name="Risk", exact=True).click()
    desk.get_by_role("slider", name="All assets").fill("-40")
    desk.locator("input[name=beta-SOL]").fill("0")
    fields = {"move": "-0.4", "betas": "SOL:0"}
    told = said_to(desk, demo, "/solvent/v1/what-if", "whatIfQuery", **fields)
    hit = desk.locator(".hit")
    expect(hit).to_have_attribute("data-value", str(told["point"]["accounts"]))
    desk.locator("input[name=beta-SOL]").fill("much")
    expect(desk.locator("input[name=beta-SOL]")).to_have_attribute("aria-invalid", "true")


def test_a_change_takes_two_people_and_the_log_says_who(
    desk: Page, demo: Service, demo_folder: Path
) -> None:
    act_as(desk, demo_folder, "risk-admin")
    desk.goto("/risk/changes")
    desk.get_by_label("Asset of the parameter").select_option("BTC")
    desk.get_by_label("Parameter", exact=True).select_option("THROTTLE_THRESHOLD")
    desk.get_by_label("New value").fill("0.85")
    desk.get_by_role("button", name="Propose").click()
    waits = desk.get_by_text(re.compile(r"Proposal \d+ waits for another person"))
    expect(waits).to_be_visible()
    number = waits.inner_text().split()[1]
    row = desk.locator(f"tr[data-row='{number}']")
    expect(row).to_contain_text("BTC throttle threshold to 0.85")
    rehearsal = desk.locator(f"[data-proposal='{number}']")
    expect(rehearsal).to_contain_text("In the waterfall at once")
    expect(rehearsal.get_by_role("region", name="In the next 4 hours")).to_be_visible()
    desk.get_by_role("button", name=f"Approve proposal {number}").click()
    expect(desk.get_by_text("somebody else must approve it")).to_be_visible()
    act_as(desk, demo_folder, "risk-admin-2")
    desk.goto("/risk/changes")
    desk.get_by_role("button", name=f"Approve proposal {number}").click()
    expect(row).to_contain_text("made")
    pools = httpx.get(f"{demo.rest}/api/v1/borrowLend/markets").json()
    (btc,) = (pool for pool in pools if pool["symbol"] == "BTC")
    assert btc["throttleUtilizationThreshold"] == "0.85"
    desk.get_by_role("link", name="Audit log").click()
    entries = said_to(desk, demo, "/solvent/v1/audit", "auditQuery", limit="5")
    (second,) = (each for each in entries if each["act"] == "Approve" and "made" in each["outcome"])
    told = desk.locator(f"tr[data-row='{second['number']}']")
    expect(told).to_contain_text("approve")
    expect(told).to_contain_text(f"risk_admin, key {second['actor']}")


def test_a_user_is_told_that_it_is_not_for_him(desk: Page) -> None:
    desk.goto("/risk")
    expect(desk.get_by_text("it takes a key of the house")).to_be_visible()
    desk.goto("/key")
    desk.get_by_role("button", name="Make a demo key").click()
    expect(desk.get_by_text("is open.")).to_be_visible()
    desk.get_by_role("link", name="Risk", exact=True).click()
    expect(desk.get_by_text("the key's role may not do this").first).to_be_visible()


def test_the_staffs_file_is_what_the_page_takes(demo: Service, demo_folder: Path) -> None:
    """The demo writes it for whoever may read its folder."""
    assert demo
    staff = json.loads((demo_folder / "market" / "demo-staff.json").read_text())
    assert {"risk-admin", "risk-admin-2"} <= set(staff)
