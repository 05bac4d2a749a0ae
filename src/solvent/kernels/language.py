"""The kernel language: a small, strictly typed part of Python that is compiled to machine code.

A kernel is an annotated function over numbers and over rows of numbers:

    int       64 bits, signed; a result that does not fit stops the engine, it never wraps
    Wide      128 bits, signed; made by `wide`, taken back by `narrow`, which checks
    bool      a truth value
    a Row     numbers with names: `pool.cash`, declared by a class
    Rows[R]   such rows one behind the other: `pools[asset]`
    Memory    numbers without names: `parts[place]`
    a Root    all columns of one engine by name, each of them one of the three above
    a message a frozen dataclass that came in as numbers: its fields can be read

What kernels may say is listed in `docs/reference/kernel-language.md`; `compiler` turns them into
code. The same functions also run as plain Python, unchanged, over the classes here: then every
index is checked against its row and every number against its width. That is how coverage sees into
kernels and how a defect is stepped through.

The functions here that the compiler knows by name (`wide`, `narrow`, `emit`, ...) are its
vocabulary; each says what it means, in the plainest form. Rows are in `rows`, tables of handlers in
`messages`.
"""

from array import array
from collections.abc import Callable
from functools import cache
from math import isqrt as _isqrt
from typing import Any, ClassVar, TypeAlias, TypeVar

from solvent.kernels.rows import INT64_MAX, EngineFault, Memory, Row, Rows, field_names, fit

Wide: TypeAlias = int
"""128 bits, signed. An alias, so that kernels run as plain Python; the compiler reads the name."""

Huge: TypeAlias = int
"""256 bits, signed: only for products of three columns that must be compared or divided exactly."""

Kernel = TypeVar("Kernel", bound=Callable[..., object])
R = TypeVar("R", bound=Row)
M = TypeVar("M")

_WORD_BITS = 64
_WORD = 1 << _WORD_BITS
_INT128_MAX = 2**127 - 1
_INT128_MIN = -(2**127)


def kernel(function: Kernel) -> Kernel:
    """Mark `function` as a kernel. It stays a plain Python function too."""
    function.__kernel__ = True  # type: ignore[attr-defined]
    return function


class Root:
    """All columns of one engine by name; a subclass declares them, each a row, rows or numbers.

    `event_kinds` are the events that its kernels may emit; an event's number is its place there.
    """

    event_kinds: ClassVar[tuple[type, ...]] = ()

    def __init__(self) -> None:
        self.events: array[int] = array("q")


@cache
def _event_numbers(kinds: tuple[type, ...]) -> dict[type, int]:
    return {kind: number for number, kind in enumerate(kinds)}


def wide(value: int) -> Wide:
    """`value` with 128 bits, so that products and sums of it are exact."""
    return value


def narrow(value: Wide) -> int:
    """`value` with 64 bits; the engine stops when it does not fit."""
    return fit(value)


def huge(value: Wide) -> Huge:
    """`value` with 256 bits."""
    return value


def thin(value: Huge) -> Wide:
    """`value` with 128 bits; the engine stops when it does not fit."""
    if not _INT128_MIN <= value <= _INT128_MAX:
        raise EngineFault(f"{value} does not fit 128 bits")
    return value


def fail() -> None:
    """Stop the engine: something happened that no correct caller does."""
    raise EngineFault("a kernel was called in a way that no correct caller does")


def emit(s: Root, event: object) -> None:
    """Append an event, written as a call of its class: its number and its fields, in order."""
    kind = type(event)
    s.events.append(_event_numbers(s.event_kinds)[kind])
    s.events.extend(fit(getattr(event, name)) for name in field_names(kind))


def event_words(s: Root) -> int:
    """How many numbers the events of this batch take so far."""
    return len(s.events)


def allocate(count: int) -> Memory:
    """A fresh row of `count` zeros (>= 0); give it back with `release`."""
    if count < 0:
        raise EngineFault(f"a row of {count} numbers")
    return Memory(memoryview(array("q", bytes(8 * count))))


def allocate_rows(kind: type[R], count: int) -> Rows[R]:
    """`count` fresh rows (>= 0) of a class, all zeros; give them back with `release`."""
    return rows_in(kind, allocate(count * kind.WIDTH))


def release(memory: Memory | Rows[Any]) -> None:
    """Give back what `allocate` or `allocate_rows` gave."""
    memory.numbers = memoryview(array("q"))


def rows_in(kind: type[R], memory: Memory) -> Rows[R]:
    """Numbers read as rows of a class, as many as there is room for."""
    return Rows(kind, memory.numbers, memory.start)


def row_in(kind: type[R], memory: Memory) -> R:
    """Numbers read as one row of a class."""
    return kind(memory.numbers, memory.start)


def numbers_of(row: Row | Rows[Any]) -> Memory:
    """The numbers of a row, or of rows, without their names."""
    return Memory(row.numbers, row.start)


def clear(row: Row) -> None:
    """Make all numbers of a row zero."""
    for place in range(row.start, row.start + row.WIDTH):
        row.numbers[place] = 0


def copy_row(source: R, target: R) -> None:
    """Write a row over another one of its class."""
    if type(source) is not type(target):
        raise TypeError(f"a {type(source).__name__} is no {type(target).__name__}")
    moved = source.numbers[source.start : source.start + source.WIDTH].tolist()
    for place, number in enumerate(moved, target.start):
        target.numbers[place] = number


def message(kind: type[M], memory: Memory) -> M:
    """Numbers read as the fields of a message, in order."""
    return kind(*[memory[place] for place in range(len(field_names(kind)))])


def isqrt(value: int) -> int:
    """The largest integer whose square is at most `value` (>= 0)."""
    if value < 0:
        raise EngineFault(f"the square root of {value}")
    return _isqrt(value)


def wrapping_add(left: int, right: int) -> int:
    """(left + right) mod 2^64, read as signed."""
    return _signed(left + right)


def wrapping_mul(left: int, right: int) -> int:
    """left * right mod 2^64, read as signed."""
    return _signed(left * right)


def wrapping_sub(left: int, right: int) -> int:
    """(left - right) mod 2^64, read as signed."""
    return _signed(left - right)


def shift_left(word: int, bits: int) -> int:
    """The 64 bits of `word` moved left by `bits` (0 to 63); what falls out is lost."""
    return _signed(word << _place(bits))


def shift_right(word: int, bits: int) -> int:
    """The 64 bits of `word` moved right by `bits`, zeros moving in."""
    return _signed(word % _WORD >> _place(bits))


def unsigned_remainder(word: int, divisor: int) -> int:
    """`word`, read as unsigned, modulo `divisor` (> 0)."""
    return word % _WORD % _positive(divisor)


def unsigned_divide(word: int, divisor: int) -> int:
    """floor(word / divisor), both read as unsigned; the divisor is not 0."""
    return _signed(word % _WORD // _positive(divisor % _WORD))


def unsigned_less(left: int, right: int) -> bool:
    """Whether left < right, both read as unsigned."""
    return left % _WORD < right % _WORD


def put_message(read: object, memory: Memory) -> None:
    """Write the fields of a message that came in, in order."""
    for place, name in enumerate(field_names(type(read))):
        memory[place] = getattr(read, name)


def prefetch(row: Memory | Row | Rows[Any]) -> None:
    """Have the start of a row brought near: it will be read soon. Nothing else follows from it."""


def leading_zeros(word: int) -> int:
    """How many of the 64 bits before the first one that is set are zero."""
    return _WORD_BITS - (word % _WORD).bit_length()


def bit(place: int) -> int:
    """The number in which only bit `place` (0 to 63) is set; bit 63 is the sign."""
    return _signed(1 << _place(place))


def _place(number: int) -> int:
    """The number of one of a word's bits."""
    if not 0 <= number < _WORD_BITS:
        raise EngineFault(f"bit {number} of {_WORD_BITS}")
    return number


def _positive(divisor: int) -> int:
    if divisor <= 0:
        raise EngineFault(f"division by {divisor}")
    return divisor


def _signed(word: int) -> int:
    word %= _WORD
    return word - _WORD if word > INT64_MAX else word
