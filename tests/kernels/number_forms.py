"""Kernels that say every form of the language about numbers once, as in `forms`."""

from enum import IntEnum

from solvent.domain import units
from solvent.domain.units import INT64_MAX, INT64_MIN
from solvent.kernels.language import Huge, Wide, huge, kernel, narrow, thin, wide
from solvent.kernels.rows import Memory
from tests.kernels.forms import FREE

FACTOR = 7
SHADOWED = 3
LONG = 10**18 * 10
YES = True


class Colour(IntEnum):
    """Members that stand for numbers."""

    RED = 1
    BLUE = 4


class Scale:
    """A class whose number is a constant."""

    STEP = 5


@kernel
def operators(trace: Memory, a: int, b: int, c: int) -> int:
    trace[1] = a + b * c - -a
    trace[2] = (a - b) // (abs(c) + 1) + (a * b - c) % (b * b + 1)
    trace[3] = a & b | c ^ ~a
    trace[4] = (a * 1000) >> (c + 3)
    trace[5] = -(-a // FACTOR) * 2 - (a - b - c)
    return min(a, b, c) * 100 + max(a, b) + abs(c)


@kernel
def comparisons(_trace: Memory, a: int, b: int, c: int) -> int:
    result = 0
    result += a < b
    result = 2 * result + (a <= b)
    result = 2 * result + (a > b)
    result = 2 * result + (a >= b)
    result = 2 * result + (a == b)
    result = 2 * result + (a != b)
    return 2 * result + (a < b <= c != 0)


@kernel
def guarded_by_a_chain(_trace: Memory, a: int, b: int, c: int) -> bool:
    return 0 < b <= a // b + c


@kernel
def truth_of_numbers(_trace: Memory, a: int, b: int, c: int) -> int:
    result = 0
    if a:
        result += 1
    if not wide(b) * INT64_MAX:
        result += 2
    if huge(c) and a != b:
        result += 4
    return result if result else -1


@kernel
def ranges_at_the_ends_of_numbers(_trace: Memory, a: int, b: int, c: int) -> int:
    count = 0
    for i in range(INT64_MAX - 10 + a, INT64_MAX, 4):
        count += 1 + i % 2
    for i in range(INT64_MIN + 10 + b, INT64_MIN, -4):
        count += 10 + i % 2
    for _ in range(INT64_MAX - c * c, INT64_MAX):
        count += 100
    return count


@kernel
def augmented(trace: Memory, a: int, b: int, c: int) -> int:
    x = a
    x += b
    x -= c * 2
    x *= 3
    x //= 2
    x %= 17
    x &= 13
    x |= b
    x ^= c
    x >>= 1
    trace[FREE] = x
    trace[FREE] *= -2
    trace[FREE] //= 3
    return x


@kernel
def wide_numbers(trace: Memory, a: int, b: int, c: int) -> int:
    total: Wide = a
    total += wide(b) * INT64_MAX
    total = total * 3 - c
    second = -total + INT64_MIN * wide(a)
    trace[1] = narrow(total % FACTOR)
    trace[2] = narrow(total // 10**18)
    trace[3] = total < second
    trace[4] = narrow(max(total, a, second) // 2**32)
    trace[5] = narrow(min(b, abs(second)) // 2**32)
    trace[6] = b == total or second >= b
    very: Huge = huge(total) * second * LONG
    trace[7] = narrow(thin(very // LONG // 2**40) % 1000)
    return narrow(total // LONG)


@kernel
def truth_values_as_numbers(trace: Memory, a: int, b: int, c: int) -> int:
    flag = a < b
    trace[1] = flag
    trace[2] = flag + (b < c) - YES
    trace[3] = flag < (b < c)
    trace[4] = max(flag, b < c)
    trace[5] = flag == (b < c)
    trace[6] = -flag * 3
    number = a
    number = flag
    return number + (flag | (a == c)) + (flag & YES)


@kernel
def constants(_trace: Memory, a: int, b: int, c: int) -> int:
    SHADOWED = a  # noqa: N806  (a variable of the name of a constant)
    number = SHADOWED + Colour.BLUE + Scale.STEP * Colour.RED - units.INT64_MAX % 1000
    large = LONG - 10 * 10**18 + (1 << 70) // (2**70) - -FACTOR
    return number + narrow(large) + (b if YES else c) + ~FACTOR
