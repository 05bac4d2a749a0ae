"""ADL case B in kernels: a borrower in default, as in `reference.waterfall.default`.

Its assets go to the lenders of what he owes; those whom the swap would put below maintenance come
last. Then the backstop fund pays, and what is left is a deficit.
"""

from solvent.domain.labels import AdlCase
from solvent.domain.parameters import USDC
from solvent.domain.units import FINE_PER_VALUE
from solvent.engine.ledger import (
    account_row,
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
from solvent.engine.margin import (
    Doubt,
    copy_portfolio,
    health,
    health_of,
    is_liquidatable,
    liquidatable,
    portfolio_of,
    receive,
    report,
    total_value,
)
from solvent.engine.memory.layout import FUND
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import cover, divide_up, mul_div_down, payable, value_down
from solvent.engine.waterfall.adl import (
    Round,
    allot_round,
    open_round,
    pair,
    put_side,
    release_round,
    side_total,
    value_of,
)
from solvent.engine.waterfall.deficit import book_deficits
from solvent.engine.waterfall.rows import Candidate, Match, Pair, RoundSide
from solvent.engine.waterfall.settlement import put_match, settle
from solvent.engine.waterfall.sizing import (
    debts_largest_first,
    deliverable,
    deliverable_value,
    largest_first,
    needed_debt,
    without,
)
from solvent.kernels.language import (
    allocate,
    allocate_rows,
    bit,
    kernel,
    narrow,
    release,
    row_in,
    wide,
)
from solvent.kernels.rows import Memory, Rows

_ROUNDING_ATOMS = 2
"""Atoms that the share rounding of one match may leave of a debt."""


@kernel
def settle_defaults(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """Case B: one round per asset owed by a borrower in default, then the rest is booked."""
    sides = allocate_rows(RoundSide, count)
    for asset in range(s.globals.assets):
        defaults = plan_default_sides(s, asset, attempts, count, sides)
        if defaults:
            _claim_for(s, asset, side_total(sides, defaults))
            plan = plan_default_round(s, asset, sides, defaults)
            number = open_round(s, plan, attempts)
            settle_debtors(s, plan, number)
            release_round(plan)
    release(sides)
    book_deficits(s, attempts, count)


@kernel
def _claim_for(s: Store, asset: int, quantity: int) -> None:
    """Let the pool's fees become a claim where its claims do not reach a debt of `quantity`."""
    claim_fees(s, asset, max(0, quantity - lent_total(pool_row(s, asset))))


@kernel
def plan_default_sides(
    s: Store, asset: int, attempts: Rows[Attempt], count: int, sides: Rows[RoundSide]
) -> int:
    """Write what is to be settled of one asset, each finding what is left of the fund; how many."""
    defaults = 0
    if not is_stale(s, asset):
        fund_left = deliverable_value(s, FUND)
        for place in range(count):
            account = attempts[place].account
            if attempts[place].defaulted:
                side = sides[defaults]
                if _put_default(s, side, account, asset, fund_left, place):
                    fund_left -= value_of(s, asset, side.fund)
                    defaults += 1
    return defaults


@kernel
def _put_default(
    s: Store, side: RoundSide, account: int, asset: int, fund_left: int, attempt: int
) -> bool:
    """Write how much of one debt is to be settled, out of the debtor's and the fund's assets."""
    debt = debt_of(s, account, asset)
    if not debt or not liquidatable(s, account):
        return False
    mark = mark_of(s, asset)
    parameters = asset_row(s, asset)
    if total_value(health_of(s, account, Doubt.NONE)) > 0:
        needed = _needed(s, account, asset)
        own = payable(needed, deliverable_value(s, account), mark, parameters)
        put_side(side, account, own, 0, fund_left, attempt)
        return own > 0
    own = payable(debt, _share_of_assets(s, account, asset), mark, parameters)
    share = _fund_share(s, account, asset, fund_left)
    fund = payable(debt - own, share, mark, parameters)
    put_side(side, account, own, fund, fund_left, attempt)
    return own + fund > 0


@kernel
def _needed(s: Store, account: int, asset: int) -> int:
    """Atoms of a solvent account's largest debt that target health needs closed; 0 of others."""
    assets = s.globals.assets
    top = s.globals.scratch_top
    portfolio = take(s, 3 * assets)
    order = take(s, assets)
    portfolio_of(s, account, portfolio)
    debts = debts_largest_first(s, portfolio, order)
    needed = 0
    if debts and order[0] == asset:
        count = without(order, largest_first(s, account, order), asset)
        needed = needed_debt(s, portfolio, asset, order, count, 0)
    s.globals.scratch_top = top
    return needed


@kernel
def _fund_share(s: Store, account: int, asset: int, fund_left: int) -> int:
    """Value that the fund pays for one debt of a worthless account: its shortfall, to an atom."""
    value = total_value(health_of(s, account, Doubt.NONE))
    shortfall = narrow(divide_up(-value, FINE_PER_VALUE))
    return max(0, min(fund_left, shortfall + value_of(s, asset, 1)))


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
def plan_default_round(s: Store, asset: int, sides: Rows[RoundSide], count: int) -> Round:
    """The round of all defaulted debts of one asset: lenders picked, the endangered ones last."""
    rows = allocate_rows(Candidate, s.globals.accounts)
    found = _lenders(s, asset, sides, count, rows)
    late = allocate(found)
    _find_late(s, asset, sides, count, rows, found, late)
    policy = s.rules.default_policy
    return allot_round(s, asset, AdlCase.BORROWER_DEFAULT, policy, sides, count, rows, found, late)


@kernel
def _lenders(
    s: Store, asset: int, sides: Rows[RoundSide], count: int, rows: Rows[Candidate]
) -> int:
    """Write the lenders of the asset who are not in default on it, by account id."""
    found = 0
    owing = 0
    for account in range(s.globals.accounts):
        while owing < count and sides[owing].account < account:
            owing += 1
        owes = owing < count and sides[owing].account == account
        if not owes and account_row(s, account).held & bit(asset):
            found += _put_lender(s, account, asset, rows[found])
    return found


@kernel
def _put_lender(s: Store, account: int, asset: int, row: Candidate) -> int:
    """Write a lender of the asset, whose position and cap are his claim; 1 when he is one."""
    claim = claim_of(s, account, asset)
    if claim == 0:
        return 0
    values = report(health_of(s, account, Doubt.NONE))
    row.account = account
    row.position = claim
    row.cap = claim
    row.assets_value = values.assets_value
    row.total_value = max(1, values.total_value)
    return 1


@kernel
def _find_late(
    s: Store,
    asset: int,
    sides: Rows[RoundSide],
    count: int,
    rows: Rows[Candidate],
    found: int,
    late: Memory,
) -> None:
    """Mark the lenders whom giving up their claim for these assets could make liquidatable."""
    assets = s.globals.assets
    top = s.globals.scratch_top
    stock = take(s, assets)
    for kind in range(assets):
        stock[kind] = 0
        for place in range(count):
            stock[kind] += deliverable(s, sides[place].account, kind)
    needed = side_total(sides, count)
    before = take(s, 3 * assets)
    after = take(s, 3 * assets)
    for place in range(found):
        row = rows[place]
        portfolio_of(s, row.account, before)
        late[place] = 0
        if health(s, before, Doubt.NONE, wide(0)).debts_value:
            quantity = min(row.cap, needed)
            late[place] = 1 if _falls_below(s, asset, quantity, stock, before, after) else 0
    s.globals.scratch_top = top


@kernel
def _falls_below(
    s: Store, asset: int, quantity: int, stock: Memory, before: Memory, after: Memory
) -> bool:
    """Whether giving `quantity` up for any one asset of the stock makes him liquidatable."""
    value = value_down(quantity, mark_of(s, asset), asset_row(s, asset))
    for kind in range(s.globals.assets):
        if stock[kind]:
            copy_portfolio(s, before, after)
            after[asset] -= quantity
            mark = mark_of(s, kind)
            received, worth = cover(stock[kind], value, mark, asset_row(s, kind))
            receive(s, after, kind, received)
            receive(s, after, USDC, value - worth)
            if is_liquidatable(health(s, after, Doubt.FOR_ACCOUNT, wide(0))):
                return True
    return False


@kernel
def settle_debtors(s: Store, plan: Round, number: int) -> None:
    """Settle the pairs of a round of case B, then the atoms that rounding left.

    The debtor pays for its part first; the fund for the rest, once the debtor is worth nothing.
    """
    pairs = allocate_rows(Pair, plan.found + plan.side_count)
    matches = pair(plan.allotted, plan.found, plan.granted, plan.side_count, pairs)
    top = s.globals.scratch_top
    match = row_in(Match, take(s, Match.WIDTH))
    place = 0
    for which in range(matches):
        one = pairs[which]
        lender = plan.candidates[one.left].account
        side = plan.sides[one.right]
        debtor = side.account
        own = min(one.quantity, side.own)
        side.own -= own
        put_match(match, number, place, plan.asset, lender, debtor, debtor, own)
        paid = settle(s, match)
        rest = 0
        if total_value(health_of(s, debtor, Doubt.NONE)) <= 0:
            rest = one.quantity - paid
        put_match(match, number, place + 1, plan.asset, lender, debtor, FUND, rest)
        settle(s, match)
        place += 2
    for which in range(plan.side_count):
        place = _settle_rest(s, plan.asset, plan.sides[which].account, number, place, match)
    s.globals.scratch_top = top
    release(pairs)


@kernel
def _settle_rest(s: Store, asset: int, debtor: int, number: int, first: int, match: Match) -> int:
    """Offer the atoms that rounding left of a debt to all lenders in turn; the next match's place.

    The debtor pays for them, or the fund.
    """
    place = first
    rest = debt_of(s, debtor, asset)
    few = 0 < rest <= _ROUNDING_ATOMS * (place + 1)
    if not few or total_value(health_of(s, debtor, Doubt.NONE)) > 0:
        return place
    _claim_for(s, asset, rest)
    for lender in range(s.globals.accounts):
        if debt_of(s, debtor, asset) == 0:
            break
        if position(s, lender, asset).lent_shares:
            place += _offer_rest(s, number, asset, lender, debtor, debtor, place, match)
            place += _offer_rest(s, number, asset, lender, debtor, FUND, place, match)
    return place


@kernel
def _offer_rest(
    s: Store,
    number: int,
    asset: int,
    lender: int,
    debtor: int,
    giver: int,
    place: int,
    match: Match,
) -> int:
    """Settle what one lender can take of the rest; 1 when anything was."""
    rest = min(debt_of(s, debtor, asset), claim_of(s, lender, asset))
    put_match(match, number, place, asset, lender, debtor, giver, rest)
    return 1 if settle(s, match) > 0 else 0
