"""Requests that only read are tried in the page, and /docs leads there."""

import json

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.service.clients.served import Service
from tests.service.console.test_access import found


def test_a_request_is_tried_from_the_documentation(page: Page, demo: Service) -> None:
    page.goto("/docs")
    expect(page.get_by_role("heading", name="GET /solvent/v1/pools")).to_be_visible()
    page.get_by_role("heading", name="GET /solvent/v1/pools").get_by_role("link").click()
    page.get_by_role("button", name="Send").click()
    told = page.locator("pre.told")
    expect(told).to_be_visible()
    said = json.loads(told.inner_text())
    pools = httpx.get(f"{demo.rest}/solvent/v1/pools").json()
    assert [each["curve"] for each in said] == [each["curve"] for each in pools]


@pytest.mark.slow
def test_an_answer_can_be_read_by_everybody(page: Page, axe: str) -> None:
    page.goto("/ask?path=/solvent/v1/pools")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("pre.told")).to_be_visible()
    assert found(page, axe) == []


def test_a_signed_one_takes_a_key(page: Page) -> None:
    page.goto("/ask?path=/solvent/v1/limits")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.get_by_role("button", name="Make a demo key and use it").click()
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    page.locator("input[name=symbol]").fill("SOL")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("pre.told")).to_contain_text("utilizationBound")
    page.locator("input[name=symbol]").fill("NONE")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("pre.told")).to_contain_text("INVALID_ASSET")


@pytest.mark.slow
def test_the_documentation_can_be_used_by_everybody(page: Page, axe: str) -> None:
    page.goto("/docs")
    for width in (380, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert found(page, axe) == []
