"""`solvent truncate`: it asks twice, and keeps what it cuts."""

import shutil
import subprocess
from pathlib import Path

import pytest

from solvent.journal.durable import Journal, verify
from tests.cli.helpers import command, files

RECORDS = [bytes([number]) * 50 for number in range(9)]


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """A market's folder whose journal is damaged at record 4."""
    journal = Journal.create(tmp_path / "market" / "journal", b"head")
    ends = []
    for record in RECORDS:
        ends.append(journal._chain.end)
        journal.append([record])
    journal.close()
    path = tmp_path / "market" / "journal" / "segment-000001"
    content = bytearray(path.read_bytes())
    content[ends[4] + 80] ^= 1
    path.write_bytes(content)
    return tmp_path / "market"


def truncated(market: Path, at: int, *answers: str) -> "subprocess.CompletedProcess[str]":
    """Run it with these answers."""
    return subprocess.run(
        command("truncate", market, "--at", str(at)),
        input="".join(f"{answer}\n" for answer in answers),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("answers", [(), ("4",), ("5", "market"), ("4", "other"), ("y", "y")])
def test_nothing_is_cut_without_both_answers(market: Path, answers: tuple[str, ...]) -> None:
    before = files(market)
    done = truncated(market, 4, *answers)
    assert done.returncode == 2
    assert "nothing was changed" in done.stderr
    assert files(market) == before


def test_what_is_cut_is_kept(market: Path) -> None:
    """S22."""
    before = files(market / "journal")
    assert truncated(market, 3, "3", "market").returncode == 2
    done = truncated(market, 4, "4", "market")
    assert done.returncode == 0, done.stderr
    assert verify(market / "journal").records == 4
    (kept,) = market.glob("journal-cut-at-4-*")
    assert files(kept) == before
    shutil.rmtree(market / "journal")
    assert truncated(market, 4, "4", "market").returncode == 2
