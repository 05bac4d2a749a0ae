"""What an operator does with a cluster, done to one that runs."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from solvent.journal.segments import segment_path
from tests.cli.helpers import solvent
from tests.cluster.machines import Machines, machines
from tests.cluster.nats_servers import free_ports, until

pytestmark = pytest.mark.slow
DIFFERING = """
import sys
from solvent.engine.engine import FastEngine
from solvent.service.core.market import Market
check = Market._check
def differ(self, plan, results):
    self.engine.state_hash = lambda: "0" * 64
    return check(self, plan, results)
from solvent.service.core import market
market._SETTLING[market.RecordKind.CHECK] = differ
from solvent.cli import main
sys.exit(main())
"""
"""A node that comes to another state than the others wherever states are compared."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Machines]:
    with machines(tmp_path) as made:
        made.start_all("--snapshot-every", "100")
        yield made


def order(client: Any) -> Any:
    return client.create_order("SOL/USDC", "limit", "buy", 0.01, 90)


def place_some(cluster: Machines, count: int = 5) -> set[str]:
    return {cluster.clients().ask(order)[1]["id"] for _ in range(count)}


def rests(cluster: Machines, number: int, placed: set[str]) -> bool:
    _, found = cluster.clients([number]).ask(lambda one: one.fetch_open_orders("SOL/USDC"))
    return placed <= {each["id"] for each in found}


def is_whole(cluster: Machines) -> bool:
    return solvent("cluster", "check", str(cluster.file)).returncode == 0


def add(cluster: Machines, url: str, peer: str) -> subprocess.CompletedProcess[str]:
    return solvent("cluster", "add", str(cluster.file), "--url", url, "--peer", peer)


def comes_in(cluster: Machines, number: int, placed: set[str]) -> None:
    cluster.start(number)
    until(lambda: "serving" in cluster.said(number), 60)
    placed |= place_some(cluster)
    until(lambda: rests(cluster, number, placed), 30)
    until(lambda: is_whole(cluster), 30)


def test_a_node_is_added_empty_and_another_from_a_backup(cluster: Machines) -> None:
    placed, ports = place_some(cluster), free_ports(4)
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    done = add(cluster, *urls[:2])
    assert (done.returncode, "node 3 is in it now" in done.stdout) == (0, True), done
    again = add(cluster, *urls[:2])
    assert (again.returncode, "of a node already" in again.stderr) == (2, True), again
    cluster.read_again()
    comes_in(cluster, 3, placed)
    assert add(cluster, *urls[2:]).returncode == 0
    cluster.read_again()
    backup = cluster.place / "backup"
    assert solvent("backup", cluster.folder(0), backup).returncode == 0
    assert solvent("restore", backup, cluster.folder(4)).returncode == 0
    comes_in(cluster, 4, placed)
    # The new ones lead as well as the others.
    for number in range(3):
        cluster.end(number)
    assert cluster.leader() in (3, 4)
    assert place_some(cluster)


def test_a_node_whose_journal_is_damaged_is_repaired(cluster: Machines) -> None:
    placed, number = place_some(cluster), (cluster.leader() + 1) % 3
    words = ["cluster", "repair", str(cluster.file), "--node", str(number)]
    words += ["--folder", str(cluster.folder(number))]
    running = solvent(*words)
    assert (running.returncode, "has this journal open" in running.stderr) == (2, True)
    cluster.end(number, signal.SIGKILL)
    segment = segment_path(cluster.folder(number) / "journal", 1)
    content = bytearray(segment.read_bytes())
    content[20] ^= 1
    segment.write_bytes(content)
    refused = cluster.start(number)
    assert refused.wait(60) == 2
    assert "restore the file from a copy" in cluster.said(number)
    assert not is_whole(cluster)
    done = solvent(*words)
    assert done.returncode == 0, done.stderr
    (aside,) = cluster.folder(number).glob("set-aside-*")
    assert (aside / "journal" / segment.name).read_bytes() == bytes(content)
    assert str(aside) in done.stdout
    cluster.start(number)
    until(lambda: rests(cluster, number, placed), 60)
    until(lambda: is_whole(cluster), 30)


def test_a_node_that_differs_stops_says_what_to_do_and_keeps_both(cluster: Machines) -> None:
    number = (cluster.leader() + 1) % 3
    cluster.end(number)
    shutil.rmtree(cluster.folder(number))
    odd = cluster.start(number, entry=("-c", DIFFERING))
    placed = place_some(cluster)
    assert odd.wait(60) != 0
    assert "solvent cluster repair" in cluster.said(number)
    assert len(list(cluster.folder(number).glob("differs-*"))) == 1
    place_some(cluster)
    cluster.start(number)
    until(lambda: rests(cluster, number, placed), 60)
    until(lambda: is_whole(cluster), 30)
