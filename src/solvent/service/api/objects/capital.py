"""Capital: balances, collateral, and tokens that come and go."""

from typing import Annotated, Any

from msgspec import UNSET, field

from solvent.service.api.objects.base import (
    I32,
    U16,
    U64,
    Amount,
    ApiObject,
    AssetSymbol,
    Decimal,
    Maybe,
    Milliseconds,
    NaiveTime,
    NumberText,
    Request,
    SignedDecimal,
    says,
)
from solvent.service.api.objects.enums import (
    Blockchain,
    DepositStatus,
    SettlementSource,
    SettlementSourceFilter,
    WithdrawalStatus,
)
from solvent.service.api.objects.pages import PageQuery


class Balance(ApiObject):
    """What an account has of an asset, besides what it lent."""

    available: Annotated[Decimal, says("Tokens to use.", "12")]
    locked: Annotated[Decimal, says("Tokens in resting orders.", "3")]
    staked: Annotated[Decimal, says("Always 0: nothing is staked here.", "0")]


Balances = dict[str, Balance]
"""Balances by asset; those of nothing are left out."""


class CollateralQuery(Request):
    """Whose margin is asked for: the key's own account's."""

    subaccount_id: Annotated[Maybe[U16], says("Passed over: no subaccounts here.")] = UNSET


class Collateral(ApiObject):
    """What an asset of the account counts for."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    asset_mark_price: Annotated[Decimal, says("Mark in USDC a token.", "150")]
    total_quantity: Annotated[Decimal, says("Tokens available, locked and lent.", "20")]
    balance_notional: Annotated[Decimal, says("Their value in USDC at the mark.", "3000")]
    collateral_weight: Annotated[Decimal, says("Part of the value that counts.", "0.9")]
    collateral_value: Annotated[Decimal, says("What counts, in USDC.", "2700")]
    open_order_quantity: Annotated[Decimal, says("Tokens in resting orders.", "3")]
    lend_quantity: Annotated[Decimal, says("Tokens lent.", "5")]
    available_quantity: Annotated[Decimal, says("Tokens to use.", "12")]


class MarginAccountSummary(ApiObject):
    """The account's margin; values in USDC."""

    assets_value: Annotated[Decimal, says("All assets at the mark.", "3000")]
    borrow_liability: Annotated[Decimal, says("All debts at the mark.", "1000")]
    collateral: Annotated[list[Collateral], says("What each asset counts for.")]
    imf: Annotated[Decimal, says("Initial margin over exposure; 0 where there is none.", "0.1")]
    unsettled_equity: Annotated[Decimal, says("Always 0: no futures here.", "0")]
    liabilities_value: Annotated[Decimal, says("All debts at the mark.", "1000")]
    mmf: Annotated[Decimal, says("Maintenance margin over exposure; 0 without one.", "0.05")]
    net_equity: Annotated[SignedDecimal, says("What collateral counts for, less debts.", "1700")]
    net_equity_available: Annotated[Decimal, says("Net equity beyond initial margin.", "1600")]
    net_equity_locked: Annotated[Decimal, says("Net equity that is initial margin.", "100")]
    net_exposure_futures: Annotated[Decimal, says("Always 0: no futures here.", "0")]
    pnl_unrealized: Annotated[Decimal, says("Always 0: no futures here.", "0")]
    margin_fraction: Annotated[
        SignedDecimal | None, says("Net equity over exposure; absent without one.", "1.7")
    ] = None


class DepositsQuery(PageQuery):
    """Which deposits are asked for."""

    from_: Annotated[Maybe[Milliseconds], says("No earlier than this.", 0)] = field(
        name="from", default=UNSET
    )
    to: Annotated[Maybe[Milliseconds], says("Earlier than this.")] = UNSET
    exclude_platform: Annotated[Maybe[bool], says("Taken and passed over.")] = UNSET


class Deposit(ApiObject):
    """Tokens that came in."""

    id: Annotated[I32, says("Number of the deposit.", 17)]
    source: Annotated[str, says("Where from: the operator books deposits.", "administrator")]
    status: Annotated[DepositStatus, says("Always confirmed.", "confirmed")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    quantity: Annotated[Decimal, says("Tokens.")]
    created_at: Annotated[NaiveTime, says("When.")]
    to_address: Annotated[None, says("Always null: no chain is behind the market.")] = None
    from_address: Annotated[None, says("Always null: no chain is behind the market.")] = None
    transaction_hash: Annotated[None, says("Always null: no chain is behind the market.")] = None
    platform_memo: Annotated[None, says("Always null: no chain is behind the market.")] = None
    fiat_amount: Annotated[None, says("Always null: no bank is behind the market.")] = None
    fiat_currency: Annotated[None, says("Always null: no bank is behind the market.")] = None
    institution_bic: Annotated[None, says("Always null: no bank is behind the market.")] = None


class DepositAddressQuery(Request):
    """On which chain tokens would come."""

    blockchain: Annotated[Blockchain, says("Name of a chain; all lead to the same.", "Solana")]


class DepositAddress(ApiObject):
    """Where tokens would be sent to."""

    address: Annotated[str, says("The account's number: the operator books deposits.", "account-7")]


class WithdrawalsQuery(PageQuery):
    """Which withdrawals are asked for."""

    id: Annotated[Maybe[U64], says("Number of the withdrawal.")] = UNSET
    client_id: Annotated[Maybe[str], says("The client's own name of it.")] = UNSET
    from_: Annotated[Maybe[Milliseconds], says("No earlier than this.", 0)] = field(
        name="from", default=UNSET
    )
    to: Annotated[Maybe[Milliseconds], says("Earlier than this.")] = UNSET


class AccountWithdrawalPayload(Request):
    """Tokens that are to leave."""

    address: Annotated[str, says("Where to; kept and told again, no chain is here.", "home")]
    blockchain: Annotated[Blockchain, says("On which chain; kept and told again.", "Solana")]
    client_id: Annotated[
        Maybe[str | U64], says("The client's own name of it; a number is taken as text.", "w-1")
    ] = UNSET
    quantity: Annotated[Amount, says("Tokens.")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    two_factor_token: Annotated[Maybe[str], says("Taken and passed over.")] = UNSET
    auto_borrow: Annotated[
        Maybe[bool], says("Whether the withdrawal may borrow what the account does not have.")
    ] = UNSET
    auto_lend_redeem: Annotated[
        Maybe[bool], says("Whether lends may be redeemed for the withdrawal.", True)
    ] = UNSET
    recipient_information: Annotated[Maybe[dict[str, Any]], says("Taken and passed over.")] = UNSET


class Withdrawal(ApiObject):
    """Tokens that left."""

    id: Annotated[I32, says("Number of the withdrawal.", 23)]
    blockchain: Annotated[Blockchain, says("The chain that was named.", "Solana")]
    quantity: Annotated[Decimal, says("Tokens.")]
    fee: Annotated[Decimal, says("Always 0.", "0")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    status: Annotated[WithdrawalStatus, says("Always confirmed.", "confirmed")]
    to_address: Annotated[str, says("The address that was named.", "home")]
    created_at: Annotated[NaiveTime, says("When.")]
    is_internal: Annotated[bool, says("Always false.")]
    client_id: Annotated[str | None, says("The client's own name of it.", "w-1")] = None
    identifier: Annotated[None, says("Always null: no chain is behind the market.")] = None
    transaction_hash: Annotated[None, says("Always null: no chain is behind the market.")] = None
    fiat_fee: Annotated[None, says("Always null: no bank is behind the market.")] = None
    fiat_state: Annotated[None, says("Always null: no bank is behind the market.")] = None
    fiat_symbol: Annotated[None, says("Always null: no bank is behind the market.")] = None
    provider_id: Annotated[None, says("Always null: no bank is behind the market.")] = None
    bank_name: Annotated[None, says("Always null: no bank is behind the market.")] = None
    bank_identifier: Annotated[None, says("Always null: no bank is behind the market.")] = None
    account_identifier: Annotated[None, says("Always null: no bank is behind the market.")] = None
    subaccount_id: Annotated[None, says("Always null: no subaccounts here.")] = None
    trigger_at: Annotated[None, says("Always null: withdrawals are not delayed.")] = None


class WithdrawalDelay(ApiObject):
    """How long withdrawals wait: never told, for they do not."""

    current_withdrawal_delay_hours: Annotated[I32 | None, says("Hours that they wait.")] = None
    pending_withdrawal_delay_hours: Annotated[I32 | None, says("Hours that they will.")] = None
    pending_withdrawal_delay_hours_enabled_at: Annotated[
        NaiveTime | None, says("From when on.")
    ] = None


class WithdrawalDelayRequest(Request):
    """How long withdrawals are to wait: refused, for they cannot."""

    withdrawal_delay_hours: Annotated[Maybe[I32], says("Hours to wait.", 24)] = UNSET
    two_factor_token: Annotated[Maybe[str], says("Passed over.")] = UNSET


class SettlementsQuery(PageQuery):
    """Which settlements are asked for."""

    source: Annotated[Maybe[SettlementSourceFilter], says("What they are for.")] = UNSET


class Settlement(ApiObject):
    """What a fee or a stage of liquidation gave or took, valued in USDC."""

    quantity: Annotated[SignedDecimal, says("USDC, below zero where it was taken.", "-1.25")]
    source: Annotated[SettlementSource, says("What it is for.", "TradingFees")]
    timestamp: Annotated[NaiveTime, says("When.")]
    user_id: Annotated[I32, says("Number of the account.", 7)]
    engine_sequence: Annotated[U64, says("Number of the command that settled.", 4211)]
    subaccount_id: Annotated[None, says("Always null: no subaccounts here.")] = None
    position_id: Annotated[None, says("Always null: no futures here.")] = None


class DustQuery(PageQuery):
    """Which conversions are asked for."""

    id: Annotated[Maybe[NumberText], says("Number of the conversion.")] = UNSET
    symbol: Annotated[Maybe[AssetSymbol], says("The asset.", "SOL")] = UNSET


class DustConversion(ApiObject):
    """A balance below the smallest order that was converted into USDC."""

    id: Annotated[U64, says("Number of the conversion.", 19)]
    quantity: Annotated[Decimal, says("Tokens given.", "0.00005")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    usdc_received: Annotated[Decimal, says("USDC received.", "0.0075")]
    timestamp: Annotated[NaiveTime, says("When.")]
