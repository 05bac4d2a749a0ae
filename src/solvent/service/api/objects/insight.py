"""Insight: which limit binds, what ADL would do to an account, and whether pools are covered."""

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET

from solvent.service.api.objects.account import MaxWithdrawalQuery, OrderLimitQuery
from solvent.service.api.objects.base import (
    U64,
    Amount,
    ApiObject,
    AssetSymbol,
    Decimal,
    MarketSymbol,
    Maybe,
    Request,
    SignedDecimal,
    says,
)
from solvent.service.api.objects.enums import LimitName, Side, SortDirection
from solvent.service.api.objects.pages import Limit, Slice
from solvent.service.errors import ApiErrorCode
from solvent.service.limits import PAGE_DEFAULT


class WaterfallQuery(Request):
    """How many steps of the waterfall, the latest ones."""

    limit: Annotated[Maybe[Limit], says(f"Steps at most; {PAGE_DEFAULT} if absent.", 10)] = UNSET


class LimitsQuery(MaxWithdrawalQuery):
    """In which asset; the flags are the withdrawal's."""


class Bound(ApiObject):
    """The most that may be asked for now, and what asking for more is answered with."""

    quantity: Annotated[Decimal, says("Tokens.")]
    limit: Annotated[LimitName, says("Which limit refuses the next larger one.", "PoolCash")]
    code: Annotated[
        Maybe[ApiErrorCode],
        says("Code of that refusal; absent where nothing refuses.", "INSUFFICIENT_SUPPLY"),
    ] = UNSET
    message: Annotated[
        Maybe[str],
        says("Message of that refusal.", "Insufficient supply in the pool; the limit is the cash"),
    ] = UNSET


class Limits(ApiObject):
    """The most that each action in an asset may ask for now."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    lend: Annotated[Bound, says("The largest lend.")]
    redeem: Annotated[Bound, says("The largest redemption.")]
    borrow: Annotated[Bound, says("The largest borrow.")]
    repay: Annotated[Bound, says("The largest repayment.")]
    withdraw: Annotated[Bound, says("The largest withdrawal with the flags asked.")]
    utilization: Annotated[Decimal, says("Borrowed over lent.", "0.6")]
    utilization_bound: Annotated[Decimal, says("Utilization up to which borrowing goes.", "0.85")]
    throttle_threshold: Annotated[Decimal, says("Utilization above which it is throttled.", "0.8")]
    max_utilization: Annotated[Decimal, says("Utilization beyond which none is lent.", "0.95")]
    pool_cash: Annotated[Decimal, says("Tokens in the pool.", "400")]
    redeemable: Annotated[Decimal, says("Tokens that may be redeemed now.", "300")]
    gated: Annotated[bool, says("Whether claims exceed what stands behind them.")]
    stale_price: Annotated[bool, says("Whether the price is too old to trade by.")]
    mark_price: Annotated[Decimal, says("Mark in USDC a token.", "150")]


class OrderLimit(ApiObject):
    """The largest order that may be placed now, and what a larger one is answered with."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    side: Annotated[Side, says("Whether to buy or to sell the base asset.", "Bid")]
    quantity: Annotated[Decimal, says("Base tokens.")]
    limit: Annotated[LimitName, says("Which limit refuses a larger one.", "BookLiquidity")]
    code: Annotated[
        Maybe[ApiErrorCode], says("Code of that refusal; absent where nothing refuses.")
    ] = UNSET
    message: Annotated[Maybe[str], says("Message of that refusal.")] = UNSET


class OrderAheadQuery(OrderLimitQuery):
    """An order, and at which price it is thought to be filled."""

    quantity: Annotated[Amount, says("Base tokens.", "1")]
    at: Annotated[
        Maybe[Amount], says("USDC a token of the fill; the limit's own if absent.", "150")
    ] = UNSET


class OrderAhead(ApiObject):
    """How the account stands now, and would after a fill of all of an order; fees left out."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    margin_ratio: Annotated[
        Decimal | None, says("Maintenance over net equity now; null without debts.", "0.2")
    ]
    margin_ratio_then: Annotated[
        Decimal | None, says("The same after it; null without debts or equity.", "0.4")
    ]
    liquidation_price: Annotated[
        Decimal | None, says("Mark of the base asset that liquidates it now; null for none.")
    ]
    liquidation_price_then: Annotated[
        Decimal | None, says("The same after it; null for none.", "120")
    ]
    borrows: Annotated[AssetSymbol, says("The asset that it pays with.", "USDC")]
    borrowed: Annotated[Decimal, says("Tokens of that which it would owe more.", "1000")]


class ForecastQuery(Request):
    """An ADL round that is only imagined."""

    symbol: Annotated[AssetSymbol, says("The asset that is owed.")]
    quantity: Annotated[
        Maybe[Amount], says("Tokens that are stuck; as many as are lent if absent.")
    ] = UNSET


class AdlForecast(ApiObject):
    """How an ADL round in an asset would treat the account, which owes it, today."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    candidate: Annotated[bool, says("Whether the account would be asked at all.", True)]
    liquidated_below: Annotated[
        Decimal | None, says("Highest mark below at which it is liquidated; null for none.")
    ]
    liquidated_above: Annotated[
        Decimal | None, says("Lowest mark above at which it is liquidated; null for none.", "180")
    ]
    margin_ratio: Annotated[
        SignedDecimal | None,
        says("Maintenance margin over net equity; null where there is none.", "0.4"),
    ]
    distance: Annotated[
        Decimal | None, says("Part of the mark to the nearer of both; null for none.", "0.2")
    ]
    leverage: Annotated[
        SignedDecimal | None, says("Exposure over net equity; null where there is none.", "4")
    ]
    rank: Annotated[Maybe[U64], says("Its place among the candidates.", 3)] = UNSET
    candidates: Annotated[Maybe[U64], says("How many there are.", 12)] = UNSET
    settled: Annotated[Maybe[Decimal], says("Tokens of its debt that would be settled.", "2")] = (
        UNSET
    )
    share: Annotated[Maybe[Decimal], says("Part of its debt that this is.", "0.25")] = UNSET
    settled_value: Annotated[Maybe[Decimal], says("Value in USDC at the mark.", "300")] = UNSET
    cash_left: Annotated[Maybe[Decimal], says("Tokens left in the pool.", "0")] = UNSET


class PoolSolvency(ApiObject):
    """What a pool owes, and what stands behind it."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    claims: Annotated[Decimal, says("Tokens owed to lenders.", "1000")]
    cash: Annotated[SignedDecimal, says("Tokens in the pool.", "400")]
    borrowed: Annotated[Decimal, says("Tokens owed by borrowers.", "600")]
    fees: Annotated[Decimal, says("Tokens of fees not collected yet.", "1")]
    deficit: Annotated[Decimal, says("Tokens lost to defaults so far.", "0")]
    covered: Annotated[bool, says("Whether cash and debts cover the claims.", True)]


class Solvency(ApiObject):
    """Every pool's claims against what stands behind them, and the state that this is true of."""

    pools: Annotated[list[PoolSolvency], says("A pool each.")]
    liquidating: Annotated[U64, says("Accounts in the waterfall.", 0)]
    state_hash: Annotated[str, says("Hash of the market's state.", "9f86d081884c7d65")]
    records: Annotated[U64, says("Records of the journal so far.", 4211)]
    journal_digest: Annotated[str, says("Digest of the journal up to there.", "60303ae22b998861")]


class PoolCondition(StrEnum):
    """What a pool does now; of several the first that is true."""

    CLOSED = "Closed"
    IMPAIRED = "Impaired"
    STALE = "Stale"
    REPAY_ONLY = "RepayOnly"
    FULL = "Full"
    THROTTLED = "Throttled"
    OPEN = "Open"


CurvePoint = tuple[Decimal, Decimal]
"""A utilization, and what borrowers pay a year there."""


class PoolNow(ApiObject):
    """What a pool does now, what may leave it, and how its rate comes about."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    condition: Annotated[PoolCondition, says("What it does now.", "Open")]
    utilization: Annotated[Decimal, says("Borrowed over lent, above 1 where fees made it so.")]
    cash: Annotated[Decimal, says("Tokens in the pool.", "400")]
    redeemable: Annotated[Decimal, says("Tokens that lenders may redeem now, all together.", "300")]
    borrowable: Annotated[Decimal, says("Tokens that may be borrowed now.", "250")]
    deficit: Annotated[Decimal, says("Tokens lost to defaults so far.", "0")]
    stale: Annotated[bool, says("Whether the price is too old to trade by.")]
    halted: Annotated[bool, says("Whether the price was declared unusable.")]
    gated: Annotated[bool, says("Whether claims exceed what stands behind them.")]
    curve: Annotated[
        list[CurvePoint],
        says("Utilization and rate a year, straight in between.", [["0", "0.02"], ["1", "0.5"]]),
    ]


class ReceiptsQuery(Slice):
    """Which receipts are asked for."""

    account: Annotated[
        Maybe[U64], says("Number of an account that was a party; a key's own if it has one.")
    ] = UNSET
    round: Annotated[Maybe[U64], says("Number of an ADL round.")] = UNSET
    fill: Annotated[Maybe[U64], says("Number of a backstop fill.")] = UNSET
    booking: Annotated[Maybe[U64], says("Number of a booking of losses.")] = UNSET
    swap: Annotated[Maybe[U64], says("Number of a relief by a standby.")] = UNSET
    sort_direction: Annotated[
        Maybe[SortDirection], says("Oldest or newest first; Asc if absent.")
    ] = UNSET
