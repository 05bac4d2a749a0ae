"""The command line as a user meets it: another process, two streams and an exit code."""

import os
import subprocess
import sys
from pathlib import Path

SMALL = ("crash-2025-10-10", "--accounts", "40")
"""A run of a second or two that has receipts."""


def solvent(
    *arguments: str | Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `solvent ARGUMENTS` and return what it said."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def command(*arguments: str | Path) -> list[str]:
    """The words of a process that runs `solvent ARGUMENTS`."""
    return [sys.executable, "-P", "-m", "solvent.cli", *map(str, arguments)]


def files(folder: Path) -> dict[str, bytes]:
    """Everything under a folder, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
