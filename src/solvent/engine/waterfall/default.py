"""ADL case B in kernels: a borrower in default, as in `reference.waterfall.default`.

Its assets go to the lenders of what it owes, tier by tier. Then the backstop fund pays, and what is
left is a deficit. What is still to be settled stands in a row beside the attempts.
"""

from solvent.domain.labels import AdlCase, Tier
from solvent.domain.units import RATIO
from solvent.engine.ledger import (
    asset_row,
    claim_of,
    debt_of,
    is_stale,
    lent_total,
    mark_of,
    pool_row,
    position,
)
from solvent.engine.lending.pool import claim_fees
from solvent.engine.margin import liquidatable, portfolio_of
from solvent.engine.memory.layout import FUND
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.standby.relief import may_relieve, note_held, relieve
from solvent.engine.standby.rows import PaidInKind
from solvent.engine.units import (
    mul_div_down,
    payable,
    quantity_down,
    quantity_up,
    value_down,
)
from solvent.engine.waterfall.insolvency import is_worthless
from solvent.engine.waterfall.rounds import (
    ATTEMPTS,
    CLAIMS,
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
    value_of,
)
from solvent.engine.waterfall.rows import Candidate, Match, Means, Part, RoundSide
from solvent.engine.waterfall.settlement import means_worth, settle, stays_healthy, unhurt
from solvent.engine.waterfall.sizing import (
    debts_largest_first,
    deliverable_value,
    fee_rate,
    needed_debt_in_order,
)
from solvent.kernels.language import (
    allocate,
    allocate_rows,
    kernel,
    narrow,
    release,
    row_in,
    rows_in,
    wide,
)
from solvent.kernels.rows import Memory, Rows

_LEFT_ATOMS = 16
"""The most atoms of a debt that are taken to be what rounding left of it."""
_ROUNDING_ATOMS = 2
"""Atoms that the share rounding of one match may leave of a debt."""


@kernel
def settle_defaults(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """Case B: rounds for each asset owed by a borrower in default, then the rest is booked."""
    budget = allocate(count)
    any_defaulted = 0
    for place in range(count):
        any_defaulted = any_defaulted | attempts[place].defaulted
    for asset in range(s.globals.assets):
        # Nobody in default needs no claim of the treasury's either.
        if any_defaulted and not is_stale(s, asset):
            total = 0
            for place in range(count):
                budget[place] = 0
                if attempts[place].defaulted:
                    budget[place] = default_of(s, attempts[place].account, asset)
                total += budget[place]
            _claim_for(s, asset, total + _ROUNDING_ATOMS)
            _settle_asset(s, asset, attempts, count, budget, 0)
            for place in range(count):
                budget[place] = 0
                if attempts[place].defaulted:
                    budget[place] = fund_part(s, attempts[place].account, asset)
            _settle_asset(s, asset, attempts, count, budget, 1)
    release(budget)


@kernel
def _settle_asset(
    s: Store, asset: int, attempts: Rows[Attempt], count: int, budget: Memory, fund: int
) -> None:
    """The rounds of one asset, by tier, until the budget is spent."""
    any_left = 0
    for place in range(count):
        any_left = any_left | budget[place]
    if any_left == 0:
        return
    lenders = allocate(s.globals.accounts)
    lending = accounts_with(s, asset, CLAIMS, lenders)
    candidates = allocate_rows(Candidate, lending)
    sides = allocate_rows(RoundSide, count)
    tiers = allocate_rows(Means, most_means(s))
    for which in range(put_tiers(s, 1, tiers)):
        means = tiers[which]
        if means.borrowed or is_stale(s, means.asset):
            continue
        for _ in range(ATTEMPTS):
            needs = _plan_sides(s, asset, means, fund, attempts, count, budget, sides)
            found = 0
            if needs:
                found = _find_lenders(s, asset, means, lenders, lending, sides, needs, candidates)
            if found == 0:
                break
            case = AdlCase.BORROWER_DEFAULT
            plan = allot_round(s, asset, case, means, fund, sides, needs, candidates, found)
            number = open_round(s, plan, attempts)
            _settle_debtors(s, plan, number, budget)
            release_round(plan)
    release(tiers)
    release(sides)
    release(candidates)
    release(lenders)


@kernel
def _claim_for(s: Store, asset: int, quantity: int) -> None:
    """Let the pool's fees become a claim where its claims do not reach a debt of `quantity`."""
    claim_fees(s, asset, max(0, quantity - lent_total(pool_row(s, asset))))


@kernel
def default_of(s: Store, account: int, asset: int) -> int:
    """Atoms of one debt that an account in default is to settle out of its own assets."""
    debt = debt_of(s, account, asset)
    if not debt or not liquidatable(s, account):
        return 0
    if not is_worthless(s, account):
        return debt if _largest_debt(s, account) == asset else 0
    share = _share_of_assets(s, account, asset)
    return payable(debt, share, mark_of(s, asset), asset_row(s, asset))


@kernel
def _largest_debt(s: Store, account: int) -> int:
    """The asset in which the account owes most, at fresh prices."""
    top = s.globals.scratch_top
    portfolio = take(s, 3 * s.globals.assets)
    order = take(s, s.globals.assets)
    portfolio_of(s, account, portfolio)
    debts_largest_first(s, portfolio, order)
    largest = order[0]
    s.globals.scratch_top = top
    return largest


@kernel
def fund_part(s: Store, account: int, asset: int) -> int:
    """Atoms of one debt of a worthless account that the fund pays for: those that rounding left."""
    debt = debt_of(s, account, asset)
    if not 0 < debt <= _LEFT_ATOMS or not is_worthless(s, account):
        return 0
    return payable(debt, deliverable_value(s, FUND), mark_of(s, asset), asset_row(s, asset))


@kernel
def _share_of_assets(s: Store, account: int, asset: int) -> int:
    """This debt's part of the assets left, by value among the debts open from here on."""
    total = wide(0)
    for other in range(asset, s.globals.assets):
        if not is_stale(s, other):
            total += value_of(s, other, debt_of(s, account, other))
    if total == 0:
        return 0
    notional = value_of(s, asset, debt_of(s, account, asset))
    return mul_div_down(deliverable_value(s, account), notional, narrow(total))


@kernel
def _plan_sides(
    s: Store,
    asset: int,
    means: Means,
    fund: int,
    attempts: Rows[Attempt],
    count: int,
    budget: Memory,
    sides: Rows[RoundSide],
) -> int:
    """Write what is to be settled in these means, by account; return how many sides there are."""
    worth = 0
    if fund:
        worth = means_worth(s, FUND, asset, means)
    needs = 0
    for place in range(count):
        if budget[place]:
            side = sides[needs]
            _put_side(s, side, asset, means, fund, attempts[place].account, budget[place], place)
            if fund:
                # What the fund can still give, in order of account.
                reach = payable(side.needed, worth, mark_of(s, asset), asset_row(s, asset))
                side.needed = reach
                worth -= value_of(s, asset, reach)
            if side.needed:
                needs += 1
    return needs


@kernel
def _put_side(
    s: Store,
    side: RoundSide,
    asset: int,
    means: Means,
    fund: int,
    account: int,
    most: int,
    attempt: int,
) -> None:
    """Write how much of `most` atoms of a debt is settled in these means, and for which fee.

    The least that restores target health of an account with value.
    """
    debt = min(most, debt_of(s, account, asset))
    put_side(side, account, 0, 0, 0, attempt)
    if not debt or not liquidatable(s, account):
        return
    if fund:
        side.needed = debt
        return
    worthless = is_worthless(s, account)
    if not worthless:
        side.fee = fee_rate(s, account, means.asset, asset, s.rules.book_fee)
    worth = mul_div_down(means_worth(s, account, asset, means), RATIO, RATIO + side.fee)
    side.needed = payable(debt, worth, mark_of(s, asset), asset_row(s, asset))
    if side.needed and not worthless:
        top = s.globals.scratch_top
        portfolio = take(s, 3 * s.globals.assets)
        parts = rows_in(Part, take(s, Part.WIDTH))
        portfolio_of(s, account, portfolio)
        parts[0].asset = means.asset
        parts[0].quantity = portfolio[means.asset]
        needed = needed_debt_in_order(s, portfolio, asset, side.fee, parts, 1)
        side.needed = min(side.needed, needed)
        s.globals.scratch_top = top


@kernel
def _find_lenders(
    s: Store,
    asset: int,
    means: Means,
    lenders: Memory,
    count: int,
    sides: Rows[RoundSide],
    side_count: int,
    candidates: Rows[Candidate],
) -> int:
    """Write whom these means may pay and who is no side, by account; return how many."""
    needed = 0
    for place in range(side_count):
        needed += sides[place].needed
    found = 0
    side = 0
    for place in range(count):
        account = lenders[place]
        while side < side_count and sides[side].account < account:
            side += 1
        if not (side < side_count and sides[side].account == account):
            found += put_lender(s, account, asset, means, needed, candidates[found])
    return found


@kernel
def put_lender(
    s: Store, account: int, asset: int, means: Means, needed: int, row: Candidate
) -> int:
    """Write a lender whom these means may pay; his position is the claim; 1 when they may.

    Tokens that he owes pay up to his debt; other tokens only where his health does not fall by it,
    then where it leaves him above maintenance, asked of the most that he could be allotted.
    """
    claim = claim_of(s, account, asset)
    if claim == 0:
        return 0
    cap = claim
    mark = mark_of(s, means.asset)
    parameters = asset_row(s, means.asset)
    if means.tier == Tier.OWED:
        worth = value_down(debt_of(s, account, means.asset), mark, parameters)
        # The fee comes on top of what is settled.
        worth = mul_div_down(worth, RATIO, RATIO + s.rules.book_fee)
        cap = payable(claim, worth, mark_of(s, asset), asset_row(s, asset))
    elif means.tier != Tier.CASH and means.tier != Tier.LAST:
        most = min(claim, needed)
        pay = quantity_up(value_of(s, asset, most), mark, parameters)
        if means.tier == Tier.IN_KIND:
            if not unhurt(s, account, asset, most, means.asset, pay):
                return 0
        elif not stays_healthy(s, account, asset, most, means.asset, pay):
            return 0
    if cap == 0:
        return 0
    put_candidate(s, row, account, claim, cap)
    return 1


@kernel
def _settle_debtors(s: Store, plan: Round, number: int, budget: Memory) -> None:
    """Settle the pairs of a round of case B, then the atoms that rounding left of a debt."""
    held = allocate_rows(PaidInKind, plan.found)
    noted = 0
    if may_relieve(s, plan):
        for which in range(plan.found):
            noted += note_held(s, plan, plan.candidates[which].account, which, held[noted])
    before = allocate(plan.side_count)
    for which in range(plan.side_count):
        before[which] = debt_of(s, plan.sides[which].account, plan.asset)
    matches = allocate_rows(Match, most_matches(plan))
    count = put_matches(s, plan, number, matches)
    for which in range(count):
        settle(s, matches[which])
    place = matches[count - 1].number + 1 if count else 0
    for which in range(plan.side_count):
        place = _settle_rest(s, plan, plan.sides[which].account, number, place)
    for which in range(plan.side_count):
        side = plan.sides[which]
        closed = before[which] - debt_of(s, side.account, plan.asset)
        budget[side.attempt] -= min(budget[side.attempt], closed)
    release(matches)
    release(before)
    relieve(s, plan, number, held, noted)
    release(held)


@kernel
def _settle_rest(s: Store, plan: Round, debtor: int, number: int, first: int) -> int:
    """Offer the atoms that rounding left of a worthless debt to all lenders in turn.

    They are paid for where an atom of what is paid in is worth no more. Returns the next place.
    """
    asset, means = plan.asset, plan.means
    place = first
    rest = debt_of(s, debtor, asset)
    few = 0 < rest <= _ROUNDING_ATOMS * (place + 1)
    giver = FUND if plan.fund else debtor
    # All lenders would be asked in vain, one after another, where there is nothing to give.
    has_any = position(s, giver, means.asset).available > 0 or claim_of(s, giver, means.asset) > 0
    if not few or not has_any or not is_worthless(s, debtor):
        return place
    top = s.globals.scratch_top
    match = row_in(Match, take(s, Match.WIDTH))
    match.round = number
    match.case = plan.case
    match.asset = asset
    match.debtor = debtor
    match.giver = giver
    match.tier = means.tier
    match.paid_in = means.asset
    match.borrowed = 0
    match.fee = 0
    for lender in range(s.globals.accounts):
        debt = debt_of(s, debtor, asset)
        if debt == 0:
            break
        rest = min(debt, claim_of(s, lender, asset))
        if rest:
            match.number = place
            match.lender = lender
            match.quantity = rest
            match.value = value_of(s, asset, rest)
            mark = mark_of(s, means.asset)
            match.pay = quantity_down(match.value, mark, asset_row(s, means.asset))
            place += 1 if settle(s, match) else 0
    s.globals.scratch_top = top
    return place
