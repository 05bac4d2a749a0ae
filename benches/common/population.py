"""The population of the benches: any number of accounts, written into the columns by NumPy.

Accounts have four positions on average, two to six each; 45 % of them owe one asset, six in ten of
those USDC. Sizes are log-normal around 2,000 USDC, two in five holdings are lent, and a borrower's
weighted collateral is above debt and maintenance by a cushion: that of a few is drawn from another
place (`Edge`). The columns are a state like any other: pools balance, and the engine can go on from
them. Two lenders of everything stand first, so that every pool has cash.

Floats draw sizes here; once an atom is written, they are gone.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benches.common.market import prices_of
from solvent.domain.commands import Role
from solvent.domain.parameters import MAX_SOURCES, USDC, EngineParameters
from solvent.domain.units import INDEX_SCALE, PRICE_SCALE, RATIO, VALUE_SCALE, divide_up
from solvent.engine.memory.columns import Columns, new_columns
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Account, Globals, Pool, Position, Price, Quote

FIRST = 4
"""Number of the first drawn account: fund, treasury and two lenders come before."""

_CHUNK = 1 << 17
_BORROWERS = 0.45
_OWES_USDC = 0.55
_LENT = 0.4
_FEWEST, _MOST = 2, 6
_SIZE, _SPREAD = 7.6, 1.5
_HOUSE_UTILIZATION = 0.7
_INDEX_PERCENT = 97
_ROUNDING = 2
"""Shares that keep a pool's cash at or above zero."""

Words = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Edge(NamedTuple):
    """A share of all accounts, all of them borrowers, and their cushion: below 0 is breached."""

    share: float
    cushion: float


NOBODY = Edge(0.0, 0.0)
BREACHED = Edge(0.01, -0.02)
"""One account in a hundred is liquidatable."""


class _Draw(NamedTuple):
    """What some accounts hold and owe, atoms; and which holdings are lent."""

    held: Words
    lent: npt.NDArray[np.bool_]
    owed: Words


def populated(
    parameters: EngineParameters,
    accounts: int,
    *,
    seed: int = 1,
    cushion: float = 0.01,
    edge: Edge = NOBODY,
) -> Columns:
    """Columns with `accounts` accounts drawn from `seed`: borrowers have at least `cushion`.

    Those at the `edge` have its own. All this is approximate, for floats drew it: ask the engine.
    """
    count = len(parameters.assets)
    columns = opened(parameters, accounts)
    rng = np.random.default_rng(seed)
    rows = columns["positions"].reshape(-1, count, Position.WIDTH)
    for start in range(FIRST, accounts + FIRST, _CHUNK):
        chunk = rows[start : min(start + _CHUNK, accounts + FIRST)]
        draw = _draw(rng, parameters, len(chunk), cushion, edge)
        chunk[:, :, Position.available] = np.where(draw.lent, 0, draw.held)
        chunk[:, :, Position.lent_shares] = np.where(draw.lent, shares(draw.held), 0)
        chunk[:, :, Position.debt_shares] = shares(draw.owed)
    balance(columns)
    return columns


def opened(parameters: EngineParameters, accounts: int) -> Columns:
    """Columns with this many accounts that have nothing, at the prices of the market."""
    columns = new_columns(parameters)
    columns.grow_accounts(accounts + FIRST)
    columns["globals"][Globals.accounts] = accounts + FIRST
    table = columns.table("accounts", Account.WIDTH)[2 : accounts + FIRST]
    table[:, Account.role] = Role.USER
    table[:, Account.leverage_limit] = parameters.max_leverage
    table[:, (Account.first_order, Account.last_order)] = NONE
    _set_prices(columns, parameters)
    return columns


def endowed(parameters: EngineParameters, accounts: int, atoms: dict[int, int]) -> Columns:
    """Columns with this many accounts that have `atoms` of some assets each and owe nothing."""
    columns = opened(parameters, accounts)
    rows = columns["positions"].reshape(-1, len(parameters.assets), Position.WIDTH)
    for asset, quantity in atoms.items():
        rows[FIRST : accounts + FIRST, asset, Position.available] = quantity
        columns.table("pools", Pool.WIDTH)[asset, Pool.external] = -quantity * accounts
    mark_held(columns)
    return columns


def mark_held(columns: Columns) -> None:
    """Write the bits that say which assets each account holds and owes."""
    count = int(columns["globals"][Globals.assets])
    rows = columns["positions"].reshape(-1, count, Position.WIDTH)
    table = columns.table("accounts", Account.WIDTH)
    bits = np.left_shift(1, np.arange(count, dtype=np.int64))
    for start in range(0, int(columns["globals"][Globals.accounts]), _CHUNK):
        some = slice(start, start + _CHUNK)
        table[some, Account.debts] = (rows[some, :, Position.debt_shares] != 0) @ bits
        table[some, Account.held] = (rows[some] != 0).any(axis=2) @ bits


def _set_prices(columns: Columns, parameters: EngineParameters) -> None:
    prices = columns.table("prices", Price.WIDTH)
    at = prices_of(len(parameters.assets))
    for asset in range(1, len(parameters.assets)):
        prices[asset, : Price.stale + 1] = (
            at[asset],
            0,
            at[asset],
            parameters.start_time,
            0,
            0,
        )
        quote = columns.table("quotes", Quote.WIDTH)[asset * MAX_SOURCES]
        quote[: Quote.WIDTH] = (*[at[asset]] * 3, parameters.start_time)


def _draw(
    rng: np.random.Generator,
    parameters: EngineParameters,
    accounts: int,
    cushion: float,
    edge: Edge,
) -> _Draw:
    """Holdings and debts of so many accounts."""
    count = len(parameters.assets)
    places = np.argsort(np.argsort(rng.random((accounts, count)), axis=1), axis=1)
    positions = rng.integers(_FEWEST, _MOST + 1, accounts)[:, None]
    borrows = (rng.random(accounts) < _BORROWERS)[:, None]
    _prefer_usdc(rng, places, positions)
    holds = places < positions - borrows
    owes = borrows & (places == positions - 1)
    parts = np.where(holds, rng.exponential(size=(accounts, count)), 0.0)
    size = np.exp(rng.normal(_SIZE, _SPREAD, accounts))[:, None]
    values = size * parts / parts.sum(axis=1, keepdims=True)
    atoms = atoms_per_usdc(parameters)
    held = np.ceil(values * atoms).astype(np.int64)
    above = cushion + rng.gamma(2.0, 0.25, accounts)
    above = np.where(rng.random(accounts) < edge.share / _BORROWERS, edge.cushion, above)
    room = weighted(parameters, values).sum(axis=1) / (1.0 + above)
    loan = np.where(owes, loans(parameters, room[:, None]), 0.0)
    owed = np.ceil(loan * atoms).astype(np.int64)
    return _Draw(held, holds & (rng.random((accounts, count)) < _LENT), owed)


def _prefer_usdc(rng: np.random.Generator, places: Words, positions: Words) -> None:
    """Let USDC change places with the last position, which a borrower owes, for most accounts."""
    chosen = np.flatnonzero(rng.random(len(places)) < _OWES_USDC)
    last = np.argmax(places[chosen] == positions[chosen] - 1, axis=1)
    places[chosen, last], places[chosen, USDC] = places[chosen, USDC], places[chosen, last]


def atoms_per_usdc(parameters: EngineParameters) -> Floats:
    rows = zip(prices_of(len(parameters.assets)), parameters.assets, strict=True)
    return np.array([10**asset.decimals * PRICE_SCALE / price for price, asset in rows])


def weighted(parameters: EngineParameters, values: Floats) -> Floats:
    """Values after haircuts, about."""
    haircuts = [asset.haircut for asset in parameters.assets]
    weight = np.array([haircut.weight / RATIO for haircut in haircuts])
    penalty = np.array([haircut.penalty / RATIO for haircut in haircuts])
    share: Floats = np.minimum(weight, 1.0 / (1.0 + penalty * np.sqrt(values)))
    return values * share


def loans(parameters: EngineParameters, room: Floats) -> Floats:
    """The loan in each asset whose value and maintenance together are `room`, about."""
    base = np.array([asset.maintenance.base / RATIO for asset in parameters.assets])
    factor = np.array([asset.maintenance.factor / RATIO for asset in parameters.assets])
    loan = room / (1.0 + base)
    for _ in range(3):
        loan = room / (1.0 + np.maximum(base, factor * np.sqrt(loan)))
    return loan


def shares(atoms: Words) -> Words:
    """Shares that are worth about `atoms` at the index in force."""
    return atoms // _INDEX_PERCENT * 100 + atoms % _INDEX_PERCENT


def balance(columns: Columns, dry: tuple[int, ...] = ()) -> None:
    """Make the state whole after positions were written.

    Two lenders stand behind what is owed, with no more than that in `dry` assets, so that those
    pools have no cash to speak of; the external account stands behind everything else.
    """
    index = INDEX_SCALE * _INDEX_PERCENT // 100
    accounts, count = (
        int(columns["globals"][number]) for number in (Globals.accounts, Globals.assets)
    )
    rows = columns["positions"].reshape(-1, count, Position.WIDTH)[:accounts]
    for asset, pool in enumerate(columns.table("pools", Pool.WIDTH)):
        rows[2:FIRST, asset, Position.lent_shares] = 0
        debts, lent = (
            int(rows[:, asset, number].sum())
            for number in (Position.debt_shares, Position.lent_shares)
        )
        house = max(int(debts / _HOUSE_UTILIZATION) - lent, VALUE_SCALE)
        if asset in dry:
            house = debts - lent + _ROUNDING
        rows[2:FIRST, asset, Position.lent_shares] = house // 2, house - house // 2
        pool[Pool.lend_shares] = lent + house
        pool[Pool.debt_shares] = debts
        pool[Pool.lend_index] = pool[Pool.debt_index] = pool[Pool.debt_base] = index
        claims, owed = (lent + house) * index, debts * index
        cash = divide_up(claims, INDEX_SCALE) - owed // INDEX_SCALE
        pool[Pool.cash] = cash
        pool[Pool.sink] = (cash * INDEX_SCALE + owed - claims) // INDEX_SCALE
        pool[Pool.residue] = cash + divide_up(owed, INDEX_SCALE) - claims // INDEX_SCALE
        pool[Pool.external] = -int(rows[:, asset, Position.available].sum()) - int(pool[Pool.cash])
    mark_held(columns)
