"""How one cell of a price file becomes an integer, exactly, or an error that says what to do.

- A price becomes an integer of 10^-10 USDC per whole token. Text must fit exactly: more than 10
  decimals are refused. A binary float is taken as the shortest text that reads back as the same
  float (1848.12, not 1848.1199999999998909) and rounded to 10 decimals, half to even.
- A time becomes an integer of microseconds UTC. ISO 8601 text and whole seconds, milliseconds or
  microseconds since 1970 are understood. A time without a zone is UTC, another zone is converted,
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

TimeUnit = Literal["s", "ms", "us"]

MICROSECONDS_PER_UNIT: dict[TimeUnit, int] = {"s": 10**6, "ms": 10**3, "us": 1}
FIRST_CLEAR_SECOND = 10**9  # 9 Sep 2001: whole numbers below it could be dates, rows or other units
EPOCH_UNIT_SPAN = 100  # each unit is taken from FIRST_CLEAR_SECOND to the year 5138
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


def infer_unit(number: int, seen: TimeUnit | None) -> TimeUnit:
    """The unit of a whole-number time, from its size.

    ValueError where the size does not settle it, or rows above were in another unit (`seen`).
    """
    for unit, scale in MICROSECONDS_PER_UNIT.items():
        least = FIRST_CLEAR_SECOND * 10**6 // scale
        if least <= number < least * EPOCH_UNIT_SPAN:
            if seen not in (None, unit):
                raise ValueError(f"{number} looks like {unit}, the times above it like {seen}")
            return unit
    raise ValueError(f"{number} could be any unit; write ISO times, or pass time_unit")


def epoch_time(number: int, unit: TimeUnit) -> int:
    """Microseconds UTC of `number` units since 1970. ValueError outside 1970 to 9999."""
    time = number * MICROSECONDS_PER_UNIT[unit]
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
