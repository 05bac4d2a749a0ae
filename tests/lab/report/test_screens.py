"""The report in a browser: on a narrow screen it does not go sideways, on paper nothing is cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from solvent.engine.engine import FastEngine
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from tests.service.console.built import browser

pytestmark = pytest.mark.slow

UPRIGHT, LYING = 718, 1046
"""What A4 less a centimetre a side leaves, in pixels of CSS."""
WIDER = """lying => [...document.querySelectorAll('.card')]
    .filter(card => card.matches('.lying') === lying && card.scrollWidth > card.clientWidth + 1)
    .map(card => card.querySelector('caption')?.textContent)"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for the module."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report with every table."""
    out = tmp_path_factory.mktemp("report") / "run"
    run(load_scenario("short-squeeze"), accounts=40, out=out, engine_factory=FastEngine)
    return Path(out / "report.html").as_uri()


def test_a_narrow_screen_does_not_go_sideways(chromium: Browser, report: str) -> None:
    """Tables scroll in their cards, and their captions can be read without."""
    page = chromium.new_page(viewport={"width": 380, "height": 800})
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") == 380
    ends = page.evaluate(
        """[...document.querySelectorAll('caption')].filter(each => each.checkVisibility())
        .map(each => { const range = document.createRange(); range.selectNodeContents(each);
        return range.getBoundingClientRect().right })"""
    )
    assert len(ends) > 10
    assert max(ends) <= 380
    page.close()


@pytest.mark.parametrize(("width", "lying"), [(UPRIGHT, False), (LYING, True)])
def test_nothing_is_cut_on_paper(
    chromium: Browser, report: str, width: int, *, lying: bool
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 1000})
    page.emulate_media(media="print")
    page.goto(report)
    assert page.evaluate(WIDER, lying) == []
    assert page.locator(".lying").count() == 1
    page.close()
