"""The pages that say how to add something name every file that knows the example they follow."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "how-to"
EXAMPLES = {
    "add-a-command.md": r"\bConvertDust\b",
    "add-an-event.md": r"\bDustConverted\b",
    "add-a-parameter.md": r"\b(book_limit|BOOK_LIMIT)\b",
}
MENTION = re.compile(r"\]\(\.\./\.\./([\w./-]+\.py)\)")


def knowing(example: str, root: Path = ROOT) -> set[str]:
    """Files of the package that name the example."""
    return {
        path.relative_to(root).as_posix()
        for path in (root / "src").rglob("*.py")
        if re.search(example, path.read_text(encoding="utf-8"))
    }


def named(page: str) -> set[str]:
    """Files that a page's tables have a row for."""
    return {
        path for line in page.splitlines() if line[:2] == "| " for path in MENTION.findall(line)
    }


@pytest.mark.parametrize(("name", "example"), EXAMPLES.items())
def test_every_place_of_the_example_has_its_row(name: str, example: str) -> None:
    missing = knowing(example) - named((PAGES / name).read_text(encoding="utf-8"))
    assert missing == set(), f"docs/how-to/{name} has no row for them"


def test_a_row_that_is_missing_is_found(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / f"{name}.py").write_text("BOOK_LIMIT = 1\n", encoding="utf-8")
    (tmp_path / "src" / "other.py").write_text("OVER_BOOK_LIMIT = 1\n", encoding="utf-8")
    page = "| [one](../../src/one.py) | what |\n[two](../../src/two.py)\n"
    found = knowing(EXAMPLES["add-a-parameter.md"], tmp_path)
    assert found - named(page) == {"src/two.py"}
