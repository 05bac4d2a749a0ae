"""Burst: thousands of liquidations and as many ADL fills in one step, end to end.

Lenders of one token owe USDC; the token falls, their pool is lent out and the book is empty, so
every one of them is found by the watch, tried by the book, offered to the backstop and settled by
ADL against borrowers of the token, largest loans first. What is timed is a price and a time step:
from the command to the words of the last event. In a small market both engines must give the same
bytes and state; in the large one every token is accounted for to the atom, and so is every fill.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benches.common.engines import (
    Words,
    apply_all,
    column,
    copy_of,
    engine_over,
    events_by_kind,
    same_as_reference,
)
from benches.common.market import PRICES, START, market
from benches.common.measure import agree, repeat
from benches.common.population import (
    FIRST,
    atoms_per_usdc,
    balance,
    loans,
    populated,
    shares,
    weighted,
)
from benches.common.rows import AT_MOST, Row, Target, each
from benches.common.stream import row_of
from solvent.domain import commands as c
from solvent.domain.events import Event
from solvent.domain.parameters import USDC, EngineParameters, Policy, WaterfallParameters
from solvent.domain.units import RATIO, SECOND
from solvent.domain.waterfall_events import AdlCandidate, AdlMatched, AdlStuck, LiquidationStarted
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import Columns
from solvent.engine.memory.rows import Globals, Pool, Position

NAME = "burst"
TOKEN = 3
LIQUIDATIONS = 11_279
"""A large exchange's number of ADL fills in the crash of 10 October 2025."""
_FALL = 8
"""Per cent by which the token falls."""
_CUSHION = 0.05
_CALM = 0.3
_SMALL, _BIG = 8.0, 10.5
_SPREAD = 1.2
_BEYOND = 3.0
_COVER = 2.0
_PERCENT = 100
_ACCOUNT_STEP = 2**40


class Size(NamedTuple):
    """Accounts that look on, stuck lenders, and large borrowers of the token."""

    others: int
    lenders: int
    borrowers: int


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Seconds for everything."""
    same_as_reference(crowded(Size(150, 60, 15)), fall())
    size, times = (Size(1_000, 400, 60), 2) if quick else (Size(100_000, LIQUIDATIONS, 500), 5)
    start = crowded(size)
    engines: list[FastEngine] = []

    def fresh() -> None:
        engines[:] = [engine_over(copy_of(start))]

    timing, parts = repeat(lambda: apply_all(engines[0], fall()), times, fresh)
    events = events_by_kind(parts)
    started, fills = (len(events.get(kind, ())) for kind in (LiquidationStarted, AdlMatched))
    agree("every lender is liquidated and filled", min(started, fills) >= size.lenders, True)
    _check_atoms(engines[0].columns)
    check_fills(events)
    measured = (
        f"{started:,} liquidations, {fills:,} ADL fills, "
        f"{sum(map(len, events.values())):,} events, {sum(size):,} accounts"
    )
    yield Row(NAME, measured, each(timing, 1, "s"), target=Target(AT_MOST, 0.5))


def fall() -> Words:
    """The token falls, then time goes on."""
    price = PRICES[TOKEN] * (_PERCENT - _FALL) // _PERCENT
    quote = row_of(1, c.UpdatePrice, asset=TOKEN, source=0, bid=price, ask=price, last=price)
    return np.concatenate((quote, row_of(1, c.TimeStep, time=START + SECOND)))


def crowded(size: Size) -> Columns:
    """The state before: the token's pool is lent out to the last atoms, every book is empty."""
    waterfall = WaterfallParameters(book_probability=RATIO, lender_policy=Policy.LARGEST_LOAN)
    parameters = market(waterfall)
    columns = populated(parameters, sum(size), cushion=_CALM)
    rows = columns["positions"].reshape(-1, len(parameters.assets), Position.WIDTH)
    ours = rows[FIRST + size.others : FIRST + sum(size)]
    ours[:] = 0
    rng = np.random.default_rng(4)
    _put_lenders(rng, parameters, ours[: size.lenders])
    lent, owed = (
        int(rows[FIRST:, TOKEN, number].sum())
        for number in (Position.lent_shares, Position.debt_shares)
    )
    _put_borrowers(rng, parameters, ours[size.lenders :], int(_BEYOND * lent) - owed)
    balance(columns, dry=(TOKEN,))
    return columns


def _put_lenders(rng: np.random.Generator, parameters: EngineParameters, rows: Words) -> None:
    """Accounts that lent the token and owe as much USDC as makes the fall too much for them."""
    values = np.zeros((len(rows), len(parameters.assets)))
    values[:, TOKEN] = np.exp(rng.normal(_SMALL, _SPREAD, len(rows)))
    room = weighted(parameters, values)[:, [TOKEN]] / (1.0 + _CUSHION)
    atoms = atoms_per_usdc(parameters)
    rows[:, TOKEN, Position.lent_shares] = shares(
        (values[:, TOKEN] * atoms[TOKEN]).astype(np.int64)
    )
    owed = loans(parameters, room)[:, USDC] * atoms[USDC]
    rows[:, USDC, Position.debt_shares] = shares(owed.astype(np.int64))


def _put_borrowers(
    rng: np.random.Generator, parameters: EngineParameters, rows: Words, total: int
) -> None:
    """Accounts that owe `total` shares of the token among them, and hold twice as much in USDC."""
    part = np.exp(rng.normal(_BIG, _SPREAD, len(rows)))
    owed = (part / part.sum() * total).astype(np.int64) + 1
    atoms = atoms_per_usdc(parameters)
    rows[:, TOKEN, Position.debt_shares] = owed
    rows[:, USDC, Position.available] = (_COVER * owed / atoms[TOKEN] * atoms[USDC]).astype(
        np.int64
    )


def _check_atoms(columns: Columns) -> None:
    """Of every asset, what all accounts, the pool and the external account have is nothing."""
    accounts, count = (
        int(columns["globals"][number]) for number in (Globals.accounts, Globals.assets)
    )
    rows = columns["positions"].reshape(-1, count, Position.WIDTH)[:accounts]
    for asset, pool in enumerate(columns.table("pools", Pool.WIDTH)):
        held = int(rows[:, asset, : Position.lent_shares].sum())
        agree(f"atoms of asset {asset}", held + int(pool[Pool.cash]) + int(pool[Pool.external]), 0)
        for number, total in (
            (Position.lent_shares, Pool.lend_shares),
            (Position.debt_shares, Pool.debt_shares),
        ):
            agree(f"shares of asset {asset}", int(rows[:, asset, number].sum()), int(pool[total]))


def check_fills(events: dict[type[Event], Words]) -> None:
    """In every round, every account on either side is filled with what it gave, to the atom."""
    fills = events[AdlMatched]
    rounds, quantity = (column(fills, AdlMatched, name) for name in ("round", "quantity"))
    names = ("round", "account", "allotted")
    given = [
        np.stack([column(events[kind], kind, name) for name in names])
        for kind in (AdlStuck, AdlCandidate)
    ]
    filled = [
        np.stack((rounds, column(fills, AdlMatched, whose), quantity))
        for whose in ("lender", "payer")
    ]
    agree("atoms given and filled by round and account", _sums(given), _sums(filled))


def _sums(parts: list[Words]) -> list[tuple[int, int]]:
    """Atoms of each round and account, where there are any."""
    rounds, accounts, atoms = np.concatenate(parts, axis=1)
    keys, places = np.unique(rounds * _ACCOUNT_STEP + accounts, return_inverse=True)
    sums = np.zeros(len(keys), dtype=np.int64)
    np.add.at(sums, places, atoms)
    return [(key, total) for key, total in zip(keys.tolist(), sums.tolist(), strict=True) if total]
