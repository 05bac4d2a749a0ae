"""Standings in kernels: how near every debtor is to liquidation at some marks, and what he lacks.

One walk over all accounts of an image. Marks are written into its prices. The fund comes first,
whatever it owes, for it is what pays where somebody lacks something.
"""

from solvent.engine.foresight.ahead import put_marks
from solvent.engine.ledger import account_row, asset_row, debt_of, mark_of
from solvent.engine.margin import Doubt, first_asset, health_of, report
from solvent.engine.memory.layout import FUND
from solvent.engine.memory.store import Store
from solvent.engine.units import value_up
from solvent.kernels.language import bit, kernel, rows_in
from solvent.kernels.rows import Memory, Row, Rows


class StandingRow(Row):
    """An account's sums in 10^-6 USDC, and the asset of which it owes most by value."""

    account: int
    net_equity: int
    maintenance: int
    assets_value: int
    debts_value: int
    owes: int


@kernel
def list_standings(s: Store, marks: Memory, out: Memory) -> int:
    """Write the fund's standing, then every debtor's, in order; return how many rows."""
    put_marks(s, marks)
    rows = rows_in(StandingRow, out)
    _put(s, rows, 0, FUND)
    count = 1
    for account in range(s.globals.accounts):
        if account != FUND and account_row(s, account).debts:
            _put(s, rows, count, account)
            count += 1
    return count


@kernel
def _put(s: Store, rows: Rows[StandingRow], place: int, account: int) -> None:
    sums = report(health_of(s, account, Doubt.FOR_ACCOUNT))
    row = rows[place]
    row.account = account
    row.net_equity = sums.net_equity
    row.maintenance = sums.maintenance
    row.assets_value = sums.assets_value
    row.debts_value = sums.debts_value
    row.owes = _owes_most(s, account)


@kernel
def _owes_most(s: Store, account: int) -> int:
    """The asset of which an account owes most by value; the first of all where it owes none."""
    debts = account_row(s, account).debts
    found = 0
    most = 0
    while debts:
        asset = first_asset(debts)
        debts = debts ^ bit(asset)
        worth = value_up(debt_of(s, account, asset), mark_of(s, asset), asset_row(s, asset))
        if worth > most:
            most = worth
            found = asset
    return found
