"""Insolvency: what an account is worth with everything stale valued for it, and who lacks what.

A stale asset counts (1 + doubt) times its last mark, a stale debt 1 / (1 + doubt); what an account
has and owes of one stale asset cancels and counts on neither side, for no price makes a gain of
that. What it lacks by that count it lacks for certain. Claims count at given lend indices, so that
it can be asked what an account is worth when pools have lost a part.

Of an account in the waterfall, or one whose loss is booked, dust of a stale asset counts nothing:
it would keep a debt of dust open for as long as that is halted. Nor does what it has where no part
of that pays for an atom of a debt: it will never pay any. Nobody healthy is let off by either.

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
    quantity_up,
    value_up,
)
from solvent.reference.ledger import debt_of, debt_worth, impaired_index
from solvent.reference.lending.rates import borrow_apr, utilization
from solvent.reference.margin import Doubt, doubted_mark
from solvent.reference.state import UNSET, State

DUST: int = 10_000
"""0.01 USDC in 10^-6: a stale holding worth less bears no loss, and losses of a pool below it are
its residue's affair and impair nothing (I39)."""
LOSS_INTERVALS = 60
"""Where nothing but time passes, interest that is lost is booked in one of so many intervals."""


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
        assets = 0
    return Worth(assets, debts)


def pays_nothing(state: State, account: int, held: Sequence[int]) -> bool:
    """Whether nothing of what is held, atoms by asset, pays for an atom of any of its debts.

    A match is paid in one asset, so two holdings of half an atom's worth pay for none.
    """
    for debt, shares in enumerate(state.accounts[account].debt_shares):
        if not shares:
            continue
        value = value_up(1, state.mark(debt), state.asset(debt).decimals)
        for asset, quantity in enumerate(held):
            mark = state.mark(asset)
            if not (quantity and mark):
                continue
            if asset == debt or quantity_up(value, mark, state.asset(asset).decimals) <= quantity:
                return False
    return True


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


def insolvent_among(state: State, accounts: Iterable[int], indices: Sequence[int]) -> list[int]:
    """Who of `accounts` owes more than it is worth, claims at these indices; in their order."""
    return [
        account
        for account in accounts
        if any(state.accounts[account].debt_shares)
        and worth_of(state, account, indices).lacks > rounding(state)
    ]


def certain_loss(state: State) -> int:
    """What accounts in the waterfall lack for certain, in 10^-12 USDC."""
    indices = lend_indices(state)
    return sum(max(0, worth_of(state, account, indices).lacks) for account in state.liquidating)


def is_loss_due(state: State) -> bool:
    """Whether interest has made accounts lack 0.01 USDC, in an interval that books it."""
    if state.interval() % LOSS_INTERVALS:
        return False
    return certain_loss(state) >= DUST * FINE_PER_VALUE


def is_interest_alone(state: State, accounts: Iterable[int], shortfall: int) -> bool:
    """Whether accounts lack no more (10^-6 USDC) than interest from one booking to the next."""
    # The first interval of an hour has a pass anyway.
    time = min(HOUR, LOSS_INTERVALS * state.parameters.waterfall.interval)
    cost = sum(interest_up(state, account, time) for account in accounts)
    return shortfall * FINE_PER_VALUE <= max(DUST * FINE_PER_VALUE, cost)


def loss_time(state: State, most: int) -> int | None:
    """Microseconds, at most `most`, in which interest makes a certain loss of 0.01 USDC; or None.

    Not later than that: what accounts have is taken to earn nothing, and debts to grow at once by
    the atom that rounds them.
    """
    indices = lend_indices(state)
    lacking = growing = 0
    for account in state.liquidating:
        lacks = worth_of(state, account, indices).lacks
        growth = interest_up(state, account, most)
        if lacks + growth > 0:
            lacking += max(0, lacks)
            growing += growth
    left = DUST * FINE_PER_VALUE - lacking
    return most * max(0, left) // growing if 0 < growing >= left else None


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
