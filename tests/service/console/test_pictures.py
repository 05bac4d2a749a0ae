"""Pictures of every page at three widths: taken by a test, and none in the docs that is not."""

import re
from pathlib import Path

import pytest

from solvent.service.console.bundle import VIEWS
from tests.service.console.built import ROOT
from tests.service.console.screenshots import PICTURES, names, take_all

SMALLEST, LARGEST = 2_000, 250_000
"""Bytes of a picture: less is an empty page, more is too much of a repository."""


def test_every_page_has_its_pictures_in_the_docs() -> None:
    assert {path.name for path in PICTURES.iterdir()} == names()
    assert {name.rpartition("-")[0].partition("-")[0] for name in names()} == VIEWS - {""}
    sizes = [path.stat().st_size for path in PICTURES.iterdir()]
    assert SMALLEST < min(sizes) <= max(sizes) < LARGEST


def test_the_first_picture_of_the_readme_is_one_of_them() -> None:
    first = re.search(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert first is not None
    assert (ROOT / first[1]).parent == PICTURES
    assert Path(first[1]).name in names()


@pytest.mark.slow
def test_all_of_them_can_be_taken(tmp_path: Path) -> None:
    take_all(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names()
