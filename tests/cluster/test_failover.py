"""A real cluster: processes, a real log, a real client that knows only a list of addresses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import ccxt
import pytest

from solvent.lab.live.keys import demo_keys
from tests.cluster.nats_servers import free_ports, until

pytestmark = pytest.mark.slow
NODES = 3
KILLS = 3
ORDERS = 12
"""Orders between two kills."""


class Clients:
    """ccxt as it is, one for each address, asked in turn until one answers."""

    def __init__(self, ports: list[int]) -> None:
        user = next(key for key in demo_keys(1) if not key.staff)
        self.all = [
            ccxt.backpack(
                {
                    "apiKey": user.public,
                    "secret": user.secret,
                    "timeout": 3000,
                    "enableRateLimit": False,
                    "urls": {"api": dict.fromkeys(("public", "private"), _url(port))},
                }
            )
            for port in ports
        ]

    @classmethod
    def of(cls, clients: list[Any]) -> Self:
        """These."""
        made = cls([])
        made.all = clients
        return made

    def ask(self, question: Callable[[Any], Any]) -> tuple[int, Any]:
        """Which node answered, and what."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for number, client in enumerate(self.all):
                try:
                    return number, question(client)
                except (ccxt.NetworkError, ccxt.ExchangeError):
                    continue
            time.sleep(0.05)
        raise AssertionError("nobody answered")


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _ports() -> int:
    """The first of some ports in a row that nobody listens on."""
    while True:
        first = free_ports(1)[0]
        try:
            for port in range(first, first + NODES):
                free_ports_at(port)
        except OSError:
            continue
        return first


def free_ports_at(port: int) -> None:
    import socket

    socket.create_server(("127.0.0.1", port)).close()


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    port = _ports()
    folder = tmp_path / "market"
    command = [
        *(sys.executable, "-m", "solvent.cli", "up", "--demo", "--accounts", "40"),
        *("--cluster", str(NODES), "--folder", str(folder), "--port", str(port)),
    ]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            until(lambda: (tmp_path / "said").read_text().count("serving demo-market") == NODES, 60)
            yield folder, port
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    assert "protects\nsolvent: against the death of processes" in (tmp_path / "said").read_text()


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
    pattern = f"cli up --folder {folder}/node-{number} "
    said = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[0])
