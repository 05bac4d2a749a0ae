"""Kinds: the types of the kernel language and what LLVM calls them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from llvmlite import ir


class Field(NamedTuple):
    """A named number of a row, or a part of it, in numbers from its start on."""

    place: int
    kind: "Kind"


class Kind:
    """A type of the language. `width` is in bits, 0 for what is no number; `fields` of a record.

    What is somewhere in memory has named `places`, if it is a row, or an `element` that it has one
    behind the other. `words` are the numbers that a row takes.
    """

    def __init__(
        self, name: str, llvm: ir.Type, width: int = 0, fields: Sequence[tuple[str, "Kind"]] = ()
    ) -> None:
        self.name = name
        self.type = llvm
        self.width = width
        self.fields = tuple(fields)
        self.places: Mapping[str, Field] = {}
        self.element: Kind | None = None
        self.words = 1
        self.root: type | None = None
        self.events: tuple[type, ...] = ()
        self.frozen = False

    @property
    def elements(self) -> tuple["Kind", ...]:
        """Kinds of a tuple's elements; none of what is no tuple."""
        return tuple(kind for name, kind in self.fields if not name)

    @property
    def is_memory(self) -> bool:
        """Whether it is numbers somewhere in memory: without names, a row, or rows."""
        return self.root is None and (self.element is not None or bool(self.places))

    def constant(self, number: int) -> ir.Constant:
        """A number of this kind."""
        return ir.Constant(self.type, number)


INT = Kind("int", ir.IntType(64), 64)
WIDE = Kind("Wide", ir.IntType(128), 128)
HUGE = Kind("Huge", ir.IntType(256), 256)
NUMBERS = (INT, WIDE, HUGE)
"""Kinds that can be reckoned with, from narrow to wide."""
BOOL = Kind("bool", ir.IntType(1))
MEMORY = Kind("Memory", INT.type.as_pointer())
MEMORY.element = INT
VOID = Kind("None", ir.VoidType())
FUNCTION = Kind("Callable", ir.VoidType())
"""A kernel given as an argument: known when its receiver is compiled, never a value."""
ANY = Kind("TypeVar", ir.VoidType())
"""Of a parameter: whatever the argument is, known when its receiver is compiled."""

EVENTS = 0
"""Place in a root of the event buffer's address; what it holds and can hold follow, in words."""
EVENTS_USED = EVENTS + 1
EVENTS_CAPACITY = EVENTS + 2
FIRST_COLUMN = EVENTS + 3
"""Place in a root of the first column's address; the others follow in the order of the class."""


def row_of(name: str, places: Mapping[str, Field], words: int) -> Kind:
    """The kind of a row with these places, so many numbers long."""
    kind = Kind(name, MEMORY.type)
    kind.places = places
    kind.words = words
    return kind


@cache
def rows_of(element: Kind) -> Kind:
    """The kind of rows of a kind."""
    kind = Kind(f"Rows[{element.name}]", MEMORY.type)
    kind.element = element
    return kind


def root_of(root: type, columns: Sequence[tuple[str, Kind]], events: tuple[type, ...]) -> Kind:
    """The kind of all columns of an engine."""
    kind = Kind(root.__name__, MEMORY.type)
    kind.places = {
        name: Field(FIRST_COLUMN + number, column) for number, (name, column) in enumerate(columns)
    }
    kind.root = root
    kind.events = events
    return kind


class Value(NamedTuple):
    """A value being computed; `bits` bounds its magnitude: |value| <= 2^bits."""

    kind: Kind
    ir: ir.Value
    bits: int = -1

    @property
    def magnitude(self) -> int:
        """Bits of the largest magnitude it can have."""
        return self.bits if self.bits >= 0 else max(0, self.kind.width - 1)


NOTHING = Value(VOID, ir.Constant(BOOL.type, 0))
"""What a call without a result gives."""


@cache
def tuple_kind(kinds: tuple[Kind, ...]) -> Kind:
    """The kind of a tuple of these."""
    name = f"tuple[{', '.join(kind.name for kind in kinds)}]"
    struct = ir.LiteralStructType([kind.type for kind in kinds])
    return Kind(name, struct, 0, [("", kind) for kind in kinds])
