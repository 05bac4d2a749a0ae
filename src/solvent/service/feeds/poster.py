"""The poster: signs quotes with the oracle's key and posts them, as any oracle would.

The endpoint takes a list of quotes. Nested values have no place in a canonical string, so what is
signed is the digest of the body:

    instruction=oraclePrices&sha256=HEX&timestamp=MS&window=MS

`drive` reads a feed and posts what it says until the feed ends or somebody stops it. A service that
is away for a while is tried again with growing pauses; one that refuses the very first post is not,
for then key or symbols are wrong.
"""

import asyncio
import base64
import hashlib
import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from solvent.domain.errors import InputError
from solvent.domain.units import PRICE_DECIMALS
from solvent.service.feeds import Feed, Quote
from solvent.service.limits import BATCH_COMMANDS, DEFAULT_WINDOW_MS
from solvent.service.wire import format_decimal

LOG = logging.getLogger("solvent.feeds")
PATH = "/solvent/v1/oracle/prices"
INSTRUCTION = "oraclePrices"
TIMEOUT = 10.0
ANSWER_BYTES = 1 << 20
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
"""Seconds between tries while the service does not answer."""
OK, TOO_MANY, SERVER_ERROR = 200, 429, 500


class PostError(Exception):
    """Quotes were not taken; it may be tried again. `str(error)` is one line."""


class PostRefusedError(PostError):
    """The service refuses what was sent, and would again."""


class Poster:
    """Posts to the service at `url` as the oracle whose secret key is `secret`."""

    def __init__(
        self,
        url: str,
        secret: bytes,
        *,
        timeout: float = TIMEOUT,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        scheme, host, port, path = _split(url)
        self._connection = _CONNECTIONS[scheme](host, port, timeout=timeout)
        self._path = path + PATH
        self._signing = SigningKey(secret)
        self._key = base64.b64encode(bytes(self._signing.verify_key)).decode()
        self._clock = clock

    def post(self, quotes: Sequence[Quote]) -> int:
        """Post quotes; return how many were taken. Raises PostError or PostRefusedError."""
        taken = 0
        for first in range(0, len(quotes), BATCH_COMMANDS):
            taken += self._post(quotes[first : first + BATCH_COMMANDS])
        return taken

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, quotes: Sequence[Quote]) -> int:
        body = encode_quotes(quotes)
        try:
            self._connection.request("POST", self._path, body, self.headers(body))
            response = self._connection.getresponse()
            answer = response.read(ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise PostError(f"no answer: {type(error).__name__} {error}".strip()) from error
        if len(answer) > ANSWER_BYTES:
            self._connection.close()
            raise PostError("the answer has no end")
        if response.status == TOO_MANY or response.status >= SERVER_ERROR:
            raise PostError(f"answered {response.status}")
        if response.status != OK:
            raise PostRefusedError(f"answered {response.status}: {_short(answer)}")
        return _taken(answer, quotes)

    def headers(self, body: bytes) -> dict[str, str]:
        """The headers of a signed request with this body."""
        stamp = str(self._clock() // 10**6)
        text = (
            f"instruction={INSTRUCTION}&sha256={hashlib.sha256(body).hexdigest()}"
            f"&timestamp={stamp}&window={DEFAULT_WINDOW_MS}"
        )
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-API-Key": self._key,
            "X-Signature": base64.b64encode(self._signing.sign(text.encode()).signature).decode(),
            "X-Timestamp": stamp,
            "X-Window": str(DEFAULT_WINDOW_MS),
        }


_CONNECTIONS: dict[str, Callable[..., http.client.HTTPConnection]] = {
    "http": http.client.HTTPConnection,
    "https": http.client.HTTPSConnection,
}


def _split(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path of the service. Raises InputError."""
    try:
        parts = urlsplit(url)
        # Refuses what no resolver takes, such as a label of more than 63 characters.
        (parts.hostname or "").encode("idna")
        is_plain = url.isascii() and url.isprintable() and " " not in url
        if is_plain and parts.scheme in _CONNECTIONS and parts.hostname:
            return parts.scheme, parts.hostname, parts.port, parts.path.rstrip("/")
    except ValueError:
        pass
    raise InputError("feed", "url", f"{url!r} is no URL like http://127.0.0.1:8620")


def encode_quotes(quotes: Sequence[Quote]) -> bytes:
    """The body of a post."""
    prices = [
        {
            "symbol": quote.symbol,
            "source": quote.source,
            "bid": format_decimal(quote.bid, PRICE_DECIMALS),
            "ask": format_decimal(quote.ask, PRICE_DECIMALS),
            "last": format_decimal(quote.last, PRICE_DECIMALS),
        }
        for quote in quotes
    ]
    return json.dumps({"prices": prices}, separators=(",", ":")).encode()


def _taken(answer: bytes, quotes: Sequence[Quote]) -> int:
    """How many of the quotes were taken; why others were not is logged."""
    try:
        items = json.loads(answer)
        errors = [item if item.get("operation") == "Err" else None for item in items]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise PostError(f"the answer is not understood: {_short(answer)}") from None
    if len(errors) != len(quotes):
        raise PostError(f"the answer is not understood: {_short(answer)}")
    for quote, error in zip(quotes, errors, strict=True):
        if error is not None:
            message = str(error.get("message"))[:200]
            reason = f"{quote.symbol} of source {quote.source}: {message}"
            LOG.warning("not taken", extra={"reason": reason})
    return errors.count(None)


def _short(answer: bytes) -> str:
    return " ".join(answer[:200].decode("ascii", "replace").split())


def drive(
    feed: Feed, poster: Poster, stopped: threading.Event, most_readings: int | None = None
) -> None:
    """Post what a feed says until it ends, `stopped` is set, or after so many readings.

    Raises PostRefusedError when the first post is refused.
    """
    readings = failures = 0
    was_taken = False
    while not stopped.is_set():
        quotes, pause = feed.read()
        readings += 1
        try:
            if quotes:
                poster.post(quotes)
                was_taken = True
            failures = 0
        except PostError as error:
            if isinstance(error, PostRefusedError) and not was_taken:
                raise
            failures += 1
            LOG.warning("not posted", extra={"reason": str(error)})
        if pause is None or readings == most_readings:
            return
        stopped.wait(max(pause, _backoff(failures)))


def _backoff(failures: int) -> float:
    if not failures:
        return 0.0
    longest: float = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures - 1, 16))
    return longest


async def drive_task(feed: Feed, poster: Poster) -> None:
    """`drive` as a task: cancelling it stops the feed after the reading in work."""
    stopped = threading.Event()
    try:
        await asyncio.to_thread(drive, feed, poster, stopped)
    finally:
        stopped.set()
