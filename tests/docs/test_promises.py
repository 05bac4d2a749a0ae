"""Every promise of a cluster names a test, and every test of one is behind a promise."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "run-a-cluster.md"
LINK = re.compile(r"\[(test_\w+\.py)\]\(([^)]+)\)")
ABOUT_THE_TESTS = {"test_settings.py", "test_simulation.py"}
"""Tests of cluster files and of the simulator that no promise rests on alone."""


def promises() -> list[tuple[str, list[Path]]]:
    """What is promised, and the files of its tests."""
    section = PAGE.read_text().partition("## What is promised")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [
        (row[0].strip(), [(PAGE.parent / path).resolve() for _, path in LINK.findall(row[-1])])
        for row in rows[2:]
    ]


def test_every_promise_names_tests_that_there_are() -> None:
    found = promises()
    assert len(found) > 15
    for promise, files in found:
        assert files, promise
        for file in files:
            assert re.search(r"^ *def test_", file.read_text(), re.MULTILINE), (promise, file)


def test_every_test_of_a_cluster_is_behind_a_promise() -> None:
    named = {file for _, files in promises() for file in files}
    there = set((ROOT / "tests" / "cluster").rglob("test_*.py"))
    assert {file.name for file in there - named} <= ABOUT_THE_TESTS
