"""Parameters as a row of 64-bit numbers, and back, for snapshots and logs.

Every dataclass is written field by field in order: an integer, switch or enum as one number, a
symbol as its eight bytes, an optional as a flag and its content, a tuple as its length and its
items. The types drive both directions, so a new parameter needs no second place.
"""

import types
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Union, get_args, get_origin, get_type_hints

from solvent.domain.parameters import EngineParameters


@lru_cache(maxsize=16)
def encode_parameters(parameters: EngineParameters) -> tuple[int, ...]:
    """The parameters as numbers."""
    return tuple(_encode(EngineParameters, parameters))


def decode_parameters(row: Sequence[int]) -> EngineParameters:
    """The parameters that `row` was written from; validated again by construction.

    Raises ValueError on a row that stands for no valid parameters.
    """
    try:
        decoded = _decode(EngineParameters, iter(row))
    except (OverflowError, RuntimeError, StopIteration) as error:
        raise ValueError("the row is cut short or stands for no symbol") from error
    if not isinstance(decoded, EngineParameters) or encode_parameters(decoded) != tuple(row):
        raise ValueError("the row is not what its parameters would write")
    return decoded


def _encode(kind: object, value: object) -> Iterator[int]:
    inner = _optional(kind)
    if inner is not None:
        yield int(value is not None)
        if value is not None:
            yield from _encode(inner, value)
    elif isinstance(value, int):
        yield int(value)
    elif isinstance(value, str):
        yield int.from_bytes(value.encode("ascii").ljust(8, b"\0"), "little")
    elif isinstance(value, tuple):
        yield len(value)
        for item in value:
            yield from _encode(type(item), item)
    elif is_dataclass(value):
        hints = get_type_hints(type(value))
        for field in fields(value):
            yield from _encode(hints[field.name], getattr(value, field.name))
    else:
        raise TypeError(f"cannot encode {value!r}")


def _optional(kind: object) -> object | None:
    """X where `kind` is X | None, else None."""
    if get_origin(kind) not in (Union, types.UnionType):
        return None
    arguments: tuple[object, ...] = get_args(kind)
    return next(item for item in arguments if item is not type(None))


def _decode(kind: object, numbers: Iterator[int]) -> object:
    inner = _optional(kind)
    if inner is not None:
        return _decode(inner, numbers) if next(numbers) else None
    if get_origin(kind) is tuple:
        arguments = get_args(kind)
        if arguments[-1] is Ellipsis:
            return tuple(_decode(arguments[0], numbers) for _ in range(next(numbers)))
        if next(numbers) != len(arguments):
            raise ValueError("a fixed tuple has a wrong length")
        return tuple(_decode(item, numbers) for item in arguments)
    if kind is str:
        return next(numbers).to_bytes(8, "little").rstrip(b"\0").decode("ascii")
    if kind is int:
        return next(numbers)
    if kind is bool:
        return bool(next(numbers))
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return kind(next(numbers))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{field.name: _decode(hints[field.name], numbers) for field in fields(kind)})
    raise TypeError(f"cannot decode {kind!r}")
