"""A service under attack: what becomes of everybody else's answers, of memory and of the disk.

For each attack the same clients ask the same things twice, and the 99th percentile of their answers
is compared: while the attack goes on a port where nobody answers, which is the baseline, for the
generator takes the machine's cores as well, and while it goes on the service. From one address, and
from 64. Beside it stand the most memory that the service had meanwhile and what came to its disk.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple

from benches.common.measure import WrongAnswerError
from benches.common.rows import AT_MOST, TIMES, Row, Target, of
from benches.service.attacks import PATTERNS
from benches.service.slow_sockets import Address, Phase, calm, demo
from solvent.service.limits import JOURNAL_RATE

NAME = "hostile"
ONE, MANY = 1, 64
REQUESTS = 600
QUICK = ("empty orders, 4 a second", "fragments that never end", "depth")
SETTLE = 0.5
_MIB = 2**20
WITHIN = 0.33
"""How many times better than beside an attack on nobody: within three times."""
MEMORY_MIB = 600
DISK_MIB = 2 * JOURNAL_RATE[1] / 2**20
"""By rule: what an account may let the journal grow by at once, and as much for the views."""
SINK = """
import asyncio, sys
async def take(reader, writer):
    try:
        while await reader.read(2**16):
            pass
    except OSError:
        pass
    writer.close()
async def main():
    server = await asyncio.start_server(take, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
"""Where nobody answers."""


_MEMORY, _DISK = Target(AT_MOST, MEMORY_MIB), Target(AT_MOST, DISK_MIB)
ANSWERS, MEMORY, DISK = "answers, p99", "most memory", "left on the disk"
"""What is measured of each attack."""


class Usage(NamedTuple):
    """Most memory and what came to the disk, MiB."""

    memory: float
    disk: float


def bench(*, quick: bool = False) -> Iterator[Row]:
    """The victim's 99th percentile under each attack, beside the attack on nobody."""
    names = QUICK if quick else tuple(PATTERNS)
    requests = 60 if quick else REQUESTS
    found: list[Usage] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(Path(folder), "--health-port", "0") as (address, process),
        _sink() as idle,
    ):
        place = Path(folder) / "market"
        for name, addresses in product(names, (ONE, MANY)):
            said = f"{name}, {addresses} {'address' if addresses == ONE else 'addresses'}"
            alone = _beside(name, idle, addresses, address, requests)
            with _watched(process, place) as usage:
                under = _beside(name, address, addresses, address, requests)
            found += usage
            yield from _rows(said, under, alone, usage[0])
    most, grown = max(each.memory for each in found), max(each.disk for each in found)
    yield Row(NAME, "most memory under any attack", of("MiB", [most]))
    yield Row(NAME, "most that any attack left on the disk", of("MiB", [grown]))


def _rows(said: str, under: Phase, alone: Phase, usage: Usage) -> Iterator[Row]:
    """The victim beside its baseline, and what the service used."""
    yield Row(
        NAME,
        f"{said}: {ANSWERS}",
        of("ms", [under.at(0.99)]),
        "on nobody",
        of("ms", [alone.at(0.99)]),
        Target(TIMES, WITHIN),
    )
    yield Row(NAME, f"{said}: {MEMORY}", of("MiB", [usage.memory]), target=_MEMORY)
    yield Row(NAME, f"{said}: {DISK}", of("MiB", [usage.disk]), target=_DISK)


def _beside(name: str, target: Address, addresses: int, service: Address, requests: int) -> Phase:
    """The victim's answers while an attack goes on. Raises WrongAnswerError."""
    words = [sys.executable, "-m", "benches.service.attacks", name]
    words += [target.host, str(target.port), str(addresses)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as attack:
        try:
            time.sleep(SETTLE)
            found = calm(service, requests)
            if attack.poll() is not None:
                raise WrongAnswerError(f"the attack {name!r} ended by itself")
        finally:
            attack.kill()
    return found


@contextmanager
def _sink() -> Iterator[Address]:
    """A process at a port that reads and says nothing."""
    words = [sys.executable, "-c", SINK]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Address("127.0.0.1", int(process.stdout.readline()))
        finally:
            process.kill()


@contextmanager
def _watched(process: int, place: Path) -> Iterator[list[Usage]]:
    """The most memory that a process had until the block ends, and what its disk grew by."""
    before = _disk(place)
    found = [Usage(0.0, 0.0)]
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(0.1):
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
            memory = pages * os.sysconf("SC_PAGE_SIZE") / _MIB
            found[0] = found[0]._replace(memory=max(found[0].memory, memory))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        stopped.set()
        thread.join()
        found[0] = found[0]._replace(disk=_disk(place) - before)


def _disk(place: Path) -> float:
    return sum(each.stat().st_blocks * 512 for each in place.rglob("*") if each.is_file()) / _MIB
