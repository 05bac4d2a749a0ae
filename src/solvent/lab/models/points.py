"""The points of a sweep under four models of its prices, and which point belongs to which."""

import re
from collections.abc import Mapping, Sequence

from solvent.lab.sweeps.points import Point

FIELD = "prices"
_KIND = re.compile(r'kind = "(\w+)"')


def model_points(models: Mapping[str, str], points: Sequence[Point]) -> tuple[Point, ...]:
    """The scenario as it is, and all points under each model; `points` begin with it as it is."""
    return ({}, *({FIELD: text, **point} for text in models.values() for point in points))


def model_of(point: Point) -> str:
    """The model that a point's prices are drawn by; empty where they are the scenario's."""
    found = _KIND.search(point.get(FIELD, ""))
    return found[1] if found else ""


def other_fields(point: Point) -> Point:
    """What a point changes beside its prices."""
    return {field: value for field, value in point.items() if field != FIELD}
