"""The pool: lend, redeem, borrow, repay, and what the waterfall does to claims and debts.

Each verb here carries out one thing that was already found to be allowed: it turns a quantity into
shares, moves the tokens, and settles the residue. Shares round so that the pool never loses: fewer
for a lend, more for a redemption, more for a borrow, fewer for a repayment.

    claim = shares * lend index (down)        debt = shares * debt index (up)

A share is worth at most an atom, so a lend or a repayment moves what it says, to the atom. Indices
move by `interest` and by losses alone.

Specification: section 5.1.
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
from solvent.domain.units import (
    INDEX_SCALE,
    RATIO,
    divide_up,
    mul_div_down,
    mul_div_up,
)
from solvent.reference.ledger import (
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
    settle_residue,
)
from solvent.reference.lending.interest import halve_claims
from solvent.reference.state import TREASURY, Pool, State


def redeemable(pool: Pool) -> int:
    """Tokens that lenders could take out now, throttle aside: lent less borrowed (A4)."""
    return max(0, lent_total(pool) - borrowed_total(pool))


def lend(state: State, account: int, asset: int, quantity: int, source: Source) -> None:
    """Put `quantity` of the available balance into the pool; see `lend_shares_down`."""
    shares = lend_shares_down(state, asset, quantity)
    move(state, asset, quantity, available(account), POOL)
    change_claim(state, account, asset, shares)
    settle_residue(state, asset)
    note_lent(state, account, asset, quantity)
    state.emit(Lent(account, asset, quantity, shares, source))


def lend_shares_down(state: State, asset: int, quantity: int) -> int:
    """Shares that a lend of `quantity` buys; 0 when it is less than one share's worth."""
    index = state.pools[asset].lend_index
    # A pool whose claims were written off to nothing has index 0 until it restarts.
    return mul_div_down(quantity, INDEX_SCALE, index) if index else 0


def redeem(state: State, account: int, asset: int, quantity: int, source: Source) -> int:
    """Take `quantity` (at most the claim and the pool's redeemable cash) out; return the shares."""
    assert 0 < quantity <= claim_of(state, account, asset), "a claim is redeemed, no more"
    shares = claim_shares_up(state, account, asset, quantity)
    move(state, asset, quantity, POOL, available(account))
    change_claim(state, account, asset, -shares)
    settle_residue(state, asset)
    note_redeemed(state, account, asset, quantity)
    state.emit(Redeemed(account, asset, quantity, shares, source))
    return shares


def claim_shares_up(state: State, account: int, asset: int, quantity: int) -> int:
    """Shares that `quantity` of an account's claim costs; all where less than an atom is left."""
    return shares_up(state.pools[asset], state.accounts[account].lent_shares[asset], quantity)


def shares_up(pool: Pool, held: int, quantity: int) -> int:
    """As `claim_shares_up`, of a claim of `held` shares."""
    if quantity >= claim_worth(pool, held):
        return held
    shares = mul_div_up(quantity, INDEX_SCALE, pool.lend_index)
    # Shares worth less than an atom would block the account's other side, so they go too.
    return shares if claim_worth(pool, held - shares) else held


def shares_down(pool: Pool, held: int, quantity: int) -> int:
    """Shares that are worth at most `quantity` of a claim of `held`; all for the whole claim."""
    if quantity >= claim_worth(pool, held):
        return held
    return mul_div_down(quantity, INDEX_SCALE, pool.lend_index)


def void_dust(state: State, account: int, asset: int) -> int:
    """Burn shares of a claim worth less than an atom, so that they never block the other side.

    Returns how many there were, for `say_voided`, which comes once the cause has been said.
    """
    shares = state.accounts[account].lent_shares[asset]
    if not shares or claim_of(state, account, asset):
        return 0
    change_claim(state, account, asset, -shares)
    settle_residue(state, asset)
    return shares


def say_voided(state: State, account: int, asset: int, shares: int) -> None:
    """Write down that shares were burnt, if any were."""
    if shares:
        state.emit(ClaimVoided(account, asset, shares))


class BorrowTerms(NamedTuple):
    """What a borrow leads to: shares of debt, the pool's borrowed and lent."""

    shares: int
    borrowed: int
    lent: int


def borrow_terms(state: State, account: int, asset: int, quantity: int) -> BorrowTerms:
    """Terms of a borrow by an account whose own claim, if any, leaves the pool first.

    Check and execution both ask here, so they cannot differ.
    """
    own = state.accounts[account].lent_shares[asset]
    return pool_terms(state.pools[asset], own, quantity)


def pool_terms(pool: Pool, own: int, quantity: int) -> BorrowTerms:
    """Terms of a borrow from `pool` as it is or would be, once `own` lent shares left it."""
    lent = claim_worth(pool, pool.lend_shares - own)
    shares = mul_div_up(quantity, INDEX_SCALE, pool.debt_index)
    borrowed = debt_worth(pool, pool.debt_shares + shares)
    return BorrowTerms(shares, borrowed, lent)


def debt_after_borrow(state: State, account: int, asset: int, quantity: int) -> int:
    """What an account would owe after borrowing `quantity`, rounding included."""
    if quantity == 0:
        return debt_of(state, account, asset)
    shares = borrow_terms(state, account, asset, quantity).shares
    held = state.accounts[account].debt_shares[asset]
    return mul_div_up(held + shares, state.pools[asset].debt_index, INDEX_SCALE)


def lent_after_redeem(state: State, account: int, asset: int, quantity: int) -> int:
    """All claims on the pool after an account redeemed `quantity`."""
    pool = state.pools[asset]
    shares = claim_shares_up(state, account, asset, quantity)
    return claim_worth(pool, pool.lend_shares - shares)


def borrow(state: State, account: int, asset: int, quantity: int, source: Source) -> None:
    """Take `quantity` out of the pool as a debt."""
    # The terms count the claim as gone, so its dust leaves before they are asked for.
    voided = void_dust(state, account, asset)
    shares = borrow_terms(state, account, asset, quantity).shares
    move(state, asset, quantity, POOL, available(account))
    change_debt(state, account, asset, shares)
    settle_residue(state, asset)
    state.emit(Borrowed(account, asset, quantity, shares, source))
    say_voided(state, account, asset, voided)


def repay(state: State, account: int, asset: int, quantity: int, source: Source) -> int:
    """Pay up to `quantity` of the debt from the available balance; return what was paid.

    Only whole shares can be repaid, and only their cost is taken, so that nothing is paid for less
    than a share.
    """
    shares, cost = repay_shares_down(state, account, asset, quantity)
    if shares == 0:
        return 0
    move(state, asset, cost, available(account), POOL)
    change_debt(state, account, asset, -shares)
    settle_residue(state, asset)
    state.emit(Repaid(account, asset, cost, shares, source))
    return cost


def repay_shares_down(state: State, account: int, asset: int, quantity: int) -> tuple[int, int]:
    """Shares that `quantity` repays and what exactly they cost."""
    return repaid_by(state.pools[asset], state.accounts[account].debt_shares[asset], quantity)


def repaid_by(pool: Pool, held: int, quantity: int) -> tuple[int, int]:
    """As `repay_shares_down`, of a debt of `held` shares."""
    debt = debt_worth(pool, held)
    if quantity >= debt:
        return held, debt
    shares = min(held, mul_div_down(quantity, INDEX_SCALE, pool.debt_index))
    return shares, debt_worth(pool, shares)


def transfer_claim(
    state: State, asset: int, shares: int, giver: int, receiver: int, source: Source
) -> None:
    """Hand shares of a claim from one account to another.

    A receiver that owes the asset repays at once: claim and debt cancel inside the pool.
    """
    pool = state.pools[asset]
    unpaid = pool.unpaid
    change_claim(state, giver, asset, -shares)
    change_claim(state, receiver, asset, shares)
    # All claims are as they were, and so is what is carried for them.
    pool.unpaid = unpaid
    net_out(state, receiver, asset, source)


def debt_shares_up(state: State, account: int, asset: int, quantity: int) -> int:
    """Whole shares that `quantity` of an account's debt is, rounded up for the account."""
    held = state.accounts[account].debt_shares[asset]
    return min(held, mul_div_up(quantity, INDEX_SCALE, state.pools[asset].debt_index))


def transfer_debt(
    state: State, asset: int, shares: int, giver: int, receiver: int, source: Source
) -> None:
    """Move shares of a debt to another account, where they cancel against its claim."""
    change_debt(state, giver, asset, -shares)
    change_debt(state, receiver, asset, shares)
    net_out(state, receiver, asset, source)


def net_out(state: State, account: int, asset: int, source: Source) -> None:
    """Cancel an account's claim against its debt in one asset, as far as both reach.

    No token moves; the pool's lent and borrowed fall together. One side per asset holds after.
    """
    debt = debt_of(state, account, asset)
    if debt:
        say_voided(state, account, asset, void_dust(state, account, asset))
    quantity = min(claim_of(state, account, asset), debt)
    if quantity == 0:
        return
    shares = cancel(state, asset, quantity, lender=account, borrower=account)
    state.emit(Netted(account, asset, quantity, *shares, source))


def cancel(
    state: State, asset: int, quantity: int, *, lender: int, borrower: int
) -> tuple[int, int]:
    """Let a claim and a debt fall by the same quantity, no cash moving (A9, I25).

    Returns the claim's and the debt's shares. The claim's round up and the debt's down, so the
    difference of at most a share's worth stays in the pool.
    """
    claim_shares = claim_shares_up(state, lender, asset, quantity)
    debt_shares, _ = repay_shares_down(state, borrower, asset, quantity)
    change_claim(state, lender, asset, -claim_shares)
    change_debt(state, borrower, asset, -debt_shares)
    settle_residue(state, asset)
    return claim_shares, debt_shares


def claim_fees(state: State, asset: int, quantity: int) -> None:
    """Turn up to `quantity` of the pool's fees, then sink, into a claim of the treasury.

    Debts can exceed claims by what fees and sink hold; a debt that must be settled with lenders
    then finds one. No more than the shares that there can be, where they are worth little.
    """
    pool = state.pools[asset]
    # Interest that doubles shares can take them beyond what a lend may.
    room = max(0, MAX_SHARES - pool.lend_shares) * pool.lend_index // INDEX_SCALE
    shares = lend_shares_down(state, asset, min(quantity, pool.fees + pool.sink, room))
    if shares == 0:
        return
    change_claim(state, TREASURY, asset, shares)
    # What the shares cost, and not what claims show more: the sink pays no more than that.
    minted = mul_div_up(shares, pool.lend_index, INDEX_SCALE)
    from_fees = min(minted, pool.fees)
    pool.fees -= from_fees
    pool.sink -= minted - from_fees
    settle_residue(state, asset)
    state.emit(Lent(TREASURY, asset, minted, shares, Source.RECONCILIATION))


def write_down(
    state: State, asset: int, fees: int, treasury: int, residue: int, lenders: int
) -> None:
    """Take a loss by which debts have fallen already from those who bear it, in atoms.

    The pool's fees, what the treasury gives back of collected ones, the residue, and the lenders,
    whose index falls. A pool whose claims are worth nothing after it is to `renew`.
    """
    pool = state.pools[asset]
    move(state, asset, treasury, available(TREASURY), POOL)
    if lenders:
        pool.lend_index = index_less(pool, lenders)
    pool.fees -= fees
    if exact_sink(pool) < 0:
        # Claims did not reach, and fees neither: what is carried for both bears it, then what is
        # left of claims, which is less than an atom.
        pool.unpaid = pool.fee_part = 0
        pool.interest_part -= pool.interest_part % RATIO
        if exact_sink(pool) < 0:
            pool.lend_index = 0
    pool.sink = min(pool.sink - min(pool.sink, residue), exact_sink(pool) // INDEX_SCALE)
    pool.deficit += lenders
    settle_residue(state, asset)


def index_less(pool: Pool, loss: int) -> int:
    """The lend index once claims fell by `loss` atoms, of all there are at most."""
    # Up, so that claims fall by at least the loss; the rest of rounding is the residue's.
    return max(0, pool.lend_index - divide_up(loss * INDEX_SCALE, pool.lend_shares))


def renew(state: State, asset: int) -> None:
    """After a loss: the pool lives on, with shares that are worth something (I43).

    Those that are worth nothing end, and the index begins at one.
    """
    pool = state.pools[asset]
    if lent_total(pool):
        halve_claims(state, asset)
        return
    for account in range(len(state.accounts)):
        say_voided(state, account, asset, void_dust(state, account, asset))
    pool.lend_index = INDEX_SCALE
