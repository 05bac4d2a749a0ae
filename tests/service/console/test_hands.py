"""Whoever uses it: one crosshair, the reader's clock and colours, a keyboard alone, any width."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.service.clients.served import Service
from tests.service.console.built import PATIENCE
from tests.service.console.signing import said_to
from tests.service.console.test_access import ADDRESSES
from tests.service.console.test_newcomer import come_in
from tests.sizes import sized

WIDTHS = (380, 768, 1440, 2560, 3840)
TABS = 80
"""Nothing is farther than so many presses of a key."""
INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.fixture
def far(chromium: Browser, demo: Service) -> Iterator[Page]:
    """A page of somebody in India."""
    context = chromium.new_context(base_url=demo.rest, timezone_id="Asia/Kolkata")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("width", WIDTHS[: sized(1, 5, 5)])
def test_no_page_goes_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    come_in(page)
    for address in ADDRESSES:
        page.goto(f"/{address}")
        expect(page.locator("main")).not_to_be_empty()
        expect(page.locator(".loading")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_what_goes_sideways_is_found(page: Page) -> None:
    page.set_viewport_size({"width": 380, "height": 900})
    page.goto("/markets")
    expect(page.locator("tr[data-row=SOL]")).to_be_visible()
    page.evaluate("document.querySelector('main').style.width = '500px'")
    assert page.evaluate("document.documentElement.scrollWidth") > 380


def test_one_crosshair_goes_over_all_charts(page: Page, demo: Service) -> None:
    page.goto("/markets/SOL")
    fill, rates = page.locator("figure.plot").nth(0), page.locator("figure.plot").nth(1)
    expect(rates.locator(".u-over")).to_be_visible()
    path = f"{demo.rest}/api/v1/borrowLend/markets/history"
    assert httpx.get(path, params={"symbol": "SOL", "interval": "1d"}).json()
    for place, other in ((fill, rates), (rates, fill)):
        place.locator(".u-over").hover()
        lines = [each.locator(".u-cursor-x") for each in (place, other)]
        here, there = (each.evaluate("line => line.style.transform") for each in lines)
        assert here == there != ""
        expect(time_under(other)).to_have_text(time_under(place).inner_text())
        expect(time_under(other)).not_to_have_text("–")


def time_under(chart: Locator) -> Locator:
    return chart.locator(".u-legend .u-value").first


def test_times_are_in_utc_or_where_one_is(far: Page) -> None:
    """The same moment in both, kept on the next page."""
    far.goto("/markets")
    clock = far.locator("footer time")
    expect(clock).to_be_visible()

    def off(zone: timezone) -> timedelta:
        moment = clock.get_attribute("datetime") or ""
        told = datetime.fromisoformat(clock.inner_text().strip()).replace(tzinfo=zone)
        return abs(told - datetime.fromisoformat(moment.replace("Z", "+00:00")))

    assert off(UTC) < timedelta(seconds=2)
    far.goto("/settings")
    far.get_by_label("where I am").check()
    assert off(INDIA) < timedelta(seconds=2)
    far.goto("/waterfall")
    expect(clock).to_be_visible()
    assert off(INDIA) < timedelta(seconds=2)


def shades(page: Page) -> list[list[float]]:
    """The colours of bids and asks as they are drawn: lightness, green to red, blue to yellow."""
    page.goto("/trade/SOL_USDC")
    places = [page.locator("ul.bid .up").first, page.locator("ul.ask .down").first]
    for place in places:
        expect(place).to_be_visible()
    drawn = [place.evaluate("place => getComputedStyle(place).color") for place in places]
    return [[float(part) for part in re.findall(r"[-\d.]+", each)] for each in drawn]


@pytest.mark.slow
def test_the_two_colours_are_the_readers_and_kept(page: Page) -> None:
    """Blue and orange at first; then what was chosen, which holds on other pages."""
    bid, ask = shades(page)
    assert bid[2] < 0 < ask[2]
    for name, sign in (("Green and red", 1), ("Red and green", -1)):
        page.goto("/settings")
        page.get_by_label(name).check()
        bid, ask = shades(page)
        assert bid[1] * sign < 0 < ask[1] * sign
        page.goto("/settings")
        expect(page.get_by_label(name)).to_be_checked()


def tab_to(page: Page, place: Locator) -> None:
    """Press the key that goes on until a place has the focus, and see that it shows."""
    expect(place).to_be_visible()
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if place.evaluate("place => place === document.activeElement"):
            seen = "place => getComputedStyle(place).outlineStyle"
            assert place.evaluate(seen) != "none"
            return
    pytest.fail("the keyboard does not come there")


@pytest.mark.slow
def test_a_loan_and_an_order_by_the_keyboard_alone(page: Page, demo: Service) -> None:
    page.goto("/key")
    tab_to(page, page.get_by_role("checkbox"))
    page.keyboard.press("Space")
    for name in ("Make a demo key", "Deposit"):
        tab_to(page, page.get_by_role("button", name=name))
        page.keyboard.press("Enter")
    expect(page.locator("tr[data-row=USDC]")).to_contain_text("100,000.000000")
    tab_to(page, page.get_by_label("Amount to lend"))
    page.keyboard.type("1000")
    expect(page.get_by_role("button", name="Lend USDC")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Done: lent 1,000 USDC.")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Trade", exact=True))
    page.keyboard.press("Enter")
    tab_to(page, page.locator("ul.bid button").last)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Quantity"))
    page.keyboard.type("1.5")
    expect(page.get_by_role("button", name="Buy SOL")).to_be_enabled()
    tab_to(page, page.get_by_role("button", name="Buy SOL"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The order rests in the book.")).to_be_visible()
    (order,) = said_to(page, demo, "/api/v1/orders", "orderQueryAll")
    tab_to(page, page.get_by_role("button", name=f"Cancel order {order['id']}"))
    page.keyboard.press("Space")
    expect(page.locator(f"tr[data-row='{order['id']}']")).to_have_count(0)
    assert said_to(page, demo, "/api/v1/orders", "orderQueryAll") == []
