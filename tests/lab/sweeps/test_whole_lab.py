"""The lab from its command line, end to end: each scenario, many paths, policies, record, proof."""

import re
from pathlib import Path

import pytest

from solvent.lab.sweeps.sweeping import read_rows
from tests.cli.helpers import solvent
from tests.lab.run_helpers import RUNNABLE
from tests.sizes import sized

pytestmark = pytest.mark.slow

PATHS = sized(20, 100, 1000)


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_path_of_each_scenario_runs(name: str) -> None:
    done = solvent("lab", "run", name, "--path", "1", "--accounts", "40")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^event_hash  [0-9a-f]{64}$", done.stdout, re.MULTILINE)


def test_a_sweep_of_many_paths_is_made_and_verified(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = solvent("lab", "sweep", "jump-day", "--paths", str(PATHS), "--out", out)
    assert done.returncode == 0, done.stderr
    rows = read_rows(out)
    assert [row.key for row in rows] == [(0, path) for path in range(PATHS)]
    assert not [row for row in rows if row.error]
    assert {row.path for row in rows if row.value("liquidated") > 0}
    checked = solvent("lab", "verify", out, "--paths", "3")
    assert (checked.returncode, "3 of 3 rows" in checked.stdout) == (0, True)


def test_policies_are_compared_and_the_comparison_verified(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = solvent("lab", "compare", "jump-day", "--paths", "4", "--out", out)
    assert done.returncode == 0, done.stderr
    assert solvent("lab", "verify", out, "--paths", "2").returncode == 0


def test_the_record_is_reproduced() -> None:
    assert solvent("lab", "reproduce").returncode == 0
