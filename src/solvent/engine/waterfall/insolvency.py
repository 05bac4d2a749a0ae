"""Insolvency in kernels: what an account is worth with stale prices valued for it.

As in `reference.waterfall.insolvency`. Lend indices are a row of one number an asset.
"""

from typing import NamedTuple

from solvent.domain.units import FINE_PER_VALUE, HOUR, HOURS_PER_YEAR, INDEX_SCALE, RATIO
from solvent.engine.ledger import (
    account_row,
    asset_row,
    claim_of,
    debt_of,
    debt_worth,
    impaired_index,
    is_stale,
    lent_total,
    mark_of,
    pool_row,
    position,
)
from solvent.engine.lending.rates import borrow_apr, utilization
from solvent.engine.margin import Doubt, doubted_mark, first_asset
from solvent.engine.memory.layout import UNSET
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up, fine_down, fine_up, mul_div_down, value_up
from solvent.engine.waterfall.draws import interval_of
from solvent.kernels.language import Wide, bit, kernel, narrow, wide
from solvent.kernels.rows import Memory

DUST: int = 10_000
"""0.01 USDC in 10^-6: a stale holding worth less bears no loss, and losses of a pool below it are
its residue's affair and impair nothing (I39)."""
LOSS_INTERVALS = 60
"""Where nothing but time passes, interest that is lost is booked in one of so many intervals."""
LOSS_QUIET = HOUR
"""Where nobody said anything for so long it is booked in the first interval of an hour."""


class Worth(NamedTuple):
    """What an account has and owes in 10^-12 USDC: the former rounded down, the latter up."""

    assets: Wide
    debts: Wide


@kernel
def lacks(worth: Worth) -> Wide:
    """By how much debts exceed assets; not above 0 for an account that is solvent."""
    return worth.debts - worth.assets


@kernel
def lend_indices(s: Store, indices: Memory) -> None:
    """Write the lend indices in force."""
    for asset in range(s.globals.assets):
        indices[asset] = pool_row(s, asset).lend_index


@kernel
def worth_of(s: Store, account: int, indices: Memory, doubted: bool) -> Worth:
    """What `account` is worth with claims at these lend indices, and stale prices read for it.

    Where they are not `doubted` they count as they were last.
    """
    doubt = s.rules.stale_doubt if doubted else 0
    return _counted(s, account, indices, doubt, account_row(s, account).is_liquidating != 0)


@kernel
def booked_worth(s: Store, account: int, indices: Memory) -> Worth:
    """What `account` is worth where its loss is booked: as in the waterfall, wherever it is."""
    return _counted(s, account, indices, s.rules.stale_doubt, True)


@kernel
def worth_against(s: Store, account: int, indices: Memory) -> Worth:
    """What `account` is worth with stale prices read against it by the same doubt."""
    factor = RATIO + s.rules.stale_doubt
    assets = wide(0)
    debts = wide(0)
    rest = account_row(s, account).held
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        row = position(s, account, asset)
        claim = mul_div_down(row.lent_shares, indices[asset], INDEX_SCALE)
        quantity = row.available + row.locked + claim
        debt = debt_of(s, account, asset)
        mark = mark_of(s, asset)
        about = asset_row(s, asset)
        if is_stale(s, asset):
            netted = min(quantity, debt)
            assets += fine_down(quantity - netted, mark, about) * RATIO // factor
            higher = doubted_mark(s, mark, Doubt.AGAINST_ACCOUNT)
            debts += fine_up(debt - netted, higher, about)
        else:
            assets += fine_down(quantity, mark, about)
            debts += fine_up(debt, mark, about)
    return Worth(assets, debts)


@kernel
def _counted(s: Store, account: int, indices: Memory, doubt: int, strictly: bool) -> Worth:
    worth = Worth(wide(0), wide(0))
    rest = account_row(s, account).held
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        worth = _with_asset(s, worth, account, asset, indices[asset], doubt, strictly)
    if strictly and pays_nothing(s, account, indices):
        worth = Worth(wide(0), max(worth.debts, wide(rounding(s) + 1)))
    return worth


@kernel
def pays_nothing(s: Store, account: int, indices: Memory) -> bool:
    """Whether nothing of what is held pays for an atom of any debt, claims at these indices."""
    debts = account_row(s, account).debts
    while debts:
        debt = first_asset(debts)
        debts = debts ^ bit(debt)
        if mark_of(s, debt) and _held(s, account, debt, indices[debt]):
            return False
        if not is_nobodys(s, account, debt) and _pays_atom(s, account, indices, debt):
            return False
    return True


@kernel
def _pays_atom(s: Store, account: int, indices: Memory, debt: int) -> bool:
    """Whether what is held of any one asset pays for an atom of a debt."""
    value = value_up(1, mark_of(s, debt), asset_row(s, debt))
    rest = account_row(s, account).held
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        worth = wide(_held(s, account, asset, indices[asset])) * mark_of(s, asset)
        if worth and wide(value) * asset_row(s, asset).value_divisor <= worth:
            return True
    return False


@kernel
def _held(s: Store, account: int, asset: int, index: int) -> int:
    """Atoms of an asset that an account has, its claim at this index."""
    row = position(s, account, asset)
    return row.available + row.locked + mul_div_down(row.lent_shares, index, INDEX_SCALE)


@kernel
def is_nobodys(s: Store, account: int, asset: int) -> bool:
    """Whether a debt is an atom, and no account has a claim of one: nobody is there to be paid."""
    if debt_of(s, account, asset) != 1:
        return False
    if lent_total(pool_row(s, asset)) >= s.globals.accounts:
        return False
    other = 0
    while other < s.globals.accounts and claim_of(s, other, asset) == 0:
        other += 1
    return other == s.globals.accounts


@kernel
def is_unpayable(s: Store, account: int) -> bool:
    """Whether an account owes nothing but atoms that are nobody's, so that no token pays them."""
    debts = account_row(s, account).debts
    while debts:
        debt = first_asset(debts)
        debts = debts ^ bit(debt)
        if not is_nobodys(s, account, debt):
            return False
    return True


@kernel
def _with_asset(
    s: Store, worth: Worth, account: int, asset: int, index: int, doubt: int, strictly: bool
) -> Worth:
    """Sums with what the account has and owes of one more asset."""
    row = position(s, account, asset)
    claim = mul_div_down(row.lent_shares, index, INDEX_SCALE)
    quantity = row.available + row.locked + claim
    debt = debt_of(s, account, asset)
    mark = mark_of(s, asset)
    about = asset_row(s, asset)
    assets, debts = worth
    if not is_stale(s, asset):
        return Worth(assets + fine_down(quantity, mark, about), debts + fine_up(debt, mark, about))
    netted = min(quantity, debt)
    beyond = fine_down(quantity - netted, mark, about) * (RATIO + doubt) // RATIO
    if beyond >= wide(DUST) * FINE_PER_VALUE or not strictly:
        assets += beyond
    lower = narrow(wide(mark) * RATIO // (RATIO + doubt))
    debts += fine_up(debt - netted, lower, about)
    return Worth(assets, debts)


@kernel
def open_debt(s: Store, account: int, asset: int) -> int:
    """What of a debt in atoms counts: at a stale price not what the account has of the asset."""
    debt = debt_of(s, account, asset)
    if not is_stale(s, asset):
        return debt
    row = position(s, account, asset)
    return max(0, debt - row.available - row.locked)


@kernel
def rounding(s: Store) -> int:
    """What counting an account may cost it, in 10^-12 USDC: who lacks no more lacks nothing."""
    return s.globals.assets


@kernel
def counted_up(s: Store, asset: int, quantity: int) -> Wide:
    """What atoms of an asset count at most for their owner, in 10^-12 USDC."""
    value = fine_up(quantity, mark_of(s, asset), asset_row(s, asset)) + 1
    if is_stale(s, asset):
        value += divide_up(value * s.rules.stale_doubt, RATIO)
    return value


@kernel
def is_insolvent(s: Store, account: int, indices: Memory, waiting: bool) -> bool:
    """Whether an account owes more than it is worth, claims at these indices.

    Where lost interest is `waiting`, no account in the waterfall that lacks no more.
    """
    if account_row(s, account).debts == 0:
        return False
    least = waiting_loss(s, account) if waiting else wide(rounding(s))
    return lacks(worth_of(s, account, indices, doubted=True)) > least


@kernel
def waiting_loss(s: Store, account: int) -> Wide:
    """What an account in the waterfall may lack now and wait for its booking, in 10^-12 USDC."""
    if account_row(s, account).is_liquidating == 0 or is_interest_booked(s):
        return wide(rounding(s))
    interest = max(wide(rounding(s)), interest_down(s, account, time_between(s)))
    if _is_minute(s, interval_of(s)) and s.globals.now % s.rules.interval == 0:
        return min(interest, wide(DUST) * FINE_PER_VALUE - 1)
    return interest


@kernel
def is_interest_booked(s: Store) -> bool:
    """Whether all interest that is lost is booked now."""
    now, interval = s.globals.now, s.rules.interval
    if now % interval:
        return False
    return interval_of(s) == s.globals.heard or (now - interval) // HOUR != now // HOUR


@kernel
def _is_minute(s: Store, number: int) -> bool:
    """Whether an interval is one that books 0.01 USDC of lost interest though nobody acts."""
    return number % LOSS_INTERVALS == 0 and not _is_quiet(s, number)


@kernel
def _is_quiet(s: Store, number: int) -> bool:
    """Whether nobody said anything for long before an interval."""
    return wide(number - s.globals.heard) * s.rules.interval >= LOSS_QUIET


@kernel
def time_between(s: Store) -> int:
    """Microseconds from one booking of lost interest to the next where nobody acts."""
    if _is_quiet(s, interval_of(s)):
        return HOUR
    return min(HOUR, LOSS_INTERVALS * s.rules.interval)


@kernel
def is_loss_due(s: Store) -> bool:
    """Whether interest has made an account lack 0.01 USDC, in an interval that books it."""
    number = interval_of(s)
    if number == s.globals.heard:
        return _lacks_any(s, wide(rounding(s)))
    if _is_minute(s, number):
        return _lacks_any(s, wide(DUST) * FINE_PER_VALUE - 1)
    return False


@kernel
def _lacks_any(s: Store, least: Wide) -> bool:
    """Whether an account in the waterfall lacks more than so much for certain."""
    top = s.globals.scratch_top
    indices = take(s, s.globals.assets)
    lend_indices(s, indices)
    found = False
    for place in range(s.globals.liquidating_count):
        lack = lacks(worth_of(s, s.liquidating[place], indices, doubted=True))
        found = found or lack > least
    s.globals.scratch_top = top
    return found


@kernel
def next_loss(s: Store, top: int) -> int:
    """The first interval, at most `top`, that may find lost interest to book though nobody acts."""
    if s.globals.heard > interval_of(s):
        return min(top, s.globals.heard)
    interval = s.rules.interval
    loss = _loss_time(s, narrow(wide(top) * interval - s.globals.now))
    if loss < 0:
        return top
    times = narrow(divide_up(wide(s.globals.now) + loss, interval * LOSS_INTERVALS))
    number = times * LOSS_INTERVALS
    return top if _is_quiet(s, number) else min(top, number)


@kernel
def _loss_time(s: Store, most: int) -> int:
    """Microseconds, at most `most`, in which interest makes anybody lack 0.01 USDC; or -1."""
    before = s.globals.scratch_top
    indices = take(s, s.globals.assets)
    lend_indices(s, indices)
    soonest = -1
    for place in range(s.globals.liquidating_count):
        account = s.liquidating[place]
        lack = lacks(worth_of(s, account, indices, doubted=True))
        left = wide(DUST) * FINE_PER_VALUE - lack
        growth = interest_up(s, account, most)
        if growth > 0 and growth >= left:
            time = narrow(max(wide(0), left) * most // growth)
            soonest = time if soonest < 0 else min(soonest, time)
    s.globals.scratch_top = before
    return soonest


@kernel
def interest_up(s: Store, account: int, time: int) -> Wide:
    """What an account's debts cost at most in so many microseconds of an hour, in 10^-12 USDC."""
    cost = wide(0)
    rest = account_row(s, account).debts
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        pool = pool_row(s, asset)
        apr = pool.apr
        if apr == UNSET:
            apr = borrow_apr(asset_row(s, asset), utilization(pool))
        a_year = divide_up(wide(debt_of(s, account, asset)) * apr, RATIO)
        atoms = narrow(divide_up(a_year * time, HOURS_PER_YEAR * HOUR)) + 1
        cost += fine_up(atoms, mark_of(s, asset), asset_row(s, asset))
    return cost


@kernel
def interest_down(s: Store, account: int, time: int) -> Wide:
    """What an account's debts cost in so many microseconds of an hour, whole atoms, 10^-12 USDC."""
    cost = wide(0)
    rest = account_row(s, account).debts
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        pool = pool_row(s, asset)
        apr = pool.apr
        if apr == UNSET:
            apr = borrow_apr(asset_row(s, asset), utilization(pool))
        a_year = wide(debt_of(s, account, asset)) * apr // RATIO
        atoms = narrow(a_year * time // (HOURS_PER_YEAR * HOUR))
        cost += fine_down(atoms, mark_of(s, asset), asset_row(s, asset))
    return cost


@kernel
def waits_for_booking(s: Store, account: int) -> bool:
    """Whether an account owes an impaired pool and is insolvent once claims lose what they will."""
    impaired = False
    rest = account_row(s, account).debts
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        impaired = impaired or pool_row(s, asset).impaired > 0
    if not impaired:
        return False
    top = s.globals.scratch_top
    indices = take(s, s.globals.assets)
    for asset in range(s.globals.assets):
        indices[asset] = impaired_index(pool_row(s, asset))
    insolvent = is_insolvent(s, account, indices, waiting=False)
    s.globals.scratch_top = top
    return insolvent


@kernel
def is_worthless(s: Store, account: int) -> bool:
    """Whether an account owes and is worth no more than 0.01 USDC and a share of each of its debts.

    So is every account whose loss was booked, at the last prices of what it has: rounding leaves it
    a share's worth of each debt, also of one that is settled before the others. Pools that it does
    not owe have no say (I43).
    """
    owed = account_row(s, account).debts
    if owed == 0:
        return False
    shares = wide(0)
    top = s.globals.scratch_top
    indices = take(s, s.globals.assets)
    for asset in range(s.globals.assets):
        pool = pool_row(s, asset)
        indices[asset] = pool.lend_index
        if owed & bit(asset):
            shares += value_up(debt_worth(pool, 1), mark_of(s, asset), asset_row(s, asset))
    worth = worth_of(s, account, indices, doubted=False)
    s.globals.scratch_top = top
    return -lacks(worth) <= (shares + DUST) * FINE_PER_VALUE
