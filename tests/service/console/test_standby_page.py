"""Standing by in a browser: what it costs and earns, what is refused, and its history."""

from decimal import Decimal

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.service.clients.served import Service
from tests.service.console.signing import said_to
from tests.service.console.test_newcomer import come_in

PATH = "/solvent/v1/standby"


def fact(page: Page, name: str) -> Locator:
    return page.locator(".standby .fact", has_text=name).locator("[data-value]")


@pytest.mark.slow
def test_who_stands_by_sees_what_it_is_and_ends_it(page: Page, demo: Service) -> None:
    come_in(page)
    page.get_by_role("link", name="Stand by", exact=True).click()
    terms = httpx.get(f"{demo.rest}/solvent/v1/waterfall/capacity").json()
    stand = page.get_by_role("button", name="Stand by", exact=True)
    why = page.locator("#standby-why")
    expect(page.locator(".standby .max [data-value]")).to_have_attribute(
        "data-value", terms["maxPosted"]
    )
    expect(why).to_have_text("Type an amount.")
    page.get_by_label("Amount to post").fill("4000.5")
    page.get_by_label("Premium", exact=False).fill("99")
    most = Decimal(terms["maxPremium"]) * 100
    expect(why).to_have_text(f"No premium is above {most.normalize():f} %.")
    expect(stand).to_be_disabled()
    page.get_by_label("Premium", exact=False).fill("0.5")
    expect(fact(page, "Earns at most")).to_have_attribute("data-value", "20.0025")
    stand.click()
    expect(page.get_by_text("Done: you stand by with 4,000.5 USDC more.")).to_be_visible()
    (own,) = said_to(page, demo, PATH, "standbyQuery")
    assert (Decimal(own["posted"]), Decimal(own["premium"])) == (
        Decimal("4000.5"),
        Decimal("0.005"),
    )
    expect(fact(page, "You stand by with")).to_have_attribute("data-value", own["posted"])
    expect(fact(page, "Could be called now")).to_have_attribute("data-value", own["posted"])
    levels = httpx.get(f"{demo.rest}/solvent/v1/waterfall/capacity").json()["standbys"]
    assert any(Decimal(each["premium"]) == Decimal("0.005") for each in levels)
    page.get_by_label("Amount to post").fill("1")
    page.get_by_label("Premium", exact=False).fill("0.6")
    expect(why).to_contain_text("A premium rises only while nothing is posted")
    page.get_by_label("Amount to take back").fill("5000")
    expect(page.locator("#leave-why")).to_contain_text("More than the maximum")
    page.get_by_label("Amount to take back").fill("1000.5")
    page.get_by_role("button", name="Give notice").click()
    expect(page.get_by_text("Done: notice was given for 1,000.5 USDC.")).to_be_visible()
    (own,) = said_to(page, demo, PATH, "standbyQuery")
    assert Decimal(own["leaving"]) == Decimal("1000.5")
    page.get_by_role("link", name="Standby", exact=True).click()
    rows = page.get_by_role("table", name="Standby").locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("notice was given")
    expect(rows.last).to_contain_text("stands by")
    told = said_to(page, demo, f"{PATH}/history", "standbyHistoryQuery")
    assert [Decimal(each["posted"]) for each in told] == [Decimal("4000.5")] * 2
