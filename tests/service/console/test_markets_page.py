"""The markets page in a browser: what it shows is what the API says."""

import re
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.service.clients.served import Service


def said(demo: Service, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{demo.rest}{path}").json()
    return found


def test_every_pool_is_there_with_its_state(page: Page, demo: Service) -> None:
    page.goto("/")
    pools = said(demo, "/solvent/v1/pools")
    assert len(pools) == 4
    for pool in pools:
        row = page.locator(f"tr[data-row={pool['symbol']}]")
        expect(row).to_contain_text(pool["condition"])
        expect(row.get_by_role("img")).to_have_attribute(
            "aria-label", re.compile("Utilization [0-9.]+ %; optimal")
        )


def test_a_pool_has_an_address_and_its_exact_figures(page: Page, demo: Service) -> None:
    page.goto("/markets/SOL")
    expect(page.get_by_role("heading", name="SOL pool")).to_be_visible()
    (market,) = (
        each for each in said(demo, "/api/v1/borrowLend/markets") if each["symbol"] == "SOL"
    )
    limit = page.locator(".fact", has_text="Most that may be lent").locator("[data-value]")
    expect(limit).to_have_attribute("data-value", market["openBorrowLendLimit"])


def test_a_typed_amount_says_what_it_would_make_of_the_rates(page: Page, demo: Service) -> None:
    """By the curve's own points, exactly; what would be refused says why."""
    page.goto("/markets/SOL")
    (pool,) = (each for each in said(demo, "/solvent/v1/pools") if each["symbol"] == "SOL")
    amount = page.get_by_label("Amount")
    amount.fill("100")
    rate = page.locator(".fact", has_text="Borrow rate").locator("strong [data-value]")
    used = page.locator(".fact", has_text="Utilization").locator("strong [data-value]")
    then = Decimal(used.get_attribute("data-value") or "0")
    assert then > Decimal(pool["utilization"])
    points = [(Decimal(at), Decimal(to)) for at, to in pool["curve"]]
    (left, low), (right, high) = next(pair for pair in pairwise(points) if pair[1][0] >= then)
    expected = low + (high - low) * (then - left) / (right - left)
    shown = Decimal(rate.get_attribute("data-value") or "0")
    assert abs(shown - expected) < Decimal("0.000000002")
    amount.fill("999999999")
    expect(page.get_by_text("More than may be borrowed")).to_be_visible()
