"""Forecasts in kernels: what an auto-deleveraging round would take from a borrower today.

As `adl_forecast` in `reference.queries`: the round's own candidates are allotted to by its own
policy, and nothing is settled. Like a round, it looks at every account that owes the asset.
"""

from solvent.engine.ledger import pool_row
from solvent.engine.lending.pool import redeemable
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.store import Store
from solvent.engine.queries.rows import ForecastRow
from solvent.engine.waterfall.adl import borrowers, cap_total, value_of
from solvent.engine.waterfall.policies import allot
from solvent.engine.waterfall.rows import Candidate
from solvent.kernels.language import allocate, allocate_rows, kernel, release, wide
from solvent.kernels.rows import Rows


@kernel
def forecast(s: Store, account: int, asset: int, quantity: int, out: ForecastRow) -> bool:
    """Write an `AdlForecast` of a round of `quantity`; False if the account is no candidate."""
    rows = allocate_rows(Candidate, s.globals.accounts)
    found = borrowers(s, asset, rows)
    own = NONE
    for place in range(found):
        if rows[place].account == account:
            own = place
    if own != NONE:
        parts = allocate(found)
        total = min(quantity, cap_total(rows, found))
        allot(s, s.rules.lender_policy, rows, found, total, value_of(s, asset, total), parts)
        out.rank = _rank(rows, found, own)
        out.candidates = found
        out.allotted = parts[own]
        out.value = value_of(s, asset, parts[own])
        out.cash_left = redeemable(pool_row(s, asset))
        release(parts)
    release(rows)
    return own != NONE


@kernel
def _rank(rows: Rows[Candidate], count: int, own: int) -> int:
    """Place from 1 by leverage A / TV, highest first; ties by place."""
    mine = rows[own]
    rank = 1
    for place in range(count):
        other = rows[place]
        theirs = wide(other.assets_value) * mine.total_value
        ours = wide(mine.assets_value) * other.total_value
        if theirs > ours or (theirs == ours and place < own):
            rank += 1
    return rank
