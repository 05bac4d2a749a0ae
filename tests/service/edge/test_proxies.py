"""Proxies: whom one says it asks for, by header and by line, and that nobody else is believed."""

import asyncio
import socket
import struct
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from solvent.service.gate import ProxyLineError, read_line
from solvent.service.proxies import Proxies, counted_as
from solvent.service.streams.sockets import Bounds
from tests.service.clients.served import serving
from tests.service.streams.served import serving as serving_streams

TRUSTED = Proxies(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7, nonsense, 10.0.0.3"], "10.0.0.3"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["2001:DB8::1"], "2001:db8::1"),
        ("fd00::5", ["::ffff:198.51.100.7"], "198.51.100.7"),
    ],
)
def test_who_asks(peer: str, said: list[str], client: str) -> None:
    headers = [(b"x-forwarded-for", each.encode()) for each in said]
    assert TRUSTED.client((peer, 1), headers) == client
    stranger = Proxies()
    assert stranger.client((peer, 1), headers) == peer


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::"),
        ("a:b", "a:b"),
    ],
)
def test_a_network_of_one_customer_counts_as_one_address(host: str, counted: str) -> None:
    """S17: in IPv6 who has one address has 2^64."""
    assert counted_as(host) == counted


def second(command: int, family: int, block: bytes) -> bytes:
    """A head of version 2 and its block."""
    return b"\r\n\r\n\x00\r\nQUIT\n" + struct.pack("!BBH", command, family, len(block)) + block


FOUR = socket.inet_aton("198.51.100.7") + socket.inet_aton("10.0.0.1") + b"\0\1\0\2"
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::1") * 2 + b"\0\1\0\2"
LINES = [
    (b"PROXY TCP4 198.51.100.7 10.0.0.1 1 2\r\n", "198.51.100.7"),
    (b"PROXY TCP6 2001:db8::1 fd00::1 1 2\r\n", "2001:db8::1"),
    (b"PROXY UNKNOWN\r\n   ", None),
    (second(0x21, 0x11, FOUR), "198.51.100.7"),
    (second(0x21, 0x11, FOUR + b"\x04\0\1x"), "198.51.100.7"),
    (second(0x21, 0x21, SIX), "2001:db8::1"),
    (second(0x20, 0x00, b""), None),
    (second(0x21, 0x31, b"x" * 216), None),
]


async def read(data: bytes) -> str | None:
    """The address of a line."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_line(reader)


@pytest.mark.parametrize(("line", "client"), LINES)
def test_a_line_says_who_asks(line: bytes, client: str | None) -> None:
    assert asyncio.run(read(line)) == client


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PROXY TCP4 nonsense 10.0.0.1 1 2\r\n",
        b"PROXY TCP4 198.51.100.7 10.0.0.1 1\r\n",
        b"PROXY UDP4 198.51.100.7 10.0.0.1 1 2\r\n",
        b"PROXY " + b"x" * 200,
        second(0x2F, 0x11, FOUR),
        second(0x21, 0x11, FOUR[:-1]),
        second(0x21, 0x11, b"x" * 600),
    ],
)
def test_what_is_no_line_is_refused(line: bytes) -> None:
    with pytest.raises(ProxyLineError):
        asyncio.run(read(line))


def asked(address: str, line: bytes, source: str = "127.0.0.1") -> bytes:
    """What a market answers to a request after a line."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), 10, (source, 0)) as one:
        one.sendall(line + b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            return one.recv(4096)
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    "gateways",
    [(), pytest.param(("--gateways", "2"), marks=pytest.mark.slow)],
    ids=["alone", "gateways"],
)
def test_a_market_behind_a_proxy_that_passes_connections_on(
    tmp_path: Path, gateways: tuple[str, ...]
) -> None:
    """S20."""
    options = ("--trusted-proxy", "127.0.0.1", "--proxy-protocol", "--demo", *gateways)
    with serving(tmp_path, *options) as service:
        for line in (LINES[0][0], LINES[3][0], LINES[6][0]):
            assert asked(service.address, line).startswith(b"HTTP/1.1 200")
        assert asked(service.address, b"") == b"", "without a line"
        assert asked(service.address, LINES[0][0], "127.0.0.2") == b"", "from a stranger"


def test_buckets_are_the_clients_and_not_the_proxys(tmp_path: Path) -> None:
    """S20: one of them asks too often; the other one does not suffer."""
    signed = {"X-API-Key": "x", "X-Signature": "y"}

    def asks(host: str) -> int:
        return proxy.get("/api/v1/capital", headers=signed | {"X-Forwarded-For": host}).status_code

    with (
        serving(tmp_path, "--trusted-proxy", "127.0.0.1", "--demo") as service,
        httpx.Client(base_url=service.rest) as proxy,
    ):
        assert asks("192.0.2.1") == 400
        assert 429 in [asks("192.0.2.1") for _ in range(260)]
        assert asks("192.0.2.2") == 400
        assert 429 in [asks(f"2001:db8::{number:x}") for number in range(260)]
        assert asks("2001:db8:0:1::1") == 400


def test_listeners_of_one_network_share_its_places() -> None:
    """S16: whoever has one address of IPv6 has 2^64 of them."""

    async def run() -> None:
        async with serving_streams(Bounds(connections=32), proxies=Proxies(["127.0.0.1"])) as it:

            def listener(host: str) -> connect:
                return connect(it.url, additional_headers={"X-Forwarded-For": host})

            held = [await listener(f"2001:db8::{number:x}") for number in range(8)]
            with pytest.raises(InvalidStatus):
                await listener("2001:db8::ffff")
            held.append(await listener("2001:db8:0:1::1"))
            for each in held:
                await each.close()

    asyncio.run(run())
