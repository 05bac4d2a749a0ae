"""Division of two words by one, in the kernel language itself: for processors other than x86-64.

Knuth's algorithm D (The Art of Computer Programming, volume 2, 4.3.1) with digits of 32 bits: two
digits of the quotient, each guessed from the divisor's leading digit and corrected at most twice.
"""

from solvent.kernels.language import (
    kernel,
    leading_zeros,
    shift_left,
    shift_right,
    unsigned_divide,
    unsigned_less,
    wrapping_add,
    wrapping_mul,
    wrapping_sub,
)

_HALF = 32
_BASE = 1 << _HALF
_MASK = _BASE - 1
_WORD_BITS = 64


@kernel
def divide_words(high: int, low: int, divisor: int) -> int:
    """(high * 2^64 + low) / divisor, all unsigned; high must be below the divisor."""
    shift = leading_zeros(divisor)
    scaled = shift_left(divisor, shift)
    upper = shift_left(high, shift)
    if shift:
        upper = upper | shift_right(low, _WORD_BITS - shift)
    rest = shift_left(low, shift)
    first = _digit(upper, shift_right(rest, _HALF), scaled)
    middle = _less(upper, shift_right(rest, _HALF), first, scaled)
    second = _digit(middle, rest & _MASK, scaled)
    return wrapping_add(shift_left(first, _HALF), second)


@kernel
def _digit(upper: int, following: int, divisor: int) -> int:
    """One digit of the quotient of (upper, following) by the divisor."""
    leading = shift_right(divisor, _HALF)
    trailing = divisor & _MASK
    digit = unsigned_divide(upper, leading)
    rest = wrapping_sub(upper, wrapping_mul(digit, leading))
    while digit >= _BASE or unsigned_less(
        shift_left(rest, _HALF) | following, wrapping_mul(digit, trailing)
    ):
        digit -= 1
        rest = wrapping_add(rest, leading)
        if rest >= _BASE:
            break
    return digit


@kernel
def _less(upper: int, following: int, digit: int, divisor: int) -> int:
    """What is left of (upper, following) after the digit: it fits one word."""
    whole = wrapping_add(shift_left(upper, _HALF), following)
    return wrapping_sub(whole, wrapping_mul(digit, divisor))
