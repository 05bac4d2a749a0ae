"""Measures how soon the console is alive on a fresh clone, and prints a table of it.

    python -m tests.service.console.speed.fresh

Clones what is committed into an empty folder with an empty HOME and sets it up, which is timed
apart: the environment, and the console with Node in one that is deleted afterwards. Then
`./run up --demo` runs twice, first with an empty cache of compiled kernels, and is timed from the
call: until it has printed the console's address, until the page has painted something, and until
the page is alive, which is when it shows every pool and then a trade that came after it was opened.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, expect

from tests.service.clients.served import free_port
from tests.service.console.built import PATIENCE, ROOT, browser

ANNOUNCED = "  console    "
SET_UP_SECONDS = 600
START_SECONDS = 120
CACHES = ("XDG_", "SOLVENT_", "PIP_CACHE", "NPM_CONFIG")
"""What of the environment could lead to something that an earlier start has left."""
POOLS = 4


class Start(NamedTuple):
    """Seconds from `./run up --demo` to each step."""

    announced: float
    painted: float
    alive: float


def main() -> int:
    """Print a line a figure."""
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        place = Path(folder)
        clone, home = place / "solvent", place / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
        environment = {
            **{name: each for name, each in os.environ.items() if not name.startswith(CACHES)},
            "HOME": str(home),
            "TMPDIR": str(place),
        }
        for words, said in (
            (["--help"], "set-up: the environment"),
            (["console"], "set-up: the console"),
        ):
            print(f"| {said} | {_set_up(clone, words, environment):.1f} s |", flush=True)
        for which in ("first", "second"):
            shutil.rmtree(clone / "solvent-market", ignore_errors=True)
            start = _started(chromium, clone, environment)
            for what, seconds in start._asdict().items():
                print(f"| {which} start: {what} | {seconds:.1f} s |", flush=True)
    return 0


def _set_up(clone: Path, words: list[str], environment: Mapping[str, str]) -> float:
    began = time.monotonic()
    subprocess.run(
        [clone / "run", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=SET_UP_SECONDS,
    )
    return time.monotonic() - began


def _started(chromium: Browser, clone: Path, environment: Mapping[str, str]) -> Start:
    """Start the demo, look at its page until that is alive, and end both."""
    began = time.monotonic()
    with _up(clone, environment) as process:
        address = _announced(process)
        announced = time.monotonic() - began
        context = chromium.new_context(base_url=address)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto("/markets")
        expect(page.locator("h1").first).to_be_visible()
        painted = time.monotonic() - began
        expect(page.locator("tr[data-row]")).to_have_count(POOLS)
        page.get_by_role("link", name="Trade", exact=True).click()
        trade = page.locator("[data-trade]").first
        last = int(trade.get_attribute("data-trade") or "")
        page.wait_for_function(
            "last => Number(document.querySelector('[data-trade]').dataset.trade) > last", arg=last
        )
        alive = time.monotonic() - began
        context.close()
    return Start(announced, painted, alive)


@contextmanager
def _up(clone: Path, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    command = [str(clone / "run"), "up", "--demo", "--port", str(free_port())]
    with subprocess.Popen(
        command, cwd=clone, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _announced(process: "subprocess.Popen[str]") -> str:
    """The console's address, as the terminal says it."""
    assert process.stdout is not None
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            if line.startswith(ANNOUNCED):
                return line.removeprefix(ANNOUNCED).strip()
    finally:
        watchdog.cancel()
    raise AssertionError("the console's address was not printed")


if __name__ == "__main__":
    sys.exit(main())
