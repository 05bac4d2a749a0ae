"""What machines do besides dying: disks that fill, clocks that jump, wires that are cut."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.drills.wires import Wires
from tests.cluster.machines import Machines, machines
from tests.cluster.nats_servers import until

pytestmark = pytest.mark.slow
DISK_BYTES = 64 * 1024 * 1024
FULL = 1
"""The log server whose disk is full."""
HOUR = 3600


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Machines]:
    with machines(tmp_path) as made:
        yield made


class Placed:
    """Orders that were acknowledged, each under a number of its own."""

    def __init__(self, cluster: Machines) -> None:
        self.cluster = cluster
        self.ids: list[str] = []
        self._numbers = count(1)
        self._clients = cluster.clients()

    def place(self, orders: int = 3) -> None:
        """Place some, each until somebody acknowledges it."""
        for _ in range(orders):
            asked = {"clientOrderId": next(self._numbers)}

            def order(client: Any, asked: dict[str, int] = asked) -> Any:
                return client.create_order("SOL/USDC", "limit", "buy", 0.01, 90, asked)

            self.ids.append(self._clients.ask(order)[1]["id"])

    def rest_everywhere(self) -> None:
        """On every node exactly these rest, each once."""
        assert len(set(self.ids)) == len(self.ids)

        def agrees(clients: Any) -> bool:
            _, found = clients.ask(lambda one: one.fetch_open_orders("SOL/USDC"))
            return sorted(each["id"] for each in found) == sorted(self.ids)

        for number in range(3):
            clients = self.cluster.clients([number])
            until(partial(agrees, clients), 60)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own for a folder. Skips where nothing may be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        yield folder
    finally:
        # What still runs on it lets go of it by and by.
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that leaves no room on the disk of a folder."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def test_a_leader_whose_disk_is_full_ends_and_nothing_acknowledged_is_lost(
    cluster: Machines,
) -> None:
    with small_disk(cluster.folder(0)):
        cluster.start(0)
        until(lambda: "serving" in cluster.said(0), 90)
        for number in (1, 2):
            cluster.start(number)
        placed = Placed(cluster)
        placed.place()
        assert cluster.leader() == 0
        filler = fill(cluster.folder(0))
        placed.place()
        until(lambda: cluster.ended(0) is not None, 60)
        assert "No space left on device" in cluster.said(0)
        placed.place()
        filler.unlink()
        cluster.start(0)
        until(cluster.all_agree, 60)
        placed.rest_everywhere()


def test_a_log_server_whose_disk_is_full_holds_up_nobody(cluster: Machines) -> None:
    cluster.start_all()
    placed = Placed(cluster)
    placed.place()
    servers = cluster.servers
    servers.kill(FULL)
    servers.wipe(FULL)
    with small_disk(servers.store(FULL)):
        servers.start(FULL)
        until(servers.answer, 60)
        placed.place()
        filler = fill(servers.store(FULL))
        placed.place(10)
        servers.kill(FULL)
        filler.unlink()
        servers.start(FULL)
        until(servers.answer, 60)
        placed.place()
        until(cluster.all_agree, 60)
        placed.rest_everywhere()
        servers.kill(FULL)


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_leader_whose_clock_jumps_goes_on(cluster: Machines, seconds: int) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("faketime is not installed")
    said = cluster.place / "time"
    said.write_text("+0")
    env = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(said),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    cluster.start(0, env=env)
    until(lambda: "serving" in cluster.said(0), 90)
    for number in (1, 2):
        cluster.start(number)
    placed = Placed(cluster)
    placed.place()
    assert cluster.leader() == 0
    said.write_text(f"{seconds:+d}")
    placed.place()
    time.sleep(2)
    placed.place()
    assert cluster.leader() == 0
    # Who leads next has a clock that did not jump.
    cluster.end(0, signal.SIGKILL)
    placed.place()
    cluster.start(0)
    until(cluster.all_agree, 60)
    placed.rest_everywhere()


@pytest.mark.parametrize("how", ["is_cut", "is_deaf"])
def test_a_leader_that_is_cut_off_from_the_log_leads_no_more(cluster: Machines, how: str) -> None:
    wires = Wires([server.url for server in cluster.servers.servers])
    try:
        file = cluster.with_servers("wired.toml", wires.urls)
        cluster.start(0, file=file)
        until(lambda: "serving" in cluster.said(0), 90)
        for number in (1, 2):
            cluster.start(number)
        placed = Placed(cluster)
        placed.place()
        assert cluster.leader() == 0
        setattr(wires, how, True)
        placed.place()
        # It says so itself, though perhaps late on a busy machine.
        until(lambda: any(at.part != "leads" for at in [cluster.status(0)] if at), 30)
        placed.place()
        setattr(wires, how, False)
        until(cluster.all_agree, 60)
        placed.place()
        placed.rest_everywhere()
    finally:
        wires.close()
