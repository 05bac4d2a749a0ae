"""Where two lines of receipts differ, by the path of the field."""

from collections.abc import Iterator, Mapping

from solvent.domain.canonical import Json


def differences(given: Json, found: Json, place: str) -> Iterator[str]:
    """One sentence per field in which what is `given` is not what was `found` by recomputing."""
    if isinstance(given, Mapping) and isinstance(found, Mapping):
        for key in sorted(given.keys() | found.keys()):
            yield from differences(given.get(key), found.get(key), f"{place}.{key}")
    elif isinstance(given, list) and isinstance(found, list):
        if len(given) != len(found):
            yield f"{place}: has {len(given)} items, recomputed {len(found)}"
        for number, (one, other) in enumerate(zip(given, found, strict=False)):
            yield from differences(one, other, f"{place}[{number}]")
    elif given != found:
        yield f"{place}: is {given}, recomputed {found}"
