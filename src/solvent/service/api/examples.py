"""Examples: a value of each schema, put together from what its fields say.

A field gives its own first example, or one of its form. One that may be left out is there only if
it has an example of its own, so that fields which exclude each other are not shown together.
"""

from collections.abc import Mapping
from typing import Any

Schemas = Mapping[str, Any]

_BY_FORM: dict[str, Any] = {
    "decimal": "1.5",
    "signed-decimal": "1.5",
    "asset": "SOL",
    "market": "SOL_USDC",
    "number": "12",
    "time-in-utc": "2026-01-21T06:34:54.691858",
    "spaced-time-in-utc": "2026-01-21 06:34:00",
    "date-time": "2026-01-21T06:34:54Z",
    "base64": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "signature": "A" * 86 + "==",
    "milliseconds": 1_768_977_294_691,
    "microseconds": 1_768_977_294_691_858,
}
_BY_TYPE: dict[str, Any] = {"boolean": False, "integer": 1, "null": None}


def example(schema: Schemas, components: Schemas) -> Any:
    """A value of a schema; `components` are those that it may refer to, by name."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example(components[schema["$ref"].rpartition("/")[2]], components)
    if "anyOf" in schema:
        return _of_any(schema["anyOf"], components)
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return _object(schema, components)
    if schema.get("type") == "array":
        return _list(schema, components)
    if "additionalProperties" in schema:
        return {_BY_FORM["asset"]: example(schema["additionalProperties"], components)}
    form = schema.get("format")
    return _BY_FORM[form] if form in _BY_FORM else _BY_TYPE[schema["type"]]


def _of_any(kinds: list[Schemas], components: Schemas) -> Any:
    is_nullable = {"type": "null"} in kinds
    return None if is_nullable else example(kinds[0], components)


def _object(schema: Schemas, components: Schemas) -> dict[str, Any]:
    required = schema.get("required", ())
    return {
        name: example(field, components)
        for name, field in schema["properties"].items()
        if name in required or "examples" in field
    }


def _list(schema: Schemas, components: Schemas) -> list[Any]:
    if "prefixItems" in schema:
        return [example(item, components) for item in schema["prefixItems"]]
    kinds = schema["items"].get("anyOf", [schema["items"]])
    return [example(kind, components) for kind in kinds]
