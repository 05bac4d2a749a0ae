"""HAProxy in front, which ends TLS: requests, streams, and whose bucket a request is of."""

import json
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.service.clients.served import free_port, serving, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("haproxy") and shutil.which("openssl")),
        reason="haproxy or openssl is not installed",
    ),
]
WAYS = {
    "header": ("mode http\n  option forwardfor", "", ()),
    "line": ("mode tcp", "send-proxy-v2", ("--proxy-protocol",)),
}
"""How the proxy says who asks: its configuration, the server's line, the options of `up`."""
SIGNED = {"X-API-Key": "x", "X-Signature": "y"}
LOUD, QUIET = "127.0.0.5", "127.0.0.6"


@contextmanager
def proxied(folder: Path, address: str, way: str) -> Iterator[tuple[str, ssl.SSLContext]]:
    """The proxy in front of an address: where it listens, and whom its clients trust."""
    key, certificate = folder / "tls.pem.key", folder / "tls.pem"
    made = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", str(key), "-out", str(certificate)),
    ]
    subprocess.run(made, check=True, capture_output=True)
    port, (front, back, _) = free_port(), WAYS[way]
    text = (
        "defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n"
        f"listen market\n  {front}\n  bind 127.0.0.1:{port} ssl crt {certificate}\n"
        f"  server market {address} {back}\n"
    )
    config = folder / "haproxy.cfg"
    config.write_text(text)
    with subprocess.Popen(["haproxy", "-db", "-f", str(config)], stderr=subprocess.PIPE) as process:
        try:
            yield f"127.0.0.1:{port}", ssl.create_default_context(cafile=str(certificate))
        finally:
            process.terminate()


@pytest.mark.parametrize("way", WAYS)
def test_a_market_behind_a_proxy_that_ends_tls(tmp_path: Path, way: str) -> None:
    """S20: who asks too often through the proxy is not everybody behind it."""
    options = ("--trusted-proxy", "127.0.0.1", *WAYS[way][2], "--demo", "--accounts", "40")
    with (
        serving(tmp_path, *options) as service,
        proxied(tmp_path, service.address, way) as (at, trust),
    ):

        def client(source: str) -> httpx.Client:
            transport = httpx.HTTPTransport(local_address=source, verify=trust)
            return httpx.Client(base_url=f"https://{at}", transport=transport)

        with client(LOUD) as loud, client(QUIET) as quiet:
            until(lambda: _answers(quiet))
            assert loud.get("/api/v1/capital", headers=SIGNED).status_code == 400
            asked = [loud.get("/api/v1/capital", headers=SIGNED) for _ in range(260)]
            assert 429 in [reply.status_code for reply in asked]
            assert quiet.get("/api/v1/capital", headers=SIGNED).status_code == 400
        with connect(f"wss://{at}", ssl=trust) as stream:
            stream.send(json.dumps({"method": "CONNECTION"}))
            assert "connection" in json.loads(stream.recv())


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v1/time").status_code == 200
    except httpx.TransportError:
        return False
