"""Clearing in kernels: which fraction of its claims each pool loses, as in `reference`.

A clearing is the insolvent accounts in the order in which they were found, and a row of lend
indices; `System` is x = b + A x in numbers of 128 bits, two words each.
"""

from typing import NamedTuple

from solvent.domain.units import FINE_PER_VALUE, INDEX_SCALE, RATIO
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
    counted_up,
    is_insolvent,
    lacks,
    lend_indices,
    open_debt,
    rounding,
    worth_of,
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

ONE = 2**80
"""A fraction of one."""
MOST = 2**122
"""Coefficients stop here: what depends on a pool so much is lost as soon as that loses anything."""
TIGHTENINGS = 4
"""How often the fractions are reckoned again from what is written off at those found."""
_HALF = 62
"""Bits of the lower word of a number of 128 bits that is not negative."""


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
def first_round(s: Store) -> Clearing:
    """The insolvent accounts of the waterfall, by account id, before anything is solved."""
    indices = allocate(s.globals.assets)
    lend_indices(s, indices)
    listed = allocate(s.globals.liquidating_count)
    count = 0
    for place in range(s.globals.liquidating_count):
        account = s.liquidating[place]
        if is_insolvent(s, account, indices):
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
def clear_all(s: Store, found: Clearing) -> None:
    """Solve for the accounts of the first round, and for those that the solution adds."""
    _spread(s, found)
    while _find_more(s, found):
        _spread(s, found)
    _sort_accounts(s, found)


@kernel
def _find_more(s: Store, found: Clearing) -> bool:
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
        if asked and is_insolvent(s, account, found.indices):
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
    worth = worth_of(s, each.account, indices, doubted=True)
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
            _release_system(system)
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
    _release_system(system)
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


class System(NamedTuple):
    """x = b + A x: by which fractions (of ONE) of all their claims pools lose more than so far.

    `factors` are A row by row and `more` is b; `rows`, `right` and `x` are room to work in, `gone`
    says which pools lost all. Numbers of 128 bits take two words.
    """

    spreads: bool
    factors: Memory
    more: Memory
    lost: Memory
    rows: Memory
    right: Memory
    x: Memory
    gone: Memory


@kernel
def _put(row: Memory, place: int, value: Wide) -> None:
    row[2 * place] = narrow(value // bit(_HALF))
    row[2 * place + 1] = narrow(value % bit(_HALF))


@kernel
def _get(row: Memory, place: int) -> Wide:
    return wide(row[2 * place]) * bit(_HALF) + row[2 * place + 1]


@kernel
def _capped(value: Huge) -> Wide:
    return thin(min(value, huge(wide(MOST))))


@kernel
def _part_up(numerator: Huge, divisor: Wide) -> Huge:
    return -(-numerator // divisor)


@kernel
def _system(s: Store, found: Clearing, losses: Memory) -> System:
    """The system of all accounts found, from what pools lose at the indices found so far."""
    assets = s.globals.assets
    factors = allocate(2 * assets * assets)
    more = allocate(2 * assets)
    lost = allocate(2 * assets)
    spare = allocate(assets)
    spreads = False
    for place in range(count_of(found)):
        if _depends(s, found.accounts[place].account, factors, spare):
            spreads = True
    for asset in range(assets):
        pool = pool_row(s, asset)
        claims = lent_total(pool)
        fallen = claims - mul_div_down(pool.lend_shares, found.indices[asset], INDEX_SCALE)
        extra = max(0, losses[asset] - fallen) + spare[asset]
        if claims:
            _put(more, asset, _capped(_part_up(huge(wide(extra)) * ONE, wide(claims))))
        gone = wide(ONE)
        if pool.lend_index:
            gone = ONE - thin(huge(wide(found.indices[asset])) * ONE // pool.lend_index)
        _put(lost, asset, gone)
    release(spare)
    rows = allocate(2 * assets * assets)
    right = allocate(2 * assets)
    return System(spreads, factors, more, lost, rows, right, allocate(2 * assets), allocate(assets))


@kernel
def _release_system(system: System) -> None:
    release(system.factors)
    release(system.more)
    release(system.lost)
    release(system.rows)
    release(system.right)
    release(system.x)
    release(system.gone)


@kernel
def _depends(s: Store, account: int, factors: Memory, spare: Memory) -> bool:
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
    debts = worth_of(s, account, indices, doubted=True).debts
    s.globals.scratch_top = top
    depends = False
    for asset in range(assets):
        pool = pool_row(s, asset)
        claims = lent_total(pool)
        owed = open_debt(s, account, asset)
        if owed and claims:
            depends = True
            extra = narrow(thin(_part_up(huge(wide(owed)) * atoms, debts)))
            spare[asset] += debt_worth(pool, 1) + 1 + extra
            for other in range(assets):
                if position(s, account, other).lent_shares:
                    counts = counted_up(s, other, claim_of(s, account, other) + 1)
                    numerator = huge(wide(owed)) * counts * ONE
                    # One after the other: the product of both needs more than 128 bits.
                    part = _part_up(_part_up(numerator, debts), wide(claims))
                    place = asset * assets + other
                    _put(factors, place, _capped(huge(_get(factors, place)) + part))
    return depends


@kernel
def _solve(s: Store, found: Clearing, system: System) -> None:
    """Write the lend indices at which claims then count, each rounded down.

    A pool that would lose more than all its claims loses all of them and is solved for no more.
    """
    assets = s.globals.assets
    going = True
    while going:
        _eliminate(s, system)
        worst = wide(ONE)
        last = -1
        for asset in range(assets):
            after = _get(system.lost, asset) + _get(system.x, asset)
            if system.gone[asset] == 0 and after > worst:
                worst = after
                last = asset
        going = last >= 0
        if going:
            system.gone[last] = 1
    for asset in range(assets):
        left = wide(0)
        if system.gone[asset] == 0:
            left = ONE - _get(system.lost, asset) - _get(system.x, asset)
        index = huge(wide(pool_row(s, asset).lend_index)) * left // ONE
        found.indices[asset] = narrow(thin(index))


@kernel
def _eliminate(s: Store, system: System) -> None:
    """Solve for all pools but those that are gone, which lose what they have left."""
    assets = s.globals.assets
    rows = system.rows
    right = system.right
    for place in range(2 * assets * assets):
        rows[place] = system.factors[place]
    for asset in range(assets):
        _put(right, asset, _get(system.more, asset))
        if system.gone[asset]:
            _put(right, asset, ONE - _get(system.lost, asset))
            for column in range(assets):
                _put(rows, asset * assets + column, wide(0))
    for place in range(assets):
        rest = max(wide(1), ONE - _get(rows, place * assets + place))
        for below in range(place + 1, assets):
            factor = huge(_get(rows, below * assets + place))
            if factor:
                for column in range(place + 1, assets):
                    part = _part_up(factor * _get(rows, place * assets + column), rest)
                    number = below * assets + column
                    _put(rows, number, _capped(huge(_get(rows, number)) + part))
                part = _part_up(factor * _get(right, place), rest)
                _put(right, below, _capped(huge(_get(right, below)) + part))
    _substitute(s, system)


@kernel
def _substitute(s: Store, system: System) -> None:
    assets = s.globals.assets
    for place in range(assets - 1, -1, -1):
        total = huge(_get(system.right, place))
        for column in range(place + 1, assets):
            factor = huge(_get(system.rows, place * assets + column))
            total += _part_up(factor * _get(system.x, column), wide(ONE))
        rest = max(wide(1), ONE - _get(system.rows, place * assets + place))
        _put(system.x, place, _capped(_part_up(huge(_capped(total)) * ONE, rest)))
