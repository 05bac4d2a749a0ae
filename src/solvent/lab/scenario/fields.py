"""Fields of a TOML table, each read once, exactly, and with its dotted name in every error.

A reader hands out typed values: numbers as integers of their unit (TOML floats arrive as the text
they were written with, so 0.1 is exactly a tenth), times as microseconds UTC, choices as members of
an enum. What was never asked for is an error too, so that a misspelt key is not silently ignored.

Deliberately absent: defaults of any venue, and what the values mean together (`scenario_file`).
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from solvent.domain.errors import InputError
from solvent.domain.units import (
    INT64_MAX,
    RATIO_DECIMALS,
    SECOND,
    VALUE_DECIMALS,
    DecimalTextError,
    format_decimal,
    parse_decimal,
)
from solvent.lab.scenario.lines import line_of

Choice = TypeVar("Choice", bound=IntEnum)

MOST_STEP_SECONDS = 24 * 3600
_TOML_LINE = re.compile(r"\(at line ([0-9]+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number"}


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file, fractions as they are written.

    InputError where it cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"), parse_float=str)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise InputError(str(path), "file", f"{reason.lower()}; check the name") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "file", "is not UTF-8 text; save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        place = _TOML_LINE.search(str(error))
        line = int(place[1]) if place else None
        raise InputError(str(path), "file", f"is no valid TOML: {error}", line) from None


class Fields:
    """One table: ask for its fields by name, then `close` it to refuse what is left over."""

    def __init__(self, file: str, name: str, table: Mapping[str, object]) -> None:
        self.file = file
        self.name = name
        self._table = dict(table)
        self._asked: set[str] = set()

    def path(self, field: str) -> str:
        """The dotted name of a field."""
        return f"{self.name}.{field}" if self.name else field

    def error(self, field: str, reason: str) -> InputError:
        """An InputError about one field of this table."""
        name = self.path(field)
        return InputError(self.file, name, reason, line_of(self.file, name))

    def has(self, field: str) -> bool:
        """Whether the table has a field of this name."""
        return field in self._table

    def close(self) -> None:
        """Refuse fields that were not read. InputError on the first."""
        for field in self._table:
            if field not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise self.error(field, f"is not a known field; known here: {known}")

    def _get(self, field: str, kind: type) -> object:
        self._asked.add(field)
        if field not in self._table:
            raise self.error(field, f"is missing; write {_KINDS.get(kind, 'it')} there")
        return self._table[field]

    def _expect(self, field: str, kind: type) -> object:
        value = self._get(field, kind)
        if not isinstance(value, kind):
            raise self.error(field, f"must be {_KINDS[kind]}, is {value!r}")
        return value

    def skip(self, field: str) -> bool:
        """Whether an optional field is absent; it counts as known either way."""
        self._asked.add(field)
        return field not in self._table

    def text(self, field: str, default: str | None = None) -> str:
        """A text that is not empty."""
        if default is not None and self.skip(field):
            return default
        value = str(self._expect(field, str)).strip()
        if not value:
            raise self.error(field, "is empty; write a text")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of texts, at least one."""
        return tuple(self._text_of(field, item) for item in self._list(field))

    def _text_of(self, field: str, item: object) -> str:
        if not isinstance(item, str) or not item:
            raise self.error(field, f"must be a list of texts, has {item!r}")
        return item

    def flag(self, field: str, *, default: bool = False) -> bool:
        """True or false."""
        if self.skip(field):
            return default
        return bool(self._expect(field, bool))

    def choice(self, field: str, kind: type[Choice], default: Choice | None = None) -> Choice:
        """A member of an enum, by its name in small letters."""
        if default is not None and self.skip(field):
            return default
        name = self.text(field)
        for member in kind:
            if member.name.lower() == name:
                return member
        names = ", ".join(member.name.lower() for member in kind)
        raise self.error(field, f"{name!r} is unknown; choose from {names}")

    def number(
        self,
        field: str,
        decimals: int,
        default: int | None = None,
        *,
        low: int = 0,
        high: int = INT64_MAX,
    ) -> int:
        """A plain decimal number, as units of 10^-decimals between `low` and `high`."""
        if default is not None and self.skip(field):
            return default
        return self._number(field, self._get(field, int), decimals, low, high)

    def _number(self, field: str, value: object, decimals: int, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise self.error(field, f"must be a number, is {value!r}")
        try:
            number = parse_decimal(str(value), decimals, signed=True)
        except DecimalTextError as reason:
            raise self.error(field, str(reason)) from None
        if not low <= number <= high:
            least, most = format_decimal(low, decimals), format_decimal(high, decimals)
            raise self.error(field, f"must lie between {least} and {most}, is {value}")
        return number

    def ratio(
        self, field: str, default: int | None = None, *, low: int = 0, high: int = INT64_MAX
    ) -> int:
        """A ratio, as units of 10^-9."""
        return self.number(field, RATIO_DECIMALS, default, low=low, high=high)

    def value(self, field: str, default: int | None = None, *, low: int = 0) -> int:
        """An amount of USDC, as units of 10^-6."""
        return self.number(field, VALUE_DECIMALS, default, low=low)

    def seconds(self, field: str, default: int | None = None, *, high: int = INT64_MAX) -> int:
        """A number of seconds above zero, as microseconds."""
        return self.number(field, 6, default, low=1, high=high)

    def time(self, field: str) -> int:
        """A moment with its offset from UTC, as microseconds since 1970."""
        return self._time(field, self._get(field, int))

    def _time(self, field: str, value: object) -> int:
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise self.error(field, f"must be a time like 2025-10-10T20:50:00Z, is {value}")
        micros = (value - _EPOCH) // timedelta(microseconds=1)
        if micros < 0:
            raise self.error(field, f"must not be before 1970, is {value}")
        return micros

    def pairs(
        self, field: str, first: int | None, second: int, *, low: int = 0, high: int = INT64_MAX
    ) -> tuple[tuple[int, int], ...]:
        """A list of pairs of numbers with these decimals; `first` None stands for a time.

        The first numbers must rise strictly; `low` and `high` bound the second ones.
        """
        pairs: list[tuple[int, int]] = []
        for number, item in enumerate(self._list(field)):
            place = f"{field}[{number}]"
            if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 a pair
                raise self.error(place, f"must be a pair in brackets, is {item!r}")
            left, right = item
            start = (
                self._time(place, left)
                if first is None
                else self._number(place, left, first, 0, INT64_MAX)
            )
            if pairs and start <= pairs[-1][0]:
                raise self.error(place, f"must come after the one before it, is {left}")
            pairs.append((start, self._number(place, right, second, low, high)))
        return tuple(pairs)

    def span(self, field: str, decimals: int) -> tuple[int, int]:
        """A pair of numbers with these decimals, the second not below the first."""
        item = self._list(field)
        if len(item) != 2:  # noqa: PLR2004 a pair
            raise self.error(field, f"must be a pair in brackets, is {item!r}")
        low, high = (self._number(field, each, decimals, 0, INT64_MAX) for each in item)
        if high < low:
            raise self.error(field, f"must not fall, is {item[0]} to {item[1]}")
        return low, high

    def counts(self, field: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """A list of whole numbers."""
        if self.skip(field):
            return default
        return tuple(self._number(field, item, 0, 0, INT64_MAX) for item in self._list(field))

    def _list(self, field: str) -> list[object]:
        value = self._expect(field, list)
        if not isinstance(value, list) or not value:
            raise self.error(field, "is an empty list; write at least one item")
        return value

    def table(self, field: str, *, optional: bool = False) -> "Fields":
        """A table inside this one; an empty one where it is optional and absent."""
        if optional and self.skip(field):
            return Fields(self.file, self.path(field), {})
        value = self._expect(field, dict)
        assert isinstance(value, dict)
        return Fields(self.file, self.path(field), value)

    def tables(self, field: str, *, optional: bool = False) -> list["Fields"]:
        """A list of tables inside this one."""
        if optional and self.skip(field):
            return []
        tables = []
        for number, item in enumerate(self._list(field)):
            place = f"{field}[{number}]"
            if not isinstance(item, dict):
                raise self.error(place, f"must be a table, is {item!r}")
            tables.append(Fields(self.file, self.path(place), item))
        return tables

    def names(self) -> tuple[str, ...]:
        """The names of all fields, in the file's order."""
        return tuple(self._table)

    def step(self, field: str) -> int:
        """A step of time in whole seconds, as microseconds."""
        return self.number(field, 0, low=1, high=MOST_STEP_SECONDS) * SECOND
