"""Assets and markets: what is traded, and on what terms it is collateral."""

from typing import Annotated

from msgspec import UNSET

from solvent.service.api.objects.base import (
    U8,
    U64,
    ApiObject,
    AssetSymbol,
    Decimal,
    MarketSymbol,
    Maybe,
    Microseconds,
    NaiveTime,
    NumberText,
    Request,
    SignedDecimal,
    says,
)
from solvent.service.api.objects.borrow_lend import PositionImfFunction
from solvent.service.api.objects.enums import (
    Blockchain,
    DepthLimit,
    MarketType,
    OrderBookState,
)
from solvent.service.api.objects.pages import Slice


class AssetsQuery(Request):
    """Which assets are asked for: all."""

    country: Annotated[Maybe[str], says("Taken and passed over.")] = UNSET


class Token(ApiObject):
    """An asset on a chain; nothing here is on one."""

    display_name: Annotated[str, says("Its name.", "SOL")]
    blockchain: Annotated[Blockchain, says("Always Solana.", "Solana")]
    contract_address: Annotated[str | None, says("Always null.")]
    deposit_enabled: Annotated[bool, says("Always true.", True)]
    minimum_deposit: Annotated[Decimal, says("Smallest deposit, tokens.", "0.000000001")]
    withdraw_enabled: Annotated[bool, says("Always true.", True)]
    minimum_withdrawal: Annotated[Decimal, says("Smallest withdrawal, tokens.", "0.000000001")]
    maximum_withdrawal: Annotated[Decimal | None, says("Always null.")]
    withdrawal_fee: Annotated[Decimal, says("Always 0.", "0")]
    native_decimals: Annotated[U8, says("Decimals of a token.", 9)]


class MarketAsset(ApiObject):
    """An asset."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    display_name: Annotated[str, says("Its name.", "SOL")]
    coingecko_id: Annotated[str | None, says("Always null.")]
    tokens: Annotated[list[Token], says("The chains that it is on: one.")]


class IdentityHaircut(ApiObject, tag_field="type", tag="identity"):
    """A weight that is the same for every quantity."""


class InverseSqrtHaircut(ApiObject, tag_field="type", tag="inverseSqrt"):
    """A weight that falls with the size: base over 1 plus penalty times the root of the size."""

    base: Annotated[Decimal, says("What is divided.", "1.1")]
    positive_curve_penalty: Annotated[
        Decimal, says("What the root of the size is multiplied by.", "0.0005")
    ]


class CollateralFunction(ApiObject):
    """What part of an asset's value counts."""

    weight: Annotated[Decimal, says("The largest part.", "0.9")]
    kind: Annotated[IdentityHaircut | InverseSqrtHaircut, says("How the part falls with the size.")]


class CollateralSummary(ApiObject):
    """On what terms an asset is collateral and may be owed."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    imf_function: Annotated[PositionImfFunction, says("Initial margin of a debt.")]
    mmf_function: Annotated[PositionImfFunction, says("Maintenance margin of a debt.")]
    haircut_function: Annotated[CollateralFunction, says("What part of a balance counts.")]


class PriceFilter(ApiObject):
    """Which prices an order may have."""

    min_price: Annotated[Decimal, says("Smallest price, USDC a token.", "0.01")]
    max_price: Annotated[Decimal | None, says("Always null.")]
    tick_size: Annotated[Decimal, says("Prices are multiples of this.", "0.01")]
    max_multiplier: Annotated[Decimal, says("Highest bid over the mark.", "1.25")]
    min_multiplier: Annotated[Decimal, says("Lowest ask over the mark.", "0.75")]
    max_impact_multiplier: Annotated[Decimal, says("Highest market buy over the mark.", "1.05")]
    min_impact_multiplier: Annotated[Decimal, says("Lowest market sale over the mark.", "0.95")]
    mean_mark_price_band: Annotated[None, says("Always null: there is no such bound here.")] = None
    mean_premium_band: Annotated[None, says("Always null: there is no such bound here.")] = None
    borrow_entry_fee_max_multiplier: Annotated[
        None, says("Always null: there is no such bound here.")
    ] = None
    borrow_entry_fee_min_multiplier: Annotated[
        None, says("Always null: there is no such bound here.")
    ] = None
    max_price_update_multiplier: Annotated[
        None, says("Always null: there is no such bound here.")
    ] = None
    min_price_update_multiplier: Annotated[
        None, says("Always null: there is no such bound here.")
    ] = None


class QuantityFilter(ApiObject):
    """Which quantities an order may have."""

    min_quantity: Annotated[Decimal, says("Smallest quantity, base tokens.", "0.01")]
    max_quantity: Annotated[Decimal | None, says("Always null.")]
    step_size: Annotated[Decimal, says("Quantities are multiples of this.", "0.01")]


class OrderBookFilters(ApiObject):
    """What orders a market takes."""

    price: Annotated[PriceFilter, says("Which prices.")]
    quantity: Annotated[QuantityFilter, says("Which quantities.")]


class MarketsQuery(Request):
    """Which markets are asked for."""

    market_type: Annotated[
        Maybe[list[MarketType]], says("Kinds of markets; only SPOT has any.")
    ] = UNSET


class MarketQuery(Request):
    """Which market is asked for."""

    symbol: Annotated[MarketSymbol, says("The market.")]


class Market(ApiObject):
    """A market and its terms."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    base_symbol: Annotated[AssetSymbol, says("The asset that is traded.", "SOL")]
    quote_symbol: Annotated[AssetSymbol, says("The asset that is paid.", "USDC")]
    market_type: Annotated[MarketType, says("Always SPOT.", "SPOT")]
    filters: Annotated[OrderBookFilters, says("What orders it takes.")]
    imf_function: Annotated[PositionImfFunction, says("Initial margin of a base debt.")]
    mmf_function: Annotated[PositionImfFunction, says("Maintenance margin of a base debt.")]
    funding_interval: Annotated[U64 | None, says("Always null: no futures here.")]
    open_interest_limit: Annotated[Decimal, says("Always 0: no futures here.", "0")]
    order_book_state: Annotated[OrderBookState, says("Always Open.", "Open")]
    created_at: Annotated[NaiveTime, says("When the market opened.")]
    visible: Annotated[bool, says("Always true.", True)]
    funding_rate_upper_bound: Annotated[None, says("Always null: no futures here.")] = None
    funding_rate_lower_bound: Annotated[None, says("Always null: no futures here.")] = None
    position_limit_weight: Annotated[None, says("Always null: no futures here.")] = None


class DepthQuery(MarketQuery):
    """Which book is asked for."""

    limit: Annotated[
        Maybe[DepthLimit], says("Levels of each side at most; 1000 if absent.", 10)
    ] = UNSET


Level = tuple[Decimal, Decimal]
"""A price in USDC a token, and the base tokens that rest there."""


class Depth(ApiObject):
    """A book."""

    asks: Annotated[
        list[Level], says("Price and quantity, by rising price.", [["150.1", "4"], ["151", "2"]])
    ]
    bids: Annotated[
        list[Level],
        says("Price and quantity, by rising price: the best comes last.", [["149.9", "3"]]),
    ]
    last_update_id: Annotated[NumberText, says("Up to which update; streams count alike.", "4211")]
    timestamp: Annotated[Microseconds, says("When the book last changed.")]


class MarkPricesQuery(Request):
    """Which marks are asked for."""

    symbol: Annotated[Maybe[MarketSymbol], says("The market; all of them if absent.")] = UNSET
    market_type: Annotated[Maybe[MarketType], says("Kind of market; only SPOT has any.")] = UNSET


class MarkPrice(ApiObject):
    """Index and mark of a market."""

    index_price: Annotated[Decimal, says("Index in USDC a token.", "150.02")]
    mark_price: Annotated[Decimal, says("Mark in USDC a token.", "150")]
    symbol: Annotated[MarketSymbol, says("The market.")]
    funding_rate: Annotated[None, says("Always null: no futures here.")] = None
    next_funding_timestamp: Annotated[None, says("Always null: no futures here.")] = None


class OpenInterestQuery(Request):
    """Which open futures are asked for: there are none here."""

    symbol: Annotated[Maybe[MarketSymbol], says("The market.")] = UNSET


class OpenInterest(ApiObject):
    """Open futures of a market: never told, for there are none."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    open_interest: Annotated[Decimal | None, says("Contracts.")] = None
    timestamp: Annotated[U64, says("When.", 0)]


class FundingRatesQuery(Slice):
    """Which funding rates are asked for: there are none here."""

    symbol: Annotated[MarketSymbol, says("The market.")]


class FundingIntervalRate(ApiObject):
    """A funding rate: never told, for there are no futures here."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    interval_end_timestamp: Annotated[NaiveTime, says("When the interval ended.")]
    funding_rate: Annotated[SignedDecimal, says("The rate.", "0.0001")]


class Security(ApiObject):
    """A security: never told, for there are none here."""

    symbol: Annotated[str, says("Its name.", "SOL")]


class MarketSession(ApiObject):
    """Hours of a market: never told, for markets never close here."""

    symbol: Annotated[MarketSymbol, says("The market.")]
