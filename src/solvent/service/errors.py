"""Errors: the published codes, and what a refusal of the engine is called.

A refusal keeps the code that the engine gave it. Its message says which limit binds and the largest
amount that would have passed, in tokens, not atoms. Some clients look for words in messages: those
of an order that is not there and of a post-only order that would take are theirs.
"""

from enum import StrEnum
from typing import Annotated

from solvent.domain.commands import (
    COMMAND_KINDS,
    CancelOrder,
    Command,
    OrderType,
    PlaceOrder,
    PlaceTrigger,
    TimeInForce,
    UpdatePrice,
    UpdateSettings,
    command_fields,
)
from solvent.domain.events import Refused
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import PRICE_DECIMALS, RATIO_DECIMALS
from solvent.service.api.objects.base import ApiObject, says
from solvent.service.wire import format_decimal


class ApiErrorCode(StrEnum):
    """Codes of the public API."""

    ACCOUNT_DEACTIVATED = "ACCOUNT_DEACTIVATED"
    ACCOUNT_LIQUIDATING = "ACCOUNT_LIQUIDATING"
    BORROW_LIMIT = "BORROW_LIMIT"
    BORROW_REQUIRES_LEND_REDEEM = "BORROW_REQUIRES_LEND_REDEEM"
    FORBIDDEN = "FORBIDDEN"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
    INSUFFICIENT_SUPPLY = "INSUFFICIENT_SUPPLY"
    INVALID_ASSET = "INVALID_ASSET"
    INVALID_CLIENT_REQUEST = "INVALID_CLIENT_REQUEST"
    INVALID_MARKET = "INVALID_MARKET"
    INVALID_ORDER = "INVALID_ORDER"
    INVALID_PRICE = "INVALID_PRICE"
    INVALID_POSITION_ID = "INVALID_POSITION_ID"
    INVALID_QUANTITY = "INVALID_QUANTITY"
    INVALID_RANGE = "INVALID_RANGE"
    INVALID_SIGNATURE = "INVALID_SIGNATURE"
    INVALID_SOURCE = "INVALID_SOURCE"
    INVALID_SYMBOL = "INVALID_SYMBOL"
    INVALID_TWO_FACTOR_CODE = "INVALID_TWO_FACTOR_CODE"
    LEND_LIMIT = "LEND_LIMIT"
    LEND_REQUIRES_BORROW_REPAY = "LEND_REQUIRES_BORROW_REPAY"
    MAINTENANCE = "MAINTENANCE"
    MAX_LEVERAGE_REACHED = "MAX_LEVERAGE_REACHED"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    ORDER_LIMIT = "ORDER_LIMIT"
    POSITION_LIMIT = "POSITION_LIMIT"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    SERVER_ERROR = "SERVER_ERROR"
    TIMEOUT = "TIMEOUT"
    TOO_EARLY = "TOO_EARLY"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    TRADING_PAUSED = "TRADING_PAUSED"
    UNAUTHORIZED = "UNAUTHORIZED"


class ApiErrorResponse(ApiObject):
    """The published error object: what a client gets in place of an answer."""

    code: Annotated[ApiErrorCode, says("What is wrong.", "INVALID_CLIENT_REQUEST")]
    message: Annotated[str, says("What is wrong, in words.", "symbol is missing")]


class ApiError(Exception):
    """What a client is told instead of an answer; `retry_after` in seconds where it may help."""

    def __init__(
        self, status: int, code: ApiErrorCode, message: str, *, retry_after: int = 0
    ) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def body(self) -> ApiErrorResponse:
        """The published error object."""
        return ApiErrorResponse(code=self.code, message=self.message)


_BAD_REQUEST = 400
_STATUS = {RejectionCode.FORBIDDEN: 403}
_SENTENCES = {
    RejectionCode.INVALID_CLIENT_REQUEST: "The request cannot be carried out as it is",
    RejectionCode.RESOURCE_NOT_FOUND: "Not Found",
    RejectionCode.FORBIDDEN: "The account may not do this",
    RejectionCode.INVALID_ASSET: "Invalid asset",
    RejectionCode.INVALID_MARKET: "Invalid market symbol",
    RejectionCode.INVALID_QUANTITY: "Invalid quantity",
    RejectionCode.INVALID_PRICE: "Invalid price",
    RejectionCode.INVALID_ORDER: "The order's flags do not go together",
    RejectionCode.ACCOUNT_LIQUIDATING: "The account is being liquidated",
    RejectionCode.TRADING_PAUSED: "Trading is paused",
    RejectionCode.LEND_REQUIRES_BORROW_REPAY: "Repay the borrow of this asset before lending it",
    RejectionCode.BORROW_REQUIRES_LEND_REDEEM: "Redeem the lend of this asset before borrowing it",
    RejectionCode.ORDER_LIMIT: "Too many open orders",
    RejectionCode.INSUFFICIENT_FUNDS: "Insufficient funds",
    RejectionCode.LEND_LIMIT: "The pool takes no more lends",
    RejectionCode.BORROW_LIMIT: "The pool lends no more",
    RejectionCode.INSUFFICIENT_SUPPLY: "Insufficient supply in the pool",
    RejectionCode.MAX_LEVERAGE_REACHED: "Maximum leverage reached",
    RejectionCode.INSUFFICIENT_MARGIN: "Insufficient margin",
    RejectionCode.PRECONDITION_FAILED: "The treasury cannot pay for this now",
}
_ORDER_NOT_FOUND = "Order Not Found"
_WOULD_TAKE = "Order would immediately match and take"
_NO_TRIGGER_PRICE = (
    "Invalid price: not in ticks, or a trigger price that is reached already, or by a price that "
    "there is none of"
)
_NOT_REDUCING = "A reduce-only order may not exceed what it reduces"
_LIMITS = {
    Limit.AVAILABLE_BALANCE: "the available balance",
    Limit.LENT_CLAIM: "what the account has lent",
    Limit.OUTSTANDING_DEBT: "the outstanding debt",
    Limit.POOL_STATE: "the state of the pool",
    Limit.OPEN_BORROW_LEND_LIMIT: "the pool's openBorrowLendLimit",
    Limit.POOL_CASH: "the cash in the pool",
    Limit.UTILIZATION_BOUND: "the pool's throttleUtilizationBound",
    Limit.MAX_UTILIZATION: "the pool's maxUtilization",
    Limit.INSOLVENCY_GATE: "the pool's claims exceed what it has",
    Limit.UNCERTAIN_LOSS: "what losses behind a stale price may take of the claim",
    Limit.INITIAL_MARGIN: "the initial margin requirement",
    Limit.LEVERAGE: "the leverage limit",
    Limit.PRICE_BAND: "the market's price band",
    Limit.STALE_PRICE: "the price is stale or halted",
    Limit.SUPPLY_CAP: "the largest supply that can be booked",
    Limit.COMMITTED_CAPACITY: "the committed capacity",
    Limit.ORDER_COUNT: "the number of open orders",
    Limit.ATOM_VALUE: "an atom is worth more than 0.05 USDC; list the asset with more decimals",
}


def order_not_found(status: int) -> ApiError:
    """The error for an order that is not there: 404 to a query, 400 to a cancellation."""
    return ApiError(status, ApiErrorCode.RESOURCE_NOT_FOUND, _ORDER_NOT_FOUND)


def from_refusal(
    refused: Refused, parameters: EngineParameters, command: Command | None = None
) -> ApiError:
    """The error for a command that the engine refused: published code, limit, largest amount.

    With `command` a post-only order that would take is told from one whose flags contradict.
    """
    message = _sentence(refused, command)
    if refused.limit is not Limit.NONE:
        message += f"; the limit is {_LIMITS[refused.limit]}{_largest(refused, parameters)}"
    status = _STATUS.get(refused.code, _BAD_REQUEST)
    return ApiError(status, ApiErrorCode[refused.code.name], message)


def _sentence(refused: Refused, command: Command | None) -> str:
    kind = COMMAND_KINDS[refused.command]
    if refused.code is RejectionCode.RESOURCE_NOT_FOUND and kind is CancelOrder:
        return _ORDER_NOT_FOUND
    if refused.code is RejectionCode.INVALID_PRICE and kind is PlaceTrigger:
        return _NO_TRIGGER_PRICE
    if refused.code is not RejectionCode.INVALID_ORDER:
        return _SENTENCES[refused.code]
    if refused.limit is Limit.OUTSTANDING_DEBT:
        return _NOT_REDUCING
    if command is None:
        return f"{_WOULD_TAKE}, or its flags do not go together"
    return _WOULD_TAKE if _may_rest_only(command) else _SENTENCES[refused.code]


def _may_rest_only(command: Command) -> bool:
    """Whether an order is post-only and nothing about its form forbids it to rest."""
    return (
        isinstance(command, PlaceOrder)
        and command.post_only
        and command.order_type is OrderType.LIMIT
        and command.time_in_force is TimeInForce.GTC
        and command.quote_quantity == 0
    )


def _largest(refused: Refused, parameters: EngineParameters) -> str:
    """What would have passed, in the unit of what was asked for; nothing where none was named."""
    kind = COMMAND_KINDS[refused.command]
    if refused.limit is Limit.ORDER_COUNT:
        return f", {parameters.max_orders_per_account} an account"
    if kind is UpdateSettings:
        return f", the highest allowed is {format_decimal(refused.largest, RATIO_DECIMALS)}"
    if refused.limit is Limit.PRICE_BAND or kind is UpdatePrice:
        highest = format_decimal(refused.largest, PRICE_DECIMALS)
        return f", the highest price allowed is {highest}" if refused.largest else ""
    fields = command_fields(kind)
    # What names no asset is USDC: a standby's.
    number = refused.asset if "asset" in fields else USDC
    if "quantity" not in fields or not 0 <= number < len(parameters.assets):
        return ""
    asset = parameters.assets[number]
    largest = format_decimal(refused.largest, asset.decimals)
    return f", the largest quantity that would have passed is {largest} {asset.symbol}"
