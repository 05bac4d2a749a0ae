"""The ledger in kernels: the only place where balances, claims and debts change.

As in `reference.ledger`, tokens move between an account's available and locked balance, a pool's
cash and the world outside; a posting that would take a balance below zero stops the engine. The
bits that say which assets an account has anything in are kept here, where every change goes by.
"""

from solvent.domain.events import InterestAccrued, SharesRescaled
from solvent.domain.parameters import MAX_SOURCES
from solvent.domain.units import INDEX_SCALE, INT64_MAX, RATIO
from solvent.engine.memory.layout import COPIED, UNSET
from solvent.engine.memory.rows import Account, Asset, Commitment, Pool, Position, Quote
from solvent.engine.memory.store import Store
from solvent.engine.units import mul_div_down, mul_div_up
from solvent.engine.watch.rows import seen_row, touched
from solvent.kernels.language import Wide, bit, copy_row, emit, fail, kernel, narrow, wide
from solvent.kernels.rows import Rows

POOL = -2
"""The cash of an asset's pool, as a place that tokens move between."""
EXTERNAL = -3
"""The world outside."""
_PLACES = 2


@kernel
def available(account: int) -> int:
    """The free balance of `account`, as a place."""
    return account * _PLACES


@kernel
def locked(account: int) -> int:
    """The balance of `account` held by its open orders, as a place."""
    return account * _PLACES + 1


@kernel
def asset_row(s: Store, asset: int) -> Asset:
    """Parameters of `asset`."""
    return s.assets[asset]


@kernel
def pool_row(s: Store, asset: int) -> Pool:
    """The pool of `asset`."""
    return s.pools[asset]


@kernel
def account_row(s: Store, account: int) -> Account:
    """Role, settings and orders of `account`."""
    return s.accounts[account]


@kernel
def position(s: Store, account: int, asset: int) -> Position:
    """Balances, claim and debt of `account` in `asset`."""
    return s.positions[account * s.globals.assets + asset]


@kernel
def positions_of(s: Store, account: int) -> Rows[Position]:
    """What `account` has and owes, by asset."""
    return s.positions.at(account * s.globals.assets)


@kernel
def commitment(s: Store, account: int, asset: int) -> Commitment:
    """What `account` has promised of `asset`: to orders, as a provider, and as principal."""
    return s.commitments[account * s.globals.assets + asset]


@kernel
def unfunded_of(s: Store, account: int, asset: int) -> int:
    """Atoms of `asset` that open orders of `account` would borrow."""
    if account_row(s, account).unfundeds & bit(asset):
        return commitment(s, account, asset).unfunded
    return 0


@kernel
def mark_of(s: Store, asset: int) -> int:
    """Mark price of `asset`, 10^-10 USDC per whole token."""
    return s.prices[asset].mark


@kernel
def source_price(quote: Quote) -> int:
    """Median of a source's bid, ask and last; the ask is never below the bid."""
    return max(quote.bid, min(quote.ask, quote.last))


@kernel
def highest_mark(s: Store, asset: int) -> int:
    """What an asset's index may rise to by the quotes that it has, or its mark if that is more."""
    highest = mark_of(s, asset)
    for source in range(asset_row(s, asset).sources):
        highest = max(highest, source_price(s.quotes[asset * MAX_SOURCES + source]))
    return highest


@kernel
def is_stale(s: Store, asset: int) -> bool:
    """Whether the price of `asset` is stale."""
    return s.prices[asset].stale != 0


@kernel
def move(s: Store, asset: int, quantity: int, source: int, target: int) -> None:
    """Take `quantity` atoms of `asset` from one place and put them in another."""
    if quantity < 0:
        fail()
    _post(s, asset, source, -quantity)
    _post(s, asset, target, quantity)
    if source < 0 or target < 0 or source // _PLACES != target // _PLACES:
        _changed(s, asset, source, -quantity)
        _changed(s, asset, target, quantity)


@kernel
def _post(s: Store, asset: int, place: int, change: int) -> None:
    s.globals.asleep = 0
    if place == EXTERNAL:
        pool = pool_row(s, asset)
        pool.external += change
    elif place == POOL:
        pool = pool_row(s, asset)
        pool.cash = _changed_by(pool.cash, change)
    else:
        note_moved(s, place // _PLACES)
        row = position(s, place // _PLACES, asset)
        if place % _PLACES:
            row.locked = _changed_by(row.locked, change)
        else:
            row.available = _changed_by(row.available, change)


@kernel
def note_moved(s: Store, account: int) -> None:
    """Note that what `account` has or owes is no longer what a copy has."""
    s.moved[account // COPIED] = 1


@kernel
def _changed(s: Store, asset: int, place: int, change: int) -> None:
    if place >= 0:
        _hold(s, place // _PLACES, asset, change)


@kernel
def _changed_by(number: int, change: int) -> int:
    """A balance, claim or debt after a change, which it must bear."""
    changed = number + change
    if changed < 0:
        fail()
    return changed


@kernel
def _hold(s: Store, account: int, asset: int, change: int) -> None:
    """Note that `account` holds more or less of `asset` than before.

    Only who owes can come nearer to the edge, and by more only where he owes the same asset: what
    he holds of it and what he owes are netted while its price is stale.
    """
    holder = account_row(s, account)
    holder.held = holder.held | bit(asset)
    if holder.debts and (change < 0 or holder.debts & bit(asset)):
        touched(s, account)


@kernel
def claim_worth(pool: Pool, shares: int) -> int:
    """What `shares` of claims on the pool are worth, in atoms, rounded down."""
    return mul_div_down(shares, pool.lend_index, INDEX_SCALE)


@kernel
def debt_worth(pool: Pool, shares: int) -> int:
    """What `shares` of debts to the pool cost, in atoms, rounded up."""
    return mul_div_up(shares, pool.debt_index, INDEX_SCALE)


@kernel
def impaired_index(pool: Pool) -> int:
    """The lend index at which claims on the pool count while its certain losses are not booked."""
    return mul_div_down(pool.lend_index, INDEX_SCALE - pool.impaired, INDEX_SCALE)


@kernel
def borrowed_fall(pool: Pool, shares: int) -> int:
    """By how many atoms, rounded up, all debts to the pool fall when `shares` of them end."""
    return debt_worth(pool, shares)


@kernel
def imagine_pool(pool: Pool, lend_shares: int, debt_shares: int, imagined: Pool) -> None:
    """Write a copy of a pool as it would be with other shares, to ask `what if` of."""
    copy_row(pool, imagined)
    imagined.lend_shares = lend_shares
    imagined.debt_shares = debt_shares


@kernel
def lent_total(pool: Pool) -> int:
    """All claims on the pool, in atoms."""
    return claim_worth(pool, pool.lend_shares)


@kernel
def borrowed_total(pool: Pool) -> int:
    """All debts to the pool, in atoms."""
    return debt_worth(pool, pool.debt_shares)


@kernel
def claim_of(s: Store, account: int, asset: int) -> int:
    """What `account` has lent of `asset`, in atoms, rounded down."""
    shares = position(s, account, asset).lent_shares
    return mul_div_down(shares, pool_row(s, asset).lend_index, INDEX_SCALE) if shares else 0


@kernel
def debt_of(s: Store, account: int, asset: int) -> int:
    """What `account` owes of `asset`, in atoms, rounded up."""
    shares = position(s, account, asset).debt_shares
    return mul_div_up(shares, pool_row(s, asset).debt_index, INDEX_SCALE) if shares else 0


@kernel
def note_indices(s: Store, asset: int) -> None:
    """Before shares change: say what interest made the indices, and let the rate be set anew."""
    pool = pool_row(s, asset)
    if pool.apr != UNSET:
        pool.apr = UNSET
        emit(
            s,
            InterestAccrued(asset=asset, lend_index=pool.lend_index, debt_index=pool.debt_index),
        )


@kernel
def change_claim(s: Store, account: int, asset: int, shares: int) -> None:
    """Add `shares` (negative: take them) to an account's claim and to its pool."""
    s.globals.asleep = 0
    note_indices(s, asset)
    note_moved(s, account)
    row = position(s, account, asset)
    pool = pool_row(s, asset)
    row.lent_shares = _changed_by(row.lent_shares, shares)
    pool.lend_shares = _changed_by(pool.lend_shares, shares)
    pool.unpaid = min(pool.unpaid, max(0, pool.lend_shares - 1))
    _hold(s, account, asset, shares)


@kernel
def change_taken(s: Store, account: int, asset: int, change: int) -> None:
    """Note atoms that an account took out of a doubtful pool, or (negative) brought back."""
    row = commitment(s, account, asset)
    pool = pool_row(s, asset)
    row.taken = _changed_by(row.taken, change)
    pool.taken = _changed_by(pool.taken, change)


@kernel
def note_redeemed(s: Store, account: int, asset: int, quantity: int) -> None:
    """Remember atoms that an account redeemed, where the pool's claims are doubtful."""
    if pool_row(s, asset).doubtful:
        change_taken(s, account, asset, quantity)


@kernel
def note_lent(s: Store, account: int, asset: int, quantity: int) -> None:
    """Let what an account lends make up for what it took out of a doubtful pool."""
    if pool_row(s, asset).taken:
        taken = commitment(s, account, asset).taken
        change_taken(s, account, asset, -min(quantity, taken))


@kernel
def forget_taken(s: Store, asset: int) -> None:
    """Forget what accounts took out of a pool."""
    for account in range(s.globals.accounts):
        commitment(s, account, asset).taken = 0
    pool_row(s, asset).taken = 0


@kernel
def change_debt(s: Store, account: int, asset: int, shares: int) -> None:
    """Add `shares` (negative: take them) to an account's debt and to its pool.

    What is added is principal; what is taken is interest first.
    """
    before = debt_of(s, account, asset)
    _change_debt_shares(s, account, asset, shares)
    after = debt_of(s, account, asset)
    promised = commitment(s, account, asset)
    promised.principal = min(promised.principal + max(0, after - before), after)


@kernel
def forgive_debt(s: Store, account: int, asset: int, shares: int) -> None:
    """End `shares` of a debt that nobody pays, of principal and interest alike."""
    before = debt_of(s, account, asset)
    _change_debt_shares(s, account, asset, -shares)
    promised = commitment(s, account, asset)
    promised.principal = mul_div_down(promised.principal, debt_of(s, account, asset), before)


@kernel
def _change_debt_shares(s: Store, account: int, asset: int, shares: int) -> None:
    s.globals.asleep = 0
    note_indices(s, asset)
    note_moved(s, account)
    row = position(s, account, asset)
    pool = pool_row(s, asset)
    row.debt_shares = _changed_by(row.debt_shares, shares)
    pool.debt_shares = _changed_by(pool.debt_shares, shares)
    holder = account_row(s, account)
    holder.held = holder.held | bit(asset)
    touched(s, account)
    if row.debt_shares:
        holder.debts = holder.debts | bit(asset)
    else:
        holder.debts = holder.debts & ~bit(asset)


@kernel
def scale_claims(s: Store, asset: int, multiplier: int, divisor: int) -> None:
    """Every claim becomes shares * multiplier // divisor; the index is the caller's."""
    pool = pool_row(s, asset)
    pool.lend_shares = 0
    for account in range(s.globals.accounts):
        note_moved(s, account)
        row = position(s, account, asset)
        row.lent_shares = row.lent_shares * multiplier // divisor
        pool.lend_shares += row.lent_shares
    _unsee(s, asset)
    _say_rescaled(s, asset, 0, multiplier, divisor, pool.lend_index)


@kernel
def scale_debts(s: Store, asset: int, multiplier: int) -> None:
    """Every debt becomes so many times its shares; the index is the caller's."""
    pool = pool_row(s, asset)
    for account in range(s.globals.accounts):
        note_moved(s, account)
        row = position(s, account, asset)
        row.debt_shares *= multiplier
    pool.debt_shares *= multiplier
    _unsee(s, asset)
    _say_rescaled(s, asset, 1, multiplier, 1, pool.debt_index)


@kernel
def _say_rescaled(
    s: Store, asset: int, of_debts: int, multiplier: int, divisor: int, index: int
) -> None:
    emit(
        s,
        SharesRescaled(
            asset=asset, of_debts=of_debts, multiplier=multiplier, divisor=divisor, index=index
        ),
    )


@kernel
def _unsee(s: Store, asset: int) -> None:
    """Let the watch find that both indices fell: what it saw of them was of another scale."""
    if s.watch.built:
        seen = seen_row(s, asset)
        seen.lend_index = INT64_MAX
        seen.debt_index = INT64_MAX


@kernel
def settle_residue(s: Store, asset: int) -> int:
    """Give the pool's sink what the last change left over; return how much that was."""
    pool = pool_row(s, asset)
    pool.residue = pool.cash + borrowed_total(pool) - lent_total(pool) - pool.fees
    gained = narrow(exact_sink(pool) // INDEX_SCALE - pool.sink)
    if gained < 0:
        fail()
    pool.sink += gained
    return gained


@kernel
def exact_sink(pool: Pool) -> Wide:
    """What the pool has beyond claims, fees and what is carried for both, in 10^-18 atoms."""
    debts = wide(pool.debt_shares) * pool.debt_index
    claims = wide(pool.lend_shares) * pool.lend_index
    carried = wide(pool.fee_part) + pool.unpaid + pool.interest_part % RATIO
    return wide(pool.cash - pool.fees) * INDEX_SCALE + debts - claims - carried
