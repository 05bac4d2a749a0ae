"""Deficits: what is owed when nothing is left to pay it with.

A deficit arises only when an account still owes and has nothing of value left that can be handed
over, after its own assets and the backstop fund have paid (I29). It is booked in the same step to
the lenders of the asset, pro rata through the lend index, as its own event. Debts are non-recourse:
the account goes on with nothing. Dust worth less than an atom of what is owed never blocks it
(I31); assets whose price is stale do, since nobody knows what they are worth.

Specification: section 8.7.
"""

from typing import NamedTuple

from solvent.domain.labels import Reason, Stage
from solvent.domain.units import INDEX_SCALE, value_down, value_up
from solvent.domain.waterfall_events import DeficitBooked, HandedOver
from solvent.reference.ledger import debt_of, lent_total
from solvent.reference.lending.pool import renew, write_off
from solvent.reference.margin import health_of
from solvent.reference.state import State
from solvent.reference.waterfall.sizing import deliverable, deliverable_value


class Deficit(NamedTuple):
    """A debt that nothing is left to pay with: atoms owed, worth `value` (10^-6 USDC), up."""

    account: int
    asset: int
    quantity: int
    value: int


def book_deficits(state: State, accounts: list[int]) -> None:
    """Book what each of these accounts owes and cannot pay."""
    for account in accounts:
        for deficit in plan_deficits(state, account):
            apply_deficit(state, deficit)


def plan_deficits(state: State, account: int) -> list[Deficit]:
    """What the account owes at fresh prices, by asset, if it has nothing left to pay with."""
    if not _nothing_left(state, account):
        return []
    return [
        Deficit(account, asset, owed, value_up(owed, state.mark(asset), parameters.decimals))
        for asset, parameters in enumerate(state.parameters.assets)
        if (owed := debt_of(state, account, asset)) and not state.prices[asset].stale
    ]


def apply_deficit(state: State, plan: Deficit) -> None:
    """Write the debt off at the expense of the asset's lenders."""
    account, asset = plan.account, plan.asset
    assert debt_of(state, account, asset) == plan.quantity, "what is booked is what is owed (I29)"
    state.emit(HandedOver(account, Stage.ADL, Reason.PRICE_GAP, asset, plan.value))
    shares = state.accounts[account].debt_shares[asset]
    loss, lenders = write_off(state, account, asset)
    worthless = lent_total(state.pools[asset]) == 0
    assert 0 <= lenders <= loss <= plan.quantity, "lenders lose no more than was owed (I29)"
    state.emit(
        DeficitBooked(
            account=account,
            asset=asset,
            quantity=loss,
            lenders=lenders,
            value=plan.value,
            debt_shares=shares,
            lend_index=INDEX_SCALE if worthless else state.pools[asset].lend_index,
            restarted=int(worthless),
        )
    )
    renew(state, asset)


def _nothing_left(state: State, account: int) -> bool:
    """Whether an account owes and holds at most dust: of no asset more than an atom it owes."""
    owed = [asset for asset in range(len(state.pools)) if debt_of(state, account, asset)]
    if not owed:
        return False
    worth = deliverable_value(state, account)
    if health_of(state, account).report().assets_value > worth + len(state.pools):
        return False
    atoms = [value_up(1, state.mark(asset), state.asset(asset).decimals) for asset in owed]
    # A round is paid in one asset, so only what pays for an atom by itself pays at all.
    held = [
        value_down(deliverable(state, account, asset), state.mark(asset), parameters.decimals)
        for asset, parameters in enumerate(state.parameters.assets)
    ]
    return max(held) <= max(atoms)
