"""The poster: what is sent is signed, and what the answer says is heeded."""

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from nacl.signing import SigningKey

from solvent.domain.codec.secret import secret_key
from solvent.domain.errors import InputError
from solvent.service.feeds import Quote, Reading
from solvent.service.feeds.poster import (
    Poster,
    PostError,
    PostRefusedError,
    drive,
    drive_task,
    encode_quotes,
)
from solvent.service.limits import BATCH_COMMANDS, BODY_BYTES

UNIT = 10**10
SECRET = b"oracle".ljust(32, b".")
QUOTES = [Quote("SOL", 0, 200 * UNIT, 2002 * UNIT // 10, 1), Quote("BTC", 1, 5, 6, 7)]


class Seen(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Service:
    """Takes posts and answers what it is told; an answer of None is no answer at all."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self.answers: list[tuple[int, bytes] | None] = []

    def next(self, body: bytes) -> tuple[int, bytes] | None:
        """The next answer; without one, all quotes are taken."""
        if self.answers:
            return self.answers.pop(0)
        return 200, json.dumps([{"operation": "Ok"} for _ in json.loads(body)["prices"]]).encode()


@contextmanager
def service() -> Iterator[Service]:
    """A service on a free port of this machine."""
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.seen.append(Seen(self.path, dict(self.headers), body))
            answer = found.next(body)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def posting(found: Service) -> Iterator[Poster]:
    """A poster to that service."""
    poster = Poster(found.url, SECRET, timeout=10)
    try:
        yield poster
    finally:
        poster.close()


class Script:
    """A feed that says what is written down, without a pause."""

    def __init__(self, readings: Sequence[Sequence[Quote]], *, ends: bool = True) -> None:
        self.readings = list(readings)
        self.ends = ends

    def read(self) -> Reading:
        """The next reading."""
        quotes = self.readings.pop(0) if self.readings else []
        return Reading(quotes, None if self.ends and not self.readings else 0.0)


class TestRequest:
    """Body and signature."""

    def test_the_digest_of_the_body_is_signed(self) -> None:
        with service() as found, posting(found) as poster:
            assert poster.post(QUOTES) == 2
            (request,) = found.seen
        assert request.path == "/solvent/v1/oracle/prices"
        assert json.loads(request.body) == {
            "prices": [
                {
                    "symbol": "SOL",
                    "source": 0,
                    "bid": "200",
                    "ask": "200.2",
                    "last": "0.0000000001",
                },
                {
                    "symbol": "BTC",
                    "source": 1,
                    "bid": "0.0000000005",
                    "ask": "0.0000000006",
                    "last": "0.0000000007",
                },
            ]
        }
        headers = request.headers
        digest = hashlib.sha256(request.body).hexdigest()
        text = (
            f"instruction=oraclePrices&sha256={digest}"
            f"&timestamp={headers['X-Timestamp']}&window={headers['X-Window']}"
        )
        key = SigningKey(SECRET).verify_key
        assert base64.b64decode(headers["X-API-Key"]) == bytes(key)
        key.verify(text.encode(), base64.b64decode(headers["X-Signature"]))

    def test_many_quotes_are_several_posts(self) -> None:
        quotes = [Quote("SOLSOLSO", 7, *[2**63 - 1] * 3)] * (BATCH_COMMANDS + 1)
        assert len(encode_quotes(quotes[:BATCH_COMMANDS])) < BODY_BYTES
        with service() as found, posting(found) as poster:
            assert poster.post(quotes) == BATCH_COMMANDS + 1
            assert [len(json.loads(each.body)["prices"]) for each in found.seen] == [500, 1]

    @pytest.mark.parametrize("text", ["", "abc", base64.b64encode(b"x" * 31).decode(), "é" * 44])
    def test_a_key_that_is_none(self, text: str) -> None:
        with pytest.raises(InputError) as refusal:
            secret_key("a.key", text)
        assert not text or text not in str(refusal.value)

    def test_a_key_in_base64(self) -> None:
        assert secret_key("a.key", base64.b64encode(SECRET).decode() + "\n") == SECRET

    @pytest.mark.parametrize(
        "url", ["", "127.0.0.1:8080", "ftp://host", "http://", "http://h:99999", "http://[h"]
    )
    def test_what_is_no_url(self, url: str) -> None:
        with pytest.raises(InputError, match="url"):
            Poster(url, SECRET)


class TestAnswers:
    """What the service says."""

    @pytest.mark.parametrize(
        "answer",
        [(429, b""), (500, b""), (503, b"{}"), None]
        + [(200, raw) for raw in (b"", b"{}", b"[]", b"7", b"[1,2]", b"[{}]", b"\xff")],
    )
    def test_to_be_tried_again(self, answer: tuple[int, bytes] | None) -> None:
        with service() as found, posting(found) as poster:
            found.answers = [answer]
            with pytest.raises(PostError) as failure:
                poster.post(QUOTES)
            assert not isinstance(failure.value, PostRefusedError)
            assert poster.post(QUOTES) == 2

    @pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413])
    def test_refused(self, status: int) -> None:
        with service() as found, posting(found) as poster:
            found.answers = [(status, b'{"code":"X","message":"because"}')]
            with pytest.raises(PostRefusedError, match=f"{status}.*because"):
                poster.post(QUOTES)

    def test_a_quote_that_is_not_taken_is_said(self, caplog: pytest.LogCaptureFixture) -> None:
        with service() as found, posting(found) as poster:
            error = {"operation": "Err", "code": "INVALID_PRICE", "message": "too high"}
            found.answers = [(200, json.dumps([{"operation": "Ok"}, error]).encode())]
            assert poster.post(QUOTES) == 1
        (record,) = caplog.records
        assert record.__dict__["reason"] == "BTC of source 1: too high"


class TestDrive:
    """From a feed to the service until its end."""

    def test_until_the_feed_ends(self) -> None:
        with service() as found, posting(found) as poster:
            drive(Script([QUOTES, [], QUOTES[:1]]), poster, threading.Event())
            assert [len(json.loads(each.body)["prices"]) for each in found.seen] == [2, 1]

    def test_until_so_many_readings(self) -> None:
        with service() as found, posting(found) as poster:
            drive(Script([QUOTES] * 9, ends=False), poster, threading.Event(), 3)
            assert len(found.seen) == 3

    def test_a_service_that_is_away_is_tried_again(self) -> None:
        with service() as found, posting(found) as poster:
            found.answers = [(503, b""), None]
            drive(Script([QUOTES] * 4), poster, threading.Event())
            assert len(found.seen) == 4

    def test_the_first_refusal_ends_it_and_a_later_one_does_not(self) -> None:
        with service() as found, posting(found) as poster:
            found.answers = [(401, b"")]
            with pytest.raises(PostRefusedError):
                drive(Script([QUOTES] * 3), poster, threading.Event())
            drive(Script([QUOTES]), poster, threading.Event())
            found.seen.clear()
            found.answers = [(200, b'[{"operation":"Ok"},{"operation":"Ok"}]'), (400, b"")]
            drive(Script([QUOTES] * 3), poster, threading.Event())
            assert len(found.seen) == 3

    def test_cancelling_the_task_stops_the_feed(self) -> None:
        async def story(poster: Poster, found: Service) -> None:
            task = asyncio.create_task(drive_task(Script([QUOTES] * 10**6, ends=False), poster))
            while not found.seen:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        with service() as found, posting(found) as poster:
            asyncio.run(story(poster, found))
            posts = len(found.seen)
            drive(Script([QUOTES]), poster, threading.Event())
            assert len(found.seen) == posts + 1
