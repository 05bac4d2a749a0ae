"""The gate: connections that a proxy passes on as they are, with a PROXY line before them.

The HTTP server below does not know that protocol, so the gate listens in its place, reads versions
1 and 2, and passes the bytes on to the server on a loopback port of its own. Who really asks is
told to `proxies` by the port from which the gate connects. A connection that comes from no trusted
proxy, or does not begin as it must, is ended: without its line nobody knows whose it is.
"""

import asyncio
import ipaddress
from collections import Counter
from contextlib import suppress
from struct import Struct

from solvent.service import limits
from solvent.service.proxies import Proxies, counted_as

_LINE_BYTES = 107
"""The longest line of version 1, with its end."""
_MAGIC = b"\r\n\r\n\x00\r\nQUIT\n"
_HEAD = Struct("!BBH")
_ADDRESSES = {0x11: Struct("!4s4sHH"), 0x21: Struct("!16s16sHH")}
_LOCAL, _PROXY = 0x20, 0x21
_MOST = 536
"""The longest block after a head of version 2 that is read."""
_CHUNK = 64 * 1024


class ProxyLineError(ValueError):
    """What came first is no PROXY line."""


class Gate:
    """Listens for a server that listens at `inner`, a port of loopback."""

    def __init__(self, proxies: Proxies, inner: int) -> None:
        self._proxies = proxies
        self._inner = inner
        self._places: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int, *, is_shared: bool = False) -> None:
        """Begin to listen, beside other processes at an address that `is_shared`."""
        self._server = await asyncio.start_server(
            self._pass,
            host,
            port,
            backlog=limits.BACKLOG,
            limit=_CHUNK,
            reuse_port=is_shared or None,
        )

    async def close(self) -> None:
        """End, with all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._from(reader, writer)
        except (OSError, ProxyLineError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _from(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer: str = writer.get_extra_info("peername")[0]
        if not self._proxies.is_one(peer):
            raise ProxyLineError
        async with asyncio.timeout(limits.HEADER_MS / 1000):
            host = await read_line(reader) or peer
        is_client = not self._proxies.is_one(host)
        counted = counted_as(host)
        if is_client and self._places[counted] >= limits.CONNECTIONS_OF_ADDRESS:
            raise ProxyLineError
        self._places[counted] += 1
        try:
            await self._splice(host, reader, writer)
        finally:
            self._places[counted] -= 1
            if not self._places[counted]:
                del self._places[counted]

    async def _splice(
        self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._inner, limit=_CHUNK)
        port: int = back.get_extra_info("sockname")[1]
        self._proxies.tell(port, host)
        ways = [
            asyncio.create_task(_copy(reader, back)),
            asyncio.create_task(_copy(there, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._proxies.tell(port, None)
            back.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


async def read_line(reader: asyncio.StreamReader) -> str | None:
    """The client's address of a PROXY line of version 1 or 2; None where it names none.

    Raises ProxyLineError for what is none, and IncompleteReadError.
    """
    begun = await reader.readexactly(len(_MAGIC))
    if begun == _MAGIC:
        return await _second(reader)
    if not begun.startswith(b"PROXY "):
        raise ProxyLineError
    while not begun.endswith(b"\r\n"):
        if len(begun) >= _LINE_BYTES:
            raise ProxyLineError
        begun += await reader.readexactly(1)
    words = begun.decode("latin-1").split()
    if words[1:2] == ["UNKNOWN"]:
        return None
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):  # noqa: PLR2004
        raise ProxyLineError
    return _shown(words[2])


async def _second(reader: asyncio.StreamReader) -> str | None:
    command, family, size = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if size > _MOST or command not in (_LOCAL, _PROXY):
        raise ProxyLineError
    block = await reader.readexactly(size)
    addresses = _ADDRESSES.get(family)
    if command == _LOCAL or addresses is None:
        return None
    if size < addresses.size:
        raise ProxyLineError
    return _shown(addresses.unpack_from(block)[0])


def _shown(address: bytes | str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        raise ProxyLineError from None
