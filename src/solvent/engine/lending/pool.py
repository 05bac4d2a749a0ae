"""The pool in kernels: lend, redeem, borrow, repay, and what the waterfall does to it.

As in `reference.lending.pool`: each verb carries out one thing that was already found to be
allowed, and shares round so that the pool never loses.
"""

from typing import NamedTuple

from solvent.domain.events import (
    Borrowed,
    ClaimVoided,
    Lent,
    Netted,
    Redeemed,
    Repaid,
)
from solvent.domain.labels import Source
from solvent.domain.parameters import MAX_SHARES
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.engine.ledger import (
    POOL,
    available,
    borrowed_total,
    change_claim,
    change_debt,
    claim_of,
    claim_worth,
    debt_of,
    debt_worth,
    exact_sink,
    lent_total,
    move,
    note_lent,
    note_redeemed,
    pool_row,
    position,
    settle_residue,
)
from solvent.engine.lending.interest import halve_claims
from solvent.engine.memory.layout import TREASURY
from solvent.engine.memory.rows import Pool
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up, mul_div_down, mul_div_up
from solvent.kernels.language import emit, kernel, narrow, wide


@kernel
def redeemable(pool: Pool) -> int:
    """Tokens that lenders could take out now, throttle aside: lent less borrowed."""
    return max(0, lent_total(pool) - borrowed_total(pool))


@kernel
def lend(s: Store, account: int, asset: int, quantity: int, source: Source) -> None:
    """Put `quantity` of the available balance into the pool; see `lend_shares_down`."""
    shares = lend_shares_down(s, asset, quantity)
    move(s, asset, quantity, available(account), POOL)
    change_claim(s, account, asset, shares)
    settle_residue(s, asset)
    note_lent(s, account, asset, quantity)
    emit(s, Lent(account=account, asset=asset, quantity=quantity, shares=shares, source=source))


@kernel
def lend_shares_down(s: Store, asset: int, quantity: int) -> int:
    """Shares that a lend of `quantity` buys; 0 when it is less than one share's worth."""
    index = pool_row(s, asset).lend_index
    return mul_div_down(quantity, INDEX_SCALE, index) if index else 0


@kernel
def redeem(s: Store, account: int, asset: int, quantity: int, source: Source) -> int:
    """Take `quantity` (at most the claim and the pool's redeemable cash) out; return the shares."""
    shares = claim_shares_up(s, account, asset, quantity)
    move(s, asset, quantity, POOL, available(account))
    change_claim(s, account, asset, -shares)
    settle_residue(s, asset)
    note_redeemed(s, account, asset, quantity)
    emit(s, Redeemed(account=account, asset=asset, quantity=quantity, shares=shares, source=source))
    return shares


@kernel
def claim_shares_up(s: Store, account: int, asset: int, quantity: int) -> int:
    """Shares that `quantity` of an account's claim costs; all where less than an atom is left."""
    return shares_up(pool_row(s, asset), position(s, account, asset).lent_shares, quantity)


@kernel
def shares_up(pool: Pool, held: int, quantity: int) -> int:
    """As `claim_shares_up`, of a claim of `held` shares."""
    if quantity >= claim_worth(pool, held):
        return held
    shares = mul_div_up(quantity, INDEX_SCALE, pool.lend_index)
    return shares if claim_worth(pool, held - shares) else held


@kernel
def shares_down(pool: Pool, held: int, quantity: int) -> int:
    """Shares that are worth at most `quantity` of a claim of `held`; all for the whole claim."""
    if quantity >= claim_worth(pool, held):
        return held
    return mul_div_down(quantity, INDEX_SCALE, pool.lend_index)


@kernel
def void_dust(s: Store, account: int, asset: int) -> int:
    """Burn shares of a claim worth less than an atom, so that they never block the other side.

    Returns how many there were, for `say_voided`, which comes once the cause has been said.
    """
    shares = position(s, account, asset).lent_shares
    if shares == 0 or claim_of(s, account, asset):
        return 0
    change_claim(s, account, asset, -shares)
    settle_residue(s, asset)
    return shares


@kernel
def say_voided(s: Store, account: int, asset: int, shares: int) -> None:
    """Write down that shares were burnt, if any were."""
    if shares:
        emit(s, ClaimVoided(account=account, asset=asset, shares=shares))


class BorrowTerms(NamedTuple):
    """What a borrow leads to: shares of debt, the pool's borrowed and lent."""

    shares: int
    borrowed: int
    lent: int


@kernel
def borrow_terms(s: Store, account: int, asset: int, quantity: int) -> BorrowTerms:
    """Terms of a borrow by an account whose own claim, if any, leaves the pool first."""
    own = position(s, account, asset).lent_shares
    return pool_terms(pool_row(s, asset), own, quantity)


@kernel
def pool_terms(pool: Pool, own: int, quantity: int) -> BorrowTerms:
    """Terms of a borrow from `pool` as it is or would be, once `own` lent shares left it."""
    lent = claim_worth(pool, pool.lend_shares - own)
    shares = mul_div_up(quantity, INDEX_SCALE, pool.debt_index)
    borrowed = debt_worth(pool, pool.debt_shares + shares)
    return BorrowTerms(shares, borrowed, lent)


@kernel
def debt_after_borrow(s: Store, account: int, asset: int, quantity: int) -> int:
    """What an account would owe after borrowing `quantity`, rounding included."""
    if quantity == 0:
        return debt_of(s, account, asset)
    shares = borrow_terms(s, account, asset, quantity).shares
    held = position(s, account, asset).debt_shares
    return mul_div_up(held + shares, pool_row(s, asset).debt_index, INDEX_SCALE)


@kernel
def lent_after_redeem(s: Store, account: int, asset: int, quantity: int) -> int:
    """All claims on the pool after an account redeemed `quantity`."""
    pool = pool_row(s, asset)
    shares = claim_shares_up(s, account, asset, quantity)
    return claim_worth(pool, pool.lend_shares - shares)


@kernel
def borrow(s: Store, account: int, asset: int, quantity: int, source: Source) -> None:
    """Take `quantity` out of the pool as a debt."""
    voided = void_dust(s, account, asset)
    shares = borrow_terms(s, account, asset, quantity).shares
    move(s, asset, quantity, POOL, available(account))
    change_debt(s, account, asset, shares)
    settle_residue(s, asset)
    emit(s, Borrowed(account=account, asset=asset, quantity=quantity, shares=shares, source=source))
    say_voided(s, account, asset, voided)


@kernel
def repay(s: Store, account: int, asset: int, quantity: int, source: Source) -> int:
    """Pay up to `quantity` of the debt from the available balance; return what was paid."""
    shares, cost = repay_shares_down(s, account, asset, quantity)
    if shares == 0:
        return 0
    move(s, asset, cost, available(account), POOL)
    change_debt(s, account, asset, -shares)
    settle_residue(s, asset)
    emit(s, Repaid(account=account, asset=asset, quantity=cost, shares=shares, source=source))
    return cost


@kernel
def repay_shares_down(s: Store, account: int, asset: int, quantity: int) -> tuple[int, int]:
    """Shares that `quantity` repays and what exactly they cost."""
    return repaid_by(pool_row(s, asset), position(s, account, asset).debt_shares, quantity)


@kernel
def repaid_by(pool: Pool, held: int, quantity: int) -> tuple[int, int]:
    """As `repay_shares_down`, of a debt of `held` shares."""
    debt = debt_worth(pool, held)
    if quantity >= debt:
        return held, debt
    shares = min(held, mul_div_down(quantity, INDEX_SCALE, pool.debt_index))
    return shares, debt_worth(pool, shares)


@kernel
def transfer_claim(
    s: Store, asset: int, shares: int, giver: int, receiver: int, source: Source
) -> None:
    """Hand shares of a claim from one account to another, where they cancel against its debt."""
    pool = pool_row(s, asset)
    unpaid = pool.unpaid
    change_claim(s, giver, asset, -shares)
    change_claim(s, receiver, asset, shares)
    # All claims are as they were, and so is what is carried for them.
    pool.unpaid = unpaid
    net_out(s, receiver, asset, source)


@kernel
def debt_shares_up(s: Store, account: int, asset: int, quantity: int) -> int:
    """Whole shares that `quantity` of an account's debt is, rounded up for the account."""
    held = position(s, account, asset).debt_shares
    return min(held, mul_div_up(quantity, INDEX_SCALE, pool_row(s, asset).debt_index))


@kernel
def transfer_debt(
    s: Store, asset: int, shares: int, giver: int, receiver: int, source: Source
) -> None:
    """Move shares of a debt to another account, where they cancel against its claim."""
    change_debt(s, giver, asset, -shares)
    change_debt(s, receiver, asset, shares)
    net_out(s, receiver, asset, source)


@kernel
def net_out(s: Store, account: int, asset: int, source: Source) -> None:
    """Cancel an account's claim against its debt in one asset, as far as both reach."""
    debt = debt_of(s, account, asset)
    if debt:
        say_voided(s, account, asset, void_dust(s, account, asset))
    quantity = min(claim_of(s, account, asset), debt)
    if quantity == 0:
        return
    claim_shares, debt_shares = cancel(s, asset, quantity, account, account)
    emit(
        s,
        Netted(
            account=account,
            asset=asset,
            quantity=quantity,
            claim_shares=claim_shares,
            debt_shares=debt_shares,
            source=source,
        ),
    )


@kernel
def cancel(s: Store, asset: int, quantity: int, lender: int, borrower: int) -> tuple[int, int]:
    """Let a claim and a debt fall by the same quantity, no cash moving.

    Returns the claim's and the debt's shares, the former rounded up and the latter down.
    """
    claim_shares = claim_shares_up(s, lender, asset, quantity)
    debt_shares, _ = repay_shares_down(s, borrower, asset, quantity)
    change_claim(s, lender, asset, -claim_shares)
    change_debt(s, borrower, asset, -debt_shares)
    settle_residue(s, asset)
    return claim_shares, debt_shares


@kernel
def claim_fees(s: Store, asset: int, quantity: int) -> None:
    """Turn up to `quantity` of the pool's fees, then sink, into a claim of the treasury."""
    pool = pool_row(s, asset)
    room = wide(max(0, MAX_SHARES - pool.lend_shares)) * pool.lend_index // INDEX_SCALE
    claimable = narrow(min(wide(min(quantity, pool.fees + pool.sink)), room))
    shares = lend_shares_down(s, asset, claimable)
    if shares == 0:
        return
    change_claim(s, TREASURY, asset, shares)
    minted = mul_div_up(shares, pool.lend_index, INDEX_SCALE)
    from_fees = min(minted, pool.fees)
    pool.fees -= from_fees
    pool.sink -= minted - from_fees
    settle_residue(s, asset)
    emit(
        s,
        Lent(
            account=TREASURY,
            asset=asset,
            quantity=minted,
            shares=shares,
            source=Source.RECONCILIATION,
        ),
    )


@kernel
def write_down(s: Store, asset: int, fees: int, treasury: int, residue: int, lenders: int) -> None:
    """Take a loss by which debts have fallen already from those who bear it, in atoms.

    The pool's fees, what the treasury gives back of collected ones, the residue, and the lenders,
    whose index falls. A pool whose claims are worth nothing after it is to `renew`.
    """
    pool = pool_row(s, asset)
    move(s, asset, treasury, available(TREASURY), POOL)
    if lenders:
        pool.lend_index = index_less(pool, lenders)
    pool.fees -= fees
    if exact_sink(pool) < 0:
        pool.unpaid = 0
        pool.fee_part = 0
        pool.interest_part -= pool.interest_part % RATIO
        if exact_sink(pool) < 0:
            pool.lend_index = 0
    left = wide(pool.sink - min(pool.sink, residue))
    pool.sink = narrow(min(left, exact_sink(pool) // INDEX_SCALE))
    pool.deficit += lenders
    settle_residue(s, asset)


@kernel
def index_less(pool: Pool, loss: int) -> int:
    """The lend index once claims fell by `loss` atoms, of all there are at most."""
    fall = divide_up(wide(loss) * INDEX_SCALE, pool.lend_shares)
    return narrow(max(0, pool.lend_index - fall))


@kernel
def renew(s: Store, asset: int) -> None:
    """After a loss: the pool lives on, with shares that are worth something.

    Those that are worth nothing end, and the index begins at one.
    """
    pool = pool_row(s, asset)
    if lent_total(pool):
        halve_claims(s, asset)
    else:
        for account in range(s.globals.accounts):
            say_voided(s, account, asset, void_dust(s, account, asset))
        pool.lend_index = INDEX_SCALE
