"""Every Python that is supported and here: set up by `./run`, equal engines, the same hashes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proof import proves

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SMALL = ["run", "crash-2025-10-10", "--accounts", "60", "--json", "--out", "here"]


def found(version: str) -> str | None:
    """An interpreter of this version that works, on the path or installed beside this one."""
    beside = Path(sys.base_prefix).parent.glob(f"{version}*/bin/python")
    for python in (shutil.which(f"python{version}"), *map(str, beside)):
        if python is not None:
            works = [python, "-c", "import ensurepip, venv"]
            if subprocess.run(works, capture_output=True, check=False).returncode == 0:
                return python
    return None


def said(folder: Path, python: str, *words: str) -> str:
    """What `./run` prints in a copy of the project, on an interpreter."""
    done = subprocess.run(
        ["./run", *words],
        cwd=folder,
        env=os.environ | {"SOLVENT_PYTHON": python, "SOLVENT_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@proves("I35")
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_engines_and_hashes_are_equal_on_every_python(version: str, tmp_path: Path) -> None:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip("this is the Python of all other tests")
    python = found(version)
    if python is None:
        pytest.skip(f"there is no working python{version} here")
    copied = ("run", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE")
    for name in (*copied, "requirements", "console", "src"):
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    compared = said(tmp_path, python, "sim", "--compare", "--seed", "77", "--runs", "3")
    assert "the engines agree to the bit" in compared
    figures = json.loads(said(tmp_path, python, *SMALL))
    here = subprocess.run(
        [sys.executable, "-P", "-m", "solvent.cli", *SMALL[:-2]],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(here.stdout)
    for name in ("state_hash", "event_hash"):
        assert figures[name] == expected[name]
    assert (tmp_path / "here" / "report.html").is_file()
