"""Sockets: one connection from its handshake to its end, every bound on the way.

Two tasks serve a connection: one reads frames and changes what it listens to, one writes what
waits. The writer waits for the client as long as its store has room; a client that lets it fill up
is cut off, with a status code and a reason where it still takes them. A client that subscribes to
nothing, or too often sends what is no frame, is cut off as well.

Between two messages the writer asks whether the client is there (`pings`). A machine that vanished
is found by the kernel too, which probes a connection that is quiet and ends one that takes nothing
(`serve`).
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import NamedTuple, Protocol

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from solvent.service import limits
from solvent.service.api.front import Front
from solvent.service.api.objects.streams import AuditMessage, Method, StreamConnection
from solvent.service.api.shapes import audit_row
from solvent.service.api.signing import Verified
from solvent.service.authority.audit import AuditEntry
from solvent.service.core.keys import KeyRegistry, Principal
from solvent.service.errors import ApiError
from solvent.service.proxies import Proxies, counted_as
from solvent.service.streams.frames import Frame, FrameCode, FrameError, read_frame
from solvent.service.streams.pings import Pings
from solvent.service.streams.publisher import Publisher
from solvent.service.streams.subscriptions import (
    AUDIT,
    STAFF,
    CloseCode,
    Consumer,
    Topic,
    is_private,
)
from solvent.service.strict_json import encode
from solvent.service.warden import Held, Peer, Warden

_MINUTE = 60
_GOOD_SECONDS = (limits.WINDOW_MS + limits.FUTURE_MS) / 1000 + 1
"""Longer than any signature is good."""
_BROKEN = (WebSocketDisconnect, RuntimeError, OSError)
"""What a transport raises that is gone or was closed from the other side."""


class Bounds(NamedTuple):
    """How much one connection may ask for, and how many there may be."""

    frame_bytes: int = limits.FRAME_BYTES
    streams: int = limits.STREAMS
    frames_per_minute: int = limits.FRAMES_A_MINUTE
    errors: int = limits.FRAME_ERRORS
    idle_seconds: float = limits.IDLE_SECONDS
    messages: int = limits.MESSAGES
    waiting_size: int = limits.WAITING_SIZE
    cut_seconds: float = limits.CUT_SECONDS
    connections: int = limits.LISTENERS
    per_address: int = limits.LISTENERS_OF_ADDRESS
    per_key: int = limits.LISTENERS_OF_KEY
    silent_seconds: float = limits.SILENT_SECONDS
    ping_seconds: float = limits.PING_SECONDS
    pong_seconds: float = limits.PONG_SECONDS


class Spend(Protocol):
    """Takes an address's tokens, those of requests; False where there are not so many.

    What was done already is charged for, also beyond them.
    """

    def __call__(self, address: str, tokens: int, *, is_done: bool = False) -> bool:
        """An address as it is counted."""
        ...


class Authenticate(Protocol):
    """Says who signed a subscription to these streams on this connection. Raises ApiError."""

    def __call__(self, signature: list[str], streams: Sequence[str], connection: str) -> Verified:
        """Key, signature, timestamp and window as they came."""
        ...


class _Used:
    """Signatures that were used on a connection: good there and nowhere else, until they expire."""

    def __init__(self) -> None:
        self._names: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def is_others(self, verified: Verified, name: str) -> bool:
        """Whether another connection used it; from now on it is this one's."""
        now = time.monotonic()
        while self._names and next(iter(self._names.values()))[1] < now:
            self._names.popitem(last=False)
        first, _ = self._names.setdefault(verified.digest, (name, now + _GOOD_SECONDS))
        return first != name


class StreamEndpoint:
    """The WebSocket endpoint at the root path: an ASGI application.

    `keys` says which keys act: what one signed for ends with it. `front` says whose pages and which
    names of the host are served.
    """

    def __init__(
        self,
        publisher: Publisher,
        authenticate: Authenticate,
        keys: KeyRegistry,
        *,
        bounds: Bounds | None = None,
        front: Front | None = None,
        proxies: Proxies | None = None,
        spend: Spend | None = None,
    ) -> None:
        self.publisher = publisher
        self.spend = spend or _free
        self._authenticate = authenticate
        self._keys = keys
        self._used = _Used()
        self.bounds = bounds or Bounds()
        self._front = front or Front()
        self._proxies = proxies or Proxies()
        self.warden: Warden | None = None
        self._consumers: set[Consumer] = set()
        self._addresses: Counter[str] = Counter()
        self._is_closing = False

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._consumers)

    def hear_act(self, entry: AuditEntry) -> None:
        """Tell staff of an act, and cut off at once whoever listens by a key that acts no more."""
        self.publisher.subscriptions.say(
            Topic(AUDIT, STAFF),
            encode(AuditMessage(stream=AUDIT, data=audit_row(entry))).decode(),
        )
        for consumer in self._consumers:
            for number, version in consumer.signers.items():
                if self._keys.version(number) != version:
                    consumer.cut(CloseCode.POLICY, "the key that signed may not act any more")

    async def close(self) -> None:
        """End all connections, for the service is going away; wait until they have."""
        self._is_closing = True
        for consumer in self._consumers:
            consumer.cut(CloseCode.GOING_AWAY, "the service is shutting down")
        while self._consumers:
            await asyncio.sleep(0.01)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        socket = WebSocket(scope, receive, send)
        host = self._proxies.client(scope.get("client"), scope["headers"])
        address = counted_as(host)
        is_paid = self.spend(address, limits.HANDSHAKE_TOKENS)
        if not is_paid or not self._admits(socket, address, self._proxies.is_one(host)):
            await socket.close()
            return
        consumer = Consumer(self.bounds.messages, self.bounds.waiting_size)
        self._consumers.add(consumer)
        self._addresses[address] += 1
        try:
            with self._watched(scope) as held:
                await socket.accept()
                await self._serve(socket, consumer, held, address)
        finally:
            self.publisher.subscriptions.leave(consumer, tuple(consumer.topics))
            self._consumers.discard(consumer)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    def signer(self, frame: Frame, consumer: Consumer) -> Principal:
        """Who signed for the streams of a frame on a connection. Raises FrameError."""
        if not frame.signature:
            raise FrameError(FrameCode.INVALID_SIGNATURE, "Invalid signature: there is none")
        try:
            verified = self._authenticate(frame.signature, frame.streams, consumer.name)
        except ApiError as error:
            raise FrameError(FrameCode.INVALID_SIGNATURE, error.message) from error
        if self._used.is_others(verified, consumer.name):
            said = "the signature was used on another connection"
            raise FrameError(FrameCode.INVALID_SIGNATURE, said)
        number = verified.principal.number
        others = sum(number in each.signers for each in self._consumers if each is not consumer)
        if others >= self.bounds.per_key:
            most = f"a key listens on at most {self.bounds.per_key} connections"
            raise FrameError(FrameCode.TOO_MANY_STREAMS, most)
        consumer.signers.setdefault(number, self._keys.version(number))
        return verified.principal

    def _admits(self, socket: WebSocket, address: str, is_proxy: bool) -> bool:
        origin = socket.headers.get("origin")
        return (
            socket.url.path == "/"
            and not self._is_closing
            and self._front.refusal(origin, socket.headers.get("host")) is None
            and self._addresses[address] < self._places(address, is_proxy)
        )

    def _places(self, address: str, is_proxy: bool) -> int:
        """How many connections the address may have, as many as there are."""
        left = self.bounds.connections - len(self._consumers)
        if is_proxy:
            return self._addresses[address] + left
        share = max(limits.LISTENERS_OF_ADDRESS_AT_LEAST, (left + self._addresses[address]) // 4)
        return min(self.bounds.per_address, share, self._addresses[address] + left)

    def _watched(self, scope: Scope) -> AbstractContextManager[Held | None]:
        peer = scope.get("client")
        if self.warden is None or peer is None:
            return nullcontext()
        # The server gives ports as texts.
        return self.warden.holding(Peer(peer[0], int(peer[1])))

    async def _serve(
        self, socket: WebSocket, consumer: Consumer, held: Held | None, address: str
    ) -> None:
        reader = _Reader(self, consumer, held, address)
        reading = asyncio.create_task(reader.read(socket))
        pings = Pings(held, self.bounds.ping_seconds, self.bounds.pong_seconds)
        writing = asyncio.create_task(_write(socket, consumer, pings))
        cut = asyncio.create_task(consumer.wait_for_cut())
        tasks = {reading, writing, cut}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.publisher.subscriptions.leave(consumer, tuple(consumer.topics))
            if consumer.cut_off is not None:
                await asyncio.wait({writing}, timeout=self.bounds.cut_seconds)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=self.bounds.cut_seconds)
        _raise_fault(reading, writing)
        if consumer.cut_off is not None:
            with suppress(TimeoutError, *_BROKEN):
                async with asyncio.timeout(self.bounds.cut_seconds):
                    await socket.close(*consumer.cut_off)


async def _write(socket: WebSocket, consumer: Consumer, pings: Pings) -> None:
    with suppress(*_BROKEN):
        while not consumer.has_ended():
            for text in await _taken(consumer, pings.at):
                if consumer.has_ended():
                    return
                await socket.send_text(text)
            if not pings.look():
                consumer.cut(CloseCode.POLICY, "a ping was not answered")


async def _taken(consumer: Consumer, until: float) -> list[str]:
    """What waits, or nothing when it is time to ask whether the client is there."""
    try:
        async with asyncio.timeout_at(until):
            return await consumer.take()
    except TimeoutError:
        return []


def _free(address: str, tokens: int, *, is_done: bool = False) -> bool:
    """For a market of which anything may be asked."""
    del address, tokens, is_done
    return True


def _raise_fault(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()


class _Reader:
    """Carries out the frames of one connection."""

    def __init__(
        self, endpoint: StreamEndpoint, consumer: Consumer, held: Held | None, address: str
    ) -> None:
        self._held = held
        self._address = address
        self._endpoint = endpoint
        self._publisher = endpoint.publisher
        self._bounds = endpoint.bounds
        self._consumer = consumer
        self._errors = 0
        self._frames = 0
        self._minute_ends = 0.0

    async def read(self, socket: WebSocket) -> None:
        """Carry out frames until the connection ends or is to be cut."""
        while not self._consumer.has_ended():
            try:
                data = await self._next(socket)
            except _BROKEN:
                return
            if data is not None and self._is_within(data):
                self._carry_out(data)

    async def _next(self, socket: WebSocket) -> bytes | None:
        """The next frame; who subscribes to nothing, or to what is silent, is not waited for."""
        is_listening = bool(self._consumer.topics)
        seconds = self._bounds.silent_seconds if is_listening else self._bounds.idle_seconds
        told = self._consumer.told
        try:
            async with asyncio.timeout(seconds):
                message = await socket.receive()
        except TimeoutError:
            if not is_listening:
                self._consumer.cut(CloseCode.POLICY, "idle: nothing was subscribed to")
            elif told == self._consumer.told:
                self._consumer.cut(CloseCode.POLICY, "silent: nothing was said or told for long")
            return None
        if self._held is not None:
            self._held.came_out()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text = message.get("text")
        data: bytes = message["bytes"] if text is None else text.encode()
        return data

    def _is_within(self, data: bytes) -> bool:
        """Whether a frame may be looked at."""
        if len(data) > self._bounds.frame_bytes:
            self._consumer.cut(
                CloseCode.TOO_BIG, f"a frame has at most {self._bounds.frame_bytes} bytes"
            )
            return False
        now = asyncio.get_running_loop().time()
        if now >= self._minute_ends:
            self._minute_ends = now + _MINUTE
            self._frames = 0
        self._frames += 1
        if self._frames > self._bounds.frames_per_minute:
            most = self._bounds.frames_per_minute
            self._consumer.cut(CloseCode.POLICY, f"more than {most} frames in a minute")
            return False
        tokens = 1 + len(data) // limits.BODY_BYTES_A_TOKEN
        if not self._endpoint.spend(self._address, tokens):
            self._consumer.cut(CloseCode.POLICY, "too many requests of one address")
            return False
        return True

    def _carry_out(self, data: bytes) -> None:
        try:
            frame = read_frame(data, self._publisher.streams, self._bounds.streams)
            if frame.method is Method.CONNECTION:
                name = StreamConnection(connection=self._consumer.name)
                self._consumer.offer(encode(name).decode())
            elif frame.method is Method.SUBSCRIBE:
                self._subscribe(frame)
            else:
                self._unsubscribe(frame)
        except FrameError as error:
            self._consumer.offer(error.text())
            self._endpoint.spend(self._address, limits.REFUSED_TOKENS, is_done=True)
            self._errors += 1
            if self._errors >= self._bounds.errors:
                self._consumer.cut(CloseCode.POLICY, "too many invalid frames")

    def _subscribe(self, frame: Frame) -> None:
        own = [stream for stream in frame.streams if is_private(stream)]
        topics = {Topic(stream) for stream in frame.streams if not is_private(stream)}
        if own:
            signer = self._endpoint.signer(frame, self._consumer)
            topics.update(
                Topic(stream, STAFF if stream == AUDIT else signer.account) for stream in own
            )
        if len(self._consumer.topics | topics) > self._bounds.streams:
            raise FrameError(
                FrameCode.TOO_MANY_STREAMS,
                f"a connection has at most {self._bounds.streams} streams",
            )
        self._publisher.subscriptions.join(self._consumer, topics)

    def _unsubscribe(self, frame: Frame) -> None:
        """End streams, whoever's they are: who may listen may also stop."""
        ended = [topic for topic in self._consumer.topics if topic.stream in frame.streams]
        self._publisher.subscriptions.leave(self._consumer, ended)
