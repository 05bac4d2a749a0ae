"""Malformed requests do no harm: no server error, and the market's state is as it was.

`python -m tests.service.api.test_malformed 1000000 7` sends so many from another seed.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from solvent.service.api.http import App
from solvent.service.serve import application
from tests.service.api.malformed import Maker, Request
from tests.service.harness import House, endless, with_house
from tests.sizes import sized

REQUESTS = sized(quick=5_000, usual=30_000, full=100_000)
REFUSED = 400
SERVER_ERROR = 500


class Said:
    """What the application answers."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.status = 0
        self.body = b""

    async def receive(self) -> MutableMapping[str, Any]:
        """The body, or that the client went away."""
        if self.request.is_cut:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.request.body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Keep what comes."""
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it was carried out; each item of a batch is refused for itself."""
        is_batch = self.body.startswith(b'[{"operation"') and b'"Ok"' not in self.body
        return self.status >= REFUSED or is_batch


async def ask(app: App, request: Request) -> Said:
    """Send one request."""
    said = Said(request)
    scope = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": request.query,
        "headers": request.headers,
        "client": ("127.0.0.1", 1),
    }
    await app(scope, said.receive, said.send)
    return said


async def bombard(house: House, count: int, seed: int) -> Counter[int]:
    """Send many; fail at the first that does harm; how many were answered with which status."""
    app = application(house.node, endless())
    maker = Maker(seed)
    before = _state(house)
    found: Counter[int] = Counter()
    for number in range(count):
        request = maker.draw()
        said = await ask(app, request)
        found[said.status] += 1
        assert 200 <= said.status < SERVER_ERROR, (request, said.body)
        assert said.is_refused or not request.mutates, (request, said.body)
        if number % 5000 == 0:
            assert _state(house) == before, request.wrong
    assert _state(house) == before
    return found


def _state(house: House) -> tuple[str, bytes, int]:
    market = house.node.market
    return market.engine.state_hash(), market.keys.encode(), len(market.desk.waiting)


def test_malformed_requests_do_no_harm(tmp_path: Path) -> None:
    async def story(house: House) -> Counter[int]:
        return await bombard(house, REQUESTS, seed=1)

    found = with_house(tmp_path, story)
    refused = sum(number for status, number in found.items() if status >= REFUSED)
    assert refused > REQUESTS // 2
    assert max(found, key=lambda status: found[status]) == REFUSED
    assert {200, 401, 403, 404, 408, 413, 414} <= set(found)


def main(count: int, seed: int) -> None:
    """Send `count` and say what came back."""

    async def story(house: House) -> Counter[int]:
        return await bombard(house, count, seed)

    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = with_house(Path(folder), story)
    seconds = time.monotonic() - start
    said = ", ".join(f"{status}: {number}" for status, number in sorted(found.items()))
    print(f"{count} malformed requests in {seconds:.0f} s, no server error; {said}")


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]] or [REQUESTS]
    main(words[0], words[1] if len(words) > 1 else 1)
