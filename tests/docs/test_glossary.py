"""The glossary: terms in order, a sentence each, and every term that a page links to is there."""

import re
from pathlib import Path

import pytest

from tests.docs.test_links import CODE, LINK, PAGES, anchors

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"


def terms_of(page: str) -> dict[str, str]:
    """Each term and what is said of it, in the page's order."""
    parts = re.split(r"^## (.*)$", page, flags=re.M)
    return {
        term: " ".join(text.split()) for term, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def faults(page: str) -> list[str]:
    """Terms out of order or twice, and those of which not one sentence is said."""
    names = re.findall(r"^## (.*)$", page, re.M)
    found = [
        term
        for term, right in zip(names, sorted(names, key=str.lower), strict=True)
        if term != right
    ]
    found += [term for term in set(names) if names.count(term) > 1]
    found += [
        term for term, text in terms_of(page).items() if not text.endswith(".") or ". " in text
    ]
    return found


def linked(page: Path) -> set[str]:
    """Anchors of the glossary that a page links to."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    return {
        target.partition("#")[2]
        for target in LINK.findall(text)
        if target.partition("#")[0].endswith("glossary.md") and "#" in target
    }


def test_terms_are_in_order_with_a_sentence_each() -> None:
    assert faults(GLOSSARY.read_text(encoding="utf-8")) == []


def test_every_linked_term_is_there() -> None:
    wanted = set().union(*(linked(ROOT / name) for name in PAGES))
    assert wanted, "no page links to a term"
    assert wanted - anchors(GLOSSARY) == set()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("## a\n\nOne.\n\n## B\n\nTwo.\n", []),
        ("## b\n\nOne.\n\n## a\n\nTwo.\n", ["b", "a"]),
        ("## a\n\nOne.\n\n## a\n\nTwo.\n", ["a"]),
        ("## a\n\nOne. Two.\n", ["a"]),
        ("## a\n", ["a"]),
    ],
)
def test_faults_are_found(page: str, expected: list[str]) -> None:
    assert faults(page) == expected


def test_links_to_terms_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](../glossary.md#claim) [b](glossary.md) [c](other.md#x)", encoding="utf-8")
    assert linked(page) == {"claim"}
