"""Our own client signs for one market, and whoever makes a key is told why that matters."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from tests.cli.helpers import solvent
from tests.service.clients.served import OPERATOR, Key, Service, Staff, serving

PATH = "/api/v1/account"


class Overhears(HTTPServer):
    """Passes requests on to a market, and keeps those that change something."""

    def __init__(self, market: Service) -> None:
        super().__init__(("127.0.0.1", 0), _Passes)
        self.market = market
        self.heard: list[tuple[dict[str, str], bytes]] = []


class _Passes(BaseHTTPRequestHandler):
    server: Overhears

    def do_GET(self) -> None:
        """Pass on what only asks."""
        self._answer(httpx.get(self.server.market.rest + self.path))

    def do_PATCH(self) -> None:
        """Keep what was said, and pass it on."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: text for name, text in self.headers.items() if name.startswith("X-")}
        headers["Content-Type"] = "application/json"
        self.server.heard.append((headers, body))
        self._answer(said_to(self.server.market, headers, body))

    def _answer(self, reply: httpx.Response) -> None:
        self.send_response(reply.status_code)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def said_to(market: Service, headers: dict[str, str], body: bytes) -> httpx.Response:
    """A request in these bytes."""
    return httpx.patch(market.rest + PATH, content=body, headers=headers)


@contextmanager
def overhearing(market: Service) -> Iterator[Overhears]:
    """Somebody between a client and its market."""
    with Overhears(market) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_what_our_client_signs_is_good_on_its_market_alone(tmp_path: Path) -> None:
    """S25: one that knows the key too refuses it, with the name of the first or without."""
    done = solvent("keygen", "ann", "--folder", tmp_path)
    assert "never use a real exchange's key here" in done.stdout
    public = (tmp_path / "ann.pub").read_text().strip()
    secret = (tmp_path / "ann.secret").read_text().strip()
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with serving(tmp_path / "one") as one, serving(tmp_path / "two") as two:
        for market in (one, two):
            staff = Staff(market, OPERATOR)
            proof = staff.proof(Key(public, secret), "user", "new")
            body = {"publicKey": public, "proof": proof}
            staff.post_digest("/solvent/v1/admin/accounts", "adminOpen", body)
        with overhearing(one) as between:
            url = f"http://127.0.0.1:{between.server_port}"
            words = ("call", "patch", PATH, "leverageLimit=2", "--url", url)
            done = solvent(*words, "--key-file", tmp_path / "ann.secret")
            assert done.returncode == 0, done.stderr
            ((headers, body_sent),) = between.heard
        refused = said_to(two, headers, body_sent)
        assert refused.json()["message"] == "the request is signed for another market"
        unnamed = {name: text for name, text in headers.items() if name.lower() != "x-market"}
        assert len(unnamed) == len(headers) - 1
        assert said_to(two, unnamed, body_sent).json()["message"] == "Invalid signature"
