"""Settlement in kernels: one match of an ADL round, carried out, as in `reference`.

A match is a row of named numbers. Value goes from the giver to the lender in the settlement order:
USDC free, USDC lent, USDC borrowed where allowed, then other assets in kind, heavier ones first.
"""

from solvent.domain.labels import ExpiryReason, LegForm, Source, Stage
from solvent.domain.parameters import USDC
from solvent.domain.waterfall_events import AdlLeg, AdlMatched
from solvent.engine.allot.sorting import sort_by
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    claim_of,
    debt_of,
    is_stale,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.limits import borrow_refusal, largest_passing
from solvent.engine.margin import Doubt, copy_portfolio, health, portfolio_of, surplus
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import expire_all
from solvent.engine.units import cover, fine_down, payable, value_down, value_up
from solvent.engine.waterfall.record import PARTIES, Record, put_parties, record_parties, touched
from solvent.engine.waterfall.rows import Match, Party
from solvent.engine.waterfall.sizing import deliverable_value
from solvent.engine.weights import weighted_down
from solvent.kernels.language import Wide, emit, huge, kernel, rows_in, wide
from solvent.kernels.rows import Memory


@kernel
def put_match(
    match: Match,
    round_number: int,
    number: int,
    asset: int,
    lender: int,
    debtor: int,
    giver: int,
    quantity: int,
) -> None:
    """Write a match that may not borrow."""
    match.round = round_number
    match.number = number
    match.asset = asset
    match.lender = lender
    match.debtor = debtor
    match.giver = giver
    match.quantity = quantity
    match.value = 0
    match.borrow_allowed = 0


@kernel
def settle(s: Store, match: Match) -> int:
    """Carry out `match`, shrunk to what the giver can pay; return the atoms settled."""
    asset = match.asset
    mark = mark_of(s, asset)
    owed = min(match.quantity, debt_of(s, match.debtor, asset))
    owed = min(owed, claim_of(s, match.lender, asset))
    held = deliverable_value(s, match.giver)
    match.quantity = payable(owed, held, mark, asset_row(s, asset))
    if match.quantity == 0:
        return 0
    match.value = value_up(match.quantity, mark, asset_row(s, asset))
    top = s.globals.scratch_top
    _settle(s, match)
    s.globals.scratch_top = top
    return match.quantity


@kernel
def _settle(s: Store, match: Match) -> None:
    asset = match.asset
    parties = rows_in(Party, take(s, PARTIES * Party.WIDTH))
    count = put_parties(parties, match.lender, match.debtor, match.giver)
    record = Record(Stage.ADL, match.round, match.number)
    touched(s, parties, count)
    record_parties(s, record, parties, count, 0)
    unpaid = _pay(s, match)
    if unpaid:
        match.value -= unpaid
        match.quantity = payable(
            match.quantity, match.value, mark_of(s, asset), asset_row(s, asset)
        )
    claim_shares, debt_shares = pools.cancel(s, asset, match.quantity, match.lender, match.debtor)
    emit(
        s,
        AdlMatched(
            round=match.round,
            match=match.number,
            lender=match.lender,
            payer=match.debtor,
            giver=match.giver,
            asset=asset,
            mark=mark_of(s, asset),
            quantity=match.quantity,
            value=match.value,
            claim_shares=claim_shares,
            debt_shares=debt_shares,
            borrow_allowed=1 if _may_borrow(s, match) else 0,
        ),
    )
    touched(s, parties, count)
    record_parties(s, record, parties, count, 1)


@kernel
def _pay(s: Store, match: Match) -> int:
    """Hand over value in the settlement order until the match is paid; return what is not."""
    _free_locked(s, match)
    assets = s.globals.assets
    lender = take(s, 3 * assets)
    portfolio_of(s, match.lender, lender)
    weight = _collateral_gain(s, lender, match.asset, -match.quantity)
    match.left = match.value
    match.full_value = match.value
    _hand_over(s, match, USDC, 0)
    if match.left and _may_borrow(s, match):
        _borrow_and_pay(s, match)
    order = take(s, assets)
    count = _in_kind_order(s, order)
    lighter = 0
    for place in range(count):
        if match.left == 0:
            break
        if _weighs_enough(s, match, order[place], lender, weight):
            _hand_over(s, match, order[place], 0)
        else:
            order[lighter] = order[place]
            lighter += 1
    for place in range(lighter):
        if match.left:
            _hand_over(s, match, order[place], 1)
    return match.left


@kernel
def _free_locked(s: Store, match: Match) -> None:
    """End the giver's orders when his free and lent assets cannot pay: locking is no escape."""
    giver = match.giver
    if account_row(s, giver).order_count == 0:
        return
    unlocked = wide(0)
    for asset in range(s.globals.assets):
        if not is_stale(s, asset):
            quantity = position(s, giver, asset).available + claim_of(s, giver, asset)
            unlocked += value_down(quantity, mark_of(s, asset), asset_row(s, asset))
    if unlocked < match.value:
        expire_all(s, giver, ExpiryReason.ADL_SETTLEMENT)


@kernel
def _in_kind_order(s: Store, order: Memory) -> int:
    """Write the assets but USDC at fresh prices, highest weight first, ties by number."""
    count = 0
    for asset in range(1, s.globals.assets):
        if not is_stale(s, asset):
            order[count] = asset
            count += 1
    sort_by(s, order, count, _is_heavier, order)
    return count


@kernel
def _is_heavier(s: Store, context: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    first, second = asset_row(s, one).weight, asset_row(s, other).weight
    return one < other if first == second else first > second


@kernel
def _collateral_gain(s: Store, portfolio: Memory, asset: int, change: int) -> Wide:
    """How much collateral value `change` atoms make at the size held: absolute, after haircut."""
    parameters = asset_row(s, asset)
    mark = mark_of(s, asset)
    held = portfolio[asset]
    before = weighted_down(parameters, held, mark)
    return abs(weighted_down(parameters, held + change, mark) - before)


@kernel
def _weighs_enough(s: Store, match: Match, asset: int, lender: Memory, weight: Wide) -> bool:
    """Whether this asset, at the size it would be paid in, weighs at least what the claim does."""
    parameters = asset_row(s, asset)
    mark = mark_of(s, asset)
    giver = match.giver
    held = position(s, giver, asset).available + claim_of(s, giver, asset)
    quantity, value = cover(held, match.left, mark, parameters)
    repaid = min(quantity, debt_of(s, match.lender, asset))
    gain = fine_down(repaid, mark, parameters)
    portfolio_of(s, match.lender, lender)
    gain += _collateral_gain(s, lender, asset, quantity - repaid)
    # Values in 10^-12 USDC times values in 10^-6 may take more than 128 bits.
    return huge(gain) * match.full_value >= huge(weight) * value


@kernel
def _hand_over(s: Store, match: Match, asset: int, lighter: int) -> None:
    """Pay with one asset: free tokens, then the claim, redeemed where the pool has cash."""
    giver, lender = match.giver, match.lender
    free = _portion(s, match, asset, position(s, giver, asset).available)
    if free:
        _give_tokens(s, match, asset, free, LegForm.AVAILABLE, lighter)
    claim = _portion(s, match, asset, claim_of(s, giver, asset))
    if not claim:
        return
    cash = 0
    if asset != match.asset and not debt_of(s, lender, asset):
        cash = min(claim, pools.redeemable(pool_row(s, asset)))
    if cash:
        pools.redeem(s, giver, asset, cash, Source.ADL_PROVIDER)
        _give_tokens(s, match, asset, cash, LegForm.REDEEMED, lighter)
    claim = _portion(s, match, asset, claim_of(s, giver, asset))
    if claim:
        shares = pools.claim_shares_up(s, giver, asset, claim)
        _count(s, match, asset, claim, LegForm.CLAIM, lighter, shares)
        pools.transfer_claim(s, asset, shares, giver, lender, Source.ADL_PROVIDER)


@kernel
def _portion(s: Store, match: Match, asset: int, held: int) -> int:
    """Atoms of `held` that the rest of the payment needs."""
    if match.left == 0:
        return 0
    quantity, _ = cover(held, match.left, mark_of(s, asset), asset_row(s, asset))
    return quantity


@kernel
def _give_tokens(
    s: Store, match: Match, asset: int, quantity: int, form: LegForm, lighter: int
) -> None:
    """Move tokens to the lender, whose debt in them is repaid at once."""
    lender = match.lender
    _count(s, match, asset, quantity, form, lighter, 0)
    move(s, asset, quantity, available(match.giver), available(lender))
    if debt_of(s, lender, asset):
        pools.repay(s, lender, asset, quantity, Source.LIQUIDATION_ADL)


@kernel
def _count(
    s: Store, match: Match, asset: int, quantity: int, form: LegForm, lighter: int, shares: int
) -> None:
    """Count a leg against what is still to be paid and write it down."""
    mark = mark_of(s, asset)
    _, counted = cover(quantity, match.left, mark, asset_row(s, asset))
    match.left -= counted
    emit(
        s,
        AdlLeg(
            round=match.round,
            match=match.number,
            giver=match.giver,
            receiver=match.lender,
            asset=asset,
            mark=mark,
            form=form,
            quantity=quantity,
            value=counted,
            shares=shares,
            lighter=lighter,
        ),
    )


@kernel
def _may_borrow(s: Store, match: Match) -> bool:
    """Whether this match and the giver's settings allow a payment in borrowed USDC."""
    if match.borrow_allowed == 0:
        return False
    return account_row(s, match.giver).auto_borrow_settlements != 0


@kernel
def _borrow_and_pay(s: Store, match: Match) -> None:
    """Borrow USDC for the rest, as far as the pool lends and the payer's health does not fall."""
    giver = match.giver
    if claim_of(s, giver, USDC):
        return
    if is_stale(s, USDC) or match.asset == USDC:
        return
    quantity = largest_passing(_pool_lends, s, match, match.left)
    if quantity == 0 or _borrowing_hurts(s, match, quantity):
        return
    pools.borrow(s, giver, USDC, quantity, Source.RECONCILIATION, fee=False)
    _give_tokens(s, match, USDC, quantity, LegForm.BORROWED, 0)


@kernel
def _pool_lends(s: Store, match: Match, amount: int) -> bool:
    return borrow_refusal(s, match.giver, USDC, amount) == 0


@kernel
def _borrowing_hurts(s: Store, match: Match, quantity: int) -> bool:
    """Whether swapping this much of the debt for a USDC debt would lower the payer's health."""
    assets = s.globals.assets
    asset = match.asset
    top = s.globals.scratch_top
    before = take(s, 3 * assets)
    after = take(s, 3 * assets)
    portfolio_of(s, match.giver, before)
    copy_portfolio(s, before, after)
    debts = after.at(assets)
    debts[asset] -= payable(debts[asset], quantity, mark_of(s, asset), asset_row(s, asset))
    debts[USDC] += quantity + 1
    old = surplus(health(s, before, Doubt.NONE, wide(0)))
    new = surplus(health(s, after, Doubt.NONE, wide(0)))
    s.globals.scratch_top = top
    return new < old
