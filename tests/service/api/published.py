"""Whether a value is what the OpenAPI document says: fields, types, enums, and nothing else.

The document leaves answers open, so that a client of it takes fields that come later; here they are
closed, so that none is sent which it does not tell of.
"""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import jsonschema_rs

from solvent.service.api.endpoints import Endpoint
from solvent.service.api.openapi import SCHEMAS, document, schema_of
from solvent.service.routes.all import ENDPOINTS

Json = dict[str, Any]
SCHEMAS_AT = SCHEMAS
"""Where references to schemas lead to."""


@cache
def openapi() -> Json:
    """The document, its objects closed."""
    found = deepcopy(document(ENDPOINTS))
    for schema in found["components"]["schemas"].values():
        if schema["type"] == "object":
            schema["additionalProperties"] = False
    return found


def complaints(value: Any, kind: Any) -> Iterator[str]:
    """What is wrong with a value as one of a type of the API, each with its place."""
    return problems(value, schema_of(kind))


def problems(value: Any, schema: Json) -> Iterator[str]:
    """What is wrong with a value by a schema of the document, each with its place."""
    whole = {**schema, "components": openapi()["components"]}
    for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(value):
        place = "/".join(map(str, error.instance_path))
        yield f"{place}: {error.message}"


def answer_of(endpoint: Endpoint, status: int) -> Json:
    """The schema of what an endpoint answers with a status; empty where no body comes with it."""
    operation = openapi()["paths"][endpoint.path][endpoint.method.lower()]
    said = operation["responses"][str(status)]
    if "$ref" in said:
        said = openapi()["components"]["responses"][str(status)]
    schema: Json = said.get("content", {}).get("application/json", {}).get("schema", {})
    return schema
