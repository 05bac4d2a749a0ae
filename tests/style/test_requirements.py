"""The table of requirements is complete and fresh, and its generator sees what it should."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.conftest import pytest_collection_modifyitems
from tests.proof import proves
from tests.requirements import PAGE, TITLES, Proof, all_proofs, page_of, proofs_in

MAX_TITLE_WORDS = 12


def test_every_id_has_a_short_title() -> None:
    ids = [f"A{number}" for number in range(1, 15)] + [f"I{number}" for number in range(1, 38)]
    assert list(TITLES) == ids
    assert [title for title in TITLES.values() if len(title.split()) > MAX_TITLE_WORDS] == []


def test_page_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "no page"
    assert page == page_of(all_proofs()), "stale: run `python -m tests.requirements`"


def test_every_id_is_proved() -> None:
    proved = {proof.key for proof in all_proofs()}
    missing = [key for key in TITLES if key not in proved]
    assert not missing, f"no test says that it proves: {' '.join(missing)}"


def test_generator_sees_every_mark_that_pytest_sees(request: pytest.FixtureRequest) -> None:
    seen_by_pytest = {
        Proof(key, item.nodeid.partition("[")[0])
        for item in request.session.items
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
    page = page_of({Proof("A1", "tests/a/test_b.py::test_c")})
    assert "| [tests/a/test_b.py::test_c](../tests/a/test_b.py) |" in page
    assert page.count("|  |\n") == len(TITLES) - 1


@pytest.mark.parametrize("ids", [(), ("A15",), ("A1", "I38"), ("a1",)])
def test_proves_refuses_unknown_ids(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"proves\(\) takes ids"):
        proves(*ids)


@pytest.mark.parametrize(("key", "known"), [("A1", True), ("A15", False)])
def test_collection_refuses_unknown_ids(key: str, known: bool) -> None:
    mark = pytest.mark.proves(key).mark
    item = cast(Any, SimpleNamespace(nodeid="t.py::test_x", iter_markers=lambda _name: [mark]))
    if known:
        pytest_collection_modifyitems([item])
    else:
        with pytest.raises(pytest.UsageError, match="A15"):
            pytest_collection_modifyitems([item])
