"""JSON that means one thing, whoever reads it.

A key that comes twice is refused, for readers differ in which of the two they take. So are numbers
with a fraction or an exponent (amounts are strings), NaN and infinities, halves of surrogate pairs,
which no UTF-8 can carry, deep nesting, and texts longer than a body may be. What passes encodes to
UTF-8 again.

Most bodies are flat objects, or lists of them, written as tersely as can be. A fast reader takes
those, though of a key that comes twice it keeps the last. But nothing is shorter than the terse
text of a value: where that is as long as what came, no key came twice. All others are read slowly.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, NoReturn, TypeAlias

import msgspec

from solvent.service.limits import BODY_BYTES, JSON_DEPTH, JSON_NUMBER_DIGITS, JSON_PARTS

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


class JsonError(ValueError):
    """Bytes are no JSON that can be taken. `str(error)` is one line and does not quote them."""


def decode(data: bytes, most: int = JSON_PARTS) -> JsonValue:
    """The value of a JSON text; objects are dicts, arrays lists. Raises JsonError.

    It has `most` parts at most: reading 64 KiB of the smallest took sixty times as long as of text.
    """
    if len(data) > BODY_BYTES:
        raise JsonError(f"a JSON text has at most {BODY_BYTES} bytes")
    if len(data) > most and parts(data) > most:
        raise JsonError(f"this JSON text has at most {most} brackets and commas")
    try:
        value: JsonValue = _FLAT.decode(data)
        if len(_ENCODER.encode(value)) == len(data):
            return value
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    return _decode_slowly(data)


def _decode_slowly(data: bytes) -> JsonValue:
    try:
        value: JsonValue = _DECODER.decode(data.decode())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise JsonError("this is not well-formed JSON in UTF-8") from error
    except RecursionError:
        raise JsonError(_TOO_DEEP) from None
    if data.count(b"[") + data.count(b"{") > JSON_DEPTH:
        _check_depth(value, JSON_DEPTH)
    if b"\\u" in data:
        _check_texts(value)
    return value


def parts(data: bytes) -> int:
    """Opening brackets and commas: as many as there are values, or more where texts have some."""
    return data.count(b"[") + data.count(b"{") + data.count(b",")


def decode_object(data: bytes, most: int = JSON_PARTS) -> dict[str, JsonValue]:
    """The value of a JSON text that must be an object. Raises JsonError."""
    value = decode(data, most)
    if not isinstance(value, dict):
        raise JsonError("this must be a JSON object")
    return value


def encode(value: object) -> bytes:
    """A value or an object of the API as JSON, without blanks, keys in their order."""
    return _ENCODER.encode(value)


_TOO_DEEP = f"JSON may be nested {JSON_DEPTH} levels deep and no deeper"


def _check_depth(value: JsonValue, left: int) -> None:
    if isinstance(value, dict | list):
        if left == 0:
            raise JsonError(_TOO_DEEP)
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, dict | list):
                _check_depth(item, left - 1)


def _check_texts(value: JsonValue) -> None:
    try:
        _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        raise JsonError("a string has half a surrogate pair") from error


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("a key comes more than once")
    return found


def _integer(text: str) -> int:
    if len(text) > JSON_NUMBER_DIGITS:
        raise JsonError(f"a number has at most {JSON_NUMBER_DIGITS} digits")
    return int(text)


def _no_fraction(_text: str) -> NoReturn:
    raise JsonError("a number with a fraction or an exponent must be a string")


def _no_constant(text: str) -> NoReturn:
    raise JsonError(f"{text} is no number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_no_fraction,
    parse_constant=_no_constant,
)
_ENCODER = msgspec.json.Encoder()
_Word: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Scalar: TypeAlias = bool | _Word | str | None
_Object: TypeAlias = dict[str, _Scalar]
_FLAT = msgspec.json.Decoder(dict[str, _Scalar | list[_Object]] | list[_Object])
