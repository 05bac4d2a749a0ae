"""Receipts in a browser: drawn, verified by the page, and refused where they were changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from solvent.receipts.codec import receipt_document
from tests.receipts.forging import resealed
from tests.receipts.kinds import of_every_kind
from tests.receipts.test_receipts import rounds

Forger = Callable[[dict[str, Any]], Any]
KINDS: dict[str, tuple[int, Forger, str]] = {
    "round": (
        7,
        lambda receipt: _more(receipt["matches"][0], "value"),
        "the value is not the quantity at the mark",
    ),
    "fill": (
        5,
        lambda receipt: _more(receipt, "quantity"),
        "the value is not the quantity at the mark",
    ),
    "booking": (
        5,
        lambda receipt: _more(receipt["pools"][0], "lenders"),
        "the loss is not what was borne",
    ),
    "swap": (
        7,
        lambda receipt: _more(receipt, "premium"),
        "what is paid is not the value less the premium",
    ),
}
"""By kind: how much the page checks, a forgery, and what the page says to it."""


def _more(where: dict[str, Any], name: str) -> None:
    where[name] = str(int(where[name]) + 10**6)


def _shown(page: Page, file: Path, receipt: dict[str, Any]) -> None:
    file.write_text(json.dumps(receipt) + "\n")
    page.goto("/receipts")
    page.locator("input[type=file]").set_input_files(file)


@pytest.mark.parametrize("kind", KINDS)
def test_a_receipt_of_each_kind_is_verified_and_a_forged_one_refused(
    page: Page, tmp_path: Path, kind: str
) -> None:
    """Forged with a digest that fits the forgery."""
    checks, forge, said = KINDS[kind]
    genuine = of_every_kind()[kind][0]
    _shown(page, tmp_path / "receipts.jsonl", genuine)
    expect(page.get_by_text("verified in this page")).to_be_visible()
    expect(page.locator(".checks li.good")).to_have_count(checks)
    expect(page.locator("h2").filter(has_text=f"{kind} {genuine[kind]}")).to_be_visible()
    forged = json.loads(json.dumps(genuine))
    forge(forged)
    _shown(page, tmp_path / "receipts.jsonl", resealed(forged))
    expect(page.get_by_text("refused: it is not what the market settled")).to_be_visible()
    expect(page.get_by_text(said).first).to_be_visible()


def test_a_receipt_is_verified_in_the_page(page: Page, tmp_path: Path) -> None:
    receipt = receipt_document(rounds()[0])
    file = tmp_path / "receipts.jsonl"
    file.write_text(json.dumps(receipt) + "\n")
    page.goto("/receipts")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("verified in this page")).to_be_visible()
    expect(page.locator(".checks li.good")).to_have_count(7)
    expect(page.get_by_text("on both sides").first).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert json.loads(saved.value.path().read_text()) == json.loads(json.dumps(receipt))


def test_a_tampered_receipt_is_refused(page: Page, tmp_path: Path) -> None:
    """Also one whose digest was made to fit again."""
    for seal in (dict, resealed):
        receipt = json.loads(json.dumps(receipt_document(rounds()[0])))
        match = receipt["matches"][0]
        match["value"] = str(int(match["value"]) - 10**6)
        file = tmp_path / "receipts.jsonl"
        file.write_text(json.dumps(seal(receipt)) + "\n")
        page.goto("/receipts")
        page.locator("input[type=file]").set_input_files(file)
        expect(page.get_by_text("refused: it is not what the market settled")).to_be_visible()
        expect(page.get_by_text("the value is not the quantity at the mark").first).to_be_visible()


def test_what_is_no_receipt_is_said(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text("no receipt")
    page.goto("/receipts")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("notes.jsonl holds no receipts")).to_be_visible()
