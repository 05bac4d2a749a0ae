"""What-if: questions about other prices to an image of a market that trades meanwhile.

A thread carries out a mixed stream of commands in batches, as the writer does, under a lock. Each
refresh of the image holds the lock; how long, is timed where the lock is let go. Questions are
timed beside the trading, by the clock and by what the asking thread had of a processor. What a
question answers is held against the scan of a copy with the marks moved.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np

from benches.common.engines import Words, copy_of, engine_over
from benches.common.market import market
from benches.common.measure import agree
from benches.common.population import Edge, populated
from benches.common.rows import AT_MOST, Row, Target, of
from benches.common.stream import mixed_stream
from benches.health_scan import scanner
from solvent.domain.units import RATIO
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import Columns
from solvent.engine.memory.rows import Price
from solvent.foresight.moves import by_asset, by_beta
from solvent.foresight.what_if import Outlook

NAME = "what-if"
SIZES = (100_000, 1_000_000)
_QUICK = (2_000,)
_TIMES = 9
_BATCH = 100
_PAUSE = 0.001
"""Seconds between two batches: about 50,000 commands a second."""
_MOVES = (-10, -30)
EDGE = Edge(0.01, -0.02)


class Writer:
    """Carries out rows of commands in batches, and lets itself be held in between."""

    def __init__(self, engine: FastEngine, rows: Words) -> None:
        self.engine = engine
        self._rows = rows
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.held: list[float] = []
        self.done = 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the writer still, and note for how long."""
        with self._lock:
            began = time.perf_counter()
            yield
            self.held.append(1e3 * (time.perf_counter() - began))

    def _work(self) -> None:
        while not self._ends.is_set() and self.done < len(self._rows):
            with self._lock:
                self.engine.apply_rows(self._rows[self.done : self.done + _BATCH])
            self.done += _BATCH
            time.sleep(_PAUSE)

    @contextmanager
    def trading(self) -> Iterator[None]:
        """Trade meanwhile."""
        self._thread.start()
        try:
            yield
        finally:
            self._ends.set()
            self._thread.join()


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Milliseconds that the writer is held, a single move and a curve take, by size."""
    for accounts in _QUICK if quick else SIZES:
        columns = populated(market(), accounts, edge=EDGE)
        _check(copy_of(columns))
        stream = mixed_stream(market(), accounts, 4_000 if quick else 300_000)
        yield from _measured(accounts, Writer(engine_over(columns), stream), 2 if quick else _TIMES)


def _measured(accounts: int, writer: Writer, times: int) -> Iterator[Row]:
    said = f"{accounts:,} accounts, trading"
    with writer.trading():
        began = time.perf_counter()
        outlook = Outlook(writer.engine, writer.hold)
        first = 1e3 * (time.perf_counter() - began)
        writer.held.clear()
        asked: dict[str, tuple[list[float], list[float]]] = {}
        for _ in range(times):
            for name, question in _questions(outlook).items():
                for kept, took in zip(
                    asked.setdefault(name, ([], [])), _timed(question), strict=True
                ):
                    kept.append(took)
        traded = writer.done
    yield Row(NAME, f"{said}: writer held", of("ms", writer.held), target=Target(AT_MOST, 5))
    yield Row(NAME, f"{said}: image made", of("ms", [first]))
    for name, (wall, processor) in asked.items():
        limit = {"curve": 1_000.0, "refresh": None}.get(name, 100.0)
        target = None if limit is None else Target(AT_MOST, limit)
        yield Row(NAME, f"{said}: {name}", of("ms", wall), target=target)
        yield Row(NAME, f"{said}: {name}, processor", of("ms", processor), target=target)
    yield Row(NAME, f"{said}: commands meanwhile", of("commands", [traded]))


def _questions(outlook: Outlook) -> dict[str, Callable[[], object]]:
    """What is asked in turn."""
    found: dict[str, Callable[[], object]] = {"refresh": outlook.refresh}
    for percent in _MOVES:
        every = dict.fromkeys(range(1, len(outlook.marks)), percent * RATIO // 100)
        found[f"all by {percent} %"] = partial(outlook.what_if, every, losses=False)
    return found | {"curve": outlook.curve}


def _timed(question: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds that it takes, and those of them that this thread had a processor."""
    began, worked = time.perf_counter(), time.thread_time()
    question()
    return 1e3 * (time.perf_counter() - began), 1e3 * (time.thread_time() - worked)


def _check(columns: Columns) -> None:
    """Who is found is whom the scan finds once the marks are moved."""
    engine = engine_over(columns)
    outlook = Outlook(engine)
    moves = by_beta(outlook.parameters, outlook.marks, {}, -RATIO // 10)
    found = outlook.what_if(moves, losses=False).accounts
    moved = by_asset(outlook.parameters, outlook.marks, moves)
    engine.columns.table("prices", Price.WIDTH)[:, Price.mark] = np.array(moved)
    agree("accounts at MMR 100 %", list(found), scanner(engine.columns)().tolist())
