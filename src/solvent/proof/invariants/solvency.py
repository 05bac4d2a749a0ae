"""Solvency: what accounts lack for certain, and what pools will lose by it, by plain repetition.

Computed from the formulas of the specification and from views alone: an account's worth with stale
prices read for it, and the least fractions q with q = loss(q) / claims, found by going round until
nothing moves. That takes as many rounds as a loss goes round, which the engine's solution does not.

Specification: section 8.7.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from solvent.domain.settlement_properties import up
from solvent.domain.units import (
    FINE_PER_VALUE,
    INDEX_SCALE,
    PRICE_DECIMALS,
    RATIO,
    VALUE_DECIMALS,
)
from solvent.proof.invariants.state_view import FINE, StateView
from solvent.reference.state import FUND, TREASURY

ONE = 10**24
"""A fraction of one."""
MOST_ROUNDS = 400
ROUNDED_AN_ASSET = 4
"""Above what two ways of valuing an asset and a debt differ by, 10^-12 USDC."""
DUST = 10_000 * FINE_PER_VALUE
"""0.01 USDC in 10^-12."""


class Worth(NamedTuple):
    """Assets and debts of an account as counted for it, in 10^-12 USDC."""

    assets: int
    debts: int

    @property
    def lacks(self) -> int:
        """Debts less assets."""
        return self.debts - self.assets


def worth_of(view: StateView, account: int, lost: Sequence[int], *, booked: bool = False) -> Worth:
    """What an account is worth once claims lost these fractions of ONE.

    In the waterfall, or where its loss is `booked`, it is counted strictly.
    """
    strictly = booked or account in view.liquidating
    holding, health = view.holdings[account], view.health[account]
    assets = debts = 0
    rows: dict[int, Held] = {}
    for asset, parameters in enumerate(view.parameters.assets):
        claim = health.claims[asset] * (ONE - lost[asset]) // ONE
        free = holding.available[asset] + holding.locked[asset]
        row = rows[asset] = Held(free + claim, health.debts[asset])
        price = view.prices[asset]
        about = Quoted(price.mark, parameters.decimals, stale=price.stale)
        counted = counted_for(view, row, about, strictly=strictly)
        assets, debts = assets + counted.assets, debts + counted.debts
    worth = Worth(assets, debts)
    if strictly:
        marks = {asset: price.mark for asset, price in enumerate(view.prices)}
        return counted_strictly(view, worth, rows, marks)
    return worth


class Held(NamedTuple):
    """Atoms that an account has and owes of one asset."""

    quantity: int
    debt: int


class Quoted(NamedTuple):
    """The price of one asset: its mark, its decimals, and whether it is stale."""

    mark: int
    decimals: int
    stale: bool


def counted_for(view: StateView, held: Held, quoted: Quoted, *, strictly: bool) -> Worth:
    """What is held and owed of one asset as it counts for the account.

    Counted `strictly`, dust of a stale asset is nothing.
    """
    mark, unit = quoted.mark, 10**quoted.decimals
    if not quoted.stale:
        return Worth(held.quantity * mark * FINE // unit, up(held.debt * mark * FINE, unit))
    doubt = view.parameters.waterfall.stale_doubt
    netted = min(held.quantity, held.debt)
    beyond = (held.quantity - netted) * mark * FINE // unit * (RATIO + doubt) // RATIO
    lower = mark * RATIO // (RATIO + doubt)
    counts = beyond >= DUST or not strictly
    return Worth(beyond if counts else 0, up((held.debt - netted) * lower * FINE, unit))


def counted_strictly(
    view: StateView, worth: Worth, rows: Mapping[int, Held], marks: Mapping[int, int]
) -> Worth:
    """What an account is worth where only what pays for an atom of a debt counts."""
    if pays_any(view, rows, marks):
        return worth
    return Worth(0, max(worth.debts, len(view.pools) + 1))


def pays_any(view: StateView, rows: Mapping[int, Held], marks: Mapping[int, int]) -> bool:
    """Whether anything that is held pays for an atom of any debt, or nothing is owed.

    An atom that nobody has a claim of is paid for by the same asset alone.
    """
    decimals = [parameters.decimals for parameters in view.parameters.assets]
    owed = [asset for asset, row in rows.items() if row.debt]
    for debt in owed:
        if rows[debt].quantity and marks[debt]:
            return True
        if rows[debt].debt == 1 and not _is_lent(view, debt):
            continue
        # 10^-6 USDC, as a match is valued.
        value = up(marks[debt], 10 ** (decimals[debt] + PRICE_DECIMALS - VALUE_DECIMALS))
        for asset, row in rows.items():
            whole = 10 ** (decimals[asset] + PRICE_DECIMALS - VALUE_DECIMALS)
            price = up(value * whole, marks[asset]) if marks[asset] else 0
            if row.quantity >= price > 0:
                return True
    return not owed


def open_debt(view: StateView, account: int, asset: int) -> int:
    """What of a debt counts: of a stale asset not what the account has of it."""
    debt = view.health[account].debts[asset]
    return max(0, debt - view.quantity(account, asset)) if view.prices[asset].stale else debt


class Losses(NamedTuple):
    """Who is insolvent, the fractions of ONE that claims lose, and whether the search ended."""

    insolvent: frozenset[int]
    lost: tuple[int, ...]
    losses: tuple[int, ...]
    settled: bool


def losses_of(view: StateView) -> Losses:
    """The least fractions by which certain losses lower all claims."""
    lost = [0] * len(view.pools)
    parts = _fund_parts(view, lost)
    losses = list(lost)
    insolvent: set[int] = set(parts)
    settled = not parts
    for _ in range(MOST_ROUNDS if parts else 0):
        insolvent |= {
            account
            for account, holding in enumerate(view.holdings)
            if any(holding.debt_shares) and worth_of(view, account, lost).lacks > len(lost)
        }
        losses = _losses(view, sorted(insolvent), lost, parts)
        found = [
            min(ONE, loss * ONE // pool.lent) if pool.lent else 0
            for loss, pool in zip(losses, view.pools, strict=True)
        ]
        settled = all(new - old <= ONE // 10**18 for new, old in zip(found, lost, strict=True))
        lost = found
        if settled:
            break
    return Losses(frozenset(insolvent), tuple(lost), tuple(losses), settled)


def _fund_parts(view: StateView, lost: Sequence[int]) -> dict[int, int]:
    """Who is insolvent at full claims, and the fund's part for each, in 10^-12 USDC."""
    is_stale = any(price.stale for price in view.prices)
    lacks = {
        account: lack
        for account, holding in enumerate(view.holdings)
        if any(holding.debt_shares)
        and (is_stale or _may_lack(view, account))
        and (lack := worth_of(view, account, lost).lacks) > len(view.pools)
    }
    value = sum(
        quantity * price.mark * FINE // 10**parameters.decimals // FINE_PER_VALUE
        for quantity, price, parameters in zip(
            view.holdings[FUND].available, view.prices, view.parameters.assets, strict=True
        )
        if not price.stale
    )
    asked = {
        account: 0 if _is_unpayable(view, account) else up(lack, FINE_PER_VALUE)
        for account, lack in lacks.items()
    }
    total = sum(asked.values())
    paid = min(value, total)
    return {
        account: paid * lack * FINE_PER_VALUE // max(1, total) for account, lack in asked.items()
    }


def _is_unpayable(view: StateView, account: int) -> bool:
    """Whether an account owes nothing but atoms that nobody has a claim of: the fund pays none."""
    return all(
        debt == 1 and not _is_lent(view, asset)
        for asset, debt in enumerate(view.health[account].debts)
        if debt
    )


def _is_lent(view: StateView, asset: int) -> bool:
    """Whether any account has a claim of an atom."""
    return any(health.claims[asset] for health in view.health)


def _may_lack(view: StateView, account: int) -> bool:
    """Whether an account may be insolvent at full claims, where no price is stale.

    Its total value at the marks then says so, but for rounding and for what pays for no debt.
    """
    slack = ROUNDED_AN_ASSET * len(view.pools)
    return account in view.liquidating or view.health[account].total_value < slack


def _losses(
    view: StateView, insolvent: list[int], lost: Sequence[int], parts: dict[int, int]
) -> list[int]:
    """What each pool loses when claims lost these fractions, fees given back apart, in atoms."""
    losses, fees = [0] * len(lost), [0] * len(lost)
    for account in insolvent:
        worth = worth_of(view, account, lost, booked=True)
        lacks = min(worth.debts, worth.lacks - parts.get(account, 0))
        if lacks <= len(lost):
            continue
        for asset, debt in enumerate(view.health[account].debts):
            if debt:
                written = open_debt(view, account, asset) * lacks // worth.debts
                interest = written * (debt - view.holdings[account].principal[asset]) // debt
                losses[asset] += written
                fees[asset] += interest * view.parameters.assets[asset].pool.fee // RATIO
    treasury = view.holdings[TREASURY].available
    return [
        loss - min(loss, due, pool.fees + free)
        for loss, due, pool, free in zip(losses, fees, view.pools, treasury, strict=True)
    ]


def wrong_gates(view: StateView) -> Iterator[tuple[int, int, int]]:
    """Pools that are not impaired by what certain losses will take: asset, fraction, the right one.

    In 10^-14. While prices wait for the end of their moment, nothing is reckoned.
    """
    shut = any(pool.impaired for pool in view.pools)
    if not (view.liquidating or shut) or any(price.given for price in view.prices):
        return
    expected = losses_of(view)
    rounding = sum(_share(view, asset) for asset in range(len(view.pools)))
    for asset, pool in enumerate(view.pools):
        wanted = expected.lost[asset] * INDEX_SCALE // ONE
        unit = 10 ** view.parameters.assets[asset].decimals
        value = expected.losses[asset] * view.prices[asset].mark * FINE // unit
        spare = (len(expected.insolvent) + 2) * rounding
        if value < DUST - spare or not pool.lent:
            wanted = 0
        elif value < DUST + spare:
            continue
        # Claims round to atoms: each of an insolvent lender is worth many of a cheap debt.
        atoms = up(8 * spare, max(1, up(view.prices[asset].mark * FINE, unit)))
        # One unit of an index is a larger fraction of it where it is low.
        slack = 2 + up(atoms * INDEX_SCALE, max(1, pool.lent))
        slack += up(INDEX_SCALE, max(1, pool.lend_index))
        above = expected.settled and pool.impaired > wanted + slack
        if pool.impaired < wanted - slack or above:
            yield asset, pool.impaired, wanted


def _share(view: StateView, asset: int) -> int:
    """Value of a share and an atom of an asset, in 10^-12 USDC."""
    atoms = up(view.pools[asset].debt_index, INDEX_SCALE) + 1
    return up(atoms * view.prices[asset].mark * FINE, 10 ** view.parameters.assets[asset].decimals)
