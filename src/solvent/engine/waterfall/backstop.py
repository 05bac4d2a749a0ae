"""The backstop in kernels: providers take debt and collateral over, as in `reference`.

An offer is a row: what is offered, the order of collateral, and room for what is asked about it.
Providers are visited through the list of them, which is in order of account id.
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
from solvent.engine.ledger import asset_row, available, debt_of, mark_of, move, pledge, position
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
from solvent.engine.units import value_down, value_up
from solvent.engine.waterfall.book_stage import without
from solvent.engine.waterfall.offers import (
    capacity,
    collateral_value,
    draws_of,
    new_offer,
    order_of,
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
from solvent.engine.waterfall.rows import Offer, Party
from solvent.engine.waterfall.sizing import (
    debts_largest_first,
    draw_down,
    largest_first,
    needed_debt,
)
from solvent.kernels.language import allocate, bit, emit, kernel, narrow, release, rows_in, wide
from solvent.kernels.rows import Memory


class Leg(NamedTuple):
    """From whom to whom one asset goes in a fill."""

    fill: int
    giver: int
    receiver: int
    asset: int


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
        _fill(s, offer)
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
    account = offer.account
    portfolio_of(s, account, portfolio)
    discount = min(s.rules.max_discount, total_value(values) * RATIO // values.debts_value)
    found = False
    for place in range(debts_largest_first(s, portfolio, debts)):
        debt = debts[place]
        order = order_of(offer)
        count = without(order, largest_first(s, account, order), debt)
        if count and not offered & bit(debt):
            offer.debt = debt
            offer.discount = narrow(discount)
            offer.count = count
            offer.quantity = needed_debt(s, portfolio, debt, order, count, narrow(discount))
            found = _is_wanted(s, offer)
            if found:
                break
    s.globals.scratch_top = top
    return found


@kernel
def _is_wanted(s: Store, offer: Offer) -> bool:
    """Whether any provider has capacity for an offer."""
    for place in range(s.globals.provider_count):
        provider = s.providers[place]
        if provides(s, offer, provider) and capacity(s, offer, provider):
            return True
    return False


@kernel
def _fill(s: Store, offer: Offer) -> None:
    """Split an offer among the providers and carry out each part, by account id.

    When the providers cannot take what is needed, the discount is what does not lower the
    account's health (I16).
    """
    rows = allocate(3 * s.globals.provider_count)
    takers = rows
    count = 0
    for place in range(s.globals.provider_count):
        if provides(s, offer, s.providers[place]):
            takers[count] = s.providers[place]
            count += 1
    capacities = rows.at(count)
    parts = rows.at(2 * count)
    offer.taken = _split(s, offer, takers, count, capacities, parts)
    discount = offer.discount
    if not _keeps_health(s, offer, discount):
        offer.discount = largest_passing(_keeps_health, s, offer, discount)
        _split(s, offer, takers, count, capacities, parts)
    _record_offer(s, offer, takers, count, capacities, parts)
    for place in range(count):
        # Those before him may have taken the collateral that weighs most: ask once more.
        if parts[place]:
            quantity = min(parts[place], capacity(s, offer, takers[place]))
            if quantity:
                _carry_out(s, offer, takers[place], quantity)
    release(rows)


@kernel
def _split(
    s: Store, offer: Offer, takers: Memory, count: int, capacities: Memory, parts: Memory
) -> int:
    """Write each taker's capacity and his part of an offer; return the sum of the parts."""
    for place in range(count):
        capacities[place] = capacity(s, offer, takers[place])
    apportion(s, offer.quantity, capacities, capacities, count, parts)
    taken = 0
    for place in range(count):
        taken += parts[place]
    return taken


@kernel
def _keeps_health(s: Store, offer: Offer, discount: int) -> bool:
    """Whether, after handing what is taken over at `discount`, the account is at least as healthy.

    Or owes nothing any more.
    """
    portfolio_of(s, offer.account, portfolio_before(s, offer))
    after = portfolio_after(s, offer)
    after[s.globals.assets + offer.debt] -= offer.taken
    value = collateral_value(s, offer, offer.taken, discount)
    draw_down(s, after, value, order_of(offer), offer.count, draws_of(s, offer))
    new = health(s, after, Doubt.NONE, wide(0))
    if new.debts_value <= 0:
        return True
    return surplus(new) >= surplus(health(s, portfolio_before(s, offer), Doubt.NONE, wide(0)))


@kernel
def _record_offer(
    s: Store, offer: Offer, takers: Memory, count: int, capacities: Memory, parts: Memory
) -> None:
    """Write down an offer and what each provider committed, can bear, and takes."""
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
    for place in range(count):
        provider = takers[place]
        committed = pledge(s, provider, offer.debt).committed
        emit(
            s,
            BackstopCandidate(
                fill=fill,
                provider=provider,
                committed=committed,
                capacity=capacities[place],
                allotted=parts[place],
            ),
        )


@kernel
def _carry_out(s: Store, offer: Offer, provider: int, quantity: int) -> None:
    """Move one provider's part: collateral to him and the fund, then the debt."""
    top = s.globals.scratch_top
    fill = s.globals.next_fill
    s.globals.next_fill = fill + 1
    record = Record(Stage.BACKSTOP, fill, 0)
    parties = rows_in(Party, take(s, PARTIES * Party.WIDTH))
    count = put_parties(parties, offer.account, provider, FUND)
    touched(s, parties, count)
    record_pools(s, record)
    record_parties(s, record, parties, count, 0)
    shares = pools.debt_shares_up(s, offer.account, offer.debt, quantity)
    _hand_collateral(s, offer, provider, quantity, shares, fill)
    source = Source.LIQUIDATION_BACKSTOP
    pools.transfer_debt(s, offer.debt, shares, offer.account, provider, source)
    touched(s, parties, count)
    record_parties(s, record, parties, count, 1)
    s.globals.scratch_top = top


@kernel
def _hand_collateral(
    s: Store, offer: Offer, provider: int, quantity: int, shares: int, fill: int
) -> None:
    """Hand the collateral that goes with one part to the provider, and the fund's share to it."""
    debt = offer.debt
    put_deliverable(s, offer)
    provider_value = collateral_value(s, offer, quantity, provider_premium(s, offer))
    fund_value = collateral_value(s, offer, quantity, offer.discount) - provider_value
    pledge(s, provider, debt).committed -= quantity
    emit(
        s,
        BackstopFilled(
            fill=fill,
            account=offer.account,
            provider=provider,
            debt_asset=debt,
            mark=mark_of(s, debt),
            debt_quantity=quantity,
            debt_value=value_up(quantity, mark_of(s, debt), asset_row(s, debt)),
            debt_shares=shares,
            discount=offer.discount,
            fund_value=fund_value,
        ),
    )
    _hand_legs(s, offer, provider, provider_value, fill)
    _hand_legs(s, offer, FUND, fund_value, fill)


@kernel
def _hand_legs(s: Store, offer: Offer, receiver: int, value: int, fill: int) -> None:
    """Take collateral worth `value` out of what an offer still has and hand it over."""
    draws = draws_of(s, offer)
    count = draw_down(s, quantities_of(s, offer), value, order_of(offer), offer.count, draws)
    for place in range(count):
        leg = draws[place]
        _hand_leg(s, offer.account, receiver, leg.asset, leg.quantity, fill)


@kernel
def _hand_leg(s: Store, giver: int, receiver: int, asset: int, quantity: int, fill: int) -> None:
    """Hand one asset over: free tokens first, then the claim itself."""
    free = min(quantity, position(s, giver, asset).available)
    claim = quantity - free
    leg = Leg(fill, giver, receiver, asset)
    if free:
        _say_leg(s, leg, LegForm.AVAILABLE, free, 0)
        move(s, asset, free, available(giver), available(receiver))
        _repay_at_once(s, receiver, asset, free)
    if claim:
        shares = pools.claim_shares_down(s, giver, asset, claim)
        _say_leg(s, leg, LegForm.CLAIM, claim, shares)
        pools.transfer_claim(s, asset, shares, giver, receiver, Source.BACKSTOP_PROVIDER)


@kernel
def _say_leg(s: Store, leg: Leg, form: LegForm, quantity: int, shares: int) -> None:
    mark = mark_of(s, leg.asset)
    emit(
        s,
        BackstopLeg(
            fill=leg.fill,
            giver=leg.giver,
            receiver=leg.receiver,
            asset=leg.asset,
            mark=mark,
            form=form,
            quantity=quantity,
            value=value_down(quantity, mark, asset_row(s, leg.asset)),
            shares=shares,
        ),
    )


@kernel
def _repay_at_once(s: Store, receiver: int, asset: int, quantity: int) -> None:
    owed = debt_of(s, receiver, asset)
    if owed:
        pools.repay(s, receiver, asset, min(owed, quantity), Source.BACKSTOP_PROVIDER)
