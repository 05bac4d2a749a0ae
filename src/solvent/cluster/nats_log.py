"""A log in NATS JetStream: three servers, a frame a message, stored when a majority has synced it.

NATS is a courier. Its answer to a conditional append is relied on and nothing else is: reads may be
behind, and a store with a flipped bit is found by the frames themselves (`frames`) and by asking
each server for its own count (`nats_settings`). Settings weaker than those there are refused.

The client library runs on an event loop in a thread of its own; the methods here block.
"""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, Self, TypeVar

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from solvent.cluster.log import Appended, LogError, LogSilentError, Refused, Stored, Unknown
from solvent.cluster.nats_settings import (
    Server,
    Store,
    ask_stores,
    refuse_one_host,
    refuse_weak_servers,
    refuse_weak_stream,
    stream_config,
    stream_name,
)

LOG = logging.getLogger("solvent.cluster")
ANSWER_SECONDS = 0.5
"""After so long an append is unknown."""
OPEN_SECONDS = 10.0
MARGIN_SECONDS = 2.0
WRONG_LAST_SEQUENCE = 10071
"""The server's code for an append that expected another end of the stream."""
Found = TypeVar("Found")


class NatsLog:
    """The log of a market, as `Log`; `open` it and `close` it."""

    def __init__(self, servers: Sequence[Server], market: str) -> None:
        self.servers = tuple(servers)
        self.stream = stream_name(market)
        self.subject = f"solvent.{market}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._client: Client | None = None
        self._context: JetStreamContext | None = None

    @classmethod
    def open(cls, servers: Sequence[Server], market: str, *, all_on_one: bool = False) -> Self:
        """The log of the market with this identity in hexadecimal digits; made where it is not.

        Raises LogError where servers cannot be reached or a setting is weaker than it must be.
        """
        refuse_one_host(servers, all_on_one=all_on_one)
        log = cls(servers, market)
        log._thread.start()
        try:
            refuse_weak_servers(ask_stores(servers, log.stream))
            log._call(log._connect(), OPEN_SECONDS)
        except LogSilentError as error:
            log.close()
            reason = (
                "do not answer; look whether they run, take the password and certificate that "
                "are named, and have a leader"
            )
            raise LogError("log", "servers", reason) from error
        except BaseException:
            log.close()
            raise
        return log

    def append(self, expected: int, key: str, frame: bytes) -> Appended:
        """As `Log.append`; unknown after `ANSWER_SECONDS`."""
        try:
            return self._call(self._append(expected, key, frame), ANSWER_SECONDS)
        except LogSilentError:
            return Unknown()

    def read(self, first: int, most: int) -> Sequence[bytes]:
        """As `Log.read`. Raises LogSilentError."""
        return self._call(self._read(first, most), ANSWER_SECONDS)

    def tail(self) -> int:
        """As `Log.tail`. Raises LogSilentError."""
        return self._call(self._tail(), ANSWER_SECONDS)

    def stores(self) -> list[Store]:
        """What each server says of its own copy. Raises LogError where one does not answer."""
        return ask_stores(self.servers, self.stream)

    def close(self) -> None:
        """Let go of the servers and end the thread."""
        if self._client is not None:
            with suppress(LogSilentError, NatsError):
                self._call(self._client.close(), ANSWER_SECONDS)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Found], seconds: float) -> Found:
        """Run on the loop. Raises LogSilentError where no answer comes in time."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds + MARGIN_SECONDS)
        except (NatsError, FutureTimeoutError, TimeoutError, OSError) as error:
            future.cancel()
            raise LogSilentError(type(error).__name__) from error

    # On the loop.

    async def _connect(self) -> None:
        self._client = await nats.connect(
            [server.url for server in self.servers],
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.05,
            connect_timeout=1,
            ping_interval=1,
            max_outstanding_pings=2,
            pending_size=0,
            error_cb=_note,
        )
        self._context = self._client.jetstream(timeout=ANSWER_SECONDS)
        wanted = stream_config(self.stream, self.subject)
        async with asyncio.timeout(OPEN_SECONDS):
            refuse_weak_stream(await self._made(self._context, wanted), wanted)

    async def _made(self, context: JetStreamContext, wanted: StreamConfig) -> StreamConfig:
        """The stream's settings, once the servers have a leader for it."""
        while True:
            try:
                return (await context.stream_info(self.stream)).config
            except NotFoundError:
                with suppress(NatsError):
                    await context.add_stream(wanted)
            except NatsError:
                await asyncio.sleep(ANSWER_SECONDS / 10)

    async def _append(self, expected: int, key: str, frame: bytes) -> Appended:
        assert self._context is not None
        headers = {"Nats-Expected-Last-Sequence": str(expected), "Nats-Msg-Id": key}
        try:
            said = await self._context.publish(
                self.subject, frame, timeout=ANSWER_SECONDS, stream=self.stream, headers=headers
            )
        except APIError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                return Refused()
            LOG.warning("an append was not taken", extra={"reason": str(error)})
            return Unknown()
        return Stored(said.seq)

    async def _read(self, first: int, most: int) -> list[bytes]:
        assert self._context is not None
        found: list[bytes] = []
        for sequence in range(first, first + most):
            try:
                message = await self._context.get_msg(self.stream, seq=sequence)
            except NotFoundError:
                break
            except NatsError:
                # A server says so of a message that it has and cannot read.
                if not found:
                    raise
                break
            found.append(message.data or b"")
        return found

    async def _tail(self) -> int:
        assert self._context is not None
        return (await self._context.stream_info(self.stream)).state.last_seq


async def _note(error: Exception) -> None:
    LOG.info("a server of the log", extra={"reason": type(error).__name__})
