"""Decimal text: plain ASCII numbers in, the same numbers out, nothing else."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from solvent.domain.units import (
    INT64_MAX,
    INT64_MIN,
    DecimalTextError,
    format_decimal,
    parse_decimal,
)

ACCEPTED = [
    ("0", 6, 0),
    ("00", 6, 0),
    ("007", 0, 7),
    ("1", 0, 1),
    ("1", 6, 1_000_000),
    ("1.5", 6, 1_500_000),
    ("0.000001", 6, 1),
    ("1.50", 1, 15),                                # zeros past the decimals stand for nothing
    ("1.000000000", 0, 1),
    ("9223372036854775807", 0, INT64_MAX),
    ("9223372036854.775807", 6, INT64_MAX),
]  # fmt: skip

REFUSED = [
    "", " ", ".", "-", "+1", "1.", ".5", "1..5", "1.5.0", " 1", "1 ", "1 000", "1,000", "1_000",
    "1e3", "1E3", "1e-3", "0x10", "NaN", "nan", "inf", "Infinity", "-1", "--1", "1-",
    "٣", "１２", "²",
    "1.５", "1\n", "\t1", "1/2", "$1", "1USDC", "0.0000001", "1.0000001",
    "9223372036854.775808", "99999999999999999999", "1" + "0" * 60, "0." + "0" * 60,
]  # fmt: skip


@pytest.mark.parametrize(("text", "decimals", "number"), ACCEPTED)
def test_accepted(text: str, decimals: int, number: int) -> None:
    assert parse_decimal(text, decimals) == number


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(DecimalTextError) as caught:
        parse_decimal(text, 6)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(("text", "number"), [("-1", -10), ("-0.5", -5), ("0.5", 5), ("-0", 0)])
def test_a_minus_only_where_signed(text: str, number: int) -> None:
    assert parse_decimal(text, 1, signed=True) == number


@pytest.mark.parametrize("text", ["--1", "-", "-.5", "- 1", "+1", "−1"])
def test_signed_is_no_wild_card(text: str) -> None:
    with pytest.raises(DecimalTextError):
        parse_decimal(text, 1, signed=True)


@pytest.mark.parametrize(
    ("number", "decimals", "trimmed", "full"),
    [
        (0, 0, "0", "0"),
        (0, 6, "0", "0.000000"),
        (1, 6, "0.000001", "0.000001"),
        (1_500_000, 6, "1.5", "1.500000"),
        (-1_500_000, 6, "-1.5", "-1.500000"),
        (-1, 2, "-0.01", "-0.01"),
        (100, 0, "100", "100"),
        (INT64_MAX, 6, "9223372036854.775807", "9223372036854.775807"),
    ],
)
def test_format(number: int, decimals: int, trimmed: str, full: str) -> None:
    assert format_decimal(number, decimals) == trimmed
    assert format_decimal(number, decimals, trim=False) == full


@given(st.integers(-INT64_MAX, INT64_MAX), st.integers(0, 12), st.booleans())
@example(INT64_MAX, 12, True)
@example(INT64_MIN + 1, 0, False)
@example(0, 12, False)
def test_round_trip(number: int, decimals: int, trim: bool) -> None:
    text = format_decimal(number, decimals, trim=trim)
    assert parse_decimal(text, decimals, signed=True) == number


@given(st.text(max_size=12))
@example("1\u0660")
@example("1\u00a0000")
def test_nothing_but_digits_and_one_point_is_read(text: str) -> None:
    try:
        number = parse_decimal(text, 6)
    except DecimalTextError:
        return
    assert set(text) <= set("0123456789.")
    assert 0 <= number <= INT64_MAX
