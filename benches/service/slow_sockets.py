"""Slow sockets: what clients wait for answers while hundreds of others hold sockets and dawdle.

A demo market is served as `solvent up --demo` serves it, in a process of its own. A few clients
trade and read, one connects again for each request; first alone, then beside so many slow sockets,
of four kinds in equal parts:

    headers   send a request's head byte by byte
    body      send the head, then the body byte by byte
    unread    ask for much and read nothing of it
    stream    listen to every stream of a market and read nothing of it

A dropped socket comes back at once, so that there are always as many. The phase with them lasts
until every one of the first three kinds was dropped, by the limit that is for it. All clients of
both sorts run in this process: latencies are what they saw, its own delays included.
"""

import asyncio
import base64
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from nacl.signing import SigningKey

from benches.common.measure import WrongAnswerError
from benches.common.rows import AT_MOST, Row, Target, of
from solvent.lab.live.keys import demo_keys
from solvent.service.limits import BODY_BYTES

NAME = "slow-sockets"
SOCKETS = 500
CLIENTS = 4
REQUESTS = 2_000
DROPPED = ("headers", "body", "unread")
"""The kinds that a limit of time drops."""
PATIENCE = 60.0
"""Seconds after which a phase or an answer is given up."""
_SMALL_BUFFER = 4096
_PAUSE = 0.5
"""Seconds between two bytes."""
_APART = 0.01
"""Seconds between the coming of two slow sockets."""
_THINK = 0.01
"""Seconds between an answer and the next request."""
_OK = 200
_MS = 1000.0
_MARKET = "SOL_USDC"
_HEAD = b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 4096
_BODY = b"POST /api/v1/order HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % BODY_BYTES
_UNREAD = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2xvdyBzb2NrZXRzIDAwMA==\r\n\r\n"
)
_STREAMS = [f"{kind}.{_MARKET}" for kind in ("depth", "bookTicker", "trade", "ticker", "markPrice")]


class Address(NamedTuple):
    """Where the service listens."""

    host: str
    port: int


class Phase(NamedTuple):
    """How long answers took, seconds, and how often sockets of each slow kind were dropped."""

    seconds: list[float]
    dropped: Counter[str]

    def at(self, share: float) -> float:
        """The latency that this share of the requests stayed below, ms."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * _MS


def bench(*, quick: bool = False) -> Iterator[Row]:
    """The 99th percentile of answers, with slow sockets and without."""
    sockets, requests, times = (40, 200, 1) if quick else (SOCKETS, REQUESTS, 3)
    phases = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder, demo(Path(folder)) as (address, _):
            phases.append(compare(address, sockets, requests))
    for share in (0.5, 0.99):
        yield Row(
            NAME,
            f"answers to {CLIENTS + 1} clients beside {sockets} slow sockets, p{share * 100:g}",
            of("ms", [slow.at(share) for _, slow in phases]),
            "the same clients alone",
            of("ms", [calm.at(share) for calm, _ in phases]),
            Target(AT_MOST, 50) if share > 0.5 else None,  # noqa: PLR2004
        )


def compare(address: Address, sockets: int, requests: int) -> tuple[Phase, Phase]:
    """A phase of normal clients alone, and one beside slow sockets.

    Raises WrongAnswerError where a normal client is not answered or no limit drops a slow one.
    """
    return asyncio.run(_compare(address, sockets, requests))


def calm(address: Address, requests: int) -> Phase:
    """A phase of normal clients, whatever others do. Raises WrongAnswerError."""
    return asyncio.run(_phase(address, requests, Counter(), lambda: True))


async def _compare(address: Address, sockets: int, requests: int) -> tuple[Phase, Phase]:
    alone = await _phase(address, requests, Counter(), lambda: True)
    dropped: Counter[str] = Counter()
    kinds = list(islice(cycle(_KINDS), sockets))
    count = Counter(kinds)
    slow = [
        asyncio.create_task(_again(address, kind, dropped, number * _APART))
        for number, kind in enumerate(kinds)
    ]
    try:
        beside = await _phase(
            address, requests, dropped, lambda: all(dropped[k] >= count[k] for k in DROPPED)
        )
        for task in slow:
            if task.done():
                task.result()
    finally:
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    return alone, beside


async def _phase(
    address: Address, requests: int, dropped: Counter[str], is_over: Callable[[], bool]
) -> Phase:
    """Normal clients until so many requests were answered and `is_over`."""
    found: list[float] = []
    give_up = time.monotonic() + PATIENCE

    def goes_on() -> bool:
        if time.monotonic() > give_up:
            raise WrongAnswerError(f"slow sockets are not dropped: {dict(dropped)}")
        return len(found) < requests or not is_over()

    key = demo_keys(1)[0]
    signing = SigningKey(key.seed)
    traders = [_trader(address, signing, found, goes_on) for _ in range(CLIENTS)]
    try:
        await asyncio.gather(*traders, _newcomer(address, found, goes_on))
    except (OSError, EOFError, TimeoutError) as error:
        raise WrongAnswerError(f"a normal client was not answered: {error!r}") from error
    return Phase(found, dropped)


# Normal clients.


async def _trader(
    address: Address, signing: SigningKey, found: list[float], goes_on: Callable[[], bool]
) -> None:
    """Orders and reads in turns over one connection."""
    reader, writer = await asyncio.open_connection(*address)
    for number in range(2**32):
        if not goes_on():
            break
        request = _order(signing) if number % 2 else _get(f"/api/v1/depth?symbol={_MARKET}")
        start = time.perf_counter()
        writer.write(request)
        await _answered(reader)
        found.append(time.perf_counter() - start)
        await asyncio.sleep(_THINK)
    writer.close()


async def _newcomer(address: Address, found: list[float], goes_on: Callable[[], bool]) -> None:
    """A connection for each request."""
    while goes_on():
        start = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*address)
        writer.write(_get("/api/v1/time"))
        await _answered(reader)
        found.append(time.perf_counter() - start)
        writer.close()
        await asyncio.sleep(_THINK)


async def _answered(reader: asyncio.StreamReader) -> None:
    """Read one answer, which must be a good one."""
    async with asyncio.timeout(PATIENCE):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
        body = await reader.readexactly(length)
    status = int(head.split()[1])
    if status != _OK:
        raise WrongAnswerError(f"a normal client was answered {status} {body[:200]!r}")


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


_STAMPS = iter(range(2**32))
"""No two requests are the same, or the second would get the first one's answer."""


def _order(signing: SigningKey) -> bytes:
    """An order that trades what it can, which far from the mark is nothing, and ends."""
    fields = {
        "orderType": "Limit",
        "price": "1",
        "quantity": "1",
        "side": "Bid",
        "symbol": _MARKET,
        "timeInForce": "IOC",
    }
    words = "".join(f"&{name}={fields[name]}" for name in sorted(fields))
    stamp, window = time.time_ns() // 10**6, 60_000 - next(_STAMPS) % 50_000
    text = f"instruction=orderExecute{words}&timestamp={stamp}&window={window}"
    body = json.dumps(fields)
    headers = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-API-Key": base64.b64encode(bytes(signing.verify_key)).decode(),
        "X-Signature": base64.b64encode(signing.sign(text.encode()).signature).decode(),
        "X-Timestamp": str(stamp),
        "X-Window": str(window),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /api/v1/order HTTP/1.1\r\n{lines}\r\n{body}".encode()


# Slow sockets.


async def _again(address: Address, kind: str, dropped: Counter[str], after: float) -> None:
    """Be slow from `after` so many seconds on, and come back when dropped."""
    await asyncio.sleep(after)
    while True:
        plug = socket.socket()
        plug.setblocking(False)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        with plug:
            await asyncio.get_running_loop().sock_connect(plug, address)
            with suppress(ConnectionError):
                await _KINDS[kind](plug)
            dropped[kind] += 1


async def _headers(plug: socket.socket) -> None:
    await _drip(plug, _HEAD)


async def _body(plug: socket.socket) -> None:
    await asyncio.get_running_loop().sock_sendall(plug, _BODY)
    await _drip(plug, b" " * BODY_BYTES)


async def _drip(plug: socket.socket, data: bytes) -> None:
    """Send a byte now and then until the other side has ended the connection."""
    loop = asyncio.get_running_loop()
    for byte in data:
        await loop.sock_sendall(plug, bytes([byte]))
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE):
                while await loop.sock_recv(plug, _SMALL_BUFFER):
                    pass
                return
    raise WrongAnswerError("a slow socket was waited for to its end")


async def _unread(plug: socket.socket) -> None:
    """Ask; a byte more now and then shows whether the connection is still there."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(plug, _UNREAD)
    while True:
        await asyncio.sleep(_PAUSE)
        await loop.sock_sendall(plug, b"G")


async def _stream(plug: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(plug, _UPGRADE)
    text = json.dumps({"method": "SUBSCRIBE", "params": _STREAMS}).encode()
    # A frame of text that is masked with zeros: its length takes two bytes.
    await loop.sock_sendall(plug, b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text)
    await asyncio.get_running_loop().create_future()


_KINDS: dict[str, Callable[[socket.socket], Coroutine[None, None, None]]] = {
    "headers": _headers,
    "body": _body,
    "unread": _unread,
    "stream": _stream,
}


# The service.


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[tuple[Address, int]]:
    """A demo market, served in a process of its own: where, and the process's number."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = Address(*probe.getsockname())
    command = [sys.executable, "-P", "-m", "solvent.cli", "up", "--demo"]
    command += ["--folder", str(folder / "market"), "--port", str(address.port), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline().startswith("serving "):
                raise WrongAnswerError("the service did not start")
            yield address, process.pid
        finally:
            process.terminate()
