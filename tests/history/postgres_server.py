"""A PostgreSQL server of its own for tests, in a temporary folder, gone afterwards."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

HOMES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
SERVICE_USER = "postgres"


class NoServerError(Exception):
    """There is no server here to be started; `str(error)` says why."""


def _program(name: str) -> str:
    for home in HOMES:
        if (home / name).exists():
            return str(home / name)
    found = shutil.which(name)
    if found is None:
        raise NoServerError(f"{name} is not installed")
    return found


def _as_nobody(folder: Path) -> list[str]:
    """What to put before a command: the server does not run as root."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam(SERVICE_USER)
    except KeyError as error:
        raise NoServerError(
            f"the server cannot run as root, nor is there {SERVICE_USER}"
        ) from error
    if shutil.which("setpriv") is None:
        raise NoServerError("the server cannot run as root, and setpriv is not installed")
    os.chown(folder, user.pw_uid, user.pw_gid)
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *identity, "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server(NamedTuple):
    """A server that a test may stop, pause and start again."""

    url: str
    data: Path
    control: Sequence[str]
    options: Sequence[str]

    def start(self) -> None:
        """Begin to serve."""
        log = self.data.parent / "log"
        _run([*self.control, *self.options, "-l", str(log), "-w", "start"], self.data.parent)

    def stop(self) -> None:
        """Be gone at once, as in a crash."""
        _run([*self.control, "-m", "immediate", "-w", "stop"], self.data.parent)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        first = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for each in (first, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(each, number)


@contextmanager
def running_server() -> Iterator[str]:
    """The address of an empty database. Raises NoServerError where none can be started."""
    with controlled_server() as server:
        yield server.url


@contextmanager
def controlled_server() -> Iterator[Server]:
    """A server with an empty database. Raises NoServerError where none can be started."""
    initdb, control = _program("initdb"), _program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="solvent-postgres-"))
    try:
        user = _as_nobody(folder)
        data, port = folder / "data", _free_port()
        _run([*user, initdb, "-D", str(data), "-U", "solvent", "-A", "trust", "--no-sync"], folder)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
        url = f"postgresql://solvent@127.0.0.1:{port}/postgres"
        server = Server(url, data, [*user, control, "-D", str(data)], ["-o", options])
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise NoServerError(f"{Path(command[-1]).name} failed: {done.stderr[-300:]}")
