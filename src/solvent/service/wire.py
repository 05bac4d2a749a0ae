"""Wire: numbers and times as the public API writes them.

A decimal is ASCII digits with at most one point that has a digit on each side: no sign, no
exponent, no blank, no separator. It becomes an integer of its unit without ever being a float, and
its length is bounded before any digit is looked at. Histories give times without a zone and mean
UTC; live objects give milliseconds.

Absent: names of assets and markets, booleans and enums, which `params` reads.
"""

from datetime import UTC, datetime, timedelta

from solvent.domain import units

WHOLE_DIGITS = 20
FRACTION_DIGITS = 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS_IN_MS = 1000


class WireError(ValueError):
    """A text is no number that can be taken. `str(error)` is one line."""


def parse_decimal(text: str, decimals: int, *, what: str) -> int:
    """The number that `text` stands for, in units of 10^-decimals, exactly.

    Zeros that end the fraction do not count as places. Raises WireError naming `what`.
    """
    whole, point, fraction = text.partition(".")
    is_plain = text.isascii() and whole.isdecimal() and (fraction.isdecimal() or not point)
    if not is_plain or len(whole) > WHOLE_DIGITS or len(fraction) > FRACTION_DIGITS:
        raise WireError(
            f"{what} must be a plain decimal like 12 or 0.5, with at most {WHOLE_DIGITS} digits "
            f"before the point and {FRACTION_DIGITS} after"
        )
    if len(fraction) <= decimals:
        number = int(whole + fraction.ljust(decimals, "0"))
        if number <= units.INT64_MAX:
            return number
    try:
        return units.parse_decimal(text, decimals)
    except units.DecimalTextError as error:
        raise WireError(f"{what}: {error}") from error


def format_decimal(number: int, decimals: int) -> str:
    """`number` units of 10^-decimals as a plain decimal without trailing zeros: "1", "0.5"."""
    return units.format_decimal(number, decimals)


def naive_time(microseconds: int) -> str:
    """A time as histories have it, UTC without saying so: "2025-01-21T06:34:54.691858"."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")


def spaced_time(microseconds: int) -> str:
    """A time as candles have it, whole seconds UTC without saying so: "2025-01-21 06:34:54"."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.replace(tzinfo=None).isoformat(" ", timespec="seconds")


def ms(microseconds: int) -> int:
    """Milliseconds, rounded down."""
    return microseconds // _MICROSECONDS_IN_MS
