"""Everybody can use it: nothing serious is found in any page, dark and light."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from solvent.service.console.bundle import VIEWS
from tests.service.console.test_newcomer import come_in

ADDRESSES = (
    *("markets", "markets/SOL", "trade/SOL_USDC", "account", "account/borrow/SOL", "waterfall"),
    *("account/standby", "account/history/settlements"),
    *("receipts", "risk", "risk/oracle", "cluster", "replay", "ask", "key", "settings"),
)


def test_every_page_is_looked_at() -> None:
    assert {address.partition("/")[0] for address in ADDRESSES} | {""} == VIEWS


def found(page: Page, axe: str) -> list[str]:
    """What is wrong with a page, seriously, and where."""
    page.evaluate(axe)
    report: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in report["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_wrong(page: Page, axe: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    come_in(page)
    for address in ADDRESSES:
        page.goto(f"/{address}")
        expect(page.locator("main")).not_to_be_empty()
        expect(page.locator(".loading")).to_have_count(0)
        assert found(page, axe) == [], address


@pytest.mark.slow
def test_what_is_wrong_is_found(page: Page, axe: str) -> None:
    page.goto("/markets")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [each for each in found(page, axe) if each.startswith("button-name")] != []


def test_light_and_dark_and_the_clock_are_the_readers(page: Page) -> None:
    """What is chosen holds on the next page, too."""
    page.emulate_media(color_scheme="light")
    page.goto("/markets")
    foot = page.locator("footer")
    foot.get_by_role("button", name="dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    foot.get_by_role("button", name="UTC").click()
    page.goto("/waterfall")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(foot.get_by_role("button", name="local")).to_be_visible()
    page.goto("/settings")
    page.get_by_label("Green and red").check()
    assert page.evaluate("document.documentElement.style.getPropertyValue('--up')") == "#2fa36b"


def test_the_keyboard_goes_everywhere(page: Page) -> None:
    """From the top to a pool, without a mouse."""
    page.goto("/markets")
    expect(page.locator("tr[data-row=SOL]")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == "/markets/SOL":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="SOL pool")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="SOL pool")).to_have_count(0)
