"""Numbers and times on the wire: one form each, exact, and nothing that only looks like it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.units import INT64_MAX, MAX_DECIMALS
from solvent.service.wire import (
    FRACTION_DIGITS,
    WHOLE_DIGITS,
    WireError,
    format_decimal,
    ms,
    naive_time,
    parse_decimal,
)

TAKEN = [
    ("0", 6, 0),
    ("0.0", 6, 0),
    ("1", 0, 1),
    ("1", 6, 1_000_000),
    ("0.5", 9, 500_000_000),
    ("12.345678", 6, 12_345_678),
    ("0.000000001", 9, 1),
    ("007.50", 2, 750),
    ("1." + "0" * FRACTION_DIGITS, 0, 1),
    ("0" * (WHOLE_DIGITS - 1) + "1", 3, 1_000),
    ("9223372036854775807", 0, INT64_MAX),
    ("9.223372036854775807", 18, INT64_MAX),
]

REFUSED = [
    *["", " ", ".", "1.", ".5", "1.2.3", "-", "--1"],
    *["-1", "+1", "-0", " 1", "1 ", "1\n", "1\t", "\n1", "1 000", "1,5", "1_000", "1'000"],
    *["1e3", "1E+3000000", "1e-3", "0x10", "0b1", "1f", "NaN", "nan", "Infinity", "inf", "null"],
    *["１２", "1．5", "٣", "१", "²", "½", "Ⅷ", "1\u200b", "\ufeff1", "1\x00", "\ud800"],
    "0" * WHOLE_DIGITS + "1",
    "1." + "0" * (FRACTION_DIGITS + 1),
    "9" * 100_000,
    "9223372036854775808",
    "0.0000001",
]


@pytest.mark.parametrize(("text", "decimals", "number"), TAKEN)
def test_a_plain_decimal_is_taken_exactly(text: str, decimals: int, number: int) -> None:
    assert parse_decimal(text, decimals, what="quantity") == number


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:24]))
def test_what_is_no_plain_decimal_is_refused_by_name(text: str) -> None:
    with pytest.raises(WireError) as caught:
        parse_decimal(text, 6, what="quantity")
    message = str(caught.value)
    assert message.startswith("quantity")
    assert "\n" not in message
    assert len(message) < 160


@pytest.mark.parametrize("decimals", [0, 6, 9])
def test_a_place_more_than_the_unit_has_is_refused(decimals: int) -> None:
    most = "1." + "0" * (decimals - 1) + "1" if decimals else "1"
    assert parse_decimal(most, decimals, what="price") == 10**decimals + bool(decimals)
    more = "1." + "0" * decimals + "1"
    with pytest.raises(WireError, match=f"price: .*more than {decimals} decimals"):
        parse_decimal(more, decimals, what="price")


@pytest.mark.parametrize("decimals", range(MAX_DECIMALS + 1))
def test_the_largest_number_is_the_last_that_is_taken(decimals: int) -> None:
    text = format_decimal(INT64_MAX, decimals)
    assert parse_decimal(text, decimals, what="x") == INT64_MAX
    with pytest.raises(WireError, match="too large"):
        parse_decimal(format_decimal(INT64_MAX + 1, decimals), decimals, what="x")


@given(st.integers(0, INT64_MAX), st.integers(0, MAX_DECIMALS))
def test_what_is_written_reads_back(number: int, decimals: int) -> None:
    text = format_decimal(number, decimals)
    assert parse_decimal(text, decimals, what="x") == number
    assert "e" not in text.lower()
    assert not text.endswith(".")
    assert "." not in text or not text.endswith("0")


@given(st.text(max_size=24), st.integers(0, MAX_DECIMALS))
def test_any_text_is_a_number_or_refused(text: str, decimals: int) -> None:
    try:
        number = parse_decimal(text, decimals, what="x")
    except WireError:
        return
    assert set(text) <= set("0123456789.")
    whole, _, fraction = text.partition(".")
    assert number * 10**FRACTION_DIGITS == int(whole + fraction.ljust(FRACTION_DIGITS, "0")) * (
        10**decimals
    )


@pytest.mark.parametrize(
    ("number", "decimals", "text"),
    [
        (0, 0, "0"),
        (0, 9, "0"),
        (1, 0, "1"),
        (1, 9, "0.000000001"),
        (1_000_000, 6, "1"),
        (500_000, 6, "0.5"),
        (-500_000, 6, "-0.5"),
        (-1, 6, "-0.000001"),
        (120, 0, "120"),
        (INT64_MAX, 10, "922337203.6854775807"),
    ],
)
def test_trailing_zeros_are_cut(number: int, decimals: int, text: str) -> None:
    assert format_decimal(number, decimals) == text


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (1_737_441_294_691_858, "2025-01-21T06:34:54.691858"),
        (1_737_441_294_000_000, "2025-01-21T06:34:54.000000"),
        (1_737_441_294_000_001, "2025-01-21T06:34:54.000001"),
        (0, "1970-01-01T00:00:00.000000"),
    ],
)
def test_times_of_histories_have_no_zone(microseconds: int, text: str) -> None:
    assert naive_time(microseconds) == text


@given(st.integers(0, 10**16), st.integers(0, 10**16))
def test_times_sort_as_texts_and_lose_nothing(one: int, other: int) -> None:
    assert (naive_time(one) < naive_time(other)) == (one < other)
    since = datetime.fromisoformat(naive_time(one)) - datetime.fromisoformat(naive_time(0))
    assert since // timedelta(microseconds=1) == one


def test_milliseconds_round_down() -> None:
    assert [ms(number) for number in (0, 999, 1000, 1999)] == [0, 0, 1, 1]
