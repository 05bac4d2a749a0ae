"""Growth: what becomes of costs as there are more accounts, from ten thousand to ten million.

Work is fitted to a power of the number of accounts, by least squares over logarithms. Commands: the
time for as many commands as there are accounts, from a mixed stream long enough to be measured.
Watch: the mean tick of a day with a crash.
"""

from collections.abc import Iterator

import numpy as np

from solvent.benches.engines import apply_all, engine_over
from solvent.benches.margin_watch import live_through
from solvent.benches.market import market
from solvent.benches.measure import once
from solvent.benches.population import populated
from solvent.benches.rows import AT_MOST, Row, Target, of
from solvent.benches.stream import mixed_stream

NAME = "growth"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
_QUICK = (1_000, 4_000)
_COMMANDS = 400_000


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Nanoseconds a command and milliseconds a tick by size, and the exponents."""
    sizes = _QUICK if quick else SIZES
    commands, ticks = [], []
    for accounts in sizes:
        columns = populated(market(), accounts)
        count = accounts if quick else _COMMANDS
        stream = mixed_stream(market(), accounts, count)
        engine = engine_over(columns)
        apply_all(engine, stream[: count // 2])
        took, _ = once(lambda: apply_all(engine, stream[count // 2 :]))  # noqa: B023
        commands.append(took / (count - count // 2))
        yield Row(NAME, f"{accounts:,} accounts: commands", of("ns/command", [1e9 * commands[-1]]))
        day = live_through(columns, 0)
        ticks.append(sum(day.ticks) / len(day.ticks))
        yield Row(NAME, f"{accounts:,} accounts: watch, mean", of("ms/tick", [ticks[-1]]))
    whole = [each * accounts for each, accounts in zip(commands, sizes, strict=True)]
    exponent = of("exponent", [_exponent(sizes, whole)])
    yield Row(NAME, "commands in proportion to accounts", exponent, target=Target(AT_MOST, 1.05))
    exponent = of("exponent", [_exponent(sizes, ticks)])
    yield Row(NAME, "watch, mean tick (below 1)", exponent, target=Target(AT_MOST, 1))


def _exponent(sizes: tuple[int, ...], costs: list[float]) -> float:
    """e of cost = c * size^e, fitted."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
