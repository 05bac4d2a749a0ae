"""Receipts as JSON, and back, strictly: one document for one receipt and nothing beside it.

The classes of `receipt` drive both directions. Reading refuses a key too many or too few, a type
that is not the one written, an unknown name, and a number written in another way than ours.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin, get_type_hints

from solvent.domain.codec.canonical import DIGEST_FIELD, Json, canonical, digest_of
from solvent.domain.units import INT128_MAX
from solvent.receipts.form import (
    ADL_FORMAT,
    BACKSTOP_FORMAT,
    BOOKING_FORMAT,
    STANDBY_FORMAT,
    VERSION,
    AdlReceipt,
    BackstopReceipt,
    BookingReceipt,
    Receipt,
    StandbyReceipt,
)

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,38}", re.ASCII)
_KINDS: dict[str, type[Receipt]] = {
    ADL_FORMAT: AdlReceipt,
    BACKSTOP_FORMAT: BackstopReceipt,
    BOOKING_FORMAT: BookingReceipt,
    STANDBY_FORMAT: StandbyReceipt,
}


class ReceiptFormError(ValueError):
    """A document has not the form of a receipt. `str(error)` names the field and the reason."""


def receipt_document(receipt: Receipt) -> dict[str, Json]:
    """The receipt as a JSON document, with the digest of everything else in it."""
    document = as_json(receipt)
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
    assert isinstance(receipt, AdlReceipt | BackstopReceipt | BookingReceipt | StandbyReceipt)
    if receipt.version != VERSION:
        raise ReceiptFormError(f"version: must be {VERSION}")
    return receipt


def as_json(record: object) -> Json:
    """One record of the form as JSON."""
    kind: object = type(record)
    return _encoder(kind)(record)


@cache
def _hints(kind: type) -> dict[str, object]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind)}


@cache
def _encoder(kind: object) -> Callable[..., Json]:
    """How to write a value of one type; worked out once per type."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        inner = _encoder(_content(kind))
        return lambda value: None if value is None else inner(value)
    if origin is Annotated:
        return str
    if origin is tuple:
        return _list_encoder(get_args(kind))
    assert isinstance(kind, type)
    if is_dataclass(kind):
        encoders = [(name, _encoder(inner)) for name, inner in _hints(kind).items()]
        return lambda value: {name: write(getattr(value, name)) for name, write in encoders}
    if issubclass(kind, IntEnum):
        return lambda value: str(value.name)
    return _plain


def _plain(value: Json) -> Json:
    return value


def _list_encoder(kinds: tuple[object, ...]) -> Callable[..., Json]:
    if kinds[-1] is Ellipsis:
        write = _encoder(kinds[0])
        return lambda value: [write(item) for item in value]
    encoders = [_encoder(kind) for kind in kinds]
    return lambda value: [write(item) for write, item in zip(encoders, value, strict=True)]


def _content(kind: object) -> object:
    """X where `kind` is X | None."""
    return next(inner for inner in get_args(kind) if inner is not NoneType)


@cache
def _shape(kind: object) -> tuple[str, object]:
    """What a type is to the reader, and what it holds; worked out once per type."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return "optional", _content(kind)
    if origin is Annotated:
        return "amount", kind
    if origin is tuple:
        return "list", get_args(kind)
    assert isinstance(kind, type)
    if is_dataclass(kind):
        return "record", kind
    return ("name" if issubclass(kind, IntEnum) else "plain"), kind


def _decode(kind: object, value: Json, place: str) -> object:
    shape, inner = _shape(kind)
    if shape == "optional":
        return None if value is None else _decode(inner, value, place)
    if shape == "amount":
        return _number(value, place)
    if shape == "list":
        assert isinstance(inner, tuple)
        return _items(inner, value, place)
    assert isinstance(inner, type)
    if shape == "record":
        return _record(inner, value, place)
    if shape == "name":
        return _named(inner, value, place)
    if type(value) is not inner or (isinstance(value, int) and abs(value) > INT128_MAX):
        raise ReceiptFormError(f"{place}: has the wrong type")
    return value


def _named(kind: type, value: Json, place: str) -> object:
    assert issubclass(kind, IntEnum)
    if not isinstance(value, str) or value not in kind.__members__:
        raise ReceiptFormError(f"{place}: must be one of {', '.join(kind.__members__)}")
    return kind[value]


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
