"""Hints can be typed as they are printed, and git ignores what commands leave in a clone."""

import inspect
import subprocess
from pathlib import Path

import pytest

from solvent.cli.called import VARIABLE, called
from solvent.cli.demo import demo
from solvent.cli.up import up
from tests.cli.helpers import solvent

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("variable", "said"),
    [("", "solvent"), ("./run", "./run"), ("../a b/run", "'../a b/run'")],
)
def test_a_command_is_called_what_was_typed(
    variable: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, variable)
    assert called() == said


def test_hints_of_a_run_name_the_clones_script(tmp_path: Path) -> None:
    done = solvent("demo", "--accounts", "40", cwd=tmp_path, **{VARIABLE: "./run"})
    assert "  ./run verify solvent-demo/receipts.jsonl\n" in done.stdout
    assert "  ./run audit solvent-demo\n" in done.stdout
    assert "  solvent " not in done.stdout


def test_folders_that_commands_make_unasked_are_ignored_by_git() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    folders = [
        inspect.signature(demo).parameters["out"].default,
        inspect.signature(up).parameters["folder"].default,
    ]
    for folder in folders:
        done = subprocess.run(
            ["git", "check-ignore", "-q", f"{folder}/x"], cwd=ROOT, check=False, timeout=60
        )
        assert done.returncode == 0, f"{folder} is not in .gitignore"
    done = subprocess.run(["git", "check-ignore", "-q", "src/x"], cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 1
