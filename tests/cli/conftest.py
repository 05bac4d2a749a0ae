"""One small run that the tests of its folder share; those that change it take a copy."""

import shutil
from pathlib import Path

import pytest

from tests.cli.helpers import SMALL, solvent


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run of the crash."""
    out = tmp_path_factory.mktemp("cli") / "run"
    done = solvent("run", *SMALL, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to be damaged."""
    return Path(shutil.copytree(finished, tmp_path / "run"))
