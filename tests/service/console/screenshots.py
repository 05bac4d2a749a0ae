"""Takes the pictures of the console that docs/how-to/use-the-console.md shows.

`python -m tests.service.console.screenshots` serves a demo, plays a newcomer and a risk admin, and
writes docs/img/console/PAGE-WIDTH.png. It needs Chromium and what builds the console.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.service.clients.served import Service, serving
from tests.service.console.built import ROOT, browser, built
from tests.service.console.test_newcomer import come_in, lend

PICTURES = ROOT / "docs" / "img" / "console"
SIZES = {380: 780, 1440: 900, 2560: 1200}
PAGES = {
    "markets": "/markets/SOL",
    "trade": "/trade/SOL_USDC",
    "account": "/account/borrow/SOL",
    "waterfall": "/waterfall",
    "replay": "/replay",
    "risk": "/risk",
}
SETTLE_MS = 1500
PATIENCE = 60_000
CRASH = ("--replay", "crash-2025-10-10", "--speed", "600", "--accounts", "300")


def main() -> int:
    """Take all pictures."""
    built()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, serving(Path(name), *CRASH) as service:
        _shoot(service, Path(name))
    return 0


def _shoot(service: Service, folder: Path) -> None:
    with browser() as chromium:
        context = chromium.new_context(base_url=service.rest, color_scheme="dark")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        come_in(page)
        lend(page, "60000")
        page.goto("/waterfall")
        expect(page.locator(".steps li").nth(30)).to_be_visible(timeout=PATIENCE)
        for name, path in PAGES.items():
            if name == "risk":
                page.goto("/key")
                staff = folder / "market" / "demo-staff.json"
                page.locator("input[type=file]").set_input_files(staff)
                page.get_by_role("button", name="risk-admin", exact=True).click()
                expect(page.get_by_title("Whose key signs")).to_have_text("risk-admin")
            _open(page, name, path)
            _settled(page)
            for width, height in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(SETTLE_MS)
                page.screenshot(path=PICTURES / f"{name}-{width}.png")


def _open(page: Page, name: str, path: str) -> None:
    """By a link for the risk desk, whose key is forgotten with the page."""
    if name == "risk":
        page.get_by_role("link", name="Risk", exact=True).click()
        expect(page.locator("svg.map").first).to_be_visible(timeout=PATIENCE)
    else:
        page.goto(path)


def _settled(page: Page) -> None:
    expect(page.locator(".loading")).to_have_count(0, timeout=PATIENCE)
    if page.locator("input[name=amount]").count():
        page.locator("input[name=amount]").fill("100")


if __name__ == "__main__":
    sys.exit(main())
