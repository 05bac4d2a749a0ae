"""Rounds of ADL that nobody opens, in kernels: for whom, among whom, what each would be allotted.

The candidates and their parts are those of the waterfall's own kernels; nothing is settled. Tokens
and claims are atoms, marks 10^-10 USDC.
"""

from solvent.domain.labels import AdlCase, Tier
from solvent.domain.parameters import USDC
from solvent.engine.ledger import account_row, asset_row, claim_of, debt_of, mark_of, position
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.store import Store
from solvent.engine.queries.kernels import liquidation_prices
from solvent.engine.queries.rows import MarksRow
from solvent.engine.units import fine_down, payable, value_down
from solvent.engine.waterfall.adl import put_payer
from solvent.engine.waterfall.default import put_lender
from solvent.engine.waterfall.policies import allot
from solvent.engine.waterfall.rounds import value_of
from solvent.engine.waterfall.rows import Candidate, Means
from solvent.engine.waterfall.settlement import means_worth
from solvent.kernels.language import kernel, wide
from solvent.kernels.rows import Memory, Row, Rows


class PartnerRow(Row):
    """Who could be a side of a round: what of it, and which marks of which asset liquidate it."""

    account: int
    stake: int
    asset: int
    """NONE where it has no token whose mark could move."""
    marks: MarksRow


@kernel
def list_partners(s: Store, asset: int, case: int, means: Means, out: Rows[PartnerRow]) -> int:
    """Write every account for which such a round could settle anything, were it liquidated.

    Returns how many they are; where they are liquidatable is still to be found.
    """
    count = 0
    for account in range(s.globals.accounts):
        stake = _stake_of(s, account, asset, case, means)
        if stake:
            row = out[count]
            row.account = account
            row.stake = stake
            count += 1
    return count


@kernel
def _stake_of(s: Store, account: int, asset: int, case: int, means: Means) -> int:
    """The most atoms that a round of this kind could settle for an account."""
    holder = account_row(s, account)
    if not holder.debts:
        return 0
    mark, about = mark_of(s, asset), asset_row(s, asset)
    if case == AdlCase.BORROWER_DEFAULT:
        debt = debt_of(s, account, asset)
        return payable(debt, means_worth(s, account, asset, means), mark, about) if debt else 0
    given_up = claim_of(s, account, asset)
    if case == AdlCase.OPPOSITES:
        given_up = position(s, account, asset).available
    if means.tier != Tier.OWED:
        return given_up
    owed = debt_of(s, account, means.asset)
    worth = value_down(owed, mark_of(s, means.asset), asset_row(s, means.asset))
    return payable(given_up, worth, mark, about)


@kernel
def find_distances(s: Store, asset: int, rows: Rows[PartnerRow], count: int) -> None:
    """Write which marks liquidate some accounts: of `asset`, or where it is USDC of their largest.

    Marks are tried out in the prices, which must be a copy.
    """
    for place in range(count):
        row = rows[place]
        row.asset = asset if asset != USDC else _largest_token(s, row.account)
        row.marks.below = NONE
        row.marks.above = NONE
        if row.asset != NONE:
            mark = mark_of(s, row.asset)
            liquidation_prices(s, row.account, row.asset, row.marks)
            s.prices[row.asset].mark = mark


@kernel
def _largest_token(s: Store, account: int) -> int:
    """The token of which an account has or owes most by value; NONE where it has none."""
    found = NONE
    most = wide(0)
    for asset in range(USDC + 1, s.globals.assets):
        row = position(s, account, asset)
        atoms = row.available + row.locked + claim_of(s, account, asset)
        worth = fine_down(
            atoms + debt_of(s, account, asset), mark_of(s, asset), asset_row(s, asset)
        )
        if worth > most:
            most = worth
            found = asset
    return found


@kernel
def list_candidates(
    s: Store,
    asset: int,
    case: int,
    means: Means,
    needed: int,
    sides: Memory,
    side_count: int,
    out: Rows[Candidate],
) -> int:
    """Write who can be allotted to in a round of `needed` atoms for `sides`, in order; how many."""
    count = 0
    side = 0
    for account in range(s.globals.accounts):
        while side < side_count and sides[side] < account:
            side += 1
        if not (side < side_count and sides[side] == account):
            if case == AdlCase.BORROWER_DEFAULT:
                count += put_lender(s, account, asset, means, needed, out[count])
            else:
                count += put_payer(s, account, asset, means, out[count])
    return count


@kernel
def allot_round_of(
    s: Store, asset: int, case: int, rows: Rows[Candidate], count: int, quantity: int, out: Memory
) -> None:
    """Write what the policy in force allots each candidate of `quantity` atoms."""
    default = case == AdlCase.BORROWER_DEFAULT
    policy = s.rules.default_policy if default else s.rules.lender_policy
    allot(s, policy, rows, count, quantity, value_of(s, asset, quantity), out)
