"""The ledger: the only place where balances, claims and debts change.

Tokens live in four places: an account's available and locked balances, a pool's cash, and an
external one. `move` takes a quantity from one place and puts it in another, so that the postings of
every change sum to zero per asset (I3). Claims and debts are shares of a pool; changing them moves
no token, and the caller then settles the pool's residue and sink so that I1 stays exact:

    cash + borrowed = lent + fees + residue

Nothing here asks whether a change is allowed. A balance, a share count or a residue that would fall
below zero is a defect of the caller and stops the engine.

Specification: section 5.1.
"""

from dataclasses import replace
from enum import IntEnum
from typing import NamedTuple

from solvent.domain.events import InterestAccrued, SharesRescaled
from solvent.domain.units import INDEX_SCALE, RATIO, check_int64, mul_div_down, mul_div_up
from solvent.reference.state import UNSET, Pool, State


class Bucket(IntEnum):
    """Where a token can be."""

    AVAILABLE = 0
    LOCKED = 1
    POOL = 2
    EXTERNAL = 3


class Place(NamedTuple):
    """A bucket and its account; pools and the external place have none."""

    bucket: Bucket
    account: int = -1


POOL = Place(Bucket.POOL)
EXTERNAL = Place(Bucket.EXTERNAL)


def available(account: int) -> Place:
    """The free balance of `account`."""
    return Place(Bucket.AVAILABLE, account)


def locked(account: int) -> Place:
    """The balance of `account` held by its open orders."""
    return Place(Bucket.LOCKED, account)


class LedgerError(AssertionError):
    """A posting that no correct caller makes. The engine must stop."""


def move(state: State, asset: int, quantity: int, source: Place, target: Place) -> None:
    """Take `quantity` atoms of `asset` from `source` and put them in `target`."""
    if quantity < 0:
        raise LedgerError(f"cannot move {quantity} atoms")
    _post(state, asset, source, -quantity)
    _post(state, asset, target, quantity)


def _post(state: State, asset: int, place: Place, change: int) -> None:
    state.asleep = False
    if place.bucket is Bucket.EXTERNAL:
        state.external[asset] = check_int64(state.external[asset] + change)
        return
    if place.bucket is Bucket.POOL:
        pool = state.pools[asset]
        pool.cash = _not_negative(pool.cash + change)
        return
    account = state.accounts[place.account]
    column = account.available if place.bucket is Bucket.AVAILABLE else account.locked
    column[asset] = _not_negative(column[asset] + change)


def _not_negative(balance: int) -> int:
    if balance < 0:
        raise LedgerError(f"a balance would become {balance}")
    return check_int64(balance)


def claim_worth(pool: Pool, shares: int) -> int:
    """What `shares` of claims on the pool are worth, in atoms, rounded down."""
    return mul_div_down(shares, pool.lend_index, INDEX_SCALE)


def debt_worth(pool: Pool, shares: int) -> int:
    """What `shares` of debts to the pool cost, in atoms, rounded up."""
    return mul_div_up(shares, pool.debt_index, INDEX_SCALE)


def impaired_index(pool: Pool) -> int:
    """The lend index at which claims on the pool count while its certain losses are not booked."""
    return mul_div_down(pool.lend_index, INDEX_SCALE - pool.impaired, INDEX_SCALE)


def imagined_pool(pool: Pool, lend_shares: int, debt_shares: int) -> Pool:
    """A copy of a pool as it would be with other shares, to ask `what if` of."""
    return replace(pool, lend_shares=lend_shares, debt_shares=debt_shares)


def lent_total(pool: Pool) -> int:
    """All claims on the pool, in atoms."""
    return claim_worth(pool, pool.lend_shares)


def borrowed_total(pool: Pool) -> int:
    """All debts to the pool, in atoms."""
    return debt_worth(pool, pool.debt_shares)


def borrowed_fall(pool: Pool, shares: int) -> int:
    """By how many atoms, rounded up, all debts to the pool fall when `shares` of them end."""
    return debt_worth(pool, shares)


def claim_of(state: State, account: int, asset: int) -> int:
    """What `account` has lent of `asset`, in atoms, rounded down."""
    shares = state.accounts[account].lent_shares[asset]
    return mul_div_down(shares, state.pools[asset].lend_index, INDEX_SCALE)


def debt_of(state: State, account: int, asset: int) -> int:
    """What `account` owes of `asset`, in atoms, rounded up."""
    shares = state.accounts[account].debt_shares[asset]
    return mul_div_up(shares, state.pools[asset].debt_index, INDEX_SCALE)


def note_indices(state: State, asset: int) -> None:
    """Before shares change: say what interest made the indices, and let the rate be set anew."""
    pool = state.pools[asset]
    if pool.apr != UNSET:
        pool.apr = UNSET
        state.emit(InterestAccrued(asset, pool.lend_index, pool.debt_index))


def change_claim(state: State, account: int, asset: int, shares: int) -> None:
    """Add `shares` (negative: take them) to an account's claim and to its pool."""
    state.asleep = False
    note_indices(state, asset)
    column = state.accounts[account].lent_shares
    column[asset] = _not_negative(column[asset] + shares)
    pool = state.pools[asset]
    pool.lend_shares = _not_negative(pool.lend_shares + shares)
    # Less than a unit of the index for those who stay; the rest falls to the sink.
    pool.unpaid = min(pool.unpaid, max(0, pool.lend_shares - 1))


def change_taken(state: State, account: int, asset: int, change: int) -> None:
    """Note atoms that an account took out of a doubtful pool, or (negative) brought back."""
    column = state.accounts[account].taken
    column[asset] = _not_negative(column[asset] + change)
    state.taken[asset] = _not_negative(state.taken[asset] + change)


def note_redeemed(state: State, account: int, asset: int, quantity: int) -> None:
    """Remember atoms that an account redeemed, where the pool's claims are doubtful."""
    if state.doubtful[asset]:
        change_taken(state, account, asset, quantity)


def note_lent(state: State, account: int, asset: int, quantity: int) -> None:
    """Let what an account lends make up for what it took out of a doubtful pool."""
    if state.taken[asset]:
        change_taken(state, account, asset, -min(quantity, state.accounts[account].taken[asset]))


def forget_taken(state: State, asset: int) -> None:
    """Forget what accounts took out of a pool."""
    for holder in state.accounts:
        holder.taken[asset] = 0
    state.taken[asset] = 0


def change_debt(state: State, account: int, asset: int, shares: int) -> None:
    """Add `shares` (negative: take them) to an account's debt and to its pool.

    What is added is principal; what is taken is interest first.
    """
    principal = state.accounts[account].principal
    before = debt_of(state, account, asset)
    _change_debt_shares(state, account, asset, shares)
    after = debt_of(state, account, asset)
    principal[asset] = min(principal[asset] + max(0, after - before), after)


def forgive_debt(state: State, account: int, asset: int, shares: int) -> None:
    """End `shares` of a debt that nobody pays, of principal and interest alike."""
    principal = state.accounts[account].principal
    before = debt_of(state, account, asset)
    _change_debt_shares(state, account, asset, -shares)
    principal[asset] = principal[asset] * debt_of(state, account, asset) // before


def _change_debt_shares(state: State, account: int, asset: int, shares: int) -> None:
    state.asleep = False
    note_indices(state, asset)
    column = state.accounts[account].debt_shares
    column[asset] = _not_negative(column[asset] + shares)
    pool = state.pools[asset]
    pool.debt_shares = _not_negative(pool.debt_shares + shares)


def scale_claims(state: State, asset: int, multiplier: int, divisor: int) -> None:
    """Every claim becomes shares * multiplier // divisor; the index is the caller's."""
    pool = state.pools[asset]
    pool.lend_shares = 0
    for holder in state.accounts:
        shares = holder.lent_shares[asset] * multiplier // divisor
        holder.lent_shares[asset] = check_int64(shares)
        pool.lend_shares += shares
    state.emit(SharesRescaled(asset, 0, multiplier, divisor, pool.lend_index))


def scale_debts(state: State, asset: int, multiplier: int) -> None:
    """Every debt becomes so many times its shares; the index is the caller's."""
    pool = state.pools[asset]
    for holder in state.accounts:
        holder.debt_shares[asset] = check_int64(holder.debt_shares[asset] * multiplier)
    pool.debt_shares = check_int64(pool.debt_shares * multiplier)
    state.emit(SharesRescaled(asset, 1, multiplier, 1, pool.debt_index))


def settle_residue(state: State, asset: int) -> int:
    """Give the pool's sink what the last change left over; return how much that was.

    Every rounding is for the pool, so the sink never falls (I4); a caller that would make it fall
    is wrong. The residue is the sink with all that is carried and all roundings of what is shown.
    """
    pool = state.pools[asset]
    # I1 solved for the residue: it is computed again and never added to.
    pool.residue = pool.cash + borrowed_total(pool) - lent_total(pool) - pool.fees
    gained = exact_sink(pool) // INDEX_SCALE - pool.sink
    if gained < 0:
        raise LedgerError(f"asset {asset}: rounding took {-gained} atoms from the pool")
    pool.sink += gained
    return gained


def exact_sink(pool: Pool) -> int:
    """What the pool has beyond claims, fees and what is carried for both, in 10^-18 atoms."""
    debts = pool.debt_shares * pool.debt_index
    claims = pool.lend_shares * pool.lend_index
    carried = pool.fee_part + pool.unpaid + pool.interest_part % RATIO
    return (pool.cash - pool.fees) * INDEX_SCALE + debts - claims - carried
