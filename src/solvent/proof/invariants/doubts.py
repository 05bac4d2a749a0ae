"""Doubt checks: what may be lost of claims once stale prices are back, and what stays behind (I38).

The fraction of claims that is doubtful is reckoned here again, from views and the formulas of the
specification alone. Whoever takes a part of a doubtful claim out leaves that fraction behind of all
that the claim was, however often it asks.

Specification: sections 8.7, 9.
"""

from collections import Counter
from collections.abc import Iterator

from solvent.domain.events import Event, Lent, Redeemed
from solvent.domain.labels import Source
from solvent.domain.settlement_properties import up
from solvent.domain.units import INT64_MAX, RATIO
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.solvency import Worth, open_debt, worth_of
from solvent.proof.invariants.state_view import FINE, StateView

THOUSAND = 1000
LEAST = RATIO // 100
SPARE = 2
"""Atoms an account by which two ways of dividing a loss among its debts differ."""


def check_doubts(view: StateView) -> Iterator[Breach]:
    """I38: after a time step each pool's doubtful fraction is that of its uncertain losses."""
    lost, accounts = uncertain_losses(view)
    for asset, pool in enumerate(view.pools):
        whole = pool.lent + sum(holding.taken[asset] for holding in view.holdings)
        spare = SPARE * accounts
        low, high = (_fraction(max(0, lost[asset] + each), whole) for each in (-spare, spare))
        if not low <= view.doubtful[asset] <= high:
            yield breach(
                "I38", "another part of claims is doubtful", asset, view.doubtful[asset], low, high
            )


def _fraction(lost: int, whole: int) -> int:
    fraction = min(RATIO, up(lost * THOUSAND, max(1, whole)) * (RATIO // THOUSAND))
    return fraction if fraction > LEAST else 0


def uncertain_losses(view: StateView) -> tuple[list[int], int]:
    """What of each pool's debts may be lost beyond what is certain, in atoms; by how many."""
    lost = [0] * len(view.pools)
    accounts = 0
    if not any(price.stale and price.mark for price in view.prices):
        return lost, accounts
    for account, holding in enumerate(view.holdings):
        if not any(holding.debt_shares):
            continue
        against = _worth_against(view, account)
        lacks = against.lacks - max(0, worth_of(view, account, [0] * len(lost)).lacks)
        accounts += 1
        for asset in range(len(lost)):
            if lacks > 0:
                lost[asset] += up(open_debt(view, account, asset) * lacks, against.debts)
    return lost, accounts


def _worth_against(view: StateView, account: int) -> Worth:
    """What an account is worth with stale prices read against it."""
    factor = RATIO + view.parameters.waterfall.stale_doubt
    assets = debts = 0
    for asset, parameters in enumerate(view.parameters.assets):
        price, unit = view.prices[asset], 10**parameters.decimals
        quantity, debt = view.quantity(account, asset), view.health[account].debts[asset]
        if not price.stale:
            assets += quantity * price.mark * FINE // unit
            debts += up(debt * price.mark * FINE, unit)
            continue
        netted = min(quantity, debt)
        assets += (quantity - netted) * price.mark * FINE // unit * RATIO // factor
        higher = min(INT64_MAX, up(price.mark * factor, RATIO))
        debts += up((debt - netted) * higher * FINE, unit)
    return Worth(assets, debts)


def check_left_behind(
    before: StateView, after: StateView, events: tuple[Event, ...]
) -> Iterator[Breach]:
    """I38, I44: a redemption leaves the doubtful part of all that the claim was, and is noted."""
    if not any(before.doubtful):
        return
    moved: Counter[tuple[int, int]] = Counter()
    redeemed = set()
    for event in events:
        if isinstance(event, Redeemed):
            moved[event.account, event.asset] += event.quantity
            redeemed.add((event.account, event.asset))
        elif isinstance(event, Lent) and event.source is not Source.RECONCILIATION:
            taken = before.holdings[event.account].taken[event.asset]
            brought = min(event.quantity, taken + moved[event.account, event.asset])
            moved[event.account, event.asset] -= brought
    for (account, asset), quantity in moved.items():
        if not before.doubtful[asset]:
            continue
        taken = before.holdings[account].taken[asset]
        if after.doubtful[asset] and after.holdings[account].taken[asset] != taken + quantity:
            yield breach("I44", "what was taken out is not noted", account, asset, quantity)
        whole = before.health[account].claims[asset] + taken
        # An atom more of the claim may go with the last share.
        least = up(whole * before.doubtful[asset], RATIO) - 1
        if (account, asset) in redeemed and after.health[account].claims[asset] < least:
            yield breach("I38", "a redemption left too little behind", account, asset, least)
