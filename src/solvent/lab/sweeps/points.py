"""The points of a sweep: a scenario's file with some of its fields replaced, in every combination.

    --vary waterfall.patience=1,2,4                  these values
    --vary fund.balance=0..100_000:5                 five values, evenly apart, both ends among them
    --vary "assets[SOL].haircut.weight=0.8,0.9"      of a list of tables: by symbol, name or number

The file's own reader judges each point, so whatever a scenario can say can be varied and is refused
in the same words. Point 0 is the scenario as it is.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

from solvent.domain.errors import InputError
from solvent.domain.parameters import Policy
from solvent.lab.scenario.fields import read_toml
from solvent.lab.scenario.file import scenario_of
from solvent.lab.scenario.model import Scenario

Point = Mapping[str, str]
"""Values by field, both as they were written."""

DECIMALS = 9
MOST_POINTS = 1000
RULES_BACK = {"opposites": "false", "tiers": "false", "patience": "1", "mark_limits": "false"}
"""Rules of the waterfall as they are when they are switched back."""
NONE_OF_THEM = "[]"
"""The value that takes all tables of a list away: --vary providers=[]."""
STAGES_OFF = {
    "waterfall.book_limit": "0",
    "providers": NONE_OF_THEM,
    "fund.balance": "0",
    "waterfall.opposites": "false",
}
"""What takes a stage out of the waterfall: the book, the backstop, the fund, opposites."""
RULES_OFF = {
    "waterfall.tiers": "false",
    "waterfall.patience": "1",
    "waterfall.mark_limits": "false",
    "waterfall.opposites_fee": "0",
    "waterfall.stale_doubt": "0",
    "waterfall.notice_seconds": "0",
}
"""What takes a rule of the waterfall away, or is what was before it."""
NAMING = ("symbol", "name")
_PART = re.compile(r"([\w-]+)(?:\[([^\]]+)\])?")
_SPAN = re.compile(r"([^:]+?)\.\.([^:]+):(\d+)")


@dataclass(frozen=True, slots=True)
class Varied:
    """One field and the values that it takes."""

    field: str
    values: tuple[str, ...]


def parse_varied(text: str) -> Varied:
    """One `--vary`. InputError where it cannot be read."""
    field, sign, values = text.partition("=")
    field = field.strip()
    if not (field and sign and values.strip()):
        raise InputError("sweep", "--vary", f"{text!r} is no field; write it like fund.balance=0,1")
    if span := _SPAN.fullmatch(values.strip()):
        return Varied(field, _even(text, span[1], span[2], int(span[3])))
    found = tuple(value.strip() for value in values.split(","))
    if not all(found) or len(set(found)) < len(found):
        raise InputError("sweep", "--vary", f"{text!r} has an empty value or the same one twice")
    return Varied(field, found)


def _even(text: str, low: str, high: str, count: int) -> tuple[str, ...]:
    """So many values from one end to the other, rounded to 10^-9, halves to even."""
    try:
        first, last = (Fraction(Decimal(each.replace("_", "").strip())) for each in (low, high))
    except InvalidOperation:
        raise InputError("sweep", "--vary", f"{text!r} has ends that are no numbers") from None
    if not 1 < count <= MOST_POINTS or first == last:
        reason = f"{text!r} needs two ends and from 2 to {MOST_POINTS} values, like 0..1:5"
        raise InputError("sweep", "--vary", reason)
    scale = 10**DECIMALS
    steps = (first + (last - first) * place / (count - 1) for place in range(count))
    return tuple(plain(Decimal(round(step * scale)).scaleb(-DECIMALS)) for step in steps)


def plain(number: Decimal) -> str:
    """A number as a field of a scenario has it, without what says nothing."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def grid(varied: Sequence[Varied]) -> tuple[Point, ...]:
    """The scenario as it is, then every combination, the last field fastest."""
    fields = [each.field for each in varied]
    if len(set(fields)) < len(fields):
        raise InputError("sweep", "--vary", "names a field twice; give it all its values at once")
    points: list[Point] = [{}]
    if varied:
        points += [
            dict(zip(fields, values, strict=True))
            for values in product(*(each.values for each in varied))
        ]
    if len(points) > MOST_POINTS + 1:
        raise InputError("sweep", "--vary", f"makes over {MOST_POINTS} points; take fewer values")
    return tuple(points)


def policy_points(*, default: bool) -> tuple[Point, ...]:
    """The scenario as it is, and each policy: of case B where `default`, else of case L."""
    field = "waterfall.default_policy" if default else "waterfall.policy"
    return ({}, *({field: policy.name.lower()} for policy in Policy))


def rule_points() -> tuple[Point, ...]:
    """The scenario as it is, and each rule switched back alone."""
    return ({}, *({f"waterfall.{field}": value} for field, value in RULES_BACK.items()))


def stage_points() -> tuple[Point, ...]:
    """The scenario as it is, each stage taken out alone, and each rule."""
    return ({}, *({field: value} for field, value in {**STAGES_OFF, **RULES_OFF}.items()))


def scenario_at(file: Path, point: Point) -> Scenario:
    """The scenario of a file at a point. InputError as for the file, or for a field not found."""
    tables = read_toml(file)
    for field, value in point.items():
        tables = _replaced(file, tables, field, value)
    return scenario_of(file, tables)


def _replaced(file: Path, tables: dict[str, Any], field: str, value: str) -> dict[str, Any]:
    tables = deepcopy(tables)
    place: Any = tables
    *above, last = field_parts(file, field)
    for name, item in above:
        place = _inside(file, field, place, name, item)
    name, item = last
    if item is not None or not isinstance(place, dict):
        raise _not_found(file, field, "must end in the name of a value")
    if isinstance(place.get(name), dict | list) and not value.startswith(("[", "{")):
        raise _not_found(file, field, "is a table or a list; name a value inside it")
    if value == NONE_OF_THEM:
        place.pop(name, None)
    else:
        place[name] = _value(value)
    return tables


def field_parts(file: Path, field: str) -> list[tuple[str, str | None]]:
    """The names on the way to a field, each with its item in brackets, if it has one."""
    parts = []
    for text in re.split(r"\.(?![^\[]*\])", field):
        found = _PART.fullmatch(text)
        if found is None:
            raise _not_found(file, field, "is no field; write it like assets[SOL].haircut.weight")
        parts.append((found[1], found[2]))
    return parts


def _inside(file: Path, field: str, place: Any, name: str, item: str | None) -> Any:
    if not isinstance(place, dict):
        raise _not_found(file, field, f"has nothing called {name}")
    inner = place.setdefault(name, {}) if item is None else place.get(name)
    if item is None:
        if isinstance(inner, list):
            raise _not_found(file, field, f"needs one of {name}, like {name}[{_called(inner[0])}]")
        return inner
    for number, each in enumerate(inner if isinstance(inner, list) else ()):
        if item in (str(number), _called(each)):
            return each
    has = ", ".join(_called(each) for each in inner) if isinstance(inner, list) else "nothing"
    raise _not_found(file, field, f"there is no {name}[{item}]; there is {has}")


def _called(item: Any) -> str:
    """What an item of a list is called: its symbol or its name."""
    return next((str(item[key]) for key in NAMING if isinstance(item, dict) and key in item), "?")


def _value(text: str) -> Any:
    """A value as TOML has it; a bare word is a text."""
    try:
        return tomllib.loads(f"x = {text}", parse_float=str)["x"]
    except tomllib.TOMLDecodeError:
        return text


def _not_found(file: Path, field: str, reason: str) -> InputError:
    return InputError(str(file), field, reason)
