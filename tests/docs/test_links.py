"""Links between the repository's own pages lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^( *)```.*?^\1```|`[^`\n]*`", re.S | re.M)


def broken(page: Path) -> Iterator[str]:
    """Relative links of a page whose file, or whose heading, is not there."""
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            yield target


def anchors(page: Path) -> set[str]:
    """What a page's headings are called in links."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    assert list(broken(ROOT / name)) == []


def misnamed(text: str) -> Iterator[str]:
    """Labels that are paths of modules but not of the module that the link leads to."""
    for label, target in re.findall(r"\[([\w/]+\.py)\]\(([^)\s]+\.py)\)", text):
        if not target.endswith(label):
            yield label


@pytest.mark.parametrize("name", [name for name in PAGES if "decisions" not in name])
def test_labels_name_the_module_they_lead_to(name: str) -> None:
    assert list(misnamed((ROOT / name).read_text(encoding="utf-8"))) == []


def test_a_label_of_another_module_is_found() -> None:
    text = "[a/b.py](../src/a/b.py) [b.py](src/a/b.py) [a/c.py](src/a/b.py)"
    assert list(misnamed(text)) == ["a/c.py"]


def unproved(page: Path) -> Iterator[str]:
    """Tests that a page names and that are not in the file that it links."""
    text = page.read_text(encoding="utf-8")
    for test, target in re.findall(r"\[`(test_\w+)`\]\(([^)\s]+\.py)\)", text):
        if f"def {test}(" not in (page.parent / target).read_text(encoding="utf-8"):
            yield test


@pytest.mark.parametrize("name", PAGES)
def test_named_tests_are_where_a_page_says(name: str) -> None:
    assert list(unproved(ROOT / name)) == []


def test_each_sentence_of_the_article_names_a_test() -> None:
    text = (ROOT / "docs/concepts/whose-choice.md").read_text(encoding="utf-8")
    rows = re.search(r"\| the article says.*?\n\n", text, re.S)
    assert rows is not None
    sentences = rows[0].strip().splitlines()[2:]
    assert len(sentences) >= 5
    assert all("[`test_" in row for row in sentences)


def test_a_test_that_is_not_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "proof.py").write_text("def test_one() -> None: ...\n")
    page = tmp_path / "page.md"
    page.write_text("[`test_one`](proof.py) [`test_other`](proof.py)")
    assert list(unproved(page)) == ["test_other"]


def test_every_picture_is_shown_somewhere() -> None:
    shown = {
        (ROOT / name).parent.joinpath(target).resolve()
        for name in PAGES
        for target in LINK.findall((ROOT / name).read_text(encoding="utf-8"))
        if target.endswith(".svg")
    }
    assert shown == {path.resolve() for path in ROOT.glob("docs/**/*.svg")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](there.md) [b](#a-title) [c](there.md#a-title) [d](https://x/y)\n# A title", []),
        ("[a](gone.md)", ["gone.md"]),
        ("![a](gone.svg)", ["gone.svg"]),
        ("[a](there.md#gone)", ["there.md#gone"]),
        ("`[a](gone.md)`\n```text\n[b](gone.md)\n```", []),
    ],
)
def test_broken_links_are_found(text: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A title\n", encoding="utf-8")
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert list(broken(tmp_path / "page.md")) == expected
