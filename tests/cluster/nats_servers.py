"""Three real NATS servers on loopback, which a test may kill, pause, set weaker and damage."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from solvent.cluster.log import LogError
from solvent.cluster.nats_settings import REPLICAS, Server, ask_stores

BINARY = Path(sys.executable).parent / "nats-server"
STOP_SECONDS = 10.0
STORE = "js"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class NatsServers:
    """Servers in folders of their own below `folder`; `sync` is their sync_interval.

    `more` are further settings of each, and `access` is what stands before the host in its address.
    """

    def __init__(
        self, folder: Path, *, sync: str = "always", more: str = "", access: str = "nats://"
    ) -> None:
        ports = free_ports(3 * REPLICAS)
        self._clients, self._routes = ports[:REPLICAS], ports[REPLICAS : 2 * REPLICAS]
        self._monitors = ports[2 * REPLICAS :]
        self.folder = folder
        self.servers = [
            Server(f"{access}127.0.0.1:{client}", f"http://127.0.0.1:{monitor}")
            for client, monitor in zip(self._clients, self._monitors, strict=True)
        ]
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * REPLICAS
        for number in range(REPLICAS):
            self._configure(number, sync, more)
            self.start(number)
        try:
            until(self.answer)
        except AssertionError:
            self.close()
            raise

    def answer(self) -> bool:
        """Whether all of them answer about themselves."""
        try:
            ask_stores(self.servers, "none")
        except LogError:
            return False
        return True

    def wipe(self, number: int) -> None:
        """Remove the copy of a server that does not run."""
        shutil.rmtree(self.store(number))

    def start(self, number: int) -> None:
        """Start a server."""
        place = self.folder / str(number)
        self._processes[number] = subprocess.Popen(
            [BINARY, "-c", place / "nats.conf", "-l", place / "log"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GOMAXPROCS": "2"},
        )

    def kill(self, number: int, sign: int = signal.SIGKILL) -> None:
        """Send a server a signal; wait for its end unless it is one to pause by."""
        process = self._processes[number]
        assert process is not None
        process.send_signal(sign)
        if sign not in (signal.SIGSTOP, signal.SIGCONT):
            process.wait(STOP_SECONDS)
            self._processes[number] = None

    def pid(self, number: int) -> int:
        """The process of a server."""
        process = self._processes[number]
        assert process is not None
        return process.pid

    def store(self, number: int) -> Path:
        """Where a server keeps its copy."""
        return self.folder / str(number) / STORE

    def close(self) -> None:
        """End them all."""
        for process in self._processes:
            if process is not None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self, number: int, sync: str, more: str) -> None:
        place = self.folder / str(number)
        place.mkdir(parents=True)
        routes = ", ".join(f"nats://127.0.0.1:{port}" for port in self._routes)
        (place / "nats.conf").write_text(
            f"""
            server_name: n{number}
            listen: 127.0.0.1:{self._clients[number]}
            http: 127.0.0.1:{self._monitors[number]}
            jetstream {{ store_dir: "{place / STORE}", sync_interval: {sync} }}
            cluster {{
                name: c, listen: 127.0.0.1:{self._routes[number]}, routes: [{routes}]
                no_advertise: true
            }}
            {more}
            """,
            encoding="utf-8",
        )


def until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is so. Raises AssertionError where it is not in time."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
