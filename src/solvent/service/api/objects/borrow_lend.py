"""Borrow/lend: the one request that lends, repays, borrows and redeems, positions, and pools."""

from typing import Annotated

from msgspec import UNSET

from solvent.service.api.objects.base import (
    I32,
    U16,
    U64,
    Amount,
    ApiObject,
    AssetSymbol,
    Decimal,
    Maybe,
    NaiveTime,
    NumberText,
    Request,
    SignedDecimal,
    ZonedTime,
    says,
)
from solvent.service.api.objects.enums import (
    BorrowLendBookState,
    BorrowLendEventType,
    BorrowLendMarketHistoryInterval,
    BorrowLendPositionState,
    BorrowLendSide,
    BorrowLendSource,
    InterestPaymentSource,
    PaymentType,
)
from solvent.service.api.objects.pages import PageQuery


class PositionImfFunction(ApiObject, tag_field="type", tag="sqrt"):
    """A margin fraction: the larger of base and factor times the root of the exposure in USDC."""

    base: Annotated[Decimal, says("The smallest fraction.", "0.05")]
    factor: Annotated[Decimal, says("What the root of the exposure is multiplied by.", "0.0001")]


class BorrowLendExecutePayload(Request):
    """A loan: Lend lends or repays, Borrow borrows or redeems, and neither crosses through zero."""

    quantity: Annotated[Amount, says("Tokens.")]
    side: Annotated[BorrowLendSide, says("Lend or repay, or borrow or redeem.", "Lend")]
    symbol: Annotated[AssetSymbol, says("The asset.")]


class BorrowLendPositionWithMargin(ApiObject):
    """A claim (above zero) or a debt (below) with what it needs as margin."""

    cumulative_interest: Annotated[
        SignedDecimal, says("Interest so far in tokens, below zero where it was paid.", "-0.25")
    ]
    id: Annotated[str, says("Number of the position; empty until histories know it.", "12")]
    imf: Annotated[Decimal, says("Initial margin fraction of the exposure.", "0.1")]
    imf_function: Annotated[PositionImfFunction, says("How that fraction comes about.")]
    net_quantity: Annotated[SignedDecimal, says("Tokens lent, or below zero borrowed.", "-10")]
    mark_price: Annotated[Decimal, says("Mark in USDC a token.", "150")]
    mmf: Annotated[Decimal, says("Maintenance margin fraction of the exposure.", "0.05")]
    mmf_function: Annotated[PositionImfFunction, says("How that fraction comes about.")]
    net_exposure_quantity: Annotated[Decimal, says("Tokens borrowed; a claim has none.", "10")]
    net_exposure_notional: Annotated[Decimal, says("Their value in USDC at the mark.", "1500")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    est_liquidation_price: Annotated[
        Decimal, says("Mark at which the account is liquidated, all else equal; 0 for none.", "180")
    ]


class LiquidationPriceQuery(Request):
    """A loan that is only imagined."""

    subaccount_id: Annotated[Maybe[U16], says("Passed over: no subaccounts here.")] = UNSET
    borrow: Annotated[
        str,
        says(
            "A BorrowLendExecutePayload as JSON in base64 without padding.",
            "eyJxdWFudGl0eSI6IjEiLCJzaWRlIjoiTGVuZCIsInN5bWJvbCI6IlNPTCJ9",
        ),
    ]


class PositionEstimatedLiquidationPrice(ApiObject):
    """Where the account would be liquidated after a loan, all else equal."""

    liquidation_price: Annotated[
        Decimal | None, says("Mark in USDC a token; null where none liquidates.", "180")
    ]
    mark_price: Annotated[Decimal, says("Present mark in USDC a token.", "150")]


class MovementsQuery(PageQuery):
    """Which movements of claims and debts are asked for."""

    type: Annotated[Maybe[BorrowLendEventType], says("What the movement did.")] = UNSET
    sources: Annotated[
        Maybe[str], says("Why it happened: a BorrowLendSource, or several with commas.")
    ] = UNSET
    position_id: Annotated[Maybe[NumberText], says("Number of the position.")] = UNSET
    symbol: Annotated[Maybe[AssetSymbol], says("The asset.", "USDC")] = UNSET


class BorrowLendMovement(ApiObject):
    """A claim or a debt moved."""

    event_type: Annotated[BorrowLendEventType, says("What happened.", "Lend")]
    position_id: Annotated[NumberText, says("Number of the position.")]
    position_quantity: Annotated[Decimal, says("Tokens of the position afterwards.", "12")]
    quantity: Annotated[Decimal, says("Tokens that moved.", "2")]
    source: Annotated[BorrowLendSource, says("Why.", "Manual")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    timestamp: Annotated[NaiveTime, says("When.")]
    spot_margin_order_id: Annotated[
        NumberText | None, says("Number of the order that borrowed, repaid or redeemed.")
    ] = None


class BorrowLendPositionsQuery(PageQuery):
    """Which claims and debts are asked for."""

    symbol: Annotated[Maybe[AssetSymbol], says("The asset.", "USDC")] = UNSET
    side: Annotated[Maybe[BorrowLendSide], says("Debts or claims.")] = UNSET
    state: Annotated[Maybe[BorrowLendPositionState], says("Standing or ended.")] = UNSET


class BorrowLendPositionRow(ApiObject):
    """A claim or a debt, standing or ended."""

    position_id: Annotated[NumberText, says("Number of the position.")]
    quantity: Annotated[Decimal, says("Tokens.", "12")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    source: Annotated[BorrowLendSource, says("What it began with.", "Manual")]
    cumulative_interest: Annotated[
        SignedDecimal, says("Interest so far in tokens, below zero where it was paid.", "0.25")
    ]
    avg_interest_rate: Annotated[SignedDecimal, says("Average rate a year.", "0.08")]
    side: Annotated[BorrowLendSide, says("A debt or a claim.", "Lend")]
    created_at: Annotated[NaiveTime, says("When it began.")]


class InterestQuery(PageQuery):
    """Which interest payments are asked for."""

    asset: Annotated[Maybe[AssetSymbol], says("The asset; goes before symbol.")] = UNSET
    symbol: Annotated[Maybe[AssetSymbol], says("The asset.", "USDC")] = UNSET
    position_id: Annotated[Maybe[NumberText], says("Number of the position.")] = UNSET
    source: Annotated[Maybe[InterestPaymentSource], says("What it is paid for.")] = UNSET


class InterestPayment(ApiObject):
    """Interest of an hour."""

    payment_type: Annotated[PaymentType, says("What it is for.", "Borrow")]
    interest_rate: Annotated[SignedDecimal, says("Rate a year.", "0.08")]
    interval: Annotated[U64, says("How long the rate was paid for, milliseconds.", 3_600_000)]
    market_symbol: Annotated[AssetSymbol, says("The asset once more.")]
    position_id: Annotated[NumberText, says("Number of the position.")]
    quantity: Annotated[SignedDecimal, says("Tokens paid or received.", "0.002")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    timestamp: Annotated[NaiveTime, says("When.")]


class BorrowLendMarket(ApiObject):
    """A pool now: its figures and its terms."""

    state: Annotated[BorrowLendBookState, says("What the pool takes.", "Open")]
    asset_mark_price: Annotated[Decimal, says("Mark in USDC a token.", "150")]
    borrow_interest_rate: Annotated[Decimal, says("What borrowers pay a year.", "0.09")]
    borrowed_quantity: Annotated[Decimal, says("Tokens owed to the pool.", "600")]
    fee: Annotated[Decimal, says("Share of the interest that the house keeps.", "0.1")]
    lend_interest_rate: Annotated[Decimal, says("What lenders get a year.", "0.05")]
    lent_quantity: Annotated[Decimal, says("Tokens that the pool owes.", "1000")]
    max_utilization: Annotated[Decimal, says("Utilization beyond which none is lent.", "0.95")]
    open_borrow_lend_limit: Annotated[Decimal, says("Most tokens that may be lent.", "100000")]
    optimal_utilization: Annotated[Decimal, says("Where the rate curve bends.", "0.8")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    timestamp: Annotated[ZonedTime, says("Of when these figures are.")]
    throttle_utilization_threshold: Annotated[
        Decimal, says("Utilization above which the throttle acts.", "0.8")
    ]
    throttle_utilization_bound: Annotated[
        Decimal, says("Utilization up to which borrowing goes now.", "0.85")
    ]
    throttle_update_fraction: Annotated[
        Decimal, says("Part of the way to its goal that the bound goes each step.", "0.1")
    ]
    utilization: Annotated[Decimal, says("Borrowed over lent, 1 at most.", "0.6")]
    step_size: Annotated[Decimal, says("Smallest quantity.", "0.000000001")]


class PoolHistoryQuery(Request):
    """Which pools' past is asked for."""

    interval: Annotated[BorrowLendMarketHistoryInterval, says("How far back.", "1d")]
    symbol: Annotated[Maybe[AssetSymbol], says("The asset; all of them if absent.")] = UNSET


class BorrowLendHistory(ApiObject):
    """A pool at a moment."""

    borrow_interest_rate: Annotated[Decimal, says("What borrowers paid a year.", "0.09")]
    borrowed_quantity: Annotated[Decimal, says("Tokens owed to the pool.", "600")]
    lend_interest_rate: Annotated[Decimal, says("What lenders got a year.", "0.05")]
    lent_quantity: Annotated[Decimal, says("Tokens that the pool owed.", "1000")]
    timestamp: Annotated[ZonedTime, says("When the step of the history begins.")]
    utilization: Annotated[Decimal, says("Borrowed over lent.", "0.6")]


class ApyQuery(Request):
    """Whose rates are asked for."""

    tier_id: Annotated[Maybe[I32], says("Taken and passed over: no tiers here.")] = UNSET


class BorrowLendApyRate(ApiObject):
    """Rates of a pool."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    borrow_rate: Annotated[Decimal, says("What borrowers pay a year.", "0.09")]
    lend_rate: Annotated[Decimal, says("What lenders get a year.", "0.05")]


class StakingApyRate(ApiObject):
    """Rate of a staked asset: there are none here."""

    symbol: Annotated[AssetSymbol, says("The asset.")]


class ApyRates(ApiObject):
    """Rates of all pools."""

    borrow_lend: Annotated[list[BorrowLendApyRate], says("A pool each.")]
    staking: Annotated[list[StakingApyRate], says("Always empty: nothing is staked here.")]
