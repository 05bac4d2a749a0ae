"""Rows: numbers in memory, with names and without, as kernels that run as plain Python see them.

A class of rows declares its numbers, and its places follow from that:

    class Quote(Row):
        bid: int
        ask: int

    class Price(Row, width=8):
        mark: int
        side: Side
        quotes: Rows[Quote] = rows(Quote, 2)
        weights: Memory = numbers(4)
        best: Quote

`quote.bid` is a number of a row; said of the class, `Quote.bid` is its place, for code that reads
columns as tables. `width` pads a row, to lie well in cache lines. The fields of a row may be
numbers, members of an IntEnum, truth values (0 or 1), other rows, and arrays of numbers or of rows.
"""

from collections.abc import Iterator
from dataclasses import fields
from enum import IntEnum
from inspect import get_annotations
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, get_args, get_origin

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


class EngineFault(ArithmeticError):  # noqa: N818  (the engine is at fault, not its caller)
    """A number left its column, or a posting that no correct caller makes. The engine must stop."""


def fit(value: int) -> int:
    """`value`, which must fit 64 bits."""
    if not INT64_MIN <= value <= INT64_MAX:
        raise EngineFault(f"{value} does not fit 64 bits")
    return int(value)


class Memory:
    """A row of signed 64-bit numbers without names, or the rest of one from some place on."""

    __slots__ = ("numbers", "start")

    def __init__(self, numbers: "memoryview[int]", start: int = 0) -> None:
        self.numbers = numbers
        self.start = start

    def __getitem__(self, index: int) -> int:
        return self.numbers[self._place(index)]

    def __setitem__(self, index: int, value: int) -> None:
        place = self._place(index)
        try:
            self.numbers[place] = value
        except ValueError:
            raise EngineFault(f"{value} does not fit 64 bits") from None

    def at(self, offset: int) -> "Memory":
        """The same row from `offset` on."""
        return Memory(self.numbers, self._place(offset, end=1))

    def _place(self, index: int, end: int = 0) -> int:
        place = self.start + index
        if index < 0 or place >= len(self.numbers) + end:
            raise IndexError(f"index {place} of a row of {len(self.numbers)}")
        return place


class RowField(NamedTuple):
    """A field of a class of rows: its place, what it holds, and how many numbers that takes."""

    name: str
    place: int
    holds: Any
    words: int


class _RowClass(type):
    """Gives classes of rows no place for anything but their fields."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], names: dict[str, Any], **options: Any
    ) -> "_RowClass":
        return super().__new__(cls, name, bases, {"__slots__": (), **names}, **options)


class Row(metaclass=_RowClass):
    """Base of all classes of rows."""

    __slots__ = ("numbers", "start")
    FIELDS: ClassVar[tuple[RowField, ...]] = ()
    WIDTH: ClassVar[int] = 0
    """Numbers that a row takes."""

    def __init__(self, numbers: "memoryview[int]", start: int = 0) -> None:
        if not 0 <= start <= len(numbers) - self.WIDTH:
            name = type(self).__name__
            raise IndexError(f"a {name} at {start} of a row of {len(numbers)}")
        self.numbers = numbers
        self.start = start

    def __init_subclass__(cls, width: int = 0) -> None:
        cls.FIELDS = tuple(_fields(cls))
        taken = sum(field.words for field in cls.FIELDS)
        if width and width < taken:
            raise TypeError(f"a {cls.__name__} takes {taken} numbers, not {width}")
        cls.WIDTH = width or taken
        for field in cls.FIELDS:
            setattr(cls, field.name, _ACCESS.get(_sort_of(field.holds), _Number)(field))


R = TypeVar("R", bound=Row)


class Rows(Generic[R]):
    """Rows of one class, one behind the other."""

    __slots__ = ("kind", "numbers", "start")

    def __init__(self, kind: type[R], numbers: "memoryview[int]", start: int = 0) -> None:
        self.kind = kind
        self.numbers = numbers
        self.start = start

    def __getitem__(self, index: int) -> R:
        if index < 0:
            raise IndexError(f"row {index}")
        return self.kind(self.numbers, self.start + index * self.kind.WIDTH)

    def at(self, index: int) -> "Rows[R]":
        """The same rows from one on."""
        place = self.start + index * self.kind.WIDTH
        if index < 0 or place > len(self.numbers):
            raise IndexError(f"row {index} at {place} of a row of {len(self.numbers)}")
        return Rows(self.kind, self.numbers, place)


class _Array(NamedTuple):
    """What a field that is an array holds: numbers, or rows of a class."""

    kind: type[Row] | None
    length: int


def numbers(count: int) -> Any:
    """Of a field: so many numbers without names."""
    return _Array(None, count)


def rows(kind: type[Row], count: int) -> Any:
    """Of a field: so many rows of a class."""
    return _Array(kind, count)


def _fields(cls: type[Row]) -> Iterator[RowField]:
    place = 0
    for name, holds in get_annotations(cls).items():
        words = _words(cls, name, holds)
        yield RowField(name, place, holds, words)
        place += words


def _words(cls: type[Row], name: str, holds: Any) -> int:
    array = cls.__dict__.get(name)
    sort = _sort_of(holds)
    if sort in (Memory, Rows):
        expected = get_args(holds)[0] if sort is Rows else None
        if isinstance(array, _Array) and array.kind is expected and array.length > 0:
            return array.length * (array.kind.WIDTH if array.kind else 1)
    elif array is None and sort is not None:
        return int(holds.WIDTH) if sort is Row else 1
    raise TypeError(f"{cls.__name__}.{name}: no field of a row")


def _sort_of(holds: Any) -> type | None:
    """What a field holds: int, bool, Memory, Rows, Row, or nothing that there is."""
    if holds in (int, bool, Memory):
        return holds if isinstance(holds, type) else None
    if get_origin(holds) is Rows:
        return Rows
    if isinstance(holds, type) and issubclass(holds, IntEnum):
        return int
    return Row if isinstance(holds, type) and issubclass(holds, Row) else None


class _Number:
    """A number of a row; of the class, its place."""

    __slots__ = ("place",)

    def __init__(self, field: RowField) -> None:
        self.place = field.place

    def __get__(self, row: Row | None, owner: type[Row]) -> int:
        return self.place if row is None else row.numbers[row.start + self.place]

    def __set__(self, row: Row, value: int) -> None:
        try:
            row.numbers[row.start + self.place] = value
        except ValueError:
            raise EngineFault(f"{value} does not fit 64 bits") from None


class _Truth(_Number):
    """A truth value of a row."""

    __slots__ = ()

    def __get__(self, row: Row | None, owner: type[Row]) -> int:
        return self.place if row is None else row.numbers[row.start + self.place] != 0


class _Part:
    """A field that is no number: another row, or an array. It is not assigned."""

    __slots__ = ("field",)

    def __init__(self, field: RowField) -> None:
        self.field = field

    def __get__(self, row: Row | None, owner: type[Row]) -> Any:
        field = self.field
        if row is None:
            return field.place
        start = row.start + field.place
        if field.holds is Memory:
            return Memory(row.numbers[: start + field.words], start)
        if get_origin(field.holds) is Rows:
            return Rows(get_args(field.holds)[0], row.numbers[: start + field.words], start)
        return field.holds(row.numbers, start)

    def __set__(self, row: Row, value: object) -> None:
        raise TypeError(f"{self.field.name} is not assigned")


_ACCESS: dict[type | None, Any] = {bool: _Truth, Memory: _Part, Rows: _Part, Row: _Part}


def field_names(kind: type) -> tuple[str, ...]:
    """Names of a message's fields, in the order of its numbers."""
    found: tuple[str, ...] | None = _FIELD_NAMES.get(kind)
    if found is None:
        found = _FIELD_NAMES[kind] = tuple(field.name for field in fields(kind))
    return found


_FIELD_NAMES: dict[type, tuple[str, ...]] = {}
