"""The folder of a sample of the tail: gone on with after any kill, put together, verified.

    tail.json     what was asked, the hashes of the scenario and of the package
    leaves.log    a line a path that was carried out, with all of its leaves
    leaves.csv    all leaves in order, once they are there

The bytes of the last one are the same for any number of workers, shards and kills.
"""

import csv
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from io import StringIO
from pathlib import Path

from solvent.domain.errors import InputError
from solvent.lab.people.sampling import draw_word
from solvent.lab.sweeps.log import ChunkLog, read_chunks
from solvent.lab.sweeps.sweeping import write_whole
from solvent.lab.sweeps.workers import check
from solvent.lab.tail.sampling import COLUMNS, Asked, LeafRow, leaf_of, path_leaves, places

FORMAT = 1
PLAN, LOG, ROWS = "tail.json", "leaves.log", "leaves.csv"

Progress = Callable[[int, int], None]
"""Called with the paths done and all paths."""
Place = tuple[int, int]
"""Stratum and number of a path."""


@dataclass(frozen=True, slots=True)
class TailPlan:
    """A sample as it was asked for, of which scenario's hash and of which package's sources."""

    asked: Asked
    root: str
    sources: str

    def text(self) -> str:
        """The plan as its file holds it."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


def is_tail(folder: Path) -> bool:
    """Whether a folder holds a sample of the tail."""
    return (folder / PLAN).exists()


def read_plan(folder: Path) -> TailPlan:
    """The plan of a sample's folder. InputError where it holds none that can be read."""
    file = folder / PLAN
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        if table["format"] != FORMAT:
            raise InputError(str(file), "format", f"is {table['format']}, this reads {FORMAT}")
        told = table["asked"]
        asked = Asked(**{**told, "levels": tuple(told["levels"]), "shard": tuple(told["shard"])})
        return TailPlan(asked, table["root"], table["sources"])
    except OSError:
        raise InputError(str(folder), "folder", "holds no sample; name the folder of one") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        reason = "is no plan of a sample; run it into a new folder"
        raise InputError(str(file), "file", reason) from None


def begin(folder: Path, plan: TailPlan) -> None:
    """Write a plan into a folder, or find the same one there. InputError where another is."""
    if (folder / PLAN).exists():
        if read_plan(folder) != plan:
            reason = "holds another sample, or another shard of it; name a new folder"
            raise InputError(str(folder), "--out", reason)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.glob("[!.]*"))):
        raise InputError(str(folder), "--out", "holds what no sample wrote; name an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / PLAN, plan.text())


def carry_out(folder: Path, executor: Executor, progress: Progress | None = None) -> list[LeafRow]:
    """Compute what a begun sample lacks and write its leaves in order; all of them.

    InputError where the scenario or the package is another than when it began, or a worker died.
    """
    plan = read_plan(folder)
    check(plan.asked.scenario, plan.root, plan.sources)
    wanted = list(places(plan.asked))
    with closing(ChunkLog(folder / LOG)) as log:
        done = _by_place(log.chunks)
        missing = [place for place in wanted if place not in done]
        try:
            for rows in executor.map(partial(path_leaves, plan.asked), missing):
                log.write([row.cells() for row in rows])
                done.update(_by_place([[row.cells() for row in rows]]))
                if progress is not None:
                    progress(len(done), len(wanted))
        except BrokenProcessPool:
            reason = "a worker died; what is done is kept, give the same command again"
            raise InputError(str(folder), "--workers", reason) from None
    return _finish(folder, wanted, done)


def merge(folders: list[Path], out: Path) -> list[LeafRow]:
    """Put the shards of one sample together. InputError where they are not all of one."""
    plans = [read_plan(folder) for folder in folders]
    whole = [_whole(plan) for plan in plans]
    for folder, plan in zip(folders, whole, strict=True):
        if plan != whole[0]:
            raise InputError(str(folder), "plan", f"is not that of {folders[0]}; merge one sample")
    count = plans[0].asked.shard[1]
    found = sorted(plan.asked.shard for plan in plans)
    if found != [(place, count) for place in range(1, count + 1)]:
        shown = ", ".join(f"{place}/{of}" for place, of in found)
        raise InputError(str(out), "shards", f"are {shown}; give each of 1 to {count} once")
    done: dict[Place, list[LeafRow]] = {}
    for folder in folders:
        done.update(_by_place(read_chunks(folder / LOG)))
    wanted = list(places(whole[0].asked))
    if missing := [place for place in wanted if place not in done]:
        reason = f"{len(missing)} paths are missing; let every shard come to its end first"
        raise InputError(str(out), "rows", reason)
    begin(out, whole[0])
    with closing(ChunkLog(out / LOG)) as log:
        kept = _by_place(log.chunks)
        for place in wanted:
            if place not in kept:
                log.write([row.cells() for row in done[place]])
    return _finish(out, wanted, done)


def verify(folder: Path, count: int, seed: int) -> list[tuple[Place, bool]]:
    """Compute so many paths again, as the seed says; each with whether all leaves are as they say.

    InputError where the sample, or what made it, is not there.
    """
    plan = read_plan(folder)
    check(plan.asked.scenario, plan.root, plan.sources)
    said = _read_rows(folder)
    drawn = sorted(said, key=lambda place: (draw_word(seed, *place), place))[:count]
    return [(place, path_leaves(plan.asked, place) == said[place]) for place in sorted(drawn)]


def _whole(plan: TailPlan) -> TailPlan:
    return replace(plan, asked=replace(plan.asked, shard=(1, 1)))


def _by_place(chunks: Iterable[list[list[str]]]) -> dict[Place, list[LeafRow]]:
    """The leaves of each path; a chunk has all of one."""
    found = [[leaf_of(cells) for cells in chunk] for chunk in chunks]
    return {(rows[0].stratum, rows[0].path): rows for rows in found}


def _finish(
    folder: Path, wanted: Iterable[Place], done: dict[Place, list[LeafRow]]
) -> list[LeafRow]:
    rows = [row for place in wanted for row in done[place]]
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(row.cells() for row in rows)
    write_whole(folder / ROWS, text.getvalue())
    return rows


def _read_rows(folder: Path) -> dict[Place, list[LeafRow]]:
    path = folder / ROWS
    if not path.exists():
        reason = f"has no {ROWS}: the sample is not done; give the same command again"
        raise InputError(str(folder), "folder", reason)
    found: dict[Place, list[LeafRow]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.reader(file)
        try:
            if tuple(next(table, ())) != COLUMNS:
                raise ValueError("has other columns")
            for cells in table:
                row = leaf_of(cells)
                found.setdefault((row.stratum, row.path), []).append(row)
        except ValueError as reason:
            raise InputError(str(path), "rows", f"{reason}; run the sample anew") from None
    return found
