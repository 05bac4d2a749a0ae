"""Places: few cannot take all of them, fragments that never end are cut, health has its own."""

import asyncio
import os
import socket
import struct
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from solvent.service import limits
from solvent.service.streams.sockets import Bounds
from solvent.service.warden import IS_ABLE, Peer, Places, Warden
from tests.service.clients.served import PATIENCE, serving, until
from tests.service.streams.served import ANN, Served, in_loop

needs_linux = pytest.mark.skipif(not IS_ABLE, reason="the system does not tell")
OPEN = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MASK = b"\x00\x00\x00\x00"
PING = b"\x89\x80" + MASK
MIB = 1024 * 1024


def fragment(size: int, *, first: bool) -> bytes:
    """A fragment of a text that goes on."""
    head = b"\x01" if first else b"\x00"
    return head + b"\xff" + struct.pack("!Q", size) + MASK + b"a" * size


def resident(process: int) -> int:
    """Bytes of memory that a process has."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def process_at(port: int) -> int:
    """The process that listens at a port, one of our own."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        words = status.read_bytes().split(b"\0")
        if b"up" in words and str(port).encode() in words and b"-P" in words:
            return int(status.parent.name)
    raise AssertionError


@pytest.mark.slow
@needs_linux
def test_fragments_that_never_end_are_cut(tmp_path: Path) -> None:
    """S05: forty sockets without a key held 2.7 GB. Also one frame that is too long, and slowly."""
    with serving(tmp_path) as service, ExitStack() as stack:
        host, _, port = service.address.partition(":")
        process = process_at(int(port))
        before = resident(process)
        sent = 0
        for number in range(40):
            one = stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
            one.sendall(OPEN)
            assert one.recv(4096).split()[1] == b"101"
            began = time.monotonic()
            try:
                for place in range(64):
                    one.sendall(fragment(MIB if number % 2 else 4096, first=place == 0))
                    sent += 1
                    if not number % 2:
                        time.sleep(0.002)
            except OSError:
                continue
            assert number % 2 == 0, "a mebibyte at a time was taken to its end"
            assert ended_within(one, 5), time.monotonic() - began
        assert sent > 40
        assert resident(process) - before < 150 * MIB
        assert httpx.get(f"{service.rest}/api/v1/time").status_code == 200


def ended_within(one: socket.socket, seconds: float) -> bool:
    """Whether the other side ends the connection, sooner or later as it is sent more."""
    end = time.monotonic() + seconds
    one.settimeout(0.1)
    while time.monotonic() < end:
        try:
            one.sendall(fragment(4096, first=False))
            if not one.recv(4096):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@needs_linux
def test_a_listener_that_pings_and_says_what_is_right_stays(tmp_path: Path) -> None:
    """Far more in frames and pings than one message may have, in whole messages."""
    with serving(tmp_path) as service:
        host, _, port = service.address.partition(":")
        with socket.create_connection((host, int(port)), PATIENCE) as one:
            one.sendall(OPEN)
            one.recv(4096)
            text = b'{"method":"CONNECTION"}' + b" " * 60_000
            for _ in range(5):
                frame = b"\x81\xfe" + struct.pack("!H", len(text)) + MASK + text
                one.sendall(PING + frame)
                time.sleep(0.1)
            one.settimeout(1)
            heard = b""
            while heard.count(b"connection") < 5:
                part = one.recv(4096)
                assert part, "it was cut"
                heard += part


@needs_linux
def test_one_address_does_not_take_all_places(tmp_path: Path) -> None:
    """S17: connections beyond an address's places are ended; another's are not."""
    with serving(tmp_path) as service, ExitStack() as stack:
        host, _, port = service.address.partition(":")
        extra = 60
        many = [
            stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
            for _ in range(limits.CONNECTIONS_OF_ADDRESS + extra)
        ]
        ask = b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\n\r\n"
        other = stack.enter_context(
            socket.create_connection((host, int(port)), PATIENCE, ("127.0.0.2", 0))
        )

        def ended() -> int:
            found = 0
            for each in many:
                each.setblocking(False)
                try:
                    each.sendall(ask)
                    found += each.recv(4096) == b""
                except BlockingIOError:
                    continue
                except OSError:
                    found += 1
            other.sendall(ask)
            assert other.recv(4096).startswith(b"HTTP/1.1 200")
            return found

        until(lambda: ended() >= extra)
        assert ended() <= extra + 5


@needs_linux
def test_it_is_the_newest_that_are_ended_and_nobody_who_is_exempt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as stack:
        port = listening.getsockname()[1]
        for is_exempt in (False, True):
            exempt = {"127.0.0.1"} if is_exempt else set[str]()
            warden = Warden(port, exempt.__contains__, Places(of_address=4))
            pairs = []
            for _ in range(6):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                pairs.append((client, stack.enter_context(listening.accept()[0])))
                # Between two looks the order is known; within one it is that of the numbers, which
                # every processor hands out from a block of its own.
                warden._look()
            for _ in range(2):
                warden._look()
                warden._end_excess()
            for place, (client, _) in enumerate(pairs):
                client.setblocking(False)
                if place < 4 or is_exempt:
                    with pytest.raises(BlockingIOError):
                        client.recv(1)
            assert (warden.ended >= 2) is not is_exempt
            for client, server in pairs:
                client.close()
                server.close()


def test_two_addresses_do_not_take_all_listeners_places() -> None:
    """S16: an address gets a quarter of what is left."""

    async def story(served: Served) -> None:
        async with asyncio.TaskGroup(), _Many(served) as many:
            hosts = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
            taken = [await many.fill(host) for host in hosts]
            assert taken[0] == 8
            assert taken[0] > taken[1] >= taken[2] >= 4
            async with connect(served.url, local_addr=("127.0.0.9", 0)):
                pass

    in_loop(story, Bounds(connections=32))


class _Many:
    """Connections of addresses, as many as are let in."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._open: list[object] = []

    async def __aenter__(self) -> "_Many":
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._open:
            await each.close()  # type: ignore[attr-defined]

    async def fill(self, host: str) -> int:
        """Connect from an address until it is refused."""
        for count in range(100):
            try:
                self._open.append(await connect(self._served.url, local_addr=(host, 0)))
            except InvalidStatus:
                return count
        return 100


def test_a_key_listens_on_so_many_connections() -> None:
    async def story(served: Served) -> None:
        frame = {"method": "SUBSCRIBE", "params": ["account.orderUpdate"]}
        async with served.client() as first, served.client() as second, served.client() as third:
            for number, client in enumerate((first, second)):
                signature = served.sign(ANN, window=4000 + number)
                await client.subscribe("account.orderUpdate", signature=signature)
            await third.say(frame | {"signature": served.sign(ANN, window=3000)})
            assert (await third.error())["message"] == "a key listens on at most 2 connections"

    in_loop(story, Bounds(per_key=2))


def test_who_is_silent_and_is_told_nothing_is_not_waited_for() -> None:
    """S17."""

    async def story(served: Served) -> None:
        async with served.client() as silent, served.client() as told:
            await silent.subscribe("account.rfqUpdate", signature=served.sign(ANN))
            await told.subscribe("markPrice.SOL_USDC")
            for price in range(201, 209):
                served.quote(price)
                assert (await told.hear()).text("p") == str(price)
                await asyncio.sleep(0.1)
            assert await silent.ended() == (1008, "silent: nothing was said or told for long")
            served.quote(300)
            assert (await told.hear()).text("p") == "300"

    in_loop(story, Bounds(silent_seconds=0.5))


@pytest.mark.slow
def test_health_has_a_door_of_its_own(tmp_path: Path) -> None:
    """S17: it answers while strangers hold all places, here those of the process's files."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        door = free.getsockname()[1]
    with serving(tmp_path, "--demo", "--health-port", str(door)):
        url = f"http://127.0.0.1:{door}/solvent/v1"
        assert httpx.get(f"{url}/health").json() == {"status": "alive"}
        assert httpx.get(f"{url}/ready").json()["status"] == "ready"
        assert "solvent_ready 1.0" in httpx.get(f"{url}/metrics").text
        assert httpx.get(f"{url}/audit").status_code == 404
        assert httpx.post(f"{url}/health").status_code == 404
        with socket.create_connection(("127.0.0.1", door), 10) as silent:
            assert silent.recv(10) == b"", "who says nothing is not waited for"


def test_a_peer_is_a_host_and_a_port() -> None:
    assert Peer("127.0.0.1", 5) == ("127.0.0.1", 5)
