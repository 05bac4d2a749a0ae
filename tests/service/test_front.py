"""Pages of other sites: neither their sockets nor their requests are served, whatever they sign."""

import base64
import json
import socket
import stat
from pathlib import Path

import httpx
import pytest
from nacl.signing import SigningKey
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from solvent.lab.live.keys import demo_keys
from solvent.service.api.front import Front
from tests.service.clients.served import serving

ASK = "/api/v1/time"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        (None, True),
        ("127.0.0.1:8620", True),
        ("[::1]:8620", True),
        ("10.0.0.7", True),
        ("localhost:1", True),
        ("LOCALHOST", True),
        ("market.example:443", True),
        ("rebound.example", False),
        ("127.0.0.1.rebound.example", False),
        ("[rebound.example]", False),
        ("", False),
    ],
)
def test_a_host_is_a_number_or_listed(host: str | None, is_served: bool) -> None:
    refusal = Front(hosts={"market.example"}).refusal(None, host)
    assert (refusal is None) == is_served


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", ""])
def test_an_origin_is_listed(origin: str) -> None:
    front = Front(("https://market.example",))
    assert front.refusal("https://market.example", None) is None
    assert front.refusal(origin, None) is not None


def test_a_served_market_checks_both(tmp_path: Path) -> None:
    """S24: over real sockets, requests and streams alike; what is listed by options is served."""
    options = ("--origin", "https://market.example", "--host-name", "market.example")
    with serving(tmp_path, "--demo", *options) as service:
        for headers, status in (
            ({}, 200),
            ({"Host": "market.example"}, 200),
            ({"Origin": "https://market.example"}, 200),
            ({"Host": "rebound.example"}, 403),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
        ):
            assert httpx.get(service.rest + ASK, headers=headers).status_code == status, headers
        for origin in ("https://evil.example", "null", "http://rebound.example"):
            with pytest.raises(InvalidStatus), connect(service.streams, origin=Origin(origin)):
                pass
        with connect(service.streams, origin=Origin("https://market.example")):
            pass
        host, _, port = service.address.partition(":")
        for name, said in (("rebound.example", b"403"), ("market.example", b"101")):
            with socket.create_connection((host, int(port)), 10) as plain:
                plain.sendall(HANDSHAKE % name.encode())
                assert plain.recv(4096).split()[1] == said


def test_a_demo_has_no_staff_key_that_a_page_could_compute(tmp_path: Path) -> None:
    """S24: nor do two demos have the same one; who may read the folder has them."""
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with serving(tmp_path / name, "--demo"):
            pass
        path = tmp_path / name / "market" / "demo-staff.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.with_suffix(".secret").stat().st_mode) == 0o600
        keys = json.loads(path.read_text())
        assert {"operator", "funder", "oracle", "risk-admin", "risk-admin-2"} == set(keys)
        for key in keys.values():
            signing = SigningKey(base64.b64decode(key["secret"]))
            assert base64.b64encode(bytes(signing.verify_key)).decode() == key["publicKey"]
        found.append({key["publicKey"] for key in keys.values()})
    assert not found[0] & found[1]
    assert not {key.public for key in demo_keys(1)} & (found[0] | found[1])


def test_nodes_of_a_cluster_are_served_under_their_names() -> None:
    urls = ["http://Node-0:8620", "http://node-1:80/", "http://[::1]:8621"]
    front = Front(hosts={"10.0.0.1"}).among(urls)
    assert front.nodes == ("http://node-0:8620", "http://node-1", "http://[::1]:8621")
    assert front.refusal("http://node-1", "node-0:8620") is None
    assert front.refusal(None, "node-1") is None
    assert front.refusal("http://node-1:8620", "node-0:8620") is not None
    assert front.refusal(None, "node-2:8620") is not None
    assert not front.lets("http://node-2:8620")
