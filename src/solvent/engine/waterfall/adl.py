"""ADL in kernels: how a round is planned, opened and settled, and case L, as in `reference`.

A round has two sides. Those in the waterfall are rows (`RoundSide`), by account; their
counterparties are the policies' candidates, by account too. `allot_round` says who is granted and
allotted how much; a plan's rows are given back with `release_round`.
"""

from typing import NamedTuple

from solvent.domain.labels import AdlCase, Reason, Stage
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened, AdlStuck, HandedOver
from solvent.engine.allot.apportionment import apportion
from solvent.engine.ledger import (
    account_row,
    asset_row,
    claim_of,
    debt_of,
    is_stale,
    mark_of,
    pool_row,
)
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
from solvent.engine.units import payable, value_up
from solvent.engine.waterfall.policies import allot
from solvent.engine.waterfall.record import Record, record_pools
from solvent.engine.waterfall.rows import Candidate, Match, Pair, RoundSide
from solvent.engine.waterfall.settlement import put_match, settle
from solvent.engine.waterfall.sizing import deliverable_value, needed_claim
from solvent.kernels.language import (
    allocate,
    allocate_rows,
    bit,
    copy_row,
    emit,
    kernel,
    narrow,
    release,
    row_in,
    wide,
)
from solvent.kernels.rows import Memory, Rows


class Round(NamedTuple):
    """The plan of a round: `total` of the `needed` atoms, granted to sides, allotted to candidates.

    `late` is 1 for candidates who come last (case B).
    """

    asset: int
    case: AdlCase
    policy: int
    needed: int
    total: int
    sides: Rows[RoundSide]
    side_count: int
    granted: Memory
    candidates: Rows[Candidate]
    found: int
    late: Memory
    allotted: Memory


@kernel
def settle_stuck_lenders(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """Case L: one round per asset in which a liquidatable lender's claim cannot be redeemed."""
    sides = allocate_rows(RoundSide, count)
    for asset in range(s.globals.assets):
        needs = plan_stuck_sides(s, asset, attempts, count, sides)
        if needs:
            plan = plan_lender_round(s, asset, sides, needs)
            number = open_round(s, plan, attempts)
            settle_lenders(s, plan, number)
            if plan.total < plan.needed:
                for place in range(needs):
                    _hand_over(s, sides[place].account, asset)
            release_round(plan)
    release(sides)


@kernel
def plan_stuck_sides(
    s: Store, asset: int, attempts: Rows[Attempt], count: int, sides: Rows[RoundSide]
) -> int:
    """Write whose claims of one asset are stuck, and how much of them; return how many they are."""
    needs = 0
    if not is_stale(s, asset):
        for place in range(count):
            account = attempts[place].account
            if attempts[place].is_stuck_lender:
                quantity = stuck_claim(s, account, asset)
                if quantity:
                    put_side(sides[needs], account, quantity, 0, 0, place)
                    needs += 1
    return needs


@kernel
def put_side(
    side: RoundSide, account: int, own: int, fund: int, fund_value: int, attempt: int
) -> None:
    """Write one account of the waterfall's side of a round."""
    side.account = account
    side.own = own
    side.fund = fund
    side.fund_value = fund_value
    side.attempt = attempt


@kernel
def stuck_claim(s: Store, account: int, asset: int) -> int:
    """Atoms of a claim to be turned into value: what health needs and cash cannot give."""
    claim = claim_of(s, account, asset)
    if not claim or not liquidatable(s, account):
        return 0
    unredeemable = max(0, claim - redeemable(pool_row(s, asset)))
    if not unredeemable:
        return 0
    top = s.globals.scratch_top
    portfolio = take(s, 3 * s.globals.assets)
    portfolio_of(s, account, portfolio)
    needed = needed_claim(s, portfolio, asset, unredeemable)
    s.globals.scratch_top = top
    return needed


@kernel
def plan_lender_round(s: Store, asset: int, sides: Rows[RoundSide], needs: int) -> Round:
    """The round of all stuck claims of one asset: borrowers picked and allotted."""
    rows = allocate_rows(Candidate, s.globals.accounts)
    found = borrowers(s, asset, rows)
    late = allocate(found)
    policy = s.rules.lender_policy
    return allot_round(s, asset, AdlCase.STUCK_LENDER, policy, sides, needs, rows, found, late)


@kernel
def allot_round(
    s: Store,
    asset: int,
    case: AdlCase,
    policy: int,
    sides: Rows[RoundSide],
    side_count: int,
    candidates: Rows[Candidate],
    found: int,
    late: Memory,
) -> Round:
    """The plan that follows from sides and candidates: what is needed, or as far as caps reach.

    Sides are granted parts in proportion to what they need. Candidates are allotted theirs by the
    policy; those who are late only what the others' caps leave.
    """
    needed = side_total(sides, side_count)
    total = min(needed, cap_total(candidates, found))
    granted = allocate(side_count)
    grant(s, sides, side_count, total, granted)
    allotted = allocate(found)
    plan = Round(
        asset=asset,
        case=case,
        policy=policy,
        needed=needed,
        total=total,
        sides=sides,
        side_count=side_count,
        granted=granted,
        candidates=candidates,
        found=found,
        late=late,
        allotted=allotted,
    )
    if _late_count(plan):
        _allot_in_turn(s, plan)
    else:
        allot(s, policy, candidates, found, total, value_of(s, asset, total), allotted)
    return plan


@kernel
def _late_count(plan: Round) -> int:
    """How many candidates come last."""
    count = 0
    for place in range(plan.found):
        count += plan.late[place]
    return count


@kernel
def _allot_in_turn(s: Store, plan: Round) -> None:
    """Allot to those who are not late first, and what is left of the total to the others."""
    some = allocate_rows(Candidate, plan.found)
    parts = allocate(plan.found)
    left = plan.total
    for turn in range(2):
        count = 0
        for place in range(plan.found):
            if plan.late[place] == turn:
                copy_row(plan.candidates[place], some[count])
                count += 1
        quantity = min(left, cap_total(some, count))
        value = value_of(s, plan.asset, quantity)
        allot(s, plan.policy, some, count, quantity, value, parts)
        left -= quantity
        count = 0
        for place in range(plan.found):
            if plan.late[place] == turn:
                plan.allotted[place] = parts[count]
                count += 1
    release(parts)
    release(some)


@kernel
def release_round(plan: Round) -> None:
    """Give back the rows of a plan, but those of its sides."""
    release(plan.allotted)
    release(plan.granted)
    release(plan.late)
    release(plan.candidates)


@kernel
def settle_lenders(s: Store, plan: Round, number: int) -> None:
    """Settle the pairs of a round of case L: each borrower pays for its own debt."""
    pairs = allocate_rows(Pair, plan.side_count + plan.found)
    matches = pair(plan.granted, plan.side_count, plan.allotted, plan.found, pairs)
    top = s.globals.scratch_top
    match = row_in(Match, take(s, Match.WIDTH))
    for place in range(matches):
        one = pairs[place]
        lender = plan.sides[one.left].account
        borrower = plan.candidates[one.right].account
        put_match(match, number, place, plan.asset, lender, borrower, borrower, one.quantity)
        match.borrow_allowed = 1
        settle(s, match)
    s.globals.scratch_top = top
    release(pairs)


@kernel
def side_total(sides: Rows[RoundSide], count: int) -> int:
    """Atoms that the waterfall's side of a round needs."""
    total = 0
    for place in range(count):
        side = sides[place]
        total += side.own + side.fund
    return total


@kernel
def cap_total(rows: Rows[Candidate], count: int) -> int:
    """Atoms that all candidates together can take."""
    total = wide(0)
    for place in range(count):
        total += rows[place].cap
    return narrow(total)


@kernel
def grant(s: Store, sides: Rows[RoundSide], count: int, total: int, granted: Memory) -> None:
    """Split what a round settles among its sides, in proportion to what each needs."""
    wanted = allocate(count)
    for place in range(count):
        side = sides[place]
        wanted[place] = side.own + side.fund
    apportion(s, total, wanted, wanted, count, granted)
    release(wanted)


@kernel
def borrowers(s: Store, asset: int, rows: Rows[Candidate]) -> int:
    """Write the eligible borrowers of the asset, by account id; return how many.

    Stuck lenders are liquidating, so none of them is among these.
    """
    count = 0
    for account in range(s.globals.accounts):
        holder = account_row(s, account)
        owes = holder.debts & bit(asset)
        if owes and not holder.is_liquidating:
            count += _put_borrower(s, account, asset, rows[count])
    return count


@kernel
def _put_borrower(s: Store, account: int, asset: int, row: Candidate) -> int:
    """Write a borrower who can pay for a stuck claim; 1 when he can."""
    debt = debt_of(s, account, asset)
    values = health_of(s, account, Doubt.NONE)
    if debt == 0 or total_value(values) <= 0:
        return 0
    cap = payable(debt, deliverable_value(s, account), mark_of(s, asset), asset_row(s, asset))
    if cap == 0:
        return 0
    summary = report(values)
    row.account = account
    row.position = debt
    row.cap = cap
    row.assets_value = summary.assets_value
    row.total_value = max(1, summary.total_value)
    return 1


@kernel
def pair(left: Memory, lefts: int, right: Memory, rights: int, pairs: Rows[Pair]) -> int:
    """Match two rows of equal sums in order, with two pointers; return how many pairs."""
    count = 0
    one = 0
    other = 0
    left_rest = left[0] if lefts else 0
    right_rest = right[0] if rights else 0
    while one < lefts and other < rights:
        quantity = min(left_rest, right_rest)
        if quantity:
            row = pairs[count]
            row.left = one
            row.right = other
            row.quantity = quantity
            count += 1
        left_rest -= quantity
        right_rest -= quantity
        if left_rest == 0:
            one += 1
            left_rest = left[one] if one < lefts else 0
        if right_rest == 0:
            other += 1
            right_rest = right[other] if other < rights else 0
    return count


@kernel
def value_of(s: Store, asset: int, quantity: int) -> int:
    """Value of `quantity` at the mark, rounded up."""
    return value_up(quantity, mark_of(s, asset), asset_row(s, asset))


@kernel
def open_round(s: Store, plan: Round, attempts: Rows[Attempt]) -> int:
    """Begin a round: number it and write down its demand, every pool, its sides and candidates."""
    number = s.globals.next_round
    s.globals.next_round = number + 1
    emit(
        s,
        AdlOpened(
            round=number,
            asset=plan.asset,
            case=plan.case,
            policy=plan.policy,
            mark=mark_of(s, plan.asset),
            needed=plan.needed,
            allotted=plan.total,
        ),
    )
    record_pools(s, Record(Stage.ADL, number, 0))
    for place in range(plan.side_count):
        side = plan.sides[place]
        _record_side(s, number, side, plan.granted[place], attempts[side.attempt])
    for place in range(plan.found):
        row = plan.candidates[place]
        _record_candidate(s, number, row, plan.allotted[place], plan.late[place])
    return number


@kernel
def _record_side(s: Store, number: int, side: RoundSide, granted: int, attempt: Attempt) -> None:
    """Write down one liquidated side and why earlier stages left it."""
    values = report(health_of(s, side.account, Doubt.NONE))
    emit(
        s,
        AdlStuck(
            round=number,
            account=side.account,
            needed=side.own + side.fund,
            allotted=granted,
            own=side.own,
            fund=side.fund,
            fund_value=side.fund_value,
            total_value=values.total_value,
            net_equity=values.net_equity,
            maintenance=values.maintenance,
            book_reason=Reason(attempt.book_reason),
            backstop_reason=Reason(attempt.backstop_reason),
        ),
    )


@kernel
def _record_candidate(s: Store, number: int, row: Candidate, allotted: int, last: int) -> None:
    """Write down one counterparty: what the policy saw of it and allotted to it."""
    emit(
        s,
        AdlCandidate(
            round=number,
            account=row.account,
            position=row.position,
            assets_value=row.assets_value,
            total_value=row.total_value,
            cap=row.cap,
            last=last,
            allotted=allotted,
        ),
    )


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
