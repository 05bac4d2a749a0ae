"""The backstop: providers take debt and collateral over, off book and at the mark.

Stage 2 acts on an account that the book could not clear. Debt of value v and collateral of value
v * (1 + delta) move together, lent claims too, which need no redemption. The discount

    delta = min(maximum discount, TV / debt)

never pushes the account below zero; a share of it goes to the backstop fund. v is the least that
restores target health, or everything. Each provider takes at most what he committed in that debt
and at most what keeps him at or above his own initial requirement and within his leverage limit;
the amount is split pro rata to that free capacity. What goes with a part is the same slice of every
collateral, of tokens as of claims, so that nobody is left a worse mix than who came before. An
account worth nothing can offer no discount, so nobody is asked to take it.

Every rounding is the provider's: collateral and claims round down, the debt up. So however small a
fill is, the account is no worse for it (I16) and the provider has less margin to spare than before.
Rounded the other way, the last atom would make room for another sliver in the next step, and the
steps would hardly end (I18).

Each step is planned before anything moves: `plan_offer` sizes what is on offer, `plan_split` says
who takes how much of it and at which discount, `plan_fill` which legs go with one part, and
`apply_fill` moves exactly those.

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
    mul_div_up,
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
    leverage_exceeded,
    portfolio_of,
    target_restored,
)
from solvent.reference.state import FUND, State
from solvent.reference.waterfall.notices import use_commitment
from solvent.reference.waterfall.policies import apportion
from solvent.reference.waterfall.record import Record, record_parties, record_pools, touched
from solvent.reference.waterfall.sizing import (
    Part,
    debts_largest_first,
    deliverable,
    needed_debt,
    slice_down,
    slice_up,
)


class Offer(NamedTuple):
    """What is on offer: a quantity of one debt, at a discount, out of a slice of these assets."""

    account: int
    debt: int
    quantity: int
    discount: int
    assets: list[int]


class Taker(NamedTuple):
    """A provider of the offer: what it committed, can bear, and takes, in atoms of the debt."""

    account: int
    committed: int
    capacity: int
    part: int


class Split(NamedTuple):
    """How an offer is split: its takers by account id, at the discount that the account bears.

    `taken` is what they would have taken at the full discount.
    """

    offer: Offer
    taken: int
    takers: tuple[Taker, ...]


class Leg(NamedTuple):
    """One thing that goes with a fill: atoms, and their value at the mark (10^-6 USDC, down).

    `shares` are those of the claim that is handed over, 0 for tokens.
    """

    receiver: int
    asset: int
    form: LegForm
    quantity: int
    shares: int
    value: int


class Fill(NamedTuple):
    """The plan of one part: `quantity` of the debt, worth `value` (up), to the provider.

    `fund_value` is the fund's part of the discount; the legs go from the account to both.
    """

    offer: Offer
    provider: int
    quantity: int
    shares: int
    value: int
    fund_value: int
    legs: tuple[Leg, ...]


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
        apply_split(state, plan_split(state, offer))
        offered.add(offer.debt)


def _hand_over(state: State, account: int, reason: Reason, values: Health) -> Reason:
    debts = debts_largest_first(state, portfolio_of(state, account))
    asset = debts[0] if debts else 0
    value = values.report().debts_value
    state.emit(HandedOver(account, Stage.BACKSTOP, reason, asset, value))
    return reason


def _next_offer(state: State, account: int, values: Health, offered: set[int]) -> Offer | None:
    """The largest debt that some provider has capacity for, sized to what is needed."""
    discount = full_discount(state, values)
    for debt in debts_largest_first(state, portfolio_of(state, account)):
        if debt in offered:
            continue
        offer = plan_offer(state, account, debt, discount)
        if offer.assets and any(
            capacity(state, offer, provider) for provider in providers(state, offer)
        ):
            return offer
    return None


def full_discount(state: State, values: Health) -> int:
    """The discount of an account worth something and owing: at most what it is worth, rounded down.

    It never pushes the account below zero.
    """
    worth = values.total_value * RATIO // values.debts_value
    return min(state.parameters.waterfall.max_discount, worth)


def plan_offer(state: State, account: int, debt: int, discount: int) -> Offer:
    """What is to be taken over of one debt: no more than restores target health (I17)."""
    assets = [
        asset
        for asset in range(len(state.pools))
        if asset != debt and deliverable(state, account, asset)
    ]

    def take(quantities: list[int], value: int) -> None:
        slice_up(state, quantities, value, assets)

    portfolio = portfolio_of(state, account)
    quantity = needed_debt(state, portfolio, debt, discount, take) if assets else 0
    return Offer(account, debt, quantity, discount, assets)


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

    def collateral(quantity: int) -> list[Part]:
        value = _value(state, offer, quantity, premium)
        return slice_down(state, list(quantities), value, offer.assets)

    def bearable(quantity: int) -> bool:
        after = before.copy()
        for taken in collateral(quantity):
            after.receive(taken.asset, max(0, taken.quantity - _slack(state, taken.asset)))
        owed = quantity + _slack(state, offer.debt)
        netted = min(owed, _claim_in(state, provider, offer.debt))
        after.quantities[offer.debt] -= netted
        after.debts[offer.debt] += owed - netted
        values = health(state, after, Doubt.AGAINST_ACCOUNT)
        limit = state.accounts[provider].leverage_limit
        return values.net_equity >= values.initial and not leverage_exceeded(values, limit)

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


def plan_split(state: State, offer: Offer) -> Split:
    """Who takes how much of an offer, and at which discount."""
    accounts = providers(state, offer)
    capacities = [capacity(state, offer, provider) for provider in accounts]
    taken = sum(split(offer, capacities))
    gentle = gentle_offer(state, offer, taken)
    if gentle is not offer:
        capacities = [capacity(state, gentle, provider) for provider in accounts]
    parts = split(gentle, capacities)
    assert sum(parts) <= gentle.quantity, "no more is taken than is on offer (I17)"
    takers = [
        Taker(provider, state.accounts[provider].committed[offer.debt], most, part)
        for provider, most, part in zip(accounts, capacities, parts, strict=True)
    ]
    return Split(gentle, taken, tuple(takers))


def split(offer: Offer, capacities: list[int]) -> list[int]:
    """Parts of an offer pro rata to what each provider can take, none above that."""
    return apportion(offer.quantity, capacities, capacities)


def gentle_offer(state: State, offer: Offer, taken: int) -> Offer:
    """The offer at the largest discount at which `taken` of it does not lower the account's health.

    When the providers cannot take what is needed, a sliver sold dear again and again would bleed
    the account (I16).
    """
    if not _lowers_health(state, offer, taken):
        return offer
    discount = largest_passing(
        lambda discount: not _lowers_health(state, offer._replace(discount=discount), taken),
        offer.discount,
    )
    return offer._replace(discount=discount)


def _lowers_health(state: State, offer: Offer, quantity: int) -> bool:
    """Whether the account would end with debts and less health after handing `quantity` over."""
    before = portfolio_of(state, offer.account)
    after = before.copy()
    after.debts[offer.debt] -= quantity
    value = _value(state, offer, quantity, offer.discount)
    slice_down(state, after.quantities, value, offer.assets)
    new = health(state, after)
    return new.debts_value > 0 and new.surplus < health(state, before).surplus


def apply_split(state: State, plan: Split) -> None:
    """Write an offer down and carry out each part, by account id."""
    offer = plan.offer
    _record_offer(state, plan)
    for taker in plan.takers:
        fill = plan_fill(state, offer, taker)
        if fill is not None:
            apply_fill(state, fill)


def _record_offer(state: State, plan: Split) -> None:
    """Write down what is on offer, and every provider asked."""
    offer, fill = plan.offer, state.next_fill
    values = health_of(state, offer.account).report()
    state.emit(
        BackstopOffered(
            fill=fill,
            account=offer.account,
            debt_asset=offer.debt,
            quantity=offer.quantity,
            taken=plan.taken,
            discount=offer.discount,
            total_value=values.total_value,
            net_equity=values.net_equity,
            maintenance=values.maintenance,
        )
    )
    for taker in plan.takers:
        state.emit(
            BackstopCandidate(
                fill=fill,
                provider=taker.account,
                committed=taker.committed,
                leverage_limit=state.accounts[taker.account].leverage_limit,
                capacity=taker.capacity,
                allotted=taker.part,
            )
        )


def plan_fill(state: State, offer: Offer, taker: Taker) -> Fill | None:
    """What moves with one provider's part; None where the provider can take nothing any more.

    What those before it took moved the roundings of a slice, so capacity is asked once more.
    """
    provider = taker.account
    quantity = min(taker.part, capacity(state, offer, provider))
    if quantity == 0:
        return None
    provider_value = _value(state, offer, quantity, provider_premium(state, offer))
    fund_value = _value(state, offer, quantity, offer.discount) - provider_value
    given = _Given(state, offer.account)
    given.draw(provider, provider_value, offer.assets)
    given.draw(FUND, fund_value, offer.assets)
    mark, decimals = state.mark(offer.debt), state.asset(offer.debt).decimals
    return Fill(
        offer=offer,
        provider=provider,
        quantity=quantity,
        shares=pools.debt_shares_up(state, offer.account, offer.debt, quantity),
        value=value_up(quantity, mark, decimals),
        fund_value=fund_value,
        legs=tuple(given.legs),
    )


class _Given:
    """What an account hands over in one fill as it is found, and what it then still has."""

    def __init__(self, state: State, account: int) -> None:
        holder = state.accounts[account]
        self.state = state
        self.quantities = [deliverable(state, account, asset) for asset in range(len(state.pools))]
        self.free = list(holder.available)
        self.lent_shares = list(holder.lent_shares)
        self.legs: list[Leg] = []

    def draw(self, receiver: int, value: int, assets: list[int]) -> None:
        """Hand over a slice worth at most `value`: of each asset as much of tokens as of claims."""
        quantities = list(self.quantities)
        for asset, quantity in slice_down(self.state, quantities, value, assets):
            free = mul_div_up(quantity, self.free[asset], self.quantities[asset])
            self.free[asset] -= free
            self._add(receiver, asset, LegForm.AVAILABLE, free, 0)
            claim = quantity - free
            pool, held = self.state.pools[asset], self.lent_shares[asset]
            shares = pools.shares_down(pool, held, claim) if claim else 0
            self.lent_shares[asset] -= shares
            self._add(receiver, asset, LegForm.CLAIM, claim, shares)
        self.quantities = quantities

    def _add(self, receiver: int, asset: int, form: LegForm, quantity: int, shares: int) -> None:
        if quantity:
            mark, decimals = self.state.mark(asset), self.state.asset(asset).decimals
            value = value_down(quantity, mark, decimals)
            self.legs.append(Leg(receiver, asset, form, quantity, shares, value))


def apply_fill(state: State, plan: Fill) -> None:
    """Move one provider's part: collateral to the provider and the fund, then the debt."""
    offer, provider = plan.offer, plan.provider
    committed = state.accounts[provider].committed[offer.debt]
    assert 0 < plan.quantity <= committed, "within what was committed (I12)"
    assert all(leg.quantity > 0 and leg.shares >= 0 for leg in plan.legs)
    fill = state.next_fill
    state.next_fill += 1
    record = Record(Stage.BACKSTOP, fill)
    parties = tuple(sorted({offer.account, provider, FUND}))
    pairs = touched(state, parties)
    record_pools(state, record)
    record_parties(state, record, parties, pairs, after=0)
    use_commitment(state, provider, offer.debt, plan.quantity)
    state.emit(
        BackstopFilled(
            fill=fill,
            account=offer.account,
            provider=provider,
            debt_asset=offer.debt,
            mark=state.mark(offer.debt),
            debt_quantity=plan.quantity,
            debt_value=plan.value,
            debt_shares=plan.shares,
            discount=offer.discount,
            fund_value=plan.fund_value,
        )
    )
    for leg in plan.legs:
        _apply_leg(state, fill, offer.account, leg)
    source = Source.LIQUIDATION_BACKSTOP
    pools.transfer_debt(state, offer.debt, plan.shares, offer.account, provider, source)
    record_parties(state, record, parties, pairs | touched(state, parties), after=1)


def _apply_leg(state: State, fill: int, giver: int, leg: Leg) -> None:
    """Hand one leg over, which repays at once what its receiver owes of the asset."""
    receiver, asset = leg.receiver, leg.asset
    state.emit(
        BackstopLeg(
            fill=fill,
            giver=giver,
            receiver=receiver,
            asset=asset,
            mark=state.mark(asset),
            form=leg.form,
            quantity=leg.quantity,
            value=leg.value,
            shares=leg.shares,
        )
    )
    source = Source.BACKSTOP_PROVIDER
    if leg.form is LegForm.CLAIM:
        pools.transfer_claim(state, asset, leg.shares, giver, receiver, source)
        return
    move(state, asset, leg.quantity, available(giver), available(receiver))
    owed = debt_of(state, receiver, asset)
    if owed:
        pools.repay(state, receiver, asset, min(owed, leg.quantity), source)
