"""The kernel language: a small, strictly typed part of Python that is compiled to machine code.

A kernel is an annotated function over three kinds of number and two kinds of reference:

    int      64 bits, signed; a result that does not fit stops the engine, it never wraps
    Wide     128 bits, signed; made by `wide`, taken back by `narrow`, which checks
    bool     a truth value
    Memory   a row of 64-bit numbers that can be read, written and stepped into with `at`
    Store    all columns of one engine, each a Memory with a name

What kernels may say is listed in `docs/reference/kernel-language.md`; `compiler` turns them into
code. The same functions also run as plain Python, unchanged, over the classes here: then every
index is checked against its row and every number against its width. That is how coverage sees into
kernels and how a defect is stepped through.

The functions here that the compiler knows by name (`wide`, `narrow`, `emit`, ...) are its
vocabulary; each says what it means, in the plainest form.
"""

from array import array
from collections.abc import Callable
from math import isqrt as _isqrt
from typing import TypeAlias, TypeVar

from solvent.domain.units import INT64_MAX, INT64_MIN, INT128_MAX

Wide: TypeAlias = int
"""128 bits, signed. An alias, so that kernels run as plain Python; the compiler reads the name."""

Huge: TypeAlias = int
"""256 bits, signed: only for products of three columns that must be compared or divided exactly."""

Kernel = TypeVar("Kernel", bound=Callable[..., object])

_WORD_BITS = 64
_WORD = 1 << _WORD_BITS
_INT128_MIN = -INT128_MAX - 1


class EngineFault(ArithmeticError):  # noqa: N818  (the engine is at fault, not its caller)
    """A number left its column, or a posting that no correct caller makes. The engine must stop."""


def kernel(function: Kernel) -> Kernel:
    """Mark `function` as a kernel. It stays a plain Python function too."""
    function.__kernel__ = True  # type: ignore[attr-defined]
    return function


class Memory:
    """A row of signed 64-bit numbers, or the rest of one from some place on."""

    __slots__ = ("numbers", "start")

    def __init__(self, numbers: "memoryview[int]", start: int = 0) -> None:
        self.numbers = numbers
        self.start = start

    def __getitem__(self, index: int) -> int:
        return self.numbers[self._place(index)]

    def __setitem__(self, index: int, value: int) -> None:
        self.numbers[self._place(index)] = _column(value)

    def at(self, offset: int) -> "Memory":
        """The same row from `offset` on."""
        return Memory(self.numbers, self._place(offset, end=1))

    def _place(self, index: int, end: int = 0) -> int:
        place = self.start + index
        if index < 0 or place >= len(self.numbers) + end:
            raise IndexError(f"index {place} of a row of {len(self.numbers)}")
        return place


def _column(value: int) -> int:
    if not INT64_MIN <= value <= INT64_MAX:
        raise EngineFault(f"{value} does not fit 64 bits")
    return int(value)


class Store:
    """All columns of one engine by name. `layout` says what each holds."""

    globals: Memory
    rules: Memory
    assets: Memory
    pools: Memory
    prices: Memory
    quotes: Memory
    accounts: Memory
    positions: Memory
    pledges: Memory
    orders: Memory
    order_index: Memory
    levels: Memory
    books: Memory
    liquidating: Memory
    providers: Memory
    scratch: Memory
    watch: Memory
    commands: Memory
    ends: Memory

    def __init__(self) -> None:
        self.events: array[int] = array("q")


def wide(value: int) -> Wide:
    """`value` with 128 bits, so that products and sums of it are exact."""
    return value


def narrow(value: Wide) -> int:
    """`value` with 64 bits; the engine stops when it does not fit."""
    return _column(value)


def huge(value: Wide) -> Huge:
    """`value` with 256 bits."""
    return value


def thin(value: Huge) -> Wide:
    """`value` with 128 bits; the engine stops when it does not fit."""
    if not _INT128_MIN <= value <= INT128_MAX:
        raise EngineFault(f"{value} does not fit 128 bits")
    return value


def fail() -> None:
    """Stop the engine: something happened that no correct caller does."""
    raise EngineFault("a kernel was called in a way that no correct caller does")


def emit(s: Store, kind: int, *numbers: int) -> None:
    """Append an event: its kind and its fields, in the order of the event's dataclass."""
    s.events.extend(_column(number) for number in (kind, *numbers))


def event_words(s: Store) -> int:
    """How many numbers the events of this batch take so far."""
    return len(s.events)


def allocate(count: int) -> Memory:
    """A fresh row of `count` zeros (>= 0); give it back with `release`."""
    if count < 0:
        raise EngineFault(f"a row of {count} numbers")
    return Memory(memoryview(array("q", bytes(8 * count))))


def release(memory: Memory) -> None:
    """Give back what `allocate` gave."""
    memory.numbers = memoryview(array("q"))


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


def prefetch(row: Memory) -> None:
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
