"""The wallet in kernels: deposit, withdraw, lend, redeem, borrow, repay and dust.

As in `reference.lending.wallet`: a `..._refusal` asks and changes nothing, a deed follows when
nothing refused. The largest amounts that would pass are in `previews`. Where an account owes
nothing its margin is not asked, for nobody without debts and pending borrows has an exposure.
"""

from typing import NamedTuple

from solvent.domain.events import Deposited, DustConverted, Withdrawn
from solvent.domain.labels import Source
from solvent.domain.parameters import MAX_SHARES, MAX_SUPPLY, MAX_VALUE, USDC, PoolState
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INDEX_SCALE
from solvent.engine.ledger import (
    EXTERNAL,
    account_row,
    asset_row,
    available,
    claim_of,
    debt_of,
    highest_mark,
    is_stale,
    lent_total,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.limits import (
    borrow_refusal,
    gated,
    pool_state,
    redeem_refusal,
    risk_refusal,
    rounding_refusal,
)
from solvent.engine.margin import portfolio_of
from solvent.engine.memory.layout import TREASURY
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import is_exposed
from solvent.engine.refusals import refusal_code, refuse
from solvent.engine.units import mul_div_down, value_down
from solvent.engine.waterfall.insolvency import waits_for_booking
from solvent.kernels.language import emit, kernel, narrow, wide


@kernel
def deposit_refusal(s: Store, asset: int, quantity: int) -> int:
    """A deposit may not carry an asset's supply or value past what the columns can hold."""
    largest = largest_deposit(s, asset)
    if quantity > largest:
        s.globals.largest = largest
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.SUPPLY_CAP)
    return 0


@kernel
def largest_deposit(s: Store, asset: int) -> int:
    """The most that `Deposit` would accept now, in atoms."""
    worth = wide(MAX_VALUE) * asset_row(s, asset).value_divisor // max(1, highest_mark(s, asset))
    highest = narrow(min(MAX_SUPPLY, worth))
    return max(0, highest + pool_row(s, asset).external)


@kernel
def deposit(s: Store, account: int, asset: int, quantity: int) -> None:
    """Tokens arrive; settings may repay a debt with them, then lend them."""
    move(s, asset, quantity, EXTERNAL, available(account))
    emit(s, Deposited(account=account, asset=asset, quantity=quantity))
    after_receipt(s, account, asset, quantity, repay_anyway=False)


@kernel
def after_receipt(s: Store, account: int, asset: int, quantity: int, repay_anyway: bool) -> None:
    """What settings do with tokens that just arrived: repay a debt, then lend what is free."""
    holder = account_row(s, account)
    row = position(s, account, asset)
    repays = row.debt_shares != 0 and (repay_anyway or holder.auto_repay_borrows != 0)
    if repays and not waits_for_booking(s, account):
        pools.repay(s, account, asset, quantity, Source.AUTO_BORROW_REPAY)
    free = row.available
    if free and holder.auto_lend and not holder.is_liquidating and not row.debt_shares:
        unfit = lend_form(s, asset, free)
        if not unfit and not lend_refusal(s, account, asset, free):
            pools.lend(s, account, asset, free, Source.AUTO_LEND)


@kernel
def lend_form(s: Store, asset: int, quantity: int) -> int:
    """A lend buys at least one share; an index of 0 is the pool's affair, not the quantity's."""
    if wide(quantity) * INDEX_SCALE < pool_row(s, asset).lend_index:
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.NONE)
    return 0


@kernel
def lend_refusal(s: Store, account: int, asset: int, quantity: int) -> int:
    """Whether the account has the tokens and the pool takes them."""
    row = position(s, account, asset)
    pool = pool_row(s, asset)
    if row.debt_shares:
        return refuse(RejectionCode.LEND_REQUIRES_BORROW_REPAY, Limit.NONE)
    if quantity > row.available:
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.AVAILABLE_BALANCE)
    if pool_state(s, asset) != PoolState.OPEN:
        limit = Limit.STALE_PRICE if is_stale(s, asset) else Limit.POOL_STATE
        return refuse(RejectionCode.LEND_LIMIT, limit)
    if gated(s, asset):
        return refuse(RejectionCode.LEND_LIMIT, Limit.INSOLVENCY_GATE)
    if lent_total(pool) + quantity > asset_row(s, asset).open_borrow_lend_limit:
        return refuse(RejectionCode.LEND_LIMIT, Limit.OPEN_BORROW_LEND_LIMIT)
    room = wide(MAX_SHARES - pool.lend_shares) * pool.lend_index
    if wide(quantity) * INDEX_SCALE > room:
        return refuse(RejectionCode.LEND_LIMIT, Limit.SUPPLY_CAP)
    shares = row.lent_shares + pools.lend_shares_down(s, asset, quantity)
    lent = mul_div_down(shares, pool.lend_index, INDEX_SCALE)
    return _rounding(s, account, asset, quantity + claim_of(s, account, asset) - lent)


@kernel
def _rounding(s: Store, account: int, asset: int, lost: int) -> int:
    """Whether an account may lose `lost` atoms to rounding."""
    if account_row(s, account).debts == 0:
        return 0
    top = s.globals.scratch_top
    after = take(s, 3 * s.globals.assets)
    portfolio_of(s, account, after)
    after[asset] -= lost
    refusal = rounding_refusal(s, after)
    s.globals.scratch_top = top
    return refusal


@kernel
def user_redeem_refusal(s: Store, account: int, asset: int, quantity: int) -> int:
    """Whether the account has the claim and the pool lets it go."""
    if quantity > claim_of(s, account, asset):
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.LENT_CLAIM)
    refusal = redeem_refusal(s, account, asset, quantity)
    if refusal:
        return refusal
    return _rounding(s, account, asset, redeem_rounding(s, account, asset, quantity))


@kernel
def redeem_rounding(s: Store, account: int, asset: int, quantity: int) -> int:
    """Atoms that a redemption of `quantity` takes from the claim beyond itself."""
    shares = pools.claim_shares_up(s, account, asset, quantity)
    left = position(s, account, asset).lent_shares - shares
    claim_left = mul_div_down(left, pool_row(s, asset).lend_index, INDEX_SCALE)
    return claim_of(s, account, asset) - quantity - claim_left


@kernel
def user_borrow_refusal(s: Store, account: int, asset: int, quantity: int) -> int:
    """Whether pool and margin allow a borrow of `quantity`."""
    if claim_of(s, account, asset):
        return refuse(RejectionCode.BORROW_REQUIRES_LEND_REDEEM, Limit.NONE)
    refusal = borrow_refusal(s, account, asset, quantity)
    if refusal:
        return refusal
    assets = s.globals.assets
    top = s.globals.scratch_top
    after = take(s, 3 * assets)
    portfolio_of(s, account, after)
    after[asset] += quantity
    after[assets + asset] = pools.debt_after_borrow(s, account, asset, quantity)
    refusal = risk_refusal(s, account, after)
    s.globals.scratch_top = top
    return refusal


@kernel
def repay_form(s: Store, account: int, asset: int, quantity: int) -> int:
    """A repayment buys back at least one share of the debt, where there is one."""
    shares, _ = pools.repay_shares_down(s, account, asset, quantity)
    if position(s, account, asset).debt_shares and shares == 0:
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.NONE)
    return 0


@kernel
def booking_refusal(s: Store, account: int) -> int:
    """A certainly insolvent account does not choose which of its pools loses less (I38)."""
    if waits_for_booking(s, account):
        return refuse(RejectionCode.ACCOUNT_LIQUIDATING, Limit.INSOLVENCY_GATE)
    return 0


@kernel
def repay_refusal(s: Store, account: int, asset: int, quantity: int) -> int:
    """Repaying is always open, as far as there is a debt and a balance."""
    row = position(s, account, asset)
    if row.debt_shares == 0:
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.OUTSTANDING_DEBT)
    if min(quantity, debt_of(s, account, asset)) > row.available:
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.AVAILABLE_BALANCE)
    return 0


@kernel
def repay(s: Store, account: int, asset: int, quantity: int) -> None:
    """Repay by hand; also allowed while liquidating."""
    pools.repay(s, account, asset, quantity, Source.MANUAL)


class Funding(NamedTuple):
    """How a payment of `quantity` is to be met: free balance, then redemption, then a borrow."""

    account: int
    asset: int
    quantity: int
    redeemed: int
    borrowed: int


@kernel
def funding_of(s: Store, account: int, asset: int, quantity: int) -> Funding:
    """How `account` would meet a payment of `quantity` now."""
    short = max(0, quantity - position(s, account, asset).available)
    redeemed = min(short, claim_of(s, account, asset)) if short else 0
    return Funding(account, asset, quantity, redeemed, short - redeemed)


@kernel
def funding_refusal(s: Store, funding: Funding, redeem: bool, borrow: bool) -> int:
    """Whether the flags, the pool's limits and one-side-per-asset allow it."""
    if funding.redeemed and not redeem:
        if borrow:
            return refuse(RejectionCode.BORROW_REQUIRES_LEND_REDEEM, Limit.NONE)
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.AVAILABLE_BALANCE)
    if funding.borrowed and not borrow:
        limit = Limit.LENT_CLAIM if redeem else Limit.AVAILABLE_BALANCE
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, limit)
    refusal = 0
    if funding.redeemed:
        refusal = redeem_refusal(s, funding.account, funding.asset, funding.redeemed)
    if funding.borrowed:
        other = borrow_refusal(s, funding.account, funding.asset, funding.borrowed)
        if other and (refusal == 0 or refusal_code(other) < refusal_code(refusal)):
            refusal = other
    return refusal


@kernel
def carry_out(s: Store, funding: Funding, source: Source) -> None:
    """Redeem and borrow what was planned, so that the free balance covers the payment."""
    if funding.redeemed:
        pools.redeem(s, funding.account, funding.asset, funding.redeemed, source)
    if funding.borrowed:
        pools.borrow(s, funding.account, funding.asset, funding.borrowed, source)


@kernel
def debt_after(s: Store, funding: Funding) -> int:
    """What the account would owe of the asset after its funding was carried out."""
    return pools.debt_after_borrow(s, funding.account, funding.asset, funding.borrowed)


@kernel
def withdraw_refusal(
    s: Store, account: int, asset: int, quantity: int, redeem: bool, borrow: bool
) -> int:
    """Whether `quantity` can leave: funds, pool limits, then margin on what remains."""
    funding = funding_of(s, account, asset, quantity)
    refusal = funding_refusal(s, funding, redeem, borrow)
    if refusal or not (funding.borrowed or is_exposed(s, account)):
        return refusal
    assets = s.globals.assets
    top = s.globals.scratch_top
    after = take(s, 3 * assets)
    portfolio_of(s, account, after)
    after[asset] -= quantity - funding.borrowed
    if funding.redeemed:
        after[asset] -= redeem_rounding(s, account, asset, funding.redeemed)
    after[assets + asset] = debt_after(s, funding)
    refusal = risk_refusal(s, account, after)
    s.globals.scratch_top = top
    return refusal


@kernel
def withdraw(s: Store, account: int, asset: int, quantity: int) -> None:
    """Tokens leave, redeemed or borrowed first where the balance falls short."""
    carry_out(s, funding_of(s, account, asset, quantity), Source.WITHDRAWAL)
    move(s, asset, quantity, available(account), EXTERNAL)
    emit(s, Withdrawn(account=account, asset=asset, quantity=quantity))


@kernel
def dust_quantity(s: Store, account: int, asset: int) -> int:
    """What `convert dust` would convert: free balance and claim, when below the minimum order."""
    return position(s, account, asset).available + claim_of(s, account, asset)


@kernel
def dust_form(s: Store, account: int, asset: int) -> int:
    """Dust is a balance (with lend) below the market's minimum quantity, worth an atom of USDC."""
    if asset == USDC:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    quantity = dust_quantity(s, account, asset)
    large = quantity >= asset_row(s, asset).min_quantity
    if quantity == 0 or large or dust_value(s, account, asset) == 0:
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.NONE)
    return 0


@kernel
def dust_refusal(s: Store, account: int, asset: int) -> int:
    """Whether dust can be sold: a fresh price, the pool lets go, margin holds, treasury pays."""
    if is_stale(s, asset):
        return refuse(RejectionCode.TRADING_PAUSED, Limit.STALE_PRICE)
    claim = claim_of(s, account, asset)
    if claim:
        unredeemed = redeem_refusal(s, account, asset, claim)
        if unredeemed:
            return unredeemed
    received = dust_value(s, account, asset)
    top = s.globals.scratch_top
    after = take(s, 3 * s.globals.assets)
    portfolio_of(s, account, after)
    after[asset] -= dust_quantity(s, account, asset)
    after[USDC] += received
    refusal = risk_refusal(s, account, after)
    s.globals.scratch_top = top
    if refusal == 0 and received > position(s, TREASURY, USDC).available:
        return refuse(RejectionCode.PRECONDITION_FAILED, Limit.NONE)
    return refusal


@kernel
def dust_value(s: Store, account: int, asset: int) -> int:
    """USDC that an account's dust is worth at the mark, rounded down."""
    quantity = dust_quantity(s, account, asset)
    return value_down(quantity, mark_of(s, asset), asset_row(s, asset))


@kernel
def convert_dust(s: Store, account: int, asset: int) -> None:
    """Sell the dust to the treasury at the mark."""
    claim = claim_of(s, account, asset)
    quantity = dust_quantity(s, account, asset)
    received = dust_value(s, account, asset)
    if claim:
        pools.redeem(s, account, asset, claim, Source.DUST_CONVERSION)
    move(s, asset, quantity, available(account), available(TREASURY))
    move(s, USDC, received, available(TREASURY), available(account))
    emit(s, DustConverted(account=account, asset=asset, quantity=quantity, received=received))
    after_receipt(s, account, USDC, received, repay_anyway=False)
