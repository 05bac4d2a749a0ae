"""The OpenAPI 3.1 document, made of the endpoints' rows and the objects that they name.

Every field, parameter and object has its sentence, and every object an example, put together from
its fields' own. Stream messages are among the objects; which stream carries which is said under
the tag Streams.
"""

from collections.abc import Iterator, Sequence
from inspect import cleandoc
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec
from msgspec import UNSET

from solvent import __version__
from solvent.service.api.endpoints import JSON, Endpoint
from solvent.service.api.examples import example
from solvent.service.api.objects.pages import Slice
from solvent.service.api.objects.streams import (
    STREAMS,
    AuditMessage,
    StreamConnection,
    StreamError,
    StreamFrame,
    StreamMessage,
)
from solvent.service.errors import ApiErrorCode, ApiErrorResponse
from solvent.service.limits import BODY_BYTES, DEFAULT_WINDOW_MS, WINDOW_MS

Json = dict[str, Any]

SCHEMAS = "#/components/schemas/"
_ABOUT = """A borrow/lend market with its whole liquidation waterfall.

Amounts, prices and rates are decimals as strings, never JSON numbers. Times in histories are UTC
without saying so; those of live orders are milliseconds, those of streams and depth microseconds.

A signed request has four headers. What is signed is `instruction=NAME`, then `&name=value` for each
field of query and body in alphabetical order, then `&timestamp=T&window=W`; of a list of orders,
what stands before `&timestamp` of each, joined by `&`. Booleans are written `true` and `false`.
Where a description says so, the SHA-256 of the body in hexadecimal is signed as field `sha256` in
place of the body's fields. A request that comes again, as it was, gets the first answer.

Fields that are not listed are passed over in a query that only reads, and refused elsewhere. In
query and body a field must say the same, and is signed once. An answer has all its fields, and null
in those that do not apply. Every error is an ApiErrorResponse.

Header `X-Solvent-Sequence` of an answer is the number up to which it knows all that was done. A
request may name the least number in `X-Solvent-Min-Sequence`; a node that does not know as much
after 200 ms answers with status 503.
"""
_TAGS = {
    "Borrow/lend": "Lending, repaying, borrowing and redeeming, and the pools.",
    "Account": "Settings, and the largest amounts that would pass.",
    "Capital": "Balances, collateral, deposits and withdrawals.",
    "Assets/markets": "What is traded, and at what prices.",
    "Orders": "Orders and their fills.",
    "Positions": "Futures: there are none here.",
    "System": "Whether the service runs.",
    "Solvent": "What the public API has no word for.",
    "House": "What the oracle, risk admins and the operator do.",
    "Operation": "For whoever runs the service.",
}
_HEADERS = {
    "X-API-Key": "base64 of the 32-byte public key",
    "X-Signature": "base64 of the ed25519 signature",
    "X-Timestamp": "milliseconds UTC",
    "X-Window": f"milliseconds that the signature is good for, {DEFAULT_WINDOW_MS} if absent, at "
    f"most {WINDOW_MS}",
}
_PAGE_HEADERS = {
    "X-PAGE-COUNT": "pages",
    "X-CURRENT-PAGE": "this page's number",
    "X-PAGE-SIZE": "rows of a page",
    "X-TOTAL": "rows of the history",
}
_E = ApiErrorCode
_ERRORS = {
    400: ("The request cannot be carried out.", _E.INVALID_CLIENT_REQUEST, "symbol is missing"),
    401: ("It is not signed, or nobody knows the key.", _E.UNAUTHORIZED, "The key may not act"),
    403: ("The key may not do this.", _E.FORBIDDEN, "the key's role may not do this"),
    404: ("There is no such thing.", _E.RESOURCE_NOT_FOUND, "Order Not Found"),
    408: ("The body came too slowly.", _E.TIMEOUT, "the body came too slowly"),
    413: (
        "The body is too large.",
        _E.INVALID_CLIENT_REQUEST,
        f"more than {BODY_BYTES} bytes",
    ),
    414: ("The query is too long.", _E.INVALID_CLIENT_REQUEST, "the query is too long"),
    429: ("Too many requests; Retry-After says when.", _E.TOO_MANY_REQUESTS, "too many requests"),
    500: ("The service made a mistake.", _E.SERVER_ERROR, "the request failed; it is in the log"),
    503: ("Nothing is carried out now.", _E.MAINTENANCE, "the service has stopped"),
}
"""What each status says, with a code and a message that come with it."""
_FREE: tuple[Json, ...] = ({"type": "string"}, {"type": "object"})
"""What has no example: a text of any kind, and this document itself."""
_SIGNED_ONLY = {401, 403}
_NOT_FOUND = 404


def document(endpoints: Sequence[Endpoint]) -> Json:
    """The whole document."""
    schemas = _Schemas(endpoints)
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Solvent", "version": __version__, "description": _ABOUT},
        "tags": [
            *({"name": name, "description": said} for name, said in _TAGS.items()),
            {"name": "Streams", "description": _streams()},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.shown,
            "parameters": {name: _header(name) for name in _HEADERS},
            "responses": {str(status): _error(status) for status in _ERRORS},
        },
    }


class _Schemas:
    """The schemas of all objects that endpoints and streams name."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        queries = [each.query for each in endpoints if each.query]
        others: list[Any] = [ApiErrorResponse, StreamFrame, StreamMessage, StreamError]
        others += [StreamConnection, AuditMessage]
        for each in endpoints:
            others += classes(each.body)
            others += classes(each.returns)
        _, self.all = msgspec.json.schema_components(
            [*queries, *others], ref_template=SCHEMAS + "{name}"
        )
        for schema in self.all.values():
            _finish(schema)
        names = {query.__name__ for query in queries}
        self.shown = {
            name: schema for name, schema in sorted(self.all.items()) if name not in names
        }
        for schema in self.shown.values():
            if schema["type"] == "object":
                schema["examples"] = [example(schema, self.all)]


def classes(kind: Any) -> Iterator[type]:
    """The classes that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for part in get_args(kind):
        yield from classes(part)


def schema_of(kind: Any) -> Json:
    """The schema of an answer's type: classes by reference, and lists, dicts and unions of them."""
    parts = get_args(kind)
    if get_origin(kind) is list:
        return {"type": "array", "items": schema_of(parts[0])}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": schema_of(parts[1])}
    if isinstance(kind, UnionType):
        return {"anyOf": [schema_of(part) for part in parts]}
    if kind is str:
        return {"type": "string"}
    return {"type": "object"} if kind is dict else {"$ref": SCHEMAS + kind.__name__}


def _finish(schema: Json) -> None:
    """Say what the library leaves out: sentences without the indent, types, tags, what is there.

    A field whose default is null is always sent.
    """
    schema["description"] = cleandoc(schema["description"])
    values = schema.get("enum", ())
    if values:
        schema["type"] = "string" if isinstance(values[0], str) else "integer"
    for field in schema.get("properties", {}).values():
        if "enum" in field:
            field["type"] = "string"
            field.setdefault("description", "Says which object this is.")
    fields = schema.get("properties", {})
    sent = {name for name, field in fields.items() if field.pop("default", UNSET) is None}
    if sent:
        required = sent.union(schema.get("required", ()))
        schema["required"] = [name for name in fields if name in required]


def _operation(endpoint: Endpoint, schemas: _Schemas) -> Json:
    summary, _, more = cleandoc(endpoint.handler.__doc__ or "").partition("\n")
    sentences = [more.strip(), *_conditions(endpoint)]
    operation: Json = {
        "tags": [endpoint.tag],
        "operationId": f"{endpoint.method.lower()}{endpoint.path.replace('/', '_')}",
        "summary": summary.rstrip("."),
        "description": " ".join(sentence for sentence in sentences if sentence),
        "parameters": list(_parameters(endpoint, schemas)),
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.body:
        schema = schema_of(endpoint.body)
        if endpoint.is_batch:
            schema = {"type": "array", "items": schema}
        operation["requestBody"] = {"required": True, "content": _content(schema, JSON, schemas)}
    return operation


def _conditions(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.instruction is not None:
        yield f"Signed, instruction `{endpoint.instruction}`, by {_roles(endpoint)}."
    if endpoint.signs_digest:
        yield "The SHA-256 of the body is signed in place of its fields."
    if endpoint.deviations:
        yield f"Beside the published endpoint: {endpoint.deviations}."


def _roles(endpoint: Endpoint) -> str:
    return " or ".join(sorted(endpoint.roles))


def _parameters(endpoint: Endpoint, schemas: _Schemas) -> Iterator[Json]:
    if endpoint.query is not None:
        shape = schemas.all[endpoint.query.__name__]
        for name, field in shape["properties"].items():
            schema = dict(field)
            yield {
                "name": name,
                "in": "query",
                "required": name in shape.get("required", ()),
                "description": schema.pop("description"),
                "schema": schema,
            }
    if endpoint.is_signed:
        for name in _HEADERS:
            yield {"$ref": f"#/components/parameters/{name}"}


def _header(name: str) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": name != "X-Window",
        "description": _HEADERS[name],
        "schema": {"type": "string"},
    }


def _responses(endpoint: Endpoint, schemas: _Schemas) -> Json:
    done: Json = {"description": "Done."}
    if endpoint.returns is not None:
        done["content"] = _content(schema_of(endpoint.returns), endpoint.media, schemas)
    if endpoint.query is not None and issubclass(endpoint.query, Slice):
        done["headers"] = {
            name: {"description": said, "schema": {"type": "integer"}}
            for name, said in _PAGE_HEADERS.items()
        }
    found: Json = {"200": done}
    if endpoint.may_be_empty:
        found["204"] = {"description": "There is nothing to say."}
    for status in _ERRORS:
        if _may_be(endpoint, status):
            found[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return found


def _may_be(endpoint: Endpoint, status: int) -> bool:
    """Whether an endpoint may answer with the status of an error."""
    if status == _NOT_FOUND:
        return endpoint.may_be_missing
    return endpoint.is_signed or status not in _SIGNED_ONLY


def _content(schema: Json, media: str, schemas: _Schemas) -> Json:
    shown: Json = {"schema": schema}
    if schema not in _FREE:
        shown["example"] = example(schema, schemas.all)
    return {media: shown}


def _error(status: int) -> Json:
    said, code, message = _ERRORS[status]
    content = {"schema": schema_of(ApiErrorResponse), "example": {"code": code, "message": message}}
    return {"description": said, "content": {JSON: content}}


def _streams() -> str:
    rows = [
        f"| `{names}` | {', '.join(kind.__name__ for kind in kinds)} |" for names, kinds in STREAMS
    ]
    return "\n".join(
        [
            "WebSocket at the root path. A client sends StreamFrame and gets StreamMessage, or",
            "StreamError where a frame cannot be carried out. Streams of an account are signed,",
            "instruction `subscribe`. A signature is good on one connection; where it names that,",
            "as CONNECTION tells it, the market and the streams, it is good for nothing else. The",
            "stream `audit` has AuditMessage, signed by staff. When a key is removed, what it",
            "signed on ends.",
            "",
            "| stream | message |",
            "|---|---|",
            *rows,
        ]
    )
