"""Governance commands: a parameter changed, a pool's fees collected. They belong to no account.

Specification: section 6.1.
"""

from solvent.domain import commands as c
from solvent.domain.events import FeesCollected, ParameterChanged
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import ParameterError
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.reference import prices
from solvent.reference.ledger import POOL, available, move, note_indices
from solvent.reference.state import TREASURY, State
from solvent.reference.waterfall.gate import reckon_doubts, reckon_gate
from solvent.reference.waterfall.liquidation import watch


def change_parameter(state: State, command: c.ChangeParameter) -> Refusal | None:
    """Put one parameter in force, validated with all the others."""
    try:
        state.parameters = changed_parameters(state.parameters, command)
    except ParameterError:
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    state.emit(ParameterChanged(command.asset, command.field, command.index, command.value))
    if 0 <= command.asset < len(state.pools):
        note_indices(state, command.asset)
    # A shorter `max_age` makes a price stale at once, without a quote or a step; but what waits for
    # the end of its moment goes on waiting.
    for asset in range(1, len(state.pools)):
        if not state.prices[asset].given:
            prices.refresh_staleness(state, asset)
    watch(state)
    reckon_gate(state)
    reckon_doubts(state)
    return None


def collect_fees(state: State, command: c.CollectFees) -> Refusal | None:
    """Move a pool's fees to the treasury, as far as there is cash."""
    if not 0 <= command.asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    source = state.pools[command.asset]
    quantity = min(source.fees, source.cash)
    if quantity == 0:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.POOL_CASH)
    source.fees -= quantity
    move(state, command.asset, quantity, POOL, available(TREASURY))
    state.emit(FeesCollected(command.asset, quantity))
    return None
