"""Marks as events tell them, and exact values at them, for what sums up a run.

A value here is an integer of 10^-22 USDC: atoms times price, shifted by the asset's decimals, so
that nothing is ever rounded before the last line of a report.
"""

from collections.abc import Sequence

from solvent.domain.events import Event, IndexUpdated, MarkUpdated
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import MAX_DECIMALS, PRICE_DECIMALS, PRICE_SCALE, VALUE_DECIMALS
from solvent.domain.units import format_decimal as format_units

EXACT_DECIMALS = MAX_DECIMALS + PRICE_DECIMALS
"""Decimals of an exact value in USDC."""

_EXACT_PER_VALUE: int = 10 ** (EXACT_DECIMALS - VALUE_DECIMALS)


class Marks:
    """The marks in force; feed it every `IndexUpdated` and `MarkUpdated`."""

    def __init__(self, parameters: EngineParameters) -> None:
        self.symbols = [asset.symbol for asset in parameters.assets]
        self.decimals = [asset.decimals for asset in parameters.assets]
        self._marks = [0 for _ in parameters.assets]
        self._marks[0] = PRICE_SCALE

    def begin(self, marks: Sequence[int]) -> None:
        """Take the marks that are in force before the first event."""
        self._marks = list(marks)

    def update(self, event: Event) -> None:
        """Take the new mark of an asset."""
        assert isinstance(event, IndexUpdated | MarkUpdated)
        self._marks[event.asset] = event.mark

    def mark(self, asset: int) -> int:
        """Mark of `asset`, 10^-10 USDC per whole token."""
        return self._marks[asset]

    def exact(self, asset: int, quantity: int) -> int:
        """Value of `quantity` atoms in 10^-22 USDC."""
        return int(quantity * self._marks[asset] * 10 ** (MAX_DECIMALS - self.decimals[asset]))

    def value(self, asset: int, quantity: int) -> int:
        """Value of `quantity` atoms in 10^-6 USDC, rounded down."""
        return self.exact(asset, quantity) // _EXACT_PER_VALUE


def value_text(exact: int) -> str:
    """An exact value as USDC text, rounded to 10^-6 half up."""
    rounded = (2 * exact + _EXACT_PER_VALUE) // (2 * _EXACT_PER_VALUE)
    return format_units(rounded, VALUE_DECIMALS)


def exact_text(exact: int) -> str:
    """An exact value as USDC text with all its digits."""
    return format_units(exact, EXACT_DECIMALS)


def value_number(exact: int) -> float:
    """An exact value in USDC as a float, to draw with."""
    return float(exact / 10**EXACT_DECIMALS)
