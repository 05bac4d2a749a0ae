"""The backstop: providers take debt and collateral over, off book and at the mark.

Stage 2 acts on an account that the book could not clear. Debt of value v and collateral of value
v * (1 + delta) move together, lent claims too, which need no redemption. The discount

    delta = min(maximum discount, TV / debt)

never pushes the account below zero; a share of it goes to the backstop fund. v is the least that
restores target health, or everything. Each provider takes at most what he committed in that debt
and at most what keeps him at or above his own initial requirement; the amount is split pro rata to
that free capacity. An account worth nothing can offer no discount, so nobody is asked to take it.

Every rounding is the provider's: collateral and claims round down, the debt up. So however small a
fill is, the account is no worse for it (I16) and the provider has less margin to spare than before.
Rounded the other way, the last atom would make room for another sliver in the next step, and the
steps would hardly end (I18).

Specification: section 7.4.
"""

from typing import NamedTuple

from solvent.domain.commands import Role
from solvent.domain.labels import LegForm, Reason, Source, Stage
from solvent.domain.units import (
    INDEX_SCALE,
    RATIO,
    divide_up,
    mul_div_down,
    value_down,
    value_up,
)
from solvent.domain.waterfall_events import (
    BackstopCandidate,
    BackstopFilled,
    BackstopLeg,
    BackstopOffered,
    HandedOver,
)
from solvent.reference.ledger import available, debt_of, move
from solvent.reference.lending import pool as pools
from solvent.reference.limits import largest_passing
from solvent.reference.margin import (
    Doubt,
    Health,
    health,
    health_of,
    portfolio_of,
    target_restored,
)
from solvent.reference.state import FUND, State
from solvent.reference.waterfall.policies import apportion
from solvent.reference.waterfall.record import Record, record_parties, record_pools, touched
from solvent.reference.waterfall.sizing import (
    Draw,
    debts_largest_first,
    deliverable,
    draw_down,
    largest_first,
    needed_debt,
)


class Offer(NamedTuple):
    """What is on offer: a quantity of one debt, at a discount, out of collateral in an order."""

    account: int
    debt: int
    quantity: int
    discount: int
    order: list[int]


class _Leg(NamedTuple):
    """From whom to whom one asset goes in a fill."""

    fill: int
    giver: int
    receiver: int
    asset: int


def take_over(state: State, account: int) -> Reason | None:
    """Offer the account's debts to providers, largest first; why something is left, or None.

    A further debt is offered only while the account is still at MMR >= 100 % (I14).
    """
    offered: set[int] = set()
    while True:
        values = health_of(state, account, Doubt.FOR_ACCOUNT)
        if target_restored(state, values) or (offered and not values.liquidatable):
            return None
        if values.total_value <= 0:
            return _hand_over(state, account, Reason.PRICE_GAP, values)
        offer = _next_offer(state, account, values, offered)
        if offer is None:
            return _hand_over(state, account, Reason.NO_BACKSTOP_CAPACITY, values)
        _fill(state, offer)
        offered.add(offer.debt)


def _hand_over(state: State, account: int, reason: Reason, values: Health) -> Reason:
    debts = debts_largest_first(state, portfolio_of(state, account))
    asset = debts[0] if debts else 0
    value = values.report().debts_value
    state.emit(HandedOver(account, Stage.BACKSTOP, reason, asset, value))
    return reason


def _next_offer(state: State, account: int, values: Health, offered: set[int]) -> Offer | None:
    """The largest debt that some provider has capacity for, sized to what is needed."""
    portfolio = portfolio_of(state, account)
    discount = min(
        state.parameters.waterfall.max_discount,
        values.total_value * RATIO // values.debts_value,
    )
    for debt in debts_largest_first(state, portfolio):
        order = [asset for asset in largest_first(state, account) if asset != debt]
        if not order or debt in offered:
            continue
        quantity = needed_debt(state, portfolio, debt, order, discount)
        offer = Offer(account, debt, quantity, discount, order)
        if any(capacity(state, offer, provider) for provider in providers(state, offer)):
            return offer
    return None


def providers(state: State, offer: Offer) -> list[int]:
    """Providers with commitment in the debt on offer, by account id."""
    return [
        account
        for account, holder in enumerate(state.accounts)
        if holder.role is Role.BACKSTOP_PROVIDER
        and holder.committed[offer.debt]
        and account not in state.liquidating
        and account != offer.account
    ]


def provider_premium(state: State, offer: Offer) -> int:
    """The provider's part of the discount, rounded down for the fund."""
    return offer.discount * (RATIO - state.parameters.waterfall.fund_share) // RATIO


def capacity(state: State, offer: Offer, provider: int) -> int:
    """Atoms of the debt a provider can take: committed, and borne by his initial margin.

    None where all that he bears is worth less than an atom of collateral.
    """
    before = portfolio_of(state, provider)
    quantities = [deliverable(state, offer.account, asset) for asset in range(len(state.pools))]
    premium = provider_premium(state, offer)

    def collateral(quantity: int) -> list[Draw]:
        value = _value(state, offer, quantity, premium)
        return draw_down(state, list(quantities), value, offer.order)

    def bearable(quantity: int) -> bool:
        after = before.copy()
        for taken in collateral(quantity):
            after.receive(taken.asset, max(0, taken.quantity - _slack(state, taken.asset)))
        owed = quantity + _slack(state, offer.debt)
        netted = min(owed, _claim_in(state, provider, offer.debt))
        after.quantities[offer.debt] -= netted
        after.debts[offer.debt] += owed - netted
        values = health(state, after, Doubt.AGAINST_ACCOUNT)
        return values.net_equity >= values.initial

    most = min(offer.quantity, state.accounts[provider].committed[offer.debt])
    largest = largest_passing(bearable, most)
    return largest if collateral(largest) else 0


def _slack(state: State, asset: int) -> int:
    """Atoms that share rounding may cost who takes a claim or a debt: a share of either side."""
    pool = state.pools[asset]
    return divide_up(pool.lend_index, INDEX_SCALE) + divide_up(pool.debt_index, INDEX_SCALE)


def _claim_in(state: State, account: int, asset: int) -> int:
    holder = state.accounts[account]
    portfolio = portfolio_of(state, account)
    return portfolio.quantities[asset] - holder.available[asset] - holder.locked[asset]


def _value(state: State, offer: Offer, quantity: int, premium: int) -> int:
    """Value of collateral that goes with `quantity` of the debt at a premium, rounded down."""
    notional = value_down(quantity, state.mark(offer.debt), state.asset(offer.debt).decimals)
    return mul_div_down(notional, RATIO + premium, RATIO)


def _fill(state: State, offer: Offer) -> None:
    """Split an offer among the providers and carry out each part, by account id.

    When the providers cannot take what is needed, the discount is what does not lower the
    account's health (I16): a sliver sold dear again and again would bleed it.
    """
    takers = providers(state, offer)
    capacities = [capacity(state, offer, provider) for provider in takers]
    parts = apportion(offer.quantity, capacities, capacities)
    taken = sum(parts)
    if _lowers_health(state, offer, taken):
        gentle = largest_passing(
            lambda discount: not _lowers_health(state, offer._replace(discount=discount), taken),
            offer.discount,
        )
        offer = offer._replace(discount=gentle)
        capacities = [capacity(state, offer, provider) for provider in takers]
        parts = apportion(offer.quantity, capacities, capacities)
    _record_offer(state, offer, taken)
    for provider, most, part in zip(takers, capacities, parts, strict=True):
        committed = state.accounts[provider].committed[offer.debt]
        state.emit(BackstopCandidate(state.next_fill, provider, committed, most, part))
    for provider, part in zip(takers, parts, strict=True):
        # Those before him may have taken the collateral that weighs most: ask once more.
        quantity = min(part, capacity(state, offer, provider))
        if quantity:
            _carry_out(state, offer, provider, quantity)


def _lowers_health(state: State, offer: Offer, quantity: int) -> bool:
    """Whether the account would end with debts and less health after handing `quantity` over."""
    before = portfolio_of(state, offer.account)
    after = before.copy()
    after.debts[offer.debt] -= quantity
    draw_down(state, after.quantities, _value(state, offer, quantity, offer.discount), offer.order)
    new = health(state, after)
    return new.debts_value > 0 and new.surplus < health(state, before).surplus


def _record_offer(state: State, offer: Offer, taken: int) -> None:
    values = health_of(state, offer.account).report()
    state.emit(
        BackstopOffered(
            fill=state.next_fill,
            account=offer.account,
            debt_asset=offer.debt,
            quantity=offer.quantity,
            taken=taken,
            discount=offer.discount,
            total_value=values.total_value,
            net_equity=values.net_equity,
            maintenance=values.maintenance,
        )
    )


def _carry_out(state: State, offer: Offer, provider: int, quantity: int) -> None:
    """Move one provider's part: collateral to him and the fund, then the debt."""
    fill = state.next_fill
    state.next_fill += 1
    record = Record(Stage.BACKSTOP, fill)
    parties = tuple(sorted({offer.account, provider, FUND}))
    pairs = touched(state, parties)
    record_pools(state, record)
    record_parties(state, record, parties, pairs, after=0)
    quantities = [deliverable(state, offer.account, asset) for asset in range(len(state.pools))]
    premium = provider_premium(state, offer)
    provider_value = _value(state, offer, quantity, premium)
    fund_value = _value(state, offer, quantity, offer.discount) - provider_value
    legs = [(provider, leg) for leg in draw_down(state, quantities, provider_value, offer.order)]
    legs += [(FUND, leg) for leg in draw_down(state, quantities, fund_value, offer.order)]
    mark, decimals = state.mark(offer.debt), state.asset(offer.debt).decimals
    shares = pools.debt_shares_up(state, offer.account, offer.debt, quantity)
    state.accounts[provider].committed[offer.debt] -= quantity
    state.emit(
        BackstopFilled(
            fill=fill,
            account=offer.account,
            provider=provider,
            debt_asset=offer.debt,
            mark=mark,
            debt_quantity=quantity,
            debt_value=value_up(quantity, mark, decimals),
            debt_shares=shares,
            discount=offer.discount,
            fund_value=fund_value,
        )
    )
    for receiver, leg in legs:
        hand_leg(state, offer.account, receiver, leg, fill)
    source = Source.LIQUIDATION_BACKSTOP
    pools.transfer_debt(state, offer.debt, shares, offer.account, provider, source)
    record_parties(state, record, parties, pairs | touched(state, parties), after=1)


def hand_leg(state: State, giver: int, receiver: int, leg: Draw, fill: int) -> None:
    """Hand one asset over: free tokens first, then the claim itself."""
    free = min(leg.quantity, state.accounts[giver].available[leg.asset])
    claim = leg.quantity - free
    said = _Leg(fill, giver, receiver, leg.asset)
    if free:
        _say_leg(state, said, LegForm.AVAILABLE, free, shares=0)
        move(state, leg.asset, free, available(giver), available(receiver))
        _repay_at_once(state, receiver, leg.asset, free)
    if claim:
        source = Source.BACKSTOP_PROVIDER
        shares = pools.claim_shares_down(state, giver, leg.asset, claim)
        _say_leg(state, said, LegForm.CLAIM, claim, shares)
        pools.transfer_claim(state, leg.asset, shares, giver, receiver, source)


def _say_leg(state: State, leg: _Leg, form: LegForm, quantity: int, shares: int) -> None:
    mark, decimals = state.mark(leg.asset), state.asset(leg.asset).decimals
    state.emit(
        BackstopLeg(
            fill=leg.fill,
            giver=leg.giver,
            receiver=leg.receiver,
            asset=leg.asset,
            mark=mark,
            form=form,
            quantity=quantity,
            value=value_down(quantity, mark, decimals),
            shares=shares,
        )
    )


def _repay_at_once(state: State, receiver: int, asset: int, quantity: int) -> None:
    owed = debt_of(state, receiver, asset)
    if owed:
        pools.repay(state, receiver, asset, min(owed, quantity), Source.BACKSTOP_PROVIDER)
