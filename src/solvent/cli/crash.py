"""`solvent sim --kill`: the service, killed at random moments and found to have lost nothing."""

import shutil
import time
from pathlib import Path

from solvent.cli.called import called
from solvent.cli.progress import progress
from solvent.lab.report.formatting import number
from solvent.lab.scenario.catalog import load_scenario
from solvent.proof.crash.result import CrashTest
from solvent.proof.crash.rounds import crash_test
from solvent.proof.crash.shards import kill_in_shards, market_folder
from solvent.proof.fuzz.shards import Totals

MARKET = "demo-market"
SHOWN = 5
NOTHING = "nothing was lost, doubled or answered otherwise"


def kill(kills: int, seed: int) -> int:
    """Kill the service so many times; 1 when it lost, doubled or said something else.

    The market lives in a temporary folder, which stays only if something went wrong.
    """
    folder = market_folder()
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
        print(NOTHING)
        return 0
    for problem in found.problems[:SHOWN]:
        print(f"FAILED {problem}")
    print(f"  {called()} sim --kill {kills} --seed {seed}")
    print(f"  the journal and the log are in {folder}")
    return 1


def kill_shards(path: Path, shards: int, kills: int, seed: int) -> Totals:
    """Make the crash tests that a file does not have yet; what all of them did."""
    whole = shards * kills
    with progress(f"shards of {path}", "kills") as report:
        return kill_in_shards(
            path,
            seed,
            shards,
            kills,
            load_scenario(MARKET).parameters,
            progress=lambda done: report(done, whole),
        )


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
        ("orders that fired", found.fired),
        ("keys that were changed", found.rotated),
        ("records archived", found.archived),
        ("records audited", found.records),
        ("commands audited", found.commands),
        ("lost", found.lost),
        ("doubled", found.doubled),
    )
    for name, count in rows:
        print(f"  {name:<28} {number(count):>10}")
    print(f"state_hash  {found.state_hash}")
