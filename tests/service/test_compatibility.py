"""COMPATIBILITY.md is complete and fresh, and the tests that it names are there."""

import re
from pathlib import Path

from tests.compatibility import MANNERS, PAGE, PROVED, ROOT, STREAMS, page, sections, unlisted


def test_page_is_fresh() -> None:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "no page"
    assert text == page(), "stale: run `python -m tests.compatibility`"


def test_nothing_is_served_that_the_page_leaves_out() -> None:
    assert unlisted() == []


def test_what_lacks_is_said() -> None:
    rows = [row for group in sections().values() for row in group]
    assert [row.name for row in rows if (row.served == "full") == bool(row.deviations)] == []


def test_how_an_endpoint_differs_has_a_test_of_its_own() -> None:
    """An example that is answered as published proves no difference."""
    rows = [row for group in sections().values() for row in group]
    assert {row.name for row in rows if row.deviations and row.test} == PROVED.keys()


def test_named_tests_are_there() -> None:
    tests = {row.test for group in sections().values() for row in group if row.test}
    tests |= {test for _, _, test in (*STREAMS, *MANNERS)}
    for test in sorted(tests):
        path, _, name = test.partition("::")
        source = Path(ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^def {re.escape(name.partition('[')[0])}\(", source, re.MULTILINE), test
