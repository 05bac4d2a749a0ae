"""Signed requests over a socket, with what any client has: a key, the published scheme, HTTP.

A request is signed once and can be sent any number of times, byte for byte, until it expires.
"""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from functools import cache
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlencode

from nacl.signing import SigningKey

from solvent.service.authority.acts import fingerprint
from solvent.service.authority.possession import possession_text
from solvent.service.core.idempotency import Answer
from solvent.service.core.keys import Role
from solvent.service.limits import WINDOW_MS
from solvent.service.strict_json import JsonValue


class Ask(NamedTuple):
    """A request that is not signed yet.

    With `signs_digest` the digest of its body is signed; with `is_list` the body is a list of one.
    """

    method: str
    path: str
    instruction: str
    fields: Mapping[str, JsonValue] = {}
    signs_digest: bool = False
    is_list: bool = False


class Request(NamedTuple):
    """A signed request, good until `expires_ms` (UTC)."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    expires_ms: int


def now_ms() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 10**6


@cache
def _key(name: str) -> SigningKey:
    return SigningKey(hashlib.blake2b(name.encode(), digest_size=32).digest())


def public_key(name: str) -> str:
    """The public key of the client of this name, in base64."""
    return base64.b64encode(bytes(_key(name).verify_key)).decode()


def fingerprint_of(name: str) -> str:
    """How the market names the key of this client to people."""
    return fingerprint(bytes(_key(name).verify_key))


def proof(name: str, market: bytes, role: Role, account: int | str) -> str:
    """The proof that whoever brings the key of this name has it, in base64."""
    text = possession_text(market.hex(), public_key(name), role, account)
    return base64.b64encode(_key(name).sign(text).signature).decode()


def signed(name: str, ask: Ask) -> Request:
    """The request, signed now for the longest window."""
    content = [ask.fields] if ask.is_list else ask.fields
    body = b"" if ask.method == "GET" else json.dumps(content).encode()
    fields = {"sha256": hashlib.sha256(body).hexdigest()} if ask.signs_digest else ask.fields
    words = "".join(f"&{word}={_text(fields[word])}" for word in sorted(fields))
    stamp = now_ms()
    text = f"instruction={ask.instruction}{words}&timestamp={stamp}&window={WINDOW_MS}"
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-API-Key": public_key(name),
        "X-Signature": base64.b64encode(_key(name).sign(text.encode()).signature).decode(),
        "X-Timestamp": str(stamp),
        "X-Window": str(WINDOW_MS),
    }
    query = f"?{urlencode(ask.fields)}" if ask.method == "GET" and ask.fields else ""
    return Request(ask.method, ask.path + query, headers, body, stamp + WINDOW_MS)


def _text(value: JsonValue) -> str:
    """A field as the published scheme signs it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def signature(name: str, instruction: str) -> list[str]:
    """Key, signature, time and window of a text without fields, signed now, as a frame has them."""
    stamp = now_ms()
    text = f"instruction={instruction}&timestamp={stamp}&window={WINDOW_MS}"
    signed_text = base64.b64encode(_key(name).sign(text.encode()).signature).decode()
    return [public_key(name), signed_text, str(stamp), str(WINDOW_MS)]


def send(connection: HTTPConnection, request: Request) -> tuple[Answer, Mapping[str, str]]:
    """The answer and its headers. Raises OSError or HTTPException where none came whole."""
    connection.request(request.method, request.target, request.body or None, dict(request.headers))
    response = connection.getresponse()
    body = response.read()
    return Answer(response.status, body), dict(response.headers)
