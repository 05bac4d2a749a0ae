"""The examples run: each prints exactly what the file beside it says, whatever the hash seed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.proof import proves

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("[0-9][0-9]_*.py"))
SECONDS = 60


def difference(script: Path, folder: Path, hash_seed: str = "0") -> str:
    """What a script printed where the `.out` beside it says otherwise; empty when they agree."""
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    expected = script.with_suffix(".out").read_text(encoding="utf-8")
    if done.returncode == 0 and done.stdout == expected:
        return ""
    return f"{script.name} ended with {done.returncode} and printed\n{done.stdout}"


@proves("A6", "A7", "A8", "A9", "A10", "A11", "A12", "A3", "I25", "I27", "I35")
@pytest.mark.parametrize("hash_seed", ["0", "4242"])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_prints_what_it_says(script: Path, hash_seed: str, tmp_path: Path) -> None:
    assert difference(script, tmp_path, hash_seed) == ""


def test_numbers_are_gapless_and_every_output_has_its_script() -> None:
    assert [int(script.name[:2]) for script in SCRIPTS] == list(range(1, len(SCRIPTS) + 1))
    assert {path.stem for path in EXAMPLES.glob("*.out")} == {script.stem for script in SCRIPTS}


FAULTS: dict[str, Callable[[str], str]] = {
    "other output": lambda source: source + "print('more')\n",
    "an error": lambda source: source + "raise ValueError\n",
    "an error after the same output": lambda source: source + "raise SystemExit(3)\n",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_faulty_script_is_caught(fault: Callable[[str], str], tmp_path: Path) -> None:
    script = tmp_path / "01_planted.py"
    script.with_suffix(".out").write_text("said\n", encoding="utf-8")
    script.write_text("print('said')\n", encoding="utf-8")
    assert difference(script, tmp_path) == ""
    script.write_text(fault("print('said')\n"), encoding="utf-8")
    assert difference(script, tmp_path) != ""
