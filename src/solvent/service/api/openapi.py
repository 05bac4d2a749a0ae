"""The OpenAPI 3.1 document, and the page to browse it, made of the endpoints' rows."""

from collections.abc import Sequence
from typing import Any

from solvent import __version__
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.schemas import ENUMS, OBJECTS

Json = dict[str, Any]

_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"
_PLAIN: dict[str, Json] = {
    "dec": {"type": "string", "pattern": _DECIMAL},
    "ndt": {"type": "string"},
    "dt": {"type": "string", "format": "date-time"},
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "object": {"type": "object"},
    "Asset": {"type": "string"},
    "i32": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "i64": {"type": "integer"},
    "u8": {"type": "integer", "minimum": 0, "maximum": 2**8 - 1},
    "u16": {"type": "integer", "minimum": 0, "maximum": 2**16 - 1},
    "u32": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    "u64": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
}
_TEXTS = {"text": "text/plain", "lines": "application/x-ndjson"}
"""Answers that are no JSON value: a text, and JSON objects a line each."""
_HEADERS = {
    "X-API-Key": "base64 of the 32-byte public key",
    "X-Signature": "base64 of the ed25519 signature",
    "X-Timestamp": "milliseconds UTC",
    "X-Window": "milliseconds the signature is good for, 5000 if absent, at most 60000",
}
_ERRORS = {
    "400": "the request cannot be carried out",
    "401": "not signed",
    "403": "the key may not do this",
    "404": "there is no such thing",
    "408": "the body came too slowly",
    "413": "the body is too large",
    "414": "the query is too long",
    "429": "too many requests",
    "503": "the service does not carry out requests now",
}


def document(endpoints: Sequence[Endpoint]) -> Json:
    """The whole document."""
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Solvent",
            "version": __version__,
            "description": "A borrow/lend market with its whole liquidation waterfall.",
        },
        "paths": paths,
        "components": {
            "schemas": {
                **{name: _object(words) for name, words in OBJECTS.items()},
                **{name: _enum(words) for name, words in ENUMS.items()},
            }
        },
    }


def _operation(endpoint: Endpoint) -> Json:
    about = (endpoint.handler.__doc__ or "").strip().splitlines()[0]
    operation: Json = {
        "tags": [endpoint.tag],
        "operationId": f"{endpoint.method.lower()}{endpoint.path.replace('/', '_')}",
        "summary": about.rstrip("."),
        "parameters": [_parameter(word) for word in endpoint.query.split()],
        "responses": _responses(endpoint),
    }
    if endpoint.instruction is not None:
        operation["description"] = f"Signed, instruction `{endpoint.instruction}`."
        operation["parameters"] += [
            {
                "name": name,
                "in": "header",
                "required": name != "X-Window",
                "description": said,
                "schema": {"type": "string"},
            }
            for name, said in _HEADERS.items()
        ]
    if endpoint.body:
        schema = _object(endpoint.body)
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "array", "items": schema} if endpoint.is_batch else schema
                }
            },
        }
    return operation


def _responses(endpoint: Endpoint) -> Json:
    done: Json = {"description": "done"}
    if endpoint.returns in _TEXTS:
        done["content"] = {_TEXTS[endpoint.returns]: {"schema": {"type": "string"}}}
    elif endpoint.returns:
        done["content"] = {"application/json": {"schema": _type(endpoint.returns)}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ApiErrorResponse"}}}
    return {
        "200": done,
        "204": {"description": "nothing to say"},
        **{status: {"description": said, "content": error} for status, said in _ERRORS.items()},
    }


def _parameter(word: str) -> Json:
    name, _, kind = word.partition(":")
    return {
        "name": name.removesuffix("?"),
        "in": "query",
        "required": not name.endswith("?"),
        "schema": _type(kind),
    }


def _object(words: str) -> Json:
    fields = [word.partition(":") for word in words.split()]
    return {
        "type": "object",
        "properties": {
            name.removesuffix("?"): _type(kind, is_optional=name.endswith("?"))
            for name, _, kind in fields
        },
        "required": [name for name, _, _ in fields if not name.endswith("?")],
    }


def _type(kind: str, *, is_optional: bool = False) -> Json:
    if kind.startswith("["):
        return {"type": "array", "items": _type(kind[1:-1])}
    schema = _PLAIN.get(kind) or {"$ref": f"#/components/schemas/{kind}"}
    return {"anyOf": [schema, {"type": "null"}]} if is_optional else schema


def _enum(words: str) -> Json:
    values = words.split()
    if all(value.isdigit() for value in values):
        return {"type": "integer", "enum": [int(value) for value in values]}
    return {"type": "string", "enum": values}


def page(endpoints: Sequence[Endpoint]) -> str:
    """All endpoints as one page of plain HTML, without a script."""
    rows = []
    tag = ""
    for each in endpoints:
        if each.tag != tag:
            tag = each.tag
            rows.append(f'<tr><th colspan="5">{tag}</th></tr>')
        about = (each.handler.__doc__ or "").strip().splitlines()[0]
        cells = (
            f"<code>{each.method} {each.path}</code>",
            f"<code>{each.instruction or ''}</code>",
            f"<code>{each.query or each.body}</code>",
            f"<code>{each.returns}</code>",
            about + (f" <em>{each.lacks}</em>" if each.lacks else ""),
        )
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return _PAGE.replace("ROWS", "\n".join(rows))


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Solvent API</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { border-top: 1px solid #8884; padding: .4rem; text-align: left; vertical-align: top }
th { padding-top: 1.5rem; font-size: 1.2rem } td:nth-child(3) { max-width: 24rem }
</style>
<h1>Solvent API</h1>
<p>The document for tools is <a href="/openapi.json">/openapi.json</a>. What is signed is
<code>instruction=NAME</code>, the fields by name, <code>timestamp</code> and
<code>window</code>.</p>
<table><tr><td>Request</td><td>Instruction</td><td>Fields</td><td>Answer</td><td></td></tr>
ROWS
</table></html>
"""
