"""The specification and the code name each other: cited sections exist, ids are all there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.requirements import TITLES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "specification.md"
REFERENCE = ROOT / "src" / "solvent" / "reference"
CITATION = re.compile(r"^Specification: sections? (.*)\.$", re.M)
PLANNED = "> **Planned.**"


def sections_of(page: str) -> dict[str, str]:
    """The text under each numbered heading, subsections apart, by number."""
    parts = re.split(r"^##+ (\d+(?:\.\d+)?)\.? .*$", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def cited_in(source: str) -> list[str]:
    """Numbers of the sections that a module's docstring cites."""
    found = CITATION.findall(ast.get_docstring(ast.parse(source)) or "")
    return [number for each in found for number in each.split(", ")]


def modules() -> Iterator[Path]:
    return (path for path in sorted((ROOT / "src").rglob("*.py")))


def test_every_cited_section_exists() -> None:
    known = sections_of(PAGE.read_text(encoding="utf-8"))
    cited = {
        (path.relative_to(ROOT).as_posix(), number)
        for path in modules()
        for number in cited_in(path.read_text(encoding="utf-8"))
    }
    assert cited
    assert [each for each in sorted(cited) if each[1] not in known] == []


def test_every_module_of_the_reference_cites_its_section() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in sorted(REFERENCE.rglob("*.py"))
        if path.name != "__init__.py" and not cited_in(path.read_text(encoding="utf-8"))
    ]
    assert silent == []


def test_every_requirement_has_its_row() -> None:
    rows = re.findall(r"^\| (A\d+) \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert rows == [key for key in TITLES if key.startswith("A")]


def unmarked(page: str) -> list[str]:
    """Sections that the table of differences names and that mark nothing as planned."""
    table = page.partition("| subject |")[2].partition("\n\n")[0]
    named = re.findall(r"\| (\d+(?:\.\d+)?) \|$", table, re.M)
    sections = sections_of(page)
    return [number for number in named if PLANNED not in sections.get(number, "")]


def test_every_difference_is_marked_in_its_section() -> None:
    assert unmarked(PAGE.read_text(encoding="utf-8")) == []


# The checks can fail.


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("What it is.\n\nSpecification: section 8.5.", ["8.5"]),
        ("What it is.\n\nSpecification: sections 7.3, 10.", ["7.3", "10"]),
        ("What it is. See section 3.", []),
    ],
)
def test_citations_are_seen(docstring: str, expected: list[str]) -> None:
    assert cited_in(f'"""{docstring}"""') == expected


def test_sections_are_seen_and_a_difference_without_its_mark_is_found() -> None:
    page = (
        "| subject | section |\n|---|---|\n| a | 1 |\n| b | 2.1 |\n\n"
        "## 1. One\n\n> **Planned.** More.\n\n## 2. Two\n\n### 2.1 Part\n\nText.\n"
    )
    assert list(sections_of(page)) == ["1", "2", "2.1"]
    assert unmarked(page) == ["2.1"]
