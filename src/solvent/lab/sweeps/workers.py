"""Workers: chunks of paths through one interface, `concurrent.futures.Executor`.

A chunk is one point and some of its paths. A worker reads the scenario's file itself and refuses to
compute where the file, or the package, is not what the plan was made with. When a worker dies, what
was in hand is computed again, a path at a time. One that ends its process `MOST_DEATHS` times while
it is alone there becomes a row that says so: it must not end the sweep.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from typing import NamedTuple

from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.lab.paths.drawing import scenario_hash
from solvent.lab.scenario.catalog import scenario_path
from solvent.lab.scenario.model import Scenario
from solvent.lab.sweeps.plan import Plan, sources_hash
from solvent.lab.sweeps.points import scenario_at
from solvent.lab.sweeps.rows import Row, run_path

CHUNK_SECONDS = 1.0
IN_FLIGHT = 2
"""Chunks handed out a worker, so that none waits for its next."""
MOST_DEATHS = 3

Keys = Sequence[tuple[int, int]]
"""(point, path), in the order of computing."""
MakeExecutor = Callable[[], Executor]


@dataclass(frozen=True, slots=True)
class Pool:
    """How workers are made, how many there are, and what a chunk raises whose worker died."""

    make: MakeExecutor
    workers: int
    lost: tuple[type[Exception], ...] = (BrokenProcessPool,)


class Done(NamedTuple):
    """A chunk's rows and the seconds that they took."""

    rows: list[Row]
    seconds: float


def local_pool(workers: int) -> Pool:
    """So many processes of this machine, each begun afresh."""
    return Pool(lambda: ProcessPoolExecutor(workers, mp_context=get_context("spawn")), workers)


def work(plan: Plan, keys: Keys) -> Done:
    """What a worker does: some paths, each at its point. InputError where it is not the plan's."""
    begun = time.perf_counter()
    check(plan.scenario, plan.root, plan.sources)
    rows = []
    for point, path in keys:
        scenario = _scenario(plan.scenario, tuple(plan.points[point].items()))
        rows.append(run_path(scenario, plan.root, point, path, plan.accounts, FastEngine))
    return Done(rows, time.perf_counter() - begun)


@lru_cache(maxsize=64)
def _scenario(file: str, point: tuple[tuple[str, str], ...]) -> Scenario:
    return scenario_at(scenario_path(file), dict(point))


@lru_cache(maxsize=1)
def check(file: str, root: str, sources: str) -> None:
    """InputError where the scenario's file or the package is not what a plan was made with."""
    if sources_hash() != sources:
        raise InputError(file, "sources", "are not those of the plan; install the same version")
    if scenario_hash(_scenario(file, ())) != root:
        reason = "is not the file that the sweep began with; restore it, or sweep into a new folder"
        raise InputError(file, "sha256", reason)


class Workforce:
    """Workers that are made anew when one of them dies."""

    def __init__(self, plan: Plan, pool: Pool) -> None:
        self._plan = plan
        self._pool = pool
        self._most = IN_FLIGHT * pool.workers
        self._size = 1
        self._executor = pool.make()
        self._flying: dict[Future[Done], Keys] = {}

    def rows(self, keys: Keys) -> Iterator[list[Row]]:
        """The rows of all keys, chunk by chunk as they are done, in no order.

        InputError where a worker finds another scenario or another package than the plan's.
        """
        waiting, suspects = iter(keys), list[tuple[int, int]]()
        deaths: Counter[tuple[int, int]] = Counter()
        while self._hand_out(waiting, suspects):
            done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
            lost: list[tuple[int, int]] = []
            for future in done:
                chunk = self._flying.pop(future)
                try:
                    rows, seconds = future.result()
                except self._pool.lost:
                    lost += chunk
                    continue
                self._size = max(1, int(len(rows) * CHUNK_SECONDS / max(seconds, 1e-6)))
                yield rows
            if lost:
                alone = len(lost) == 1 and not self._flying
                lost += [key for chunk in self._flying.values() for key in chunk]
                self._renew()
                # Only who was alone with a dying process is known to have ended it.
                deaths.update(lost if alone else [])
                suspects += [key for key in lost if deaths[key] < MOST_DEATHS]
                if dead := [_dead(*key) for key in lost if deaths[key] >= MOST_DEATHS]:
                    yield dead

    def _hand_out(
        self, waiting: Iterator[tuple[int, int]], suspects: list[tuple[int, int]]
    ) -> bool:
        """Give the workers more, suspects alone and one by one; whether they have anything."""
        while len(self._flying) < self._most:
            if suspects:
                if self._flying:
                    break
                self._submit([suspects.pop()])
                break
            chunk = list(islice(waiting, self._size))
            if not chunk:
                break
            self._submit(chunk)
        return bool(self._flying)

    def _submit(self, chunk: Keys) -> None:
        try:
            future = self._executor.submit(work, self._plan, chunk)
        except self._pool.lost as error:
            future = Future()
            future.set_exception(error)
        self._flying[future] = chunk

    def _renew(self) -> None:
        self._let_go(wait=False)
        self._executor = self._pool.make()

    def close(self) -> None:
        """Let the workers go; what they had in hand is lost."""
        self._let_go(wait=True)

    def _let_go(self, *, wait: bool) -> None:
        # Not every executor can be told to cancel what waits.
        for future in self._flying:
            future.cancel()
        self._flying.clear()
        self._executor.shutdown(wait=wait)


def _dead(point: int, path: int) -> Row:
    return Row(point, path, {}, f"its worker died {MOST_DEATHS} times")
