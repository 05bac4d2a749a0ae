"""Params: what a request says, taken out by name and type, with the published error otherwise.

Query parameters are texts, body fields JSON values; both are asked for in the same way. A field
that nobody asked for was refused before (`Endpoint.fields`).
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import PRICE_DECIMALS, RATIO_DECIMALS
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.strict_json import JsonValue
from solvent.service.wire import WireError, parse_decimal

BAD_REQUEST = 400
_WHOLE = re.compile("[0-9]{1,19}")
_MOST = 2**63 - 1
"""The largest number of a command."""
Choice = TypeVar("Choice", bound=StrEnum)


def bad_request(message: str, code: ApiErrorCode = ApiErrorCode.INVALID_CLIENT_REQUEST) -> ApiError:
    """The error that says what is wrong with a request."""
    return ApiError(BAD_REQUEST, code, message)


def not_served(message: str) -> ApiError:
    """The error for what the public API has and this service does not."""
    return ApiError(BAD_REQUEST, ApiErrorCode.NOT_IMPLEMENTED, message)


class _Names(NamedTuple):
    """Numbers of assets by symbol, and of markets' base assets by the markets' names."""

    parameters: EngineParameters
    assets: dict[str, int]
    markets: dict[str, int]
    decimals: dict[str, tuple[int, int]]


_LATEST: list[_Names] = []


def _names(parameters: EngineParameters) -> _Names:
    """The names of a market, made anew when its parameters are others than the last time."""
    if not _LATEST or _LATEST[0].parameters is not parameters:
        symbols = [asset.symbol for asset in parameters.assets]
        numbers = {symbol: number for number, symbol in reversed(list(enumerate(symbols)))}
        markets = {
            f"{symbol}_{symbols[USDC]}": number
            for symbol, number in numbers.items()
            if number != USDC
        }
        decimals = {
            symbol: (number, parameters.assets[number].decimals)
            for symbol, number in numbers.items()
        }
        _LATEST[:] = [_Names(parameters, numbers, markets, decimals)]
    return _LATEST[0]


def assets_by_symbol(parameters: EngineParameters) -> Mapping[str, tuple[int, int]]:
    """The number and the decimals of each asset."""
    return _names(parameters).decimals


class Params:
    """The fields of one request, by name."""

    def __init__(self, values: Mapping[str, JsonValue], parameters: EngineParameters) -> None:
        self._values = values
        self._parameters = parameters

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise bad_request(f"{name} must be a string")
        return value

    def need(self, name: str) -> str:
        """A text that must be there."""
        value = self._values.get(name)
        if value is None:
            raise bad_request(f"{name} is missing")
        return value if isinstance(value, str) else self.text(name)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise bad_request(f"{name} must be a whole number from {low} to {high}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean; as a text in any of the cases that clients send."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            value = {"true": True, "false": False}.get(value.lower())
        if not isinstance(value, bool):
            raise bad_request(f"{name} must be true or false")
        return value

    def choice(self, name: str, kind: type[Choice], default: Choice | None = None) -> Choice | None:
        """A member of an enum."""
        if self._values.get(name) is None:
            return default
        try:
            return kind(self.text(name))
        except ValueError:
            known = ", ".join(kind)
            raise bad_request(f"{name}: unknown value; known are {known}") from None

    def asset(self, name: str = "symbol") -> int:
        """An asset by symbol."""
        number = _names(self._parameters).assets.get(self.need(name))
        if number is None:
            raise bad_request("Invalid asset symbol", ApiErrorCode.INVALID_ASSET)
        return number

    def market(self, name: str = "symbol") -> int:
        """The base asset of a market by the market's name."""
        number = _names(self._parameters).markets.get(self.need(name))
        if number is None:
            raise bad_request("Invalid market symbol")
        return number

    def quantity(self, name: str, asset: int) -> int:
        """A quantity of an asset, in atoms."""
        return self._decimal(
            name, self._parameters.assets[asset].decimals, ApiErrorCode.INVALID_QUANTITY
        )

    def price(self, name: str = "price") -> int:
        """A price, in 10^-10 USDC."""
        return self._decimal(name, PRICE_DECIMALS, ApiErrorCode.INVALID_PRICE)

    def ratio(self, name: str) -> int:
        """A ratio, in 10^-9."""
        return self._decimal(name, RATIO_DECIMALS, ApiErrorCode.INVALID_CLIENT_REQUEST)

    def _decimal(self, name: str, decimals: int, code: ApiErrorCode) -> int:
        try:
            number = parse_decimal(self.need(name), decimals, what=name)
        except WireError as error:
            raise bad_request(str(error), code) from error
        if number > _MOST:
            raise bad_request(f"{name} is too large", code)
        return number
