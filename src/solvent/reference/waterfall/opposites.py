"""Opposites: who holds what another owes and owes what that one has is closed against him.

An account i in liquidation holds tokens c that nobody buys, or USDC for which nobody sells him what
he owes. Closers j owe c, are worth something and have d, which i owes. i's c repays j's debt and
j's d repays i's: cash comes into both pools, both lenders keep their claims, both total values stay
but for the fee that i pays, and NE - M of both rises (I40). It is what auto-deleveraging is on a
futures exchange: the opposite side closed at the mark.

i closes no more than his target needs; a worthless account all it can. The policy picks among the
closers by what they owe and have.

Specification: section 8.3.
"""

from collections.abc import Iterator

from solvent.domain.labels import AdlCase, Tier
from solvent.domain.parameters import USDC
from solvent.domain.units import payable, value_down
from solvent.reference.ledger import debt_of
from solvent.reference.margin import health_of, liquidatable, portfolio_of
from solvent.reference.state import State
from solvent.reference.waterfall.adl import payer_of
from solvent.reference.waterfall.rounds import (
    Kind,
    Reasons,
    Side,
    allot_round,
    matches_of,
    open_round,
)
from solvent.reference.waterfall.settlement import Means, settle
from solvent.reference.waterfall.sizing import debts_largest_first, fee_rate, needed_swap


def settle_opposites(state: State, residual: Reasons) -> None:
    """One round for each asset held and each asset owed: largest debts first, lightest assets."""
    if not state.parameters.waterfall.opposites:
        return
    owed = {
        account: debts_largest_first(state, portfolio_of(state, account)) for account in residual
    }
    for rank in range(len(state.pools)):
        for debt in range(len(state.pools)):
            group = [
                account
                for account in sorted(owed)
                if rank < len(owed[account]) and owed[account][rank] == debt
            ]
            if group:
                for asset in lightest_first(state):
                    _settle_round(state, asset, debt, group, residual)


def lightest_first(state: State) -> Iterator[int]:
    """Assets at fresh prices, the one of least weight first, USDC last, ties by number."""
    order = sorted(
        range(1, len(state.pools)), key=lambda asset: (state.asset(asset).haircut.weight, asset)
    )
    return (asset for asset in (*order, USDC) if not state.prices[asset].stale)


def _settle_round(state: State, asset: int, debt: int, group: list[int], reasons: Reasons) -> None:
    """The round in which these accounts give up `asset` for what they owe of `debt`."""
    sides = [side for account in group if (side := opposite_of(state, account, asset, debt))]
    if not sides:
        return
    means = Means(Tier.OWED, debt)
    closed = {side.account for side in sides}
    candidates = [
        candidate
        for account in range(len(state.accounts))
        if account not in closed and (candidate := payer_of(state, account, asset, means))
    ]
    if not candidates:
        return
    kind = Kind(asset, AdlCase.OPPOSITES, means)
    plan = allot_round(state, kind, state.parameters.waterfall.lender_policy, sides, candidates)
    number = open_round(state, plan, reasons)
    for match in matches_of(state, plan, number):
        settle(state, match)


def opposite_of(state: State, account: int, asset: int, debt: int) -> Side | None:
    """How much of `asset` an account gives up for its debt in `debt`, and for which fee; or None.

    The least that restores target health; for a worthless account all that it has.
    """
    free, owed = state.accounts[account].available[asset], debt_of(state, account, debt)
    if asset == debt or not (free and owed and liquidatable(state, account)):
        return None
    mark, decimals = state.mark(asset), state.asset(asset).decimals
    worth = value_down(owed, state.mark(debt), state.asset(debt).decimals)
    most = payable(free, worth, mark, decimals)
    fee = fee_rate(state, account, asset, debt, state.parameters.waterfall.opposites_fee)
    if health_of(state, account).total_value > 0:
        most = needed_swap(state, portfolio_of(state, account), asset, [debt], most, fee)
    return Side(account, most, fee) if most else None
