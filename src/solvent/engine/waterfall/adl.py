"""ADL case L in kernels: a stuck lender is paired with borrowers of his asset, as in `reference`.

What lenders were given in the step that repaid nothing yet stands in the rows of their attempts.
"""

from solvent.domain.labels import AdlCase, Reason, Stage, Tier
from solvent.domain.waterfall_events import HandedOver
from solvent.engine.ledger import asset_row, claim_of, debt_of, is_stale, mark_of, pool_row
from solvent.engine.lending.pool import redeemable
from solvent.engine.margin import (
    Doubt,
    health_of,
    liquidatable,
    portfolio_of,
    report,
    target_restored,
    total_value,
)
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.standby.relief import may_relieve, note_held, relieve
from solvent.engine.standby.rows import PaidInKind
from solvent.engine.units import payable, quantity_up, value_down
from solvent.engine.waterfall.rounds import (
    ATTEMPTS,
    DEBTS,
    Round,
    accounts_with,
    allot_round,
    most_matches,
    most_means,
    open_round,
    put_candidate,
    put_matches,
    put_side,
    put_tiers,
    release_round,
    supply_worth,
    value_of,
)
from solvent.engine.waterfall.rows import Candidate, Match, Means, RoundSide
from solvent.engine.waterfall.settlement import borrowable, means_worth, settle, unhurt
from solvent.engine.waterfall.sizing import deliverable_value, needed_swap, usdc_first
from solvent.kernels.language import allocate, allocate_rows, emit, kernel, release
from solvent.kernels.rows import Memory, Rows


@kernel
def settle_stuck_lenders(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """Case L: rounds for each asset in which a liquidatable lender's claim cannot be redeemed."""
    sides = allocate_rows(RoundSide, count)
    for asset in range(s.globals.assets):
        if not is_stale(s, asset) and _is_stuck(s, asset, attempts, count):
            _settle_asset(s, asset, attempts, count, sides)
            for place in range(count):
                account = attempts[place].account
                if attempts[place].is_stuck_lender and stuck_claim(s, account, asset):
                    _hand_over(s, account, asset)
    release(sides)


@kernel
def _is_stuck(s: Store, asset: int, attempts: Rows[Attempt], count: int) -> bool:
    """Whether anybody's claim on the asset is stuck."""
    for place in range(count):
        if attempts[place].is_stuck_lender and stuck_claim(s, attempts[place].account, asset):
            return True
    return False


@kernel
def _settle_asset(
    s: Store, asset: int, attempts: Rows[Attempt], count: int, sides: Rows[RoundSide]
) -> None:
    """The rounds of one asset, by tier."""
    payers = allocate(s.globals.accounts)
    owing = accounts_with(s, asset, DEBTS, payers)
    candidates = allocate_rows(Candidate, owing)
    tiers = allocate_rows(Means, most_means(s))
    for which in range(put_tiers(s, 0, tiers)):
        means = tiers[which]
        if means.tier == Tier.LAST:
            break
        for _ in range(ATTEMPTS):
            needs = plan_stuck_sides(s, asset, means, attempts, count, sides)
            found = 0
            if needs:
                found = find_payers(s, asset, means, payers, owing, sides, needs, candidates)
            if found == 0:
                break
            case = AdlCase.STUCK_LENDER
            plan = allot_round(s, asset, case, means, 0, sides, needs, candidates, found)
            number = open_round(s, plan, attempts)
            settle_lenders(s, plan, number, attempts)
            release_round(plan)
    release(tiers)
    release(candidates)
    release(payers)


@kernel
def settle_lenders(s: Store, plan: Round, number: int, attempts: Rows[Attempt]) -> None:
    """Settle the matches of a round whose sides give up and whose candidates pay.

    What a side is given that repays nothing is noted in its attempt.
    """
    held = allocate_rows(PaidInKind, plan.side_count)
    noted = 0
    if may_relieve(s, plan):
        for place in range(plan.side_count):
            noted += note_held(s, plan, plan.sides[place].account, place, held[noted])
    matches = allocate_rows(Match, most_matches(plan))
    side = 0
    for place in range(put_matches(s, plan, number, matches)):
        match = matches[place]
        owes = debt_of(s, match.lender, match.paid_in) > 0
        settled = settle(s, match)
        while plan.sides[side].account < match.lender:
            side += 1
        if not owes:
            attempt = attempts[plan.sides[side].attempt]
            attempt.received += value_down(
                settled, mark_of(s, plan.asset), asset_row(s, plan.asset)
            )
    release(matches)
    for place in range(relieve(s, plan, number, held, noted)):
        # What repaid a debt at once is no more to be counted as if it had.
        attempt = attempts[plan.sides[held[place].place].attempt]
        attempt.received = max(0, attempt.received - held[place].repaid)
    release(held)


@kernel
def plan_stuck_sides(
    s: Store,
    asset: int,
    means: Means,
    attempts: Rows[Attempt],
    count: int,
    sides: Rows[RoundSide],
) -> int:
    """Write whose claims can be paid so, and how much of them; return how many they are."""
    needs = 0
    for place in range(count):
        attempt = attempts[place]
        if attempt.is_stuck_lender:
            needed = needed_of(s, attempt.account, asset, means, attempt.received)
            if needed:
                put_side(sides[needs], attempt.account, needed, 0, attempt.received, place)
                needs += 1
    return needs


@kernel
def needed_of(s: Store, account: int, asset: int, means: Means, received: int) -> int:
    """Atoms of a stuck claim that are to be paid in these means.

    What he was given already in this step, and has not repaid with, counts as if it had been.
    """
    stuck = stuck_claim(s, account, asset)
    if not stuck:
        return 0
    top = s.globals.scratch_top
    portfolio = take(s, 3 * s.globals.assets)
    order = take(s, s.globals.assets)
    portfolio_of(s, account, portfolio)
    most = stuck
    if means.tier == Tier.OWED:
        order[0] = means.asset
        count = 1
        owed = portfolio[s.globals.assets + means.asset]
        most = 0
        if owed and not is_stale(s, means.asset):
            worth = value_down(owed, mark_of(s, means.asset), asset_row(s, means.asset))
            most = payable(stuck, worth, mark_of(s, asset), asset_row(s, asset))
    else:
        count = usdc_first(s, portfolio, order)
    needed = needed_swap(s, portfolio, asset, order, count, most, 0)
    s.globals.scratch_top = top
    needed = max(0, needed - payable(needed, received, mark_of(s, asset), asset_row(s, asset)))
    if means.tier == Tier.IN_KIND and needed:
        worth = supply_worth(s, means.asset)
        needed = payable(needed, worth, mark_of(s, asset), asset_row(s, asset))
        mark = mark_of(s, means.asset)
        pay = quantity_up(value_of(s, asset, needed), mark, asset_row(s, means.asset))
        return needed if unhurt(s, account, asset, needed, means.asset, pay) else 0
    return needed


@kernel
def stuck_claim(s: Store, account: int, asset: int) -> int:
    """Atoms of a liquidatable lender's claim that cash cannot give."""
    claim = claim_of(s, account, asset)
    if not claim or not liquidatable(s, account):
        return 0
    return max(0, claim - redeemable(pool_row(s, asset)))


@kernel
def find_payers(
    s: Store,
    asset: int,
    means: Means,
    payers: Memory,
    count: int,
    sides: Rows[RoundSide],
    side_count: int,
    candidates: Rows[Candidate],
) -> int:
    """Write who of `payers` can pay in these means and is no side; return how many."""
    found = 0
    side = 0
    for place in range(count):
        account = payers[place]
        while side < side_count and sides[side].account < account:
            side += 1
        if not (side < side_count and sides[side].account == account):
            found += put_payer(s, account, asset, means, candidates[found])
    return found


@kernel
def put_payer(s: Store, account: int, asset: int, means: Means, row: Candidate) -> int:
    """Write a borrower who is worth something and can pay in these means; 1 when he can."""
    debt = debt_of(s, account, asset)
    if debt == 0 or total_value(health_of(s, account, Doubt.NONE)) <= 0:
        return 0
    worth = means_worth(s, account, asset, means)
    if means.borrowed:
        worth = borrowable(s, account, asset, value_of(s, asset, debt))
    cap = payable(debt, worth, mark_of(s, asset), asset_row(s, asset))
    if cap == 0:
        return 0
    put_candidate(s, row, account, debt, cap)
    return 1


@kernel
def borrowers(s: Store, asset: int, rows: Rows[Candidate]) -> int:
    """Write who could be asked to pay for a stuck claim in any means, by id; return how many."""
    accounts = allocate(s.globals.accounts)
    found = 0
    for place in range(accounts_with(s, asset, DEBTS, accounts)):
        account = accounts[place]
        debt = debt_of(s, account, asset)
        if debt and total_value(health_of(s, account, Doubt.NONE)) > 0:
            worth = deliverable_value(s, account)
            cap = payable(debt, worth, mark_of(s, asset), asset_row(s, asset))
            if cap:
                put_candidate(s, rows[found], account, debt, cap)
                found += 1
    release(accounts)
    return found


@kernel
def _hand_over(s: Store, account: int, asset: int) -> None:
    """Say that ADL found too few counterparties for an account that still needs them."""
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if not target_restored(s, values):
        value = report(values).debts_value
        emit(
            s,
            HandedOver(
                account=account,
                stage=Stage.ADL,
                reason=Reason.NO_COUNTERPARTY,
                asset=asset,
                value=value,
            ),
        )
