"""The door for whoever runs the service: health, readiness and metrics on a port of their own.

It has places of its own, so that it answers when strangers have taken all others. It is for a
private address; requests are read by hand, for there are three.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from solvent.service.limits import DOOR_BYTES, DOOR_PLACES, DOOR_SECONDS

Ask = Callable[[str], Awaitable[tuple[int, str, bytes]] | None]
"""Status, content type and body of what a path says; None where there is nothing."""
_PHRASES = {200: "OK", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"}


class Door:
    """Answers what `ask` knows."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._open = 0
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Begin; the port, chosen by the system where it is 0."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=DOOR_BYTES)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def close(self) -> None:
        """End."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= DOOR_PLACES:
                async with asyncio.timeout(DOOR_SECONDS):
                    await self._answer(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open -= 1
            with suppress(OSError):
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        words = head.partition(b"\r\n")[0].decode("latin-1").split()
        found = self._ask(words[1]) if words[:1] == ["GET"] and len(words) > 1 else None
        status, kind, body = (404, "text/plain", b"not found") if found is None else await found
        writer.write(
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
