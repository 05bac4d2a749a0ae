"""Sweeping: begin a sweep or go on with one, until its rows are there or its statistics are sure.

The rounds of a sweep with `--until` or `--drop-losers` are 100, 200, 400, ... paths a point, and
what is asked of a round is asked of its rows in order. So where the sweep stops, and which points
go on, hangs on the plan alone. Without either there is one round of all paths.
"""

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from io import StringIO
from pathlib import Path

from solvent.domain.errors import InputError
from solvent.lab.estimate.until import Target, parse_target
from solvent.lab.scenario.catalog import scenario_path
from solvent.lab.sweeps.elimination import survivors
from solvent.lab.sweeps.log import LOG, RowLog, read_log
from solvent.lab.sweeps.page import write_page
from solvent.lab.sweeps.plan import PLAN, Plan, read_plan
from solvent.lab.sweeps.points import scenario_at
from solvent.lab.sweeps.rows import COLUMNS, METRICS, SHARES, Row, row_of
from solvent.lab.sweeps.workers import Pool, Workforce, check

ROWS = "rows.csv"
FIRST_LOOK = 100

Rows = Mapping[tuple[int, int], Row]
Progress = Callable[[int, int], None]
"""Called with the rows done and all rows of the round."""


def begin(folder: Path, plan: Plan) -> None:
    """Write a plan into a folder, or find the same one there. InputError where another is."""
    if (folder / PLAN).exists():
        if read_plan(folder) != plan:
            reason = "holds another sweep, or another shard of it; name a new folder"
            raise InputError(str(folder), "--out", reason)
        return
    if folder.exists() and (
        not folder.is_dir() or set(folder.iterdir()) - {_partial(folder / PLAN)}
    ):
        raise InputError(str(folder), "--out", "holds what no sweep wrote; name an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / PLAN, plan.text())


def sweep(folder: Path, pool: Pool, progress: Progress | None = None) -> list[Row]:
    """Compute what a begun sweep lacks and write its rows in order; all of them, by point and path.

    InputError where the scenario or the package is another than when it began.
    """
    plan = read_plan(folder)
    check(plan.scenario, plan.root, plan.sources)
    targets = targets_of(plan.until)
    with closing(RowLog(folder)) as log:
        points, ends = list(range(len(plan.points))), dict[int, int]()
        for look, end in enumerate(_rounds(plan), start=1):
            ends.update(dict.fromkeys(points, end))
            _round(plan, log, points, end, pool, progress)
            found = _ordered(plan, log.rows, dict.fromkeys(points, end))
            if targets and _sure(found, points, targets, look):
                break
            if plan.drop:
                points = survivors(found, points, look)
        rows = _ordered(plan, log.rows, ends)
    finish(folder, plan, rows)
    return rows


def finish(folder: Path, plan: Plan, rows: list[Row]) -> None:
    """The report and, last, the rows: where they are, the sweep is done. A shard has no report."""
    if plan.shard == (1, 1):
        write_page(folder, plan, scenario_at(scenario_path(plan.scenario), {}), rows)
    write_rows(folder, rows)


def targets_of(until: str) -> list[Target]:
    """The targets of an `--until`. InputError where one cannot be read."""
    return [parse_target(text, METRICS, SHARES) for text in until.split(";")] if until else []


def values_of(rows: Iterable[Row], point: int, metric: str) -> list[float]:
    """A figure of a point's paths, those that failed apart."""
    return [float(row.value(metric)) for row in rows if row.point == point and not row.error]


def _rounds(plan: Plan) -> Iterator[int]:
    """How many paths each point that goes on has after each round."""
    end = FIRST_LOOK
    while (plan.until or plan.drop) and end < plan.paths:
        yield end
        end *= 2
    yield plan.paths


def _round(
    plan: Plan,
    log: RowLog,
    points: list[int],
    end: int,
    pool: Pool,
    progress: Progress | None,
) -> None:
    # Path by path, not point by point: a sweep that is cut short has whole pairs.
    wanted = [(point, path) for path in plan.numbers(0, end) for point in points]
    missing = [key for key in wanted if key not in log.rows]
    if not missing:
        return
    done = len(wanted) - len(missing)
    with closing(Workforce(plan, pool)) as force:
        for rows in force.rows(missing):
            log.append(rows)
            done += len(rows)
            if progress is not None:
                progress(done, len(wanted))


def _sure(rows: list[Row], points: list[int], targets: list[Target], look: int) -> bool:
    return all(
        target.met(values_of(rows, point, target.metric), look)
        for target in targets
        for point in points
    )


def _ordered(plan: Plan, rows: Rows, ends: Mapping[int, int]) -> list[Row]:
    """The rows of each point's paths up to its end."""
    return [
        rows[point, path] for point, end in sorted(ends.items()) for path in plan.numbers(0, end)
    ]


def write_rows(folder: Path, rows: Iterable[Row]) -> None:
    """Write rows.csv, whole or not at all."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(row.cells() for row in rows)
    write_whole(folder / ROWS, text.getvalue())


def merge(folders: list[Path], out: Path) -> list[Row]:
    """Put the shards of one sweep together. InputError where they are not all of one."""
    plans = [read_plan(folder) for folder in folders]
    first = plans[0]
    for folder, plan in zip(folders, plans, strict=True):
        if plan.digest != first.digest:
            raise InputError(str(folder), "plan", f"is not that of {folders[0]}; merge one sweep")
    count = first.shard[1]
    found = sorted(plan.shard for plan in plans)
    if found != [(place, count) for place in range(1, count + 1)]:
        shown = ", ".join(f"{place}/{of}" for place, of in found)
        raise InputError(str(out), "shards", f"are {shown}; give each of 1 to {count} once")
    plan = replace(first, shard=(1, 1))
    rows: dict[tuple[int, int], Row] = {}
    for folder in folders:
        rows.update(read_log(folder))
    keys = [(point, path) for point in range(len(plan.points)) for path in range(plan.paths)]
    if missing := [key for key in keys if key not in rows]:
        reason = f"{len(missing)} rows are missing; let every shard come to its end first"
        raise InputError(str(out), "rows", reason)
    begin(out, plan)
    if not (out / LOG).exists():
        with closing(RowLog(out)) as log:
            log.append(rows[key] for key in keys)
    ordered = [rows[key] for key in keys]
    finish(out, plan, ordered)
    return ordered


def read_rows(folder: Path) -> list[Row]:
    """The rows of a sweep that came to its end. InputError where it did not."""
    path = folder / ROWS
    if not path.exists():
        reason = f"has no {ROWS}: the sweep is not done; give the same command again"
        raise InputError(str(folder), "folder", reason)
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.reader(file)
        try:
            if tuple(next(table, ())) != COLUMNS:
                raise ValueError("has other columns")
            return [row_of(cells) for cells in table]
        except ValueError as reason:
            raise InputError(str(path), "rows", f"{reason}; run the sweep anew") from None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole, or not at all, after a kill."""
    partial = _partial(path)
    with partial.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")
