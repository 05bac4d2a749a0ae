"""The plan of a sweep: what was asked and under which hashes, in one small file.

Everything that a row hangs on is in it, so that a sweep can be gone on with, put together from
shards and verified. What it was computed with (workers, chunks) is not: that changes no byte.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import solvent
from solvent.domain.errors import InputError
from solvent.lab.sweeps.points import Point

FORMAT = 1
PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep as it was asked for.

    `root` is the scenario's hash, `sources` that of the package that computes; `paths` how many
    paths each point has at most, fewer where `until` (statistics as they were written) is met
    before. With `drop` points that surely lose are left out from the next look on. `shard` (i, n)
    has the paths whose number leaves i - 1 when divided by n.
    """

    scenario: str
    root: str
    sources: str
    points: tuple[Point, ...]
    paths: int
    accounts: int | None = None
    until: str = ""
    drop: bool = False
    shard: tuple[int, int] = (1, 1)
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """What it is, whatever its shard: shards of one plan go together."""
        whole = json.dumps(asdict(replace(self, shard=(1, 1))), sort_keys=True)
        return sha256(whole.encode()).hexdigest()

    def numbers(self, first: int, end: int) -> range:
        """The shard's path numbers from `first` up to but without `end`."""
        place, count = self.shard
        return range(first + (place - 1 - first) % count, end, count)

    def text(self) -> str:
        """The plan as its file holds it."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_plan(folder: Path) -> Plan:
    """The plan of a sweep's folder. InputError where it holds none that can be read."""
    file = folder / PLAN
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        if table["format"] != FORMAT:
            raise InputError(str(file), "format", f"is {table['format']}, this reads {FORMAT}")
        return _plan(table)
    except OSError:
        raise InputError(str(folder), "folder", "holds no sweep; name the folder of one") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(str(file), "file", "is no plan of a sweep; run the sweep anew") from None


def _plan(table: dict[str, Any]) -> Plan:
    place, count = table.pop("shard")
    points: Sequence[dict[str, str]] = table.pop("points")
    return Plan(**table, points=tuple(points), shard=(int(place), int(count)))


def sources_hash() -> str:
    """The digest of every source file of the package: what computes the rows."""
    digest = sha256()
    folder = Path(solvent.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()
