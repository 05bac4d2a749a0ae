"""Positions in futures: never told, for there are no futures here; their fields are published."""

from typing import Annotated

from msgspec import UNSET

from solvent.service.api.objects.base import (
    I32,
    U16,
    ApiObject,
    Decimal,
    MarketSymbol,
    Maybe,
    NaiveTime,
    NumberText,
    Request,
    SignedDecimal,
    says,
)
from solvent.service.api.objects.borrow_lend import PositionImfFunction
from solvent.service.api.objects.enums import MarketType, PositionState
from solvent.service.api.objects.pages import PageQuery


class PositionsQuery(Request):
    """Which positions are asked for."""

    symbol: Annotated[Maybe[MarketSymbol], says("The market.")] = UNSET
    market_type: Annotated[Maybe[MarketType], says("Kind of market.")] = UNSET


class FuturePositionWithMargin(ApiObject):
    """A position now."""

    break_even_price: Annotated[Decimal, says("Mark at which it neither won nor lost.")]
    entry_price: Annotated[Decimal, says("Average price that it was opened at.")]
    est_liquidation_price: Annotated[Decimal, says("Mark at which it would be liquidated.")]
    imf: Annotated[Decimal, says("Initial margin fraction.", "0.1")]
    imf_function: Annotated[PositionImfFunction, says("How that fraction comes about.")]
    mark_price: Annotated[Decimal, says("The mark.")]
    mmf: Annotated[Decimal, says("Maintenance margin fraction.", "0.05")]
    mmf_function: Annotated[PositionImfFunction, says("How that fraction comes about.")]
    net_cost: Annotated[SignedDecimal, says("What was paid for it.")]
    net_quantity: Annotated[SignedDecimal, says("Contracts, below zero where it is short.")]
    net_exposure_quantity: Annotated[Decimal, says("Contracts with open orders.")]
    net_exposure_notional: Annotated[Decimal, says("Their value in USDC.")]
    pnl_realized: Annotated[SignedDecimal, says("What it won so far.")]
    pnl_unrealized: Annotated[SignedDecimal, says("What it would win at the mark.")]
    cumulative_funding_payment: Annotated[SignedDecimal, says("Funding so far.")]
    subaccount_id: Annotated[U16 | None, says("The subaccount.")] = None
    symbol: Annotated[MarketSymbol, says("The market.")]
    user_id: Annotated[I32, says("Number of the account.")]
    position_id: Annotated[NumberText, says("Number of the position.")]
    cumulative_interest: Annotated[SignedDecimal, says("Interest on what it won.")]


class PositionHistoryQuery(PageQuery):
    """Which positions of the past are asked for."""

    symbol: Annotated[Maybe[MarketSymbol], says("The market.")] = UNSET
    market_type: Annotated[Maybe[MarketType], says("Kind of market.")] = UNSET

    state: Annotated[Maybe[PositionState], says("Standing or ended.")] = UNSET


class PositionHistoryRow(ApiObject):
    """A position, standing or ended."""

    id: Annotated[NumberText, says("Number of the position.")]
    symbol: Annotated[MarketSymbol, says("The market.")]
    net_quantity: Annotated[SignedDecimal, says("Contracts, below zero where it is short.")]
    net_exposure_quantity: Annotated[Decimal, says("Contracts with open orders.")]
    net_exposure_notional: Annotated[Decimal, says("Their value in USDC.")]
    net_cost: Annotated[SignedDecimal, says("What was paid for it.")]
    mark_price: Annotated[Decimal, says("The mark.")]
    entry_price: Annotated[Decimal, says("Average price that it was opened at.")]
    cumulative_pnl_realized: Annotated[SignedDecimal, says("What it won so far.")]
    unrealized_pnl: Annotated[SignedDecimal, says("What it would win at the mark.")]
    funding_quantity: Annotated[SignedDecimal, says("Funding so far.")]
    interest: Annotated[SignedDecimal, says("Interest on what it won.")]
    liquidated: Annotated[Decimal, says("Contracts that were liquidated.")]
    imf: Annotated[Decimal, says("Initial margin fraction.", "0.1")]
    fees: Annotated[SignedDecimal, says("Fees so far.")]
    state: Annotated[PositionState, says("Standing or ended.")]
    closed_volume: Annotated[Decimal, says("Contracts that were closed.")]
    liquidation_fees: Annotated[Decimal, says("Fees of liquidation.")]
    closing_price: Annotated[Decimal | None, says("Average price that it was closed at.")] = None
    account_leverage: Annotated[Decimal | None, says("Leverage of the account.")] = None
    opened_at: Annotated[NaiveTime | None, says("When it was opened.")] = None
    closed_at: Annotated[NaiveTime | None, says("When it was closed.")] = None


class FundingHistoryQuery(PageQuery):
    """Which funding payments are asked for."""

    subaccount_id: Annotated[Maybe[U16], says("The subaccount.")] = UNSET
    symbol: Annotated[Maybe[MarketSymbol], says("The market.")] = UNSET


class FundingPayment(ApiObject):
    """A payment between longs and shorts."""

    user_id: Annotated[I32, says("Number of the account.")]
    subaccount_id: Annotated[U16 | None, says("The subaccount.")] = None
    symbol: Annotated[MarketSymbol, says("The market.")]
    quantity: Annotated[SignedDecimal, says("USDC, below zero where it was paid.")]
    interval_end_timestamp: Annotated[NaiveTime, says("When the interval ended.")]
    funding_rate: Annotated[SignedDecimal, says("The rate.", "0.0001")]
