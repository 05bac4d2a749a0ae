"""kill -9 of a process that appends: what it said was durable is there, once and in order.

`python -m tests.journal.test_durable_kill 2000` kills as often as it is told.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from solvent.journal.durable import Journal, holds_journal, verify
from tests.proof import proves

ROOT = Path(__file__).resolve().parents[2]
KILLS = 30
LONGEST = 0.05
"""Seconds from a process's first word to its end, at most."""

APPENDER = """
import sys
from pathlib import Path
from random import Random
from threading import Thread
from solvent.journal.durable import Journal, holds_journal

folder, rng = Path(sys.argv[1]), Random(int(sys.argv[2]))
limits = {"segment_bytes": 20_000, "ahead_bytes": 3_000}
if holds_journal(folder):
    journal = Journal.open(folder, **limits)
else:
    journal = Journal.create(folder, b"head", **limits)
journal.archive = folder.with_name("archive")
moving = Thread()
print("open", journal.sequence, flush=True)
while True:
    count, size = rng.randint(1, 40), rng.randrange(200)
    numbers = range(journal.sequence, journal.sequence + count)
    journal.append([b"%d:" % number + bytes(size) for number in numbers])
    print("durable", journal.sequence, flush=True)
    if rng.random() < 0.1:
        journal.snapshot(b"state %d" % journal.sequence)
        print("snapshot", journal.sequence, flush=True)
        if not moving.is_alive():
            moving = Thread(target=journal.move_to_archive, daemon=True)
            moving.start()
"""


def kill_often(folder: Path, kills: int) -> tuple[int, int]:
    """Kill so many processes, which archive as they go; records, and unanswered batches."""
    rng = Random(1)
    durable = snapshot = unanswered = 0
    for life in range(kills):
        said = words_of_a_life(folder, life, rng.random() * LONGEST)
        for word, number in said:
            if word == "open":
                assert durable <= number <= durable + 40
                unanswered += number > durable
            durable = number
            snapshot = number if word == "snapshot" else snapshot
    if not holds_journal(folder):
        return 0, 0
    journal = Journal.open(folder, archive=folder.with_name("archive"))
    assert durable <= journal.sequence <= durable + 40
    for number, record in journal.records():
        assert record.startswith(b"%d:" % number)
    latest = journal.latest_snapshot()
    assert latest is None or latest[1] == b"state %d" % latest[0]
    assert (latest[0] if latest else 0) >= snapshot
    journal.close()
    whole = verify(folder, folder.with_name("archive"))
    assert (whole.records, whole.first) == (journal.sequence, 0)
    assert journal.first == verify(folder).first
    assert journal.first > 0 or kills < KILLS
    return journal.sequence, unanswered


def words_of_a_life(folder: Path, seed: int, seconds: float) -> list[tuple[str, int]]:
    """Start a process, let it work for so long, kill it; the lines that it wrote."""
    command = [sys.executable, "-c", APPENDER, str(folder), str(seed)]
    # Without a buffer, for what a buffer has read ahead would be no part of the rest.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, bufsize=0
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline() if seed % 4 else b""
        time.sleep(seconds)
        process.kill()
        rest, complaints = process.communicate()
    assert complaints == b""
    said = (first + rest).decode().splitlines(keepends=True)
    lines = [line.split() for line in said if line[-1] == "\n"]
    return [(word, int(number)) for word, number in lines]


@proves("I36")
def test_nothing_acknowledged_is_lost_by_a_killed_process(tmp_path: Path) -> None:
    records, _ = kill_often(tmp_path / "journal", KILLS)
    assert records > KILLS


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        times = int(sys.argv[1])
        records, unanswered = kill_often(Path(scratch) / "journal", times)
        print(f"{times} kills, {records} records, 0 lost, {unanswered} batches were unanswered")
