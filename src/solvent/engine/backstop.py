"""The backstop in kernels: providers take debt and collateral over, as `reference.backstop`.

An offer is a row: what is offered, the order of collateral, and room for what is asked about it.
Providers are visited through the list of them, which is in order of account id.
"""

from solvent.domain.labels import LegForm, Reason, Source, Stage
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.engine import pool as pools
from solvent.engine.book_stage import without
from solvent.engine.language import (
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
from solvent.engine.layout import (
    ASSETS,
    AVAILABLE,
    BACKSTOP_CANDIDATE,
    BACKSTOP_FILLED,
    BACKSTOP_LEG,
    BACKSTOP_OFFERED,
    COMMITTED,
    DEBT_INDEX,
    FUND,
    FUND_SHARE,
    HANDED_OVER,
    IS_LIQUIDATING,
    LEND_INDEX,
    MAX_DISCOUNT,
    NEXT_FILL,
    NO_REASON,
    PROVIDER_COUNT,
    SCRATCH_TOP,
)
from solvent.engine.ledger import (
    account_row,
    asset_row,
    available,
    claim_of,
    debt_of,
    mark_of,
    move,
    pool_row,
    position,
)
from solvent.engine.limits import largest_passing
from solvent.engine.margin import (
    Doubt,
    Health,
    copy_portfolio,
    health,
    health_of,
    is_liquidatable,
    portfolio_of,
    receive,
    report,
    surplus,
    target_restored,
    total_value,
)
from solvent.engine.policies import apportion
from solvent.engine.record import (
    PARTIES_WIDTH,
    Record,
    put_parties,
    record_parties,
    record_pools,
    touched,
)
from solvent.engine.scratch import take
from solvent.engine.sizing import (
    DRAW_ASSET,
    DRAW_QUANTITY,
    DRAW_WIDTH,
    debts_largest_first,
    deliverable,
    draw_down,
    largest_first,
    needed_debt,
)
from solvent.engine.units import divide_up, mul_div_down, value_down, value_up

# offers: these numbers, then for n assets the order of collateral (n), what the account can hand
# over (n and a copy), a portfolio (3 n and a copy), and draws (3 n)
_ACCOUNT = 0
_DEBT = 1
_QUANTITY = 2
_DISCOUNT = 3
_COUNT = 4
"""Of the order."""
_CLAIM = 5
"""Claim in the debt's asset of the provider who is asked."""
_TAKEN = 6
_ORDER = 7
_PER_ASSET = 3 + 2 * 3 + DRAW_WIDTH


@kernel
def take_over(s: Store, account: int) -> int:
    """Offer the account's debts to providers, largest first; why something is left or NO_REASON.

    A further debt is offered only while the account is still at MMR >= 100 % (I14).
    """
    top = s.globals[SCRATCH_TOP]
    offer = take(s, _ORDER + _PER_ASSET * s.globals[ASSETS])
    offer[_ACCOUNT] = account
    reason = _offer_debts(s, offer)
    s.globals[SCRATCH_TOP] = top
    return reason


@kernel
def _offer_debts(s: Store, offer: Memory) -> int:
    offered = 0
    while True:
        values = health_of(s, offer[_ACCOUNT], Doubt.FOR_ACCOUNT)
        if target_restored(s, values) or (offered and not is_liquidatable(values)):
            return NO_REASON
        if total_value(values) <= 0:
            return _hand_over(s, offer[_ACCOUNT], Reason.PRICE_GAP, values)
        if not _next_offer(s, offer, values, offered):
            return _hand_over(s, offer[_ACCOUNT], Reason.NO_BACKSTOP_CAPACITY, values)
        _fill(s, offer)
        offered = offered | bit(offer[_DEBT])


@kernel
def _hand_over(s: Store, account: int, reason: int, values: Health) -> int:
    top = s.globals[SCRATCH_TOP]
    portfolio = take(s, 3 * s.globals[ASSETS])
    debts = take(s, s.globals[ASSETS])
    portfolio_of(s, account, portfolio)
    asset = debts[0] if debts_largest_first(s, portfolio, debts) else 0
    s.globals[SCRATCH_TOP] = top
    emit(s, HANDED_OVER, account, Stage.BACKSTOP, reason, asset, report(values).debts_value)
    return reason


@kernel
def _next_offer(s: Store, offer: Memory, values: Health, offered: int) -> bool:
    """Offer the largest debt that some provider has capacity for, sized to what is needed."""
    top = s.globals[SCRATCH_TOP]
    portfolio = take(s, 3 * s.globals[ASSETS])
    debts = take(s, s.globals[ASSETS])
    account = offer[_ACCOUNT]
    portfolio_of(s, account, portfolio)
    discount = min(s.rules[MAX_DISCOUNT], total_value(values) * RATIO // values.debts_value)
    found = False
    for place in range(debts_largest_first(s, portfolio, debts)):
        debt = debts[place]
        order = offer.at(_ORDER)
        count = without(order, largest_first(s, account, order), debt)
        if count and not offered & bit(debt):
            offer[_DEBT] = debt
            offer[_DISCOUNT] = narrow(discount)
            offer[_COUNT] = count
            offer[_QUANTITY] = needed_debt(s, portfolio, debt, order, count, narrow(discount))
            found = _is_wanted(s, offer)
            if found:
                break
    s.globals[SCRATCH_TOP] = top
    return found


@kernel
def _is_wanted(s: Store, offer: Memory) -> bool:
    """Whether any provider has capacity for an offer."""
    for place in range(s.globals[PROVIDER_COUNT]):
        provider = s.providers[place]
        if _provides(s, offer, provider) and capacity(s, offer, provider):
            return True
    return False


@kernel
def _provides(s: Store, offer: Memory, provider: int) -> bool:
    """Whether a provider has commitment in the debt on offer and is free to take it."""
    if provider == offer[_ACCOUNT] or account_row(s, provider)[IS_LIQUIDATING]:
        return False
    return position(s, provider, offer[_DEBT])[COMMITTED] != 0


@kernel
def provider_premium(s: Store, offer: Memory) -> int:
    """The provider's part of the discount, rounded down for the fund."""
    return narrow(wide(offer[_DISCOUNT]) * (RATIO - s.rules[FUND_SHARE]) // RATIO)


@kernel
def capacity(s: Store, offer: Memory, provider: int) -> int:
    """Atoms of the debt a provider can take: committed, and borne by his initial margin.

    None where all that he bears is worth less than an atom of collateral.
    """
    _put_deliverable(s, offer)
    portfolio_of(s, provider, _before(s, offer))
    offer[_CLAIM] = claim_of(s, provider, offer[_DEBT])
    most = min(offer[_QUANTITY], position(s, provider, offer[_DEBT])[COMMITTED])
    largest = largest_passing(_is_bearable, s, offer, most)
    return largest if _draw_collateral(s, offer, largest) else 0


@kernel
def _put_deliverable(s: Store, offer: Memory) -> None:
    """Write what the account can hand over now into its offer."""
    quantities = _quantities(s, offer)
    for asset in range(s.globals[ASSETS]):
        quantities[asset] = deliverable(s, offer[_ACCOUNT], asset)


@kernel
def _quantities(s: Store, offer: Memory) -> Memory:
    return offer.at(_ORDER + s.globals[ASSETS])


@kernel
def _before(s: Store, offer: Memory) -> Memory:
    """The portfolio that an offer is asked about."""
    return offer.at(_ORDER + 3 * s.globals[ASSETS])


@kernel
def _after(s: Store, offer: Memory) -> Memory:
    """A fresh copy of that portfolio, to change."""
    after = offer.at(_ORDER + 6 * s.globals[ASSETS])
    copy_portfolio(s, _before(s, offer), after)
    return after


@kernel
def _draws(s: Store, offer: Memory) -> Memory:
    return offer.at(_ORDER + 9 * s.globals[ASSETS])


@kernel
def _draw_collateral(s: Store, offer: Memory, quantity: int) -> int:
    """Write the draws of collateral that would go to a provider with `quantity` of the debt."""
    assets = s.globals[ASSETS]
    quantities = _quantities(s, offer)
    left = quantities.at(assets)
    for asset in range(assets):
        left[asset] = quantities[asset]
    value = _value(s, offer, quantity, provider_premium(s, offer))
    return draw_down(s, left, value, offer.at(_ORDER), offer[_COUNT], _draws(s, offer))


@kernel
def _is_bearable(s: Store, offer: Memory, quantity: int) -> bool:
    """Whether the provider asked could take `quantity` of the debt and keep his initial margin."""
    assets = s.globals[ASSETS]
    after = _after(s, offer)
    draws = _draws(s, offer)
    for place in range(_draw_collateral(s, offer, quantity)):
        taken = draws.at(place * DRAW_WIDTH)
        least = taken[DRAW_QUANTITY] - _slack(s, taken[DRAW_ASSET])
        receive(s, after, taken[DRAW_ASSET], max(0, least))
    debt = offer[_DEBT]
    owed = quantity + _slack(s, debt)
    netted = min(owed, offer[_CLAIM])
    after[debt] -= netted
    after[assets + debt] += owed - netted
    values = health(s, after, Doubt.AGAINST_ACCOUNT, wide(0))
    return values.net_equity >= values.initial


@kernel
def _slack(s: Store, asset: int) -> int:
    """Atoms that share rounding may cost who takes a claim or a debt: a share of either side."""
    pool = pool_row(s, asset)
    lend = divide_up(pool[LEND_INDEX], INDEX_SCALE)
    return narrow(lend + divide_up(pool[DEBT_INDEX], INDEX_SCALE))


@kernel
def _value(s: Store, offer: Memory, quantity: int, premium: int) -> int:
    """Value of collateral that goes with `quantity` of the debt at a premium, rounded down."""
    debt = offer[_DEBT]
    notional = value_down(quantity, mark_of(s, debt), asset_row(s, debt))
    return mul_div_down(notional, RATIO + premium, RATIO)


@kernel
def _fill(s: Store, offer: Memory) -> None:
    """Split an offer among the providers and carry out each part, by account id.

    When the providers cannot take what is needed, the discount is what does not lower the
    account's health (I16).
    """
    rows = allocate(3 * s.globals[PROVIDER_COUNT])
    takers = rows
    count = 0
    for place in range(s.globals[PROVIDER_COUNT]):
        if _provides(s, offer, s.providers[place]):
            takers[count] = s.providers[place]
            count += 1
    capacities = rows.at(count)
    parts = rows.at(2 * count)
    offer[_TAKEN] = _split(s, offer, takers, count, capacities, parts)
    discount = offer[_DISCOUNT]
    if not _keeps_health(s, offer, discount):
        offer[_DISCOUNT] = largest_passing(_keeps_health, s, offer, discount)
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
    s: Store, offer: Memory, takers: Memory, count: int, capacities: Memory, parts: Memory
) -> int:
    """Write each taker's capacity and his part of an offer; return the sum of the parts."""
    for place in range(count):
        capacities[place] = capacity(s, offer, takers[place])
    apportion(s, offer[_QUANTITY], capacities, capacities, count, parts)
    taken = 0
    for place in range(count):
        taken += parts[place]
    return taken


@kernel
def _keeps_health(s: Store, offer: Memory, discount: int) -> bool:
    """Whether, after handing what is taken over at `discount`, the account is at least as healthy.

    Or owes nothing any more.
    """
    portfolio_of(s, offer[_ACCOUNT], _before(s, offer))
    after = _after(s, offer)
    after[s.globals[ASSETS] + offer[_DEBT]] -= offer[_TAKEN]
    value = _value(s, offer, offer[_TAKEN], discount)
    draw_down(s, after, value, offer.at(_ORDER), offer[_COUNT], _draws(s, offer))
    new = health(s, after, Doubt.NONE, wide(0))
    if new.debts_value <= 0:
        return True
    return surplus(new) >= surplus(health(s, _before(s, offer), Doubt.NONE, wide(0)))


@kernel
def _record_offer(
    s: Store, offer: Memory, takers: Memory, count: int, capacities: Memory, parts: Memory
) -> None:
    """Write down an offer and what each provider committed, can bear, and takes."""
    values = report(health_of(s, offer[_ACCOUNT], Doubt.NONE))
    fill = s.globals[NEXT_FILL]
    emit(
        s,
        BACKSTOP_OFFERED,
        fill,
        offer[_ACCOUNT],
        offer[_DEBT],
        offer[_QUANTITY],
        offer[_TAKEN],
        offer[_DISCOUNT],
        values.total_value,
        values.net_equity,
        values.maintenance,
    )
    for place in range(count):
        provider = takers[place]
        committed = position(s, provider, offer[_DEBT])[COMMITTED]
        emit(s, BACKSTOP_CANDIDATE, fill, provider, committed, capacities[place], parts[place])


@kernel
def _carry_out(s: Store, offer: Memory, provider: int, quantity: int) -> None:
    """Move one provider's part: collateral to him and the fund, then the debt."""
    top = s.globals[SCRATCH_TOP]
    fill = s.globals[NEXT_FILL]
    s.globals[NEXT_FILL] = fill + 1
    record = Record(Stage.BACKSTOP, fill, 0)
    parties = take(s, PARTIES_WIDTH)
    count = put_parties(parties, offer[_ACCOUNT], provider, FUND)
    touched(s, parties, count)
    record_pools(s, record)
    record_parties(s, record, parties, count, 0)
    _hand_collateral(s, offer, provider, quantity, fill)
    source = Source.LIQUIDATION_BACKSTOP
    pools.transfer_debt(s, offer[_DEBT], quantity, offer[_ACCOUNT], provider, source)
    touched(s, parties, count)
    record_parties(s, record, parties, count, 1)
    s.globals[SCRATCH_TOP] = top


@kernel
def _hand_collateral(s: Store, offer: Memory, provider: int, quantity: int, fill: int) -> None:
    """Hand the collateral that goes with one part to the provider, and the fund's share to it."""
    debt = offer[_DEBT]
    _put_deliverable(s, offer)
    provider_value = _value(s, offer, quantity, provider_premium(s, offer))
    fund_value = _value(s, offer, quantity, offer[_DISCOUNT]) - provider_value
    held = position(s, provider, debt)
    held[COMMITTED] -= quantity
    emit(
        s,
        BACKSTOP_FILLED,
        fill,
        offer[_ACCOUNT],
        provider,
        debt,
        quantity,
        value_up(quantity, mark_of(s, debt), asset_row(s, debt)),
        offer[_DISCOUNT],
        fund_value,
    )
    _hand_legs(s, offer, provider, provider_value, fill)
    _hand_legs(s, offer, FUND, fund_value, fill)


@kernel
def _hand_legs(s: Store, offer: Memory, receiver: int, value: int, fill: int) -> None:
    """Take collateral worth `value` out of what an offer still has and hand it over."""
    draws = _draws(s, offer)
    count = draw_down(s, _quantities(s, offer), value, offer.at(_ORDER), offer[_COUNT], draws)
    for place in range(count):
        leg = draws.at(place * DRAW_WIDTH)
        _hand_leg(s, offer[_ACCOUNT], receiver, leg[DRAW_ASSET], leg[DRAW_QUANTITY], fill)


@kernel
def _hand_leg(s: Store, giver: int, receiver: int, asset: int, quantity: int, fill: int) -> None:
    """Hand one asset over: free tokens first, then the claim itself."""
    parameters = asset_row(s, asset)
    mark = mark_of(s, asset)
    free = min(quantity, position(s, giver, asset)[AVAILABLE])
    claim = quantity - free
    if free:
        move(s, asset, free, available(giver), available(receiver))
        _repay_at_once(s, receiver, asset, free)
        value = value_down(free, mark, parameters)
        emit(s, BACKSTOP_LEG, fill, receiver, asset, LegForm.AVAILABLE, free, value)
    if claim:
        shares = pools.claim_shares_down(s, giver, asset, claim)
        pools.transfer_claim(s, asset, shares, giver, receiver, Source.BACKSTOP_PROVIDER)
        value = value_down(claim, mark, parameters)
        emit(s, BACKSTOP_LEG, fill, receiver, asset, LegForm.CLAIM, claim, value)


@kernel
def _repay_at_once(s: Store, receiver: int, asset: int, quantity: int) -> None:
    owed = debt_of(s, receiver, asset)
    if owed:
        pools.repay(s, receiver, asset, min(owed, quantity), Source.BACKSTOP_PROVIDER)
