"""Growth: what becomes of costs as there are more accounts, from ten thousand to ten million.

Work is fitted to a power of the number of accounts, by least squares over logarithms. Commands: the
time for as many commands as there are accounts, at the median of batches of a mixed stream, each
with its prices and time steps. Watch: the mean tick of a day with a crash.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from benches.common.engines import Words, copy_of, engine_over
from benches.common.market import market
from benches.common.measure import once
from benches.common.population import populated
from benches.common.rows import AT_MOST, Figure, Row, Target, of
from benches.common.stream import mixed_stream
from benches.margin_watch import live_through
from solvent.engine.memory.columns import Columns
from solvent.engine.memory.rows import Globals

NAME = "growth"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
_QUICK = (1_000, 4_000)
_COMMANDS = 400_000
_BATCHES = 20


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Nanoseconds a command and milliseconds a tick by size, and the exponents."""
    sizes = _QUICK if quick else SIZES
    commands, ticks = [], []
    for accounts in sizes:
        columns = populated(market(), accounts)
        count = 2_000 if quick else _COMMANDS
        stream = mixed_stream(market(), accounts, count)
        each = _nanoseconds(columns, stream, count // _BATCHES)
        commands.append(each.value)
        yield Row(NAME, f"{accounts:,} accounts: commands", each)
        day = live_through(columns, 0)
        ticks.append(sum(day.ticks) / len(day.ticks))
        yield Row(NAME, f"{accounts:,} accounts: watch, mean", of("ms/tick", [ticks[-1]]))
    whole = [one * accounts for one, accounts in zip(commands, sizes, strict=True)]
    exponent = of("exponent", [_exponent(sizes, whole)])
    yield Row(NAME, "commands in proportion to accounts", exponent, target=Target(AT_MOST, 1.05))
    exponent = of("exponent", [_exponent(sizes, ticks)])
    yield Row(NAME, "watch, mean tick (below 1)", exponent, target=Target(AT_MOST, 1))


def _nanoseconds(columns: Columns, stream: Words, batch: int) -> Figure:
    """A command's, by every second batch of the stream; the one before makes the state warm.

    Few accounts would come to have more than many do by the same stream, so they start afresh.
    """
    few = int(columns["globals"][Globals.accounts]) < len(stream)
    times = []
    for start in range(0, len(stream), 2 * batch):
        engine = engine_over(copy_of(columns) if few else columns)
        first = 0 if few else start
        timed = first + batch
        engine.apply_rows(stream[first:timed])
        took, _ = once(partial(engine.apply_rows, stream[timed : timed + batch]))
        times.append(1e9 * took / batch)
    return of("ns/command", times)


def _exponent(sizes: tuple[int, ...], costs: list[float]) -> float:
    """e of cost = c * size^e, fitted."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
