"""Receipts of reliefs: what a standby took over of what a round paid in kind."""

from solvent.domain.labels import AdlCase, LegForm
from solvent.domain.parameters import EngineParameters
from solvent.domain.settlements import Relief
from solvent.receipts.form import STANDBY_FORMAT, VERSION, StandbyReceipt
from solvent.receipts.lines import AFTER, BEFORE, parties
from solvent.receipts.terms import asset_terms, touched_assets, words_of


def standby_receipt(
    parameters: EngineParameters, relief: Relief, command: int, time: int
) -> StandbyReceipt:
    """The receipt of one relief, which happened by `command` at `time` (microseconds UTC)."""
    swap, words = relief.swapped, words_of(parameters, relief.pools)
    touched = touched_assets([relief.parties]) | {swap.asset}
    return StandbyReceipt(
        format=STANDBY_FORMAT,
        version=VERSION,
        command=command,
        time=time,
        swap=swap.swap,
        round=swap.round,
        case=AdlCase(swap.case),
        standby=swap.standby,
        receiver=swap.receiver,
        asset=words.symbols[swap.asset],
        mark=swap.mark,
        form=LegForm(swap.form),
        quantity=swap.quantity,
        shares=swap.shares,
        value=swap.value,
        rate=swap.rate,
        premium=swap.premium,
        paid=swap.paid,
        posted=swap.posted,
        stale_doubt=parameters.waterfall.stale_doubt,
        assets=asset_terms(parameters, relief.pools, touched),
        before=parties(relief.parties, words, BEFORE),
        after=parties(relief.parties, words, AFTER),
    )
