"""Settlement in kernels: one match of an ADL round, planned, then carried out, as in `reference`.

A match is paid in one asset, in the forms of its tier. A plan is a row, its legs are rows in
scratch: `plan_settlement` finds them without a change to the state, and `apply_settlement` moves
exactly those.
"""

from typing import NamedTuple

from solvent.domain.labels import AdlCase, ExpiryReason, LegForm, Source, Stage, Tier
from solvent.domain.parameters import USDC
from solvent.domain.waterfall_events import AdlLeg, AdlMatched
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    claim_of,
    claim_worth,
    debt_of,
    is_stale,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.limits import largest_passing, pool_refusal
from solvent.engine.margin import (
    Doubt,
    copy_portfolio,
    health,
    is_liquidatable,
    portfolio_of,
    receive,
    surplus,
)
from solvent.engine.memory.layout import FUND
from solvent.engine.memory.rows import Pool
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import expire_paying
from solvent.engine.units import mul_div_down, mul_div_up, payable, value_down
from solvent.engine.waterfall.record import PARTIES, Record, put_parties, record_parties, touched
from solvent.engine.waterfall.rows import Leg, Match, Means, Party, Settlement
from solvent.kernels.language import Wide, emit, fail, kernel, row_in, rows_in, wide
from solvent.kernels.rows import Memory, Rows

_MOST_LEGS = 7
"""Three forms for the lender, three for the fund, and the tokens of opposites."""


class Payment(NamedTuple):
    """A match, its plan, and the legs that are found for it."""

    match: Match
    plan: Settlement
    legs: Rows[Leg]


@kernel
def put_means(means: Means, tier: Tier, asset: int, borrowed: int) -> None:
    """Write what a round is paid in."""
    means.tier = tier
    means.asset = asset
    means.borrowed = borrowed


@kernel
def fund_fee(match: Match) -> int:
    """Atoms of USDC that go to the fund."""
    in_cash = match.case == AdlCase.BORROWER_DEFAULT and match.paid_in == USDC
    return match.fee if in_cash else 0


@kernel
def settle(s: Store, match: Match) -> int:
    """Carry out `match`, shrunk to what the giver can pay; return the atoms settled."""
    top = s.globals.scratch_top
    plan = row_in(Settlement, take(s, Settlement.WIDTH))
    legs = rows_in(Leg, take(s, _MOST_LEGS * Leg.WIDTH))
    payment = Payment(match, plan, legs)
    settled = 0
    if plan_settlement(s, payment):
        apply_settlement(s, payment)
        settled = plan.quantity
    s.globals.scratch_top = top
    return settled


@kernel
def _redeems(tier: int) -> bool:
    """Whether the tier is paid in redeemed claims."""
    return tier != Tier.OWED


@kernel
def _hands_claims(tier: int) -> bool:
    """Whether the tier is paid in claims as they are: one on what is owed cancels."""
    return tier == Tier.OWED or tier >= Tier.FLAGGED


@kernel
def means_worth(s: Store, account: int, settled: int, means: Means) -> int:
    """Value at the mark, down, of what an account can pay in; all of a pool's cash counts."""
    asset = means.asset
    if is_stale(s, asset) or means.borrowed:
        return 0
    row = position(s, account, asset)
    quantity = row.available + row.locked
    claim = claim_of(s, account, asset)
    if not _hands_claims(means.tier):
        claim = min(claim, _cash(s, settled, means.tier, asset))
    return value_down(quantity + claim, mark_of(s, asset), asset_row(s, asset))


@kernel
def _cash(s: Store, settled: int, tier: int, asset: int) -> int:
    """Atoms that the pool pays out for a match; none of the asset that is settled (I25)."""
    if not _redeems(tier) or asset == settled:
        return 0
    return pools.redeemable(pool_row(s, asset))


@kernel
def borrowable(s: Store, account: int, asset: int, value: int) -> int:
    """USDC that an account may borrow to be rid of as much debt in `asset`, at most `value`.

    Its settings must allow it, the pool must lend it, and its health must not fall by it.
    """
    if account_row(s, account).auto_borrow_settlements == 0 or asset == USDC:
        return 0
    if claim_of(s, account, USDC):
        return 0
    amount = largest_passing(_pool_lends, s, pool_row(s, USDC), value)
    assets = s.globals.assets
    top = s.globals.scratch_top
    before = take(s, 3 * assets)
    after = take(s, 3 * assets)
    portfolio_of(s, account, before)
    copy_portfolio(s, before, after)
    debts = after.at(assets)
    debts[asset] -= payable(debts[asset], amount, mark_of(s, asset), asset_row(s, asset))
    debts[USDC] += amount + 1
    hurts = _surplus(s, after) < _surplus(s, before)
    s.globals.scratch_top = top
    return 0 if hurts else amount


@kernel
def _pool_lends(s: Store, pool: Pool, amount: int) -> bool:
    return pool_refusal(s, USDC, pool, 0, amount) == 0


@kernel
def _surplus(s: Store, portfolio: Memory) -> Wide:
    return surplus(health(s, portfolio, Doubt.NONE, wide(0)))


@kernel
def unhurt(s: Store, lender: int, asset: int, quantity: int, paid_in: int, pay: int) -> bool:
    """Whether the lender's NE - M does not fall by a swap of `quantity` of his claim for `pay`."""
    assets = s.globals.assets
    top = s.globals.scratch_top
    before = take(s, 3 * assets)
    after = take(s, 3 * assets)
    portfolio_of(s, lender, before)
    copy_portfolio(s, before, after)
    after[asset] -= quantity
    receive(s, after, paid_in, pay)
    unfallen = _surplus(s, after) >= _surplus(s, before)
    s.globals.scratch_top = top
    return unfallen


@kernel
def stays_healthy(s: Store, lender: int, asset: int, quantity: int, paid_in: int, pay: int) -> bool:
    """Whether a swap of `quantity` of his claim for `pay` leaves the lender above maintenance."""
    top = s.globals.scratch_top
    after = take(s, 3 * s.globals.assets)
    portfolio_of(s, lender, after)
    after[asset] -= quantity
    receive(s, after, paid_in, pay)
    healthy = not is_liquidatable(health(s, after, Doubt.FOR_ACCOUNT, wide(0)))
    s.globals.scratch_top = top
    return healthy


@kernel
def plan_settlement(s: Store, payment: Payment) -> bool:
    """Write how a match is settled, shrunk to what the giver can pay; whether anything can be."""
    match, plan = payment.match, payment.plan
    asset = match.asset
    owed = min(match.quantity, debt_of(s, match.debtor, asset), _given_up(s, match))
    # Down: a payer has rounded up once, for all of his matches together.
    wanted = mul_div_down(match.pay, owed, match.quantity)
    plan.fee = mul_div_down(match.fee, owed, match.quantity)
    given = _find_legs(s, payment, wanted)
    quantity = owed
    if given < wanted:
        # No more is given than what can be settled of it is worth.
        quantity = mul_div_down(owed, given, wanted)
        wanted = mul_div_down(match.pay, quantity, match.quantity)
        plan.fee = mul_div_down(match.fee, quantity, match.quantity)
        given = _find_legs(s, payment, wanted)
    if quantity == 0 or given == 0:
        return False
    in_kind = match.tier == Tier.IN_KIND
    if in_kind and not unhurt(s, match.lender, asset, quantity, match.paid_in, given):
        return False
    plan.quantity = quantity
    plan.value = mul_div_up(match.value, quantity, match.quantity)
    if fund_fee(match):
        # As much of it as the giver has: the lender comes first, and a pool's cash can end there.
        plan.fee = -given
        for place in range(plan.legs):
            plan.fee += payment.legs[place].quantity
    _value_legs(s, payment, given)
    if match.case == AdlCase.OPPOSITES:
        leg = _add_leg(payment, match.lender, match.debtor, asset, LegForm.AVAILABLE, quantity, 0)
        leg.value = plan.value + plan.fee
    plan.lender_shares = _lender_shares(s, payment)
    plan.debtor_shares = _debtor_shares(s, payment)
    return True


@kernel
def _given_up(s: Store, match: Match) -> int:
    """Atoms that the lender has to give up: tokens where opposites are closed, else the claim."""
    if match.case == AdlCase.OPPOSITES:
        return position(s, match.lender, match.asset).available
    return claim_of(s, match.lender, match.asset)


@kernel
def _lender_shares(s: Store, payment: Payment) -> int:
    """Shares of the lender's claim that fall, once the legs brought him any in that asset."""
    match = payment.match
    if match.case == AdlCase.OPPOSITES:
        return 0
    lent = position(s, match.lender, match.asset).lent_shares
    if match.giver != match.lender:
        for place in range(payment.plan.legs):
            leg = payment.legs[place]
            lent += leg.shares if leg.asset == match.asset else 0
    return pools.shares_up(pool_row(s, match.asset), lent, payment.plan.quantity)


@kernel
def _debtor_shares(s: Store, payment: Payment) -> int:
    """Shares of the debt that fall against the claim; tokens of opposites repay it instead."""
    match = payment.match
    if match.case == AdlCase.OPPOSITES:
        return 0
    shares, _ = pools.repay_shares_down(s, match.debtor, match.asset, payment.plan.quantity)
    return shares


@kernel
def _ends_orders(s: Store, match: Match, wanted: int) -> bool:
    """Whether the giver's orders lock what his free tokens lack: no escape (A10)."""
    row = position(s, match.giver, match.paid_in)
    if match.borrowed or row.locked == 0:
        return False
    return row.available < wanted + fund_fee(match)


@kernel
def _find_legs(s: Store, payment: Payment, wanted: int) -> int:
    """Find what goes to the lender, `wanted` atoms if there are as many, then the fund's fee.

    Returns how many atoms go to the lender.
    """
    match, asset = payment.match, payment.match.paid_in
    payment.plan.ends_orders = 1 if _ends_orders(s, match, wanted) else 0
    payment.plan.legs = 0
    if match.borrowed:
        quantity = borrowable(s, match.giver, match.asset, wanted)
        if quantity:
            form = LegForm.BORROWED
            _add_leg(payment, match.giver, match.lender, asset, form, quantity, 0)
        return quantity
    row = position(s, match.giver, asset)
    free = row.available + (row.locked if payment.plan.ends_orders else 0)
    cash = _cash(s, match.asset, match.tier, asset)
    held = row.lent_shares
    free, cash, held = _draw(s, payment, match.lender, wanted, free, cash, held)
    given = 0
    for place in range(payment.plan.legs):
        given += payment.legs[place].quantity
    _draw(s, payment, FUND, payment.plan.fee if fund_fee(match) else 0, free, cash, held)
    return given


@kernel
def _draw(
    s: Store, payment: Payment, receiver: int, due: int, free: int, cash: int, held: int
) -> tuple[int, int, int]:
    """Add legs that bring the receiver what is due; what is free, redeemable and lent after it."""
    match, asset = payment.match, payment.match.paid_in
    pool = pool_row(s, asset)
    rest = due
    quantity = min(rest, free)
    if quantity:
        _add_leg(payment, match.giver, receiver, asset, LegForm.AVAILABLE, quantity, 0)
        rest -= quantity
        free -= quantity
    if _redeems(match.tier) and rest and held:
        quantity = min(rest, cash, claim_worth(pool, held))
        if quantity:
            shares = pools.shares_up(pool, held, quantity)
            _add_leg(payment, match.giver, receiver, asset, LegForm.REDEEMED, quantity, shares)
            rest -= quantity
            cash -= quantity
            held -= shares
    if _hands_claims(match.tier) and rest and held:
        quantity = min(rest, claim_worth(pool, held))
        if quantity:
            shares = pools.shares_up(pool, held, quantity)
            _add_leg(payment, match.giver, receiver, asset, LegForm.CLAIM, quantity, shares)
            held -= shares
    return free, cash, held


@kernel
def _add_leg(
    payment: Payment,
    giver: int,
    receiver: int,
    asset: int,
    form: LegForm,
    quantity: int,
    shares: int,
) -> Leg:
    """Add a leg, whose value is still to be found."""
    leg = payment.legs[payment.plan.legs]
    payment.plan.legs += 1
    leg.giver = giver
    leg.receiver = receiver
    leg.asset = asset
    leg.form = form
    leg.quantity = quantity
    leg.shares = shares
    leg.value = 0
    return leg


@kernel
def _value_legs(s: Store, payment: Payment, given: int) -> None:
    """Write what legs count for: those of the `given` atoms make up the value, the last the rest.

    The fund's fee comes after them, also where the fund is the lender.
    """
    rest = given
    left = payment.plan.value
    for place in range(payment.plan.legs):
        leg = payment.legs[place]
        worth = value_down(leg.quantity, mark_of(s, leg.asset), asset_row(s, leg.asset))
        leg.value = worth
        if rest > 0:
            rest -= leg.quantity
            leg.value = left if rest <= 0 else min(left, worth)
            left -= leg.value


@kernel
def apply_settlement(s: Store, payment: Payment) -> None:
    """Hand the legs of a plan over, let claim and debt fall, and write all of it down."""
    match, plan = payment.match, payment.plan
    asset = match.asset
    parties = rows_in(Party, take(s, PARTIES * Party.WIDTH))
    third = match.giver
    for place in range(plan.legs):
        if payment.legs[place].receiver == FUND and match.lender != FUND:
            third = FUND
    count = put_parties(parties, match.lender, match.debtor, third)
    record = Record(Stage.ADL, match.round, match.number)
    touched(s, parties, count)
    record_parties(s, record, parties, count, 0)
    if plan.ends_orders:
        expire_paying(s, match.giver, match.paid_in, ExpiryReason.ADL_SETTLEMENT)
    for place in range(plan.legs):
        _apply_leg(s, match, payment.legs[place])
    if match.case != AdlCase.OPPOSITES:
        lender_shares, debtor_shares = pools.cancel(
            s, asset, plan.quantity, match.lender, match.debtor
        )
        if lender_shares != plan.lender_shares or debtor_shares != plan.debtor_shares:
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
            fee=plan.fee,
            claim_shares=plan.lender_shares,
            debt_shares=plan.debtor_shares,
        ),
    )
    touched(s, parties, count)
    record_parties(s, record, parties, count, 1)


@kernel
def _apply_leg(s: Store, match: Match, leg: Leg) -> None:
    """Hand one leg over, which repays at once what the receiver owes of its asset."""
    giver, receiver, asset = leg.giver, leg.receiver, leg.asset
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
            receiver=receiver,
            asset=asset,
            mark=mark_of(s, asset),
            form=leg.form,
            quantity=leg.quantity,
            value=leg.value,
            shares=leg.shares if leg.form == LegForm.CLAIM else 0,
            tier=match.tier,
        ),
    )
    if leg.form == LegForm.CLAIM:
        pools.transfer_claim(s, asset, leg.shares, giver, receiver, Source.ADL_PROVIDER)
        return
    move(s, asset, leg.quantity, available(giver), available(receiver))
    if debt_of(s, receiver, asset):
        own = receiver == match.lender
        source = Source.LIQUIDATION_ADL if own else Source.ADL_PROVIDER
        pools.repay(s, receiver, asset, leg.quantity, source)
