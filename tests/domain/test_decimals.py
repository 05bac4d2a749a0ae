"""Decimal text in and out: exact, and nothing but text and integers."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.decimals import (
    Units,
    price,
    price_text,
    ratio,
    ratio_text,
    value,
    value_text,
)
from solvent.domain.units import INT64_MAX, DecimalTextError
from tests.tables.market import plain_parameters

UNITS = Units(plain_parameters())
IN: dict[str, tuple[Callable[[str], int], int]] = {
    "price": (price, 10),
    "ratio": (ratio, 9),
    "value": (value, 6),
    "amount of USDC": (lambda text: UNITS.amount("USDC", text), 6),
    "amount of BTC": (lambda text: UNITS.amount("BTC", text), 8),
    "amount of SOL": (lambda text: UNITS.amount(2, text), 9),
}
OUT: dict[str, Callable[[int], str]] = {
    "price": price_text,
    "ratio": ratio_text,
    "value": value_text,
    "amount of USDC": lambda number: UNITS.text(0, number),
    "amount of BTC": lambda number: UNITS.text("BTC", number),
    "amount of SOL": lambda number: UNITS.text("SOL", number),
}


@pytest.mark.parametrize("name", IN)
@given(number=st.integers(0, INT64_MAX))
def test_what_goes_out_comes_in_again(name: str, number: int) -> None:
    assert IN[name][0](OUT[name](number)) == number


@pytest.mark.parametrize("name", IN)
def test_a_unit_is_the_last_decimal_and_no_more_are_taken(name: str) -> None:
    read, decimals = IN[name]
    assert read("1.5") == 15 * 10 ** (decimals - 1)
    least = "0." + "1".rjust(decimals, "0")
    assert read(least) == read(least + "0") == 1
    with pytest.raises(DecimalTextError, match=f"^{name}: .*more than {decimals} decimals"):
        read(least + "1")


@pytest.mark.parametrize("name", IN)
@pytest.mark.parametrize("text", ["", "1e3", "-1", "+1", "1,000", " 1", "nan", ".5", "5.", "90%"])
def test_what_is_no_plain_number_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(DecimalTextError, match=f"^{name}: "):
        IN[name][0](text)


@pytest.mark.parametrize("name", IN)
def test_a_float_is_refused_by_name_and_told_what_to_do(name: str) -> None:
    for function in (IN[name][0], OUT[name]):
        with pytest.raises(DecimalTextError, match=f"^{name}: 1.5 is a float: .*write the number"):
            function(1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", IN)
@pytest.mark.parametrize("thing", [1, Decimal("1.5"), None, b"1"])
def test_nothing_but_text_is_read(name: str, thing: str) -> None:
    with pytest.raises(DecimalTextError, match=f"^{name}: .* is no text"):
        IN[name][0](thing)


def test_nothing_but_integers_is_written() -> None:
    with pytest.raises(DecimalTextError, match=r"^price: '1' is no integer"):
        price_text("1")  # type: ignore[arg-type]


def test_values_may_be_negative_on_the_way_out() -> None:
    assert value_text(-1_500_000) == "-1.5"


def test_assets_go_by_symbol_or_number() -> None:
    assert [UNITS.number(each) for each in ("USDC", "BTC", 2)] == [0, 1, 2]
    assert [UNITS.symbol(each) for each in (0, "BTC", 2)] == ["USDC", "BTC", "SOL"]
    for wrong in ("DOGE", 3, -1, 1.0):
        with pytest.raises(LookupError, match=r"there is no asset .*, only USDC, BTC, SOL"):
            UNITS.number(wrong)  # type: ignore[arg-type]
