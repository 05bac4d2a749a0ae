"""Products divided, words and roots in compiled kernels, against Python's integers."""

from collections.abc import Callable
from functools import cache, partial
from itertools import product
from math import isqrt as exact_root
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from solvent.domain.units import INT64_MAX, INT64_MIN
from solvent.engine.units import divide_up
from solvent.kernels.division import divide_words
from solvent.kernels.language import (
    bit,
    isqrt,
    kernel,
    leading_zeros,
    narrow,
    shift_left,
    shift_right,
    unsigned_divide,
    unsigned_less,
    unsigned_remainder,
    wide,
    wrapping_add,
    wrapping_mul,
    wrapping_sub,
)
from solvent.kernels.machine import Machine, compile_kernels
from solvent.kernels.rows import EngineFault, Memory
from tests.kernels.extremes import HALF, WORD, Exact, edges, last_line, outcome, pairs
from tests.sizes import sized

Row = npt.NDArray[np.int64]

CASES = sized(quick=500_000, usual=2_000_000, full=10_000_000)
CHUNK = 500_000
EXTREME_PERCENT = 10
MISFIT = -1
LARGEST_ROOT = 3_037_000_499


# Products divided: what every amount of money goes through.


@kernel
def floors(numbers: Memory, found: Memory, count: int) -> None:
    for case in range(count):
        row = numbers.at(3 * case)
        quotient = wide(row[0]) * row[1] // row[2]
        found[case] = narrow(quotient) if quotient <= INT64_MAX else MISFIT


@kernel
def ceilings(numbers: Memory, found: Memory, count: int) -> None:
    for case in range(count):
        row = numbers.at(3 * case)
        quotient = divide_up(wide(row[0]) * row[1], row[2])
        found[case] = narrow(quotient) if quotient <= INT64_MAX else MISFIT


@kernel
def floors_up_where_exact(numbers: Memory, found: Memory, count: int) -> None:
    for case in range(count):
        row = numbers.at(3 * case)
        quotient = (wide(row[0]) * row[1] + row[2]) // row[2]
        if wide(row[0]) * row[1] % row[2]:
            quotient -= 1
        found[case] = narrow(quotient) if quotient <= INT64_MAX else MISFIT


DIVISIONS = (floors, ceilings, floors_up_where_exact)


@cache
def dividing(native: bool | None) -> Machine:
    """The kernels with the processor's own division where it has one (None), or the portable."""
    return compile_kernels(DIVISIONS, native_division=native)


def answers(machine: Machine, name: str, cases: Row) -> Row:
    """What a kernel gives for rows of factor, factor, divisor."""
    found = np.zeros(len(cases), dtype=np.int64)
    machine.call(name, cases.ctypes.data, found.ctypes.data, len(cases))
    return found


def expected_answers(cases: Row) -> dict[str, Row]:
    """What Python's integers give for them."""
    left, right, divisor = (column.astype(object) for column in cases.T)
    products = left * right
    quotients = {"floors": products // divisor, "ceilings": -(-products // divisor)}
    return {
        name: np.where(exact > INT64_MAX, MISFIT, exact).astype(np.int64)
        for name, exact in quotients.items()
    }


def cases_of(rng: np.random.Generator, count: int) -> Row:
    """Rows of two factors (>= 0) and a divisor (> 0): of any length, and at the edges."""
    numbers = rng.integers(0, INT64_MAX, (count, 3), endpoint=True)
    numbers >>= rng.integers(0, 63, (count, 3))
    extremes = np.array([number for number in edges(64) if number >= 0])
    places = rng.permutation(count)[: count * EXTREME_PERCENT // 100]
    chosen, beside_63, beside_64, beside_126, beside_result = np.array_split(places, 5)
    numbers[chosen] = rng.choice(extremes, (len(chosen), 3))
    for places, bits in ((beside_63, 63), (beside_64, 64)):
        # Beside 2^63 or 2^64, with a factor large enough for the other one to be a column.
        factors = numbers[places, 0].astype(np.uint64) | np.uint64(2)
        numbers[places, 0] = factors
        whole = np.uint64((1 << bits) - 1) // factors
        numbers[places, 1] = whole.astype(np.int64) + rng.integers(0, 2, len(places))
    numbers[beside_126, :2] = INT64_MAX - rng.integers(0, 3, (len(beside_126), 2))
    numbers[beside_result, 1] = INT64_MAX - rng.integers(0, 3, len(beside_result))
    numbers[beside_result, 2] = numbers[beside_result, 0] + rng.integers(0, 3, len(beside_result))
    np.clip(numbers[:, 2], 1, INT64_MAX, out=numbers[:, 2])
    return np.ascontiguousarray(np.clip(numbers, 0, INT64_MAX))


def test_products_divided_are_those_of_pythons_integers() -> None:
    rng = np.random.default_rng(1)
    for _ in range(CASES // CHUNK):
        cases = cases_of(rng, CHUNK)
        expected = expected_answers(cases)
        for name, exact in expected.items():
            assert 0 < np.count_nonzero(exact == MISFIT) < CHUNK // 2
            for native in (None, False):
                found = answers(dividing(native), name, cases)
                wrong = np.flatnonzero(found != exact)
                assert not len(wrong), (name, native, cases[wrong[0]], found[wrong[0]])


@pytest.mark.parametrize("native", [None, False])
@pytest.mark.parametrize(
    ("name", "meant"),
    [("floors", "ceilings"), ("ceilings", "floors"), ("floors_up_where_exact", "floors")],
)
def test_the_same_comparison_sees_a_rounding_turned_around(
    name: str, meant: str, native: bool | None
) -> None:
    cases = cases_of(np.random.default_rng(2), 1000)
    assert (answers(dividing(native), name, cases) != expected_answers(cases)[meant]).any()


# Words.


@kernel
def root(value: int) -> int:
    return isqrt(value)


@kernel
def wrong_roots(first: int, count: int, step: int, error: int) -> int:
    wrong = 0
    for number in range(count):
        expected = first + number * step
        square = expected * expected
        before = isqrt(square - 1) == expected - 1
        after = isqrt(min(square + expected, INT64_MAX - expected) + expected) == expected
        wrong += not (before and isqrt(square) + error == expected and after)
    return wrong


@kernel
def added(left: int, right: int) -> int:
    return wrapping_add(left, right)


@kernel
def subtracted(left: int, right: int) -> int:
    return wrapping_sub(left, right)


@kernel
def multiplied(left: int, right: int) -> int:
    return wrapping_mul(left, right)


@kernel
def divided(left: int, right: int) -> int:
    return unsigned_divide(left, right)


@kernel
def left_over(left: int, right: int) -> int:
    return unsigned_remainder(left, right)


@kernel
def is_less(left: int, right: int) -> bool:
    return unsigned_less(left, right)


@kernel
def moved_left(left: int, right: int) -> int:
    return shift_left(left, right)


@kernel
def moved_right(left: int, right: int) -> int:
    return shift_right(left, right)


@kernel
def one_bit(_left: int, right: int) -> int:
    return bit(right)


@kernel
def zeros_before(left: int, _right: int) -> int:
    return leading_zeros(left)


def unsigned(word: int) -> int:
    """A word read as unsigned."""
    return word if word >= 0 else word + WORD


def signed(number: int) -> int:
    """The lowest 64 bits of a number, read as signed."""
    return (number + HALF) % WORD - HALF


WORDS: dict[Callable[[int, int], int], Exact] = {
    added: lambda left, right: signed(left + right),
    subtracted: lambda left, right: signed(left - right),
    multiplied: lambda left, right: signed(left * right),
    divided: lambda left, right: signed(unsigned(left) // unsigned(right)) if right else None,
    left_over: lambda left, right: signed(unsigned(left) % right) if right > 0 else None,
    is_less: lambda left, right: int(unsigned(left) < unsigned(right)),
    moved_left: lambda left, right: signed(left << right) if 0 <= right < 64 else None,
    moved_right: lambda left, right: signed(unsigned(left) >> right) if 0 <= right < 64 else None,
    one_bit: lambda _left, right: signed(1 << right) if 0 <= right < 64 else None,
    zeros_before: lambda left, _right: 64 - unsigned(left).bit_length(),
}


@cache
def reckoning() -> Machine:
    """The words of unsigned numbers and of roots, and division in the portable way."""
    return compile_kernels((root, wrong_roots, divide_words, *WORDS), native_division=False)


@pytest.mark.parametrize("function", WORDS, ids=lambda function: str(function.__name__))
def test_a_word_of_unsigned_numbers_is_exact_or_stops(function: Callable[[int, int], int]) -> None:
    stop = last_line(function)
    for left, right in [*pairs(Random(2), (64, 64)), *product(edges(64), range(-2, 67))]:
        expected = WORDS[function](left, right)
        found = outcome(partial(reckoning().call, function.__name__, left, right))
        plain = outcome(partial(function, left, right))
        if expected is None:
            assert found == stop
            assert isinstance(plain, str)
        else:
            assert found == plain == expected


def test_roots_beside_every_kind_of_square() -> None:
    lowest = 1 << 21
    assert reckoning().call("wrong_roots", 1, lowest, 1, 0) == 0
    assert reckoning().call("wrong_roots", lowest, (LARGEST_ROOT - lowest) // 997, 997, 0) == 0
    assert reckoning().call("wrong_roots", LARGEST_ROOT - lowest, lowest + 1, 1, 0) == 0
    for number in (*(edge for edge in edges(64) if edge >= 0), LARGEST_ROOT**2, INT64_MAX):
        assert reckoning().call("root", number) == root(number) == exact_root(number)


def test_wrong_roots_are_counted() -> None:
    assert reckoning().call("wrong_roots", 1, 5, 1, 1) == wrong_roots(1, 5, 1, 1) == 5


def test_no_root_of_a_negative_number() -> None:
    for number in (-1, INT64_MIN):
        assert outcome(partial(reckoning().call, "root", number)) == last_line(root)
        with pytest.raises(EngineFault):
            root(number)


def test_two_words_are_divided_by_one() -> None:
    rng = Random(3)
    divisors = [*(unsigned(edge) for edge in edges(64) if edge), WORD - 1]
    divisors += [rng.randrange(1, 1 << rng.randrange(1, 65)) for _ in range(300)]
    for divisor in divisors:
        highs = {0, divisor - 1, divisor // 2, rng.randrange(divisor), rng.randrange(divisor)}
        for high, low in product(highs, (0, 1, HALF, WORD - 1, rng.randrange(WORD))):
            expected = signed((high * WORD + low) // divisor)
            words = signed(high), signed(low), signed(divisor)
            assert divide_words(*words) == expected
            assert reckoning().call("divide_words", *words) == expected
