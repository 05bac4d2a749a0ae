"""Why a command is refused: one enum of published codes, one of limits, in order of precedence.

A refusal is a value. It names the code an existing client already knows, which limit binds, and the
largest amount that would have passed. When several reasons apply the one listed first wins; the
order of `RejectionCode` is that order and the table tests follow it.
"""

from dataclasses import dataclass
from enum import IntEnum


class RejectionCode(IntEnum):
    """Codes of the public API (ApiErrorCode), in order of precedence."""

    INVALID_CLIENT_REQUEST = 1
    RESOURCE_NOT_FOUND = 2
    FORBIDDEN = 3
    INVALID_ASSET = 4
    INVALID_MARKET = 5
    INVALID_QUANTITY = 6
    INVALID_PRICE = 7
    INVALID_ORDER = 8
    ACCOUNT_LIQUIDATING = 9
    TRADING_PAUSED = 10
    LEND_REQUIRES_BORROW_REPAY = 11
    BORROW_REQUIRES_LEND_REDEEM = 12
    ORDER_LIMIT = 13
    INSUFFICIENT_FUNDS = 14
    LEND_LIMIT = 15
    BORROW_LIMIT = 16
    INSUFFICIENT_SUPPLY = 17
    MAX_LEVERAGE_REACHED = 18
    INSUFFICIENT_MARGIN = 19
    PRECONDITION_FAILED = 20


class Limit(IntEnum):
    """Which limit binds; NONE where the refusal is not about an amount."""

    NONE = 0
    AVAILABLE_BALANCE = 1
    LENT_CLAIM = 2
    OUTSTANDING_DEBT = 3
    POOL_STATE = 4
    OPEN_BORROW_LEND_LIMIT = 5
    POOL_CASH = 6
    UTILIZATION_BOUND = 7
    MAX_UTILIZATION = 8
    INSOLVENCY_GATE = 9
    INITIAL_MARGIN = 10
    LEVERAGE = 11
    PRICE_BAND = 12
    STALE_PRICE = 13
    SUPPLY_CAP = 14
    COMMITTED_CAPACITY = 15
    ORDER_COUNT = 16
    ATOM_VALUE = 17
    UNCERTAIN_LOSS = 18


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused command: `largest` is the greatest amount that would have passed, in atoms."""

    code: RejectionCode
    limit: Limit = Limit.NONE
    largest: int = 0
