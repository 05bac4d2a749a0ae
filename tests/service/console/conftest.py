"""A demo that is served, a browser, and pages of it that fail when anything in them fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.clients.served import Service, serving
from tests.service.console.built import PATIENCE, browser, built, installed

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One a module: while there is one, no other loop can run in this thread."""
    built()
    with browser() as found:
        yield found


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo is."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def demo(demo_folder: Path) -> Iterator[Service]:
    """The market of `solvent up --demo` with the console; two people stand behind a parameter.

    All tests share it: each has an account of its own, and what it changes of the market it changes
    where no other looks.
    """
    built()
    with serving(demo_folder, "--demo", "--accounts", "60", "--approvals", "2") as service:
        yield service


@pytest.fixture
def staff(demo: Service, demo_folder: Path) -> Path:
    """The keys of the demo's staff."""
    assert demo
    return demo_folder / "market" / "demo-staff.json"


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console's sources with all packages, those for its checks too."""
    return installed(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def axe(packages: Path) -> str:
    """The script that finds what people with other senses or hands cannot use."""
    return (packages / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def page(chromium: Browser, demo: Service) -> Iterator[Page]:
    """A page in a browser that knows nothing; what goes wrong in it fails the test."""
    context = chromium.new_context(base_url=demo.rest, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert [each for each in wrong if "Failed to load resource" not in each] == []
