"""Every operator at every width, compiled, against Python's integers.

Whatever fits is equal; whatever does not stops at the line that says so, and never wraps. Numbers
of 128 and 256 bits go in and out in words of 64, the highest first; all but it are kept less 2^63.
"""

import operator
from collections.abc import Callable
from functools import cache, partial
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from solvent.kernels.language import (
    Huge,
    Wide,
    huge,
    kernel,
    narrow,
    thin,
    wide,
)
from solvent.kernels.machine import Machine, compile_kernels
from solvent.kernels.rows import Memory
from tests.kernels.extremes import HALF, WORD, Exact, fits, last_line, outcome, pairs

Row = npt.NDArray[np.int64]

TWO_WORDS = 1 << 128
POWER = 1 << 62


# Every operator at every width.


@kernel
def int_sum(left: int, right: int) -> int:
    return left + right


@kernel
def int_difference(left: int, right: int) -> int:
    return left - right


@kernel
def int_product(left: int, right: int) -> int:
    return left * right


@kernel
def int_quotient(left: int, right: int) -> int:
    return left // right


@kernel
def int_rest(left: int, right: int) -> int:
    return left % right


@kernel
def int_product_of_upper(left: int, right: int) -> int:
    return left // POWER * right


@kernel
def int_product_of_lower(left: int, right: int) -> int:
    return left % POWER * right


@kernel
def int_negative(left: int, _right: int) -> int:
    return -left


@kernel
def int_magnitude(left: int, _right: int) -> int:
    return abs(left)


@kernel
def int_shifted(left: int, right: int) -> int:
    return left >> right


@kernel
def wide_at(row: Memory) -> Wide:
    return wide(row[0]) * WORD + HALF + row[1]


@kernel
def put_wide(row: Memory, value: Wide) -> None:
    row[0] = narrow(value // WORD)
    row[1] = narrow(value % WORD - HALF)


@kernel
def wide_sum(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), wide_at(right)
    put_wide(result, one + other)


@kernel
def wide_difference(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), wide_at(right)
    put_wide(result, one - other)


@kernel
def wide_product(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), wide_at(right)
    put_wide(result, one * other)


@kernel
def wide_quotient(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), wide_at(right)
    put_wide(result, one // other)


@kernel
def wide_rest(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), wide_at(right)
    put_wide(result, one % other)


@kernel
def wide_product_of_upper(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), wide_at(right)
    put_wide(result, one // POWER * other)


@kernel
def wide_product_of_lower(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), wide_at(right)
    put_wide(result, one % POWER * other)


@kernel
def wide_negative(left: Memory, _right: Memory, result: Memory) -> None:
    one = wide_at(left)
    put_wide(result, -one)


@kernel
def wide_magnitude(left: Memory, _right: Memory, result: Memory) -> None:
    one = wide_at(left)
    put_wide(result, abs(one))


@kernel
def wide_sum_by_word(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), narrow(wide_at(right))
    put_wide(result, one + other)


@kernel
def wide_product_by_word(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), narrow(wide_at(right))
    put_wide(result, one * other)


@kernel
def wide_product_of_word(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), narrow(wide_at(right))
    put_wide(result, other * one)


@kernel
def wide_quotient_by_word(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), narrow(wide_at(right))
    put_wide(result, one // other)


@kernel
def wide_rest_by_word(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), narrow(wide_at(right))
    put_wide(result, one % other)


@kernel
def wide_quotient_of_word(left: Memory, right: Memory, result: Memory) -> None:
    one, other = wide_at(left), narrow(wide_at(right))
    put_wide(result, other // one)


@kernel
def huge_at(row: Memory) -> Huge:
    middle = (huge(row[2]) + HALF) * WORD
    return huge(wide_at(row)) * TWO_WORDS + middle + HALF + row[3]


@kernel
def put_huge(row: Memory, value: Huge) -> None:
    put_wide(row, thin(value // TWO_WORDS))
    rest = value % TWO_WORDS
    row[2] = narrow(thin(rest // WORD) - HALF)
    row[3] = narrow(thin(rest % WORD) - HALF)


@kernel
def huge_sum(left: Memory, right: Memory, result: Memory) -> None:
    one, other = huge_at(left), huge_at(right)
    put_huge(result, one + other)


@kernel
def huge_difference(left: Memory, right: Memory, result: Memory) -> None:
    one, other = huge_at(left), huge_at(right)
    put_huge(result, one - other)


@kernel
def huge_product(left: Memory, right: Memory, result: Memory) -> None:
    one, other = huge_at(left), huge_at(right)
    put_huge(result, one * other)


@kernel
def huge_quotient(left: Memory, right: Memory, result: Memory) -> None:
    one, other = huge_at(left), huge_at(right)
    put_huge(result, one // other)


@kernel
def huge_rest(left: Memory, right: Memory, result: Memory) -> None:
    one, other = huge_at(left), huge_at(right)
    put_huge(result, one % other)


@kernel
def huge_negative(left: Memory, _right: Memory, result: Memory) -> None:
    one = huge_at(left)
    put_huge(result, -one)


@kernel
def thinned(left: Memory, _right: Memory, result: Memory) -> None:
    one = huge_at(left)
    put_huge(result, thin(one))


@kernel
def narrowed(left: Memory, _right: Memory, result: Memory) -> None:
    one = wide_at(left)
    put_wide(result, narrow(one))


def quotient(left: int, right: int) -> int | None:
    """The floor of a division by a positive number."""
    return left // right if right > 0 else None


def rest(left: int, right: int) -> int | None:
    """What is left over by it."""
    return left % right if right > 0 else None


def product_of_upper(left: int, right: int) -> int:
    """What is above the lower bits of the left number, times the right one."""
    return (left >> 62) * right


def product_of_lower(left: int, right: int) -> int:
    """The lower bits of the left number, times the right one."""
    return (left - (left >> 62 << 62)) * right


def shifted(left: int, right: int) -> int | None:
    """A shift by less than the width."""
    return left >> right if 0 <= right < 64 else None


def within(width: int) -> Exact:
    """The left number, if it fits."""
    return lambda left, _right: left if fits(left, width) else None


def negative(left: int, _right: int) -> int:
    """The left number with the other sign."""
    return -left


def magnitude(left: int, _right: int) -> int:
    """The left number without its sign."""
    return abs(left)


def quotient_of_right(left: int, right: int) -> int | None:
    """The right number divided by the left."""
    return quotient(right, left)


OPERATIONS: dict[Callable[..., object], tuple[Exact, int, int]] = {
    int_sum: (operator.add, 64, 64),
    int_difference: (operator.sub, 64, 64),
    int_product: (operator.mul, 64, 64),
    int_quotient: (quotient, 64, 64),
    int_rest: (rest, 64, 64),
    int_product_of_upper: (product_of_upper, 64, 64),
    int_product_of_lower: (product_of_lower, 64, 64),
    int_negative: (negative, 64, 64),
    int_magnitude: (magnitude, 64, 64),
    int_shifted: (shifted, 64, 64),
    wide_sum: (operator.add, 128, 128),
    wide_difference: (operator.sub, 128, 128),
    wide_product: (operator.mul, 128, 128),
    wide_quotient: (quotient, 128, 128),
    wide_rest: (rest, 128, 128),
    wide_product_of_upper: (product_of_upper, 128, 128),
    wide_product_of_lower: (product_of_lower, 128, 128),
    wide_negative: (negative, 128, 128),
    wide_magnitude: (magnitude, 128, 128),
    wide_sum_by_word: (operator.add, 128, 64),
    wide_product_by_word: (operator.mul, 128, 64),
    wide_product_of_word: (operator.mul, 128, 64),
    wide_quotient_by_word: (quotient, 128, 64),
    wide_rest_by_word: (rest, 128, 64),
    wide_quotient_of_word: (quotient_of_right, 128, 64),
    huge_sum: (operator.add, 256, 256),
    huge_difference: (operator.sub, 256, 256),
    huge_product: (operator.mul, 256, 256),
    huge_quotient: (quotient, 256, 256),
    huge_rest: (rest, 256, 256),
    huge_negative: (negative, 256, 256),
    thinned: (within(128), 256, 256),
    narrowed: (within(64), 128, 128),
}
"""For each kernel the exact result, and the widths of what it takes (the left is the result's)."""


@cache
def operating(native: bool | None) -> Machine:
    """The operators, with one of the two divisions."""
    return compile_kernels(tuple(OPERATIONS), native_division=native)


def to_words(number: int, width: int) -> Row:
    """A number as kernels read it."""
    lower = [(number >> bits) % WORD - HALF for bits in range(width - 128, -1, -64)]
    return np.array([number >> (width - 64), *lower], dtype=np.int64)


def from_words(words: Row) -> int:
    """The number that a kernel wrote."""
    number = int(words[0])
    for word in words[1:].tolist():
        number = number * WORD + word + HALF
    return number


def carried_out(machine: Machine, name: str, left: int, right: int, widths: tuple[int, int]) -> int:
    """What a compiled operation gives for two numbers."""
    if widths == (64, 64):
        return machine.call(name, left, right)
    # A second number of one word is read from two, as a narrowed Wide.
    rows = [to_words(left, widths[0]), to_words(right, max(128, widths[1]))]
    rows.append(np.zeros_like(rows[0]))
    machine.call(name, *(int(row.ctypes.data) for row in rows))
    return from_words(rows[2])


@pytest.mark.slow
@pytest.mark.parametrize("native", [None, False])
@pytest.mark.parametrize("function", OPERATIONS, ids=lambda function: str(function.__name__))
def test_an_operator_is_exact_or_stops_at_its_line(
    function: Callable[..., object], native: bool | None
) -> None:
    machine = operating(native)
    exact, *widths = OPERATIONS[function]
    taken = widths[0], widths[1]
    stop = last_line(function)
    stopped = 0
    for left, right in pairs(Random(1), taken):
        result = exact(left, right)
        expected = stop if result is None or not fits(result, widths[0]) else result
        found = outcome(partial(carried_out, machine, function.__name__, left, right, taken))
        assert found == expected, (left, right)
        stopped += expected is stop
    assert stopped
