"""The waterfall in a browser: a crash is watched, and what each stage settled adds up exactly."""

import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.clients.served import PATIENCE, Service, serving
from tests.service.console.built import built

CRASH = ("--replay", "crash-2025-10-10", "--speed", "600", "--accounts", "200")
ASKED = "/solvent/v1/waterfall?limit=1000"
CRASH_SECONDS = 120
VALUES = {
    "BookFilled": "value",
    "BackstopFilled": "debt_value",
    "AdlMatched": "value",
    "FundPaid": "value",
    "DeficitBooked": "value",
}


def sums(steps: list[dict[str, Any]]) -> dict[str, Decimal]:
    """What each stage settled, over the steps that the API tells."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for step in steps:
        amounts = {each["name"]: Decimal(each["amount"]) for each in step["amounts"]}
        if VALUES.get(step["step"]) in amounts:
            stage = step["case"] if step["stage"] == "ADL" else step["stage"]
            found["BOOKING" if stage == "DEFICIT" else stage] += amounts[VALUES[step["step"]]]
    return found


def shown(page: Page) -> dict[str, Decimal]:
    """What the page shows, stage by stage."""
    return {
        str(row.get_attribute("data-stage")): Decimal(
            row.locator("[data-value]").first.get_attribute("data-value") or ""
        )
        for row in page.locator(".bridge li[data-stage]").all()
    }


def told(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{service.rest}{ASKED}", timeout=PATIENCE).json()
    return found


def crosses(page: Page, service: Service) -> None:
    """The bridge is the API's to the last digit, and its parts add up to what was owed."""
    said = httpx.get(f"{service.rest}/solvent/v1/waterfall/bridge", timeout=PATIENCE).json()
    parts = [("OWED", said["owed"])]
    parts += [(each["stage"], each["value"]) for each in said["stages"]]
    parts.append(("RECEIVED", said["received"]))
    for name, value in parts:
        place = page.locator(f".crossing li[data-part={name}] [data-value]")
        expect(place).to_have_attribute("data-value", value)
    values = {name: Decimal(value) for name, value in parts}
    owed, received = values.pop("OWED"), values.pop("RECEIVED")
    assert owed == sum(values.values())
    assert received == owed - values["DEFICIT"]
    offered = httpx.get(f"{service.rest}/solvent/v1/waterfall/capacity", timeout=PATIENCE).json()
    assert Decimal(offered["fundValue"]) == sum(Decimal(e["fundValue"]) for e in offered["offers"])
    committed = sum(Decimal(each["committedValue"]) for each in offered["offers"])
    assert Decimal(offered["committedValue"]) == committed
    for each in offered["offers"]:
        row = page.locator(f".capacity tr[data-row='{each['symbol']}'] [data-value]")
        expect(row.first).to_have_attribute("data-value", each["committed"])


def adds_up(page: Page, service: Service, deadline: float) -> dict[str, Decimal]:
    """What each stage settled once the steps rest, where the page shows what the API tells."""
    while True:
        before = told(service)
        page.reload()
        expect(page.locator(".bridge li").first).to_be_visible()
        found = shown(page)
        if told(service) == before:
            break
        assert time.monotonic() < deadline, "the steps do not come to rest"
    assert {stage: value for stage, value in found.items() if value} == sums(before)
    crosses(page, service)
    return sums(before)


@pytest.mark.slow
def test_a_crash_goes_through_the_stages_and_adds_up(chromium: Browser, tmp_path: Path) -> None:
    built()
    with serving(tmp_path, *CRASH) as service:
        context = chromium.new_context(base_url=service.rest)
        page = context.new_page()
        page.goto("/waterfall")
        expect(page.get_by_role("link", name="replay crash-2025-10-10")).to_be_visible()
        deadline = time.monotonic() + CRASH_SECONDS
        while not {"BOOK", "OPPOSITES"} <= {*sums(told(service))}:
            assert time.monotonic() < deadline, "nobody was liquidated"
            page.wait_for_timeout(500)
        assert adds_up(page, service, deadline)
        expect(page.get_by_text("handed over:").first).to_be_visible()
        expect(page.locator(".steps li").first).to_be_visible()
        context.close()
