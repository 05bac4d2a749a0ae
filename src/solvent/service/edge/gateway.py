"""A gateway: a process that listens at the market's address beside others.

    python -m solvent.service.edge.gateway DESCRIPTOR

The descriptor is one end of a line to the writer's process, which says everything else. A gateway
ends when it is told to, and when the line ends: then nobody could say what becomes of a request.
"""

import asyncio
import gc
import signal
import socket
import sys

from solvent.service.api.buckets import Buckets, Rate
from solvent.service.api.front import Front
from solvent.service.api.http import App, NoFiles
from solvent.service.core.node import COLLECTION
from solvent.service.edge.frames import (
    End,
    FromWriter,
    Message,
    Over,
    Ready,
    Settings,
    Spent,
    from_writer,
)
from solvent.service.edge.line import Line
from solvent.service.edge.relay import Relay
from solvent.service.edge.remote import Remote
from solvent.service.listening import Address, allow_open_files, listening
from solvent.service.logs import set_up_logs
from solvent.service.proxies import Proxies
from solvent.service.routes.all import ENDPOINTS

POLL_SECONDS = 0.01
FINISH_SECONDS = 2.0
"""How long requests may take that are under way at the end."""
LOST_SECONDS = 0.5
"""The same where the line has ended and they are all told so."""


class Edge:
    """What a gateway serves: made of what the writer says first."""

    def __init__(self, settings: Settings, line: Line[FromWriter]) -> None:
        origins, hosts, proxies, has_proxy_line = settings.front
        self.front = Front(origins, hosts, proxies, has_proxy_line)
        self.address = Address(settings.host, settings.port)
        known = Proxies(proxies)
        self._buckets = Buckets({kind: Rate(*rate) for kind, rate in settings.rates.items()})
        self._remote = Remote(settings, line)
        self._relay = Relay(line, known)
        self.app = App(
            self._remote,
            [each for each in ENDPOINTS if each.needs_no_market],
            self._buckets,
            self._relay,
            self.front,
            known,
            NoFiles(),
            beyond=self._relay,
        )

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return not (self._remote.waiting or self._relay.waiting)

    def hear(self, frame: FromWriter) -> None:
        """What the writer says after that."""
        if isinstance(frame, Message | Over):
            self._relay.hear(frame)
        elif isinstance(frame, Spent):
            for payment in frame.paid:
                self._buckets.charge(payment.kind, payment.name, payment.tokens)
        elif not isinstance(frame, Settings | End):
            self._remote.hear(frame)

    def lose(self) -> None:
        """Nothing is said any more."""
        self._remote.lose()
        self._relay.lose()


class Gateway:
    """The process: a line, and what is served once its first frame has come."""

    def __init__(self) -> None:
        self._line: Line[FromWriter] = Line(from_writer, self._hear, self._lose)
        self._edge: Edge | None = None
        self._has_begun = asyncio.Event()
        self._is_to_end = asyncio.Event()

    async def run(self, end: socket.socket) -> None:
        """Listen until the writer says to end, or is gone."""
        await self._line.open(end)
        await self._has_begun.wait()
        if self._edge is None:
            return
        edge = self._edge
        async with listening(edge.app, edge.address, edge.front, is_shared=True):
            gc.freeze()
            gc.set_threshold(*COLLECTION)
            self._line.send(Ready())
            await self._is_to_end.wait()
            seconds = LOST_SECONDS if self._line.has_ended else FINISH_SECONDS
            rest = asyncio.get_running_loop().time() + seconds
            while not edge.is_idle and asyncio.get_running_loop().time() < rest:
                await asyncio.sleep(POLL_SECONDS)
        self._line.close()

    def _hear(self, frame: FromWriter) -> None:
        if isinstance(frame, Settings):
            set_up_logs(access=frame.logs_access)
            self._edge = Edge(frame, self._line)
            self._has_begun.set()
        elif isinstance(frame, End):
            self._is_to_end.set()
        elif self._edge is not None:
            self._edge.hear(frame)

    def _lose(self) -> None:
        if self._edge is not None:
            self._edge.lose()
        self._has_begun.set()
        self._is_to_end.set()


async def _run(end: socket.socket) -> None:
    await Gateway().run(end)


def main(descriptor: int) -> None:
    """Be a gateway."""
    # The writer's process is told to end, and ends the line when that is time.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    allow_open_files()
    with socket.socket(fileno=descriptor) as end:
        asyncio.run(_run(end))


if __name__ == "__main__":
    main(int(sys.argv[1]))
