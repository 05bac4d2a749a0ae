"""Every refusal: its code by precedence, its limit and largest amount, and nothing changed."""

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from solvent.domain.rejections import Limit, RejectionCode
from tests.proof import proves
from tests.tables.rows import MAKERS
from tests.tables.story import Story

TABLE = Path(__file__).with_name("rejections.txt")
STORIES_OF_THEIR_OWN = {
    Limit.ATOM_VALUE,
    Limit.INSOLVENCY_GATE,
    Limit.MAX_UTILIZATION,
    Limit.UNCERTAIN_LOSS,
}


class Row(NamedTuple):
    """One row and the world it is tried on."""

    world: int
    text: str

    @property
    def word(self) -> str:
        """The command."""
        return self.text.split()[0]

    @property
    def ladder(self) -> tuple[int, str, str]:
        """Rows of one world, command and account are steps of one ladder."""
        word, who, *_ = self.text.split()
        return self.world, word, who

    @property
    def code(self) -> RejectionCode:
        """The expected code."""
        return RejectionCode[self.text.partition("|")[2].split()[0]]

    @property
    def limit(self) -> Limit:
        """The expected limit."""
        return Limit[(self.text.partition("|")[2].split()[1:] or ["NONE"])[0]]


def read_table(text: str) -> tuple[list[str], list[Row]]:
    """The worlds and the rows of the table."""
    worlds: list[str] = []
    rows: list[Row] = []
    given = False
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or line.startswith("#"):
            continue
        if line in ("given", "refused"):
            given = line == "given"
            if given:
                worlds.append("")
        elif given:
            worlds[-1] += f"{line}\n"
        else:
            rows.append(Row(len(worlds) - 1, " ".join(stripped.split())))
    return worlds, rows


WORLDS, ROWS = read_table(TABLE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def worlds() -> list[tuple[Story, bytes]]:
    """Each world and its snapshot."""
    stories = [Story().run(text) for text in WORLDS]
    return [(story, story.engine.snapshot()) for story in stories]


@proves("I37", "I12")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.text)
def test_refused(row: Row, worlds: list[tuple[Story, bytes]]) -> None:
    story, snapshot = worlds[row.world]
    story.started = Story.engines.restore(snapshot)
    before = story.engine.state_hash()
    story.tell(row.text)
    assert story.engine.state_hash() == before


def test_every_code_and_limit_is_in_the_table() -> None:
    assert {row.code for row in ROWS} == set(RejectionCode)
    limits = {row.limit for row in ROWS}
    assert limits == set(Limit) - STORIES_OF_THEIR_OWN


def test_every_command_is_in_the_table() -> None:
    assert {row.word for row in ROWS} | {"open", "resume"} == set(MAKERS) | {"step"}


def test_ladders_stand_in_order_of_precedence() -> None:
    for one, two in pairwise(ROWS):
        if one.ladder == two.ladder:
            assert one.code <= two.code, (one.text, two.text)
