"""The console as it is built, and a browser that looks at it; without either the tests are skipped.

One build serves all processes of a test run: the first one builds, the others wait for it.
"""

import fcntl
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[3]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Chromium asks nothing of any other machine."""

PATIENCE = 60_000
"""Milliseconds until what a test expects counts as missing: the machine has other tests to run."""


def builder() -> ModuleType:
    """The module that builds the console, which is no part of any package."""
    name = "solvent_console_build"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "console" / "build.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def built() -> Path:
    """The folder of the built files. Skips the test where npm cannot reach its registry."""
    console = builder()
    if not console.is_built():
        lock = ROOT / ".console.lock"
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            if not console.is_built():
                try:
                    console.build()
                except console.OutOfReachError as error:
                    pytest.skip(f"the console is not built: {error}")
    folder: Path = console.BUILT
    return folder


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium, without a window. Skips the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no browser: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=list(FLAGS))


def installed(folder: Path) -> Path:
    """All packages of the console, those for its checks too, installed in a folder.

    Skips the test where npm cannot reach its registry.
    """
    console = builder()
    copy = folder / "console"
    shutil.copytree(ROOT / "console", copy, ignore=shutil.ignore_patterns("node_modules"))
    try:
        console.npm(copy, "ci", "--ignore-scripts")
    except console.OutOfReachError as error:
        pytest.skip(str(error))
    return copy
