"""Deficits in kernels: what is owed when nothing is left to pay it with, as in `reference`."""

from solvent.domain.labels import Reason, Stage
from solvent.domain.units import INDEX_SCALE
from solvent.domain.waterfall_events import DeficitBooked, HandedOver
from solvent.engine.ledger import (
    asset_row,
    debt_of,
    is_stale,
    lent_total,
    mark_of,
    pool_row,
    position,
)
from solvent.engine.lending.pool import renew, write_off
from solvent.engine.margin import Doubt, health_of, report
from solvent.engine.memory.rows import Attempt
from solvent.engine.memory.store import Store
from solvent.engine.units import value_down, value_up
from solvent.engine.waterfall.sizing import deliverable, deliverable_value
from solvent.kernels.language import bit, emit, kernel
from solvent.kernels.rows import Rows


@kernel
def book_deficits(s: Store, attempts: Rows[Attempt], count: int) -> None:
    """Book what each account in default, of `count` attempts, owes and cannot pay."""
    for place in range(count):
        attempt = attempts[place]
        if attempt.defaulted:
            unpaid = plan_deficits(s, attempt.account)
            for asset in range(s.globals.assets):
                if unpaid & bit(asset):
                    apply_deficit(s, attempt.account, asset)


@kernel
def plan_deficits(s: Store, account: int) -> int:
    """The assets, as bits, that the account owes at fresh prices, if it has nothing left to pay."""
    unpaid = 0
    if _nothing_left(s, account):
        for asset in range(s.globals.assets):
            if debt_of(s, account, asset) and not is_stale(s, asset):
                unpaid = unpaid | bit(asset)
    return unpaid


@kernel
def apply_deficit(s: Store, account: int, asset: int) -> None:
    """Write the debt off at the expense of the asset's lenders."""
    owed = debt_of(s, account, asset)
    value = value_up(owed, mark_of(s, asset), asset_row(s, asset))
    emit(
        s,
        HandedOver(
            account=account, stage=Stage.ADL, reason=Reason.PRICE_GAP, asset=asset, value=value
        ),
    )
    shares = position(s, account, asset).debt_shares
    loss, lenders = write_off(s, account, asset)
    pool = pool_row(s, asset)
    worthless = lent_total(pool) == 0
    index = INDEX_SCALE if worthless else pool.lend_index
    emit(
        s,
        DeficitBooked(
            account=account,
            asset=asset,
            quantity=loss,
            lenders=lenders,
            value=value,
            debt_shares=shares,
            lend_index=index,
            restarted=1 if worthless else 0,
        ),
    )
    renew(s, asset)


@kernel
def _nothing_left(s: Store, account: int) -> bool:
    """Whether an account owes and holds at most dust: of no asset more than an atom it owes."""
    dearest = 0
    owes = False
    for asset in range(s.globals.assets):
        if debt_of(s, account, asset):
            owes = True
            dearest = max(dearest, value_up(1, mark_of(s, asset), asset_row(s, asset)))
    if not owes:
        return False
    worth = deliverable_value(s, account)
    if report(health_of(s, account, Doubt.NONE)).assets_value > worth + s.globals.assets:
        return False
    most = 0
    for asset in range(s.globals.assets):
        held = deliverable(s, account, asset)
        most = max(most, value_down(held, mark_of(s, asset), asset_row(s, asset)))
    return most <= dearest
