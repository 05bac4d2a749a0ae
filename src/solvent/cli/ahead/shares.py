"""Shares by asset, as they are written on a command line: SOL=-0.3."""

from collections.abc import Sequence
from typing import NamedTuple

from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import RATIO_DECIMALS, DecimalTextError, parse_decimal

ALL = "all"


class Field(NamedTuple):
    """Where words stand: the command, its field, and whether `all` may stand for every asset."""

    command: str
    name: str
    takes_all: bool = False


def shares_of(
    parameters: EngineParameters, words: Sequence[str], field: Field
) -> dict[int | str, int]:
    """Shares (10^-9) of words like SOL=-0.3, by the asset's number, or by `all`.

    InputError for a word that is none.
    """
    numbers: dict[str, int | str] = {
        about.symbol: number for number, about in enumerate(parameters.assets)
    }
    if field.takes_all:
        numbers[ALL] = ALL
    found: dict[int | str, int] = {}
    for word in words:
        symbol, mark, text = word.partition("=")
        if not mark or symbol not in numbers:
            reason = f"{word!r} is none of {', '.join(numbers)} with =SHARE, like -0.3"
            raise InputError(field.command, field.name, reason)
        try:
            found[numbers[symbol]] = parse_decimal(text, RATIO_DECIMALS, signed=True)
        except DecimalTextError as error:
            raise InputError(field.command, field.name, f"{word!r}: {error}") from None
    return found
