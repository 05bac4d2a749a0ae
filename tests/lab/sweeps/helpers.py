"""What the tests of sweeps share: a scenario that falls, and its sweep as a process of its own."""

import os
import signal
import subprocess
import time
from pathlib import Path

from solvent.lab.sweeps.log import LOG
from tests.cli.helpers import command
from tests.lab.paths.test_drawing import JUMPS, with_model

VARY = ("--vary", "fund.balance=0,20000", "--vary", "depth.scale=0.05")
PATHS = "8"


def falling(folder: Path) -> Path:
    """A scenario whose lenders lose on some paths and not on others."""
    folder.mkdir(exist_ok=True)
    return Path(
        with_model(folder, JUMPS, ("jump_mean = { SOL = -0.1 }", "jump_mean = { SOL = -0.3 }")).file
    )


def sweep_command(file: Path, out: Path, *more: str) -> list[str]:
    """A small sweep as it is typed."""
    return command("lab", "sweep", file, "--out", out, "--paths", PATHS, *VARY, *more)


def swept(file: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """A small sweep, done."""
    return subprocess.run(
        sweep_command(file, out, *more), capture_output=True, text=True, check=False, timeout=300
    )


def killed(file: Path, out: Path, size: int, *more: str) -> int:
    """Kill a sweep and its workers at once when its log has this size; the size it then has.

    Zero bytes is before it has written any row.
    """
    process = subprocess.Popen(
        sweep_command(file, out, *more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    log, deadline = out / LOG, time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and log.stat().st_size >= size:
            break
        time.sleep(0.002)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return log.stat().st_size if log.exists() else 0
