"""A newcomer's whole story in a browser: from no key to a receipt that the page has verified.

The market is made for it (squeeze.toml): the newcomer is the only one who is liquidated, and goes
through book, backstop, opposites and ADL. The operator keeps time slow until the loan is sold.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.receipts.forging import resealed
from tests.service.clients.served import Key, Service, Staff, serving
from tests.service.console.built import built
from tests.service.console.crashes.test_waterfall_page import CRASH_SECONDS, adds_up, told
from tests.service.console.signing import kept_key, said_to, signed
from tests.service.console.test_newcomer import come_in, lend
from tests.service.console.test_ten_questions import Stranger

SCENARIO = Path(__file__).with_name("squeeze.toml")
PLAYED = ("--replay", str(SCENARIO), "--speed", "600")
STAGES = ("BOOK", "BACKSTOP", "OPPOSITES", "BORROWER_DEFAULT")
PATIENCE = 90_000
"""Milliseconds: two hours of the market are played meanwhile, at 600 times their speed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("story")


@pytest.fixture(scope="module")
def market(folder: Path) -> Iterator[Service]:
    built()
    with serving(folder, *PLAYED) as service:
        yield service


@pytest.fixture
def newcomer(chromium: Browser, market: Service) -> Iterator[Page]:
    context = chromium.new_context(base_url=market.rest, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


def pace(market: Service, folder: Path, speed: str) -> None:
    """What the demo's operator asks for."""
    keys = json.loads((folder / "market" / "demo-staff.json").read_text())["operator"]
    operator = Staff(market, Key(keys["publicKey"], keys["secret"]))
    operator.post("/solvent/v1/admin/replay", "adminReplay", {"speed": speed})


def go_short(page: Page) -> None:
    """Lend a little, borrow 600 SOL, sell all of it."""
    come_in(page)
    lend(page, "1000")
    page.get_by_role("link", name="Borrow", exact=True).click()
    page.get_by_label("Asset", exact=True).select_option("SOL")
    page.get_by_label("Amount to borrow").fill("600")
    page.get_by_role("button", name="Borrow SOL").click()
    expect(page.get_by_text("Done: borrowed 600 SOL.")).to_be_visible()
    page.get_by_role("link", name="Trade", exact=True).click()
    expect(page.locator("ul.bid button").first).to_be_visible()
    page.get_by_role("button", name="Sell", exact=False).first.click()
    page.get_by_role("button", name="Market", exact=True).click()
    page.get_by_label("Quantity").fill("600")
    page.get_by_role("button", name="Sell SOL").click()
    expect(page.get_by_text("Sold 600 SOL.")).to_be_visible()


def see_it_through(page: Page, market: Service) -> None:
    """Every stage takes something of the one account; the page adds up to what the API tells."""
    page.get_by_role("link", name="Waterfall", exact=True).click()
    for stage in STAGES:
        row = page.locator(f".bridge li[data-stage={stage}]")
        expect(row.locator(".count")).to_have_text("1 account", timeout=PATIENCE)
    for stage in STAGES[:2]:
        reasons = page.locator(f".bridge li[data-stage={stage}] .handover")
        expect(reasons).to_contain_text("handed over:")
    expect(page.get_by_text("nobody is in it now")).to_be_visible(timeout=PATIENCE)
    sheet = httpx.get(f"{market.rest}/waterfall.csv", params={"limit": "1000"}).text
    steps = list(csv.DictReader(io.StringIO(sheet)))
    names = ("command", "step", "stage")
    pairs = zip(steps, told(market), strict=False)
    assert all(row[name] == str(step[name] or "") for row, step in pairs for name in names)
    assert len(steps) > len(STAGES)
    assert {*adds_up(page, market, time.monotonic() + CRASH_SECONDS)} == {*STAGES}


def read_receipt(page: Page, folder: Path) -> None:
    """Each kind is verified by the page; one that says a USDC more is refused."""
    page.get_by_role("link", name="Receipts", exact=True).first.click()
    for kind in ("taken over by a provider", "opposites closed", "lenders paid out of a default"):
        row = page.locator("tbody tr[data-row]", has_text=kind).first
        row.get_by_role("link").click()
        expect(page.get_by_text("verified in this page")).to_be_visible()
        expect(page.get_by_text("on both sides").first).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    receipt: Any = json.loads(saved.value.path().read_text())
    match = receipt["matches"][0]
    match["value"] = str(int(match["value"]) + 10**6)
    seals: tuple[Callable[[Any], Any], ...] = (dict, resealed)
    for number, seal in enumerate(seals):
        file = folder / f"tampered-{number}.jsonl"
        file.write_text(json.dumps(seal(receipt)) + "\n")
        page.locator("input[type=file]").set_input_files(file)
        expect(page.get_by_text("refused: it is not what the market settled")).to_be_visible()
        expect(page.get_by_text("verified in this page")).to_have_count(0)


def every_entry_has_its_reason(page: Page, market: Service) -> None:
    """What the waterfall did stands in the history with why, and with the receipt of just that."""
    answer = signed(
        kept_key(page)["secret"], market, "/solvent/v1/receipts", "receiptsQuery", limit="200"
    )
    names = {
        f"{kind}-{receipt[kind]}"
        for receipt in map(json.loads, answer.text.splitlines())
        for kind in ("fill", "swap", "booking", "round")
        if kind in receipt
    }
    linked = set()
    for tab in ("loans", "fills", "settlements"):
        page.goto(f"/account/history/{tab}")
        table = page.get_by_role("table", name=tab.capitalize())
        expect(table.locator("a[href^='/receipts/']").first).to_be_visible()
        for row in table.locator("tbody tr").all():
            said = row.locator("td.text span[title]").last
            word = (said.get_attribute("title") or "").partition(".")[0]
            if not any(each in word for each in ("Liquidat", "Adl", "Backstop", "Reconcil")):
                continue
            links = said.locator("a").all()
            places = [each.get_attribute("href") or "" for each in links]
            assert places, (tab, row.inner_text())
            linked |= {each.removeprefix("/receipts/") for each in places if "receipts/" in each}
            assert places == ["/waterfall"] or all("receipts/" in each for each in places), places
    assert linked
    assert linked <= names
    page.locator("a[href^='/receipts/']").first.click()
    expect(page.get_by_text("verified in this page")).to_be_visible()


def who_paid_whom(page: Page, market: Service) -> None:
    """One of a stranger's ten questions: three clicks, and the answer is that of the API."""
    answer = signed(
        kept_key(page)["secret"], market, "/solvent/v1/receipts", "receiptsQuery", limit="200"
    )
    receipts = [json.loads(line) for line in answer.text.splitlines()]
    receipt = next(each for each in receipts if each.get("case") == "BORROWER_DEFAULT")
    page.goto("/")
    stranger = Stranger(page)
    stranger.link("Waterfall")
    stranger.link("Receipts")
    row = page.locator(f"tr[data-row='round-{receipt['round']}']")
    stranger.click(row.get_by_role("link"))
    articles = page.locator("article")
    expect(articles).to_have_count(len(receipt["matches"]))
    for match, article in zip(receipt["matches"], articles.all(), strict=True):
        expect(article).to_contain_text(f"account {match['payer']} is rid of")
        expect(article).to_contain_text(f"account {match['lender']} is paid")
        for leg in match["legs"]:
            expect(article).to_contain_text(f"account {leg['giver']} → {leg['receiver']}")
        paid = Decimal(match["value"]).scaleb(-6).normalize()
        expect(article).to_contain_text(f"{paid:,f}")


@pytest.mark.slow
def test_a_newcomers_whole_story(newcomer: Page, market: Service, folder: Path) -> None:
    pace(market, folder, "1")
    go_short(newcomer)
    positions = said_to(newcomer, market, "/api/v1/borrowLend/positions", "borrowLendPositionQuery")
    (debt,) = (each for each in positions if each["symbol"] == "SOL")
    assert 290 < Decimal(debt["estLiquidationPrice"]) < 310
    pace(market, folder, "600")
    see_it_through(newcomer, market)
    read_receipt(newcomer, folder)
    every_entry_has_its_reason(newcomer, market)
    who_paid_whom(newcomer, market)
