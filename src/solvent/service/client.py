"""A client of our own: one request, signed as its endpoint asks for and bound to its market.

What is signed ends with the market's identity, which the published form has no place for: so it is
good for no other market that knows the key.
"""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from nacl.signing import SigningKey

from solvent.domain.codec.secret import secret_key
from solvent.domain.errors import InputError
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.signing import MARKET_HEADER
from solvent.service.authority.possession import NEW_ACCOUNT, possession_text
from solvent.service.core.keys import NO_ACCOUNT, Role
from solvent.service.limits import DEFAULT_WINDOW_MS
from solvent.service.routes.all import ENDPOINTS

IDENTITY = "/solvent/v1/identity"
OPENING = "adminOpen"


class RefusedError(Exception):
    """The market refused a request; `answer` is what it said."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer


class Client:
    """Speaks to the market at `url` with the key of a file, or without one. Raises InputError."""

    def __init__(self, url: str, key_file: Path | None, seconds: float) -> None:
        if not _is_address(url):
            raise InputError(repr(url), "--url", "must be like http://127.0.0.1:8620")
        self._url = url.rstrip("/")
        self._key = None if key_file is None else _signing_key(key_file)
        self._seconds = seconds

    def send(self, method: str, path: str, fields: Mapping[str, str]) -> str:
        """The answer to a request. Raises RefusedError and InputError."""
        endpoint = _endpoint(method, path)
        headers: dict[str, str] = {}
        query, body = "", None
        if endpoint.body is None:
            query = f"?{urlencode(fields)}" if fields else ""
        else:
            body = json.dumps(dict(fields)).encode()
            headers["Content-Type"] = "application/json"
        if endpoint.instruction is not None:
            signed = dict(fields)
            if endpoint.signs_digest and body is not None:
                signed = {"sha256": hashlib.sha256(body).hexdigest()}
            headers |= self._signature(endpoint.instruction, signed)
        return self._ask(Request(self._url + path + query, body, headers, method=method))

    def proof(self, key_file: Path, fields: Mapping[str, str]) -> dict[str, str]:
        """The fields that let a new key in: its public half, and that its owner has the other."""
        key = _signing_key(key_file)
        public = _text(bytes(key.verify_key))
        role = Role(fields.get("role", Role.USER))
        account: int | str = NEW_ACCOUNT
        if "role" in fields and role not in (Role.USER, Role.BLP):
            account = NO_ACCOUNT
        if "account" in fields:
            account = int(fields["account"])
        text = possession_text(self._market(), public, role, account)
        return {"publicKey": public, "proof": _text(key.sign(text).signature)}

    def _signature(self, instruction: str, fields: Mapping[str, str]) -> dict[str, str]:
        if self._key is None:
            raise InputError("call", "--key-file", "is missing: this request is signed")
        market, now = self._market(), time.time_ns() // 10**6
        words = [
            f"instruction={instruction}",
            *(f"{name}={fields[name]}" for name in sorted(fields)),
        ]
        times = f"timestamp={now}&window={DEFAULT_WINDOW_MS}"
        text = f"{'&'.join(words)}&{times}&market={market}"
        return {
            "X-API-Key": _text(bytes(self._key.verify_key)),
            "X-Signature": _text(self._key.sign(text.encode()).signature),
            "X-Timestamp": str(now),
            "X-Window": str(DEFAULT_WINDOW_MS),
            MARKET_HEADER: market,
        }

    def _market(self) -> str:
        return str(json.loads(self._ask(Request(self._url + IDENTITY)))["market"])

    def _ask(self, request: Request) -> str:
        try:
            with urlopen(request, timeout=self._seconds) as answer:
                return str(answer.read().decode())
        except HTTPError as error:
            raise RefusedError(error.read().decode(errors="replace")) from None
        except (OSError, ValueError, HTTPException) as error:
            reason = f"does not answer ({getattr(error, 'reason', error)})"
            raise InputError(self._url, "market", reason) from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _endpoint(method: str, path: str) -> Endpoint:
    """The endpoint of a request. Raises InputError."""
    for endpoint in ENDPOINTS:
        if (endpoint.method, endpoint.path) == (method, path):
            if endpoint.is_batch:
                raise InputError(
                    "call", path, "takes a list; send single requests, or use a client"
                )
            return endpoint
    raise InputError("call", f"{method} {path}", "is no endpoint; /docs of a market lists them")


def _signing_key(path: Path) -> SigningKey:
    text = path.read_text(encoding="utf-8", errors="replace")
    return SigningKey(secret_key(str(path), text))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
