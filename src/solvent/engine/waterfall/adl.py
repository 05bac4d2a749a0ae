"""ADL in kernels: how a round is opened, paired and recorded, and case L, as in `reference`.

A round has two sides. Those in the waterfall are rows of named numbers (`SIDE_...`), by account;
their counterparties are the policies' candidates, by account too, with the atoms allotted.
"""

from solvent.domain.labels import AdlCase, Reason, Stage
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
from solvent.engine.memory.layout import (
    ACCOUNTS,
    ADL_CANDIDATE,
    ADL_OPENED,
    ADL_STUCK,
    ASSETS,
    ATTEMPT_ACCOUNT,
    ATTEMPT_BACKSTOP_REASON,
    ATTEMPT_BOOK_REASON,
    ATTEMPT_IS_STUCK_LENDER,
    ATTEMPT_WIDTH,
    DEBTS,
    HANDED_OVER,
    IS_LIQUIDATING,
    LENDER_POLICY,
    NEXT_ROUND,
    SCRATCH_TOP,
)
from solvent.engine.memory.scratch import take
from solvent.engine.units import payable, value_up
from solvent.engine.waterfall.policies import (
    ASSETS_VALUE,
    CANDIDATE,
    CANDIDATE_WIDTH,
    CAP,
    POSITION,
    TOTAL_VALUE,
    allot,
)
from solvent.engine.waterfall.record import Record, record_pools
from solvent.engine.waterfall.settlement import (
    MATCH_BORROW_ALLOWED,
    MATCH_WIDTH,
    put_match,
    settle,
)
from solvent.engine.waterfall.sizing import deliverable_value, needed_claim
from solvent.kernels.language import (
    Memory,
    Store,
    allocate,
    bit,
    emit,
    kernel,
    narrow,
    release,
    wide,
)

SIDE_ACCOUNT = 0
SIDE_OWN = 1
"""Atoms to be settled out of the account's own claim or assets."""
SIDE_FUND = 2
"""Atoms that the backstop fund pays for."""
SIDE_FUND_VALUE = 3
SIDE_ATTEMPT = 4
"""Place of the account among the step's attempts."""
SIDE_WIDTH = 5

PAIR_LEFT = 0
"""Place on the left side."""
PAIR_RIGHT = 1
PAIR_QUANTITY = 2
PAIR_WIDTH = 3


@kernel
def settle_stuck_lenders(s: Store, attempts: Memory, count: int) -> None:
    """Case L: one round per asset in which a liquidatable lender's claim cannot be redeemed."""
    sides = allocate(count * SIDE_WIDTH)
    for asset in range(s.globals[ASSETS]):
        if not is_stale(s, asset):
            needs = 0
            for place in range(count):
                attempt = attempts.at(place * ATTEMPT_WIDTH)
                if attempt[ATTEMPT_IS_STUCK_LENDER]:
                    quantity = _stuck_claim(s, attempt[ATTEMPT_ACCOUNT], asset)
                    if quantity:
                        side = sides.at(needs * SIDE_WIDTH)
                        put_side(side, attempt[ATTEMPT_ACCOUNT], quantity, 0, 0, place)
                        needs += 1
            if needs:
                _lender_round(s, asset, sides, needs, attempts)
    release(sides)


@kernel
def put_side(
    side: Memory, account: int, own: int, fund: int, fund_value: int, attempt: int
) -> None:
    """Write one account of the waterfall's side of a round."""
    side[SIDE_ACCOUNT] = account
    side[SIDE_OWN] = own
    side[SIDE_FUND] = fund
    side[SIDE_FUND_VALUE] = fund_value
    side[SIDE_ATTEMPT] = attempt


@kernel
def _stuck_claim(s: Store, account: int, asset: int) -> int:
    """Atoms of a claim to be turned into value: what health needs and cash cannot give."""
    claim = claim_of(s, account, asset)
    if not claim or not liquidatable(s, account):
        return 0
    unredeemable = max(0, claim - redeemable(pool_row(s, asset)))
    if not unredeemable:
        return 0
    top = s.globals[SCRATCH_TOP]
    portfolio = take(s, 3 * s.globals[ASSETS])
    portfolio_of(s, account, portfolio)
    needed = needed_claim(s, portfolio, asset, unredeemable)
    s.globals[SCRATCH_TOP] = top
    return needed


@kernel
def _lender_round(s: Store, asset: int, sides: Memory, needs: int, attempts: Memory) -> None:
    """Pick borrowers for all stuck claims of one asset, allot, match and settle."""
    rows = allocate(s.globals[ACCOUNTS] * CANDIDATE_WIDTH)
    found = borrowers(s, asset, rows)
    policy = s.rules[LENDER_POLICY]
    needed = side_total(sides, needs)
    total = min(needed, cap_total(rows, found))
    allotted = allocate(found)
    allot(s, policy, rows, found, total, value_of(s, asset, total), allotted)
    granted = allocate(needs)
    grant(s, sides, needs, total, granted)
    number = open_round(s, asset, AdlCase.STUCK_LENDER, policy, needed, total)
    record_sides(s, number, sides, needs, granted, attempts)
    for place in range(found):
        record_candidate(s, number, rows.at(place * CANDIDATE_WIDTH), allotted[place], 0)
    pairs = allocate((needs + found) * PAIR_WIDTH)
    matches = pair(granted, needs, allotted, found, pairs)
    top = s.globals[SCRATCH_TOP]
    match = take(s, MATCH_WIDTH)
    for place in range(matches):
        one = pairs.at(place * PAIR_WIDTH)
        lender = sides[one[PAIR_LEFT] * SIDE_WIDTH + SIDE_ACCOUNT]
        borrower = rows[one[PAIR_RIGHT] * CANDIDATE_WIDTH + CANDIDATE]
        put_match(match, number, place, asset, lender, borrower, borrower, one[PAIR_QUANTITY])
        match[MATCH_BORROW_ALLOWED] = 1
        settle(s, match)
    s.globals[SCRATCH_TOP] = top
    if total < needed:
        for place in range(needs):
            _hand_over(s, sides[place * SIDE_WIDTH + SIDE_ACCOUNT], asset)
    release(pairs)
    release(granted)
    release(allotted)
    release(rows)


@kernel
def side_total(sides: Memory, count: int) -> int:
    """Atoms that the waterfall's side of a round needs."""
    total = 0
    for place in range(count):
        side = sides.at(place * SIDE_WIDTH)
        total += side[SIDE_OWN] + side[SIDE_FUND]
    return total


@kernel
def cap_total(rows: Memory, count: int) -> int:
    """Atoms that all candidates together can take."""
    total = wide(0)
    for place in range(count):
        total += rows[place * CANDIDATE_WIDTH + CAP]
    return narrow(total)


@kernel
def grant(s: Store, sides: Memory, count: int, total: int, granted: Memory) -> None:
    """Split what a round settles among its sides, in proportion to what each needs."""
    wanted = allocate(count)
    for place in range(count):
        side = sides.at(place * SIDE_WIDTH)
        wanted[place] = side[SIDE_OWN] + side[SIDE_FUND]
    apportion(s, total, wanted, wanted, count, granted)
    release(wanted)


@kernel
def borrowers(s: Store, asset: int, rows: Memory) -> int:
    """Write the eligible borrowers of the asset, by account id; return how many.

    Stuck lenders are liquidating, so none of them is among these.
    """
    count = 0
    for account in range(s.globals[ACCOUNTS]):
        holder = account_row(s, account)
        owes = holder[DEBTS] & bit(asset)
        if owes and not holder[IS_LIQUIDATING]:
            count += _put_borrower(s, account, asset, rows.at(count * CANDIDATE_WIDTH))
    return count


@kernel
def _put_borrower(s: Store, account: int, asset: int, row: Memory) -> int:
    """Write a borrower who can pay for a stuck claim; 1 when he can."""
    debt = debt_of(s, account, asset)
    values = health_of(s, account, Doubt.NONE)
    if debt == 0 or total_value(values) <= 0:
        return 0
    cap = payable(debt, deliverable_value(s, account), mark_of(s, asset), asset_row(s, asset))
    if cap == 0:
        return 0
    summary = report(values)
    row[CANDIDATE] = account
    row[POSITION] = debt
    row[CAP] = cap
    row[ASSETS_VALUE] = summary.assets_value
    row[TOTAL_VALUE] = max(1, summary.total_value)
    return 1


@kernel
def pair(left: Memory, lefts: int, right: Memory, rights: int, pairs: Memory) -> int:
    """Match two rows of equal sums in order, with two pointers; return how many pairs."""
    count = 0
    one = 0
    other = 0
    left_rest = left[0] if lefts else 0
    right_rest = right[0] if rights else 0
    while one < lefts and other < rights:
        quantity = min(left_rest, right_rest)
        if quantity:
            row = pairs.at(count * PAIR_WIDTH)
            row[PAIR_LEFT] = one
            row[PAIR_RIGHT] = other
            row[PAIR_QUANTITY] = quantity
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
def open_round(s: Store, asset: int, case: int, policy: int, needed: int, allotted: int) -> int:
    """Begin a round: number it, write down its demand and every pool."""
    number = s.globals[NEXT_ROUND]
    s.globals[NEXT_ROUND] = number + 1
    emit(s, ADL_OPENED, number, asset, case, policy, mark_of(s, asset), needed, allotted)
    record_pools(s, Record(Stage.ADL, number, 0))
    return number


@kernel
def record_sides(
    s: Store, number: int, sides: Memory, count: int, granted: Memory, attempts: Memory
) -> None:
    """Write down the liquidated sides and why earlier stages left them."""
    for place in range(count):
        side = sides.at(place * SIDE_WIDTH)
        attempt = attempts.at(side[SIDE_ATTEMPT] * ATTEMPT_WIDTH)
        values = report(health_of(s, side[SIDE_ACCOUNT], Doubt.NONE))
        emit(
            s,
            ADL_STUCK,
            number,
            side[SIDE_ACCOUNT],
            side[SIDE_OWN] + side[SIDE_FUND],
            granted[place],
            side[SIDE_OWN],
            side[SIDE_FUND],
            side[SIDE_FUND_VALUE],
            values.total_value,
            values.net_equity,
            values.maintenance,
            attempt[ATTEMPT_BOOK_REASON],
            attempt[ATTEMPT_BACKSTOP_REASON],
        )


@kernel
def record_candidate(s: Store, number: int, row: Memory, allotted: int, last: int) -> None:
    """Write down one counterparty: what the policy saw of him and gave him."""
    emit(
        s,
        ADL_CANDIDATE,
        number,
        row[CANDIDATE],
        row[POSITION],
        row[ASSETS_VALUE],
        row[TOTAL_VALUE],
        row[CAP],
        last,
        allotted,
    )


@kernel
def _hand_over(s: Store, account: int, asset: int) -> None:
    """Say that ADL found too few counterparties for an account that still needs them."""
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if not target_restored(s, values):
        value = report(values).debts_value
        emit(s, HANDED_OVER, account, Stage.ADL, Reason.NO_COUNTERPARTY, asset, value)
