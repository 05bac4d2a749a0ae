"""Decimal text in and out: how people write amounts, prices, ratios and values.

`price`, `ratio` and `value` have the same unit everywhere. How many atoms an amount is depends on
the asset, so `Units` knows a market's assets, by symbol or by the number that events carry.

All are exact: a text with more decimals than the unit has is refused, never rounded, and so is
whatever is no text (a float has been rounded before it gets here). Errors are DecimalTextError and
name what was asked for. Text that comes out can be read in again, trailing zeros left out.

Deliberately absent: exponents, separators, percent signs, and signs on the way in.
"""

from solvent.domain.parameters import AssetParameters, EngineParameters
from solvent.domain.units import (
    INSTEAD_OF_A_FLOAT,
    PRICE_DECIMALS,
    RATIO_DECIMALS,
    VALUE_DECIMALS,
    DecimalTextError,
    format_decimal,
    parse_decimal,
)


def price(text: str) -> int:
    """USDC per whole token, `price("190.25")`, in 10^-10 USDC."""
    return _number("price", text, PRICE_DECIMALS)


def ratio(text: str) -> int:
    """A weight, rate, fee or leverage, `ratio("0.9")`, in 10^-9."""
    return _number("ratio", text, RATIO_DECIMALS)


def value(text: str) -> int:
    """USDC, `value("12.5")`, in 10^-6 USDC, which are also the atoms of USDC."""
    return _number("value", text, VALUE_DECIMALS)


def price_text(number: int) -> str:
    """A price in USDC per whole token, as text."""
    return _text("price", number, PRICE_DECIMALS)


def ratio_text(number: int) -> str:
    """A ratio, as text."""
    return _text("ratio", number, RATIO_DECIMALS)


def value_text(number: int) -> str:
    """A value in USDC, as text; it may be negative."""
    return _text("value", number, VALUE_DECIMALS)


class Units:
    """Amounts of a market's assets as text. An asset is named by its symbol or its number."""

    def __init__(self, parameters: EngineParameters) -> None:
        self._assets = parameters.assets
        self._numbers = {asset.symbol: number for number, asset in enumerate(parameters.assets)}

    def number(self, asset: str | int) -> int:
        """The asset's number, as commands want it. Raises LookupError where there is none."""
        found = self._numbers.get(asset) if isinstance(asset, str) else asset
        if isinstance(found, int) and 0 <= found < len(self._assets):
            return found
        raise LookupError(f"there is no asset {asset!r}, only {', '.join(self._numbers)}")

    def symbol(self, asset: str | int) -> str:
        """The asset's symbol. Raises LookupError where there is none."""
        return self._about(asset).symbol

    def amount(self, asset: str | int, text: str) -> int:
        """Atoms of an amount in whole tokens: `amount("SOL", "1.5")`."""
        about = self._about(asset)
        return _number(f"amount of {about.symbol}", text, about.decimals)

    def text(self, asset: str | int, atoms: int) -> str:
        """An amount of atoms in whole tokens, as text."""
        about = self._about(asset)
        return _text(f"amount of {about.symbol}", atoms, about.decimals)

    def _about(self, asset: str | int) -> AssetParameters:
        return self._assets[self.number(asset)]


def _number(name: str, text: object, decimals: int) -> int:
    if isinstance(text, float):
        raise DecimalTextError(f"{name}: {text!r} is a float: {INSTEAD_OF_A_FLOAT}")
    if not isinstance(text, str):
        raise DecimalTextError(f"{name}: {text!r} is no text: write it like '12.5'")
    try:
        return parse_decimal(text, decimals)
    except DecimalTextError as error:
        raise DecimalTextError(f"{name}: {error}") from None


def _text(name: str, number: object, decimals: int) -> str:
    if isinstance(number, float):
        raise DecimalTextError(f"{name}: {number!r} is a float: {INSTEAD_OF_A_FLOAT}")
    if not isinstance(number, int):
        raise DecimalTextError(f"{name}: {number!r} is no integer")
    return format_decimal(number, decimals)
