"""A backstop fill, recomputed from its receipt alone.

The offer is sized again on the account as the offer found it, the provider's capacity from its own
balances, the split among providers from all capacities, and the fill is carried out again on the
state the receipt describes. Every difference is named.
"""

from collections.abc import Iterator
from dataclasses import replace

from solvent.domain.commands import Role
from solvent.domain.labels import Source, Stage
from solvent.domain.units import RATIO, mul_div_down, value_down, value_up
from solvent.receipts.form import BackstopReceipt, ProviderLine
from solvent.receipts.lines import AFTER, BEFORE, leg_lines, parties, rounding
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import Scene
from solvent.receipts.verify.stages import book_reason_given, no_orders, trigger_fits
from solvent.reference.lending import pool as pools
from solvent.reference.limits import largest_passing
from solvent.reference.margin import Doubt, health, health_of, portfolio_of
from solvent.reference.state import FUND, State
from solvent.reference.waterfall.backstop import Offer as Terms
from solvent.reference.waterfall.backstop import capacity, hand_leg, provider_premium
from solvent.reference.waterfall.policies import apportion
from solvent.reference.waterfall.record import Record, record_parties, touched
from solvent.reference.waterfall.sizing import (
    deliverable,
    draw_down,
    largest_first,
    needed_debt,
)


def fill_problems(receipt: BackstopReceipt) -> Iterator[str]:
    """Everything in a backstop receipt that recomputing does not confirm."""
    before = {party.account: party for party in receipt.before}
    if list(before) != sorted({receipt.account, receipt.provider, FUND}):
        yield "before: must be the account, the provider and the fund, in order of account"
        return
    if receipt.offer.opening.account != receipt.account:
        yield "offer.opening.account: must be the account"
        return
    yield from trigger_fits(receipt, receipt.started, "receipt")
    yield from book_reason_given(receipt, receipt.handed_over, "receipt")
    yield from no_orders(receipt.offer.opening, "offer.opening")
    opening = Scene(receipt, None, [*receipt.before, receipt.offer.opening])
    scene = Scene(receipt, None, receipt.before)
    terms = receipt.assets[scene.asset(receipt.asset)]
    if receipt.mark != terms.mark or terms.stale:
        yield f"mark: must be the usable mark of {receipt.asset}"
    offer = _offer(receipt, opening)
    yield from _offer_fits(receipt, opening, offer)
    yield from _split_fits(receipt, opening, offer)
    yield from _turn_fits(receipt, scene, offer)
    yield from _carried_out_again(receipt, scene, offer)


def _offer(receipt: BackstopReceipt, opening: Scene) -> Terms:
    """The offer as the account's opening balances make it, at the discount it bears."""
    state, account = opening.state, opening.account(receipt.account)
    debt = opening.asset(receipt.asset)
    values = health_of(state, account)
    full = min(receipt.terms.max_discount, values.total_value * RATIO // values.debts_value)
    order = [asset for asset in largest_first(state, account) if asset != debt]
    quantity = needed_debt(state, portfolio_of(state, account), debt, order, full)
    offer = Terms(account, debt, quantity, full, order)
    taken = receipt.offer.taken
    if not _lowers_health(state, offer, taken):
        return offer
    gentle = largest_passing(
        lambda discount: not _lowers_health(state, offer._replace(discount=discount), taken), full
    )
    return offer._replace(discount=gentle)


def _lowers_health(state: State, offer: Terms, quantity: int) -> bool:
    """Whether the account ends with debts and less health when `quantity` of the offer is taken."""
    before = portfolio_of(state, offer.account)
    after = before.copy()
    after.debts[offer.debt] -= quantity
    mark, decimals = state.mark(offer.debt), state.asset(offer.debt).decimals
    due = mul_div_down(value_down(quantity, mark, decimals), RATIO + offer.discount, RATIO)
    draw_down(state, after.quantities, due, offer.order)
    new = health(state, after)
    return new.debts_value > 0 and new.surplus < health(state, before).surplus


def _offer_fits(receipt: BackstopReceipt, opening: Scene, offer: Terms) -> Iterator[str]:
    """Quantity, discount, and the account as the offer found it."""
    given = receipt.offer
    if (given.quantity, given.discount) != (offer.quantity, offer.discount):
        yield f"offer: recomputed {offer.quantity} atoms at a discount of {offer.discount}"
    state, account = opening.state, opening.account(receipt.account)
    record_parties(state, Record(Stage.BACKSTOP, 0), (account,), touched(state, (account,)), BEFORE)
    found = parties(opening.take_transfer(), opening.words, BEFORE)[0]
    yield from differences(given.opening, found, "offer.opening")
    if not health_of(state, account, Doubt.FOR_ACCOUNT).liquidatable:
        yield "offer.opening: is not liquidatable"


def _split_fits(receipt: BackstopReceipt, opening: Scene, offer: Terms) -> Iterator[str]:
    """The provider's own capacity, and each provider's part of the offer."""
    lines = receipt.offer.providers
    accounts = [line.account for line in lines]
    if accounts != sorted(set(accounts)):
        yield "offer.providers: must be in order of account, each once"
    if receipt.account in accounts or receipt.provider not in accounts:
        yield "offer.providers: must hold the provider and not the account"
        return
    capacities = [line.capacity for line in lines]
    if not 0 < receipt.offer.taken <= offer.quantity:
        yield "offer.taken: must lie between 1 and the quantity offered"
    if receipt.offer.first_fill < 1:
        yield "offer.first_fill: must be at least 1"
    parts = apportion(offer.quantity, capacities, capacities)
    before = 0
    for place, (line, part) in enumerate(zip(lines, parts, strict=True)):
        name = f"offer.providers[{place}]"
        if not 0 <= line.capacity <= min(line.committed, offer.quantity):
            yield f"{name}.capacity: must lie between 0 and what was committed and offered"
        if line.allotted != part:
            yield f"{name}.allotted: is {line.allotted}, recomputed {part}"
        if line.account == receipt.provider:
            yield from _own_line_fits(receipt, opening, offer, place)
            if not 0 <= receipt.fill - receipt.offer.first_fill <= before:
                yield "fill: must count up from the offer's first, by provider"
        before += part > 0


def _own_line_fits(
    receipt: BackstopReceipt, opening: Scene, offer: Terms, place: int
) -> Iterator[str]:
    """What the provider could bear when the offer was split."""
    line = receipt.offer.providers[place]
    found = _capacity(receipt, opening, offer, line)
    if found != line.capacity:
        yield f"offer.providers[{place}].capacity: is {line.capacity}, recomputed {found}"


def _capacity(receipt: BackstopReceipt, scene: Scene, offer: Terms, line: ProviderLine) -> int:
    """Atoms that the provider can take in `scene`: committed, and borne by its margin."""
    provider = scene.account(receipt.provider)
    holder = scene.state.accounts[provider]
    holder.role = Role.BACKSTOP_PROVIDER
    holder.committed[offer.debt] = line.committed
    return capacity(scene.state, offer, provider)


def _turn_fits(receipt: BackstopReceipt, scene: Scene, offer: Terms) -> Iterator[str]:
    """At its turn a provider takes its part, or what the collateral then left bears of it."""
    for line in receipt.offer.providers:
        if line.account == receipt.provider:
            quantity = min(line.allotted, _capacity(receipt, scene, offer, line))
            if receipt.quantity != quantity:
                yield f"quantity: is {receipt.quantity}, recomputed {quantity}"


def _carried_out_again(receipt: BackstopReceipt, scene: Scene, offer: Terms) -> Iterator[str]:
    """Hand the collateral and the debt over again, and compare everything with the receipt."""
    state, words = scene.state, scene.words
    account, provider = scene.account(receipt.account), scene.account(receipt.provider)
    accounts = tuple(sorted((account, provider, FUND)))
    record, pairs = Record(Stage.BACKSTOP, receipt.fill), touched(state, accounts)
    record_parties(state, record, accounts, pairs, BEFORE)
    notional = value_down(receipt.quantity, receipt.mark, words.decimals[offer.debt])
    whole = mul_div_down(notional, RATIO + offer.discount, RATIO)
    premium = provider_premium(state, offer)
    to_provider = mul_div_down(notional, RATIO + premium, RATIO)
    value = value_up(receipt.quantity, receipt.mark, words.decimals[offer.debt])
    if (receipt.value, receipt.fund_value) != (value, whole - to_provider):
        yield f"value: recomputed {value}, of the discount {whole - to_provider} to the fund"
    quantities = [deliverable(state, account, asset) for asset in range(len(state.pools))]
    legs = [(provider, leg) for leg in draw_down(state, quantities, to_provider, offer.order)]
    legs += [(FUND, leg) for leg in draw_down(state, quantities, whole - to_provider, offer.order)]
    for receiver, leg in legs:
        hand_leg(state, account, receiver, leg, receipt.fill)
    shares = pools.debt_shares_up(state, account, offer.debt, receipt.quantity)
    source = Source.LIQUIDATION_BACKSTOP
    pools.transfer_debt(state, offer.debt, shares, account, provider, source)
    record_parties(state, record, accounts, pairs | touched(state, accounts), AFTER)
    transfer = scene.take_transfer()
    found = replace(
        receipt,
        legs=leg_lines(transfer, words),
        rounding=rounding(transfer, words, offer.debt, receipt.quantity, value),
        before=parties(transfer, words, BEFORE),
        after=parties(transfer, words, AFTER),
    )
    yield from differences(receipt, found, "receipt")
