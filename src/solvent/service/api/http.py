"""HTTP: from a request's bytes to a handler and back, with every limit on the way.

In order: is there such an endpoint, is there room in the caller's bucket, is its page served, does
the body come in time and size, are there no more items than may be, are query and JSON strict, is
the signature right (of a digest before the body is read), may the key do this. Only then
does a handler run. Whatever goes wrong is answered with the published error object; what nobody
foresaw is logged under a number and says nothing else.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from solvent.service.api import views
from solvent.service.api.bodies import Patience
from solvent.service.api.buckets import Buckets
from solvent.service.api.calls import JSON_TYPE, Call, Reply
from solvent.service.api.crossing import PREFLIGHT, crossing_headers, preflight
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.front import Front
from solvent.service.api.intake import TOO_MANY, Intake, Toll
from solvent.service.api.packing import packed
from solvent.service.api.params import bad_request
from solvent.service.api.signing import MARKET_HEADER, SIGNATURE_HEADERS, Verified, verify
from solvent.service.core.keys import NO_ACCOUNT
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import (
    BATCH_ORDERS,
    BODY_BYTES_A_TOKEN,
    FIELDS_PARTS,
    ITEMS_PARTS,
    JSON_PARTS,
    OFFSET_MOST,
    OFFSET_ROWS_A_TOKEN,
    PARTS_A_TOKEN,
    QUERY_BYTES,
    QUERY_FIELDS,
    REFUSED_TOKENS,
)
from solvent.service.logs import ACCESS
from solvent.service.proxies import Proxies, counted_as
from solvent.service.sequences import LEAST_HEADER, knowing, least_of
from solvent.service.strict_json import JsonError, JsonValue, decode, encode, parts
from solvent.service.warden import Warden
from solvent.service.wire import ms

LOG = logging.getLogger("solvent.http")
REQUESTS = logging.getLogger(ACCESS)
_LEAST = LEAST_HEADER.lower().encode()
FILES = "files"
"""Under which word files are counted, which bring their own forms."""
NOT_FOUND = 404
FORBIDDEN = 403
SERVER_ERROR = 500
TOO_LONG = 414


class Streams(Protocol):
    """What serves the streams: an ASGI application that can be told to end.

    `warden` watches their connections.
    """

    warden: Warden | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

    async def close(self) -> None:
        """End all connections."""


class Files(Protocol):
    """Files that are served as they are, beside the endpoints."""

    def reply(self, path: str, asked: Mapping[bytes, bytes]) -> Reply | None:
        """The file at a path, for a request with such headers; None where there is none."""


class NoFiles:
    """For an application that serves endpoints alone."""

    def reply(self, path: str, asked: Mapping[bytes, bytes]) -> Reply | None:
        """There is none."""
        del path, asked
        return None


class _Head(NamedTuple):
    """What a request says before its body."""

    method: str
    path: str
    raw_query: str
    headers: Sequence[tuple[bytes, bytes]]
    address: str
    counted: str
    """As whose the address counts."""

    def named(self, name: bytes) -> str | None:
        """The first header of a lower-case name."""
        found = next((value for each, value in self.headers if each == name), None)
        return None if found is None else found.decode("latin-1")


class App:
    """The ASGI application: endpoints over HTTP, streams over WebSocket.

    What is of no endpoint in `endpoints` is for the application `beyond`, if there is one.
    """

    def __init__(
        self,
        intake: Intake,
        endpoints: Sequence[Endpoint],
        buckets: Buckets,
        streams: Streams,
        front: Front,
        proxies: Proxies,
        files: Files,
        beyond: ASGIApp | None = None,
    ) -> None:
        self._intake = intake
        self._files = files
        self._endpoints = {(each.method, each.path): each for each in endpoints}
        self._buckets = buckets
        self._patience = Patience()
        self.streams = streams
        self._front = front
        self.proxies = proxies
        self._beyond = beyond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one connection."""
        if scope["type"] == "http":
            if self._beyond is not None and not self._is_own(scope):
                await self._beyond(scope, receive, send)
                return
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.streams(scope, receive, send)
        else:
            await _lifespan(receive, send)

    def _is_own(self, scope: Scope) -> bool:
        """Whether a request is for an endpoint of this application, as it knows the market now."""
        return (scope["method"], scope["path"]) in self._endpoints and all(
            name != _LEAST for name, _ in scope["headers"]
        )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        view = views.asked(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
        head = self._head(scope, view)
        tag, reply = await self._reply(head, receive)
        reply = view.shaped(reply)
        if tag != FILES:
            reply = packed(reply, head.named(b"accept-encoding"))
        seconds = time.perf_counter() - start
        self._intake.metrics.answered(tag, reply.status, seconds)
        if REQUESTS.isEnabledFor(logging.INFO):
            said = {
                "method": head.method,
                "path": head.path,
                "status": reply.status,
                "ms": round(seconds * 1000, 2),
                "address": head.address,
            }
            REQUESTS.info("answered", extra=said)
        crossing = crossing_headers(self._front, head.named(b"origin"))
        await _send(send, reply, ms(self._intake.clock()), crossing, is_head=head.method == "HEAD")

    async def _reply(self, head: _Head, receive: Receive) -> tuple[str, Reply]:
        """The answer, and under which word it is counted."""
        method = "GET" if head.method == "HEAD" else head.method
        if method == PREFLIGHT or method == "GET":
            try:
                file = self._file(head)
            except ApiError as error:
                return "none", _error(error)
            if file is not None:
                return FILES, file
        endpoint = self._endpoints.get((method, head.path))
        if endpoint is None:
            return "none", Reply(NOT_FOUND, b"not found", "text/plain; charset=utf-8")
        return endpoint.tag, await self._answer(endpoint, head, receive)

    def _file(self, head: _Head) -> Reply | None:
        """What is answered without an endpoint, if it is. Raises ApiError."""
        is_question = head.method == PREFLIGHT and head.named(b"origin") is not None
        found = preflight() if is_question else self._files.reply(head.path, dict(head.headers))
        if found is not None:
            Toll(self._buckets).pay("address", head.counted)
            self._check_front(head)
        return found

    async def _answer(self, endpoint: Endpoint, head: _Head, receive: Receive) -> Reply:
        toll = Toll(self._buckets, reduces_risk=endpoint.reduces_risk)
        try:
            toll.pay("address", head.counted)
            known = await least_of(self._intake, head.named(_LEAST))
        except ApiError as error:
            return _error(error)
        reply = await self._said(endpoint, head, receive, toll)
        # What was read knows what was there before; what changed something, what it led to.
        return knowing(reply, self._intake.reached.sequence if endpoint.mutates else known)

    async def _said(self, endpoint: Endpoint, head: _Head, receive: Receive, toll: Toll) -> Reply:
        try:
            return await self._carry_out(endpoint, head, receive, toll)
        except ApiError as error:
            return _error(error)
        except Exception:
            number = secrets.token_hex(8)
            LOG.exception("request failed", extra={"request": number, "path": head.path})
            return _error(
                ApiError(
                    SERVER_ERROR,
                    ApiErrorCode.SERVER_ERROR,
                    f"the request failed; it is in the log as {number}",
                )
            )
        finally:
            if not toll.is_handed_on:
                self._intake.settle(toll.paid)

    async def _carry_out(
        self, endpoint: Endpoint, head: _Head, receive: Receive, toll: Toll
    ) -> Reply:
        try:
            call = await self._read(endpoint, head, receive, toll)
        except ApiError as error:
            # Of those whose role may not do this it is known who they are.
            if error.status not in (TOO_MANY, FORBIDDEN):
                toll.charge("address", head.counted, REFUSED_TOKENS)
            raise
        if call.verified is not None:
            # Only these have lists; most requests are not theirs.
            has_list = endpoint.is_batch or endpoint.signs_digest
            weight = _weight(call.body) if has_list else 1
            toll.pay("key", call.principal.number, weight)
            if call.principal.account != NO_ACCOUNT:
                toll.pay("account", call.principal.account, weight)
        _check_required(endpoint, call.query, call.body)
        return await endpoint.handler(call)

    async def _read(self, endpoint: Endpoint, head: _Head, receive: Receive, toll: Toll) -> Call:
        """The request, of whom it is, with every limit before the work that it bounds."""
        self._check_front(head)
        if len(head.raw_query) > QUERY_BYTES:
            raise ApiError(TOO_LONG, ApiErrorCode.INVALID_CLIENT_REQUEST, "the query is too long")
        raw = await self._patience.body(receive)
        if len(raw) >= BODY_BYTES_A_TOKEN:
            toll.pay("address", head.counted, len(raw) // BODY_BYTES_A_TOKEN)
        pairs = _pairs(head.raw_query)
        verified = None
        if endpoint.signs_digest:
            # What is signed is known without a look at what the body says.
            signed = {"sha256": hashlib.sha256(raw).hexdigest()}
            verified = self._verify(endpoint, head, pairs, signed)
            if cost := parts(raw) // PARTS_A_TOKEN:
                toll.pay("key", verified.principal.number, cost)
        if endpoint.is_batch and raw.count(b"{") > BATCH_ORDERS:
            raise bad_request(f"at most {BATCH_ORDERS} orders a request")
        # What changes something and says nothing refuses a body too, or one is taken unread.
        body = _json(endpoint, raw) if endpoint.body or endpoint.mutates else None
        query, lists = _fields(endpoint, pairs, body)
        if query and (skipped := _offset(query)):
            toll.pay("address", head.counted, skipped // OFFSET_ROWS_A_TOKEN)
        if endpoint.is_signed and verified is None:
            verified = self._verify(endpoint, head, pairs, body)
        return Call(self._intake, query, body, lists, verified, toll)

    def _head(self, scope: Scope, view: views.Asked) -> _Head:
        headers = scope["headers"]
        address = self.proxies.client(scope.get("client"), headers)
        return _Head(
            scope["method"],
            view.path,
            view.raw_query,
            headers,
            address,
            counted_as(address),
        )

    def _check_front(self, head: _Head) -> None:
        refusal = self._front.refusal(head.named(b"origin"), head.named(b"host"))
        if refusal is not None:
            raise ApiError(FORBIDDEN, ApiErrorCode.FORBIDDEN, refusal)

    def _verify(
        self,
        endpoint: Endpoint,
        head: _Head,
        pairs: Sequence[tuple[str, str]],
        signed: JsonValue,
    ) -> Verified:
        verified = verify(
            _signature(head.headers),
            endpoint.instruction or "",
            pairs,
            head.raw_query,
            signed,
            ms(self._intake.clock.signing()),
            self._intake.market.keys,
            self._intake.market.identity,
        )
        if not endpoint.is_open_to(verified.principal):
            raise ApiError(FORBIDDEN, ApiErrorCode.FORBIDDEN, "the key's role may not do this")
        return verified


def _offset(query: Mapping[str, JsonValue]) -> int:
    """How many rows of a list are to be passed over: none where it is too far, and refused."""
    text = query.get("offset")
    if not isinstance(text, str) or not (text.isascii() and text.isdigit()):
        return 0
    offset = int(text) if len(text) <= _OFFSET_DIGITS else OFFSET_MOST + 1
    return offset if offset <= OFFSET_MOST else 0


_OFFSET_DIGITS = 20


def _weight(body: JsonValue) -> int:
    """How many commands a request asks for."""
    lists = body.values() if isinstance(body, dict) else [body]
    return max([1, *(len(each) for each in lists if isinstance(each, list))])


_SIGNATURE = {name.lower().encode(): name for name in (*SIGNATURE_HEADERS, MARKET_HEADER)}


def _signature(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of a signature, by lower-case name. Raises ApiError where one comes twice.

    Whoever else reads the request, a proxy say, may take the other one.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        shown = _SIGNATURE.get(name)
        if shown is None:
            continue
        if shown.lower() in found:
            raise bad_request(f"{shown} comes more than once")
        found[shown.lower()] = value.decode("latin-1")
    return found


def _pairs(raw_query: str) -> list[tuple[str, str]]:
    if not raw_query:
        return []
    try:
        return parse_qsl(
            raw_query,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=QUERY_FIELDS,
        )
    except ValueError as error:
        raise bad_request("the query is not well formed") from error


def _json(endpoint: Endpoint, raw: bytes) -> JsonValue:
    if not raw:
        return {}
    most = ITEMS_PARTS if endpoint.is_batch else FIELDS_PARTS
    try:
        return decode(raw, JSON_PARTS if endpoint.signs_digest else most)
    except JsonError as error:
        raise bad_request(str(error)) from error


def _fields(
    endpoint: Endpoint, pairs: Sequence[tuple[str, str]], body: JsonValue
) -> tuple[dict[str, JsonValue], dict[str, list[str]]]:
    """Query fields by name; a name that comes more than once is a list, where one is expected.

    A request that only reads may say more than is asked, as published clients do: that is signed
    with the rest and passed over. What changes something says nothing that nobody understands.
    """
    if not pairs and isinstance(body, dict) and body.keys() <= endpoint.fields:
        return {}, {}
    lists: dict[str, list[str]] = {}
    reads = endpoint.method == "GET"
    for name, value in pairs:
        if name in endpoint.fields or not reads:
            lists.setdefault(name, []).append(value)
    objects = body if isinstance(body, list) else [body]
    named = set(lists).union(*(each for each in objects if isinstance(each, dict)))
    unknown = sorted(named - endpoint.fields)
    if unknown:
        raise bad_request(f"unknown field {unknown[0]!r}")
    takes_object = (endpoint.body or endpoint.mutates) and not endpoint.is_batch
    if takes_object and not isinstance(body, dict):
        raise bad_request("the body must be a JSON object")
    several = sorted(name for name, values in lists.items() if len(values) > 1)
    if several and several[0] not in endpoint.list_fields:
        raise bad_request(f"field {several[0]!r} comes more than once")
    return {name: values[0] for name, values in lists.items()}, lists


def _check_required(endpoint: Endpoint, query: Mapping[str, JsonValue], body: JsonValue) -> None:
    """Whether all is there that must be; the items of a batch are looked at one by one."""
    if endpoint.is_batch:
        return
    found = {**query, **body} if isinstance(body, dict) and query else body or query
    assert isinstance(found, Mapping)
    missing = [name for name in endpoint.required if found.get(name) is None]
    if missing:
        raise bad_request(f"{min(missing)} is missing")


def _error(error: ApiError) -> Reply:
    headers = [("retry-after", str(error.retry_after))] if error.retry_after else []
    return Reply(error.status, encode(error.body), JSON_TYPE, headers)


_NO_STORE = (b"cache-control", b"no-store")
_KEPT = "cache-control"


async def _send(
    send: Send,
    reply: Reply,
    now_ms: int,
    crossing: Sequence[tuple[str, str]] = (),
    *,
    is_head: bool = False,
) -> None:
    headers = [
        (b"content-length", b"%d" % len(reply.body)),
        (b"x-content-type-options", b"nosniff"),
        (b"x-market-time", b"%d" % now_ms),
    ]
    if reply.body:
        headers.append((b"content-type", reply.content_type.encode()))
    headers += [(name.encode(), value.encode()) for name, value in (*reply.headers, *crossing)]
    if all(name != _KEPT for name, _ in reply.headers):
        headers.append(_NO_STORE)
    body = b"" if is_head else reply.body
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
