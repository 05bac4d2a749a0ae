"""Shards: many long runs, a line of a file each, which goes on where the file ends.

The first line says what the shards are (mode, commands a shard, a digest of the code); each line
after it is one shard: its seed, what it did, its hashes, and its breach or difference, if any.
Lines stand in the order of seeds whatever the number of processes. A line that was cut short by the
end of a process is made again, so a run can be stopped at any moment.

Deliberately absent: times. The same shards give the same bytes.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from solvent.domain.errors import InputError
from solvent.proof.fuzz.comparison import compare
from solvent.proof.fuzz.simulator import simulate

Line = dict[str, Any]
LATEST = 1
"""The form of the file."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What all shards of a file did together; `faults` are breaches and differences."""

    shards: int
    first_seed: int
    last_seed: int
    commands: int
    reached: dict[str, int]
    faults: tuple[str, ...]


def run_shards(
    path: Path,
    seed: int,
    shards: int,
    commands: int,
    *,
    comparing: bool = False,
    attackers: bool = False,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Totals:
    """Make the shards that `path` does not have yet, with seeds from `seed` on, a line each.

    A fault in one shard stops no other. `progress` is called with the number of commands done.
    Raises InputError where the file was begun for other shards.
    """
    head = head_of(_mode(comparing=comparing, attackers=attackers), commands)
    make = partial(shard, commands=commands, comparing=comparing, attackers=attackers)
    return fill(path, head, range(seed, seed + shards), make, processes, progress)


def fill(
    path: Path,
    head: Line,
    seeds: Sequence[int],
    make: Callable[[int], Line],
    processes: int,
    progress: Callable[[int], None] | None,
) -> Totals:
    """Make the shards of these seeds that `path` does not have yet, a line each.

    A line says under `commands` how much of it there is, as the head says for each. `progress` is
    called with the sum. Raises InputError where the file was begun under another head.
    """
    done = _begin(path, head)
    missing = [each for each in seeds if each not in done]
    finished = (len(seeds) - len(missing)) * head["commands"]
    with path.open("a", encoding="utf-8") as file:
        for line in _lines(missing, make, processes):
            file.write(_text(line))
            file.flush()
            os.fsync(file.fileno())
            finished += line["commands"]
            if progress is not None:
                progress(finished)
    return totals_of(path)


def head_of(mode: str, commands: int) -> Line:
    """The first line of a file of shards of this code."""
    return {"form": LATEST, "code": code_digest(), "mode": mode, "commands": commands}


def _mode(*, comparing: bool, attackers: bool) -> str:
    if not comparing:
        return "invariants"
    return "compare with attackers" if attackers else "compare"


def shard(seed: int, *, commands: int, comparing: bool, attackers: bool = False) -> Line:
    """One shard, as its line says it."""
    if comparing:
        compared = compare(seed, commands, attackers=attackers)
        return {
            "seed": seed,
            "commands": compared.commands,
            "words": compared.events,
            "reached": {"attackers' commands": compared.hostile} if attackers else {},
            "state": compared.state_hash,
            "fault": str(compared.difference) if compared.difference else None,
        }
    made = simulate(seed, commands)
    return {
        "seed": seed,
        "commands": made.commands,
        "accepted": made.accepted,
        "kinds": made.kinds,
        "reached": made.reached,
        "state": made.state_hash,
        "events": made.event_hash,
        "fault": str(made.breaches[0]) if made.breaches else None,
    }


def totals_of(path: Path) -> Totals:
    """Add up the lines of a file."""
    _, *lines = _read(path)
    reached: Counter[str] = Counter()
    for line in lines:
        reached.update(line.get("reached", {}))
    seeds = [line["seed"] for line in lines]
    return Totals(
        shards=len(lines),
        first_seed=min(seeds, default=0),
        last_seed=max(seeds, default=0),
        commands=sum(line["commands"] for line in lines),
        reached=dict(sorted(reached.items())),
        faults=tuple(line["fault"] for line in lines if line["fault"]),
    )


def code_digest() -> str:
    """BLAKE2b of the package's sources, 16 bytes, so that shards of other code do not mix."""
    root = Path(__file__).parents[2]
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _begin(path: Path, head: Line) -> set[int]:
    """Seeds that a file has; begins it where there is none, and drops a line that was cut short."""
    if not path.exists() or b"\n" not in path.read_bytes():
        path.write_text(_text(head), encoding="utf-8")
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        os.truncate(path, data.rindex(b"\n") + 1)
    first, *lines = _read(path)
    if first != head:
        raise InputError(str(path), "file", f"has shards of {first}, not of {head}; name another")
    return {line["seed"] for line in lines}


def _read(path: Path) -> list[Line]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise InputError(str(path), "file", f"is no file of shards: {error}") from error


def _text(line: Line) -> str:
    return json.dumps(line, separators=(",", ":")) + "\n"


def _lines(seeds: list[int], make: Callable[[int], Line], processes: int) -> Iterator[Line]:
    if processes == 1 or not seeds:
        yield from map(make, seeds)
        return
    with ProcessPoolExecutor(min(processes, len(seeds))) as pool:
        yield from pool.map(make, seeds)
