"""Malformed requests: an example of an endpoint with something wrong in it, drawn from a seed.

Each is one that no client may send: what is wrong is in the path, the query, the JSON, a value, the
headers or the signature, and whoever is asked must say so without harm. Values are wrong for what
the endpoint's words say, so that none of these requests could be carried out.
"""

import base64
import hashlib
import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

from nacl.signing import SigningKey

from solvent.service.api.endpoints import Endpoint, fields_of
from solvent.service.core.node import wall_clock
from solvent.service.limits import BODY_BYTES, QUERY_BYTES
from solvent.service.routes.all import ENDPOINTS
from tests.service.api.examples import EXAMPLES, LISTS

BAD_TEXTS = [
    "",
    " ",
    "-1",
    "+1",
    "1e5",
    "1E+400",
    "NaN",
    "Infinity",
    "0x10",
    "1.",
    ".5",
    "1..2",
    "1,000",
    " 1",
    "1 ",
    "1_000",
    "\u0661\u0662",
    "\uff11",
    "1\u00b2",
    "9" * 21,
    "9" * 400,
    "0." + "1" * 19,
    "\u0000",
    "'; DROP TABLE fills; --",
    "None",
    "\ud7ff",
    "\U0001f600",
]
BAD_VALUES: list[Any] = [-1, 2**64, 10**19, True, [], {}, [1], {"a": "1"}, ["1", "2"]]
HUGE = ["922337203", "9223372036", "9223372036854.775807", "99999999999", "9" * 20]
"""Amounts that no account has, near and beyond what a field holds."""
HUGE_SHARE = 0.2
BAD_JSON = [
    b"",
    b"{",
    b'{"a":',
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"symbol":"BTC","symbol":"SOL"}',
    b'{"quantity":1.5}',
    b'{"quantity":1e400}',
    b'{"quantity":NaN}',
    b'{"quantity":-Infinity}',
    b'{"quantity":' + b"9" * 5000 + b"}",
    b'{"symbol":"\\ud800"}',
    b'{"symbol":"\x00"}',
    b"[" * 5000,
    b'{"a":' * 60 + b"1" + b"}" * 60,
    b'[{"symbol":[[[[[[[[[[1]]]]]]]]]]}]',
    b"{} {}",
    b"x" * (BODY_BYTES + 1),
]
BAD_QUERIES = [
    b"%",
    b"%zz=1",
    b"a",
    b"=&=",
    b"symbol=%ff%fe",
    b"symbol=\xff\xfe",
    b"symbol=%00",
    b"symbol=SOL&symbol=BTC&limit=1&limit=2",
    b"symbol=SOL;limit=1",
    b"limit=" + b"9" * 400,
    b"a=1&" * 3000,
    b"x" * (QUERY_BYTES + 1),
]


UNKNOWN = [b"unknown=1", b"instruction=withdraw"]
"""Queries of fields that nobody asked for: who only reads may say them."""


class Request(NamedTuple):
    """What goes to the application, and what is wrong with it."""

    wrong: str
    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    is_cut: bool
    mutates: bool


class Maker:
    """Draws malformed requests of the people of a house, by name."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._keys: dict[str, tuple[SigningKey, str]] = {}
        self._kinds: list[Callable[[Endpoint], Request]] = [
            self._wrong_value,
            self._wrong_value,
            self._wrong_value,
            self._wrong_body,
            self._wrong_query,
            self._wrong_headers,
            self._wrong_path,
            self._wrong_role,
        ]

    def draw(self) -> Request:
        """The next one."""
        return self.rng.choice(self._kinds)(self.rng.choice(ENDPOINTS))

    def _wrong_value(self, endpoint: Endpoint) -> Request:
        """One field has another type, too many digits, or a value that is none of its enum's."""
        if not endpoint.fields:
            return self._wrong_query(endpoint)
        who, fields = self._example(endpoint)
        kinds = {each.encode_name: each.type for each in fields_of(endpoint.query, endpoint.body)}
        names = sorted(fields if endpoint.mutates else endpoint.fields)
        name = self.rng.choice(names)
        if name in LISTS_OF and isinstance(fields.get(name), list):
            items = [dict(item) for item in fields[name]]
            item = self.rng.choice(items)
            inner = self.rng.choice(sorted(item))
            item[inner] = self._bad(str)
            fields[name] = self.rng.choice([items, items, items, [], "x", None, [None], [[]]])
            return self.signed(endpoint, who, fields, f"{inner} of an item")
        if not (name in ("address", "clientId") and _takes(kinds.get(name), str)):
            is_deposit = endpoint.path == "/solvent/v1/admin/deposits"
            fields[name] = self._bad(str if is_deposit else kinds.get(name, str))
        else:
            fields[name] = self.rng.choice(["x&y=1", "a=b", "\u0007", "x" * 300, "%41", [], 7])
        return self.signed(endpoint, who, fields, f"{name}={fields[name]!r:.60}")

    def _bad(self, kind: Any) -> Any:
        if "decimal" in str(kind) and self.rng.random() < HUGE_SHARE:
            return self.rng.choice(HUGE)
        if self.rng.random() < 0.6:
            return self.rng.choice(BAD_TEXTS)
        if self.rng.random() < 0.2:
            return "".join(chr(self.rng.randrange(1, 0x2FFF)) for _ in range(8))
        value = self.rng.choice(BAD_VALUES)
        return -1 if _takes(kind, bool) and value is True else value

    def _wrong_body(self, endpoint: Endpoint) -> Request:
        """The body is no JSON, not the right one, cut off, or was changed after it was signed."""
        who, fields = self._example(endpoint)
        good = self.signed(endpoint, who, fields, "body")
        body = self.rng.choice(BAD_JSON)
        chance = self.rng.random()
        if chance < 0.2:
            body = self.rng.randbytes(self.rng.randrange(1, 60))
        elif chance < 0.4 and good.body:
            body = good.body[: self.rng.randrange(len(good.body))]
        elif chance < 0.6 and good.body:
            place = self.rng.randrange(len(good.body))
            other = bytes([good.body[place] ^ (1 << self.rng.randrange(8))])
            body = good.body[:place] + other + good.body[place + 1 :]
        is_cut = self.rng.random() < 0.1
        is_same = body == good.body or (endpoint.path == "/api/v1/account" and not body)
        return good._replace(body=b"[]" if is_same else body, is_cut=is_cut)

    def _wrong_query(self, endpoint: Endpoint) -> Request:
        """The query is not well formed, too long, or names what is not known."""
        who, fields = self._example(endpoint)
        is_read = endpoint.method == "GET"
        query = self.rng.choice(BAD_QUERIES if is_read else BAD_QUERIES + UNKNOWN)
        if self.rng.random() < 0.2:
            query = self.rng.randbytes(self.rng.randrange(1, 40))
        return self.signed(endpoint, who, fields, "query")._replace(query=query)

    def _wrong_path(self, endpoint: Endpoint) -> Request:
        """Nothing is there."""
        who, fields = self._example(endpoint)
        good = self.signed(endpoint, who, fields, "path")
        path = self.rng.choice(["/", "//", "/api", "/\u0000", "/" + "a" * 5000, good.path + "/"])
        if self.rng.random() < 0.3:
            return good._replace(method=self.rng.choice(["PUT", "HEAD", "OPTIONS", "X", ""]))
        return good._replace(path=path)

    def _wrong_role(self, endpoint: Endpoint) -> Request:
        """Somebody signed who may not do this, or whom nobody knows."""
        roles = {"ann": "user", "oracle": "oracle", "risk": "risk_admin", "operator": "operator"}
        _, fields = self._example(endpoint)
        others = [name for name, role in roles.items() if role not in endpoint.roles]
        return self.signed(endpoint, self.rng.choice([*others, "nobody"]), fields, "role")

    def _wrong_headers(self, endpoint: Endpoint) -> Request:
        """Something is wrong with key, signature, time or window."""
        who, fields = self._example(endpoint)
        now = wall_clock() // 1000
        times = [0, now - 70_000, now + 5_000, 2**62]
        windows = [0, 60_001, 2**62]
        chance = self.rng.random()
        if chance < 0.2:
            return self.signed(endpoint, who, fields, "time", now=self.rng.choice(times))
        if chance < 0.3:
            return self.signed(endpoint, who, fields, "window", window=self.rng.choice(windows))
        if chance < 0.4:
            wrong = endpoint._replace(instruction="other")
            return self.signed(wrong, who, fields, "instruction")
        good = self.signed(endpoint, who, fields, "headers")
        if not good.headers:
            return good
        place = self.rng.randrange(3)
        name, value = good.headers[place]
        flipped = bytearray(base64.b64decode(value)) if place < 2 else bytearray(b"x")
        flipped[self.rng.randrange(len(flipped))] ^= 1 << self.rng.randrange(8)
        changed = self.rng.choice(
            [
                base64.b64encode(flipped),
                value[:-2],
                b"",
                b"\xff\xfe",
                "\u0661\u0662".encode(),
                b"-1",
                b"1e3",
                b"A" * 10_000,
                base64.b64encode(bytes(32)),
                base64.b64encode(bytes(64)),
            ]
        )
        headers = list(good.headers)
        headers[place] = (name, changed)
        return good._replace(headers=headers)

    def _example(self, endpoint: Endpoint) -> tuple[str, dict[str, Any]]:
        if endpoint.path in LISTS:
            who, name, items = LISTS[endpoint.path]
            return who, {name: items}
        example = EXAMPLES[endpoint.method, endpoint.path]
        return example.who, dict(example.fields)

    def signed(
        self,
        endpoint: Endpoint,
        who: str,
        fields: dict[str, Any],
        wrong: str,
        *,
        now: int | None = None,
        window: int = 60_000,
    ) -> Request:
        """A request of these fields, signed as they are."""
        query = body = b""
        items = [fields, fields] if endpoint.is_batch else [fields]
        if endpoint.body:
            body = json.dumps(items if endpoint.is_batch else fields).encode()
        else:
            query = urlencode(fields, errors="replace").encode()
        text = "&".join(
            "&".join([f"instruction={endpoint.instruction}", *_words(each)]) for each in items
        )
        if endpoint.signs_digest:
            digest = hashlib.sha256(body).hexdigest()
            text = f"instruction={endpoint.instruction}&sha256={digest}"
        headers = self._headers(who, text, now, window) if endpoint.is_signed else []
        return Request(
            f"{endpoint.method} {endpoint.path} of {who}: {wrong}",
            endpoint.method,
            endpoint.path,
            query,
            headers,
            body,
            is_cut=False,
            mutates=endpoint.mutates,
        )

    def _headers(
        self, who: str, text: str, now: int | None, window: int
    ) -> list[tuple[bytes, bytes]]:
        if who not in self._keys:
            key = SigningKey(who.encode().ljust(32, b".")[:32])
            self._keys[who] = key, base64.b64encode(bytes(key.verify_key)).decode()
        key, public = self._keys[who]
        stamp = wall_clock() // 1000 if now is None else now
        signed = key.sign(f"{text}&timestamp={stamp}&window={window}".encode(errors="replace"))
        pairs = {
            "x-api-key": public,
            "x-signature": base64.b64encode(signed.signature).decode(),
            "x-timestamp": str(stamp),
            "x-window": str(window),
        }
        return [(name.encode(), value.encode()) for name, value in pairs.items()]


LISTS_OF = {name for _, name, _ in LISTS.values()}


def _takes(kind: Any, part: type) -> bool:
    """Whether a type is made of another one, among others."""
    return kind is part or any(_takes(each, part) for each in get_args(kind))


def _words(fields: dict[str, Any]) -> list[str]:
    return [f"{name}={_text(fields[name])}" for name in sorted(fields) if fields[name] is not None]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
