"""A real cluster: processes, a real log, a real client that knows only a list of addresses."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ccxt
import pytest

from tests.cli.helpers import solvent
from tests.cluster.nats_servers import until
from tests.cluster.trials import NODES, Clients, pid_of, running

pytestmark = pytest.mark.slow
KILLS = 3
SILENCE = 1.0
"""Without a word of the leader a follower stands no sooner, seconds."""
ORDERS = 12
"""Orders between two kills."""


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    with running(tmp_path) as served:
        yield served


def test_kill_9_of_the_leader_loses_and_doubles_nothing(trial: tuple[Path, int]) -> None:
    folder, port = trial
    clients = Clients([port + number for number in range(NODES)])
    placed: list[str] = []
    leaders, leader = [], 0
    for kill in range(KILLS + 1):
        for _ in range(ORDERS):
            leader, order = clients.ask(
                lambda client: client.create_order("SOL/USDC", "limit", "buy", 0.01, 100)
            )
            placed.append(order["id"])
        leaders.append(leader)
        if kill < KILLS:
            os.kill(_pid(folder, leader), signal.SIGKILL)
    _every_node_knows_what_is_named(clients)
    # A client may have placed one that it was not told of, and placed it again: never fewer.
    until(lambda: _agree(clients, set(placed)), 60)
    assert len(set(placed)) == len(placed) == ORDERS * (KILLS + 1)
    assert len(set(leaders)) > 1


def test_a_leader_hands_over_where_it_is_told_to_and_where_it_ends(
    trial: tuple[Path, int],
) -> None:
    folder, port = trial
    clients = Clients([port + number for number in range(NODES)])
    file = str(folder / "cluster.toml")
    first, _ = clients.ask(_ordering)
    until(lambda: solvent("cluster", "check", file).returncode == 0, 60)
    handed = solvent("cluster", "hand-over", file)
    assert handed.returncode == 0, handed.stderr
    found = re.fullmatch(r"node (\d) leads in epoch \d+, after (\d\.\d\d) s\n", handed.stdout)
    assert found is not None, handed.stdout
    second, took = int(found[1]), float(found[2])
    assert (second != first, took < SILENCE) == (True, True), handed.stdout
    assert clients.ask(_ordering)[0] == second
    os.kill(_pid(folder, second), signal.SIGTERM)
    began = time.monotonic()
    until(lambda: _leader(file) not in (None, second), 60)
    # It takes a second and more to ask, and the node that ends goes on ending meanwhile.
    assert time.monotonic() - began < 4
    until(lambda: solvent("cluster", "check", file).returncode == 0, 60)
    shown = solvent("cluster", "check", file).stdout
    assert (shown.count("follows"), shown.endswith("all have the same\n")) == (2, True)


def _ordering(client: Any) -> Any:
    return client.create_order("SOL/USDC", "limit", "buy", 0.01, 98)


def _leader(file: str) -> int | None:
    found = re.search(r"node (\d)  leads", solvent("cluster", "status", file).stdout)
    return None if found is None else int(found[1])


def _every_node_knows_what_is_named(clients: Clients) -> None:
    """An order that one node acknowledged is read on another that is asked for its sequence."""
    leader, order = clients.ask(
        lambda client: client.create_order("SOL/USDC", "limit", "buy", 0.01, 99)
    )
    sequence = clients.all[leader].last_response_headers["x-solvent-sequence"]
    for client in clients.all:
        client.headers = {"X-Solvent-Min-Sequence": sequence}
        others = Clients.of([client])
        _, found = others.ask(lambda one: one.fetch_open_orders("SOL/USDC"))
        assert order["id"] in {each["id"] for each in found}
        client.headers = {}
    clients.ask(lambda client: client.cancel_order(order["id"], "SOL/USDC"))


def _agree(clients: Clients, placed: set[str]) -> bool:
    """Whether every node knows the same open orders, and all that were acknowledged."""
    found = []
    for client in clients.all:
        try:
            found.append({order["id"] for order in client.fetch_open_orders("SOL/USDC")})
        except (ccxt.NetworkError, ccxt.ExchangeError):
            return False
    return all(each == found[0] and placed <= each for each in found)


def _pid(folder: Path, number: int) -> int:
    found = pid_of(folder, f"node-{number}")
    assert found is not None
    return found
