"""Objects of the API: sentences, examples, and a document that says what is taken and sent."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import msgspec
import pytest

from solvent.domain.labels import ExpiryReason
from solvent.service.api import objects
from solvent.service.api.browse import page
from solvent.service.api.objects.base import ApiObject, Request
from solvent.service.api.objects.capital import Balance
from solvent.service.api.objects.orders import OrderType
from solvent.service.api.objects.streams import STREAMS, StreamMessage
from solvent.service.api.shapes import EXPIRIES
from solvent.service.errors import ApiErrorResponse
from solvent.service.routes.all import ENDPOINTS
from tests.service.api.published import Json, complaints, openapi, problems

for module in pkgutil.walk_packages(objects.__path__, f"{objects.__name__}."):
    import_module(module.name)


def _below(kind: type[ApiObject]) -> Iterator[type[ApiObject]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


CLASSES = sorted(set(_below(ApiObject)), key=lambda kind: kind.__name__)
SCHEMAS: Json = openapi()["components"]["schemas"]
OPERATIONS: list[tuple[str, Json]] = [
    (f"{method.upper()} {path}", operation)
    for path, operations in openapi()["paths"].items()
    for method, operation in operations.items()
]


def _is_sentence(said: object) -> bool:
    return isinstance(said, str) and said[:1].isupper() and said.rstrip()[-1:] == "."


# Sentences.


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_class_and_each_of_its_fields_has_a_sentence(kind: type[ApiObject]) -> None:
    """Also those of classes that only others are made of."""
    assert _is_sentence(kind.__doc__)
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")
    shown = components[schema["$ref"]]["properties"]
    tag = kind.__struct_config__.tag_field
    assert [
        name
        for name, field in shown.items()
        if name != tag and not _is_sentence(field["description"])
    ] == []


def test_all_that_the_document_names_has_a_sentence() -> None:
    for name, schema in SCHEMAS.items():
        assert _is_sentence(schema["description"]), name
        for field, shown in schema.get("properties", {}).items():
            assert _is_sentence(shown["description"]), (name, field)
    tags = {each["name"]: each["description"] for each in openapi()["tags"]}
    for name, operation in OPERATIONS:
        assert operation["summary"][:1].isupper(), name
        assert operation["tags"][0] in tags, name
        for parameter in operation["parameters"]:
            if "$ref" not in parameter:
                assert _is_sentence(parameter["description"]), (name, parameter["name"])


def test_every_object_is_in_the_document_and_every_reference_leads_to_one() -> None:
    """Queries are there as parameters; bases of others are not sent."""
    queries = {each.query for each in ENDPOINTS if each.query}
    bases = {base for kind in CLASSES for base in kind.__bases__} - queries
    missing = {kind.__name__ for kind in CLASSES if kind not in queries} - set(SCHEMAS)
    assert missing == {kind.__name__ for kind in bases if kind.__name__ in missing}
    named = set(_references(openapi()))
    assert {name for name in named if name.startswith("#/components/schemas/")} <= {
        f"#/components/schemas/{name}" for name in SCHEMAS
    }


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


# Examples.


def test_every_example_is_what_its_schema_says() -> None:
    assert [
        (name, problem)
        for name, schema in SCHEMAS.items()
        if schema["type"] == "object"
        for example in schema["examples"]
        for problem in problems(example, schema)
    ] == []
    contents = list(_contents(openapi()))
    assert len(contents) > len(OPERATIONS)
    assert [
        problem
        for content in contents
        for problem in problems(content["example"], content["schema"])
    ] == []


def test_every_example_of_a_field_is_what_the_field_may_be() -> None:
    found = [
        (example, shown)
        for _, operation in OPERATIONS
        for parameter in operation["parameters"]
        for shown in [parameter.get("schema", {})]
        for example in shown.get("examples", ())
    ]
    for schema in SCHEMAS.values():
        for shown in schema.get("properties", {}).values():
            found += [(example, shown) for example in shown.get("examples", ())]
    assert len(found) > 100
    assert [problem for example, shown in found for problem in problems(example, shown)] == []


def _contents(value: Any) -> Iterator[Json]:
    """Every request's or answer's content that has an example."""
    if isinstance(value, dict):
        if "schema" in value and "example" in value:
            yield value
        for each in value.values():
            yield from _contents(each)
    elif isinstance(value, list):
        for each in value:
            yield from _contents(each)


def test_every_json_content_has_an_example() -> None:
    bare = {"type": "object"}
    for name, operation in OPERATIONS:
        contents = [operation.get("requestBody", {}).get("content", {})]
        contents += [said.get("content", {}) for said in operation["responses"].values()]
        for content in contents:
            shown = content.get("application/json")
            assert shown is None or "example" in shown or shown["schema"] == bare, name


# What is refused.


def test_what_is_not_said_by_the_document_is_found() -> None:
    """The tests that hold answers against it could fail."""
    balance = {"available": "1", "locked": "0", "staked": "0"}
    assert list(complaints(balance, Balance)) == []
    assert list(complaints({**balance, "lent": "1"}, Balance))
    assert list(complaints({**balance, "locked": 0}, Balance))
    assert list(complaints({**balance, "locked": "1e5"}, Balance))
    assert list(complaints({"available": "1", "staked": "0"}, Balance))
    error = {"code": "NO_SUCH_CODE", "message": "x"}
    assert list(complaints(error, ApiErrorResponse))
    assert list(complaints([balance], Balance))


def test_a_request_is_closed_and_says_so() -> None:
    requests = [kind for kind in CLASSES if issubclass(kind, Request)]
    assert all(kind.__struct_config__.forbid_unknown_fields for kind in requests)
    assert len(requests) > len(ENDPOINTS) // 2


def test_an_answer_has_all_its_fields_and_null_for_what_does_not_apply() -> None:
    (example,) = SCHEMAS["OrderType"]["examples"]
    assert example["quoteQuantity"] is None
    told = {name: value for name, value in example.items() if value is not None}
    order = msgspec.convert(told, OrderType)
    assert msgspec.json.decode(msgspec.json.encode(order)) == example
    assert list(example) == list(msgspec.json.decode(msgspec.json.encode(order)))
    assert list(problems({**example, "quoteQuantity": "x"}, SCHEMAS["OrderType"]))
    assert list(problems(told, SCHEMAS["OrderType"]))


# Streams and the page.


def test_every_stream_message_reads_back_as_what_it_is() -> None:
    for _, kinds in STREAMS:
        for kind in kinds:
            (example,) = SCHEMAS[kind.__name__]["examples"]
            message = {"stream": "x", "data": example}
            assert type(msgspec.convert(message, StreamMessage).data) is kind


def test_every_reason_of_an_expiry_has_a_published_word() -> None:
    assert set(ExpiryReason) - set(EXPIRIES) == {ExpiryReason.ADL_SETTLEMENT}


def test_the_page_has_every_request_object_and_field() -> None:
    html = page(openapi())
    assert [name for name, _ in OPERATIONS if f"<code>{name}</code>" not in html] == []
    for name, schema in SCHEMAS.items():
        assert f'id="{name}"' in html
        for field in schema.get("properties", ()):
            assert f"<td><code>{field}</code></td>" in html
