"""Kinds: the types of the kernel language and what LLVM calls them."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from llvmlite import ir


class Kind:
    """A type of the language. `width` is in bits, 0 for what is no number; `fields` of a record."""

    def __init__(
        self, name: str, llvm: ir.Type, width: int = 0, fields: Sequence[tuple[str, "Kind"]] = ()
    ) -> None:
        self.name = name
        self.type = llvm
        self.width = width
        self.fields = tuple(fields)

    @property
    def elements(self) -> tuple["Kind", ...]:
        """Kinds of a tuple's elements; none of what is no tuple."""
        return tuple(kind for name, kind in self.fields if not name)

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
STORE = Kind("Store", INT.type.as_pointer())
VOID = Kind("None", ir.VoidType())
FUNCTION = Kind("Callable", ir.VoidType())
"""A kernel given as an argument: known when its receiver is compiled, never a value."""

COLUMNS = (
    "globals",
    "rules",
    "assets",
    "pools",
    "prices",
    "quotes",
    "accounts",
    "positions",
    "pledges",
    "orders",
    "order_index",
    "levels",
    "books",
    "liquidating",
    "providers",
    "scratch",
    "watch",
    "commands",
    "ends",
)
"""Columns of a Store in the order of their addresses in its root."""
EVENTS = len(COLUMNS)
"""Place in the root of the event buffer's address; what it holds and can hold follow, in words."""
EVENTS_USED = EVENTS + 1
EVENTS_CAPACITY = EVENTS + 2
ROOT_WORDS = EVENTS + 3


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
