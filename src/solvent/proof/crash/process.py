"""A launch: one process that serves a market as `solvent up` does.

It says over a pipe where it listens once it serves. It ends when it is killed or told to, and also
when the process at the other end of the pipe is gone.
"""

import asyncio
import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from solvent.service.core.opening import Start, open_node
from solvent.service.listening import Address
from solvent.service.logs import set_up_logs
from solvent.service.serve import serve

LOOPBACK = "127.0.0.1"
LOG = "log"
"""What a market's processes logged, in its folder."""
ARCHIVE = "archive"
SEGMENT_BYTES = 32 * 1024
"""So short that segments leave the journal in the life of a market."""


class Launch(NamedTuple):
    """The folder of a market, how it begins, and every how many records a snapshot is written.

    What the journal no longer needs leaves for the folder's own archive.
    """

    folder: Path
    start: Start
    snapshot_every: int

    @property
    def archive(self) -> Path:
        """The archive."""
        return self.folder / ARCHIVE


def serve_until_killed(launch: Launch, pipe: Connection) -> None:
    """Serve until told to end; the exit code is the service's."""
    launch.folder.mkdir(exist_ok=True)
    log = os.open(launch.folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for output in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(log, output)
    set_up_logs()
    node = open_node(
        launch.folder,
        launch.start,
        snapshot_every=launch.snapshot_every,
        archive=launch.archive,
        segment_bytes=SEGMENT_BYTES,
    )

    async def ready(address: Address) -> None:
        # The other end says nothing: it can only close.
        asyncio.get_running_loop().add_reader(pipe.fileno(), signal.raise_signal, signal.SIGTERM)
        pipe.send(address.port)

    sys.exit(asyncio.run(serve(node, Address(LOOPBACK, 0), on_ready=ready)))
