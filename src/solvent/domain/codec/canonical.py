"""Canonical JSON: one text for one document, so that a digest of it means something.

Keys are sorted, there are no spaces, and everything beyond ASCII is escaped.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TypeAlias

Json: TypeAlias = (
    "bool | int | float | str | list[Json] | tuple[Json, ...] | Mapping[str, Json] | None"
)
"""What a JSON document can hold."""

DIGEST_FIELD = "digest"
_DIGEST_BYTES = 32


def canonical(document: Json) -> str:
    """The one text of a document. Raises ValueError on NaN and infinity."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(document: Mapping[str, Json]) -> str:
    """BLAKE2b (32 bytes, in hexadecimal) of everything in a document but its own `digest`."""
    rest = {key: value for key, value in document.items() if key != DIGEST_FIELD}
    text = canonical(rest).encode("ascii")
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).hexdigest()


def strict_json(text: str) -> Json:
    """Parse JSON, refusing what two readers could read differently.

    Raises ValueError on a key given twice, NaN, infinity and anything that is no JSON.
    """
    parsed: Json = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    return parsed


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key is given twice")
    return values


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no number")
