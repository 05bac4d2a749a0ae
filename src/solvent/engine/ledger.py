"""The ledger in kernels: the only place where balances, claims and debts change.

As in `reference.ledger`, tokens move between an account's available and locked balance, a pool's
cash and the world outside; a posting that would take a balance below zero stops the engine. The
bits that say which assets an account has anything in are kept here, where every change goes by.
"""

from solvent.domain.units import INDEX_SCALE
from solvent.engine.memory.layout import (
    ACCOUNT_WIDTH,
    ASSET_WIDTH,
    ASSETS,
    AVAILABLE,
    CASH,
    DEBT,
    DEBT_INDEX,
    DEBT_SHARES,
    DEBTS,
    FEES,
    HELD,
    LEND_INDEX,
    LEND_SHARES,
    LENT,
    LOCKED,
    MARK,
    OUTSIDE,
    PLEDGE_WIDTH,
    POOL_WIDTH,
    POSITION_WIDTH,
    PRICE_WIDTH,
    RESIDUE,
    STALE,
    UNFUNDED,
    UNFUNDEDS,
)
from solvent.engine.units import mul_div_down, mul_div_up
from solvent.engine.watch.rows import touched
from solvent.kernels.language import Memory, Store, bit, fail, kernel

POOL_PLACE = -2
"""The cash of an asset's pool, as a place that tokens move between."""
OUTSIDE_PLACE = -3
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
def asset_row(s: Store, asset: int) -> Memory:
    """Parameters of `asset`."""
    return s.assets.at(asset * ASSET_WIDTH)


@kernel
def pool_row(s: Store, asset: int) -> Memory:
    """The pool of `asset`."""
    return s.pools.at(asset * POOL_WIDTH)


@kernel
def account_row(s: Store, account: int) -> Memory:
    """Role, settings and orders of `account`."""
    return s.accounts.at(account * ACCOUNT_WIDTH)


@kernel
def position(s: Store, account: int, asset: int) -> Memory:
    """Balances, claim and debt of `account` in `asset`."""
    return s.positions.at((account * s.globals[ASSETS] + asset) * POSITION_WIDTH)


@kernel
def pledge(s: Store, account: int, asset: int) -> Memory:
    """What `account` has promised of `asset`: to open orders, and as a backstop provider."""
    return s.pledges.at((account * s.globals[ASSETS] + asset) * PLEDGE_WIDTH)


@kernel
def unfunded_of(s: Store, account: int, asset: int) -> int:
    """Atoms of `asset` that open orders of `account` would borrow."""
    if account_row(s, account)[UNFUNDEDS] & bit(asset):
        return pledge(s, account, asset)[UNFUNDED]
    return 0


@kernel
def mark_of(s: Store, asset: int) -> int:
    """Mark price of `asset`, 10^-10 USDC per whole token."""
    return s.prices[asset * PRICE_WIDTH + MARK]


@kernel
def is_stale(s: Store, asset: int) -> bool:
    """Whether the price of `asset` is stale."""
    return s.prices[asset * PRICE_WIDTH + STALE] != 0


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
    if place == OUTSIDE_PLACE:
        pool = pool_row(s, asset)
        pool[OUTSIDE] += change
    elif place == POOL_PLACE:
        _add(pool_row(s, asset), CASH, change)
    else:
        account = place // _PLACES
        column = LOCKED if place % _PLACES else AVAILABLE
        _add(position(s, account, asset), column, change)


@kernel
def _changed(s: Store, asset: int, place: int, change: int) -> None:
    if place >= 0:
        _hold(s, place // _PLACES, asset, change)


@kernel
def _add(row: Memory, number: int, change: int) -> None:
    changed = row[number] + change
    if changed < 0:
        fail()
    row[number] = changed


@kernel
def _hold(s: Store, account: int, asset: int, change: int) -> None:
    """Note that `account` holds more or less of `asset` than before.

    Only who owes can come nearer to the edge, and by more only where he owes the same asset: what
    he holds of it and what he owes are netted while its price is stale.
    """
    holder = account_row(s, account)
    holder[HELD] = holder[HELD] | bit(asset)
    if holder[DEBTS] and (change < 0 or holder[DEBTS] & bit(asset)):
        touched(s, account)


@kernel
def lent_total(pool: Memory) -> int:
    """All claims on the pool, in atoms."""
    return mul_div_down(pool[LEND_SHARES], pool[LEND_INDEX], INDEX_SCALE)


@kernel
def borrowed_total(pool: Memory) -> int:
    """All debts to the pool, in atoms."""
    return mul_div_up(pool[DEBT_SHARES], pool[DEBT_INDEX], INDEX_SCALE)


@kernel
def claim_of(s: Store, account: int, asset: int) -> int:
    """What `account` has lent of `asset`, in atoms, rounded down."""
    shares = position(s, account, asset)[LENT]
    return mul_div_down(shares, pool_row(s, asset)[LEND_INDEX], INDEX_SCALE) if shares else 0


@kernel
def debt_of(s: Store, account: int, asset: int) -> int:
    """What `account` owes of `asset`, in atoms, rounded up."""
    shares = position(s, account, asset)[DEBT]
    return mul_div_up(shares, pool_row(s, asset)[DEBT_INDEX], INDEX_SCALE) if shares else 0


@kernel
def change_claim(s: Store, account: int, asset: int, shares: int) -> None:
    """Add `shares` (negative: take them) to an account's claim and to its pool."""
    _add(position(s, account, asset), LENT, shares)
    _add(pool_row(s, asset), LEND_SHARES, shares)
    _hold(s, account, asset, shares)


@kernel
def change_debt(s: Store, account: int, asset: int, shares: int) -> None:
    """Add `shares` (negative: take them) to an account's debt and to its pool."""
    row = position(s, account, asset)
    _add(row, DEBT, shares)
    _add(pool_row(s, asset), DEBT_SHARES, shares)
    holder = account_row(s, account)
    holder[HELD] = holder[HELD] | bit(asset)
    touched(s, account)
    if row[DEBT]:
        holder[DEBTS] = holder[DEBTS] | bit(asset)
    else:
        holder[DEBTS] = holder[DEBTS] & ~bit(asset)


@kernel
def settle_residue(s: Store, asset: int) -> int:
    """Give the pool's residue what the last change left over; return how much that was."""
    pool = pool_row(s, asset)
    residue = pool[CASH] + borrowed_total(pool) - lent_total(pool) - pool[FEES]
    gained = residue - pool[RESIDUE]
    if gained < 0:
        fail()
    pool[RESIDUE] = residue
    return gained
