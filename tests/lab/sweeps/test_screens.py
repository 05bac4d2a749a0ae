"""The report of a sweep in a browser: narrow, on paper, its charts, and its worst paths again."""

import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from solvent.lab.sweeps.page import REPORT
from solvent.lab.sweeps.summary import worst
from solvent.lab.sweeps.sweeping import read_rows
from tests.cli.helpers import command
from tests.lab.report.test_screens import LYING, UPRIGHT, WIDER
from tests.lab.sweeps.helpers import falling, swept
from tests.service.console.built import browser

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for the module."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sweep on some of whose paths lenders lose."""
    home = tmp_path_factory.mktemp("screens")
    done = swept(falling(home / "own"), home / "out", "--workers", "1")
    assert done.returncode == 0, done.stderr
    return home / "out"


def test_a_narrow_screen_does_not_go_sideways(chromium: Browser, folder: Path) -> None:
    page = chromium.new_page(viewport={"width": 380, "height": 800})
    page.goto((folder / REPORT).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 380
    assert page.locator("figure svg[role=img]").count() == 4
    page.close()


@pytest.mark.parametrize(("width", "lying"), [(UPRIGHT, False), (LYING, True)])
def test_nothing_is_cut_on_paper(
    chromium: Browser, folder: Path, width: int, *, lying: bool
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 1000})
    page.emulate_media(media="print")
    page.goto((folder / REPORT).as_uri())
    assert page.evaluate(WIDER, lying) == []
    page.close()


def test_charts_have_a_crosshair_and_zoom(chromium: Browser, folder: Path) -> None:
    page = chromium.new_page(viewport={"width": 1100, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((folder / REPORT).as_uri())
    assert page.locator(".moment").inner_text() == "100 % of paths"
    chart = page.locator("figure[data-chart=deficit] svg[role=img]")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    middle = page.locator(".moment").inner_text()
    assert 40 <= int(middle.split()[0]) <= 60
    assert "0" in page.locator("figure[data-chart=deficit] .legend output").first.inner_text()
    before = chart.locator("path.line").first.get_attribute("d")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert page.locator("html.zoomed").count() == 1
    assert chart.locator("path.line").first.get_attribute("d") != before
    page.keyboard.press("Escape")
    assert page.locator("html.zoomed").count() == 0
    assert errors == []
    page.close()


def test_each_of_the_worst_paths_is_run_again_by_its_command(folder: Path) -> None:
    """As the page prints it: the same event hash as the row's."""
    text = (folder / REPORT).read_text(encoding="utf-8")
    losing = worst(read_rows(folder))
    assert len(losing) == 5
    for row in losing:
        (line,) = [
            part.split("</code>")[0]
            for part in text.split("<code>solvent lab run ")[1:]
            if f"--path {row.path} " in part.split("</code>")[0] + " "
            and part.split("</tr>")[0].endswith(f"{row.value('deficit'):,.2f}</td>")
        ]
        words = " ".join(command("lab", "run"))
        script = f'run() {{ {words} "$@"; }}; run {unescape(line)}'
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert f"event_hash  {row.figures['event_hash']}" in done.stdout
