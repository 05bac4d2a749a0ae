"""Certificates: how far prices may move before an account that is healthy could cease to be.

Let S = NE - M be an account's surplus now, stale prices read in its favour. Let every fresh price
of collateral fall by at most a share r <= 1/2 of itself, and every debt at a fresh price rise by at
most r, or r / 16 if it is in USDC, whose price stands still. Then, but for rounding,

    collateral C falls by at most r * C, for its haircut shrinks with it,
    debt D rises by at most r * D, or r / 16 * D, and
    a requirement N * max(base, factor * sqrt(N)) rises by at most 2 * r of itself,

so that S stays positive while r * (C + D + 2 * M) is below S less the roundings. What is stale
stands still or is asked anew. `Certificate` is that r, less what an atom more of a debt counts.

Roundings. A weight goes in steps of 10^-9 and is taken at a root of size up to two too large: that
is at most 2 * penalty / 10^12 of the weighted and 10^-9 of the whole value, and it hides no fall as
sizes grow if the weight is at least 2 * 10^-9 at the largest size that there can be. An asset for
which it is not is rough, and nobody who holds it is certified. A requirement's fraction is off by
at most 2 * factor / 10^3 + 10^-9, and every sum by an atom or two of 10^-12 USDC an asset.

Most accounts are far from all that. `certify_at_a_glance` takes the lower bounds of collateral and
the upper bounds of debts with their maintenance that `scan` gives by one product each, and
certifies by them; what is not certain there is certified exactly, or not at all.
"""

from typing import NamedTuple

from solvent.domain.parameters import USDC, HaircutKind, SizeBy
from solvent.domain.units import FINE_PER_VALUE, INDEX_SCALE, INT64_MAX, RATIO, SQUARE_ROOT_SCALE
from solvent.engine.ledger import (
    account_row,
    asset_row,
    claim_of,
    debt_of,
    is_stale,
    mark_of,
    pool_row,
    position,
)
from solvent.engine.margin import Health, first_asset, surplus
from solvent.engine.memory.rows import Asset
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up, fine_up
from solvent.engine.watch.rows import screen_rows
from solvent.engine.watch.scan import bounded
from solvent.kernels.language import Wide, bit, kernel, leading_zeros, narrow, shift_right, wide

_INTEREST_SHARE = 16
"""A debt in USDC is certified for a rise by this part of what prices may move."""
_ATOMS = 1000
"""10^-12 USDC: more than all sums of one account are off by for being whole numbers."""
_LONG = 2**62
_COARSE = 2**22
_MANY_SHARES = 2**21
_MUCH = 100
_FEW = 4001
"""What an atom more is, in 10^-9, of a debt of so many shares, each half an atom at the least,
worth so much in 10^-6 USDC.
"""
_ROOT_OF_VALUE = 2**31
_ROOT_OF_QUANTITY = 2**41
"""Roots of size, in 10^-3, that no holding of one asset can have."""


class Certificate(NamedTuple):
    """Shares in 10^-9 by which prices of collateral may fall, and debts may rise.

    Some accounts' together is the least of each, for all assets that any of them holds or owes.
    """

    fall: int
    rise: int
    interest: int
    """For debts in USDC."""
    holds: int
    """Assets that are collateral, as bits."""
    owes: int


@kernel
def nothing_certain() -> Certificate:
    """The certificate of an account of which nothing is certain."""
    return Certificate(0, 0, 0, 0, 0)


@kernel
def of_nobody() -> Certificate:
    """The certificate of no account: anything may happen."""
    return Certificate(RATIO, RATIO, RATIO, 0, 0)


@kernel
def of_both(one: Certificate, other: Certificate) -> Certificate:
    """What is certain of two."""
    return Certificate(
        min(one.fall, other.fall),
        min(one.rise, other.rise),
        min(one.interest, other.interest),
        one.holds | other.holds,
        one.owes | other.owes,
    )


@kernel
def measure_errors(s: Store) -> None:
    """Write how far the roundings of haircuts and requirements can be off, and what is rough."""
    rough = 0
    penalty = 0
    factor = 0
    lightest = RATIO
    for asset in range(s.globals.assets):
        row = asset_row(s, asset)
        factor = max(factor, row.maintenance_factor)
        if row.weight:
            lightest = min(lightest, row.weight)
        if row.haircut_kind != HaircutKind.IDENTITY:
            penalty = max(penalty, row.haircut_penalty)
            if _is_rough(row):
                rough = rough | bit(asset)
    s.watch.rough = rough
    error = 2 * penalty // SQUARE_ROOT_SCALE + 1
    s.watch.collateral_error = error
    error += RATIO // lightest + 1
    s.watch.glance_shift = max(0, leading_zeros(error) - leading_zeros(RATIO) - 1)
    s.watch.requirement_error = 2 * factor // SQUARE_ROOT_SCALE + 2


@kernel
def _is_rough(asset: Asset) -> bool:
    """Whether the weight, unless it is 0, could be below 2 * 10^-9."""
    root = _ROOT_OF_VALUE if asset.size_by == SizeBy.NOTIONAL else _ROOT_OF_QUANTITY
    unit = RATIO * SQUARE_ROOT_SCALE
    smallest = wide(asset.haircut_base) * unit
    return asset.weight == 1 or smallest < (wide(asset.haircut_penalty) * root + unit) * 2


@kernel
def certify(s: Store, account: int, values: Health) -> Certificate:
    """What is certain about an account that owes something and has this health now."""
    holder = account_row(s, account)
    if holder.held & s.watch.rough:
        return nothing_certain()
    collateral = values.net_equity + values.debts_value
    error = collateral * s.watch.collateral_error + values.assets_value
    error += values.debts_value * s.watch.requirement_error * 2
    spare = surplus(values) - divide_up(error, RATIO) - _ATOMS
    if spare <= 0:
        return nothing_certain()
    moving = collateral + values.debts_value + values.maintenance * 2 + 1
    if holder.held & bit(USDC):
        row = position(s, account, USDC)
        steady = wide(row.available + row.locked + claim_of(s, account, USDC))
        owed = wide(debt_of(s, account, USDC)) * FINE_PER_VALUE
        moving -= steady * FINE_PER_VALUE + owed - owed // _INTEREST_SHARE
    fall = _share_down(spare, moving)
    atoms = _atoms_up(s, account)
    return Certificate(
        fall, fall - atoms, fall // _INTEREST_SHARE - atoms, _holds(s, account), holder.debts
    )


@kernel
def _holds(s: Store, account: int) -> int:
    """Assets that are collateral, as bits."""
    holds = 0
    rest = account_row(s, account).held
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        row = position(s, account, asset)
        if row.available or row.locked or row.lent_shares:
            holds = holds | bit(asset)
    return holds


@kernel
def _share_down(part: Wide, whole: Wide) -> int:
    """part / whole in 10^-9, at most one half; no more than the true share."""
    if part >= whole:
        return RATIO // 2
    if whole >= _LONG:
        part = part // _COARSE
        whole = whole // _COARSE + 1
        if whole >= _LONG:
            return 0
    return min(RATIO // 2, narrow(part * RATIO // narrow(whole)))


@kernel
def _atoms_up(s: Store, account: int) -> int:
    """What an atom more of a debt, and one of its value, can be of any debt: 10^-9, doubled."""
    most = 0
    rest = account_row(s, account).debts
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        if not is_stale(s, asset):
            debt = debt_of(s, account, asset)
            notional = fine_up(debt, mark_of(s, asset), asset_row(s, asset))
            most = max(most, 4 * RATIO // narrow(min(debt, notional)) + 1)
    return most


@kernel
def certify_at_a_glance(s: Store, account: int) -> Certificate:
    """What the bounds of `scan` alone say for certain; nothing where they are not good enough."""
    holder = account_row(s, account)
    rest = holder.held
    if rest & s.watch.rough:
        return nothing_certain()
    holds = 0
    screen = screen_rows(s)
    spare = 0
    moving = 1
    collateral = 0
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        row = position(s, account, asset)
        by = screen[asset]
        balance = row.available + row.locked
        if balance > by.balance.largest or row.lent_shares > by.claim.largest:
            return nothing_certain()
        if balance or row.lent_shares:
            holds = holds | bit(asset)
        worth = bounded(by.balance, balance)
        worth += bounded(by.claim, row.lent_shares)
        cost = 0
        if row.debt_shares:
            # It stays small enough, and not too small, when it rises by half.
            cost = bounded(by.debt, row.debt_shares)
            most = by.debt.largest // 2
            if row.debt_shares > most or row.debt_shares < _MANY_SHARES or cost < _MUCH:
                return nothing_certain()
        collateral += worth
        spare += worth - cost - 2 * by.slack
        moving += cost // _INTEREST_SHARE if asset == USDC else worth + cost
    spare -= shift_right(collateral, s.watch.glance_shift) + 1
    if spare <= 0:
        return nothing_certain()
    fall = _share_down(spare, moving)
    rise = fall - _FEW
    return Certificate(fall, rise, fall // _INTEREST_SHARE - _FEW, holds, holder.debts)


@kernel
def lowest_mark(s: Store, asset: int, fall: int) -> int:
    """The mark that `asset` has after a `fall`; beyond any if its price is stale."""
    if is_stale(s, asset):
        return INT64_MAX
    if asset == USDC:
        return 1
    mark = mark_of(s, asset)
    return max(1, mark - narrow(wide(mark) * fall // RATIO))


@kernel
def highest_debt_price(s: Store, asset: int, rise: int) -> int:
    """The price of a debt in `asset` after a `rise`; below any if its price is stale."""
    price = wide(mark_of(s, asset)) * pool_row(s, asset).debt_index // INDEX_SCALE
    if is_stale(s, asset) or price >= _LONG:
        return -1
    return narrow(price + price * rise // RATIO)


@kernel
def debt_price(s: Store, asset: int) -> int:
    """Mark times debt index, in 10^-10 USDC and rounded up: how dear a share of debt is now."""
    price = divide_up(wide(mark_of(s, asset)) * pool_row(s, asset).debt_index, INDEX_SCALE)
    return narrow(min(INT64_MAX, price))
