"""A whole run: a crash of two days, lived through by 100,000 accounts, with all its figures.

The shipped crash of October 2025 stands in the middle of two days of half-minute prints, so that
prices move at 5,760 moments. While anybody is liquidating the run goes by the second, so it has
more steps than that. Agents, engine, figures and hash are all timed; nothing is written to a disk.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import process_time

from benches.common.measure import once
from benches.common.rows import Row, of
from solvent.domain.units import PRICE_DECIMALS, SECOND, format_decimal
from solvent.engine.engine import FastEngine
from solvent.lab.prices.feed import Foreign, own_feed
from solvent.lab.prices.paths import time_text
from solvent.lab.runner import RunResult, run
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Scenario

NAME = "whole-run"
SCENARIO = "crash-2025-10-10"
ACCOUNTS, MOMENTS = 100_000, 5_760
_QUICK_ACCOUNTS, _QUICK_MOMENTS = 30, 40
STRIDE = 30 * SECOND
KIBIBYTE = 1024


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Processor time a moment, the whole by the clock on the wall, and memory."""
    accounts, moments = (_QUICK_ACCOUNTS, _QUICK_MOMENTS) if quick else (ACCOUNTS, MOMENTS)
    scenario = replace(load_scenario(SCENARIO), step=STRIDE)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "two-days.csv"
        _write_prices(file, scenario, moments)

        def work() -> RunResult:
            return run(scenario, prices=Foreign(file), accounts=accounts, engine_factory=FastEngine)

        begun = process_time()
        took, result = once(work)
        busy = process_time() - begun
    said = f"{accounts:,} accounts, {moments:,} moments, {result.figures['steps']:,} steps"
    yield Row(NAME, f"{said}, a moment", of("ms", [1000 * busy / moments]))
    yield Row(NAME, f"{said}, the whole, by the wall", of("s", [took]))
    memory = getrusage(RUSAGE_SELF).ru_maxrss * KIBIBYTE / 10**9
    yield Row(NAME, f"{said}, resident memory at most", of("GB", [memory]))


def _write_prices(file: Path, scenario: Scenario, moments: int) -> None:
    """The scenario's prices in the middle of quiet time, a thousandth up and down."""
    feed = own_feed(scenario)
    before = (moments - (feed.end - feed.start) // STRIDE) // 2
    first = feed.start - before * STRIDE
    with file.open("w", encoding="ascii") as out:
        out.write("time,symbol,close\n")
        for number in range(moments + 1):
            time = first + number * STRIDE
            for asset, about in enumerate(scenario.parameters.assets[1:], start=1):
                price = feed.price(asset, min(max(time, feed.start), feed.end))
                if not feed.start <= time <= feed.end:
                    price += price * (number % 3 - 1) // 1000
                text = format_decimal(price, PRICE_DECIMALS)
                out.write(f"{time_text(time)},{about.symbol},{text}\n")
