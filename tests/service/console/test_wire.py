"""The wire: what the page says when it is cut, when it is asked to wait, and when it is back."""

from decimal import Decimal

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.service.clients.served import Service, until
from tests.service.console.test_newcomer import come_in

DEPTH = 5
AWAY_MS = 5_000
"""The demo's makers quote anew each two seconds."""
LOST = "The market cannot be reached"


def test_a_cut_line_is_said_and_comes_back_without_a_wrong_number(page: Page) -> None:
    come_in(page)
    page.get_by_label("Amount to lend").fill("10")
    button = page.get_by_role("button", name="Lend USDC")
    expect(button).to_be_enabled()
    page.context.set_offline(True)
    expect(page.get_by_text(LOST).first).to_be_visible()
    expect(button).to_be_disabled()
    expect(page.locator("tr[data-row=USDC]")).to_contain_text("100,000.000000")
    page.context.set_offline(False)
    expect(page.get_by_text(LOST)).to_have_count(0)
    expect(button).to_be_enabled()


@pytest.mark.slow
def test_a_book_that_was_cut_off_is_the_markets_when_it_is_back(page: Page, demo: Service) -> None:
    """Levels that went and came meanwhile are not mixed with those from before."""
    page.goto("/trade/SOL_USDC")
    expect(page.locator("ul.bid button").first).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text(LOST).first).to_be_visible()
    page.wait_for_timeout(AWAY_MS)
    page.context.set_offline(False)
    expect(page.get_by_text(LOST)).to_have_count(0)

    def told() -> list[str]:
        book = httpx.get(f"{demo.rest}/api/v1/depth", params={"symbol": "SOL_USDC"}).json()
        return [price for price, _ in book["asks"][:DEPTH]]

    def seen() -> list[str]:
        places = page.locator("ul.ask button span:first-of-type").all_inner_texts()
        return [each.replace(",", "") for each in places[::-1][:DEPTH]]

    def agrees() -> bool:
        before, found = told(), seen()
        return [*map(Decimal, before)] == [*map(Decimal, found)] and before == told()

    until(agrees)


@pytest.mark.slow
def test_a_market_that_asks_to_wait_is_waited_for(page: Page) -> None:
    def wait(route: Route) -> None:
        route.fulfill(
            status=429, json={"code": "TOO_MANY_REQUESTS", "message": "too many requests"}
        )

    page.route("**/solvent/v1/pools", wait)
    page.goto("/markets")
    expect(page.get_by_text("The market asks to wait")).to_be_visible()
    page.unroute("**/solvent/v1/pools")
    expect(page.get_by_text("The market asks to wait")).to_have_count(0)


def test_a_pool_that_is_not_there_is_said(page: Page) -> None:
    page.goto("/markets/NONE")
    expect(page.get_by_text("There is no pool of NONE.")).to_be_visible()
    page.goto("/trade/NONE_USDC")
    expect(page.get_by_text("There is no market NONE_USDC.")).to_be_visible()
