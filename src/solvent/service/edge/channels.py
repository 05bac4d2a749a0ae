"""Channels: requests and streams that a gateway passes on, served by the writer's application."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Scope

from solvent.service.edge.frames import AnyFrame, Message, Open, Over, Took

LOG = logging.getLogger("solvent.edge")
STREAM = "websocket"


class Channels:
    """Those of one gateway; `send` sends it a frame."""

    def __init__(self, app: ASGIApp, send: Callable[[AnyFrame], None]) -> None:
        self._app = app
        self._send = send
        self._channels: dict[int, _Channel] = {}

    def hear(self, frame: Open | Message | Over | Took) -> None:
        """A channel begins, goes on or ends."""
        if isinstance(frame, Open):
            channel = _Channel(frame, self._app, self._send)
            self._channels[frame.channel] = channel
            channel.task.add_done_callback(lambda _: self._channels.pop(frame.channel, None))
            return
        found = self._channels.get(frame.channel)
        if found is not None:
            found.hear(frame)

    def lose(self) -> None:
        """The gateway is gone, and with it all who asked."""
        for channel in list(self._channels.values()):
            channel.hear(Over(0))


class _Channel:
    """One of them."""

    def __init__(self, opened: Open, app: ASGIApp, send: Callable[[AnyFrame], None]) -> None:
        self._number = opened.channel
        self._send_frame = send
        self._scope = _scope(opened.scope)
        self._is_stream = self._scope["type"] == STREAM
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._taken = asyncio.Event()
        self._is_over = False
        self.task = asyncio.create_task(self._run(app))

    def hear(self, frame: Message | Over | Took) -> None:
        """What the other end says."""
        if isinstance(frame, Message):
            self._said.put_nowait(frame.message)
        elif isinstance(frame, Over):
            # Who is served on is told that nobody is there, as by a server.
            self._is_over = True
            self._said.put_nowait(
                {"type": "websocket.disconnect", "code": 1006}
                if self._is_stream
                else {"type": "http.disconnect"}
            )
            self._taken.set()
        else:
            self._taken.set()

    async def _run(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self._said.get, self._send)
        except Exception as error:
            if not self._is_over:
                LOG.exception("a channel failed", extra={"reason": type(error).__name__})
            self._send_frame(Over(self._number, is_fault=True))
        else:
            self._send_frame(Over(self._number))

    async def _send(self, message: Any) -> None:
        if self._is_over:
            if self._is_stream:
                raise OSError("the gateway's client is gone")
            return
        self._taken.clear()
        self._send_frame(Message(self._number, dict(message)))
        if self._is_stream:
            await self._taken.wait()


def _scope(packed: dict[str, Any]) -> Scope:
    """The scope that a gateway packed."""
    path: bytes = packed["path"]
    return {
        "asgi": {"version": "3.0"},
        "raw_path": path,
        "root_path": "",
        **packed,
        "path": path.decode("utf-8", "surrogatepass"),
        "headers": [tuple(each) for each in packed["headers"]],
        "client": tuple(packed["client"]),
    }
