"""Labels: the closed lists of words that records carry, as numbers that never change.

They are the published ones of the public API where it has a word, and the field's own elsewhere.
"""

from enum import IntEnum


class Source(IntEnum):
    """Why a claim or a debt moved (BorrowLendSource of the public API)."""

    MANUAL = 0
    AUTO_LEND = 1
    AUTO_BORROW_REPAY = 2
    SPOT_MARGIN = 3
    WITHDRAWAL = 4
    DUST_CONVERSION = 5
    LIQUIDATION = 6
    LIQUIDATION_BACKSTOP = 7
    BACKSTOP_PROVIDER = 8
    LIQUIDATION_ADL = 9
    ADL_PROVIDER = 10
    RECONCILIATION = 11


class SystemOrder(IntEnum):
    """Which engine sent an order (SystemOrderType of the public API); USER for an account's own."""

    USER = 0
    BOOK_LIQUIDATION = 1


class Stage(IntEnum):
    """Stages of the waterfall."""

    BOOK = 1
    BACKSTOP = 2
    ADL = 3
    DEFICIT = 4
    STANDBY = 5


class Reason(IntEnum):
    """Why a stage handed over what it could not clear."""

    NO_LIQUIDITY_IN_BAND = 1
    NO_REDEEMABLE_CASH = 2
    NO_BACKSTOP_CAPACITY = 3
    PRICE_GAP = 4
    OVER_BOOK_LIMIT = 5
    STALE_PRICE = 6
    NO_COUNTERPARTY = 7
    BELOW_LOT = 8


class ExpiryReason(IntEnum):
    """Why an order ended without its owner asking (OrderExpiryReason of the public API)."""

    IMMEDIATE_OR_CANCEL = 1
    FILL_OR_KILL = 2
    PRICE_IMPACT = 3
    SELF_TRADE_PREVENTION = 4
    INSUFFICIENT_LIQUIDITY = 5
    INSUFFICIENT_FUNDS = 6
    INSUFFICIENT_MARGIN = 7
    INSUFFICIENT_BORROWABLE_QUANTITY = 8
    LIQUIDATION = 9
    REDUCE_ONLY_NOT_REDUCED = 10
    ADL_SETTLEMENT = 11


class AdlCase(IntEnum):
    """L: a lender is stuck. B: a borrower is in default. Opposites: one holds what another owes."""

    STUCK_LENDER = 0
    BORROWER_DEFAULT = 1
    OPPOSITES = 2


class Tier(IntEnum):
    """What a match of an ADL round is paid in, in the order in which payers are asked.

    `OWED`: what the receiver owes, a claim on it too. `CASH`: USDC, free, redeemable now or
    borrowed. `IN_KIND`: tokens by which the receiver's health does not fall. `FLAGGED`: any others,
    and claims on pools without cash. `LAST`: the same for lenders of a default whom it puts below
    maintenance.
    """

    OWED = 1
    CASH = 2
    IN_KIND = 3
    FLAGGED = 4
    LAST = 5


class LegForm(IntEnum):
    """In what form value changed hands."""

    AVAILABLE = 0
    REDEEMED = 1
    CLAIM = 2
    BORROWED = 3
