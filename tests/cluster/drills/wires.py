"""Wires between a node and the servers of its log, which a test may cut in either direction."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import closing, suppress

HELD_SECONDS = 0.02
PIECE = 65_536


class Wires:
    """A proxy for each server. While `is_cut` nothing arrives anywhere; `is_deaf`: at the node."""

    def __init__(self, servers: Sequence[str]) -> None:
        self.is_cut = self.is_deaf = False
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.urls = [
            asyncio.run_coroutine_threadsafe(self._open(server), self._loop).result()
            for server in servers
        ]

    def close(self) -> None:
        """Let go of all connections."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, server: str) -> str:
        host, _, port = server.removeprefix("nats://").rpartition(":")

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # A task that is cancelled here would be an error of the server's own.
            with suppress(OSError, asyncio.CancelledError), closing(writer):
                other_reader, other_writer = await asyncio.open_connection(host, int(port))
                there = self._carry(reader, other_writer, is_to_node=False)
                back = self._carry(other_reader, writer, is_to_node=True)
                with closing(other_writer):
                    await asyncio.gather(there, back)

        made = await asyncio.start_server(connected, "127.0.0.1", 0)
        self._servers.append(made)
        return f"nats://127.0.0.1:{made.sockets[0].getsockname()[1]}"

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_to_node: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                while self.is_cut or (self.is_deaf and is_to_node):
                    await asyncio.sleep(HELD_SECONDS)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        mine = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task is not mine:
                task.cancel()
        await asyncio.sleep(HELD_SECONDS)
