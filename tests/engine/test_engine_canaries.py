"""Planted defects in kernels, each of which the comparison with the reference finds.

A canary is one replacement in a copy of the package; the copy is compiled and compared in a process
of its own, as `solvent sim --compare` does it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.slow

SOURCES = Path(__file__).resolve().parents[2] / "src" / "solvent"


class Canary(NamedTuple):
    """One defect: in which module, what was written, what is written instead."""

    name: str
    module: str
    right: str
    wrong: str


CANARIES = (
    Canary(
        "values rounded down where they must round up",
        "units",
        "return narrow(divide_up(wide(left) * right, divisor))",
        "return narrow(wide(left) * right // divisor)",
    ),
    Canary(
        "a claim rounded up",
        "ledger",
        "return mul_div_down(shares, pool_row(s, asset).lend_index, INDEX_SCALE) if shares else 0",
        "return mul_div_up(shares, pool_row(s, asset).lend_index, INDEX_SCALE) if shares else 0",
    ),
    Canary(
        "a pool may be drained one part in a billion past its bound",
        "lending/throttle",
        "wide(borrowed) * RATIO <= wide(bound) * lent",
        "wide(borrowed) * RATIO <= wide(bound + 1) * lent",
    ),
)


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_the_comparison_finds_it(canary: Canary, tmp_path: Path) -> None:
    copy = tmp_path / "solvent"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    module = copy / "engine" / f"{canary.module}.py"
    text = module.read_text()
    assert text.count(canary.right) == 1, "the canary's place is gone: write it anew"
    module.write_text(text.replace(canary.right, canary.wrong))
    command = [sys.executable, "-P", "-m", "solvent.cli", "sim", "--compare"]
    done = subprocess.run(
        [*command, "--seed", "1", "--commands", "1500", "--runs", "8"],
        env=os.environ | {"PYTHONPATH": str(tmp_path), "SOLVENT_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "DIFFERENCE" in done.stdout
