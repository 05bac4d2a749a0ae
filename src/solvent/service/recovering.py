"""Recovering: what is answered while a market is read from its journal, before it can be served.

Whoever looks after the service learns that it lives and how far it is; everything else is answered
with 503. The server of the service itself takes the address over when the market is there.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import NamedTuple

from solvent.service.errors import ApiErrorCode

HEALTH = "/solvent/v1/health"
SOCKET_SECONDS = 2.0
"""How long a client may take; one is served after the other."""
POLL_SECONDS = 0.05


class Far(NamedTuple):
    """How many records have happened again, of how many."""

    done: int
    of: int


@contextmanager
def answering(host: str, port: int, how_far: Callable[[], Far]) -> Iterator[None]:
    """Answer at an address until the block ends; nowhere, where the port is still to be chosen."""
    if port == 0:
        yield
        return

    class Answers(BaseHTTPRequestHandler):
        timeout = SOCKET_SECONDS

        def do_GET(self) -> None:
            if self.path == HEALTH:
                self._say(200, {"status": "recovering", **how_far()._asdict()})
            else:
                self._say(503, {"code": ApiErrorCode.MAINTENANCE, "message": "recovering"})

        do_POST = do_DELETE = do_PATCH = do_GET  # noqa: N815

        def _say(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json; charset=utf-8")
            self.send_header("content-length", str(len(data)))
            self.send_header("retry-after", "1")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer((host, port), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
