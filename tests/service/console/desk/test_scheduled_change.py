"""A change that waits for its time: proposed, rehearsed, approved by another person, then made."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.clients.served import Service, serving
from tests.service.console.built import PATIENCE, built
from tests.service.console.signing import said_to
from tests.service.console.test_risk_desk import act_as

pytestmark = pytest.mark.slow
DELAY = 30
"""Seconds: a rehearsal and two people have to fit in, on a machine that has other work."""


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Service]:
    built()
    options = ("--demo", "--accounts", "40", "--approvals", "2", "--delay", str(DELAY))
    with serving(tmp_path, *options) as service:
        yield service


def threshold(market: Service) -> str:
    pools = httpx.get(f"{market.rest}/api/v1/borrowLend/markets").json()
    (sol,) = (pool for pool in pools if pool["symbol"] == "SOL")
    return str(sol["throttleUtilizationThreshold"])


def proposal(page: Page, market: Service) -> dict[str, Any]:
    (found,) = said_to(page, market, "/solvent/v1/proposals", "proposalQuery", limit="1")
    row: dict[str, Any] = found
    return row


def test_a_change_waits_until_its_time_and_then_holds(
    chromium: Browser, market: Service, tmp_path: Path
) -> None:
    context = chromium.new_context(base_url=market.rest, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    before = threshold(market)
    act_as(page, tmp_path, "risk-admin")
    page.goto("/risk/changes")
    page.get_by_label("Parameter", exact=True).select_option("THROTTLE_THRESHOLD")
    page.get_by_label("New value").fill("0.85")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("waits for another person and for its time")).to_be_visible()
    expect(page.locator("[data-proposal='1']")).to_contain_text("In the waterfall at once")
    act_as(page, tmp_path, "risk-admin-2")
    page.goto("/risk/changes")
    page.get_by_role("button", name="Approve proposal 1").click()
    expect(page.get_by_text("Proposal 1 is approved.")).to_be_visible()
    row = page.locator("tr[data-row='1']")
    expect(row).to_contain_text("scheduled, in")
    expect(page.get_by_role("button", name="Approve proposal 1")).to_be_disabled()
    waiting = proposal(page, market)
    assert (waiting["state"], waiting["approved"]) == ("waiting", True)
    assert threshold(market) == before != "0.85"
    expect(row).to_contain_text("made")
    assert threshold(market) == "0.85"
    entries = said_to(page, market, "/solvent/v1/audit", "auditQuery", limit="20")
    (made,) = (each for each in entries if each["proposal"] == 1 and each["outcome"] == "made")
    assert datetime.fromisoformat(made["time"]) >= datetime.fromisoformat(waiting["due"])
    expect(page.locator("[data-proposal='1']")).to_contain_text("When it was made, as rehearsed")
    page.get_by_role("link", name="Markets", exact=True).click()
    page.locator("tr[data-row=SOL]").get_by_role("link", name="SOL", exact=True).click()
    fact = page.locator(".fact", has_text="Optimal · threshold")
    expect(fact.locator("[data-value='0.85']")).to_be_visible()
    context.close()
