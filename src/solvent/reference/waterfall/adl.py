"""ADL case L: a stuck lender is paired with borrowers of his asset and settled at the mark.

A lender is liquidatable, his pool has no cash, the engine's redemption failed and no provider took
the claim (A7). No more of it is turned into value than restores his target health. The policy picks
among borrowers of the asset who are worth something and can pay; each pays at most what he owes and
at most what he has (A11), and may be liquidating himself, for his risk falls.

Who pays is decided in tiers (`rounds.tiers`): first what the lender owes, then USDC, then tokens by
which his health does not fall, and only then, flagged, the rest. Each tier is sized anew after the
one before.

Specification: section 8.2.
"""

from typing import NamedTuple

from solvent.domain.labels import AdlCase, Reason, Stage, Tier
from solvent.domain.parameters import USDC
from solvent.domain.units import payable, quantity_up, value_down
from solvent.domain.waterfall_events import HandedOver
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.lending.pool import redeemable
from solvent.reference.margin import (
    Doubt,
    Portfolio,
    health_of,
    liquidatable,
    portfolio_of,
    target_restored,
)
from solvent.reference.standby.relief import held_before, relieve
from solvent.reference.state import State
from solvent.reference.waterfall.policies import Candidate
from solvent.reference.waterfall.rounds import (
    ATTEMPTS,
    Kind,
    Reasons,
    Side,
    allot_round,
    candidate_of,
    matches_of,
    open_round,
    supply_worth,
    tiers,
    value_of,
)
from solvent.reference.waterfall.settlement import (
    Means,
    borrowable,
    means_worth,
    settle,
    unhurt,
)
from solvent.reference.waterfall.sizing import debts_largest_first, deliverable_value, needed_swap

Received = dict[int, int]
"""Per stuck lender: value (10^-6 USDC) that this step's rounds brought and that repaid nothing."""


class Stuck(NamedTuple):
    """The lenders that are stuck in a step, by account, why, and what they were given so far."""

    reasons: Reasons
    received: Received


def settle_stuck_lenders(state: State, reasons: Reasons) -> Received:
    """Case L: rounds for each asset in which a liquidatable lender's claim cannot be redeemed.

    Returns what lenders were given that repaid nothing yet: the book has not tried to sell it.
    """
    stuck = Stuck(reasons, {})
    for asset in range(len(state.pools)):
        if state.prices[asset].stale:
            continue
        for means in tiers(state, owed=range(len(state.pools))):
            if means.tier is Tier.LAST:
                break
            for _ in range(ATTEMPTS):
                if not settle_tier(state, asset, means, stuck):
                    break
        for account in sorted(reasons):
            if stuck_claim(state, account, asset):
                _hand_over(state, account, asset)
    return stuck.received


def settle_tier(state: State, asset: int, means: Means, stuck: Stuck) -> bool:
    """One round of a tier, if anybody needs it and anybody can pay; whether there was one."""
    sides = plan_stuck_sides(state, asset, means, stuck)
    if not sides:
        return False
    lenders = {side.account for side in sides}
    candidates = [
        candidate
        for account in range(len(state.accounts))
        if account not in lenders and (candidate := payer_of(state, account, asset, means))
    ]
    if not candidates:
        return False
    kind = Kind(asset, AdlCase.STUCK_LENDER, means)
    plan = allot_round(state, kind, state.parameters.waterfall.lender_policy, sides, candidates)
    number = open_round(state, plan, stuck.reasons)
    before = held_before(state, kind, sorted(lenders))
    for match in matches_of(state, plan, number):
        owes = debt_of(state, match.lender, means.asset) > 0
        settled = settle(state, match)
        if not owes:
            value = value_down(settled, state.mark(asset), state.asset(asset).decimals)
            stuck.received[match.lender] = stuck.received.get(match.lender, 0) + value
    for lender, repaid in relieve(state, kind, number, before).items():
        # What repaid a debt at once is no more to be counted as if it had.
        stuck.received[lender] = max(0, stuck.received.get(lender, 0) - repaid)
    return True


def plan_stuck_sides(state: State, asset: int, means: Means, stuck: Stuck) -> list[Side]:
    """Whose claims of one asset can be paid so, and how much of them: by account id."""
    sides = []
    for account in sorted(stuck.reasons):
        received = stuck.received.get(account, 0)
        needed = needed_of(state, account, asset, means, received)
        if needed:
            sides.append(Side(account, needed, received=received))
    return sides


def needed_of(state: State, account: int, asset: int, means: Means, received: int) -> int:
    """Atoms of a stuck claim that are to be paid in these means.

    What he was given already in this step, and has not repaid with, counts as if it had been.
    """
    stuck = stuck_claim(state, account, asset)
    if not stuck:
        return 0
    portfolio = portfolio_of(state, account)
    decimals = state.asset(asset).decimals
    if means.tier is Tier.OWED:
        owed = portfolio.debts[means.asset]
        if not owed or state.prices[means.asset].stale:
            return 0
        worth = value_down(owed, state.mark(means.asset), state.asset(means.asset).decimals)
        most = payable(stuck, worth, state.mark(asset), decimals)
        needed = needed_swap(state, portfolio, asset, [means.asset], most)
    else:
        needed = needed_swap(state, portfolio, asset, _usdc_first(state, portfolio), stuck)
    needed = max(0, needed - payable(needed, received, state.mark(asset), decimals))
    if means.tier is Tier.IN_KIND and needed:
        mark = state.mark(means.asset)
        # No more than there can be of what he is paid in.
        needed = payable(needed, supply_worth(state, means.asset), state.mark(asset), decimals)
        pay = quantity_up(value_of(state, asset, needed), mark, state.asset(means.asset).decimals)
        return needed if unhurt(state, account, asset, needed, means.asset, pay) else 0
    return needed


def _usdc_first(state: State, portfolio: Portfolio) -> list[int]:
    """In which order value retires debts: USDC, then the largest."""
    return sorted(debts_largest_first(state, portfolio), key=lambda debt: debt != USDC)


def stuck_claim(state: State, account: int, asset: int) -> int:
    """Atoms of a liquidatable lender's claim that cash cannot give."""
    claim = claim_of(state, account, asset)
    if not claim or not liquidatable(state, account):
        return 0
    return max(0, claim - redeemable(state.pools[asset]))


def payer_of(state: State, account: int, asset: int, means: Means) -> Candidate | None:
    """A borrower of the asset who is worth something and can pay in these means, or None."""
    debt = debt_of(state, account, asset)
    if not debt or health_of(state, account).total_value <= 0:
        return None
    worth = means_worth(state, account, asset, means)
    if means.borrowed:
        worth = borrowable(state, account, asset, value_of(state, asset, debt))
    cap = payable(debt, worth, state.mark(asset), state.asset(asset).decimals)
    return candidate_of(state, account, debt, cap) if cap else None


def borrowers(state: State, asset: int) -> list[Candidate]:
    """Who could be asked to pay for a stuck claim in any means, by account id."""
    found = []
    for account in range(len(state.accounts)):
        debt = debt_of(state, account, asset)
        if debt and health_of(state, account).total_value > 0:
            worth = deliverable_value(state, account)
            cap = payable(debt, worth, state.mark(asset), state.asset(asset).decimals)
            if cap:
                found.append(candidate_of(state, account, debt, cap))
    return found


def _hand_over(state: State, account: int, asset: int) -> None:
    """Say that ADL found too few counterparties for an account that still needs them."""
    values = health_of(state, account, Doubt.FOR_ACCOUNT)
    if not target_restored(state, values):
        value = values.report().debts_value
        state.emit(HandedOver(account, Stage.ADL, Reason.NO_COUNTERPARTY, asset, value))
