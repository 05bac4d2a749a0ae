"""Fixed-point units: every amount is an integer, and every rounding is in a function's name.

Theory of operation. Quantities are integers of an asset's smallest unit (atoms). A price is an
integer of 10^-10 USDC per whole token; a value is an integer of 10^-6 USDC, which is the atom of
USDC itself, so that a USDC quantity and its value are the same number. Ratios (weights, rates,
fees, utilization) are integers of 10^-9. Interest indices are integers of 10^-18.

Columns are 64 bits wide and intermediates 128: `mul_div_down` and `mul_div_up` refuse an operand or
a result that the columns could not hold, so an overflow is an error and never a wrap. Python's own
integers are unbounded; the checks keep this module equal to a fixed-width implementation.

Deliberately absent: floats, exponents, signs that were not asked for, and any notion of an account.
"""

from math import isqrt

PRICE_DECIMALS = 10
PRICE_SCALE: int = 10**PRICE_DECIMALS
VALUE_DECIMALS = 6
VALUE_SCALE: int = 10**VALUE_DECIMALS
FINE_DECIMALS = 12
FINE_SCALE: int = 10**FINE_DECIMALS
FINE_PER_VALUE: int = 10 ** (FINE_DECIMALS - VALUE_DECIMALS)
RATIO_DECIMALS = 9
RATIO: int = 10**RATIO_DECIMALS
INDEX_SCALE: int = 10**18
SQUARE_ROOT_SCALE: int = 10**3

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)
INT128_MAX = 2**127 - 1
MAX_DECIMALS = 12

SECOND: int = 10**6
HOUR = 3600 * SECOND
HOURS_PER_YEAR = 8760

_VALUE_DIVISORS: tuple[int, ...] = tuple(
    10 ** (decimals + PRICE_DECIMALS - VALUE_DECIMALS) for decimals in range(MAX_DECIMALS + 1)
)
_FINE_SHIFTS = range(
    PRICE_DECIMALS - FINE_DECIMALS, PRICE_DECIMALS - FINE_DECIMALS + MAX_DECIMALS + 1
)
_FINE_DIVISORS: tuple[int, ...] = tuple(10 ** max(0, shift) for shift in _FINE_SHIFTS)
_FINE_FACTORS: tuple[int, ...] = tuple(10 ** max(0, -shift) for shift in _FINE_SHIFTS)
_DIGITS = frozenset("0123456789")

INSTEAD_OF_A_FLOAT = (
    "floats are not exact, so write the number as text and let `amount`, `price`, `ratio` or "
    "`value` make the integer"
)
"""What to do, in every refusal of a float."""


def unfit(name: str, value: object) -> str | None:
    """Why `value` cannot be the number of the field `name`, and what to do; None if it can."""
    if isinstance(value, float):
        return f"{name}: {value!r} is a float: {INSTEAD_OF_A_FLOAT}"
    if not isinstance(value, int):
        return f"{name}: {value!r} is not an integer"
    fits = INT64_MIN <= value <= INT64_MAX
    return None if fits else f"{name}: {value!r} does not fit 64 bits"


class UnitsOverflowError(ArithmeticError):
    """A result does not fit its column. Nothing was written; the command cannot be carried out."""


class DecimalTextError(ValueError):
    """A text is not a plain decimal number. `str(error)` says which rule it breaks."""


def check_int64(value: int) -> int:
    """Return `value`, or raise UnitsOverflowError when a signed 64-bit column cannot hold it."""
    if not INT64_MIN <= value <= INT64_MAX:
        raise UnitsOverflowError(f"{value} does not fit 64 bits")
    return value


def check_int128(value: int) -> int:
    """Return `value`, or raise UnitsOverflowError when a 128-bit intermediate cannot hold it."""
    if not -INT128_MAX <= value <= INT128_MAX:
        raise UnitsOverflowError(f"{value} does not fit 128 bits")
    return value


def _product(left: int, right: int) -> int:
    check_int64(left)
    check_int64(right)
    return left * right


def mul_div_down(left: int, right: int, divisor: int) -> int:
    """floor(left * right / divisor) for non-negative 64-bit operands and a positive divisor.

    Raises UnitsOverflowError when an operand or the result leaves 64 bits, and ValueError on a
    negative operand or a divisor below one: rounding toward zero and rounding down differ there.
    """
    if not (0 <= left <= INT64_MAX and 0 <= right <= INT64_MAX and 1 <= divisor <= INT64_MAX):
        _refuse_terms(left, right, divisor)
    quotient = left * right // divisor
    return quotient if quotient <= INT64_MAX else check_int64(quotient)


def mul_div_up(left: int, right: int, divisor: int) -> int:
    """ceil(left * right / divisor); operands and errors as in `mul_div_down`."""
    if not (0 <= left <= INT64_MAX and 0 <= right <= INT64_MAX and 1 <= divisor <= INT64_MAX):
        _refuse_terms(left, right, divisor)
    quotient = -(-left * right // divisor)
    return quotient if quotient <= INT64_MAX else check_int64(quotient)


def _refuse_terms(left: int, right: int, divisor: int) -> None:
    """Say which rule the terms of a mul_div break."""
    if left < 0 or right < 0 or divisor < 1:
        raise ValueError(f"mul_div needs non-negative terms, got {left} * {right} / {divisor}")
    for term in (left, right, divisor):
        check_int64(term)


def divide_up(numerator: int, divisor: int) -> int:
    """ceil(numerator / divisor) for any numerator and a positive divisor."""
    return -(-numerator // divisor)


def square_root_up(value: int) -> int:
    """The smallest integer whose square is at least `value` (value >= 0)."""
    root = isqrt(value)
    return root if root * root == value else root + 1


def value_down(quantity: int, price: int, decimals: int) -> int:
    """Value of `quantity` atoms at `price`, in 10^-6 USDC, rounded down."""
    return mul_div_down(quantity, price, value_divisor(decimals))


def value_up(quantity: int, price: int, decimals: int) -> int:
    """Value of `quantity` atoms at `price`, in 10^-6 USDC, rounded up."""
    return mul_div_up(quantity, price, value_divisor(decimals))


def quantity_down(value: int, price: int, decimals: int) -> int:
    """Most atoms worth at most `value` at `price` (> 0)."""
    return mul_div_down(value, value_divisor(decimals), price)


def quantity_up(value: int, price: int, decimals: int) -> int:
    """Fewest atoms worth at least `value` at `price` (> 0)."""
    return mul_div_up(value, value_divisor(decimals), price)


def cover(held: int, value: int, price: int, decimals: int) -> tuple[int, int]:
    """The fewest of `held` atoms that are worth `value`, and the value they count for.

    All of them, at what they are worth rounded down, when they do not reach; never an overflow.
    """
    worth = value_down(held, price, decimals)
    if worth < value:
        return held, worth
    return quantity_up(value, price, decimals), value


def payable(owed: int, value: int, price: int, decimals: int) -> int:
    """The most of `owed` atoms that `value` pays for at `price`; never an overflow."""
    if value_up(owed, price, decimals) <= value:
        return owed
    return quantity_down(value, price, decimals)


def value_divisor(decimals: int) -> int:
    """quantity * price / value_divisor(decimals) = value, for an asset with `decimals` decimals."""
    return _VALUE_DIVISORS[decimals]


def fine_down(quantity: int, price: int, decimals: int) -> int:
    """Value of `quantity` atoms at `price` in 10^-12 USDC, rounded down; 128 bits wide."""
    _check_factors(quantity, price)
    return quantity * price * _FINE_FACTORS[decimals] // _FINE_DIVISORS[decimals]


def fine_up(quantity: int, price: int, decimals: int) -> int:
    """Value of `quantity` atoms at `price` in 10^-12 USDC, rounded up; 128 bits wide."""
    _check_factors(quantity, price)
    return -(-quantity * price * _FINE_FACTORS[decimals] // _FINE_DIVISORS[decimals])


def _check_factors(quantity: int, price: int) -> None:
    """Both factors are non-negative and fit their columns."""
    if not (0 <= quantity <= INT64_MAX and 0 <= price <= INT64_MAX):
        check_int64(quantity)
        check_int64(price)
        raise ValueError(f"a value needs non-negative terms, got {quantity} * {price}")


def parse_decimal(text: str, decimals: int, *, signed: bool = False) -> int:
    """The integer that `text` stands for at `decimals` decimals, exactly.

    Accepts ASCII digits with at most one point that has a digit on each side. No sign (but a
    leading minus where `signed`), no exponent, no blank, no separator, no NaN, no infinity.
    Raises DecimalTextError, also for more decimals than fit and for numbers beyond 64 bits.
    """
    body = text[1:] if signed and text.startswith("-") else text
    whole, point, fraction = body.partition(".")
    if not whole or (point and not fraction):
        raise DecimalTextError(f"{text!r} is no plain decimal number, write it like 12.5")
    if not _DIGITS.issuperset(whole) or not _DIGITS.issuperset(fraction):
        raise DecimalTextError(f"{text!r} is no plain decimal number, use digits and one point")
    if len(whole) + len(fraction) > 2 * 19:
        raise DecimalTextError(f"{text!r} has too many digits")
    significant = fraction.rstrip("0")
    if len(significant) > decimals:
        raise DecimalTextError(f"{text!r} has more than {decimals} decimals")
    magnitude = int(whole) * int(10**decimals) + int(significant.ljust(decimals, "0") or "0")
    if magnitude > INT64_MAX:
        raise DecimalTextError(f"{text!r} is too large")
    return -magnitude if body is not text else magnitude


def format_decimal(number: int, decimals: int, *, trim: bool = True) -> str:
    """Decimal text of `number` units of 10^-decimals, exactly; `trim` drops trailing zeros."""
    sign = "-" if number < 0 else ""
    whole, fraction = divmod(abs(number), 10**decimals)
    digits = str(fraction).rjust(decimals, "0") if decimals else ""
    if trim:
        digits = digits.rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"
