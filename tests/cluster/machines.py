"""Nodes and log servers as they stand on machines: a process each, which nobody starts again."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from solvent.cli.cluster.settings import (
    ClusterSettings,
    LogServer,
    NodePlace,
    read_cluster,
    write_cluster,
)
from solvent.cli.live import STAFF_SECRET
from solvent.cluster.peers import NodeStatus, PeerError, ask_status
from solvent.domain.units import SECOND
from solvent.lab.live.driver import parameters_at
from solvent.lab.scenario.catalog import load_scenario
from solvent.service.core.clock import wall_clock
from solvent.service.core.opening import Start, head_of
from tests.cluster.nats_servers import NatsServers, free_ports, until
from tests.cluster.trials import NODES, Clients

STOP_SECONDS = 30.0
Entry = Sequence[str]
SOLVENT: Entry = ("-m", "solvent.cli")
"""What the interpreter is given to be `solvent`."""


class Machines:
    """A demo market on `NODES` nodes with the servers of its log, in folders below `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.servers = NatsServers(place / "nats")
        start = parameters_at(load_scenario("demo-market"), wall_clock() // SECOND * SECOND)
        log = tuple(LogServer(*each) for each in self.servers.servers)
        nodes = tuple(self._new_place() for _ in range(NODES))
        file, secret = place / "cluster.toml", secrets.token_bytes(32)
        self.settings = ClusterSettings(
            file, head_of(Start(start)), secret, log, nodes, all_on_one=True
        )
        write_cluster(self.settings)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def file(self) -> Path:
        """The cluster's file."""
        return self.settings.file

    def folder(self, number: int) -> Path:
        """What node N keeps."""
        return self.place / f"node-{number}"

    def said(self, number: int) -> str:
        """What node N printed in all its lives."""
        return (self.place / f"node-{number}.txt").read_text()

    def start(
        self,
        number: int,
        *,
        entry: Entry = SOLVENT,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        file: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a node, by another `entry` or by another cluster's `file` where one is given."""
        folder = self.folder(number)
        folder.mkdir(exist_ok=True)
        (folder / STAFF_SECRET).write_bytes(self.settings.secret)
        port = self.settings.nodes[number].url.rpartition(":")[2]
        command = [
            *(sys.executable, *entry, "up", "--demo", "--accounts", "40", "--port", port),
            *("--folder", str(folder), "--cluster", str(file or self.file), "--node", str(number)),
            *options,
        ]
        with (self.place / f"node-{number}.txt").open("ab") as said:
            self._processes[number] = subprocess.Popen(
                command,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )
        return self._processes[number]

    def start_all(self, *options: str) -> None:
        """Start every node, and wait until all serve."""
        for number in range(len(self.settings.nodes)):
            self.start(number, options=options)
        until(lambda: all("serving" in self.said(n) for n in self._processes), 90)

    def end(self, number: int, sign: int = signal.SIGTERM) -> int:
        """End a node, and say its exit code."""
        process = self._processes.pop(number)
        process.send_signal(sign)
        return process.wait(STOP_SECONDS)

    def send(self, number: int, sign: int) -> None:
        """Send a node a signal that does not end it."""
        self._processes[number].send_signal(sign)

    def pid(self, number: int) -> int:
        """The process of a node."""
        return self._processes[number].pid

    def with_servers(self, name: str, urls: Sequence[str]) -> Path:
        """A file of this cluster by which a node reaches the servers of the log elsewhere."""
        log = tuple(
            LogServer(url, server.monitor)
            for url, server in zip(urls, self.settings.log, strict=True)
        )
        made = self.settings._replace(file=self.place / name, log=log)
        write_cluster(made)
        return made.file

    def ended(self, number: int) -> int | None:
        """The exit code of a node that ended by itself; None while it runs."""
        return self._processes[number].poll()

    def status(self, number: int) -> NodeStatus | None:
        """What a node says of itself; None where it does not answer."""
        try:
            return ask_status(self.settings.nodes[number].peer, self.settings.secret)
        except PeerError:
            return None

    def leader(self) -> int:
        """The node that leads, once one does."""
        found: list[int] = []

        def is_found() -> bool:
            seen = {number: self.status(number) for number in self._processes}
            found[:] = [number for number, at in seen.items() if at and at.part == "leads"]
            return len(found) == 1

        until(is_found, 60)
        return found[0]

    def clients(self, numbers: Sequence[int] | None = None) -> Clients:
        """Clients of these nodes, or of all."""
        chosen = range(len(self.settings.nodes)) if numbers is None else numbers
        urls = [self.settings.nodes[number].url for number in chosen]
        return Clients([int(url.rpartition(":")[2]) for url in urls])

    def all_agree(self) -> bool:
        """Whether all nodes that run are near the end of the log."""
        seen = [self.status(number) for number in self._processes]
        known = [at.sequence for at in seen if at is not None]
        return len(known) == len(seen) and max(known) - min(known) < 20

    def read_again(self) -> None:
        """The file may have more nodes now."""
        self.settings = read_cluster(self.file)

    def close(self) -> None:
        """End all of it."""
        for process in self._processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        self.servers.close()

    def _new_place(self) -> NodePlace:
        serving, among = free_ports(2)
        return NodePlace(f"http://127.0.0.1:{serving}", f"http://127.0.0.1:{among}")


@contextmanager
def machines(place: Path) -> Iterator[Machines]:
    """Machines on which nothing runs yet but the servers of the log."""
    made = Machines(place)
    try:
        yield made
    finally:
        made.close()
