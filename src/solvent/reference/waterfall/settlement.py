"""Settlement: one match of an ADL round, carried out.

A lender gives up x atoms of his claim; a payer is rid of x atoms of debt in the same asset; the
value x * mark goes from the payer's assets to the lender, and nobody's total value changes (A8 to
A11). The payer is the matched borrower in case L, the defaulted borrower or the backstop fund in
case B. Value goes in the settlement order:

1. USDC that is free,
2. USDC that is lent: redeemed while the pool has cash, else the claim itself (always the claim in
   the asset that is settled, whose cash does not move, I25),
3. USDC borrowed, for a healthy payer whose settings allow it, within the pool's limits and his
   health, without an entry fee,
4. other assets in kind at the mark, highest weight first: those that weigh for the lender at least
   as much as the claim he gives up, then, flagged, the lighter ones.

What reaches someone who owes that asset repays his debt at once. Values round up for the lender;
the difference is less than one atom of the last asset handed over.

Specification: section 8.5.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from solvent.domain.labels import ExpiryReason, LegForm, Source, Stage
from solvent.domain.parameters import USDC
from solvent.domain.units import cover, fine_down, payable, value_down, value_up
from solvent.domain.waterfall_events import AdlLeg, AdlMatched
from solvent.reference.ledger import available, claim_of, debt_of, move
from solvent.reference.lending import pool as pools
from solvent.reference.limits import borrow_refusal, largest_passing
from solvent.reference.margin import Portfolio, health, portfolio_of, weighted_down
from solvent.reference.orderbook.book import expire_all
from solvent.reference.state import State
from solvent.reference.waterfall.record import Record, record_parties, touched
from solvent.reference.waterfall.sizing import deliverable_value


@dataclass(slots=True)
class Match:
    """One lender and one debtor of a round; `giver` pays for the debt (the debtor, or the fund)."""

    round: int
    number: int
    asset: int
    lender: int
    debtor: int
    giver: int
    quantity: int
    value: int = 0
    borrow_allowed: bool = False


@dataclass(slots=True)
class Remaining:
    """What is still to be paid of a match, and what the lender gave for all of it."""

    value: int
    claim_weight: int
    full_value: int


def settle(state: State, match: Match) -> int:
    """Carry out `match`, shrunk to what the giver can pay; return the atoms settled.

    A giver's holdings can fall short of his cap by the rounding of earlier matches only.
    """
    mark, decimals = state.mark(match.asset), state.asset(match.asset).decimals
    owed = min(match.quantity, debt_of(state, match.debtor, match.asset))
    owed = min(owed, claim_of(state, match.lender, match.asset))
    match.quantity = payable(owed, deliverable_value(state, match.giver), mark, decimals)
    if match.quantity == 0:
        return 0
    match.value = value_up(match.quantity, mark, decimals)
    parties = tuple(sorted({match.lender, match.debtor, match.giver}))
    record = Record(Stage.ADL, match.round, match.number)
    pairs = touched(state, parties)
    record_parties(state, record, parties, pairs, after=0)
    unpaid = _pay(state, match)
    if unpaid:
        match.value -= unpaid
        match.quantity = payable(match.quantity, match.value, mark, decimals)
    claim_shares, debt_shares = pools.cancel(
        state, match.asset, match.quantity, lender=match.lender, borrower=match.debtor
    )
    state.emit(
        AdlMatched(
            round=match.round,
            match=match.number,
            lender=match.lender,
            payer=match.debtor,
            giver=match.giver,
            asset=match.asset,
            mark=mark,
            quantity=match.quantity,
            value=match.value,
            claim_shares=claim_shares,
            debt_shares=debt_shares,
            borrow_allowed=int(_may_borrow(state, match)),
        )
    )
    record_parties(state, record, parties, pairs | touched(state, parties), after=1)
    return match.quantity


def _pay(state: State, match: Match) -> int:
    """Hand over value in the settlement order until the match is paid; return what is not.

    Share rounding of a partly redeemed claim can leave a giver who hands over all he has short.
    """
    _free_locked(state, match)
    remaining = Remaining(match.value, _claim_weight(state, match), match.value)
    _hand_over(state, match, remaining, USDC, lighter=0)
    if remaining.value and _may_borrow(state, match):
        _borrow_and_pay(state, match, remaining)
    lighter = []
    for asset in _in_kind_order(state):
        if remaining.value == 0:
            break
        if _weighs_enough(state, match, remaining, asset):
            _hand_over(state, match, remaining, asset, lighter=0)
        else:
            lighter.append(asset)
    for asset in lighter:
        if remaining.value:
            _hand_over(state, match, remaining, asset, lighter=1)
    return remaining.value


def _free_locked(state: State, match: Match) -> None:
    """End the giver's orders when his free and lent assets cannot pay: locking is no escape."""
    holder = state.accounts[match.giver]
    if not holder.open_orders:
        return
    unlocked = 0
    for asset, parameters in enumerate(state.parameters.assets):
        if not state.prices[asset].stale:
            quantity = holder.available[asset] + claim_of(state, match.giver, asset)
            unlocked += value_down(quantity, state.mark(asset), parameters.decimals)
    if unlocked < match.value:
        expire_all(state, match.giver, ExpiryReason.ADL_SETTLEMENT)


def _in_kind_order(state: State) -> Iterator[int]:
    """Assets but USDC at fresh prices, highest weight first, ties by number."""
    order = sorted(
        range(1, len(state.pools)), key=lambda asset: (-state.asset(asset).haircut.weight, asset)
    )
    return (asset for asset in order if not state.prices[asset].stale)


def _claim_weight(state: State, match: Match) -> int:
    """Collateral value that the lender gives up with the claim of this match."""
    return _collateral_gain(state, portfolio_of(state, match.lender), match.asset, -match.quantity)


def _collateral_gain(state: State, portfolio: Portfolio, asset: int, change: int) -> int:
    """How much collateral value `change` atoms make at the size held: absolute, after haircut."""
    parameters, mark = state.asset(asset), state.mark(asset)
    held = portfolio.quantities[asset]
    before = weighted_down(parameters, held, mark)
    return abs(weighted_down(parameters, held + change, mark) - before)


def _weighs_enough(state: State, match: Match, remaining: Remaining, asset: int) -> bool:
    """Whether this asset, at the size it would be paid in, weighs at least what the claim does.

    What repays a debt of the lender counts in full, the rest as the collateral it becomes.
    """
    parameters = state.asset(asset)
    mark = state.mark(asset)
    holder = state.accounts[match.giver]
    held = holder.available[asset] + claim_of(state, match.giver, asset)
    quantity, value = cover(held, remaining.value, mark, parameters.decimals)
    repaid = min(quantity, debt_of(state, match.lender, asset))
    gain = fine_down(repaid, mark, parameters.decimals)
    portfolio = portfolio_of(state, match.lender)
    gain += _collateral_gain(state, portfolio, asset, quantity - repaid)
    return gain * remaining.full_value >= remaining.claim_weight * value


def _hand_over(
    state: State, match: Match, remaining: Remaining, asset: int, *, lighter: int
) -> None:
    """Pay with one asset: free tokens, then the claim, redeemed where the pool has cash."""
    giver = match.giver
    free = _portion(state, remaining, asset, state.accounts[giver].available[asset])
    if free:
        _give_tokens(state, match, remaining, asset, free, LegForm.AVAILABLE, lighter)
    claim = _portion(state, remaining, asset, claim_of(state, giver, asset))
    if not claim:
        return
    cash = 0
    if asset != match.asset and not debt_of(state, match.lender, asset):
        cash = min(claim, pools.redeemable(state.pools[asset]))
    if cash:
        pools.redeem(state, giver, asset, cash, Source.ADL_PROVIDER)
        _give_tokens(state, match, remaining, asset, cash, LegForm.REDEEMED, lighter)
    claim = _portion(state, remaining, asset, claim_of(state, giver, asset))
    if claim:
        shares = pools.claim_shares_up(state, giver, asset, claim)
        _count(state, match, remaining, asset, claim, LegForm.CLAIM, lighter, shares)
        pools.transfer_claim(state, asset, shares, giver, match.lender, Source.ADL_PROVIDER)


def _portion(state: State, remaining: Remaining, asset: int, held: int) -> int:
    """Atoms of `held` that the rest of the payment needs."""
    decimals = state.asset(asset).decimals
    return cover(held, remaining.value, state.mark(asset), decimals)[0] if remaining.value else 0


def _give_tokens(
    state: State,
    match: Match,
    remaining: Remaining,
    asset: int,
    quantity: int,
    form: LegForm,
    lighter: int,
) -> None:
    """Move tokens to the lender, whose debt in them is repaid at once."""
    _count(state, match, remaining, asset, quantity, form, lighter, shares=0)
    move(state, asset, quantity, available(match.giver), available(match.lender))
    if debt_of(state, match.lender, asset):
        pools.repay(state, match.lender, asset, quantity, Source.LIQUIDATION_ADL)


def _count(
    state: State,
    match: Match,
    remaining: Remaining,
    asset: int,
    quantity: int,
    form: LegForm,
    lighter: int,
    shares: int,
) -> None:
    """Count a leg against what is still to be paid and write it down."""
    mark, decimals = state.mark(asset), state.asset(asset).decimals
    counted = cover(quantity, remaining.value, mark, decimals)[1]
    remaining.value -= counted
    state.emit(
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
        )
    )


def _may_borrow(state: State, match: Match) -> bool:
    """Whether this match and the giver's settings allow a payment in borrowed USDC."""
    return match.borrow_allowed and bool(state.accounts[match.giver].auto_borrow_settlements)


def _borrow_and_pay(state: State, match: Match, remaining: Remaining) -> None:
    """Borrow USDC for the rest, as far as the pool lends and the payer's health does not fall."""
    if claim_of(state, match.giver, USDC):
        return
    if state.prices[USDC].stale or match.asset == USDC:
        return
    quantity = largest_passing(
        lambda amount: borrow_refusal(state, match.giver, USDC, amount) is None, remaining.value
    )
    if quantity == 0 or _borrowing_hurts(state, match, quantity):
        return
    pools.borrow(state, match.giver, USDC, quantity, Source.RECONCILIATION, fee=False)
    _give_tokens(state, match, remaining, USDC, quantity, LegForm.BORROWED, lighter=0)


def _borrowing_hurts(state: State, match: Match, quantity: int) -> bool:
    """Whether swapping this much of the debt for a USDC debt would lower the payer's health."""
    before = portfolio_of(state, match.giver)
    after = before.copy()
    mark, decimals = state.mark(match.asset), state.asset(match.asset).decimals
    after.debts[match.asset] -= payable(after.debts[match.asset], quantity, mark, decimals)
    after.debts[USDC] += quantity + 1
    return health(state, after).surplus < health(state, before).surplus
