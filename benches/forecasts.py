"""Forecasts: the rounds that could reach accounts of a large book, and their ways off.

Says how long a copy of the book holds whoever writes to it, and what one account's forecast takes.
Each way off is carried out in another copy, where the round must allot the account nothing.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benches.common.engines import engine_over
from benches.common.market import market
from benches.common.measure import agree
from benches.common.population import FIRST, populated
from benches.common.rows import Row, of
from solvent.domain.commands import Deposit
from solvent.engine.engine import FastEngine
from solvent.engine.memory.rows import Account
from solvent.foresight.forecast import Forecaster, Listed
from solvent.foresight.leaving import Way, ways_off

NAME = "forecasts"
SIZES = (2_000, 100_000)
_QUICK = (500,)
_ASKED = 5


class Taken(NamedTuple):
    """A book as it was taken."""

    state: bytes

    def snapshot(self) -> bytes:
        """Its state."""
        return self.state


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Milliseconds for a copy, seconds for the forecast of an account, by size."""
    for accounts in _QUICK if quick else SIZES:
        engine = engine_over(populated(market(), accounts))
        table = engine.columns.table("accounts", Account.WIDTH)[: accounts + FIRST]
        owing = np.flatnonzero(table[:, Account.debts])[:_ASKED].tolist()
        copies, forecasts = [], []
        for account in owing:
            began = time.perf_counter()
            book = Taken(engine.snapshot())
            copied = time.perf_counter()
            forecaster = Forecaster(book)
            lists = forecaster.lists(account, tiers=False)
            ways = [ways_off(forecaster, account, listed.place) for listed in lists]
            forecasts.append(time.perf_counter() - copied)
            copies.append(1e3 * (copied - began))
            for listed, found in zip(lists, ways, strict=True):
                _check(book, account, listed, found)
        said = f"{accounts:,} accounts"
        yield Row(NAME, f"{said}: the writer is held for a copy", of("ms", copies))
        yield Row(NAME, f"{said}: all rounds of an account, ways off", of("s", forecasts))


def _check(book: Taken, account: int, listed: Listed, ways: list[Way]) -> None:
    """Carry every way out in another copy."""
    for way in ways:
        engine = FastEngine.restore(book.state)
        if way.brings:
            engine.apply_one(Deposit(account, way.command.asset, way.brings))
        engine.apply_one(way.command)
        share = Forecaster(engine).share(account, listed.place.asked)
        agree("the share of who took a way off", share, 0)
