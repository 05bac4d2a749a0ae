"""A cluster on one machine, for a trial: three servers of a log, and nodes that follow it.

It protects against the death of processes and against nothing else, and says so. What ends by
itself is started again; whoever ends the trial ends all of it.
"""

import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from solvent.cli.cluster.settings import (
    ClusterSettings,
    LogServer,
    NodePlace,
    read_cluster,
    write_cluster,
)
from solvent.cli.progress import say
from solvent.cluster.peers import SECRET_BYTES
from solvent.domain.errors import InputError

LOGS = 3
FILE = "cluster.toml"
SERVER = "nats-server"
LOOK_SECONDS = 0.2
AGAIN_SECONDS = 1.0
END_SECONDS = 15.0
PRIVATE = 0o700


class Trial:
    """The processes of a trial in a folder; `options` are those of `up` that each node is given."""

    def __init__(self, folder: Path, settings: ClusterSettings, options: list[str]) -> None:
        self.folder = folder
        self.settings = settings
        self._options = options
        self._binary = _server_binary()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._began: dict[str, float] = {}
        self._is_ending = False

    def run(self) -> int:
        """Keep all of it running until told to end; return the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        names = [f"log-{each}" for each in range(LOGS)]
        names += [f"node-{each}" for each in range(len(self.settings.nodes))]
        try:
            while not self._is_ending:
                for name in names:
                    self._keep(name)
                time.sleep(LOOK_SECONDS)
        finally:
            # The nodes first, so that they can say to their clients that they go.
            for kind in ("node", "log"):
                self._stop([name for name in self._processes if name.startswith(kind)])
        return 0

    def _end(self, *_: object) -> None:
        self._is_ending = True

    def _keep(self, name: str) -> None:
        """Start what does not run."""
        process = self._processes.get(name)
        if process is not None and process.poll() is None:
            return
        if process is not None:
            if time.monotonic() - self._began[name] < AGAIN_SECONDS:
                return
            say(f"{name} ended ({process.returncode}); it is started again")
        kind, _, number = name.partition("-")
        command = self.log_command(int(number)) if kind == "log" else self._node(int(number))
        self._processes[name] = subprocess.Popen(command, start_new_session=True)
        self._began[name] = time.monotonic()

    def _node(self, number: int) -> list[str]:
        host, _, port = self.settings.nodes[number].url.removeprefix("http://").rpartition(":")
        return [
            *(sys.executable, "-m", "solvent.cli", "up"),
            *("--folder", str(self.folder / f"node-{number}"), "--host", host, "--port", port),
            *("--cluster", str(self.settings.file), "--node", str(number)),
            *self._options,
        ]

    def log_command(self, number: int) -> list[str]:
        """What starts a server of the log."""
        place = self.folder / f"log-{number}"
        return [self._binary, "-c", str(place / "nats.conf"), "-l", str(place / "log")]

    def _stop(self, names: list[str]) -> None:
        """End these and wait until they have."""
        for name in names:
            if self._processes[name].poll() is None:
                self._processes[name].terminate()
        for name in names:
            try:
                self._processes[name].wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._processes[name].kill()


def begin_trial(folder: Path, nodes: int, host: str, port: int, head: bytes) -> ClusterSettings:
    """The cluster of a folder, made where it is not there yet. Raises InputError."""
    file = folder / FILE
    if file.exists():
        found = read_cluster(file)
        if len(found.nodes) != nodes:
            reason = f"has {len(found.nodes)} nodes; give --cluster {len(found.nodes)}"
            raise InputError(str(file), "node", reason)
        return found
    if folder.exists() and any(folder.iterdir()):
        raise InputError(str(folder), "--folder", "holds no cluster; name a new or empty one")
    folder.mkdir(parents=True, exist_ok=True)
    ports = iter(_free_ports(3 * LOGS + nodes))
    clients, routes, monitors = ([next(ports) for _ in range(LOGS)] for _ in range(3))
    log = []
    for number in range(LOGS):
        _configure(folder / f"log-{number}", number, clients[number], routes, monitors[number])
        client, monitor = clients[number], monitors[number]
        log.append(LogServer(f"nats://127.0.0.1:{client}", f"http://127.0.0.1:{monitor}"))
    places = tuple(
        NodePlace(f"http://{host}:{port + number}", f"http://{host}:{next(ports)}")
        for number in range(nodes)
    )
    secret = secrets.token_bytes(SECRET_BYTES)
    settings = ClusterSettings(file, head, secret, tuple(log), places, all_on_one=True)
    write_cluster(settings)
    return settings


def _server_binary() -> str:
    """The log's server. Raises InputError where there is none."""
    beside = Path(sys.executable).with_name(SERVER)
    found = str(beside) if beside.exists() else shutil.which(SERVER)
    if found is None:
        raise InputError("--cluster", SERVER, "is not there; install solvent[cluster]")
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _configure(place: Path, number: int, client: int, routes: list[int], monitor: int) -> None:
    place.mkdir(parents=True)
    others = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
    lines = [
        f"server_name: log-{number}",
        f"listen: 127.0.0.1:{client}",
        f"http: 127.0.0.1:{monitor}",
        f'jetstream {{ store_dir: "{place / "store"}", sync_interval: always }}',
        f"cluster {{ name: solvent, listen: 127.0.0.1:{routes[number]}, routes: [{others}] }}",
    ]
    (place / "nats.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    place.chmod(PRIVATE)
