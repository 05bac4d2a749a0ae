"""The table of requirements is complete and fresh, and its generator sees what it should."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.conftest import refuse_unknown_ids
from tests.proof import proves
from tests.requirements import (
    INVARIANTS,
    PAGE,
    ROOT,
    TITLES,
    Proof,
    all_proofs,
    homes_of,
    invariant_page,
    page_of,
    pages,
    planted_in,
    proofs_in,
    reported_in,
)

MAX_TITLE_WORDS = 12


def planned_invariants() -> list[str]:
    """Those that come with the next version of the rules."""
    text = (INVARIANTS / "planned.md").read_text("utf-8")
    return re.findall(r"^\| (I\d+) \|", text, re.M)


def test_every_id_has_a_short_title() -> None:
    planned = planned_invariants()
    invariants = [f"I{number}" for number in range(1, 47)]
    ids = [f"A{number}" for number in range(1, 15)]
    assert list(TITLES) == ids + [each for each in invariants if each not in planned]
    assert [title for title in TITLES.values() if len(title.split()) > MAX_TITLE_WORDS] == []


def test_pages_are_fresh() -> None:
    written = pages()
    assert PAGE in written
    stale = [
        page.relative_to(ROOT).as_posix()
        for page, text in written.items()
        if not page.exists() or page.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `python -m tests.requirements`"


def test_every_invariant_has_its_page() -> None:
    assert set(homes_of()) == {key for key in TITLES if key.startswith("I")}


def test_planned_invariants_are_not_said_to_be_proved() -> None:
    assert TITLES.keys().isdisjoint(planned_invariants())


def test_every_id_is_proved() -> None:
    proved = {proof.key for proof in all_proofs()}
    missing = [key for key in TITLES if key not in proved]
    assert not missing, f"no test says that it proves: {' '.join(missing)}"


def test_generator_sees_every_mark_that_pytest_sees(request: pytest.FixtureRequest) -> None:
    seen_by_pytest = {
        Proof(key, item.nodeid.partition("[")[0])
        for item in request.session.items
        # What is marked to fail proves nothing, here as there.
        if not any(item.iter_markers("xfail"))
        for marker in item.iter_markers("proves")
        for key in marker.args
    }
    assert seen_by_pytest - all_proofs() == set(), "put the mark where tests/requirements.py looks"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@proves('A1', 'I2')\ndef test_x(): ...",
         {("A1", "t.py::test_x"), ("I2", "t.py::test_x")}),
        ("@pytest.mark.proves('A1')\ndef test_x(): ...", {("A1", "t.py::test_x")}),
        ("@proves('A1')\nclass TestX:\n  def test_y(self): ...", {("A1", "t.py::TestX::test_y")}),
        ("class TestX:\n  @proves('A1')\n  def test_y(self): ...", {("A1", "t.py::TestX::test_y")}),
        ("pytestmark = proves('A1')\ndef test_x(): ...", {("A1", "t.py::test_x")}),
        ("pytestmark = [proves('A1')]\ndef test_x(): ...", {("A1", "t.py::test_x")}),
        ("@parametrize('n', [param(1, marks=proves('A1'))])\ndef test_x(): ...",
         {("A1", "t.py::test_x")}),
        ("@proves('A1')\n@pytest.mark.skip\ndef test_x(): ...", set()),
        ("@proves('A1')\n@pytest.mark.xfail(reason='')\ndef test_x(): ...", set()),
        ("pytestmark = pytest.mark.skip\n@proves('A1')\ndef test_x(): ...", set()),
        ("def test_x(): ...", set()),
    ],
)  # fmt: skip
def test_proofs_of_a_file(source: str, expected: set[tuple[str, str]]) -> None:
    assert proofs_in(source, "t.py") == expected


@pytest.mark.parametrize("source", ["def helper(): ...", "class Helper: ..."])
def test_a_mark_on_what_pytest_does_not_collect_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="does not collect"):
        proofs_in(f"@proves('A1')\n{source}", "t.py")


def test_page_links_each_test_to_its_file() -> None:
    proofs = {Proof("A1", "tests/a/test_b.py::test_c"), Proof("A1", "tests/a/test_b.py::test_d")}
    page = page_of(proofs, {"I1": "accounting.md"})
    assert "- [tests/a/test_b.py](../tests/a/test_b.py): `test_c`, `test_d`\n" in page
    assert "\n| [I1](invariants/accounting.md#i1) | Cash and loans" in page


def test_an_invariants_page_is_written_between_its_marks_only() -> None:
    text = "## I4\n\nWhy.\n\n<!-- proofs -->\nold\n<!-- /proofs -->\n\nThe end.\n"
    page = invariant_page(text, {Proof("I4", "tests/a/test_b.py::test_c")})
    assert page.startswith("## I4\n\nWhy.\n\n<!-- proofs -->\n")
    assert page.endswith("<!-- /proofs -->\n\nThe end.\n")
    assert "- [tests/a/test_b.py](../../tests/a/test_b.py): `test_c`\n" in page
    assert "`lend_shares_round_up`" in page
    assert "old" not in page
    assert invariant_page(page, {Proof("I4", "tests/a/test_b.py::test_c")}) == page


def test_an_invariant_on_two_pages_is_refused(tmp_path: Path) -> None:
    for name in ("one.md", "two.md"):
        (tmp_path / name).write_text("## I4\n<!-- proofs -->\n<!-- /proofs -->\n", "utf-8")
    with pytest.raises(ValueError, match=r"I4 is on one\.md and two\.md"):
        homes_of(tmp_path)


def test_reported_and_planted_ids_are_seen() -> None:
    assert reported_in("yield breach('I4', 'wrong')\nname = 'I5'\nother = 'I99'") == {"I4", "I5"}
    assert reported_in("name = 'I5'") == set()
    planted = "@canary('I4', 'I6', within=5)\ndef bug(patch): ...\n@other('I7')\ndef no(): ..."
    assert planted_in(planted) == {("I4", "bug"), ("I6", "bug")}


@pytest.mark.parametrize("ids", [(), ("A15",), ("A1", "I99"), ("a1",)])
def test_proves_refuses_unknown_ids(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"proves\(\) takes ids"):
        proves(*ids)


@pytest.mark.parametrize(("key", "known"), [("A1", True), ("A15", False)])
def test_collection_refuses_unknown_ids(key: str, known: bool) -> None:
    mark = pytest.mark.proves(key).mark
    item = cast(Any, SimpleNamespace(nodeid="t.py::test_x", iter_markers=lambda _name: [mark]))
    if known:
        refuse_unknown_ids([item])
    else:
        with pytest.raises(pytest.UsageError, match="A15"):
            refuse_unknown_ids([item])
