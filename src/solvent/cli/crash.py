"""`solvent sim --kill`: the service, killed at random moments and found to have lost nothing."""

import shutil
import tempfile
import time
from pathlib import Path

from solvent.cli.called import called
from solvent.cli.progress import progress
from solvent.domain.errors import InputError
from solvent.lab.report.formatting import number
from solvent.lab.scenario.catalog import load_scenario
from solvent.proof.crash.result import CrashTest
from solvent.proof.crash.rounds import crash_test

MARKET = "demo-market"
PREFIX = "solvent-kill-"
SHOWN = 5
LONGEST = 70
"""Characters of a folder that sockets can lie in, whose addresses have 104 at most."""


def kill(kills: int, seed: int) -> int:
    """Kill the service so many times; 1 when it lost, doubled or said something else.

    The market lives in a temporary folder, which stays only if something went wrong.
    """
    if len(tempfile.gettempdir()) > LONGEST:
        reason = f"too long for a socket in it: set TMPDIR to one of at most {LONGEST} characters"
        raise InputError(tempfile.gettempdir(), "the folder for temporary files", reason)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    is_kept = False
    try:
        started = time.monotonic()
        with progress(f"killing the service from seed {seed}", "kills") as report:
            found = crash_test(
                folder, load_scenario(MARKET).parameters, kills, seed=seed, progress=report
            )
            report(found.kills, found.kills)
        is_kept = not found.is_good
        _tell(found, time.monotonic() - started)
    finally:
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)
    if found.is_good:
        print("nothing was lost, doubled or answered otherwise")
        return 0
    for problem in found.problems[:SHOWN]:
        print(f"FAILED {problem}")
    print(f"  {called()} sim --kill {kills} --seed {seed}")
    print(f"  the journal and the log are in {folder}")
    return 1


def _tell(found: CrashTest, seconds: float) -> None:
    """Print the counts on one screen."""
    print(f"{number(found.kills)} kills, {number(found.kills / max(seconds, 1e-9), 1)} kills/s")
    rows = (
        ("markets", found.markets),
        ("while opening", found.opening),
        ("in the middle of a snapshot", found.in_snapshot),
        ("while closing", found.closing),
        ("requests acknowledged", found.acknowledged),
        ("requests repeated", found.repeated),
        ("unanswered at a kill", found.unanswered),
        ("  of which carried out", found.unanswered_done),
        ("messages of streams heard", found.told),
        ("trades between connections", found.missed),
        ("records archived", found.archived),
        ("records audited", found.records),
        ("commands audited", found.commands),
        ("lost", found.lost),
        ("doubled", found.doubled),
    )
    for name, count in rows:
        print(f"  {name:<28} {number(count):>10}")
    print(f"state_hash  {found.state_hash}")
