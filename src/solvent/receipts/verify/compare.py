"""Where two records of a receipt differ, by the path of the field."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from solvent.domain.codec.canonical import Json
from solvent.receipts.codec import as_json

Some = TypeVar("Some")


def differences(given: Some, found: Some, place: str) -> Iterator[str]:
    """One sentence per field in which what is `given` is not what was `found` by recomputing."""
    if given != found:
        yield from _differences(as_json(given), as_json(found), place)


def _differences(given: Json, found: Json, place: str) -> Iterator[str]:
    if isinstance(given, Mapping) and isinstance(found, Mapping):
        for key in sorted(given.keys() | found.keys()):
            yield from _differences(given.get(key), found.get(key), f"{place}.{key}")
    elif isinstance(given, list) and isinstance(found, list):
        if len(given) != len(found):
            yield f"{place}: has {len(given)} items, recomputed {len(found)}"
        for number, (one, other) in enumerate(zip(given, found, strict=False)):
            yield from _differences(one, other, f"{place}[{number}]")
    elif given != found:
        yield f"{place}: is {given}, recomputed {found}"
