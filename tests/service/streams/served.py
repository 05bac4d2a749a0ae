"""A market served over WebSocket on loopback: a fast engine, its publisher and the endpoint.

The server runs in the loop of the test, as the service does. Who `sign`s proves to be `account`.
"""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from nacl.signing import SigningKey
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from solvent.domain import commands as c
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event
from solvent.domain.units import PRICE_SCALE, SECOND
from solvent.engine.engine import FastEngine
from solvent.service.api.front import Front
from solvent.service.api.signing import Verified, verify_subscription
from solvent.service.core.keys import KeyRegistry, Role
from solvent.service.proxies import Proxies
from solvent.service.streams.publisher import Publisher
from solvent.service.streams.sockets import Bounds, StreamEndpoint
from tests.service.streams.stage import Message
from tests.tables.market import plain_parameters

USDC, BTC, SOL = range(3)
ANN, BOB = 2, 3
NOW_MS = 1_760_000_000_000
START = NOW_MS * 1000
SMALL_BUFFER = 4096
PATIENCE = 30
"""Seconds after which a test gives up."""


class Served:
    """A running market. `url` is its address, `clients` all that connected."""

    def __init__(
        self, bounds: Bounds | None, front: Front | None, proxies: Proxies | None = None
    ) -> None:
        self.engine = FastEngine(plain_parameters())
        self.queries = self.engine.queries
        self.publisher = Publisher(self.engine.parameters)
        self.publisher.restore(self.queries)
        self.registry = KeyRegistry()
        self.endpoint = StreamEndpoint(
            self.publisher,
            self.authenticate,
            self.registry,
            bounds=bounds,
            front=front,
            proxies=proxies,
        )
        self.keys = {ANN: SigningKey(b"a" * 32), BOB: SigningKey(b"b" * 32)}
        for account, key in self.keys.items():
            self.registry.let_in(bytes(key.verify_key), Role.USER, account)
        self.commands = 0
        self.now = START
        self.wall_ms = NOW_MS
        self.url = ""
        for account in (ANN, BOB):
            self.apply(c.OpenAccount(account), c.Deposit(account, USDC, 10**12))
            self.apply(c.Deposit(account, SOL, 10**13))
        self.quote(200)

    def apply(self, *commands: c.Command) -> list[tuple[Event, ...]]:
        """Carry commands out and publish what they led to."""
        found = [entry.events for entry in self.engine.apply(commands)]
        transcript = Transcript.of(self.commands, zip(commands, found, strict=True))
        self.publisher.publish(self.now, transcript, self.queries)
        self.commands = transcript.end
        return found

    def quote(self, price: int) -> None:
        """Quote SOL at a price and let a second pass."""
        self.now += SECOND
        self.apply(
            c.UpdatePrice(SOL, 0, price * PRICE_SCALE, price * PRICE_SCALE, price * PRICE_SCALE),
            c.TimeStep(self.now),
        )

    def place(self, account: int, side: c.Side, price: int, quantity: int) -> None:
        """Place a limit order on SOL: USDC and thousandths of SOL."""
        self.apply(
            c.PlaceOrder(account, SOL, side, price=price * PRICE_SCALE, quantity=quantity * 10**6)
        )

    def sign(
        self, account: int, stamp: int = NOW_MS, window: int = 5000, bound: str = ""
    ) -> list[str]:
        """The signature of a frame."""
        key = self.keys[account]
        text = f"instruction=subscribe{bound}&timestamp={stamp}&window={window}"
        signature = key.sign(text.encode()).signature
        words = [bytes(key.verify_key), signature]
        return [*(base64.b64encode(word).decode() for word in words), str(stamp), str(window)]

    def authenticate(
        self, signature: list[str], streams: Sequence[str], connection: str
    ) -> Verified:
        """Whom a signature proves. Raises ApiError."""
        bound = f"connection={connection}&market=m&streams={','.join(streams)}"
        return verify_subscription(signature, self.wall_ms, self.registry, bound)

    def client(self, *, reads: bool = True) -> "Client":
        """Somebody who is about to connect, and stops reading soon unless he `reads`."""
        return Client(self, reads)


class Client:
    """A client over a socket, and what it was told."""

    def __init__(self, served: Served, reads: bool) -> None:
        self.served = served
        self._reads = reads
        self._socket: ClientConnection | None = None

    @property
    def socket(self) -> ClientConnection:
        """The connection."""
        assert self._socket is not None
        return self._socket

    async def __aenter__(self) -> "Client":
        """Connect."""
        plug = socket.socket()
        if not self._reads:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        plug.connect(("127.0.0.1", int(self.served.url.rpartition(":")[2])))
        self._socket = await connect(
            self.served.url,
            sock=plug,
            ping_interval=None,
            compression=None,
            max_queue=None if self._reads else 1,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self.socket.close()

    async def say(self, value: object) -> None:
        """Send a frame."""
        await self.socket.send(json.dumps(value))

    async def subscribe(self, *streams: str, signature: Sequence[str] = ()) -> None:
        """Subscribe, and wait until the server has done so: it answers errors only, in order."""
        frame: dict[str, object] = {"method": "SUBSCRIBE", "params": streams}
        if signature:
            frame["signature"] = signature
        await self.say(frame)
        await self.settle()

    async def unsubscribe(self, *streams: str) -> None:
        """Unsubscribe, and wait until the server has done so."""
        await self.say({"method": "UNSUBSCRIBE", "params": streams})
        await self.settle()

    async def settle(self) -> None:
        """Wait until the server has read all that was sent before."""
        await self.say({"method": "SETTLE"})
        assert (await self.error())["code"] == 4001

    async def error(self) -> dict[str, object]:
        """The next message, which must be an error."""
        found = json.loads(await self.raw())
        assert set(found) == {"id", "error"}, found
        assert found["id"] is None
        error: dict[str, object] = found["error"]
        return error

    async def hear(self) -> Message:
        """The next message, which must be of a stream."""
        found = json.loads(await self.raw())
        return Message(found["stream"], found["data"])

    async def raw(self) -> str:
        """The next message."""
        async with asyncio.timeout(PATIENCE):
            return await self.socket.recv(decode=True)

    async def ended(self) -> tuple[int | None, str | None]:
        """Read on to the end of the connection; its code and reason."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
            await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason


@asynccontextmanager
async def serving(
    bounds: Bounds | None = None,
    routes: Callable[[Served], Sequence[BaseRoute]] = lambda _: (),
    front: Front | None = None,
    proxies: Proxies | None = None,
) -> AsyncIterator[Served]:
    """Serve a market on a free port of loopback."""
    served = Served(bounds, front, proxies)

    app = Starlette(routes=routes(served))

    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await served.endpoint(scope, receive, send)
        else:
            await app(scope, receive, send)

    port = free_port()
    served.url = f"ws://127.0.0.1:{port}"
    server = Server(
        asgi,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        log_level=LogLevels.error,
    )
    tasks = [asyncio.create_task(server.serve()), asyncio.create_task(_ticks(served.publisher))]
    await _listening(port)
    try:
        yield served
    finally:
        await served.endpoint.close()
        tasks[1].cancel()
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait(tasks, timeout=PATIENCE)


async def _ticks(publisher: Publisher) -> None:
    while True:
        await asyncio.sleep(0.01)
        if publisher.has_news:
            publisher.flush()


async def _listening(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                await writer.wait_closed()
                return


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def in_loop(story: Callable[[Served], Awaitable[None]], bounds: Bounds | None = None) -> None:
    """Run a story with a served market."""

    async def run() -> None:
        async with serving(bounds) as served:
            await story(served)

    asyncio.run(run())
