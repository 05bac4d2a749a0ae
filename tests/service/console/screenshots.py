"""Takes the pictures of the console that docs/how-to/use-the-console.md shows.

`python -m tests.service.console.screenshots` serves a crash and a cluster, plays a newcomer, a risk
admin and whoever kills a leader, and writes docs/img/console/PAGE-WIDTH.webp: every page, three
widths. It needs Chromium and what builds the console.
"""

import base64
import json
import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.cluster.trials import running, url_of
from tests.receipts.kinds import of_every_kind
from tests.service.clients.served import Service, serving
from tests.service.console.built import PATIENCE, ROOT, browser, built
from tests.service.console.test_hand_over import kill_leader, leader_of
from tests.service.console.test_newcomer import come_in, lend
from tests.service.console.test_risk_desk import act_as

PICTURES = ROOT / "docs" / "img" / "console"
SIZES = {380: 780, 1440: 900, 2560: 1200}
OWN = {
    "key": "/key",
    "settings": "/settings",
    "markets": "/markets/SOL",
    "trade": "/trade/SOL_USDC",
    "account": "/account/borrow/SOL",
    "waterfall": "/waterfall",
    "receipts": "/receipts",
    "replay": "/replay",
    "ask": "/ask?path=/solvent/v1/solvency",
}
"""Pages as a newcomer sees them, in a crash that is replayed."""
DESK = {
    "risk": "/risk",
    "risk-accounts": "/risk/accounts",
    "risk-oracle": "/risk/oracle",
    "risk-changes": "/risk/changes",
    "risk-audit": "/risk/audit",
}
"""The risk desk's, with a change that waits for another person."""
CLUSTER = "cluster"
"""The nodes, after the death of the one that led."""
QUALITY = 82
SETTLE_MS = 1500
STEPS = 30
"""Steps of the waterfall that a crash must have come to."""
CRASH = ("--replay", "crash-2025-10-10", "--speed", "600", "--accounts", "300", "--approvals", "2")


def names() -> set[str]:
    """All pictures."""
    return {f"{name}-{width}.webp" for name in (*OWN, *DESK, CLUSTER) for width in SIZES}


def take_all(folder: Path) -> None:
    """Take all pictures, into a folder."""
    built()
    with browser() as chromium, tempfile.TemporaryDirectory() as name:
        place = Path(name)
        with serving(place, *CRASH) as service:
            _shoot_crash(chromium, service, place, folder)
        (place / "trial").mkdir()
        with running(place / "trial") as (trial, port):
            _shoot_cluster(chromium, trial, port, folder)


def _shoot_crash(chromium: Browser, service: Service, place: Path, folder: Path) -> None:
    page = _page(chromium, service.rest)
    come_in(page)
    lend(page, "60000")
    page.goto("/waterfall")
    expect(page.locator(".steps li").nth(STEPS)).to_be_visible()
    for name, path in OWN.items():
        page.goto(path)
        if name == "ask":
            page.get_by_role("button", name="Send").click()
            expect(page.locator("pre.told")).to_be_visible()
        if name == "receipts":
            file = place / "receipts.jsonl"
            file.write_text(json.dumps(of_every_kind()["round"][0]) + "\n")
            page.locator("input[type=file]").set_input_files(file)
            expect(page.get_by_text("verified in this page")).to_be_visible()
        _shoot(page, folder, name)
    act_as(page, place, "risk-admin")
    page.goto("/risk/changes")
    page.get_by_label("New value").fill("0.85")
    page.get_by_role("button", name="Propose").click()
    expect(page.locator("[data-proposal]").first).to_contain_text("In the waterfall at once")
    for name, path in DESK.items():
        page.goto(path)
        if name == "risk":
            expect(page.locator("svg.map").first).to_be_visible()
        _shoot(page, folder, name)
    page.context.close()


def _shoot_cluster(chromium: Browser, trial: Path, port: int, folder: Path) -> None:
    page = _page(chromium, url_of(port + leader_of(port)))
    page.goto("/cluster")
    expect(page.get_by_text(re.compile(r"node \d leads")).first).to_be_visible()
    kill_leader(trial, port)
    expect(page.get_by_text("Leadership changed")).to_be_visible()
    _shoot(page, folder, CLUSTER)
    page.context.close()


def _page(chromium: Browser, address: str) -> Page:
    context = chromium.new_context(base_url=address, color_scheme="dark")
    context.set_default_timeout(PATIENCE)
    return context.new_page()


def _shoot(page: Page, folder: Path, name: str) -> None:
    """One page in all widths, each once nothing of it is still on the way."""
    expect(page.locator("main")).not_to_be_empty()
    expect(page.locator(".loading")).to_have_count(0)
    if page.locator("input[name=amount]").count():
        page.locator("input[name=amount]").fill("100")
    devtools = page.context.new_cdp_session(page)
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(SETTLE_MS)
        form = {"format": "webp", "quality": QUALITY}
        said = devtools.send("Page.captureScreenshot", form)
        (folder / f"{name}-{width}.webp").write_bytes(base64.b64decode(said["data"]))


if __name__ == "__main__":
    expect.set_options(timeout=PATIENCE)
    PICTURES.mkdir(parents=True, exist_ok=True)
    take_all(PICTURES)
    sys.exit(0)
