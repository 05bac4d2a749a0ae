"""The relay: what a gateway does not serve itself, passed on to the writer's process and back.

A request or a stream has a channel, on which the messages of ASGI go that the gateway's server
makes of it and takes for it. What needs the socket stays here: the warden's watch of a stream and
its pings. The writer hears that the server has taken a message of a stream before it sends the
next.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from starlette.types import Receive, Scope, Send

from solvent.service import limits
from solvent.service.edge.frames import FromWriter, Message, Open, Over, Took
from solvent.service.edge.line import Line
from solvent.service.edge.remote import LOST, lost
from solvent.service.proxies import Proxies
from solvent.service.streams.pings import Pings
from solvent.service.streams.subscriptions import CloseCode
from solvent.service.strict_json import encode
from solvent.service.warden import Held, Peer, Warden

STREAM = "websocket"
_KEPT = ("type", "http_version", "method", "scheme", "query_string", "server", "subprotocols")
_DISCONNECTS = ("http.disconnect", "websocket.disconnect")
_CLOSE = "websocket.close"
_LOST = Over(-1)
"""Stands for the end of the line."""


class Relay:
    """An ASGI application that asks the writer's."""

    def __init__(self, line: Line[FromWriter], proxies: Proxies) -> None:
        self.warden: Warden | None = None
        self._line = line
        self._proxies = proxies
        self._numbers = count()
        self._channels: dict[int, asyncio.Queue[Message | Over]] = {}

    @property
    def waiting(self) -> int:
        """How many requests and streams there are."""
        return len(self._channels)

    def hear(self, frame: Message | Over) -> None:
        """A message for a channel, or its end."""
        channel = self._channels.get(frame.channel)
        if channel is not None:
            channel.put_nowait(frame)

    def lose(self) -> None:
        """No message comes any more."""
        for channel in self._channels.values():
            channel.put_nowait(_LOST)

    async def close(self) -> None:
        """The writer ends what it serves, before it ends the line."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request or one stream on, until it ends."""
        async with self._channel(scope) as (number, channel):
            if scope["type"] != STREAM:
                await self._request(number, channel, receive, send)
            elif self.warden is None:
                await self._stream(number, channel, receive, send, None)
            else:
                host, port = scope["client"][:2]
                # The server gives ports as texts.
                with self.warden.holding(Peer(host, int(port))) as held:
                    await self._stream(number, channel, receive, send, held)

    @asynccontextmanager
    async def _channel(
        self, scope: Scope
    ) -> "AsyncIterator[tuple[int, asyncio.Queue[Message | Over]]]":
        number, channel = next(self._numbers), asyncio.Queue[Message | Over]()
        self._channels[number] = channel
        if self._line.has_ended:
            channel.put_nowait(_LOST)
        self._line.send(Open(number, self._packed(scope)))
        try:
            yield number, channel
        finally:
            del self._channels[number]
            self._line.send(Over(number))

    def _packed(self, scope: Scope) -> dict[str, Any]:
        """A scope as the writer's application takes it."""
        packed = {name: scope[name] for name in _KEPT if scope.get(name) is not None}
        packed["path"] = scope["path"].encode("utf-8", "surrogatepass")
        packed["headers"] = [tuple(each) for each in scope["headers"]]
        packed["client"] = self._proxies.peer(scope["client"])
        return packed

    async def _request(
        self, number: int, channel: "asyncio.Queue[Message | Over]", receive: Receive, send: Send
    ) -> None:
        sending = asyncio.create_task(self._pass_on(number, receive, None))
        has_begun = False
        try:
            while isinstance(frame := await channel.get(), Message):
                await send(_unpacked(frame.message))
                has_begun = True
        finally:
            await _stopped(sending)
        if frame is _LOST and not has_begun:
            await _say_lost(send)
        elif not has_begun:
            raise RuntimeError("a request was not answered")

    async def _stream(
        self,
        number: int,
        channel: "asyncio.Queue[Message | Over]",
        receive: Receive,
        send: Send,
        held: Held | None,
    ) -> None:
        sending = asyncio.create_task(self._pass_on(number, receive, held))
        pings = Pings(held, limits.PING_SECONDS, limits.PONG_SECONDS)
        try:
            while not isinstance(frame := await _next(channel, pings), Over):
                if frame is not None:
                    if frame.message["type"] == _CLOSE:
                        # The server closes no stream of which somebody waits for a message.
                        await _stopped(sending)
                    await send(_unpacked(frame.message))
                    self._line.send(Took(number))
                if not pings.look():
                    await _stopped(sending)
                    await _close(send, CloseCode.POLICY, "a ping was not answered")
                    return
            if frame is _LOST:
                await _stopped(sending)
                await _close(send, CloseCode.GOING_AWAY, LOST)
        except (RuntimeError, OSError):
            # The client is gone; the writer hears so when the channel is over.
            return
        finally:
            await _stopped(sending)

    async def _pass_on(self, number: int, receive: Receive, held: Held | None) -> None:
        """Pass on what comes, until it is that nobody is there, or more than a body may have."""
        size = 0
        with suppress(RuntimeError, OSError):
            while size <= limits.BODY_BYTES:
                message = await receive()
                if held is not None:
                    held.came_out()
                self._line.send(Message(number, dict(message)))
                if message["type"] in _DISCONNECTS:
                    return
                if message["type"] == "http.request":
                    size += len(message.get("body", b""))


async def _next(channel: "asyncio.Queue[Message | Over]", pings: Pings) -> Message | Over | None:
    """The next message; None when it is time to ask whether the client is there."""
    try:
        async with asyncio.timeout_at(pings.at):
            return await channel.get()
    except TimeoutError:
        return None


def _unpacked(message: dict[str, Any]) -> dict[str, Any]:
    if "headers" in message:
        message["headers"] = [tuple(each) for each in message["headers"]]
    return message


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


async def _close(send: Send, code: int, reason: str) -> None:
    with suppress(RuntimeError, OSError):
        await send({"type": _CLOSE, "code": code, "reason": reason})


async def _say_lost(send: Send) -> None:
    error = lost()
    body = encode(error.body)
    headers = [
        (b"content-length", b"%d" % len(body)),
        (b"content-type", b"application/json; charset=utf-8"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
