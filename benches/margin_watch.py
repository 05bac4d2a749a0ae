"""Margin watch: which accounts does a tick make liquidatable, through a whole day with a crash.

Each minute every price and every debt index changes, and the watch is asked. Accounts that it finds
are taken out (the debt is cleared), as the waterfall would do, outside the time taken. Every few
ticks all accounts are scanned, exactly, and the scan must find the same ones; its time is the
peer's.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benches.common.crash import CRASH, MINUTES, crash_day, grown
from benches.common.kernels import Words, call, compiled, root_of
from benches.common.market import market
from benches.common.measure import agree, once
from benches.common.population import populated
from benches.common.rows import AT_MOST, TIMES, Figure, Row, Target, of
from solvent.engine.memory.columns import Columns
from solvent.engine.memory.rows import Account, Globals, Pool, Position, Price
from solvent.engine.watch import scan, watch

NAME = "margin-watch"
SIZES = ((1_000_000, 0.15, 20), (10_000_000, 1.0, 120))
"""Accounts, the most milliseconds a tick should take on average, and every how many ticks all
accounts are scanned."""
_QUICK = ((20_000, 0.15, 60),)
_HOUR = 60
_BYTES_IN_ROW = 8 * len((Account.dirty_place, Account.slot))
"""What an account's own row holds for the watch."""


class Day(NamedTuple):
    """What a day took: milliseconds of each tick, of the first one, which builds, and of scans."""

    ticks: list[float]
    build: float
    scans: list[float]
    found: int


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Milliseconds a tick, at two sizes, against scanning every account."""
    for accounts, limit, every in _QUICK if quick else SIZES:
        columns = populated(market(), accounts)
        day = live_through(columns, every)
        measured = f"{accounts:,} accounts, {MINUTES} ticks, {day.found:,} found"
        ticks = _mean("ms/tick", day.ticks)
        yield Row(NAME, f"{measured}, mean", ticks, target=Target(AT_MOST, limit))
        scans = _mean("ms/tick", day.scans)
        yield Row(NAME, f"{measured}, mean", ticks, "scan of all", scans, Target(TIMES, 100))
        crash = _mean("ms/tick", [day.ticks[tick] for tick in CRASH])
        yield Row(NAME, f"{accounts:,} accounts, mean within the crash", crash)
        largest = of("ms", [max(day.ticks)])
        yield Row(NAME, f"{accounts:,} accounts, longest tick", largest)
        yield Row(NAME, f"{accounts:,} accounts, built once", of("ms", [day.build]))
        held = columns["watch"].nbytes / accounts + _BYTES_IN_ROW
        memory = of("bytes/account", [held])
        yield Row(NAME, f"{accounts:,} accounts, memory", memory, target=Target(AT_MOST, 4))


def live_through(columns: Columns, every: int, seed: int = 5) -> Day:
    """A day of these columns, which it changes; 0 for no scans."""
    machine = compiled(watch.candidates, scan.liquidatable_accounts)
    root = root_of(columns)
    accounts = int(columns["globals"][Globals.accounts])
    out, scanned = (np.empty(accounts, dtype=np.int64) for _ in range(2))
    build, first = once(lambda: call(machine, "candidates", root, out))
    _take_out(columns, out[:first])
    prices = crash_day(seed, int(columns["globals"][Globals.assets]))
    pools = columns.table("pools", Pool.WIDTH)
    start = pools[:, Pool.debt_index].tolist()
    ticks, scans = [], []
    found = 0
    for minute in range(MINUTES):
        columns.table("prices", Price.WIDTH)[:, Price.mark] = prices[minute]
        pools[:, Pool.debt_index] = [grown(index, minute // _HOUR) for index in start]
        before = time.perf_counter()
        count = call(machine, "candidates", root, out)
        ticks.append(1e3 * (time.perf_counter() - before))
        if every and (minute % every == 0 or minute == CRASH.stop):
            took, expected = once(lambda: call(machine, "liquidatable_accounts", root, scanned))
            scans.append(1e3 * took)
            agree(
                f"accounts found in minute {minute}",
                out[:count].tolist(),
                scanned[:expected].tolist(),
            )
        _take_out(columns, out[:count])
        found += count
    return Day(ticks, 1e3 * build, scans, found)


def _take_out(columns: Columns, found: Words) -> None:
    """Clear the debts of the accounts that were found."""
    count = int(columns["globals"][Globals.assets])
    columns["positions"].reshape(-1, count, Position.WIDTH)[found, :, Position.debt_shares] = 0
    columns.table("accounts", Account.WIDTH)[found, Account.debts] = 0


def _mean(unit: str, values: list[float]) -> Figure:
    return Figure(sum(values) / len(values), min(values), max(values), len(values), unit)
