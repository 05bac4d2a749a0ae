"""Forecasts in kernels: what an auto-deleveraging round would take from a borrower today.

As `adl_forecast` in `reference.queries`: the round's own candidates are allotted to by its own
policy, and nothing is settled. Like a round, it looks at every account that owes the asset.
"""

from solvent.engine.ledger import pool_row
from solvent.engine.lending.pool import redeemable
from solvent.engine.memory.layout import ACCOUNTS, LENDER_POLICY, NONE
from solvent.engine.waterfall.adl import borrowers, cap_total, value_of
from solvent.engine.waterfall.policies import (
    ASSETS_VALUE,
    CANDIDATE,
    CANDIDATE_WIDTH,
    TOTAL_VALUE,
    allot,
)
from solvent.kernels.language import Memory, Store, allocate, kernel, release, wide

FORECAST_WIDTH = 5


@kernel
def forecast(s: Store, account: int, asset: int, quantity: int, out: Memory) -> bool:
    """Write an `AdlForecast` of a round of `quantity`; False if the account is no candidate."""
    rows = allocate(s.globals[ACCOUNTS] * CANDIDATE_WIDTH)
    found = borrowers(s, asset, rows)
    own = NONE
    for place in range(found):
        if rows[place * CANDIDATE_WIDTH + CANDIDATE] == account:
            own = place
    if own != NONE:
        parts = allocate(found)
        total = min(quantity, cap_total(rows, found))
        allot(s, s.rules[LENDER_POLICY], rows, found, total, value_of(s, asset, total), parts)
        out[0] = _rank(rows, found, own)
        out[1] = found
        out[2] = parts[own]
        out[3] = value_of(s, asset, parts[own])
        out[4] = redeemable(pool_row(s, asset))
        release(parts)
    release(rows)
    return own != NONE


@kernel
def _rank(rows: Memory, count: int, own: int) -> int:
    """Place from 1 by leverage A / TV, highest first; ties by place."""
    mine = rows.at(own * CANDIDATE_WIDTH)
    rank = 1
    for place in range(count):
        other = rows.at(place * CANDIDATE_WIDTH)
        theirs = wide(other[ASSETS_VALUE]) * mine[TOTAL_VALUE]
        ours = wide(mine[ASSETS_VALUE]) * other[TOTAL_VALUE]
        if theirs > ours or (theirs == ours and place < own):
            rank += 1
    return rank
