"""Governance in kernels: what follows when a parameter is in force, and a pool's fees collected.

As in `reference.governance`. Parameters are validated outside of kernels; `parameters_changed` is
what follows once the new ones are in force.
"""

from solvent.domain import commands as c
from solvent.domain.rejections import Limit, RejectionCode
from solvent.engine.ledger import POOL_PLACE, available, move, pool_row
from solvent.engine.memory.layout import (
    ASSETS,
    CASH,
    FEES,
    FEES_COLLECTED,
    NONE,
    PARAMETER_CHANGED,
    REFUSED,
    TREASURY,
    field_of,
    kind_of,
)
from solvent.engine.prices import refresh_staleness
from solvent.engine.refusals import refuse
from solvent.engine.waterfall.liquidation import watch
from solvent.kernels.language import Memory, Store, emit, kernel

_CHANGED_ASSET = field_of(c.ChangeParameter, "asset")
_CHANGED_FIELD = field_of(c.ChangeParameter, "field")
_CHANGED_VALUE = field_of(c.ChangeParameter, "value")
_CHANGED_INDEX = field_of(c.ChangeParameter, "index")
_FEE_ASSET = field_of(c.CollectFees, "asset")
_CHANGE_PARAMETER = kind_of(c.ChangeParameter)


@kernel
def parameters_changed(s: Store, command: Memory) -> None:
    """Say that a parameter was put in force, and find what that made stale or liquidatable."""
    emit(
        s,
        PARAMETER_CHANGED,
        command[_CHANGED_ASSET],
        command[_CHANGED_FIELD],
        command[_CHANGED_INDEX],
        command[_CHANGED_VALUE],
    )
    for asset in range(1, s.globals[ASSETS]):
        refresh_staleness(s, asset)
    watch(s)


@kernel
def parameters_refused(s: Store, command: Memory) -> None:
    """Say that a parameter was found not to be valid."""
    code = RejectionCode.INVALID_CLIENT_REQUEST
    emit(s, REFUSED, _CHANGE_PARAMETER, NONE, command[_CHANGED_ASSET], code, Limit.NONE, 0)


@kernel
def collect_fees(s: Store, command: Memory) -> int:
    """Move a pool's fees to the treasury, as far as there is cash."""
    asset = command[_FEE_ASSET]
    if not 0 <= asset < s.globals[ASSETS]:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    pool = pool_row(s, asset)
    quantity = min(pool[FEES], pool[CASH])
    if quantity == 0:
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.POOL_CASH)
    pool[FEES] -= quantity
    move(s, asset, quantity, POOL_PLACE, available(TREASURY))
    emit(s, FEES_COLLECTED, asset, quantity)
    return 0
