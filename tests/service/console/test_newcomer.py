"""A newcomer in a browser: a key and money in two clicks, a loan, an order, and what is refused."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.service.clients.served import Service
from tests.service.console.signing import kept_key, said_to, signed


def come_in(page: Page) -> None:
    """Make a key and take the demo's money: two clicks, and one that keeps the key for the test."""
    page.goto("/key")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Make a demo key").click()
    page.get_by_role("button", name="Deposit").click()
    expect(page).to_have_url(re.compile("/account$"))
    expect(page.locator("tr[data-row=USDC]")).to_contain_text("100,000.000000")


def value(place: Locator) -> Decimal:
    return Decimal(place.get_attribute("data-value") or "")


def lend(page: Page, quantity: str) -> None:
    page.get_by_label("Amount to lend").fill(quantity)
    page.get_by_role("button", name="Lend USDC").click()
    expect(page.get_by_text(f"Done: lent {int(quantity):,} USDC.")).to_be_visible()


def test_the_secret_never_leaves_the_page(page: Page) -> None:
    """Every request of a page that makes a key, deposits and lends is looked through."""
    sent: list[str] = []

    def look(request: Request) -> None:
        sent.append(f"{request.url} {request.all_headers()} {request.post_data or ''}")

    page.on("request", look)
    come_in(page)
    lend(page, "1000")
    key = kept_key(page)
    assert any(key["publicKey"] in each for each in sent)
    assert [each for each in sent if key["secret"].rstrip("=") in each] == []


def test_the_maximum_and_what_binds_it_are_the_markets_own(page: Page, demo: Service) -> None:
    come_in(page)
    lend(page, "60000")
    page.get_by_role("link", name="Borrow", exact=True).click()
    page.get_by_label("Asset", exact=True).select_option("SOL")
    most = page.locator(".max [data-value]")
    expect(most).to_be_visible()
    limits = said_to(page, demo, "/solvent/v1/limits", "limitsQuery", symbol="SOL")
    assert limits["borrow"]["limit"] == "UtilizationBound"
    expect(page.get_by_text("the pool's throttle lets no more out")).to_be_visible()
    assert abs(value(most) - Decimal(limits["borrow"]["quantity"])) < Decimal("0.01")
    page.get_by_role("button", name="Max").click()
    page.get_by_label("Amount to borrow").fill("999999")
    expect(page.get_by_role("button", name="Borrow SOL")).to_be_disabled()
    expect(page.locator("#why")).to_have_text(
        "More than the maximum: the pool's throttle lets no more out."
    )


def test_a_loan_shows_where_it_is_liquidated_before_and_after(page: Page, demo: Service) -> None:
    come_in(page)
    page.goto("/account/borrow/SOL")
    page.get_by_label("Amount to borrow").fill("100")
    then = page.locator(".fact", has_text="Liquidated at SOL").locator("strong [data-value]")
    before = value(then)
    page.get_by_role("button", name="Borrow SOL").click()
    expect(page.get_by_text("Done: borrowed 100 SOL.")).to_be_visible()
    row = page.locator("tr[data-row=SOL]")
    expect(row).to_contain_text("−100.")
    (position,) = said_to(page, demo, "/api/v1/borrowLend/positions", "borrowLendPositionQuery")
    assert position["symbol"] == "SOL"
    found = Decimal(position["estLiquidationPrice"])
    assert abs(found - before) / before < Decimal("0.001")
    expect(page.get_by_text("of the way to liquidation")).to_be_visible()


def test_an_order_rests_and_is_cancelled(page: Page, demo: Service) -> None:
    come_in(page)
    page.get_by_role("link", name="Trade", exact=True).click()
    expect(page.locator("ul.bid button").first).to_be_visible()
    why = page.locator("#order-why")
    expect(why).to_have_text(re.compile("Type a price"))
    page.locator("ul.bid button").last.click()
    page.get_by_label("Quantity").fill("99999999")
    expect(why).to_have_text("More than the maximum: that is all the account has to use.")
    expect(page.get_by_role("button", name="Buy SOL")).to_be_disabled()
    page.get_by_label("Quantity").fill("1.5")
    page.get_by_role("button", name="Buy SOL").click()
    expect(page.get_by_text("The order rests in the book.")).to_be_visible()
    (order,) = said_to(page, demo, "/api/v1/orders", "orderQueryAll")
    row = page.locator(f"tr[data-row='{order['id']}']")
    expect(row).to_contain_text(order["price"])
    page.get_by_role("button", name=f"Cancel order {order['id']}").click()
    expect(row).to_have_count(0)
    assert said_to(page, demo, "/api/v1/orders", "orderQueryAll") == []


@pytest.mark.slow
def test_an_order_shows_how_the_account_stands_after_it(page: Page, demo: Service) -> None:
    """While it is typed, at the order's own price, as the market itself reckons it."""
    come_in(page)
    page.goto("/trade/SOL_USDC")
    expect(page.locator("ul.bid button").first).to_be_visible()
    page.get_by_label("borrow what is missing").check()
    page.locator("ul.ask button").first.click()
    price = page.get_by_label("Price").input_value()
    quantity = str(int(Decimal(120_000) / Decimal(price)))
    page.get_by_label("Quantity").fill(quantity)
    then = page.locator(".fact", has_text="Of the way to liquidation").locator(
        "strong [data-value]"
    )
    expect(then).to_be_visible()
    fields = {"symbol": "SOL_USDC", "side": "Bid", "price": price, "quantity": quantity}
    path, name = "/solvent/v1/limits/order/ahead", "limitsOrderAheadQuery"
    told = said_to(page, demo, path, name, **fields, autoBorrow="true", autoLendRedeem="false")
    assert told["marginRatio"] is None
    assert abs(value(then) - Decimal(told["marginRatioThen"])) < Decimal("0.001")
    marks = page.locator(".fact", has_text="Liquidated at SOL").locator("strong [data-value]")
    expect(marks).to_be_visible()
    gap = value(marks) - Decimal(told["liquidationPriceThen"])
    assert abs(gap) / value(marks) < Decimal("0.001")
    expect(page.locator(".fact", has_text="Borrows USDC")).to_contain_text("→")


def test_another_accounts_data_cannot_be_had(page: Page, demo: Service) -> None:
    """Neither in the page nor by what the page's key signs."""
    come_in(page)
    key = kept_key(page)
    other = str(int(key["account"]) - 1)
    page.goto(f"/account/of/{other}")
    expect(page.get_by_text("(FORBIDDEN)").first).to_be_visible()
    expect(page.locator("[data-value]")).to_have_count(0)
    for path, instruction in (
        ("/solvent/v1/watch/account", "watchAccountQuery"),
        ("/solvent/v1/receipts", "receiptsQuery"),
    ):
        answer = signed(key["secret"], demo, path, instruction, account=other)
        assert answer.status_code == 403, answer.text


def test_nothing_of_an_account_is_seen_without_its_key(page: Page) -> None:
    page.goto("/account")
    expect(page.get_by_role("heading", name="No key yet")).to_be_visible()
    come_in(page)
    page.goto("/key")
    page.get_by_role("button", name="Forget it").click()
    page.goto("/account")
    expect(page.get_by_role("heading", name="No key yet")).to_be_visible()
    assert page.evaluate("localStorage.getItem('solvent-key')") is None
