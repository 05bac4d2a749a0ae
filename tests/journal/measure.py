"""What a durable batch costs: SQLite against segments of several makes, in the same run.

`python -m tests.journal.measure [SECONDS] [FOLDER]` prints batches a second, for batches of 1, 10
and 100 records of 150 bytes: the median of five turns, which the candidates take one after another.
"""

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median

from solvent.journal.durable import AHEAD_BYTES, SEGMENT_BYTES, Journal

RECORD = os.urandom(150)
BATCHES = (1, 10, 100)
TURNS = 5

Append = Callable[[list[bytes]], object]
Candidate = Callable[[Path], AbstractContextManager[Append]]


@contextmanager
def sqlite(folder: Path) -> Iterator[Append]:
    """One blob a batch in SQLite's write-ahead log, synced at every commit."""
    base = sqlite3.connect(folder / "journal.db", isolation_level=None)
    for setting in ("journal_mode = wal", "synchronous = full"):
        base.execute(f"pragma {setting}")
    base.execute("create table batches (number integer primary key, records blob)")
    yield lambda batch: base.execute("insert into batches (records) values (?)", (b"".join(batch),))
    base.close()


def journal(ahead_bytes: int) -> Candidate:
    """The journal, with so many zeros written ahead."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Append]:
        made = Journal.create(folder / "journal", b"head", ahead_bytes=ahead_bytes)
        yield made.append
        made.close()

    return opened


CANDIDATES: dict[str, Candidate] = {
    "SQLite, WAL, FULL": sqlite,
    "segments, nothing ahead": journal(0),
    "segments, 256 KiB ahead": journal(256 * 1024),
    f"segments, {AHEAD_BYTES // 1024} KiB ahead": journal(AHEAD_BYTES),
    f"segments, all {SEGMENT_BYTES // 1024**2} MiB ahead": journal(SEGMENT_BYTES),
}


def rate(candidate: Candidate, records: int, seconds: float, where: Path) -> float:
    """Durable batches of so many records a second."""
    batch = [RECORD] * records
    with tempfile.TemporaryDirectory(dir=where) as folder, candidate(Path(folder)) as append:
        done, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            append(batch)
            done += 1
    return done / passed


def main() -> None:
    """Measure all, in turns, and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    where = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.gettempdir())
    print(f"{'batches a second':30}" + "".join(f"{size:>8} a batch" for size in BATCHES))
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(TURNS):
        for size in BATCHES:
            for name, candidate in CANDIDATES.items():
                rates.setdefault((name, size), []).append(rate(candidate, size, seconds, where))
    for name in CANDIDATES:
        print(f"{name:30}" + "".join(f"{median(rates[name, size]):16,.0f}" for size in BATCHES))


if __name__ == "__main__":
    main()
