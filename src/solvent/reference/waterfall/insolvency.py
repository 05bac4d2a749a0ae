"""Insolvency: what an account is worth with everything stale valued for it, and who lacks what.

A stale asset counts (1 + doubt) times its last mark, a stale debt 1 / (1 + doubt); what an account
has and owes of one stale asset cancels and counts on neither side, for no price makes a gain of
that. What it lacks by that count it lacks for certain. Claims count at given lend indices, so that
it can be asked what an account is worth when pools have lost a part.

Of an account in the waterfall, or one whose loss is booked, dust of a stale asset counts nothing:
it would keep a debt of dust open for as long as that is halted. Nor does what it has where no part
of that pays for an atom of a debt that anybody lent: it will never pay any. Nobody healthy is let
off by either.

Specification: section 8.7.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from solvent.domain.units import (
    FINE_PER_VALUE,
    HOUR,
    HOURS_PER_YEAR,
    INDEX_SCALE,
    RATIO,
    divide_up,
    fine_down,
    fine_up,
    mul_div_down,
    value_divisor,
    value_up,
)
from solvent.reference.ledger import (
    claim_of,
    debt_of,
    debt_worth,
    impaired_index,
    lent_total,
)
from solvent.reference.lending.rates import borrow_apr, utilization
from solvent.reference.margin import Doubt, doubted_mark
from solvent.reference.state import UNSET, State

DUST: int = 10_000
"""0.01 USDC in 10^-6: a stale holding worth less bears no loss, and losses of a pool below it are
its residue's affair and impair nothing (I39)."""
LOSS_INTERVALS = 60
"""Where nothing but time passes, interest that is lost is booked in one of so many intervals."""
LOSS_QUIET = HOUR
"""Where nobody said anything for so long it is booked in the first interval of an hour."""


class Worth(NamedTuple):
    """What an account has and owes in 10^-12 USDC: the former rounded down, the latter up."""

    assets: int
    debts: int

    @property
    def lacks(self) -> int:
        """By how much debts exceed assets; not above 0 for an account that is solvent."""
        return self.debts - self.assets


def lend_indices(state: State) -> list[int]:
    """The lend indices in force, by asset."""
    return [pool.lend_index for pool in state.pools]


def worth_of(state: State, account: int, indices: Sequence[int], *, doubted: bool = True) -> Worth:
    """What `account` is worth with claims at these lend indices, and stale prices read for it.

    Where they are not `doubted` they count as they were last.
    """
    return _counted(state, account, indices, doubted=doubted, strictly=account in state.liquidating)


def booked_worth(state: State, account: int, indices: Sequence[int]) -> Worth:
    """What `account` is worth where its loss is booked: as in the waterfall, wherever it is."""
    return _counted(state, account, indices, doubted=True, strictly=True)


def worth_against(state: State, account: int, indices: Sequence[int]) -> Worth:
    """What `account` is worth with stale prices read against it by the same doubt."""
    holder = state.accounts[account]
    factor = RATIO + state.parameters.waterfall.stale_doubt
    assets = debts = 0
    for asset, parameters in enumerate(state.parameters.assets):
        claim = mul_div_down(holder.lent_shares[asset], indices[asset], INDEX_SCALE)
        quantity = holder.available[asset] + holder.locked[asset] + claim
        debt = debt_of(state, account, asset)
        mark, decimals = state.mark(asset), parameters.decimals
        if not state.prices[asset].stale:
            assets += fine_down(quantity, mark, decimals)
            debts += fine_up(debt, mark, decimals)
            continue
        netted = min(quantity, debt)
        assets += fine_down(quantity - netted, mark, decimals) * RATIO // factor
        higher = doubted_mark(state, mark, Doubt.AGAINST_ACCOUNT)
        debts += fine_up(debt - netted, higher, decimals)
    return Worth(assets, debts)


def _counted(
    state: State, account: int, indices: Sequence[int], *, doubted: bool, strictly: bool
) -> Worth:
    holder = state.accounts[account]
    doubt = state.parameters.waterfall.stale_doubt if doubted else 0
    assets = debts = 0
    held = []
    for asset, parameters in enumerate(state.parameters.assets):
        claim = mul_div_down(holder.lent_shares[asset], indices[asset], INDEX_SCALE)
        quantity = holder.available[asset] + holder.locked[asset] + claim
        held.append(quantity)
        debt = debt_of(state, account, asset)
        mark, decimals = state.mark(asset), parameters.decimals
        if not state.prices[asset].stale:
            assets += fine_down(quantity, mark, decimals)
            debts += fine_up(debt, mark, decimals)
            continue
        netted = min(quantity, debt)
        beyond = fine_down(quantity - netted, mark, decimals) * (RATIO + doubt) // RATIO
        assets += beyond if beyond >= DUST * FINE_PER_VALUE or not strictly else 0
        debts += fine_up(debt - netted, mark * RATIO // (RATIO + doubt), decimals)
    if strictly and pays_nothing(state, account, held):
        # Lacking what rounding may take is lacking nothing, however little an atom is worth.
        return Worth(0, max(debts, rounding(state) + 1))
    return Worth(assets, debts)


def pays_nothing(state: State, account: int, held: Sequence[int]) -> bool:
    """Whether nothing of what is held, atoms by asset, pays for an atom of any of its debts.

    A match is paid in one asset, so two holdings of half an atom's worth pay for none. An atom that
    is nobody's is paid for by what is held of the same asset alone.
    """
    for debt, shares in enumerate(state.accounts[account].debt_shares):
        if not shares:
            continue
        if held[debt] and state.mark(debt):
            return False
        if is_nobodys(state, account, debt):
            continue
        value = value_up(1, state.mark(debt), state.asset(debt).decimals)
        for asset, quantity in enumerate(held):
            # Not by the atoms that it takes, which may be more than a column holds (I43).
            worth = quantity * state.mark(asset)
            if worth and value * value_divisor(state.asset(asset).decimals) <= worth:
                return False
    return True


def is_nobodys(state: State, account: int, asset: int) -> bool:
    """Whether a debt is an atom, and no account has a claim of one: nobody is there to be paid."""
    if debt_of(state, account, asset) != 1:
        return False
    claims = lent_total(state.pools[asset])
    # As many atoms as accounts, or more, are no parts of atoms alone.
    if claims >= len(state.accounts):
        return False
    return not any(claim_of(state, other, asset) for other in range(len(state.accounts)))


def is_unpayable(state: State, account: int) -> bool:
    """Whether an account owes nothing but atoms that are nobody's, so that no token pays them."""
    return all(
        is_nobodys(state, account, asset)
        for asset, shares in enumerate(state.accounts[account].debt_shares)
        if shares
    )


def open_debt(state: State, account: int, asset: int) -> int:
    """What of a debt in atoms counts: at a stale price not what the account has of the asset."""
    debt = debt_of(state, account, asset)
    if not state.prices[asset].stale:
        return debt
    holder = state.accounts[account]
    return max(0, debt - holder.available[asset] - holder.locked[asset])


def rounding(state: State) -> int:
    """What counting an account may cost it, in 10^-12 USDC: who lacks no more lacks nothing."""
    return len(state.pools)


def counted_up(state: State, asset: int, quantity: int) -> int:
    """What atoms of an asset count at most for their owner, in 10^-12 USDC."""
    value = fine_up(quantity, state.mark(asset), state.asset(asset).decimals) + 1
    if state.prices[asset].stale:
        value += divide_up(value * state.parameters.waterfall.stale_doubt, RATIO)
    return value


def insolvent_among(
    state: State, accounts: Iterable[int], indices: Sequence[int], *, waiting: bool = False
) -> list[int]:
    """Who of `accounts` owes more than it is worth, claims at these indices; in their order.

    Where interest that is lost is `waiting`, those in the waterfall who lack no more are left out.
    """
    return [
        account
        for account in accounts
        if any(state.accounts[account].debt_shares)
        and worth_of(state, account, indices).lacks
        > (waiting_loss(state, account) if waiting else rounding(state))
    ]


def waiting_loss(state: State, account: int) -> int:
    """What an account in the waterfall may lack now and wait for its booking, in 10^-12 USDC.

    It is what interest makes from one booking to the next, whoever else is booked and whoever else
    keeps the waterfall awake (I43).
    """
    if account not in state.liquidating or is_interest_booked(state):
        return rounding(state)
    interest = max(rounding(state), interest_down(state, account, time_between(state)))
    if _is_minute(state, state.interval()) and not state.now % state.parameters.waterfall.interval:
        return min(interest, DUST * FINE_PER_VALUE - 1)
    return interest


def is_interest_booked(state: State) -> bool:
    """Whether all interest that is lost is booked now.

    In the first interval after a command that was accepted, and in the first of an hour.
    """
    interval = state.parameters.waterfall.interval
    if state.now % interval:
        return False
    return state.interval() == state.heard or (state.now - interval) // HOUR != state.hour()


def _is_minute(state: State, number: int) -> bool:
    """Whether an interval is one that books 0.01 USDC of lost interest though nobody acts."""
    return number % LOSS_INTERVALS == 0 and not _is_quiet(state, number)


def _is_quiet(state: State, number: int) -> bool:
    """Whether nobody said anything for long before an interval."""
    return (number - state.heard) * state.parameters.waterfall.interval >= LOSS_QUIET


def time_between(state: State) -> int:
    """Microseconds from one booking of lost interest to the next where nobody acts."""
    if _is_quiet(state, state.interval()):
        return HOUR
    # The first interval of an hour has a pass anyway.
    return min(HOUR, LOSS_INTERVALS * state.parameters.waterfall.interval)


def is_loss_due(state: State) -> bool:
    """Whether interest has made an account lack 0.01 USDC, in an interval that books it."""
    number = state.interval()
    if number == state.heard:
        least = rounding(state)
    elif _is_minute(state, number):
        least = DUST * FINE_PER_VALUE - 1
    else:
        return False
    indices = lend_indices(state)
    return any(worth_of(state, account, indices).lacks > least for account in state.liquidating)


def is_interest_alone(state: State, accounts: Iterable[int], shortfall: int) -> bool:
    """Whether accounts lack no more (10^-6 USDC) than interest from one booking to the next."""
    time = time_between(state)
    cost = sum(interest_up(state, account, time) for account in accounts)
    return shortfall * FINE_PER_VALUE <= max(DUST * FINE_PER_VALUE, cost)


def next_loss(state: State, top: int) -> int:
    """The first interval, at most `top`, that may find lost interest to book though nobody acts."""
    interval = state.parameters.waterfall.interval
    if state.heard > state.interval():
        return min(top, state.heard)
    loss = _loss_time(state, top * interval - state.now)
    if loss is None:
        return top
    number = divide_up(state.now + loss, LOSS_INTERVALS * interval) * LOSS_INTERVALS
    return top if _is_quiet(state, number) else min(top, number)


def _loss_time(state: State, most: int) -> int | None:
    """Microseconds, at most `most`, in which interest makes anybody lack 0.01 USDC; or None.

    Not later than that: what accounts have is taken to earn nothing, and debts to grow at once by
    the atom that rounds them.
    """
    indices = lend_indices(state)
    soonest = None
    for account in state.liquidating:
        left = DUST * FINE_PER_VALUE - worth_of(state, account, indices).lacks
        growth = interest_up(state, account, most)
        if 0 < growth >= left:
            time = most * max(0, left) // growth
            soonest = time if soonest is None else min(soonest, time)
    return soonest


def interest_up(state: State, account: int, time: int) -> int:
    """What an account's debts cost at most in so many microseconds of an hour, in 10^-12 USDC."""
    cost = 0
    for asset, shares in enumerate(state.accounts[account].debt_shares):
        if not shares:
            continue
        pool, parameters = state.pools[asset], state.asset(asset)
        apr = pool.apr if pool.apr != UNSET else borrow_apr(parameters.pool, utilization(pool))
        a_year = divide_up(debt_of(state, account, asset) * apr, RATIO)
        atoms = divide_up(a_year * time, HOURS_PER_YEAR * HOUR) + 1
        cost += fine_up(atoms, state.mark(asset), parameters.decimals)
    return cost


def interest_down(state: State, account: int, time: int) -> int:
    """What an account's debts cost in so many microseconds of an hour, whole atoms, 10^-12 USDC."""
    cost = 0
    for asset, shares in enumerate(state.accounts[account].debt_shares):
        if not shares:
            continue
        pool, parameters = state.pools[asset], state.asset(asset)
        apr = pool.apr if pool.apr != UNSET else borrow_apr(parameters.pool, utilization(pool))
        a_year = debt_of(state, account, asset) * apr // RATIO
        atoms = a_year * time // (HOURS_PER_YEAR * HOUR)
        cost += fine_down(atoms, state.mark(asset), parameters.decimals)
    return cost


def waits_for_booking(state: State, account: int) -> bool:
    """Whether an account owes an impaired pool and is insolvent once claims lose what they will."""
    owed = state.accounts[account].debt_shares
    if not any(pool.impaired and owed[asset] for asset, pool in enumerate(state.pools)):
        return False
    return worth_of(state, account, impaired_indices(state)).lacks > rounding(state)


def impaired_indices(state: State) -> list[int]:
    """The lend indices at which claims count while certain losses are not booked."""
    return [impaired_index(pool) for pool in state.pools]


def is_worthless(state: State, account: int) -> bool:
    """Whether an account owes and is worth no more than 0.01 USDC and a share of each of its debts.

    So is every account whose loss was booked, at the last prices of what it has: rounding leaves it
    a share's worth of each debt, also of one that is settled before the others. Pools that it does
    not owe have no say (I43).
    """
    owed = state.accounts[account].debt_shares
    if not any(owed):
        return False
    shares = sum(
        value_up(debt_worth(pool, 1), state.mark(asset), state.asset(asset).decimals)
        for asset, pool in enumerate(state.pools)
        if owed[asset]
    )
    worth = worth_of(state, account, lend_indices(state), doubted=False)
    return -worth.lacks <= (DUST + shares) * FINE_PER_VALUE
