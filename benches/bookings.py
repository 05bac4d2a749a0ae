"""Bookings: thousands of accounts that become insolvent at one price, booked in one step.

Borrowers of one token hold USDC; the token rises by more than their cover, so each of them lacks
something for certain. In the step their losses are written off through the index of the token's
pool as one clearing solution, and what they have is then settled with its lenders. What is timed is
a price and a time step: from the command to the words of the last event. In a small market both
engines must give the same bytes and state; in the large one every loss is borne to the atom.
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
from benches.common.population import FIRST, atoms_per_usdc, balance, populated, shares
from benches.common.rows import Row, each
from benches.common.stream import row_of
from solvent.domain import commands as c
from solvent.domain.parameters import USDC, EngineParameters, WaterfallParameters
from solvent.domain.units import RATIO, SECOND
from solvent.domain.waterfall_events import AdlMatched, BookedAccount, PoolWrittenDown
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import Columns
from solvent.engine.memory.rows import Position

NAME = "bookings"
TOKEN = 3
INSOLVENT = 10_000
_RISE = 30
"""Per cent by which the token rises."""
_COVER = 1.12
"""What borrowers hold for each USDC that they owe."""
_CALM = 0.6
_BIG, _SPREAD = 7.0, 1.0
_PERCENT = 100


class Size(NamedTuple):
    """Accounts that look on, most of them lenders of something, and borrowers of the token."""

    others: int
    borrowers: int


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Seconds for everything; reported, there is no target."""
    same_as_reference(crowded(Size(150, 20)), rise())
    size, times = (Size(1_000, 100), 2) if quick else (Size(100_000, INSOLVENT), 5)
    start = crowded(size)
    engines: list[FastEngine] = []

    def fresh() -> None:
        engines[:] = [engine_over(copy_of(start))]

    timing, parts = repeat(lambda: apply_all(engines[0], rise()), times, fresh)
    events = events_by_kind(parts)
    booked = len(events.get(BookedAccount, ()))
    agree("every borrower is booked", booked >= size.borrowers, True)
    check_losses(events[PoolWrittenDown])
    measured = (
        f"{booked:,} insolvent accounts booked, {len(events.get(AdlMatched, ())):,} ADL fills, "
        f"{sum(map(len, events.values())):,} events, {sum(size):,} accounts"
    )
    yield Row(NAME, measured, each(timing, 1, "s"))


def rise() -> Words:
    """The token rises, then time goes on."""
    price = PRICES[TOKEN] * (_PERCENT + _RISE) // _PERCENT
    quote = row_of(1, c.UpdatePrice, asset=TOKEN, source=0, bid=price, ask=price, last=price)
    return np.concatenate((quote, row_of(1, c.TimeStep, time=START + SECOND)))


def crowded(size: Size) -> Columns:
    """The state before: borrowers of the token that its rise takes down, every book is empty."""
    parameters = market(WaterfallParameters(book_probability=RATIO))
    columns = populated(parameters, sum(size), cushion=_CALM)
    rows = columns["positions"].reshape(-1, len(parameters.assets), Position.WIDTH)
    ours = rows[FIRST + size.others : FIRST + sum(size)]
    ours[:] = 0
    _put_borrowers(np.random.default_rng(5), parameters, ours)
    balance(columns)
    return columns


def _put_borrowers(rng: np.random.Generator, parameters: EngineParameters, rows: Words) -> None:
    """Accounts that owe the token and hold a little more than as much in USDC."""
    value = np.exp(rng.normal(_BIG, _SPREAD, len(rows)))
    atoms = atoms_per_usdc(parameters)
    rows[:, TOKEN, Position.debt_shares] = shares((value * atoms[TOKEN]).astype(np.int64))
    rows[:, USDC, Position.available] = (_COVER * value * atoms[USDC]).astype(np.int64)


def check_losses(downs: Words) -> None:
    """What each pool loses is borne, to the atom."""
    names = ("fees", "treasury", "residue", "lenders")
    borne = np.stack([column(downs, PoolWrittenDown, name) for name in names]).sum(axis=0)
    agree("losses borne", borne.tolist(), column(downs, PoolWrittenDown, "loss").tolist())
