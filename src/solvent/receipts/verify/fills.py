"""A backstop fill, recomputed from its receipt alone.

The specification's own functions make the plan of the offer again, on the account as the offer
found it: its size, its discount, the provider's capacity, and the split among providers from all
capacities. Then the part is planned and carried out again on the state that the receipt describes.
Whatever comes out otherwise is named.
"""

from collections.abc import Iterator
from dataclasses import replace

from solvent.domain.commands import Role
from solvent.domain.labels import Stage
from solvent.receipts.form import BackstopReceipt, ProviderLine
from solvent.receipts.lines import AFTER, BEFORE, leg_lines, parties, rounding
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import ReconstructedState
from solvent.receipts.verify.stages import book_reason_given, no_orders, trigger_fits
from solvent.reference.margin import Doubt, health_of
from solvent.reference.state import FUND
from solvent.reference.waterfall.backstop import (
    Fill,
    Offer,
    Taker,
    apply_fill,
    capacity,
    full_discount,
    gentle_offer,
    plan_fill,
    plan_offer,
    split,
)
from solvent.reference.waterfall.record import Record, record_parties, touched


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
    opening = ReconstructedState(receipt, None, [*receipt.before, receipt.offer.opening])
    rebuilt = ReconstructedState(receipt, None, receipt.before)
    terms = receipt.assets[rebuilt.asset(receipt.asset)]
    if receipt.mark != terms.mark or terms.stale:
        yield f"mark: must be the usable mark of {receipt.asset}"
    offer = _offer(receipt, opening)
    yield from _offer_fits(receipt, opening, offer)
    yield from _split_fits(receipt, opening, offer)
    yield from _carried_out_again(receipt, rebuilt, offer)


def _offer(receipt: BackstopReceipt, opening: ReconstructedState) -> Offer:
    """The offer as the account's opening balances make it, at the discount it bears."""
    state, account = opening.state, opening.account(receipt.account)
    full = full_discount(state, health_of(state, account))
    offer = plan_offer(state, account, opening.asset(receipt.asset), full)
    return gentle_offer(state, offer, receipt.offer.taken)


def _offer_fits(
    receipt: BackstopReceipt, opening: ReconstructedState, offer: Offer
) -> Iterator[str]:
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


def _split_fits(
    receipt: BackstopReceipt, opening: ReconstructedState, offer: Offer
) -> Iterator[str]:
    """The provider's own capacity, and everybody's part of the offer."""
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
    parts = split(offer, capacities)
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
    receipt: BackstopReceipt, opening: ReconstructedState, offer: Offer, place: int
) -> Iterator[str]:
    """What the provider could bear when the offer was split."""
    line = receipt.offer.providers[place]
    _commit(receipt, opening, offer, line)
    found = capacity(opening.state, offer, opening.account(receipt.provider))
    if found != line.capacity:
        yield f"offer.providers[{place}].capacity: is {line.capacity}, recomputed {found}"


def _commit(
    receipt: BackstopReceipt, rebuilt: ReconstructedState, offer: Offer, line: ProviderLine
) -> None:
    """Make the account a provider, with the commitment and limit that the receipt tells."""
    holder = rebuilt.state.accounts[rebuilt.account(receipt.provider)]
    holder.role = Role.BACKSTOP_PROVIDER
    holder.committed[offer.debt] = line.committed
    holder.leverage_limit = line.leverage_limit


def _carried_out_again(
    receipt: BackstopReceipt, rebuilt: ReconstructedState, offer: Offer
) -> Iterator[str]:
    """Plan the part at its turn, move it again, and compare everything with the receipt."""
    state, words = rebuilt.state, rebuilt.words
    plan = _fill(receipt, rebuilt, offer)
    if plan is None:
        yield f"quantity: is {receipt.quantity}, recomputed 0"
        return
    state.next_fill = receipt.fill
    apply_fill(state, plan)
    transfer = rebuilt.take_transfer()
    found = replace(
        receipt,
        quantity=plan.quantity,
        value=plan.value,
        fund_value=plan.fund_value,
        legs=leg_lines(transfer, words),
        rounding=rounding(transfer, words, offer.debt, plan.quantity, plan.value),
        before=parties(transfer, words, BEFORE),
        after=parties(transfer, words, AFTER),
    )
    yield from differences(receipt, found, "receipt")


def _fill(receipt: BackstopReceipt, rebuilt: ReconstructedState, offer: Offer) -> Fill | None:
    """The plan of the provider's part, as its line of the offer leads to it."""
    for line in receipt.offer.providers:
        if line.account == receipt.provider:
            _commit(receipt, rebuilt, offer, line)
            provider = rebuilt.account(line.account)
            taker = Taker(provider, line.committed, line.capacity, line.allotted)
            return plan_fill(rebuilt.state, offer, taker)
    return None
