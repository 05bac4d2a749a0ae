"""Forecasts in kernels: what an auto-deleveraging round would take from a borrower today.

As `adl_forecast` in `reference.queries`: candidates are allotted to by the rounds' own policy,
those with USDC first, and nothing is settled. Like a round, it looks at all who owe the asset.
"""

from solvent.domain.labels import Tier
from solvent.domain.parameters import USDC
from solvent.engine.ledger import asset_row, mark_of, pool_row
from solvent.engine.lending.pool import redeemable
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.queries.rows import ForecastRow
from solvent.engine.units import payable
from solvent.engine.waterfall.adl import borrowers
from solvent.engine.waterfall.policies import allot
from solvent.engine.waterfall.rounds import cap_total, value_of
from solvent.engine.waterfall.rows import Candidate, Means
from solvent.engine.waterfall.settlement import means_worth, put_means
from solvent.kernels.language import (
    allocate,
    allocate_rows,
    copy_row,
    kernel,
    release,
    row_in,
    wide,
)
from solvent.kernels.rows import Memory, Rows


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
        out.rank = _rank(rows, found, own)
        out.candidates = found
        out.allotted = _taken(s, asset, quantity, rows, found, own)
        out.value = value_of(s, asset, out.allotted)
        out.cash_left = redeemable(pool_row(s, asset))
    release(rows)
    return own != NONE


@kernel
def _taken(s: Store, asset: int, quantity: int, rows: Rows[Candidate], found: int, own: int) -> int:
    """What case L of `quantity` atoms takes from one of these: who has USDC is asked first."""
    group = allocate_rows(Candidate, found)
    places = allocate(found)
    parts = allocate(found)
    taken = 0
    left = quantity
    for stage in range(2):
        count = _put_group(s, asset, stage, rows, found, group, places)
        total = min(left, cap_total(group, count))
        allot(s, s.rules.lender_policy, group, count, total, value_of(s, asset, total), parts)
        left -= total
        for place in range(count):
            rows[places[place]].cap -= parts[place]
            taken += parts[place] if places[place] == own else 0
    release(parts)
    release(places)
    release(group)
    return taken


@kernel
def _put_group(
    s: Store,
    asset: int,
    stage: int,
    rows: Rows[Candidate],
    found: int,
    group: Rows[Candidate],
    places: Memory,
) -> int:
    """Write who can pay, in USDC as if the lender owed it, then in anything; return how many."""
    top = s.globals.scratch_top
    means = row_in(Means, take(s, Means.WIDTH))
    put_means(means, Tier.OWED, USDC, 0)
    count = 0
    for place in range(found):
        row = rows[place]
        cap = row.cap
        if stage == 0:
            worth = means_worth(s, row.account, asset, means)
            cap = payable(cap, worth, mark_of(s, asset), asset_row(s, asset))
        if cap:
            copy_row(row, group[count])
            group[count].cap = cap
            places[count] = place
            count += 1
    s.globals.scratch_top = top
    return count


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
