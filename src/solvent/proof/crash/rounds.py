"""Rounds: markets are served, killed and served again; the outcomes are counted.

A market is killed `KILLS` times and is then let end, so that its journal stays short enough for a
life to open quickly; the next one begins in another folder.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random

from solvent.domain.parameters import EngineParameters
from solvent.proof.crash.process import serve_until_killed
from solvent.proof.crash.processes import Serve, Trial
from solvent.proof.crash.result import CrashTest

KILLS = 250

Progress = Callable[[int, int], None]
"""Called with the number of kills done and wanted."""


def crash_test(
    folder: Path,
    parameters: EngineParameters,
    kills: int,
    *,
    seed: int = 1,
    progress: Progress | None = None,
    serve: Serve = serve_until_killed,
) -> CrashTest:
    """Kill markets with these parameters in `folder` so many times, and return what was found.

    Trading is free in them, so that what accounts must have needs no rounding. It ends at
    the first problem and leaves the folder as it is then. `serve` is what a process does, to be
    found by its name.
    """
    result = CrashTest()
    rng = Random(seed)
    while result.kills < kills and result.is_good:
        result.markets += 1
        place = folder / f"market-{result.markets}"
        wanted = min(result.kills + KILLS, kills)
        with Trial(place, parameters, Random(rng.random()), serve, result) as trial:
            trial.begin()
            while result.kills < wanted and result.is_good:
                trial.be_killed()
                if progress is not None:
                    progress(result.kills, kills)
            if result.is_good:
                trial.end()
    return result
