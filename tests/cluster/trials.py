"""A trial of a cluster: its processes, and clients that know only a list of addresses."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import ccxt

from solvent.lab.live.keys import demo_keys
from tests.cluster.nats_servers import free_ports, until

NODES = 3


class Clients:
    """ccxt as it is, one for each address, asked in turn until one answers."""

    def __init__(self, ports: Sequence[int], timeout_ms: int = 3000) -> None:
        user = next(key for key in demo_keys(1) if not key.staff)
        self.all = [
            ccxt.backpack(
                {
                    "apiKey": user.public,
                    "secret": user.secret,
                    "timeout": timeout_ms,
                    "enableRateLimit": False,
                    "urls": {"api": dict.fromkeys(("public", "private"), url_of(port))},
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
        end, said = time.monotonic() + 60, [""] * len(self.all)
        while time.monotonic() < end:
            for number, client in enumerate(self.all):
                try:
                    return number, question(client)
                except (ccxt.NetworkError, ccxt.ExchangeError) as error:
                    said[number] = repr(error)
            time.sleep(0.05)
        raise AssertionError(f"nobody answered: {said}")


def url_of(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def ports_in_a_row() -> int:
    """The first of some ports in a row that nobody listens on."""
    while True:
        first = free_ports(1)[0]
        try:
            for port in range(first, first + NODES):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first


@contextmanager
def running(place: Path) -> Iterator[tuple[Path, int]]:
    """The folder of a trial that serves, and the port of its first node."""
    port, folder, told = ports_in_a_row(), place / "market", place / "said"
    command = [
        *(sys.executable, "-m", "solvent.cli", "up", "--demo", "--accounts", "40"),
        *("--cluster", str(NODES), "--folder", str(folder), "--port", str(port)),
    ]
    with told.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            until(lambda: told.read_text().count("serving demo-market") == NODES, 90)
            yield folder, port
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    assert "protects\nsolvent: against the death of processes" in told.read_text()


def pid_of(folder: Path, name: str) -> int | None:
    """The process of node-0, log-2 and so on, if it runs."""
    what = (
        f"cli up --folder {folder}/{name} " if name.startswith("node") else f"{folder}/{name}/nats"
    )
    said = subprocess.run(["pgrep", "-f", what], capture_output=True, text=True, check=False)
    return int(said.stdout.split()[0]) if said.stdout else None
