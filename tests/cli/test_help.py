"""Help: every command and option is explained, and nothing heavy is loaded for it."""

import re
import subprocess
import sys

import pytest

from solvent import __version__
from solvent.cli import COMMANDS
from tests.cli.helpers import solvent

HEAVY = (
    "duckdb",
    "numpy",
    "llvmlite",
    "solvent.lab.runner",
    "solvent.reference",
    "multiprocessing",
)


def test_help_names_every_command() -> None:
    """And goes to standard output."""
    done = solvent("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for name in COMMANDS:
        assert re.search(rf"\b{name}\b", done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name: str) -> None:
    """Every command has its own."""
    done = solvent(name, "--help")
    assert done.returncode == 0
    assert f"solvent {name}" in done.stdout


def test_version() -> None:
    """The package's own."""
    assert solvent("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["sim", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """What makes a start slow stays on the disk."""
    code = (
        "import sys; from solvent.cli import main; main(sys.argv[1:]);"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("LOADED []\n")
