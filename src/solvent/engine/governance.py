"""Governance in kernels: what follows when a parameter is in force, and a pool's fees collected.

As in `reference.governance`. Parameters are validated outside of kernels; `parameters_changed` is
what follows once the new ones are in force.
"""

from solvent.domain import commands as c
from solvent.domain.events import FeesCollected, ParameterChanged, Refused
from solvent.domain.rejections import Limit, RejectionCode
from solvent.engine.clock import hear
from solvent.engine.ledger import POOL, available, move, note_indices, pool_row
from solvent.engine.memory.layout import NONE, TREASURY
from solvent.engine.memory.rows import CommandRow
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.triggers import look
from solvent.engine.prices import price_row, refresh_staleness
from solvent.engine.refusals import refuse
from solvent.engine.waterfall.gate import reckon_doubts, reckon_gate
from solvent.engine.waterfall.liquidation import watch
from solvent.kernels.language import emit, kernel, message


@kernel
def parameters_changed(s: Store, row: CommandRow) -> None:
    """Say that a parameter was put in force, and find what that made stale or liquidatable."""
    command = message(c.ChangeParameter, row.fields)
    hear(s)
    emit(
        s,
        ParameterChanged(
            asset=command.asset,
            field=command.field,
            index=command.index,
            value=command.value,
        ),
    )
    if 0 <= command.asset < s.globals.assets:
        note_indices(s, command.asset)
    for asset in range(1, s.globals.assets):
        if not price_row(s, asset).given:
            refresh_staleness(s, asset)
    watch(s)
    reckon_gate(s)
    reckon_doubts(s)
    look(s)


@kernel
def parameters_refused(s: Store, row: CommandRow) -> None:
    """Say that a parameter was found not to be valid."""
    emit(
        s,
        Refused(
            command=row.kind,
            account=NONE,
            asset=message(c.ChangeParameter, row.fields).asset,
            code=RejectionCode.INVALID_CLIENT_REQUEST,
            limit=Limit.NONE,
            largest=0,
        ),
    )


@kernel
def collect_fees(s: Store, command: c.CollectFees) -> int:
    """Move a pool's fees to the treasury, as far as there is cash."""
    asset = command.asset
    if not 0 <= asset < s.globals.assets:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    pool = pool_row(s, asset)
    quantity = min(pool.fees, pool.cash)
    if quantity == 0:
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.POOL_CASH)
    pool.fees -= quantity
    move(s, asset, quantity, POOL, available(TREASURY))
    emit(s, FeesCollected(asset=asset, quantity=quantity))
    return 0
