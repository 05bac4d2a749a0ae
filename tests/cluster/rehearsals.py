"""Many rehearsals, two at a time, each a line of a file that goes on where it ends.

    python -m tests.cluster.rehearsals FILE HARMS [SEED]

A line is one rehearsal of `SHARD` harms: its seed, what it did, its pauses and its flaw. What the
file has is not made again, so 2,000 harms can be made in as many sittings as it takes. A rehearsal
that came to no end has no line.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from tests.cluster.rehearsal import Rehearsed, rehearse, say

SHARD = 50
AT_ONCE = 2
SHARD_SECONDS = 900.0


class Line(msgspec.Struct):
    """A rehearsal that came to its end."""

    seed: int
    harms: int
    orders: int
    reads: int
    pauses: dict[str, list[float]]
    flaw: str | None


def lines_of(path: Path) -> list[Line]:
    """Rehearsals of a file; one that was cut short is none."""
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0]
    return [msgspec.json.decode(line, type=Line) for line in whole.splitlines()]


def rehearse_many(path: Path, seeds: Sequence[int], harms: int) -> list[Line]:
    """Make the rehearsals that the file does not have yet, of so many harms each."""
    path.touch()
    os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
    have = {line.seed for line in lines_of(path)}
    missing = [seed for seed in seeds if seed not in have]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda seed: _apart(path, seed, harms), missing))
    return [line for line in lines_of(path) if line.seed in seeds]


def _apart(path: Path, seed: int, harms: int) -> None:
    """In a process of its own, so that the clients of one have an interpreter to themselves."""
    command = [sys.executable, "-m", "tests.cluster.rehearsals", "--one"]
    subprocess.run([*command, path, str(harms), str(seed)], check=True, timeout=SHARD_SECONDS)


def one(path: Path, harms: int, seed: int) -> Line:
    """Make a rehearsal, and write its line."""
    with tempfile.TemporaryDirectory() as place:
        done = rehearse(Path(place), harms, seed)
    flaw = None if done.flaw is None else str(done.flaw)
    line = Line(seed, done.harms, done.orders, done.reads, dict(done.pauses), flaw)
    # One write, so that two that end at once have a line each.
    with path.open("ab", buffering=0) as file:
        file.write(msgspec.json.encode(line) + b"\n")
        os.fsync(file.fileno())
    return line


def together(lines: Iterable[Line]) -> Rehearsed:
    """What all of them did; the first flaw is that of all."""
    pauses: dict[str, list[float]] = {}
    harms = orders = reads = 0
    flaw = None
    for line in lines:
        harms, orders, reads = harms + line.harms, orders + line.orders, reads + line.reads
        flaw = flaw or line.flaw
        for kind, each in line.pauses.items():
            pauses.setdefault(kind, []).extend(each)
    return Rehearsed(harms, orders, reads, pauses, flaw)


def main(words: Sequence[str]) -> int:
    """By hand, or one of many."""
    if words[0] == "--one":
        return int(one(Path(words[1]), int(words[2]), int(words[3])).flaw is not None)
    path, harms, seed = Path(words[0]), int(words[1]), int((*words[2:], "1")[0])
    found = rehearse_many(path, range(seed, seed + -(-harms // SHARD)), SHARD)
    for line in found:
        if line.flaw is not None:
            print(f"seed {line.seed}: {line.flaw}")
    say(together(found))
    return int(any(line.flaw for line in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
