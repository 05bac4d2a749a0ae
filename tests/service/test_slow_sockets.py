"""Slow sockets hold nobody up: who dawdles is dropped, and everybody else is answered."""

import socket
from pathlib import Path

import pytest
from websockets.sync.client import connect

from benches.service.slow_sockets import DROPPED, SOCKETS, Address, compare
from tests.service.clients.served import PATIENCE, Service, serving

pytestmark = pytest.mark.slow

REQUESTS = 600
GENEROUS = 20
"""How many times slower an answer may be on a machine that does other things."""


KEEPALIVE = "02"
"""What the kernel calls the timer of a connection that it will probe."""
ASK = b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW_BODY = b"POST /api/v1/order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"


def address_of(service: Service) -> Address:
    """Where it listens."""
    host, _, port = service.address.partition(":")
    return Address(host, int(port))


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system cannot do it")
def test_five_hundred_slow_sockets_hold_nobody_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All normal requests are answered well (`compare` sees to it), and the slow are dropped."""
    with serving(tmp_path, "--demo") as service:
        calm, beside = compare(address_of(service), SOCKETS, REQUESTS)
    with capsys.disabled():
        print(
            f"\np99 of {len(beside.seconds)} answers beside {SOCKETS} slow sockets: "
            f"{beside.at(0.99):.1f} ms, without them {calm.at(0.99):.1f} ms"
        )
    assert len(calm.seconds) >= REQUESTS
    assert len(beside.seconds) >= REQUESTS
    assert all(beside.dropped[kind] >= SOCKETS // 4 for kind in DROPPED)
    assert beside.dropped["stream"] == 0
    assert beside.at(0.99) < GENEROUS * calm.at(0.99)


def test_whoever_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    """From the beginning, after an answer, within a head, within a body."""
    with serving(tmp_path) as service:
        plugs = {
            said: socket.create_connection(address_of(service), PATIENCE)
            for said in (b"", ASK, ASK[:-2], SLOW_BODY)
        }
        for said, plug in plugs.items():
            plug.sendall(said)
        for said, status in ((b"", b""), (ASK, b"200"), (ASK[:-2], b""), (SLOW_BODY, b"408")):
            with plugs[said] as plug:
                heard = b""
                while part := plug.recv(4096):
                    heard += part
            assert heard.partition(b"\r\n")[0].split()[1:2] == ([status] if status else [])


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the system does not tell")
def test_a_quiet_listener_is_probed_by_the_kernel(tmp_path: Path) -> None:
    with serving(tmp_path) as service, connect(service.streams, ping_interval=None) as quiet:
        ours = f"{quiet.socket.getsockname()[1]:04X}"
        theirs = f"{address_of(service).port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        timers = [
            row[5].partition(":")[0]
            for row in rows
            if row[1].endswith(f":{theirs}") and row[2].endswith(f":{ours}")
        ]
        assert timers == [KEEPALIVE]
