"""`solvent sim --kill`: the service killed by hand, and what is said and left of it."""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.helpers import command, solvent
from tests.proof import proves

pytestmark = pytest.mark.slow

DAMAGE = b"damaged"


@proves("I36")
def test_kills_are_counted_and_nothing_is_left(tmp_path: Path) -> None:
    done = solvent("sim", "--kill", "4", "--seed", "3", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("4 kills, ")
    assert done.stdout.endswith("\nnothing was lost, doubled or answered otherwise\n")
    rows = {row[:30].strip(): row[30:].strip() for row in done.stdout.splitlines()[1:-2]}
    assert rows["lost"] == rows["doubled"] == "0"
    assert int(rows["requests acknowledged"].replace(",", "")) > 0
    assert len(done.stderr.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_failure_says_how_to_repeat_it_and_where_to_look(tmp_path: Path) -> None:
    """The journal is damaged while the market lives: it does not open again."""
    with subprocess.Popen(
        command("sim", "--kill", "100", "--seed", "3"),
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        while run.poll() is None:
            for segment in tmp_path.glob("*/market-1/journal/segment-*"):
                with suppress(FileNotFoundError), segment.open("r+b") as file:
                    file.write(DAMAGE)
            time.sleep(0.02)
        assert run.stdout is not None
        said = run.stdout.read()
    assert run.returncode == 1
    assert "FAILED after " in said
    assert "  solvent sim --kill 100 --seed 3\n" in said
    (folder,) = tmp_path.iterdir()
    assert said.endswith(f"  the journal and the log are in {folder}\n")
    assert (folder / "market-1" / "log").stat().st_size > 0


@pytest.mark.parametrize("words", [("--kill", "0"), ("--kill", "3", "--compare")])
def test_bad_input_is_one_line(words: tuple[str, ...], tmp_path: Path) -> None:
    done = solvent("sim", *words, TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("solvent: ")
    assert done.stderr.count("\n") == 1
    assert "--kill" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_no_socket_fits_into_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    done = solvent("sim", "--kill", "1", TMPDIR=str(folder))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "set TMPDIR to one of at most" in done.stderr
    assert list(folder.iterdir()) == []


def test_shards_go_on_where_they_were_stopped(tmp_path: Path) -> None:
    """A second time nothing is left to do; a line that was cut short is made again."""
    path = tmp_path / "kills"
    words = ("sim", "--kill", "2", "--runs", "2", "--seed", "5", "--shards", str(path))
    done = solvent(*words, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("4 kills in 2 shards, seeds 5 to 6\n")
    assert done.stdout.endswith("\nnothing was lost, doubled or answered otherwise\n")
    whole = path.read_bytes()
    head, first, _ = whole.splitlines()
    assert solvent(*words, TMPDIR=str(tmp_path)).stdout == done.stdout
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-9])
    again = solvent(*words, TMPDIR=str(tmp_path))
    assert again.stdout.startswith("4 kills in 2 shards, seeds 5 to 6\n")
    assert path.read_bytes().splitlines()[:2] == [head, first]
    assert list(tmp_path.iterdir()) == [path]
    refused = solvent(*words[:3], "--runs", "3", TMPDIR=str(tmp_path))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--shards" in refused.stderr
