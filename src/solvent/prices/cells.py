"""How one cell of a price file becomes an integer, exactly, or an error that says what to do.

- A price becomes an integer of 10^-10 USDC per whole token. Text must fit exactly: more than 10
  decimals are refused. A binary float is taken as the shortest text that reads back as the same
  float (1848.12, not 1848.1199999999998909) and rounded to 10 decimals, half to even.
- A time becomes an integer of microseconds UTC. ISO 8601 text, digits of a calendar date with or
  without a time of day (20251010211000), and whole seconds, milliseconds, microseconds or
  nanoseconds since 1970 are understood. A time without a zone is UTC, another zone is converted,
  and what is finer than a microsecond is cut off.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Literal

from solvent.domain.units import (
    INT64_MAX,
    PRICE_DECIMALS,
    DecimalTextError,
    format_decimal,
    parse_decimal,
)

TimeUnit = Literal["s", "ms", "us", "ns"]

UNITS_PER_SECOND: dict[TimeUnit, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
FIRST_CLEAR_SECOND = 10**9  # 9 Sep 2001: whole numbers below it could be rows or other units
LAST_CLEAR_SECOND = 4_102_444_800  # 2100: above it digits of a date would pass for a far future
CALENDAR_FORMS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}
"""What so many digits say where they are no time since 1970."""

END_OF_TIME = 253_402_300_800 * 10**6  # the year 10000, past what a datetime can hold
MAX_PRICE_TEXT = format_decimal(INT64_MAX, PRICE_DECIMALS)
EXPONENT_NOTATION = re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+")
NO_NUMBER = frozenset({"nan", "inf", "infinity", "null", "none", "na", "n/a"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDE = Context(prec=80)


def parse_price(text: str | None) -> int:
    """The price that `text` states exactly. ValueError, saying what to do, on anything else."""
    cell = _number_text(text)
    if EXPONENT_NOTATION.fullmatch(cell):
        raise ValueError(f"{cell!r} is in exponent notation; write the number out in digits")
    try:
        price = parse_decimal(cell, PRICE_DECIMALS, signed=True)
    except DecimalTextError as error:
        raise ValueError(f"{error}; a price is at most {MAX_PRICE_TEXT} USDC") from None
    return _positive(price, cell)


def round_price(text: str | None) -> int:
    """The price nearest to the shortest text of a float, half to even. ValueError as above."""
    cell = _number_text(text)
    units = Decimal(cell).scaleb(PRICE_DECIMALS, _WIDE)
    if units > INT64_MAX:
        raise ValueError(f"{cell} is too large; a price is at most {MAX_PRICE_TEXT} USDC")
    return _positive(int(units.to_integral_value(ROUND_HALF_EVEN, _WIDE)), cell)


def _number_text(text: str | None) -> str:
    if not text:
        raise ValueError("the price is empty; fill it in, or leave the row out")
    if text.lower().lstrip("+-") in NO_NUMBER:
        raise ValueError(f"{text} is no price; fill it in, or leave the row out")
    return text


def _positive(price: int, text: str) -> int:
    if price <= 0:
        least = format_decimal(1, PRICE_DECIMALS)
        raise ValueError(f"{text} is not above zero; a price is at least {least} USDC")
    return price


def whole_time(text: str, told: TimeUnit | None, seen: TimeUnit | None) -> tuple[int, TimeUnit]:
    """Microseconds UTC of a time written in digits, and the unit they were taken for.

    `told` is the unit of times since 1970; without it their size says it, and digits of a calendar
    date are read as one. ValueError where the size does not settle it, or rows above were in
    another unit (`seen`).
    """
    if told is not None:
        return epoch_time(int(text), told), told
    if len(text) in CALENDAR_FORMS:
        return _calendar_time(text), seen or "us"
    unit = infer_unit(int(text), seen)
    return epoch_time(int(text), unit), unit


def _calendar_time(text: str) -> int:
    try:
        moment = datetime.strptime(text, CALENDAR_FORMS[len(text)]).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(_unclear(text)) from None
    return epoch_time((moment - _EPOCH) // timedelta(microseconds=1), "us")


def infer_unit(number: int, seen: TimeUnit | None) -> TimeUnit:
    """The unit of a whole-number time since 1970, from its size.

    ValueError where the size does not settle it, or rows above were in another unit (`seen`).
    """
    for unit, scale in UNITS_PER_SECOND.items():
        if FIRST_CLEAR_SECOND * scale <= number < LAST_CLEAR_SECOND * scale:
            if seen not in (None, unit):
                raise ValueError(f"{number} looks like {unit}, the times above it like {seen}")
            return unit
    raise ValueError(_unclear(str(number)))


def _unclear(text: str) -> str:
    return f"{text} could be any unit; write ISO times, or say the unit with `time_unit`"


def epoch_time(number: int, unit: TimeUnit) -> int:
    """Microseconds UTC of `number` units since 1970. ValueError outside 1970 to 9999."""
    time = number * 10**6 // UNITS_PER_SECOND[unit]
    if not 0 <= time < END_OF_TIME:
        raise ValueError(f"{number} {unit} is before 1970 or after the year 9999")
    return time


def parse_time(text: str | None) -> int:
    """Microseconds UTC of an ISO 8601 text. ValueError where it is none, or before 1970."""
    if not text:
        raise ValueError("the time is empty; fill it in, or leave the row out")
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        example = "2025-10-10T21:20:00Z"
        raise ValueError(f"{text!r} is no time; write it like {example}") from None
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return epoch_time((utc - _EPOCH) // timedelta(microseconds=1), "us")
