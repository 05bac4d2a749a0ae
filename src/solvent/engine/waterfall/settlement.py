"""Settlement in kernels: one match of an ADL round, planned, then carried out, as in `reference`.

Value goes from the giver to the lender in the settlement order: USDC free, USDC lent, USDC borrowed
where allowed, then other assets in kind, heavier ones first. A plan is a row, its legs are rows in
scratch: `plan_settlement` finds them without a change to the state, and `apply_settlement` moves
exactly those.
"""

from typing import NamedTuple

from solvent.domain.labels import ExpiryReason, LegForm, Source, Stage
from solvent.domain.parameters import USDC
from solvent.domain.waterfall_events import AdlLeg, AdlMatched
from solvent.engine.allot.sorting import sort_by
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    claim_of,
    claim_worth,
    debt_of,
    debt_worth,
    imagine_pool,
    is_stale,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.limits import largest_passing, pool_refusal
from solvent.engine.margin import Doubt, copy_portfolio, health, portfolio_of, surplus
from solvent.engine.memory.rows import Pool
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import expire_all
from solvent.engine.units import cover, fine_down, payable, value_down, value_up
from solvent.engine.waterfall.record import PARTIES, Record, put_parties, record_parties, touched
from solvent.engine.waterfall.rows import Leg, Lending, Match, Party, Settlement
from solvent.engine.waterfall.sizing import deliverable_value
from solvent.engine.weights import weighted_down
from solvent.kernels.language import Wide, emit, fail, huge, kernel, row_in, rows_in, wide
from solvent.kernels.rows import Memory, Rows

_LEGS_PER_ASSET = 3
"""In three forms an asset can be handed over; USDC can be borrowed besides."""


class Payment(NamedTuple):
    """A match, its plan, and the legs that are found for it."""

    match: Match
    plan: Settlement
    legs: Rows[Leg]


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
    match.borrow_allowed = 0


@kernel
def settle(s: Store, match: Match) -> int:
    """Carry out `match`, shrunk to what the giver can pay; return the atoms settled."""
    top = s.globals.scratch_top
    plan = row_in(Settlement, take(s, Settlement.WIDTH))
    most = _LEGS_PER_ASSET * s.globals.assets + 1
    legs = rows_in(Leg, take(s, most * Leg.WIDTH))
    payment = Payment(match, plan, legs)
    settled = 0
    if plan_settlement(s, payment):
        apply_settlement(s, payment)
        settled = plan.quantity
    s.globals.scratch_top = top
    return settled


@kernel
def plan_settlement(s: Store, payment: Payment) -> bool:
    """Write how a match is settled, shrunk to what the giver can pay; whether anything can be.

    A giver's holdings can fall short of the cap by the rounding of earlier matches only.
    """
    match, plan = payment.match, payment.plan
    asset = match.asset
    mark = mark_of(s, asset)
    owed = min(match.quantity, debt_of(s, match.debtor, asset))
    owed = min(owed, claim_of(s, match.lender, asset))
    plan.quantity = payable(owed, deliverable_value(s, match.giver), mark, asset_row(s, asset))
    if plan.quantity == 0:
        return False
    plan.value = value_up(plan.quantity, mark, asset_row(s, asset))
    plan.left = plan.value
    plan.legs = 0
    plan.ends_orders = 1 if _must_end_orders(s, match.giver, plan.value) else 0
    _find_legs(s, payment)
    if plan.left:
        # Share rounding of a partly redeemed claim can leave a giver of everything short.
        plan.value -= plan.left
        plan.quantity = payable(plan.quantity, plan.value, mark, asset_row(s, asset))
    lent = position(s, match.lender, asset).lent_shares + _lent_on(payment)
    plan.lender_shares = pools.shares_up(pool_row(s, asset), lent, plan.quantity)
    plan.debtor_shares, _ = pools.repay_shares_down(s, match.debtor, asset, plan.quantity)
    return True


@kernel
def _lent_on(payment: Payment) -> int:
    """Shares of claims in the asset that is settled which the lender gains by the legs."""
    match = payment.match
    shares = 0
    if match.giver != match.lender:
        for place in range(payment.plan.legs):
            leg = payment.legs[place]
            if leg.asset == match.asset:
                shares += leg.shares
    return shares


@kernel
def _find_legs(s: Store, payment: Payment) -> None:
    """Find legs in the settlement order until the match is paid."""
    match, plan = payment.match, payment.plan
    _pay_with(s, payment, USDC, 0)
    if plan.left and _may_borrow(s, match):
        _pay_with_a_borrow(s, payment)
    if plan.left == 0:
        return
    top = s.globals.scratch_top
    assets = s.globals.assets
    lender = take(s, 3 * assets)
    portfolio_of(s, match.lender, lender)
    claim_weight = _collateral_gain(s, lender, match.asset, -plan.quantity)
    order = take(s, assets)
    count = _in_kind_order(s, order)
    lighter = 0
    for place in range(count):
        if plan.left == 0:
            break
        if _weighs_enough(s, payment, order[place], lender, claim_weight):
            _pay_with(s, payment, order[place], 0)
        else:
            order[lighter] = order[place]
            lighter += 1
    for place in range(lighter):
        if plan.left:
            _pay_with(s, payment, order[place], 1)
    s.globals.scratch_top = top


@kernel
def _free(s: Store, payment: Payment, asset: int) -> int:
    """Atoms that the giver has free, once its orders ended where they do."""
    held = position(s, payment.match.giver, asset)
    return held.available + (held.locked if payment.plan.ends_orders else 0)


@kernel
def _must_end_orders(s: Store, giver: int, value: int) -> bool:
    """Whether the giver's orders lock what its free and lent assets lack: no escape (A10)."""
    if account_row(s, giver).order_count == 0:
        return False
    unlocked = wide(0)
    for asset in range(s.globals.assets):
        if not is_stale(s, asset):
            quantity = position(s, giver, asset).available + claim_of(s, giver, asset)
            unlocked += value_down(quantity, mark_of(s, asset), asset_row(s, asset))
    return unlocked < value


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
def _weighs_enough(
    s: Store, payment: Payment, asset: int, lender: Memory, claim_weight: Wide
) -> bool:
    """Whether this asset, at the size it would be paid in, weighs at least what the claim does.

    What repays a debt of the lender, whose portfolio is given, counts in full, the rest as the
    collateral it becomes.
    """
    match, plan = payment.match, payment.plan
    parameters = asset_row(s, asset)
    mark = mark_of(s, asset)
    held = _free(s, payment, asset) + claim_of(s, match.giver, asset)
    quantity, value = cover(held, plan.left, mark, parameters)
    repaid = min(quantity, debt_of(s, match.lender, asset))
    gain = fine_down(repaid, mark, parameters)
    gain += _collateral_gain(s, lender, asset, quantity - repaid)
    # Values in 10^-12 USDC times values in 10^-6 may take more than 128 bits.
    return huge(gain) * plan.value >= huge(claim_weight) * value


@kernel
def _pay_with(s: Store, payment: Payment, asset: int, lighter: int) -> None:
    """Pay with one asset: free tokens, then the claim, redeemed where the pool has cash."""
    pool = pool_row(s, asset)
    held = position(s, payment.match.giver, asset).lent_shares
    free = _portion(s, payment, asset, _free(s, payment, asset))
    _count(s, payment, asset, LegForm.AVAILABLE, free, 0, lighter)
    claim = _portion(s, payment, asset, claim_worth(pool, held))
    if claim == 0:
        return
    cash = min(claim, _redeemable(s, payment.match, asset, free))
    if cash:
        shares = pools.shares_up(pool, held, cash)
        _count(s, payment, asset, LegForm.REDEEMED, cash, shares, lighter)
        held -= shares
        claim = _portion(s, payment, asset, claim_worth(pool, held))
    if claim:
        shares = pools.shares_up(pool, held, claim)
        _count(s, payment, asset, LegForm.CLAIM, claim, shares, lighter)


@kernel
def _portion(s: Store, payment: Payment, asset: int, held: int) -> int:
    """Atoms of `held` that the rest of the payment needs."""
    if payment.plan.left == 0:
        return 0
    quantity, _ = cover(held, payment.plan.left, mark_of(s, asset), asset_row(s, asset))
    return quantity


@kernel
def _redeemable(s: Store, match: Match, asset: int, free: int) -> int:
    """Atoms that the pool pays out, once `free` tokens repaid the lender's debt in it.

    None of the asset that is settled, and none while the lender owes it: a claim nets better.
    """
    pool = pool_row(s, asset)
    owed = position(s, match.lender, asset).debt_shares
    repaid, _ = pools.repaid_by(pool, owed, free)
    if asset == match.asset or repaid < owed:
        return 0
    top = s.globals.scratch_top
    after = row_in(Pool, take(s, Pool.WIDTH))
    imagine_pool(pool, pool.lend_shares, pool.debt_shares - repaid, after)
    atoms = pools.redeemable(after)
    s.globals.scratch_top = top
    return atoms


@kernel
def _count(
    s: Store, payment: Payment, asset: int, form: LegForm, quantity: int, shares: int, lighter: int
) -> None:
    """Add a leg, if there is anything in it, and count it against what is left to be paid."""
    if quantity == 0:
        return
    plan = payment.plan
    _, counted = cover(quantity, plan.left, mark_of(s, asset), asset_row(s, asset))
    plan.left -= counted
    leg = payment.legs[plan.legs]
    leg.asset = asset
    leg.form = form
    leg.quantity = quantity
    leg.shares = shares
    leg.value = counted
    leg.lighter = lighter
    plan.legs += 1


@kernel
def _may_borrow(s: Store, match: Match) -> bool:
    """Whether this match and the giver's settings allow a payment in borrowed USDC."""
    if match.borrow_allowed == 0:
        return False
    return account_row(s, match.giver).auto_borrow_settlements != 0


@kernel
def _pay_with_a_borrow(s: Store, payment: Payment) -> None:
    """Borrow USDC for the rest, as far as the pool lends and the giver's health bears it."""
    match, plan = payment.match, payment.plan
    if match.asset == USDC:
        return
    top = s.globals.scratch_top
    lending = row_in(Lending, take(s, Lending.WIDTH))
    lending.own = position(s, match.giver, USDC).lent_shares
    for place in range(plan.legs):
        lending.own -= payment.legs[place].shares
    _imagine_usdc_pool(s, payment, lending.pool)
    quantity = largest_passing(_pool_lends, s, lending, plan.left)
    s.globals.scratch_top = top
    if quantity and not _borrowing_hurts(s, payment, quantity):
        _count(s, payment, USDC, LegForm.BORROWED, quantity, 0, 0)


@kernel
def _pool_lends(s: Store, lending: Lending, amount: int) -> bool:
    return pool_refusal(s, USDC, lending.pool, lending.own, amount) == 0


@kernel
def _imagine_usdc_pool(s: Store, payment: Payment, imagined: Pool) -> None:
    """Write the pool of USDC as the legs found so far, all in USDC, will leave it."""
    pool = pool_row(s, USDC)
    owed = position(s, payment.match.lender, USDC).debt_shares
    left = owed
    taken = 0
    for place in range(payment.plan.legs):
        leg = payment.legs[place]
        if leg.form == LegForm.AVAILABLE:
            repaid, _ = pools.repaid_by(pool, left, leg.quantity)
            left -= repaid
        elif leg.form == LegForm.REDEEMED:
            taken += leg.shares
        else:
            netted = min(claim_worth(pool, leg.shares), debt_worth(pool, left))
            if netted:
                taken += pools.shares_up(pool, leg.shares, netted)
            repaid, _ = pools.repaid_by(pool, left, netted)
            left -= repaid
    debt_shares = pool.debt_shares - (owed - left)
    imagine_pool(pool, pool.lend_shares - taken, debt_shares, imagined)


@kernel
def _borrowing_hurts(s: Store, payment: Payment, quantity: int) -> bool:
    """Whether swapping this much of the debt for a USDC debt would lower the giver's health."""
    match = payment.match
    assets = s.globals.assets
    top = s.globals.scratch_top
    before = take(s, 3 * assets)
    after = take(s, 3 * assets)
    portfolio_of(s, match.giver, before)
    before[USDC] = _kept_of_usdc(s, payment)
    if payment.plan.ends_orders:
        for asset in range(assets):
            before[2 * assets + asset] = 0
    copy_portfolio(s, before, after)
    debts = after.at(assets)
    asset = match.asset
    debts[asset] -= payable(debts[asset], quantity, mark_of(s, asset), asset_row(s, asset))
    debts[USDC] += quantity + 1
    old = surplus(health(s, before, Doubt.NONE, wide(0)))
    new = surplus(health(s, after, Doubt.NONE, wide(0)))
    s.globals.scratch_top = top
    return new < old


@kernel
def _kept_of_usdc(s: Store, payment: Payment) -> int:
    """What the giver keeps of USDC: free and locked balance less what the legs take of it."""
    held = position(s, payment.match.giver, USDC)
    kept = held.available + held.locked
    for place in range(payment.plan.legs):
        leg = payment.legs[place]
        if leg.form == LegForm.AVAILABLE:
            kept -= leg.quantity
    return kept


@kernel
def apply_settlement(s: Store, payment: Payment) -> None:
    """Hand the legs of a plan over, let claim and debt fall, and write all of it down."""
    match, plan = payment.match, payment.plan
    asset = match.asset
    parties = rows_in(Party, take(s, PARTIES * Party.WIDTH))
    count = put_parties(parties, match.lender, match.debtor, match.giver)
    record = Record(Stage.ADL, match.round, match.number)
    touched(s, parties, count)
    record_parties(s, record, parties, count, 0)
    if plan.ends_orders:
        expire_all(s, match.giver, ExpiryReason.ADL_SETTLEMENT)
    for place in range(plan.legs):
        _apply_leg(s, match, payment.legs[place])
    claim_shares, debt_shares = pools.cancel(s, asset, plan.quantity, match.lender, match.debtor)
    if claim_shares != plan.lender_shares or debt_shares != plan.debtor_shares:
        fail()
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
            quantity=plan.quantity,
            value=plan.value,
            claim_shares=claim_shares,
            debt_shares=debt_shares,
            borrow_allowed=1 if _may_borrow(s, match) else 0,
        ),
    )
    touched(s, parties, count)
    record_parties(s, record, parties, count, 1)


@kernel
def _apply_leg(s: Store, match: Match, leg: Leg) -> None:
    """Hand one leg over, which repays at once what the lender owes of its asset."""
    giver, lender, asset = match.giver, match.lender, leg.asset
    if leg.form == LegForm.REDEEMED:
        if pools.redeem(s, giver, asset, leg.quantity, Source.ADL_PROVIDER) != leg.shares:
            fail()
    elif leg.form == LegForm.BORROWED:
        pools.borrow(s, giver, asset, leg.quantity, Source.RECONCILIATION)
    emit(
        s,
        AdlLeg(
            round=match.round,
            match=match.number,
            giver=giver,
            receiver=lender,
            asset=asset,
            mark=mark_of(s, asset),
            form=leg.form,
            quantity=leg.quantity,
            value=leg.value,
            shares=leg.shares if leg.form == LegForm.CLAIM else 0,
            lighter=leg.lighter,
        ),
    )
    if leg.form == LegForm.CLAIM:
        pools.transfer_claim(s, asset, leg.shares, giver, lender, Source.ADL_PROVIDER)
        return
    move(s, asset, leg.quantity, available(giver), available(lender))
    if debt_of(s, lender, asset):
        pools.repay(s, lender, asset, leg.quantity, Source.LIQUIDATION_ADL)
