"""The backstop in kernels: providers take debt and collateral over, as in `reference`.

An offer is a row: what is offered, the order of collateral, and room for what is asked about it.
Providers are visited through the list of them, which is in order of account id. Each step is
planned before anything moves: `plan_offer`, `plan_split`, `plan_fill`; `apply_fill` moves exactly
the legs of the plan.
"""

from typing import NamedTuple

from solvent.domain.labels import LegForm, Reason, Source, Stage
from solvent.domain.units import RATIO
from solvent.domain.waterfall_events import (
    BackstopCandidate,
    BackstopFilled,
    BackstopLeg,
    BackstopOffered,
    HandedOver,
)
from solvent.engine.allot.apportionment import apportion
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    commitment,
    debt_of,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.limits import largest_passing
from solvent.engine.margin import (
    Doubt,
    Health,
    health,
    health_of,
    is_liquidatable,
    portfolio_of,
    report,
    surplus,
    target_restored,
    total_value,
)
from solvent.engine.memory.layout import FUND, NO_REASON
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import mul_div_up, value_down, value_up
from solvent.engine.waterfall.notices import use_commitment
from solvent.engine.waterfall.offers import (
    assets_of,
    capacity,
    collateral_value,
    new_offer,
    parts_of,
    portfolio_after,
    portfolio_before,
    provider_premium,
    provides,
    put_deliverable,
    quantities_of,
)
from solvent.engine.waterfall.record import (
    PARTIES,
    Record,
    put_parties,
    record_parties,
    record_pools,
    touched,
)
from solvent.engine.waterfall.rows import Fill, FillLeg, Offer, Party
from solvent.engine.waterfall.sizing import (
    debts_largest_first,
    deliverable,
    needed_debt_by_slice,
    slice_down,
)
from solvent.kernels.language import (
    allocate,
    bit,
    emit,
    kernel,
    narrow,
    release,
    row_in,
    rows_in,
    wide,
)
from solvent.kernels.rows import Memory, Rows

_LEGS_PER_ASSET = 4
"""To two receivers in two forms."""


class Split(NamedTuple):
    """How an offer is split: `length` takers by account id, what each can bear, and its part."""

    offer: Offer
    takers: Memory
    length: int
    capacities: Memory
    parts: Memory


class Given(NamedTuple):
    """A fill as its legs are found, and by asset what of tokens and of shares is given already."""

    offer: Offer
    plan: Fill
    legs: Rows[FillLeg]
    tokens: Memory
    shares: Memory


@kernel
def take_over(s: Store, account: int) -> int:
    """Offer the account's debts to providers, largest first; why something is left or NO_REASON.

    A further debt is offered only while the account is still at MMR >= 100 % (I14).
    """
    top = s.globals.scratch_top
    offer = new_offer(s, account)
    reason = _offer_debts(s, offer)
    s.globals.scratch_top = top
    return reason


@kernel
def _offer_debts(s: Store, offer: Offer) -> int:
    offered = 0
    while True:
        values = health_of(s, offer.account, Doubt.FOR_ACCOUNT)
        if target_restored(s, values) or (offered and not is_liquidatable(values)):
            return NO_REASON
        if total_value(values) <= 0:
            return _hand_over(s, offer.account, Reason.PRICE_GAP, values)
        if not _next_offer(s, offer, values, offered):
            return _hand_over(s, offer.account, Reason.NO_BACKSTOP_CAPACITY, values)
        _split_offer(s, offer)
        offered = offered | bit(offer.debt)


@kernel
def _hand_over(s: Store, account: int, reason: Reason, values: Health) -> int:
    top = s.globals.scratch_top
    portfolio = take(s, 3 * s.globals.assets)
    debts = take(s, s.globals.assets)
    portfolio_of(s, account, portfolio)
    asset = debts[0] if debts_largest_first(s, portfolio, debts) else 0
    s.globals.scratch_top = top
    emit(
        s,
        HandedOver(
            account=account,
            stage=Stage.BACKSTOP,
            reason=reason,
            asset=asset,
            value=report(values).debts_value,
        ),
    )
    return reason


@kernel
def _next_offer(s: Store, offer: Offer, values: Health, offered: int) -> bool:
    """Offer the largest debt that some provider has capacity for, sized to what is needed."""
    top = s.globals.scratch_top
    portfolio = take(s, 3 * s.globals.assets)
    debts = take(s, s.globals.assets)
    portfolio_of(s, offer.account, portfolio)
    discount = full_discount(s, values)
    found = False
    for place in range(debts_largest_first(s, portfolio, debts)):
        debt = debts[place]
        if not offered & bit(debt):
            plan_offer(s, offer, portfolio, debt, discount)
            if offer.count and _is_wanted(s, offer):
                found = True
                break
    s.globals.scratch_top = top
    return found


@kernel
def full_discount(s: Store, values: Health) -> int:
    """The discount of an account worth something and owing: at most what it is worth, down.

    It never pushes the account below zero.
    """
    worth = total_value(values) * RATIO // values.debts_value
    return narrow(min(wide(s.rules.max_discount), worth))


@kernel
def plan_offer(s: Store, offer: Offer, portfolio: Memory, debt: int, discount: int) -> None:
    """Write what is to be taken over of one debt: no more than restores target health (I17)."""
    assets = assets_of(offer)
    count = 0
    for asset in range(s.globals.assets):
        if asset != debt and deliverable(s, offer.account, asset):
            assets[count] = asset
            count += 1
    offer.debt = debt
    offer.discount = discount
    offer.count = count
    offer.quantity = 0
    if count:
        offer.quantity = needed_debt_by_slice(s, portfolio, debt, discount, assets, count)


@kernel
def _is_wanted(s: Store, offer: Offer) -> bool:
    """Whether any provider has capacity for an offer."""
    for place in range(s.globals.provider_count):
        provider = s.providers[place]
        if provides(s, offer, provider) and capacity(s, offer, provider):
            return True
    return False


@kernel
def _split_offer(s: Store, offer: Offer) -> None:
    """Split an offer among the providers and carry out each part."""
    rows = allocate(3 * s.globals.provider_count)
    apply_split(s, plan_split(s, offer, rows))
    release(rows)


@kernel
def plan_split(s: Store, offer: Offer, rows: Memory) -> Split:
    """Who takes how much of an offer, and at which discount, which is written into the offer."""
    count = 0
    for place in range(s.globals.provider_count):
        if provides(s, offer, s.providers[place]):
            rows[count] = s.providers[place]
            count += 1
    plan = Split(offer, rows, count, rows.at(count), rows.at(2 * count))
    offer.taken = split(s, plan)
    if gentle_offer(s, offer):
        split(s, plan)
    return plan


@kernel
def split(s: Store, plan: Split) -> int:
    """Write each taker's capacity and its part, pro rata to that; return the sum of the parts."""
    for place in range(plan.length):
        plan.capacities[place] = capacity(s, plan.offer, plan.takers[place])
    apportion(s, plan.offer.quantity, plan.capacities, plan.capacities, plan.length, plan.parts)
    taken = 0
    for place in range(plan.length):
        taken += plan.parts[place]
    return taken


@kernel
def gentle_offer(s: Store, offer: Offer) -> bool:
    """Lower the discount until what is taken does not lower the account's health; whether it fell.

    When the providers cannot take what is needed, a sliver sold dear again and again would bleed
    the account (I16).
    """
    discount = offer.discount
    if _keeps_health(s, offer, discount):
        return False
    offer.discount = largest_passing(_keeps_health, s, offer, discount)
    return True


@kernel
def apply_split(s: Store, plan: Split) -> None:
    """Write an offer down and carry out each part, by account id."""
    _record_offer(s, plan)
    for place in range(plan.length):
        top = s.globals.scratch_top
        assets = s.globals.assets
        fill = row_in(Fill, take(s, Fill.WIDTH))
        legs = rows_in(FillLeg, take(s, _LEGS_PER_ASSET * assets * FillLeg.WIDTH))
        given = Given(plan.offer, fill, legs, take(s, assets), take(s, assets))
        if plan.parts[place] and plan_fill(s, given, plan.takers[place], plan.parts[place]):
            apply_fill(s, plan.offer, fill, legs)
        s.globals.scratch_top = top


@kernel
def _keeps_health(s: Store, offer: Offer, discount: int) -> bool:
    """Whether, after handing what is taken over at `discount`, the account is at least as healthy.

    Or owes nothing any more.
    """
    portfolio_of(s, offer.account, portfolio_before(s, offer))
    after = portfolio_after(s, offer)
    after[s.globals.assets + offer.debt] -= offer.taken
    value = collateral_value(s, offer, offer.taken, discount)
    slice_down(s, after, value, assets_of(offer), offer.count, parts_of(s, offer))
    new = health(s, after, Doubt.NONE, wide(0))
    if new.debts_value <= 0:
        return True
    return surplus(new) >= surplus(health(s, portfolio_before(s, offer), Doubt.NONE, wide(0)))


@kernel
def _record_offer(s: Store, plan: Split) -> None:
    """Write down what is on offer, and every provider asked."""
    offer = plan.offer
    values = report(health_of(s, offer.account, Doubt.NONE))
    fill = s.globals.next_fill
    emit(
        s,
        BackstopOffered(
            fill=fill,
            account=offer.account,
            debt_asset=offer.debt,
            quantity=offer.quantity,
            taken=offer.taken,
            discount=offer.discount,
            total_value=values.total_value,
            net_equity=values.net_equity,
            maintenance=values.maintenance,
        ),
    )
    for place in range(plan.length):
        provider = plan.takers[place]
        emit(
            s,
            BackstopCandidate(
                fill=fill,
                provider=provider,
                committed=commitment(s, provider, offer.debt).committed,
                leverage_limit=account_row(s, provider).leverage_limit,
                capacity=plan.capacities[place],
                allotted=plan.parts[place],
            ),
        )


@kernel
def plan_fill(s: Store, given: Given, provider: int, part: int) -> bool:
    """Write what moves with one provider's part; whether the provider can take anything still.

    What those before it took moved the roundings of a slice, so capacity is asked once more.
    """
    offer, plan = given.offer, given.plan
    quantity = min(part, capacity(s, offer, provider))
    if quantity == 0:
        return False
    mark = mark_of(s, offer.debt)
    provider_value = collateral_value(s, offer, quantity, provider_premium(s, offer))
    plan.provider = provider
    plan.quantity = quantity
    plan.shares = pools.debt_shares_up(s, offer.account, offer.debt, quantity)
    plan.value = value_up(quantity, mark, asset_row(s, offer.debt))
    plan.fund_value = collateral_value(s, offer, quantity, offer.discount) - provider_value
    plan.legs = 0
    for asset in range(s.globals.assets):
        given.tokens[asset] = 0
        given.shares[asset] = 0
    put_deliverable(s, offer)
    _slice_legs(s, given, provider, provider_value)
    _slice_legs(s, given, FUND, plan.fund_value)
    return True


@kernel
def _slice_legs(s: Store, given: Given, receiver: int, value: int) -> None:
    """Hand over a slice worth at most `value`: of each asset as much of tokens as of claims."""
    offer = given.offer
    parts = parts_of(s, offer)
    left = quantities_of(s, offer)
    count = slice_down(s, left, value, assets_of(offer), offer.count, parts)
    for place in range(count):
        asset = parts[place].asset
        quantity = parts[place].quantity
        held = position(s, offer.account, asset)
        free = mul_div_up(quantity, held.available - given.tokens[asset], left[asset] + quantity)
        given.tokens[asset] += free
        _add_leg(s, given, receiver, asset, LegForm.AVAILABLE, free, 0)
        claim = quantity - free
        if claim:
            lent = held.lent_shares - given.shares[asset]
            shares = pools.shares_down(pool_row(s, asset), lent, claim)
            given.shares[asset] += shares
            _add_leg(s, given, receiver, asset, LegForm.CLAIM, claim, shares)


@kernel
def _add_leg(
    s: Store, given: Given, receiver: int, asset: int, form: LegForm, quantity: int, shares: int
) -> None:
    if quantity:
        leg = given.legs[given.plan.legs]
        leg.receiver = receiver
        leg.asset = asset
        leg.form = form
        leg.quantity = quantity
        leg.shares = shares
        leg.value = value_down(quantity, mark_of(s, asset), asset_row(s, asset))
        given.plan.legs += 1


@kernel
def apply_fill(s: Store, offer: Offer, plan: Fill, legs: Rows[FillLeg]) -> None:
    """Move one provider's part: collateral to the provider and the fund, then the debt."""
    fill = s.globals.next_fill
    s.globals.next_fill = fill + 1
    debt = offer.debt
    record = Record(Stage.BACKSTOP, fill, 0)
    parties = rows_in(Party, take(s, PARTIES * Party.WIDTH))
    count = put_parties(parties, offer.account, plan.provider, FUND)
    touched(s, parties, count)
    record_pools(s, record)
    record_parties(s, record, parties, count, 0)
    use_commitment(s, plan.provider, debt, plan.quantity)
    emit(
        s,
        BackstopFilled(
            fill=fill,
            account=offer.account,
            provider=plan.provider,
            debt_asset=debt,
            mark=mark_of(s, debt),
            debt_quantity=plan.quantity,
            debt_value=plan.value,
            debt_shares=plan.shares,
            discount=offer.discount,
            fund_value=plan.fund_value,
        ),
    )
    for place in range(plan.legs):
        _apply_leg(s, fill, offer.account, legs[place])
    source = Source.LIQUIDATION_BACKSTOP
    pools.transfer_debt(s, debt, plan.shares, offer.account, plan.provider, source)
    touched(s, parties, count)
    record_parties(s, record, parties, count, 1)


@kernel
def _apply_leg(s: Store, fill: int, giver: int, leg: FillLeg) -> None:
    """Hand one leg over, which repays at once what its receiver owes of the asset."""
    receiver, asset = leg.receiver, leg.asset
    emit(
        s,
        BackstopLeg(
            fill=fill,
            giver=giver,
            receiver=receiver,
            asset=asset,
            mark=mark_of(s, asset),
            form=leg.form,
            quantity=leg.quantity,
            value=leg.value,
            shares=leg.shares,
        ),
    )
    source = Source.BACKSTOP_PROVIDER
    if leg.form == LegForm.CLAIM:
        pools.transfer_claim(s, asset, leg.shares, giver, receiver, source)
        return
    move(s, asset, leg.quantity, available(giver), available(receiver))
    owed = debt_of(s, receiver, asset)
    if owed:
        pools.repay(s, receiver, asset, min(owed, leg.quantity), source)
