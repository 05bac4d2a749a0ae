"""Rows that queries fill for who asks, each in the order of the reading that is made of it."""

from solvent.kernels.rows import Row, Rows, rows


class Halves(Row):
    """A number of more than 64 bits: `upper` times HALF plus `lower`."""

    upper: int
    lower: int


class BalanceRow(Row):
    """What an account has and owes of an asset."""

    available: int
    locked: int
    lent: int
    owed: int
    unfunded: int


class HealthRow(Row):
    """An account's margin as records carry it, and NE, I, M and E in 10^-12 USDC, unrounded."""

    net_equity: int
    initial: int
    maintenance: int
    exposure: int
    assets_value: int
    debts_value: int
    total_value: int
    sums: Rows[Halves] = rows(Halves, 4)


class MarginRow(Row):
    """What an account holds of an asset and what that counts for; what it owes and needs for it."""

    value: int
    counted: int
    notional: int
    initial_fraction: int
    maintenance_fraction: int


class PoolRow(Row):
    """What there is to know about one pool, in the order of `PoolReport`."""

    lent: int
    borrowed: int
    cash: int
    utilization: int
    borrow_apr: int
    lend_apr: int
    bound: int
    threshold: int
    max_utilization: int
    state: int
    redeemable: int
    withdrawable: int
    gated: bool
    fees: int
    residue: int
    deficit: int


class LevelRow(Row):
    """All that rests at one price."""

    quantity: Halves
    price: int


class MarksRow(Row):
    """The marks below and above at which an account is liquidatable, or NONE."""

    below: int
    above: int


class ForecastRow(Row):
    """What a round would take from a borrower, in the order of `AdlForecast`."""

    rank: int
    candidates: int
    allotted: int
    value: int
    cash_left: int
