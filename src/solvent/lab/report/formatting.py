"""Figures to be read: thousands separators, fixed places, percentages, UTC times, plain words.

Money arrives as decimal text and leaves as decimal text; it is rounded here for the eye, half to
even, and nowhere is a rounded figure used again.

Deliberately absent: locales, abbreviated numbers (12k), and colours.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

MONEY_PLACES = 2
PERCENT_PLACES = 1
ABSENT = "–"

STAGE_TITLES = {
    "book": "Order book",
    "backstop": "Backstop providers",
    "adl_opposites": "ADL, opposites",
    "adl_stuck_lender": "ADL, stuck lender",
    "adl_borrower_default": "ADL, borrower default",
    "deficit": "Deficit",
}
"""The stages of the waterfall in order, by the key that figures give them."""

_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)

Number = str | int | float | Decimal


def number(value: Number, places: int | None = None) -> str:
    """`value` with thousands separators; `places` decimals, or those it has."""
    exact = Decimal(str(value))
    if places is not None:
        exact = exact.quantize(Decimal(1).scaleb(-places), context=_WIDE)
    if exact == 0:
        exact = abs(exact)
    return f"{exact:,f}".replace("-", "−")


def money(value: Number) -> str:
    """`value` in USDC, to the cent."""
    return number(value, MONEY_PLACES)


def trimmed(value: Number, places: int | None = None) -> str:
    """`value` with thousands separators, at most `places` decimals and no zeros at its end."""
    text = number(value, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: Number | None, places: int = PERCENT_PLACES) -> str:
    """A ratio as a percentage: 0.8312 is 83.1 %. A ratio of nothing is a dash."""
    if value is None:
        return ABSENT
    return f"{number(Decimal(str(value)) * 100, places)} %"


def words(label: str) -> str:
    """A label as plain words: NO_REDEEMABLE_CASH is "no redeemable cash"."""
    return label.lower().replace("_", " ")


def reasons(counts: dict[str, int]) -> str:
    """Why stages handed over, the most frequent first: "price gap (3), below lot (1)"."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{words(reason)} ({number(count)})" for reason, count in ordered) or ABSENT


def moment(text: str) -> datetime:
    """The time that ISO 8601 `text` stands for, in UTC; without a zone it is UTC already."""
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def utc(text: str) -> str:
    """ISO 8601 `text` as "10 Oct 2025 21:20 UTC", with seconds where there are any."""
    when = moment(text)
    clock = "%H:%M:%S" if when.second else "%H:%M"
    return f"{when.day} {when:%b %Y} {when:{clock}} UTC"
