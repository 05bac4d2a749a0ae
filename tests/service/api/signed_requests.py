"""Requests as clients sign and send them: made by hand, or caught on loopback as they arrive."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple
from urllib.parse import parse_qsl

import pytest
from nacl.signing import SigningKey

from solvent.service.api.signing import Verified, verify
from solvent.service.core.keys import KeyRegistry, Role
from solvent.service.errors import ApiError
from solvent.service.strict_json import JsonValue, decode

NOW = 1_760_000_000_000
ACCOUNT = 7
KEY = SigningKey(b"k" * 32)
PUBLIC = base64.b64encode(bytes(KEY.verify_key)).decode()
SECRET = base64.b64encode(bytes(KEY)).decode()


def registry() -> KeyRegistry:
    """A registry that knows KEY."""
    found = KeyRegistry()
    found.let_in(bytes(KEY.verify_key), Role.USER, ACCOUNT)
    return found


class Sent(NamedTuple):
    """A request as it is on the wire; header names are in lower case."""

    method: str = "GET"
    path: str = "/"
    raw_query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @property
    def query(self) -> list[tuple[str, str]]:
        """Decoded fields of the query."""
        return parse_qsl(
            self.raw_query, keep_blank_values=True, strict_parsing=bool(self.raw_query)
        )

    @property
    def json(self) -> JsonValue:
        """The decoded body, None where there is none."""
        return decode(self.body) if self.body else None

    def verified(self, instruction: str, now: int | None = None) -> Verified:
        """Verify it, at the moment of its signature or at `now`. Raises ApiError."""
        moment = int(self.headers["x-timestamp"]) if now is None else now
        return verify(
            self.headers, instruction, self.query, self.raw_query, self.json, moment, registry()
        )


def signed(text: str, *, timestamp: int = NOW, window: int | None = 5000) -> dict[str, str]:
    """The headers of a request that signs `text`; without a window 5000 is signed."""
    stamped = f"{text}&timestamp={timestamp}&window={5000 if window is None else window}"
    headers = {
        "x-api-key": PUBLIC,
        "x-signature": base64.b64encode(KEY.sign(stamped.encode()).signature).decode(),
        "x-timestamp": str(timestamp),
    }
    return headers if window is None else headers | {"x-window": str(window)}


def refusal(sent: Sent, instruction: str = "orderExecute", now: int = NOW) -> ApiError:
    """The error with which a request is refused."""
    with pytest.raises(ApiError) as caught:
        sent.verified(instruction, now)
    return caught.value


class Recorder:
    """A server that keeps what it is sent and answers `{}`."""

    def __init__(self, url: str, requests: list[Sent]) -> None:
        self.url = url
        self._requests = requests

    def caught(self, send: Callable[[], object]) -> Sent:
        """The one request that `send` makes."""
        self._requests.clear()
        send()
        (found,) = self._requests
        return found


@contextmanager
def recording() -> Iterator[Recorder]:
    """A recorder on loopback."""
    requests: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        """Keeps one request."""

        def _keep(self) -> None:
            path, _, raw_query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            requests.append(Sent(self.command, path, raw_query, headers, body))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = do_PATCH = do_DELETE = _keep  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Recorder(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
