"""Rounds in kernels: what opposites, stuck lenders and defaults have in common, as in `reference`.

A round has two sides. Those in the waterfall are rows (`RoundSide`), by account; their
counterparties are the policies' candidates, by account too. `allot_round` says who is granted and
allotted how much; a plan's rows are given back with `release_round`.
"""

from typing import NamedTuple

from solvent.domain.labels import AdlCase, Reason, Stage, Tier
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.units import INT64_MAX, RATIO
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened, AdlStuck
from solvent.engine.allot.apportionment import Places, apportion, apportion_by
from solvent.engine.ledger import account_row, asset_row, mark_of
from solvent.engine.margin import Doubt, health_of, report
from solvent.engine.memory.layout import FUND
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import mul_div_down, quantity_up, value_down, value_up
from solvent.engine.waterfall.policies import allot
from solvent.engine.waterfall.record import Record, record_pools
from solvent.engine.waterfall.rows import Candidate, Match, Means, Pair, RoundSide, Weight
from solvent.engine.waterfall.settlement import put_means
from solvent.engine.waterfall.sizing import heaviest_first
from solvent.kernels.language import (
    Wide,
    allocate,
    allocate_rows,
    bit,
    copy_row,
    emit,
    kernel,
    narrow,
    release,
    wide,
)
from solvent.kernels.rows import Memory, Rows

ATTEMPTS = 2
"""Caps count all of a pool's cash each, so it can run out: what is left is then allotted anew."""

_WORD = 1 << 62
"""A weight is written in two words, of which the lower one has 62 bits."""

DEBTS, CLAIMS = 0, 1
"""Which side of an asset is asked for: who owes it, or who has any of it."""


class Round(NamedTuple):
    """The plan of a round: `total` of the `needed` atoms, granted to sides, allotted to others."""

    asset: int
    case: AdlCase
    means: Means
    fund: int
    policy: int
    needed: int
    total: int
    sides: Rows[RoundSide]
    side_count: int
    granted: Memory
    candidates: Rows[Candidate]
    found: int
    allotted: Memory


@kernel
def allot_round(
    s: Store,
    asset: int,
    case: AdlCase,
    means: Means,
    fund: int,
    sides: Rows[RoundSide],
    side_count: int,
    candidates: Rows[Candidate],
    found: int,
) -> Round:
    """The plan that follows from sides and candidates: what is needed, or as far as caps reach.

    Sides are granted parts in proportion to what they need, candidates are allotted by the policy.
    """
    default = case == AdlCase.BORROWER_DEFAULT
    policy = s.rules.default_policy if default else s.rules.lender_policy
    needs = allocate(side_count)
    needed = 0
    for place in range(side_count):
        needs[place] = sides[place].needed
        needed += needs[place]
    total = min(needed, cap_total(candidates, found))
    granted = allocate(side_count)
    apportion(s, total, needs, needs, side_count, granted)
    release(needs)
    allotted = allocate(found)
    allot(s, policy, candidates, found, total, value_of(s, asset, total), allotted)
    return Round(
        asset=asset,
        case=case,
        means=means,
        fund=fund,
        policy=policy,
        needed=needed,
        total=total,
        sides=sides,
        side_count=side_count,
        granted=granted,
        candidates=candidates,
        found=found,
        allotted=allotted,
    )


@kernel
def release_round(plan: Round) -> None:
    """Give back the rows of a plan, but those of its sides and candidates."""
    release(plan.allotted)
    release(plan.granted)


@kernel
def cap_total(rows: Rows[Candidate], count: int) -> int:
    """Atoms that all candidates together can take."""
    total = wide(0)
    for place in range(count):
        total += rows[place].cap
    return narrow(total)


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
def supply_worth(s: Store, asset: int) -> int:
    """What all that there can be of an asset is worth, as far as a column holds it."""
    worth = wide(MAX_SUPPLY) * mark_of(s, asset) // asset_row(s, asset).value_divisor
    return narrow(min(worth, wide(INT64_MAX)))


@kernel
def most_matches(plan: Round) -> int:
    """How many matches a round can have."""
    return plan.side_count + plan.found


@kernel
def put_matches(s: Store, plan: Round, number: int, matches: Rows[Match]) -> int:
    """Write the matches of a round, what each payer owes rounded once; how many they are."""
    pairs = allocate_rows(Pair, most_matches(plan))
    count = pair(plan.granted, plan.side_count, plan.allotted, plan.found, pairs)
    for place in range(count):
        one = pairs[place]
        match = matches[place]
        _put_match(s, plan, match, one)
        match.round = number
        match.number = place
    release(pairs)
    start = 0
    kept = 0
    while start < count:
        end = start + 1
        while end < count and matches[end].giver == matches[start].giver:
            end += 1
        priced = _price(s, plan, matches.at(start), end - start)
        for place in range(start, start + priced):
            copy_row(matches[place], matches[kept])
            kept += 1
        start = end
    return kept


@kernel
def _put_match(s: Store, plan: Round, match: Match, paired: Pair) -> None:
    """Write a match whose price is still to be found."""
    side = plan.sides[paired.left]
    candidate = plan.candidates[paired.right].account
    default = plan.case == AdlCase.BORROWER_DEFAULT
    match.case = plan.case
    match.asset = plan.asset
    match.lender = candidate if default else side.account
    match.debtor = side.account if default else candidate
    match.giver = FUND if plan.fund else match.debtor
    match.tier = plan.means.tier
    match.paid_in = plan.means.asset
    match.borrowed = plan.means.borrowed
    match.quantity = paired.quantity
    match.fee = _fee_of(s, plan, side, paired.quantity)


@kernel
def _fee_of(s: Store, plan: Round, side: RoundSide, quantity: int) -> int:
    worth = value_down(quantity, mark_of(s, plan.asset), asset_row(s, plan.asset))
    return mul_div_down(worth, side.fee, RATIO)


@kernel
def _price(s: Store, plan: Round, matches: Rows[Match], count: int) -> int:
    """Write each match's part of what one payer owes for all of these together.

    A match of less than an atom of what is paid in can come away with none: it is left out, and the
    rest is priced without it. Where a debtor pays his lenders they take its part as well. Returns
    how many are left, in front.
    """
    weights = allocate_rows(Weight, count)
    caps = allocate(count)
    parts = allocate(count)
    left = count
    without = 1
    while without:
        _put_parts(s, plan, matches, weights, Places(caps, parts, left))
        kept = 0
        total = 0
        for place in range(left):
            total += matches[place].quantity
            if matches[place].pay:
                copy_row(matches[place], matches[kept])
                kept += 1
        without = left - kept
        left = kept
        if without and plan.case == AdlCase.BORROWER_DEFAULT and not plan.fund:
            _widen(s, plan, matches, total, Places(caps, parts, left))
    release(parts)
    release(caps)
    release(weights)
    return left


@kernel
def _widen(s: Store, plan: Round, matches: Rows[Match], total: int, places: Places) -> None:
    """Let so many matches of one debtor settle `total` atoms, in the same proportions.

    Each as far as its lender's cap reaches; candidates are by account, as the matches are.
    """
    one = 0
    for place in range(places.length):
        while plan.candidates[one].account != matches[place].lender:
            one += 1
        places.caps[place] = plan.candidates[one].cap
    apportion_by(s, total, _quantity, matches, places)
    one = 0
    while plan.sides[one].account != matches[0].debtor:
        one += 1
    for place in range(places.length):
        match = matches[place]
        match.quantity = places.parts[place]
        match.fee = _fee_of(s, plan, plan.sides[one], match.quantity)


@kernel
def _quantity(matches: Rows[Match], place: int) -> Wide:
    return wide(matches[place].quantity)


@kernel
def _put_parts(
    s: Store, plan: Round, matches: Rows[Match], weights: Rows[Weight], places: Places
) -> None:
    """Write the parts of so many matches, rounded once together."""
    quantity = 0
    whole = 0
    for place in range(places.length):
        match = matches[place]
        _put_weight(s, match, weights[place])
        quantity += match.quantity
        whole += fee_in_value(match)
    whole += value_of(s, plan.asset, quantity)
    paid_in = plan.means.asset
    tokens = quantity_up(whole, mark_of(s, paid_in), asset_row(s, paid_in))
    for place in range(places.length):
        places.caps[place] = whole
    apportion_by(s, whole, _weight, weights, places)
    for place in range(places.length):
        matches[place].value = places.parts[place]
        places.caps[place] = tokens
    apportion_by(s, tokens, _weight, weights, places)
    for place in range(places.length):
        matches[place].pay = places.parts[place]


@kernel
def _put_weight(s: Store, match: Match, weight: Weight) -> None:
    """Write what a match is worth with its fee, unrounded.

    Rounded weights would give many small matches more than they are worth, at the largest's cost.
    """
    worth = wide(match.quantity) * mark_of(s, match.asset)
    worth += wide(fee_in_value(match)) * asset_row(s, match.asset).value_divisor
    weight.upper = narrow(worth // _WORD)
    weight.lower = narrow(worth - wide(weight.upper) * _WORD)


@kernel
def _weight(weights: Rows[Weight], place: int) -> Wide:
    return wide(weights[place].upper) * _WORD + weights[place].lower


@kernel
def fee_in_value(match: Match) -> int:
    """By how much the fee changes what the giver hands to the lender, 10^-6 USDC."""
    if match.case == AdlCase.OPPOSITES:
        return -match.fee
    return match.fee if match.paid_in != USDC else 0


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
            tier=plan.means.tier,
            paid_in=plan.means.asset,
            borrowed=plan.means.borrowed,
            fund=plan.fund,
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
        _record_candidate(s, number, plan.candidates[place], plan.allotted[place])
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
            needed=side.needed,
            allotted=granted,
            fee=side.fee,
            received=side.received,
            total_value=values.total_value,
            net_equity=values.net_equity,
            maintenance=values.maintenance,
            book_reason=Reason(attempt.book_reason),
            backstop_reason=Reason(attempt.backstop_reason),
        ),
    )


@kernel
def _record_candidate(s: Store, number: int, row: Candidate, allotted: int) -> None:
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
            allotted=allotted,
        ),
    )


@kernel
def put_side(
    side: RoundSide, account: int, needed: int, fee: int, received: int, attempt: int
) -> None:
    """Write one liquidated account's side of a round."""
    side.account = account
    side.needed = needed
    side.fee = fee
    side.received = received
    side.attempt = attempt


@kernel
def put_candidate(s: Store, row: Candidate, account: int, asset_position: int, cap: int) -> None:
    """Write a counterparty as the policies see it."""
    values = report(health_of(s, account, Doubt.NONE))
    row.account = account
    row.position = asset_position
    row.cap = cap
    row.assets_value = values.assets_value
    row.total_value = max(1, values.total_value)


@kernel
def accounts_with(s: Store, asset: int, side: int, accounts: Memory) -> int:
    """Write who owes the asset, or who holds or has lent any of it, by id; return how many."""
    count = 0
    for account in range(s.globals.accounts):
        holder = account_row(s, account)
        if (holder.debts if side == DEBTS else holder.held) & bit(asset):
            accounts[count] = account
            count += 1
    return count


@kernel
def most_means(s: Store) -> int:
    """How many means there can be for one asset."""
    return 4 * s.globals.assets + 2


@kernel
def put_tiers(s: Store, first_owed: int, means: Rows[Means]) -> int:
    """Write what rounds over an asset are paid in, in order; what the receiver owes from an asset.

    Without tiers nothing is asked of what the receiver owes, nor of whom a payment hurts. Returns
    how many they are.
    """
    assets = s.globals.assets
    top = s.globals.scratch_top
    heaviest = take(s, assets)
    fresh = heaviest_first(s, heaviest)
    count = 0
    if s.rules.tiers:
        for asset in range(first_owed, assets):
            put_means(means[count], Tier.OWED, asset, 0)
            count += 1
        put_means(means[count], Tier.CASH, USDC, 0)
        put_means(means[count + 1], Tier.CASH, USDC, 1)
        count += 2
        for place in range(fresh):
            put_means(means[count], Tier.IN_KIND, heaviest[place], 0)
            count += 1
    put_means(means[count], Tier.FLAGGED, USDC, 0)
    count += 1
    for place in range(fresh):
        put_means(means[count], Tier.FLAGGED, heaviest[place], 0)
        count += 1
    put_means(means[count], Tier.LAST, USDC, 0)
    count += 1
    for place in range(fresh):
        put_means(means[count], Tier.LAST, heaviest[place], 0)
        count += 1
    s.globals.scratch_top = top
    return count
