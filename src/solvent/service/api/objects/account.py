"""Account: settings, and the largest borrow, order and withdrawal that would pass now."""

from typing import Annotated

from msgspec import UNSET

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
from solvent.service.api.objects.enums import Side


class AccountSummary(ApiObject):
    """Settings, fees and whether the account is being liquidated."""

    auto_borrow_settlements: Annotated[bool, says("Whether fees and losses may be borrowed.")]
    auto_lend: Annotated[bool, says("Whether what comes in is lent.")]
    auto_realize_pnl: Annotated[bool, says("Always false: no futures here.")]
    auto_repay_borrows: Annotated[bool, says("Whether what comes in repays debts.")]
    borrow_limit: Annotated[Decimal, says("Most USDC that may be borrowed now.", "1000")]
    futures_maker_fee: Annotated[Decimal, says("Always 0: no futures here.", "0")]
    futures_taker_fee: Annotated[Decimal, says("Always 0: no futures here.", "0")]
    leverage_limit: Annotated[Decimal, says("The leverage that the account allows itself.", "10")]
    limit_orders: Annotated[U64, says("Resting orders.", 2)]
    liquidating: Annotated[bool, says("Whether the account is in the waterfall.")]
    position_limit: Annotated[Decimal, says("Always 0: no futures here.", "0")]
    spot_maker_fee: Annotated[SignedDecimal, says("Fee of a resting order, basis points.", "2")]
    spot_taker_fee: Annotated[Decimal, says("Fee of an order that takes, basis points.", "5")]
    trigger_orders: Annotated[U64, says("How many of its orders wait for a price.", 0)]


class UpdateAccountSettingsRequest(Request):
    """Settings to change; those that are absent stay."""

    auto_borrow_settlements: Annotated[
        Maybe[bool], says("Whether fees and losses may be borrowed.")
    ] = UNSET
    auto_lend: Annotated[Maybe[bool], says("Whether what comes in is lent.", True)] = UNSET
    auto_repay_borrows: Annotated[Maybe[bool], says("Whether what comes in repays debts.")] = UNSET
    leverage_limit: Annotated[
        Maybe[Amount], says("The leverage that the account allows itself.", "10")
    ] = UNSET


class MaxBorrowQuery(Request):
    """Which asset is to be borrowed."""

    symbol: Annotated[AssetSymbol, says("The asset.")]


class MaxBorrowQuantity(ApiObject):
    """The largest borrow that would pass."""

    max_borrow_quantity: Annotated[Decimal, says("Tokens.")]
    symbol: Annotated[AssetSymbol, says("The asset.")]


class OrderLimitQuery(Request):
    """An order of no quantity yet: a market order where there is no price."""

    symbol: Annotated[MarketSymbol, says("The market.")]
    side: Annotated[Side, says("Whether to buy or to sell the base asset.", "Bid")]
    price: Annotated[Maybe[Amount], says("Limit in USDC a token.", "150")] = UNSET
    reduce_only: Annotated[
        Maybe[bool], says("Whether the order may only reduce a debt or a balance.")
    ] = UNSET
    auto_borrow: Annotated[
        Maybe[bool], says("Whether the order may borrow what the account does not have.")
    ] = UNSET
    auto_borrow_repay: Annotated[
        Maybe[bool], says("Whether what comes in repays a debt of the same asset.")
    ] = UNSET
    auto_lend_redeem: Annotated[
        Maybe[bool], says("Whether lends may be redeemed to pay for the order.")
    ] = UNSET


class MaxOrderQuantity(ApiObject):
    """The largest order that would pass, and what was asked."""

    max_order_quantity: Annotated[Decimal, says("Base tokens.")]
    side: Annotated[Side, says("Whether to buy or to sell the base asset.", "Bid")]
    symbol: Annotated[MarketSymbol, says("The market.")]
    auto_borrow: Annotated[bool | None, says("As asked.")] = None
    auto_borrow_repay: Annotated[bool | None, says("As asked.")] = None
    auto_lend_redeem: Annotated[bool | None, says("As asked.")] = None
    reduce_only: Annotated[bool | None, says("As asked.")] = None
    price: Annotated[Amount | None, says("As asked.", "150")] = None


class MaxWithdrawalQuery(Request):
    """A withdrawal of no quantity yet."""

    symbol: Annotated[AssetSymbol, says("The asset.")]
    auto_borrow: Annotated[
        Maybe[bool], says("Whether the withdrawal may borrow what the account does not have.")
    ] = UNSET
    auto_lend_redeem: Annotated[
        Maybe[bool], says("Whether lends may be redeemed for the withdrawal.")
    ] = UNSET


class MaxWithdrawalQuantity(ApiObject):
    """The largest withdrawal that would pass, and what was asked."""

    max_withdrawal_quantity: Annotated[Decimal, says("Tokens.")]
    symbol: Annotated[AssetSymbol, says("The asset.")]
    auto_borrow: Annotated[bool | None, says("As asked.")] = None
    auto_lend_redeem: Annotated[bool | None, says("As asked.")] = None


class AccountConvertDustPayload(Request):
    """Which balance below the smallest order is converted into USDC."""

    symbol: Annotated[
        Maybe[AssetSymbol], says("The asset; every one that has dust if absent.", "SOL")
    ] = UNSET
