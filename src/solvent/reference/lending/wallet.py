"""The wallet: deposit, withdraw, lend, redeem, borrow, repay, dust, settings and commitments.

Each verb has one shape: a `..._refusal` that asks and changes nothing, and a verb that runs only
when nothing refused. The largest amount that would pass is found by asking the refusal again, so
`largest_*` previews and execution cannot differ.

Specification: sections 6.1, 6.5.
"""

from solvent.domain.events import Deposited, DustConverted, Withdrawn
from solvent.domain.labels import Source
from solvent.domain.parameters import MAX_SHARES, MAX_SUPPLY, MAX_VALUE, USDC, PoolState
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import INDEX_SCALE, INT64_MAX, value_divisor, value_down
from solvent.reference.ledger import (
    EXTERNAL,
    available,
    claim_of,
    debt_of,
    lent_total,
    move,
)
from solvent.reference.lending import pool as pools
from solvent.reference.limits import (
    borrow_refusal,
    gated,
    largest_passing,
    pool_state,
    redeem_refusal,
    risk_refusal,
    rounding_refusal,
)
from solvent.reference.margin import portfolio_of
from solvent.reference.state import TREASURY, State
from solvent.reference.waterfall.insolvency import waits_for_booking


def deposit_refusal(state: State, asset: int, quantity: int) -> Refusal | None:
    """A deposit may not carry an asset's supply or value past what the columns can hold."""
    largest = largest_deposit(state, asset)
    if quantity > largest:
        return Refusal(RejectionCode.INVALID_QUANTITY, Limit.SUPPLY_CAP, largest)
    return None


def largest_deposit(state: State, asset: int) -> int:
    """The most that `Deposit` would accept now.

    Its value has to fit at the highest price that no quote could stop any more.
    """
    divisor = value_divisor(state.asset(asset).decimals)
    highest = min(MAX_SUPPLY, MAX_VALUE * divisor // max(1, state.highest_mark(asset)))
    # The external balance is what all accounts and pools hold, negated.
    return max(0, highest + state.external[asset])


def deposit(state: State, account: int, asset: int, quantity: int) -> None:
    """Tokens arrive; settings may repay a debt with them, then lend them."""
    move(state, asset, quantity, EXTERNAL, available(account))
    state.emit(Deposited(account, asset, quantity))
    after_receipt(state, account, asset, quantity)


def after_receipt(
    state: State, account: int, asset: int, quantity: int, *, repay_anyway: bool = False
) -> None:
    """What settings do with tokens that just arrived: repay a debt, then lend what is free."""
    holder = state.accounts[account]
    owes = holder.debt_shares[asset] and not waits_for_booking(state, account)
    if (repay_anyway or holder.auto_repay_borrows) and owes:
        pools.repay(state, account, asset, quantity, Source.AUTO_BORROW_REPAY)
    # The repayment comes first: an account with a debt left has no claim beside it.
    if holder.auto_lend and account not in state.liquidating and not holder.debt_shares[asset]:
        free = holder.available[asset]
        refused = lend_form(state, asset, free) or lend_refusal(state, account, asset, free)
        if free and refused is None:
            pools.lend(state, account, asset, free, Source.AUTO_LEND)


def lend_form(state: State, asset: int, quantity: int) -> Refusal | None:
    """A lend buys at least one share; an index of 0 is the pool's affair, not the quantity's."""
    if quantity * INDEX_SCALE < state.pools[asset].lend_index:
        return Refusal(RejectionCode.INVALID_QUANTITY)
    return None


def lend_refusal(state: State, account: int, asset: int, quantity: int) -> Refusal | None:
    """Whether the account has the tokens and the pool takes them."""
    holder = state.accounts[account]
    pool = state.pools[asset]
    if holder.debt_shares[asset]:
        return Refusal(RejectionCode.LEND_REQUIRES_BORROW_REPAY)
    if quantity > holder.available[asset]:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.AVAILABLE_BALANCE)
    if pool_state(state, asset) is not PoolState.OPEN:
        limit = Limit.STALE_PRICE if state.prices[asset].stale else Limit.POOL_STATE
        return Refusal(RejectionCode.LEND_LIMIT, limit)
    if gated(state, asset):
        return Refusal(RejectionCode.LEND_LIMIT, Limit.INSOLVENCY_GATE)
    if lent_total(pool) + quantity > state.asset(asset).pool.open_borrow_lend_limit:
        return Refusal(RejectionCode.LEND_LIMIT, Limit.OPEN_BORROW_LEND_LIMIT)
    if quantity * INDEX_SCALE > (MAX_SHARES - pool.lend_shares) * pool.lend_index:
        return Refusal(RejectionCode.LEND_LIMIT, Limit.SUPPLY_CAP)
    shares = pools.lend_shares_down(state, asset, quantity)
    after = portfolio_of(state, account)
    after.quantities[asset] -= quantity + claim_of(state, account, asset)
    after.quantities[asset] += (holder.lent_shares[asset] + shares) * pool.lend_index // INDEX_SCALE
    return rounding_refusal(state, after)


def user_redeem_refusal(state: State, account: int, asset: int, quantity: int) -> Refusal | None:
    """Whether the account has the claim and the pool lets it go."""
    if quantity > claim_of(state, account, asset):
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.LENT_CLAIM)
    refusal = redeem_refusal(state, account, asset, quantity)
    if refusal is not None:
        return refusal
    after = portfolio_of(state, account)
    after.quantities[asset] -= redeem_rounding(state, account, asset, quantity)
    return rounding_refusal(state, after)


def redeem_rounding(state: State, account: int, asset: int, quantity: int) -> int:
    """Atoms that a redemption of `quantity` takes from the claim beyond itself."""
    shares = pools.claim_shares_up(state, account, asset, quantity)
    left = state.accounts[account].lent_shares[asset] - shares
    claim_left = left * state.pools[asset].lend_index // INDEX_SCALE
    return claim_of(state, account, asset) - quantity - claim_left


def user_borrow_refusal(state: State, account: int, asset: int, quantity: int) -> Refusal | None:
    """Whether pool and margin allow a borrow of `quantity` (A13)."""
    if claim_of(state, account, asset):
        return Refusal(RejectionCode.BORROW_REQUIRES_LEND_REDEEM)
    refusal = borrow_refusal(state, account, asset, quantity)
    if refusal is not None:
        return refusal
    after = portfolio_of(state, account)
    after.quantities[asset] += quantity
    after.debts[asset] = pools.debt_after_borrow(state, account, asset, quantity)
    return risk_refusal(state, account, after)


def repay_form(state: State, account: int, asset: int, quantity: int) -> Refusal | None:
    """A repayment buys back at least one share of the debt, where there is one."""
    owes = state.accounts[account].debt_shares[asset]
    if owes and pools.repay_shares_down(state, account, asset, quantity)[0] == 0:
        return Refusal(RejectionCode.INVALID_QUANTITY)
    return None


def booking_refusal(state: State, account: int) -> Refusal | None:
    """A certainly insolvent account does not choose which of its pools loses less (I38)."""
    if waits_for_booking(state, account):
        return Refusal(RejectionCode.ACCOUNT_LIQUIDATING, Limit.INSOLVENCY_GATE)
    return None


def repay_refusal(state: State, account: int, asset: int, quantity: int) -> Refusal | None:
    """Repaying is always open, as far as there is a debt and a balance."""
    holder = state.accounts[account]
    if holder.debt_shares[asset] == 0:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.OUTSTANDING_DEBT)
    if min(quantity, debt_of(state, account, asset)) > holder.available[asset]:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.AVAILABLE_BALANCE)
    return None


def repay(state: State, account: int, asset: int, quantity: int) -> None:
    """Repay by hand; also allowed while liquidating."""
    pools.repay(state, account, asset, quantity, Source.MANUAL)


class Funding:
    """How a payment of `quantity` is to be met: free balance, then redemption, then a borrow."""

    def __init__(self, state: State, account: int, asset: int, quantity: int) -> None:
        self.state = state
        self.account = account
        self.asset = asset
        self.quantity = quantity
        free = state.accounts[account].available[asset]
        short = max(0, quantity - free)
        self.redeemed = min(short, claim_of(state, account, asset))
        self.borrowed = short - self.redeemed

    def refusal(self, *, redeem: bool, borrow: bool) -> Refusal | None:
        """Whether the flags, the pool's limits and one-side-per-asset allow it."""
        if self.redeemed and not redeem:
            if borrow:
                return Refusal(RejectionCode.BORROW_REQUIRES_LEND_REDEEM)
            return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.AVAILABLE_BALANCE)
        if self.borrowed and not borrow:
            limit = Limit.LENT_CLAIM if redeem else Limit.AVAILABLE_BALANCE
            return Refusal(RejectionCode.INSUFFICIENT_FUNDS, limit)
        refusals = []
        if self.redeemed:
            refusals.append(redeem_refusal(self.state, self.account, self.asset, self.redeemed))
        if self.borrowed:
            refusals.append(borrow_refusal(self.state, self.account, self.asset, self.borrowed))
        # The code decides which of both refusals is told, not the order of the steps.
        found = [refusal for refusal in refusals if refusal is not None]
        return min(found, key=lambda refusal: refusal.code, default=None)

    def carry_out(self, source: Source) -> None:
        """Redeem and borrow what was planned, so that the free balance covers the payment."""
        if self.redeemed:
            pools.redeem(self.state, self.account, self.asset, self.redeemed, source)
        if self.borrowed:
            pools.borrow(self.state, self.account, self.asset, self.borrowed, source)

    def debt_after(self) -> int:
        """What the account would owe of the asset afterwards."""
        return pools.debt_after_borrow(self.state, self.account, self.asset, self.borrowed)


def withdraw_refusal(
    state: State, account: int, asset: int, quantity: int, *, redeem: bool, borrow: bool
) -> Refusal | None:
    """Whether `quantity` can leave: funds, pool limits, then margin on what remains."""
    funding = Funding(state, account, asset, quantity)
    refusal = funding.refusal(redeem=redeem, borrow=borrow)
    if refusal is not None:
        return refusal
    after = portfolio_of(state, account)
    after.quantities[asset] -= quantity - funding.borrowed
    if funding.redeemed:
        after.quantities[asset] -= redeem_rounding(state, account, asset, funding.redeemed)
    after.debts[asset] = funding.debt_after()
    return risk_refusal(state, account, after)


def withdraw(state: State, account: int, asset: int, quantity: int) -> None:
    """Tokens leave, redeemed or borrowed first where the balance falls short."""
    Funding(state, account, asset, quantity).carry_out(Source.WITHDRAWAL)
    move(state, asset, quantity, available(account), EXTERNAL)
    state.emit(Withdrawn(account, asset, quantity))


def dust_quantity(state: State, account: int, asset: int) -> int:
    """What `convert dust` would convert: free balance and claim, when below the minimum order."""
    return state.accounts[account].available[asset] + claim_of(state, account, asset)


def dust_form(state: State, account: int, asset: int) -> Refusal | None:
    """Dust is a balance (with lend) below the market's minimum quantity, worth an atom of USDC."""
    market = state.asset(asset).market
    if asset == USDC or market is None:
        return Refusal(RejectionCode.INVALID_ASSET)
    quantity = dust_quantity(state, account, asset)
    if quantity == 0 or quantity >= market.min_quantity or dust_value(state, account, asset) == 0:
        return Refusal(RejectionCode.INVALID_QUANTITY)
    return None


def dust_refusal(state: State, account: int, asset: int) -> Refusal | None:
    """Whether dust can be sold: a fresh price, the pool lets go, margin holds, treasury pays."""
    if state.prices[asset].stale:
        return Refusal(RejectionCode.TRADING_PAUSED, Limit.STALE_PRICE)
    claim = claim_of(state, account, asset)
    if claim:
        refusal = redeem_refusal(state, account, asset, claim)
        if refusal is not None:
            return refusal
    received = dust_value(state, account, asset)
    after = portfolio_of(state, account)
    after.quantities[asset] -= dust_quantity(state, account, asset)
    after.quantities[USDC] += received
    refusal = risk_refusal(state, account, after)
    # Last, since it says something of the treasury and nothing of the account.
    if refusal is None and received > state.accounts[TREASURY].available[USDC]:
        return Refusal(RejectionCode.PRECONDITION_FAILED)
    return refusal


def dust_value(state: State, account: int, asset: int) -> int:
    """USDC that an account's dust is worth at the mark, rounded down."""
    quantity = dust_quantity(state, account, asset)
    return value_down(quantity, state.mark(asset), state.asset(asset).decimals)


def convert_dust(state: State, account: int, asset: int) -> None:
    """Sell the dust to the treasury at the mark."""
    claim = claim_of(state, account, asset)
    quantity = dust_quantity(state, account, asset)
    received = dust_value(state, account, asset)
    if claim:
        pools.redeem(state, account, asset, claim, Source.DUST_CONVERSION)
    move(state, asset, quantity, available(account), available(TREASURY))
    move(state, USDC, received, available(TREASURY), available(account))
    state.emit(DustConverted(account, asset, quantity, received))
    after_receipt(state, account, USDC, received)


def largest_lend(state: State, account: int, asset: int) -> int:
    """The most that `Lend` would accept now."""
    largest = largest_passing(
        lambda quantity: lend_refusal(state, account, asset, quantity) is None,
        state.accounts[account].available[asset],
    )
    return largest if lend_form(state, asset, largest) is None else 0


def largest_redeem(state: State, account: int, asset: int) -> int:
    """The most that `Redeem` would accept now (max-redeem)."""
    return largest_passing(
        lambda quantity: user_redeem_refusal(state, account, asset, quantity) is None,
        claim_of(state, account, asset),
    )


def largest_borrow(state: State, account: int, asset: int) -> int:
    """The most that `Borrow` would accept now (max-borrow)."""
    return largest_passing(
        lambda quantity: user_borrow_refusal(state, account, asset, quantity) is None,
        pools.redeemable(state.pools[asset]),
    )


def largest_repay(state: State, account: int, asset: int) -> int:
    """The most that `Repay` would accept now: the debt, or the balance where that is less."""
    if waits_for_booking(state, account):
        return 0
    largest = min(debt_of(state, account, asset), state.accounts[account].available[asset])
    return largest if repay_form(state, account, asset, largest) is None else 0


def largest_withdraw(state: State, account: int, asset: int, *, redeem: bool, borrow: bool) -> int:
    """The most that `Withdraw` would accept now with these flags (max-withdraw)."""
    holder = state.accounts[account]
    high = holder.available[asset]
    if redeem:
        high += claim_of(state, account, asset)
    if borrow:
        high += pools.redeemable(state.pools[asset])
    return largest_passing(
        lambda quantity: (
            withdraw_refusal(state, account, asset, quantity, redeem=redeem, borrow=borrow) is None
        ),
        min(high, INT64_MAX),
    )
