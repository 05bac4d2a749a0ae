"""ADL in kernels: how a round is opened, paired and recorded, and case L, as in `reference`.

A round has two sides. Those in the waterfall are rows of named numbers (`SIDE_...`), by account;
their counterparties are the policies' candidates, by account too, with the atoms allotted.
"""

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
    emit,
    kernel,
    narrow,
    release,
    row_in,
    wide,
)
from solvent.kernels.rows import Memory, Rows


@kernel
def settle_stuck_lenders(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """Case L: one round per asset in which a liquidatable lender's claim cannot be redeemed."""
    sides = allocate_rows(RoundSide, count)
    for asset in range(s.globals.assets):
        if not is_stale(s, asset):
            needs = 0
            for place in range(count):
                attempt = attempts[place]
                if attempt.is_stuck_lender:
                    quantity = _stuck_claim(s, attempt.account, asset)
                    if quantity:
                        side = sides[needs]
                        put_side(side, attempt.account, quantity, 0, 0, place)
                        needs += 1
            if needs:
                _lender_round(s, asset, sides, needs, attempts)
    release(sides)


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
def _stuck_claim(s: Store, account: int, asset: int) -> int:
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
def _lender_round(
    s: Store, asset: int, sides: Rows[RoundSide], needs: int, attempts: Rows[Attempt]
) -> None:
    """Pick borrowers for all stuck claims of one asset, allot, match and settle."""
    rows = allocate_rows(Candidate, s.globals.accounts)
    found = borrowers(s, asset, rows)
    policy = s.rules.lender_policy
    needed = side_total(sides, needs)
    total = min(needed, cap_total(rows, found))
    allotted = allocate(found)
    allot(s, policy, rows, found, total, value_of(s, asset, total), allotted)
    granted = allocate(needs)
    grant(s, sides, needs, total, granted)
    number = open_round(s, asset, AdlCase.STUCK_LENDER, policy, needed, total)
    record_sides(s, number, sides, needs, granted, attempts)
    for place in range(found):
        record_candidate(s, number, rows[place], allotted[place], 0)
    pairs = allocate_rows(Pair, needs + found)
    matches = pair(granted, needs, allotted, found, pairs)
    top = s.globals.scratch_top
    match = row_in(Match, take(s, Match.WIDTH))
    for place in range(matches):
        one = pairs[place]
        lender = sides[one.left].account
        borrower = rows[one.right].account
        put_match(match, number, place, asset, lender, borrower, borrower, one.quantity)
        match.borrow_allowed = 1
        settle(s, match)
    s.globals.scratch_top = top
    if total < needed:
        for place in range(needs):
            _hand_over(s, sides[place].account, asset)
    release(pairs)
    release(granted)
    release(allotted)
    release(rows)


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
def open_round(s: Store, asset: int, case: AdlCase, policy: int, needed: int, allotted: int) -> int:
    """Begin a round: number it, write down its demand and every pool."""
    number = s.globals.next_round
    s.globals.next_round = number + 1
    emit(
        s,
        AdlOpened(
            round=number,
            asset=asset,
            case=case,
            policy=policy,
            mark=mark_of(s, asset),
            needed=needed,
            allotted=allotted,
        ),
    )
    record_pools(s, Record(Stage.ADL, number, 0))
    return number


@kernel
def record_sides(
    s: Store,
    number: int,
    sides: Rows[RoundSide],
    count: int,
    granted: Memory,
    attempts: Rows[Attempt],
) -> None:
    """Write down the liquidated sides and why earlier stages left them."""
    for place in range(count):
        side = sides[place]
        attempt = attempts[side.attempt]
        values = report(health_of(s, side.account, Doubt.NONE))
        emit(
            s,
            AdlStuck(
                round=number,
                account=side.account,
                needed=side.own + side.fund,
                allotted=granted[place],
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
def record_candidate(s: Store, number: int, row: Candidate, allotted: int, last: int) -> None:
    """Write down one counterparty: what the policy saw of him and gave him."""
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
