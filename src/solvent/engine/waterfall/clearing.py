"""Clearing in kernels: which fraction of its claims each pool loses, as in `reference`.

A clearing is the insolvent accounts in the order in which they were found, and a row of lend
indices; `System` is x = b + A x in numbers of 128 bits, two words each.
"""

from typing import NamedTuple

from solvent.domain.units import FINE_PER_VALUE, INDEX_SCALE, RATIO
from solvent.engine.allot.linear import (
    ONE,
    System,
    capped,
    eliminate,
    get,
    part_up,
    put,
    release_system,
)
from solvent.engine.allot.sorting import sort_ascending
from solvent.engine.ledger import (
    account_row,
    asset_row,
    borrowed_fall,
    claim_of,
    commitment,
    debt_worth,
    lent_total,
    pool_row,
    position,
)
from solvent.engine.lending.pool import index_less
from solvent.engine.memory.layout import TREASURY
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import mul_div_down
from solvent.engine.waterfall.insolvency import (
    booked_worth,
    counted_up,
    is_insolvent,
    lacks,
    lend_indices,
    open_debt,
    rounding,
)
from solvent.engine.waterfall.rows import Insolvent
from solvent.kernels.language import (
    Huge,
    Wide,
    allocate,
    allocate_rows,
    bit,
    copy_row,
    huge,
    kernel,
    narrow,
    release,
    thin,
    wide,
)
from solvent.kernels.rows import Memory, Rows

TIGHTENINGS = 4
"""How often the fractions are reckoned again from what is written off at those found."""


class Clearing(NamedTuple):
    """The solution: insolvent accounts, how many (first), in how many rounds, and lend indices."""

    accounts: Rows[Insolvent]
    counts: Memory
    indices: Memory


class WriteOff(NamedTuple):
    """What of one debt is written off: shares, the atoms it falls by, and interest among them."""

    shares: int
    quantity: int
    interest: int


@kernel
def count_of(found: Clearing) -> int:
    """How many accounts are insolvent."""
    return found.counts[0]


@kernel
def rounds_of(found: Clearing) -> int:
    """In how many rounds they were found."""
    return found.counts[1]


@kernel
def first_round(s: Store, waiting: bool) -> Clearing:
    """The insolvent accounts of the waterfall, by account id, before anything is solved.

    Where lost interest is `waiting`, those that lack no more are left for its next booking.
    """
    indices = allocate(s.globals.assets)
    lend_indices(s, indices)
    listed = allocate(s.globals.liquidating_count)
    count = 0
    for place in range(s.globals.liquidating_count):
        account = s.liquidating[place]
        if is_insolvent(s, account, indices, waiting):
            listed[count] = account
            count += 1
    sort_ascending(s, listed, count)
    accounts = allocate_rows(Insolvent, s.globals.accounts if count else 0)
    for place in range(count):
        accounts[place].account = listed[place]
        accounts[place].round = 1
    release(listed)
    counts = allocate(2)
    counts[0] = count
    counts[1] = 1
    return Clearing(accounts, counts, indices)


@kernel
def release_clearing(found: Clearing) -> None:
    """Give back the memory of a clearing."""
    release(found.accounts)
    release(found.counts)
    release(found.indices)


@kernel
def clear_all(s: Store, found: Clearing, waiting: bool) -> None:
    """Solve for the accounts of the first round, and for those that the solution adds."""
    _spread(s, found)
    while _find_more(s, found, waiting):
        _spread(s, found)
    _sort_accounts(s, found)


@kernel
def _find_more(s: Store, found: Clearing, waiting: bool) -> bool:
    """Add the accounts that are insolvent with claims at the indices found; whether there are."""
    impaired = 0
    for asset in range(s.globals.assets):
        if found.indices[asset] != pool_row(s, asset).lend_index:
            impaired = impaired | bit(asset)
    if impaired == 0:
        return False
    known = allocate(s.globals.accounts)
    count = count_of(found)
    for place in range(count):
        known[found.accounts[place].account] = 1
    number = rounds_of(found) + 1
    for account in range(s.globals.accounts):
        holder = account_row(s, account)
        asked = holder.debts != 0 and holder.held & impaired != 0 and known[account] == 0
        if asked and is_insolvent(s, account, found.indices, waiting):
            found.accounts[count].account = account
            found.accounts[count].round = number
            count += 1
    release(known)
    if count == count_of(found):
        return False
    found.counts[0] = count
    found.counts[1] = number
    return True


@kernel
def _sort_accounts(s: Store, found: Clearing) -> None:
    """Bring the accounts into the order of their ids."""
    count = count_of(found)
    if rounds_of(found) == 1:
        return
    keys = allocate(count)
    copies = allocate_rows(Insolvent, count)
    for place in range(count):
        keys[place] = found.accounts[place].account * bit(31) + place
        copy_row(found.accounts[place], copies[place])
    sort_ascending(s, keys, count)
    for place in range(count):
        copy_row(copies[keys[place] % bit(31)], found.accounts[place])
    release(copies)
    release(keys)


class Share(NamedTuple):
    """What is left of an account's debts: `left` of `debts`, in 10^-12 USDC."""

    left: Wide
    debts: Wide


@kernel
def share_left(s: Store, each: Insolvent, indices: Memory) -> Share:
    """What an account can bear of its debts with claims at these indices, its fund's part added."""
    worth = booked_worth(s, each.account, indices)
    lack = lacks(worth) - wide(each.fund) * FINE_PER_VALUE
    if lack <= rounding(s):
        return Share(worth.debts, worth.debts)
    return Share(max(wide(0), worth.debts - lack), worth.debts)


@kernel
def write_off(s: Store, account: int, asset: int, share: Share) -> WriteOff:
    """What of one debt is written off; what is left rounds down in value, atoms and shares."""
    held = position(s, account, asset).debt_shares
    if held == 0 or share.left == share.debts:
        return WriteOff(0, 0, 0)
    pool = pool_row(s, asset)
    debt = debt_worth(pool, held)
    counted = open_debt(s, account, asset)
    if counted == 0:
        return WriteOff(0, 0, 0)
    kept = debt - counted + narrow(thin(huge(wide(counted)) * share.left // share.debts))
    kept = mul_div_down(kept, INDEX_SCALE, pool.debt_index)
    quantity = debt - debt_worth(pool, kept)
    interest = mul_div_down(quantity, debt - commitment(s, account, asset).principal, debt)
    return WriteOff(held - kept, quantity, interest)


@kernel
def fee_on(s: Store, asset: int, interest: int) -> int:
    """The pool's fee on interest that was never paid, rounded down."""
    return mul_div_down(interest, asset_row(s, asset).pool_fee, RATIO)


@kernel
def fees_at_hand(s: Store, asset: int) -> int:
    """What can be given back of fees: the pool's, and what the treasury has free."""
    return pool_row(s, asset).fees + position(s, TREASURY, asset).available


@kernel
def add_write_offs(s: Store, found: Clearing, shares: Memory, fees: Memory) -> None:
    """Write, by asset, the shares that are written off at the indices found and the fees due."""
    for asset in range(s.globals.assets):
        shares[asset] = 0
        fees[asset] = 0
    for place in range(count_of(found)):
        each = found.accounts[place]
        share = share_left(s, each, found.indices)
        for asset in range(s.globals.assets):
            if account_row(s, each.account).debts & bit(asset):
                written = write_off(s, each.account, asset, share)
                shares[asset] += written.shares
                fees[asset] += fee_on(s, asset, written.interest)


@kernel
def losses_at(s: Store, found: Clearing, losses: Memory) -> None:
    """Write what each pool loses at the indices found, less fees given back, in atoms."""
    top = s.globals.scratch_top
    shares = take(s, s.globals.assets)
    fees = take(s, s.globals.assets)
    add_write_offs(s, found, shares, fees)
    for asset in range(s.globals.assets):
        loss = borrowed_fall(pool_row(s, asset), shares[asset])
        losses[asset] = loss - min(loss, fees[asset], fees_at_hand(s, asset))
    s.globals.scratch_top = top


@kernel
def _spread(s: Store, found: Clearing) -> None:
    """Lower the indices until claims fall by at least what pools lose at them, and hardly more."""
    assets = s.globals.assets
    top = s.globals.scratch_top
    losses = take(s, assets)
    losses_at(s, found, losses)
    system = _system(s, found, losses)
    if system.spreads:
        _solve(s, found, system)
        losses_at(s, found, losses)
        while not _covers(s, found, losses):
            release_system(system)
            system = _system(s, found, losses)
            _solve(s, found, system)
            losses_at(s, found, losses)
        for _ in range(TIGHTENINGS):
            losses_at(s, found, losses)
            if not _tighten(s, found, losses):
                break
    else:
        for asset in range(assets):
            found.indices[asset] = fallen_index(s, asset, losses[asset])
    release_system(system)
    s.globals.scratch_top = top


@kernel
def _covers(s: Store, found: Clearing, losses: Memory) -> bool:
    """Whether claims fall by all that pools lose at the indices found, dust jumps among it."""
    for asset in range(s.globals.assets):
        if fallen_index(s, asset, losses[asset]) < found.indices[asset]:
            return False
    return True


@kernel
def _tighten(s: Store, found: Clearing, losses: Memory) -> bool:
    """Raise the indices to what the losses at them leave; whether any rose."""
    rose = False
    for asset in range(s.globals.assets):
        index = fallen_index(s, asset, losses[asset])
        if index > found.indices[asset]:
            found.indices[asset] = index
            rose = True
    return rose


@kernel
def fallen_index(s: Store, asset: int, loss: int) -> int:
    """The lend index once claims on the pool fell by `loss` atoms, or by all of them."""
    pool = pool_row(s, asset)
    fall = min(loss, lent_total(pool))
    return index_less(pool, fall) if fall else pool.lend_index


@kernel
def _system(s: Store, found: Clearing, losses: Memory) -> System:
    """The system of all accounts found, from what pools lose at the indices found so far."""
    assets = s.globals.assets
    factors = allocate(2 * assets * assets)
    more = allocate(2 * assets)
    lost = allocate(2 * assets)
    spare = allocate(assets)
    spreads = False
    top = s.globals.scratch_top
    given_back = take(s, assets)
    _fees_reach(s, found, given_back)
    for place in range(count_of(found)):
        if _depends(s, found.accounts[place].account, given_back, factors, spare):
            spreads = True
    s.globals.scratch_top = top
    for asset in range(assets):
        pool = pool_row(s, asset)
        claims = lent_total(pool)
        fallen = claims - mul_div_down(pool.lend_shares, found.indices[asset], INDEX_SCALE)
        extra = max(0, losses[asset] - fallen) + spare[asset]
        if claims:
            put(more, asset, capped(part_up(huge(wide(extra)) * ONE, wide(claims))))
        gone = wide(ONE)
        if pool.lend_index:
            gone = ONE - thin(huge(wide(found.indices[asset])) * ONE // pool.lend_index)
        put(lost, asset, gone)
    release(spare)
    rows = allocate(2 * assets * assets)
    right = allocate(2 * assets)
    return System(spreads, factors, more, lost, rows, right, allocate(2 * assets), allocate(assets))


@kernel
def _fees_reach(s: Store, found: Clearing, given_back: Memory) -> None:
    """Write, by asset, whether all fees due at the indices found can be given back."""
    assets = s.globals.assets
    top = s.globals.scratch_top
    shares = take(s, assets)
    fees = take(s, assets)
    add_write_offs(s, found, shares, fees)
    for asset in range(assets):
        given_back[asset] = 1 if fees[asset] <= fees_at_hand(s, asset) else 0
    s.globals.scratch_top = top


@kernel
def _less_fee(s: Store, account: int, asset: int, part: Huge) -> Huge:
    """What of a part of a debt the pool loses once the fee on the interest in it is given back.

    Where the solution needs more than there is, it is solved again from there without.
    """
    debt = debt_worth(pool_row(s, asset), position(s, account, asset).debt_shares)
    interest = debt - commitment(s, account, asset).principal
    whole = wide(debt) * RATIO
    fee = wide(interest) * asset_row(s, asset).pool_fee
    return part_up(huge(capped(part)) * (whole - fee), whole)


@kernel
def _depends(s: Store, account: int, given_back: Memory, factors: Memory, spare: Memory) -> bool:
    """Let what an account lacks depend on what its claims lose; whether it has and owes any."""
    assets = s.globals.assets
    lends = False
    atoms = wide(0)
    for other in range(assets):
        if position(s, account, other).lent_shares:
            lends = True
            atoms += counted_up(s, other, 1)
    if not lends:
        return False
    top = s.globals.scratch_top
    indices = take(s, assets)
    lend_indices(s, indices)
    debts = booked_worth(s, account, indices).debts
    s.globals.scratch_top = top
    depends = False
    for asset in range(assets):
        pool = pool_row(s, asset)
        claims = lent_total(pool)
        owed = open_debt(s, account, asset)
        if owed and claims:
            depends = True
            extra = narrow(thin(part_up(huge(wide(owed)) * atoms, debts)))
            # Interest and the fee on it are rounded down.
            spare[asset] += debt_worth(pool, 1) + 3 + extra
            for other in range(assets):
                if position(s, account, other).lent_shares:
                    counts = counted_up(s, other, claim_of(s, account, other) + 1)
                    numerator = huge(wide(owed)) * counts * ONE
                    # One after the other: the product of both needs more than 128 bits.
                    part = part_up(part_up(numerator, debts), wide(claims))
                    if given_back[asset]:
                        part = _less_fee(s, account, asset, part)
                    place = asset * assets + other
                    put(factors, place, capped(huge(get(factors, place)) + part))
    return depends


@kernel
def _solve(s: Store, found: Clearing, system: System) -> None:
    """Write the lend indices at which claims then count, each rounded down.

    A pool that would lose more than all its claims loses all of them and is solved for no more.
    """
    assets = s.globals.assets
    going = True
    while going:
        eliminate(s, system)
        worst = wide(ONE)
        last = -1
        for asset in range(assets):
            after = get(system.lost, asset) + get(system.x, asset)
            if system.gone[asset] == 0 and after > worst:
                worst = after
                last = asset
        going = last >= 0
        if going:
            system.gone[last] = 1
    for asset in range(assets):
        left = wide(0)
        if system.gone[asset] == 0:
            left = ONE - get(system.lost, asset) - get(system.x, asset)
        index = huge(wide(pool_row(s, asset).lend_index)) * left // ONE
        found.indices[asset] = narrow(thin(index))
