"""Whether a value is what the published schemas say: fields, types, enums, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

from solvent.service.api.schemas import ENUMS, OBJECTS

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_NAIVE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?")
_ZONED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
_TEXTS = {"dec": _DECIMAL, "ndt": _NAIVE, "dt": _ZONED, "str": re.compile(r".*", re.DOTALL)}
_TEXTS["Asset"] = re.compile(r"[A-Z0-9]+")
_NUMBERS = {
    "i32": (-(2**31), 2**31),
    "i64": (-(2**63), 2**63),
    "u8": (0, 2**8),
    "u16": (0, 2**16),
    "u32": (0, 2**32),
    "u64": (0, 2**64),
}


def complaints(value: Any, kind: str, place: str = "$") -> Iterator[str]:
    """What is wrong with `value` as a `kind`, each with its place."""
    if kind.startswith("["):
        yield from _list(value, kind[1:-1], place)
    elif kind in OBJECTS:
        yield from _object(value, OBJECTS[kind], place)
    elif not _is(value, kind):
        yield f"{place}: {value!r} is no {kind}"


def _list(value: Any, kind: str, place: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{place}: {value!r} is no list"
        return
    for number, item in enumerate(value):
        yield from complaints(item, kind, f"{place}[{number}]")


def _object(value: Any, words: str, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no object"
        return
    fields = {name: kind for name, _, kind in (word.partition(":") for word in words.split())}
    required = {name for name in fields if not name.endswith("?")}
    kinds = {name.removesuffix("?"): kind for name, kind in fields.items()}
    yield from (f"{place}.{name} is missing" for name in sorted(required - set(value)))
    yield from (f"{place}.{name} is not published" for name in sorted(set(value) - set(kinds)))
    for name, item in value.items():
        if name in kinds and (item is not None or name in required):
            yield from complaints(item, kinds[name], f"{place}.{name}")


def _is(value: Any, kind: str) -> bool:
    if kind in _TEXTS:
        return isinstance(value, str) and bool(_TEXTS[kind].fullmatch(value))
    if kind in _NUMBERS:
        low, high = _NUMBERS[kind]
        return isinstance(value, int) and not isinstance(value, bool) and low <= value < high
    if kind in ENUMS:
        return str(value) in ENUMS[kind].split() and not isinstance(value, bool)
    return isinstance(value, {"bool": bool, "object": dict}[kind])
