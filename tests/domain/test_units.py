"""Fixed point: exact at every boundary, rounded the way the name says, refused past 64 bits."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from solvent.domain import units as u
from tests.domain.strategies import positive, unsigned
from tests.proof import proves

TOP = u.INT64_MAX
decimals = st.integers(0, u.MAX_DECIMALS)


@proves("I4")
@given(unsigned, unsigned, positive)
@example(0, 0, 1)
@example(1, 1, TOP)
@example(TOP, TOP, TOP)
@example(TOP, 1, 1)
@example(TOP, 2, 2)
@example(TOP, 2, 3)
def test_mul_div_rounds_as_its_name_says(left: int, right: int, divisor: int) -> None:
    exact = Fraction(left * right, divisor)
    assume(ceil(exact) <= TOP)
    assert u.mul_div_down(left, right, divisor) == floor(exact)
    assert u.mul_div_up(left, right, divisor) == ceil(exact)


@pytest.mark.parametrize("mul_div", [u.mul_div_down, u.mul_div_up])
@pytest.mark.parametrize(
    ("left", "right", "divisor"),
    [(TOP, 2, 1), (TOP, TOP, 1), (TOP, TOP, TOP - 1), (TOP + 1, 1, 2), (1, TOP + 1, 2)],
)
def test_mul_div_refuses_what_does_not_fit(
    mul_div: Callable[[int, int, int], int], left: int, right: int, divisor: int
) -> None:
    with pytest.raises(u.UnitsOverflowError):
        mul_div(left, right, divisor)


def test_only_the_upper_rounding_overflows_where_only_it_does_not_fit() -> None:
    # (2^63 - 1)^2 / (2^63 - 1) fits; an odd bit more rounds up past the column.
    assert u.mul_div_down(TOP, 3, 3) == TOP
    left, right, divisor = 2**62 + 1, 2**62 - 1, 2**61
    assert u.mul_div_down(left, right, divisor) == 2**63 - 1
    with pytest.raises(u.UnitsOverflowError):
        u.mul_div_up(left + 1, right, divisor)


def test_a_divisor_beyond_the_column_is_refused() -> None:
    with pytest.raises(u.UnitsOverflowError):
        u.mul_div_down(1, 1, TOP + 1)


@pytest.mark.parametrize("mul_div", [u.mul_div_down, u.mul_div_up])
@pytest.mark.parametrize(
    ("left", "right", "divisor"), [(-1, 1, 1), (1, -1, 1), (1, 1, 0), (1, 1, -1)]
)
def test_mul_div_refuses_signs_and_zero(
    mul_div: Callable[[int, int, int], int], left: int, right: int, divisor: int
) -> None:
    with pytest.raises(ValueError, match="mul_div needs non-negative terms"):
        mul_div(left, right, divisor)


@pytest.mark.parametrize("value", [u.INT64_MIN, -1, 0, 1, TOP])
def test_a_column_holds(value: int) -> None:
    assert u.check_int64(value) == value


@pytest.mark.parametrize("value", [u.INT64_MIN - 1, TOP + 1, 2**127])
def test_a_column_does_not_hold(value: int) -> None:
    with pytest.raises(u.UnitsOverflowError, match="does not fit 64 bits"):
        u.check_int64(value)


def test_an_intermediate_holds_128_bits() -> None:
    for value in (u.INT128_MAX, -u.INT128_MAX, 0):
        assert u.check_int128(value) == value
    for value in (u.INT128_MAX + 1, -u.INT128_MAX - 1):
        with pytest.raises(u.UnitsOverflowError, match="does not fit 128 bits"):
            u.check_int128(value)


@given(st.integers(-(2**127), 2**127), positive)
@example(0, 1)
@example(-1, 2)
@example(1, 2)
def test_divide_up(numerator: int, divisor: int) -> None:
    assert u.divide_up(numerator, divisor) == ceil(Fraction(numerator, divisor))


@given(st.integers(0, 2**126))
@example(0)
@example(1)
@example(2)
@example(TOP)
@example((2**32) ** 2)
@example((2**32) ** 2 + 1)
def test_square_root_up(value: int) -> None:
    root = u.square_root_up(value)
    assert root * root >= value
    assert root == 0 or (root - 1) ** 2 < value


@given(unsigned, positive, decimals)
@example(1, 1, 0)
@example(1, TOP, 12)
@example(10**9, 190 * u.PRICE_SCALE, 9)
def test_value_and_quantity_round_for_and_against(quantity: int, price: int, places: int) -> None:
    exact = Fraction(quantity, 10**places) * Fraction(price, u.PRICE_SCALE) * u.VALUE_SCALE
    assume(ceil(exact) <= TOP)
    down, up = u.value_down(quantity, price, places), u.value_up(quantity, price, places)
    assert (down, up) == (floor(exact), ceil(exact))
    back = Fraction(up, u.VALUE_SCALE) / Fraction(price, u.PRICE_SCALE) * 10**places
    assume(ceil(back) <= TOP)
    assert u.quantity_down(up, price, places) == floor(back) >= quantity
    assert u.quantity_up(down, price, places) <= quantity


@given(unsigned, unsigned, decimals)
@example(0, 0, 0)
@example(1, 1, 12)
def test_fine_values(quantity: int, price: int, places: int) -> None:
    exact = Fraction(quantity, 10**places) * Fraction(price, u.PRICE_SCALE) * 10**12
    assume(abs(exact) < 2**126)
    assert u.fine_down(quantity, price, places) == floor(exact)
    assert u.fine_up(quantity, price, places) == ceil(exact)


def test_a_usdc_atom_is_a_unit_of_value() -> None:
    assert u.value_down(1, u.PRICE_SCALE, u.VALUE_DECIMALS) == 1
    assert u.quantity_up(1, u.PRICE_SCALE, u.VALUE_DECIMALS) == 1
    assert u.fine_down(1, u.PRICE_SCALE, u.VALUE_DECIMALS) == u.FINE_PER_VALUE


@given(unsigned, unsigned, positive, decimals)
@example(0, 0, 1, 0)
@example(TOP, TOP, 1, 12)
def test_cover_and_payable_never_overflow(held: int, value: int, price: int, places: int) -> None:
    whole = Fraction(held, 10**places) * Fraction(price, u.PRICE_SCALE) * u.VALUE_SCALE
    assume(ceil(whole) <= TOP)
    quantity, counted = u.cover(held, value, price, places)
    assert 0 <= quantity <= held
    assert 0 <= counted <= value
    if counted < value:
        assert (quantity, counted) == (held, floor(whole))
    paid = u.payable(held, value, price, places)
    assert 0 <= paid <= held
    assert u.value_down(paid, price, places) <= value
