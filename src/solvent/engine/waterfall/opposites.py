"""Opposites in kernels: who holds what another owes and owes what that one has, as in `reference`.

The debts of every account that takes part, the largest first, are found once and stand in a row of
as many numbers as there are assets for each, `NONE` behind the last.
"""

from solvent.domain.labels import AdlCase, Tier
from solvent.engine.ledger import asset_row, debt_of, mark_of, position
from solvent.engine.margin import Doubt, health_of, liquidatable, portfolio_of, total_value
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import payable, value_down
from solvent.engine.waterfall.adl import find_payers
from solvent.engine.waterfall.rounds import (
    DEBTS,
    accounts_with,
    allot_round,
    most_matches,
    open_round,
    put_matches,
    put_side,
    release_round,
)
from solvent.engine.waterfall.rows import Candidate, Match, Means, RoundSide
from solvent.engine.waterfall.settlement import put_means, settle
from solvent.engine.waterfall.sizing import (
    debts_largest_first,
    fee_rate,
    lightest_first,
    needed_swap,
)
from solvent.kernels.language import allocate, allocate_rows, kernel, release, row_in
from solvent.kernels.rows import Memory, Rows


@kernel
def settle_opposites(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """One round for each asset held and each asset owed: largest debts first, lightest assets."""
    if s.rules.opposites == 0 or not _anybody_takes_part(attempts, count):
        return
    assets = s.globals.assets
    owed = allocate(count * assets)
    most = _rank_debts(s, attempts, count, owed)
    if most:
        sides = allocate_rows(RoundSide, count)
        top = s.globals.scratch_top
        order = take(s, assets)
        fresh = lightest_first(s, order)
        for rank in range(most):
            for debt in range(assets):
                if _anybody_owes(owed, count, assets, rank, debt):
                    for which in range(fresh):
                        _settle_round(s, order[which], debt, rank, attempts, count, owed, sides)
        s.globals.scratch_top = top
        release(sides)
    release(owed)


@kernel
def _anybody_takes_part(attempts: Rows[Attempt], count: int) -> bool:
    found = 0
    for place in range(count):
        found += attempts[place].unsold
    return found > 0


@kernel
def _rank_debts(s: Store, attempts: Rows[Attempt], count: int, owed: Memory) -> int:
    """Write what each account owes, the largest first; the most debts that any of them has."""
    assets = s.globals.assets
    top = s.globals.scratch_top
    portfolio = take(s, 3 * assets)
    most = 0
    for place in range(count):
        own = owed.at(place * assets)
        debts = 0
        if attempts[place].unsold:
            portfolio_of(s, attempts[place].account, portfolio)
            debts = debts_largest_first(s, portfolio, own)
        for rank in range(debts, assets):
            own[rank] = NONE
        most = max(most, debts)
    s.globals.scratch_top = top
    return most


@kernel
def _anybody_owes(owed: Memory, count: int, assets: int, rank: int, debt: int) -> bool:
    """Whether `debt` is anybody's debt of this rank."""
    found = 0
    for place in range(count):
        found += 1 if owed[place * assets + rank] == debt else 0
    return found > 0


@kernel
def _settle_round(
    s: Store,
    asset: int,
    debt: int,
    rank: int,
    attempts: Rows[Attempt],
    count: int,
    owed: Memory,
    sides: Rows[RoundSide],
) -> None:
    """The round in which accounts give up `asset` for what they owe of `debt`."""
    needs = 0
    for place in range(count):
        if owed[place * s.globals.assets + rank] == debt:
            needs += _put_opposite(s, sides[needs], attempts[place].account, asset, debt, place)
    if needs == 0:
        return
    payers = allocate(s.globals.accounts)
    owing = accounts_with(s, asset, DEBTS, payers)
    candidates = allocate_rows(Candidate, owing)
    top = s.globals.scratch_top
    means = row_in(Means, take(s, Means.WIDTH))
    put_means(means, Tier.OWED, debt, 0)
    found = find_payers(s, asset, means, payers, owing, sides, needs, candidates)
    if found:
        case = AdlCase.OPPOSITES
        plan = allot_round(s, asset, case, means, 0, sides, needs, candidates, found)
        number = open_round(s, plan, attempts)
        matches = allocate_rows(Match, most_matches(plan))
        for place in range(put_matches(s, plan, number, matches)):
            settle(s, matches[place])
        release(matches)
        release_round(plan)
    s.globals.scratch_top = top
    release(candidates)
    release(payers)


@kernel
def _put_opposite(
    s: Store, side: RoundSide, account: int, asset: int, debt: int, attempt: int
) -> int:
    """Write how much of `asset` an account gives up for its debt, and for which fee; 1 when any.

    The least that restores target health; for a worthless account all that it has.
    """
    free = position(s, account, asset).available
    owed = debt_of(s, account, debt)
    if asset == debt or not (free and owed and liquidatable(s, account)):
        return 0
    worth = value_down(owed, mark_of(s, debt), asset_row(s, debt))
    most = payable(free, worth, mark_of(s, asset), asset_row(s, asset))
    fee = fee_rate(s, account, asset, debt, s.rules.opposites_fee)
    if total_value(health_of(s, account, Doubt.NONE)) > 0:
        top = s.globals.scratch_top
        portfolio = take(s, 3 * s.globals.assets)
        order = take(s, 1)
        portfolio_of(s, account, portfolio)
        order[0] = debt
        most = needed_swap(s, portfolio, asset, order, 1, most, fee)
        s.globals.scratch_top = top
    if most == 0:
        return 0
    put_side(side, account, most, fee, 0, attempt)
    return 1
