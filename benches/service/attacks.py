"""Attacks on a service, as data: what strangers send, how often, over how many connections.

    python -m benches.service.attacks PATTERN HOST PORT ADDRESSES

The generator does not wait for answers, so that it does the same work whoever is at the other end;
what comes back is read and thrown away, except where an attack is not to read. It ends when it is
killed. Only addresses of loopback are attacked and used.
"""

import asyncio
import base64
import hashlib
import json
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count, cycle, islice
from typing import Any, NamedTuple

from nacl.signing import SigningKey

from solvent.lab.live.keys import demo_keys

Said = bytes | Callable[[], bytes]
_MARKET = "SOL_USDC"
_MASK = bytes(4)
_COMEBACK = 0.1
_FAR = 10**6
_NUMBERS = count(1)


class Pattern(NamedTuple):
    """One attack: `connections` send `first` and then `again` every `pause` seconds.

    With `reads` false nothing is read of what comes back; with `ends` a connection is given up
    after `first`.
    """

    connections: int
    pause: float
    first: Said = b""
    again: Said = b""
    reads: bool = True
    ends: bool = False


def _request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    lines = {"Host": "localhost", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def _unsigned(signature: bytes = b"s" * 64) -> dict[str, str]:
    """Headers that are well formed and sign nothing."""
    key = SigningKey(b"stranger".ljust(32, b".")).verify_key
    return {
        "X_API_Key": base64.b64encode(bytes(key)).decode(),
        "X_Signature": base64.b64encode(signature).decode(),
        "X_Timestamp": str(time.time_ns() // 10**6),
    }


def _wrong(method: str, path: str, body: bytes = b"") -> Callable[[], bytes]:
    return lambda: _request(method, path, body, **_unsigned())


def _signed(method: str, path: str, instruction: str, body: bytes = b"") -> bytes:
    """A request of the second demo user, of whose body the digest is signed."""
    signing = SigningKey(demo_keys(1)[1].seed)
    stamp, window = time.time_ns() // 10**6, 60_000 - next(_NUMBERS) % 50_000
    text = f"instruction={instruction}"
    if body:
        text += f"&sha256={hashlib.sha256(body).hexdigest()}"
    signed = signing.sign(f"{text}&timestamp={stamp}&window={window}".encode()).signature
    return _request(
        method,
        path,
        body,
        X_API_Key=base64.b64encode(bytes(signing.verify_key)).decode(),
        X_Signature=base64.b64encode(signed).decode(),
        X_Timestamp=str(stamp),
        X_Window=str(window),
    )


def _batch() -> bytes:
    """A signed batch of orders that never fill."""
    order = {"verb": "order", "symbol": _MARKET, "side": "Bid", "orderType": "Limit"}
    order |= {"price": "0.1", "quantity": "1"}
    commands = [{**order, "clientId": next(_NUMBERS)} for _ in range(100)]
    body = json.dumps({"commands": commands}, separators=(",", ":")).encode()
    return _signed("POST", "/solvent/v1/batch", "batchExecute", body)


def _frame(text: bytes, opcode: int = 1, *, is_last: bool = True) -> bytes:
    head = bytes([(0x80 if is_last else 0) | opcode])
    size = len(text)
    if size < 126:  # noqa: PLR2004
        return head + bytes([0x80 | size]) + _MASK + text
    if size < 2**16:
        return head + b"\xfe" + size.to_bytes(2, "big") + _MASK + text
    return head + b"\xff" + size.to_bytes(8, "big") + _MASK + text


def _say(**fields: Any) -> bytes:
    return _frame(json.dumps(fields).encode())


_OPEN = _request(
    "GET",
    "/",
    Upgrade="websocket",
    Connection="Upgrade",
    Sec_WebSocket_Version="13",
    Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
).replace(b"Content-Length: 0\r\n", b"")
_ALL = [f"{kind}.{_MARKET}" for kind in ("depth", "bookTicker", "trade", "ticker", "markPrice")] + [
    "liquidation"
]
_EMPTY = json.dumps([{}] * 21_000, separators=(",", ":")).encode()
_NESTED = b'{"symbol":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
_TWICE = b"{" + b",".join(b'"symbol": "SOL"' for _ in range(4_000)) + b"}"
_QUERY = "&".join(f"a{number}=%31" for number in range(60))
_SUBSCRIBE = _say(method="SUBSCRIBE", params=_ALL)
_UNSUBSCRIBE = _say(method="UNSUBSCRIBE", params=_ALL)
_HEAD = b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\nX-Slow: "

PATTERNS: dict[str, Pattern] = {
    "empty orders, 4 a second": Pattern(1, 0.25, again=_wrong("POST", "/api/v1/orders", _EMPTY)),
    "empty orders, 25 connections": Pattern(
        25, 0.25, again=_wrong("POST", "/api/v1/orders", _EMPTY)
    ),
    "batches nobody signed": Pattern(
        20, 0.2, again=_wrong("POST", "/solvent/v1/batch", b'{"commands":' + _EMPTY + b"}")
    ),
    "nested JSON": Pattern(20, 0.2, again=_wrong("POST", "/api/v1/order", _NESTED)),
    "fields that come twice": Pattern(20, 0.2, again=_wrong("POST", "/api/v1/order", _TWICE)),
    "wrong signatures": Pattern(50, 0.1, again=_wrong("GET", "/api/v1/capital")),
    "long queries": Pattern(50, 0.1, again=_wrong("GET", f"/api/v1/capital?{_QUERY}")),
    "paths that are not there": Pattern(50, 0.1, again=_request("GET", "/nothing")),
    "bodies too large": Pattern(
        20, 0.2, first=_request("POST", "/api/v1/order", b" " * 2**20), ends=True
    ),
    "heads that never end": Pattern(100, 0.2, first=_HEAD, again=b"a" * 500),
    "bodies that never come": Pattern(
        100, 1.0, first=_request("POST", "/api/v1/order", Content_Length="60000"), again=b" "
    ),
    "connections that come and go": Pattern(50, 0.05, ends=True),
    "connections that are held": Pattern(
        900, 2.0, first=_request("GET", "/api/v1/ping"), again=_request("GET", "/api/v1/ping")
    ),
    "fragments that never end": Pattern(
        40, 0.02, _OPEN + _frame(b"a", is_last=False), _frame(b"a" * 65_000, 0, is_last=False)
    ),
    "frames too large": Pattern(20, 0.2, first=_OPEN + _frame(b"a" * 2**20), ends=True),
    "frames that are none": Pattern(50, 0.05, first=_OPEN, again=_frame(b"{")),
    "pings": Pattern(50, 0.01, first=_OPEN + _SUBSCRIBE, again=_frame(b"a" * 100, 9)),
    "subscribing again and again": Pattern(50, 0.1, first=_OPEN, again=_SUBSCRIBE + _UNSUBSCRIBE),
    "handshakes that come and go": Pattern(30, 0.1, first=_OPEN, ends=True),
    "listeners that do not read": Pattern(100, 5.0, first=_OPEN + _SUBSCRIBE, reads=False),
    "sockets of another site": Pattern(
        30, 0.1, first=_OPEN.replace(b"\r\n\r\n", b"\r\nOrigin: http://x\r\n\r\n"), ends=True
    ),
    "depth": Pattern(50, 0.1, again=_request("GET", f"/api/v1/depth?symbol={_MARKET}")),
    "solvency": Pattern(50, 0.1, again=_request("GET", "/solvent/v1/solvency")),
    "tickers": Pattern(50, 0.1, again=_request("GET", "/api/v1/tickers")),
    "candles": Pattern(
        20,
        0.1,
        again=_request("GET", f"/api/v1/klines?symbol={_MARKET}&interval=1m&startTime=0"),
    ),
    "pages far back": Pattern(
        50, 0.1, again=_request("GET", f"/api/v1/trades/history?symbol={_MARKET}&offset={_FAR}")
    ),
    "metrics": Pattern(20, 0.2, again=_request("GET", "/solvent/v1/metrics")),
    "documents that nobody reads": Pattern(
        50, 0.5, again=_request("GET", "/openapi.json"), reads=False
    ),
    "batches of orders that never fill": Pattern(4, 0.1, again=_batch),
    "acts of who may not": Pattern(
        50, 0.1, again=lambda: _signed("GET", "/solvent/v1/audit", "auditQuery")
    ),
}


async def attack(pattern: Pattern, host: str, port: int, sources: list[str]) -> None:
    """Attack from these addresses until cancelled."""
    async with asyncio.TaskGroup() as group:
        for number, source in enumerate(islice(cycle(sources), pattern.connections)):
            after = pattern.pause * number / pattern.connections
            group.create_task(_again(pattern, (host, port), source, after))


async def _again(pattern: Pattern, there: tuple[str, int], source: str, after: float) -> None:
    await asyncio.sleep(after)
    while True:
        with suppress(OSError, TimeoutError):
            await _once(pattern, there, source)
        await asyncio.sleep(pattern.pause if pattern.ends else _COMEBACK)


async def _once(pattern: Pattern, there: tuple[str, int], source: str) -> None:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(*there, local_addr=(source, 0))
    reading = asyncio.create_task(_drain(reader)) if pattern.reads else None
    if not pattern.reads:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        writer.write(_text(pattern.first))
        await writer.drain()
        while not pattern.ends and (reading is None or not reading.done()):
            writer.write(_text(pattern.again))
            await writer.drain()
            await asyncio.sleep(pattern.pause)
    finally:
        if reading is not None:
            reading.cancel()
        writer.close()


def _text(said: Said) -> bytes:
    return said if isinstance(said, bytes) else said()


async def _drain(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(2**16):
            pass


if __name__ == "__main__":
    name, address, number, addresses = sys.argv[1:]
    many = [f"127.0.1.{each}" for each in range(1, int(addresses) + 1)]
    asyncio.run(attack(PATTERNS[name], address, int(number), many))
