"""Shards of kills: many crash tests, a line of a file each, which goes on where the file ends."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.proof.crash.process import serve_until_killed
from solvent.proof.crash.processes import Serve
from solvent.proof.crash.rounds import crash_test
from solvent.proof.fuzz.shards import Line, Totals, fill, head_of

PREFIX = "solvent-kill-"
LONGEST = 70
"""Characters of a folder that sockets can lie in, whose addresses have 104 at most."""
TOLD = frozenset({"kills", "state_hash", "problems"})
"""What a line says elsewhere than among its counts."""


def market_folder() -> Path:
    """A temporary folder for markets. Raises InputError where no socket could lie in one."""
    place = tempfile.gettempdir()
    if len(place) > LONGEST:
        reason = f"too long for a socket in it: set TMPDIR to one of at most {LONGEST} characters"
        raise InputError(place, "the folder for temporary files", reason)
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def kill_in_shards(
    path: Path,
    seed: int,
    shards: int,
    kills: int,
    parameters: EngineParameters,
    *,
    progress: Callable[[int], None] | None = None,
    serve: Serve = serve_until_killed,
) -> Totals:
    """Make the crash tests that `path` does not have yet, with seeds from `seed` on, a line each.

    Each kills so many times, `commands` in its line, in a temporary folder, which stays where
    something was otherwise than it must be; that stops no other one. Raises InputError where the
    file was begun for others.
    """
    make = partial(_shard, kills=kills, parameters=parameters, serve=serve)
    head = head_of("kill", kills)
    return fill(path, head, range(seed, seed + shards), make, 1, progress)


def _shard(seed: int, *, kills: int, parameters: EngineParameters, serve: Serve) -> Line:
    folder = market_folder()
    is_kept = False
    try:
        found = crash_test(folder, parameters, kills, seed=seed, serve=serve)
        is_kept = not found.is_good
    finally:
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)
    again = f"sim --kill {kills} --seed {seed}: in {folder}: "
    return {
        "seed": seed,
        "commands": found.kills,
        "reached": {name: count for name, count in asdict(found).items() if name not in TOLD},
        "state": found.state_hash,
        "fault": again + "; ".join(found.problems) if found.problems else None,
    }
