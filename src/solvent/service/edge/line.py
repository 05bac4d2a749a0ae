"""A line: frames over a pair of sockets, both ways, in the order in which they were sent.

What is sent in one turn of the loop goes to the system in one piece.
"""

import asyncio
import socket
from collections.abc import Callable
from struct import Struct
from typing import Generic, TypeVar

import msgspec

from solvent.service.edge.frames import AnyFrame, encode_frame

Heard = TypeVar("Heard")
_SIZE = Struct("<I")


class Line(asyncio.Protocol, Generic[Heard]):
    """One end; `hear` is told of each frame that comes, `on_end` when no more can."""

    def __init__(
        self,
        decoder: "msgspec.msgpack.Decoder[Heard]",
        hear: Callable[[Heard], object],
        on_end: Callable[[], object],
    ) -> None:
        self._decoder = decoder
        self._hear = hear
        self._on_end = on_end
        self._in = bytearray()
        self._out: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None
        self._loop = asyncio.get_running_loop()
        self.has_ended = False

    async def open(self, end: socket.socket) -> None:
        """Begin, with one socket of the pair."""
        end.setblocking(False)
        await self._loop.create_connection(lambda: self, sock=end)

    def send(self, frame: AnyFrame) -> None:
        """Send a frame; nothing, when the line has ended."""
        if self.has_ended:
            return
        if not self._out:
            self._loop.call_soon(self._flush)
        data = encode_frame(frame)
        self._out += (_SIZE.pack(len(data)), data)

    def close(self) -> None:
        """End, when what was sent is gone."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out and self._transport is not None and not self.has_ended:
            self._transport.write(b"".join(out))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        """Of asyncio."""
        self.has_ended = True
        self._on_end()

    def data_received(self, data: bytes) -> None:
        """Of asyncio."""
        held = self._in
        held += data
        place = 0
        while len(held) - place >= _SIZE.size:
            end = place + _SIZE.size + _SIZE.unpack_from(held, place)[0]
            if len(held) < end:
                break
            frame = self._decoder.decode(bytes(held[place + _SIZE.size : end]))
            place = end
            self._hear(frame)
        del held[:place]
