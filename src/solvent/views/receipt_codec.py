"""Receipts as JSON, and back, strictly: one document for one receipt and nothing beside it.

The classes of `receipt` drive both directions. Reading refuses a key too many or too few, a type
that is not the one written, an unknown name, and a number written in another way than ours.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, TypeVar, Union, get_args, get_origin, get_type_hints

from solvent.domain.canonical import DIGEST_FIELD, Json, canonical, digest_of
from solvent.domain.units import INT128_MAX
from solvent.views.receipt import (
    ADL_FORMAT,
    BACKSTOP_FORMAT,
    VERSION,
    AdlReceipt,
    BackstopReceipt,
    Receipt,
)

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,38}", re.ASCII)
_KINDS: dict[str, type[AdlReceipt] | type[BackstopReceipt]] = {
    ADL_FORMAT: AdlReceipt,
    BACKSTOP_FORMAT: BackstopReceipt,
}
Some = TypeVar("Some")


class ReceiptFormError(ValueError):
    """A document has not the form of a receipt. `str(error)` names the field and the reason."""


def receipt_document(receipt: Receipt) -> dict[str, Json]:
    """The receipt as a JSON document, with the digest of everything else in it."""
    document = _encode(type(receipt), receipt)
    assert isinstance(document, dict)
    document[DIGEST_FIELD] = digest_of(document)
    return document


def receipt_line(receipt: Receipt) -> str:
    """The receipt as one line of a receipts.jsonl file, without its end."""
    return canonical(receipt_document(receipt))


def read_receipt(document: Json) -> Receipt:
    """The receipt in a document; its digest must be there but is not judged here.

    Raises ReceiptFormError.
    """
    if not isinstance(document, Mapping):
        raise ReceiptFormError("receipt: must be an object")
    if not isinstance(document.get(DIGEST_FIELD), str):
        raise ReceiptFormError("digest: is missing")
    kind = _KINDS.get(str(document.get("format")))
    if kind is None:
        raise ReceiptFormError(f"format: must be one of {', '.join(_KINDS)}")
    rest = {key: value for key, value in document.items() if key != DIGEST_FIELD}
    receipt = _decode(kind, rest, "")
    assert isinstance(receipt, AdlReceipt | BackstopReceipt)
    if receipt.version != VERSION:
        raise ReceiptFormError(f"version: must be {VERSION}")
    return receipt


def as_json(kind: type[Some], record: Some) -> Json:
    """One record of the form as JSON."""
    return _encode(kind, record)


@cache
def _hints(kind: type) -> dict[str, object]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind)}


def _encode(kind: object, value: object) -> Json:
    if get_origin(kind) in (Union, UnionType):
        if value is None:
            return None
        return _encode(_content(kind), value)
    if get_origin(kind) is Annotated:
        return str(value)
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, tuple):
        arguments = get_args(kind)
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return [_encode(inner, item) for inner, item in zip(kinds, value, strict=True)]
    if isinstance(kind, type) and is_dataclass(kind):
        return {name: _encode(inner, getattr(value, name)) for name, inner in _hints(kind).items()}
    assert isinstance(value, bool | int | str)
    return value


def _content(kind: object) -> object:
    """X where `kind` is X | None."""
    return next(inner for inner in get_args(kind) if inner is not NoneType)


def _decode(kind: object, value: Json, place: str) -> object:
    if get_origin(kind) in (Union, UnionType):
        return None if value is None else _decode(_content(kind), value, place)
    if get_origin(kind) is Annotated:
        return _number(value, place)
    if get_origin(kind) is tuple:
        return _items(get_args(kind), value, place)
    assert isinstance(kind, type)
    if is_dataclass(kind):
        return _record(kind, value, place)
    if issubclass(kind, IntEnum):
        if not isinstance(value, str) or value not in kind.__members__:
            raise ReceiptFormError(f"{place}: must be one of {', '.join(kind.__members__)}")
        return kind[value]
    if type(value) is not kind or (isinstance(value, int) and abs(value) > INT128_MAX):
        raise ReceiptFormError(f"{place}: has the wrong type")
    return value


def _number(value: Json, place: str) -> int:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value) or abs(int(value)) > INT128_MAX:
        raise ReceiptFormError(f"{place}: must be an integer as a decimal string")
    return int(value)


def _items(kinds: tuple[object, ...], value: Json, place: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise ReceiptFormError(f"{place}: must be a list")
    inner = [kinds[0]] * len(value) if kinds[-1] is Ellipsis else list(kinds)
    if len(inner) != len(value):
        raise ReceiptFormError(f"{place}: must have {len(inner)} items")
    return tuple(
        _decode(kind, item, f"{place}[{number}]")
        for number, (kind, item) in enumerate(zip(inner, value, strict=True))
    )


def _record(kind: type, value: Json, place: str) -> object:
    hints = _hints(kind)
    name = place or "receipt"
    if not isinstance(value, Mapping):
        raise ReceiptFormError(f"{name}: must be an object")
    if missing := sorted(hints.keys() - value.keys()):
        raise ReceiptFormError(f"{name}: lacks {', '.join(missing)}")
    if foreign := sorted(value.keys() - hints.keys()):
        raise ReceiptFormError(f"{name}: has {', '.join(foreign)}, which no receipt has")
    values = {
        field: _decode(inner, value[field], f"{place}.{field}" if place else field)
        for field, inner in hints.items()
    }
    try:
        return kind(**values)
    except ValueError as error:
        raise ReceiptFormError(f"{name}: {error}") from error
