"""The lab: whole paths a second, what workers cost, and what splitting and strata are worth.

A path is a run of the packaged `jump-day`: population, 180 moments of prices, every stage of the
waterfall, and all figures. Workers are those of a sweep; what they cost is the time in which one of
them computes nothing. Screening asks the engine's own watch through a day of 24 assets who becomes
liquidatable, exactly; frameworks for such models do a simpler part of that (`lab_peers`), and are
held against it by accounts and minutes. Splitting and strata are held against plain paths of the
same scenario with larger jumps, on the lenders' own losses: how many plain paths each is worth, in
the same time.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from benches.common.crash import MINUTES
from benches.common.market import market
from benches.common.measure import agree, once
from benches.common.peers import peer
from benches.common.population import populated
from benches.common.rows import AT_LEAST, AT_MOST, Row, Target, of
from benches.margin_watch import live_through
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.engine.engine import FastEngine, machine
from solvent.lab.paths.drawing import drawn, scenario_hash
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario, scenario_path
from solvent.lab.scenario.model import Scenario
from solvent.lab.sweeps.dask_pool import dask_pool
from solvent.lab.sweeps.frontier import LOSS
from solvent.lab.sweeps.plan import Plan, sources_hash
from solvent.lab.sweeps.points import scenario_at
from solvent.lab.sweeps.rows import Row as PathRow
from solvent.lab.sweeps.workers import Workforce, local_pool, work
from solvent.lab.tail.sampling import Asked, design, sample

NAME = "lab"
SCENARIO = "jump-day"
PATHS, _QUICK = 40, 2
TAIL, _QUICK_TAIL = 100, 10
SCREEN, _QUICK_SCREEN = (100_000, 5, 2_000), (2_000, 1, 50)
"""Accounts, paths, and the peers' accounts."""
ASSETS, SCANS = 24, 240
PEERS = ("mesa", "radcad")
STRATA, WAYS = 5, 3
IMPACT = {"impact.whole": "1", "impact.recovery_seconds": "300"}
LARGER = (
    "jump_mean = { BTC = -0.08, ETH = -0.1, SOL = -0.14 }",
    "jump_mean = { BTC = -0.3, ETH = -0.3, SOL = -0.35 }",
)


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Paths a second a core, workers, and the worth of splitting and of strata."""
    machine(lambda _text: None)
    paths = _QUICK if quick else PATHS
    yield from _screening(*(_QUICK_SCREEN if quick else SCREEN))
    yield from _whole(paths)
    yield from _stages(paths)
    yield from _workers(paths)
    yield from _tail(_QUICK_TAIL if quick else TAIL)


def _screening(accounts: int, paths: int, peers: int) -> Iterator[Row]:
    """Days of prices through the watch; on the first the whole population is scanned beside it."""
    seconds = []
    for path in range(paths):
        columns = populated(market(assets=ASSETS), accounts)
        day = live_through(columns, 0 if path else SCANS, seed=path + 1)
        seconds.append((sum(day.ticks) + day.build) / 1e3)
    said = f"screening {accounts:,} accounts x {ASSETS} assets x {MINUTES:,} minutes, a core"
    rates = of("paths/s", [1.0 / each for each in seconds])
    yield Row(NAME, said, rates, target=Target(AT_LEAST, 40))
    work = of("M accounts x minutes/s", [accounts * MINUTES / each / 1e6 for each in seconds])
    for name in PEERS:
        found = _peer(name, peers)
        figure = None if found is None else of("M accounts x minutes/s", [found / 1e6])
        yield Row(NAME, "screening, by accounts and minutes", work, name, figure)


def _peer(name: str, accounts: int) -> float | None:
    """Accounts times minutes a second of a framework; None where it is not installed."""
    python = Path(sys.prefix) / "lab-peers" / "bin" / "python"
    if not python.exists():
        return None
    script = Path(__file__).with_name("lab_peers.py")
    words = [str(python), str(script), name, str(accounts), str(MINUTES)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def _stages(paths: int) -> Iterator[Row]:
    """Where a path's time goes: prices, the engine, and all that asks it and listens to it."""
    root = scenario_hash(load_scenario(SCENARIO))
    scenario = scenario_at(scenario_path(SCENARIO), {})
    spent = {"prices": 0.0, "engine": 0.0, "people and figures": 0.0}
    for path in range(paths):
        begun = process_time()
        weather = drawn(scenario, root, path)
        told = process_time()
        Timed.seconds = 0.0
        run(weather, engine_factory=Timed)
        spent["prices"] += told - begun
        spent["engine"] += Timed.seconds
        spent["people and figures"] += process_time() - told - Timed.seconds
    for name, seconds in spent.items():
        part = of("%", [100 * seconds / sum(spent.values())])
        yield Row(NAME, f"a whole path's time: {name}", part)


class Timed(FastEngine):
    """The engine, and how long it took to apply what it was sent, in all."""

    seconds = 0.0

    def apply(self, batch: Iterable[Command]) -> Transcript:
        """Apply, and count the time."""
        begun = process_time()
        found = super().apply(batch)
        Timed.seconds += process_time() - begun
        return found


def _whole(paths: int) -> Iterator[Row]:
    file = scenario_path(SCENARIO)
    root = scenario_hash(load_scenario(SCENARIO))
    for said, point in (("", {}), (", prices that answer to liquidations", IMPACT)):
        scenario = scenario_at(file, point)
        _run(scenario, root, 0)
        begun = process_time()
        for path in range(paths):
            _run(scenario, root, path)
        rate = paths / (process_time() - begun)
        yield Row(NAME, f"whole paths a second and core{said}", of("paths/s", [rate]))


def _run(scenario: Scenario, root: str, path: int) -> None:
    run(drawn(scenario, root, path), engine_factory=FastEngine)


def _workers(paths: int) -> Iterator[Row]:
    """One and two of them, by the wall, beside the same chunks computed here."""
    root, keys = scenario_hash(load_scenario(SCENARIO)), [(0, path) for path in range(2 * paths)]
    plan = Plan(SCENARIO, root, sources_hash(), ({},), 2 * paths)
    alone, here = once(lambda: work(plan, keys).rows)
    times = {}
    for count in (1, 2):
        with closing(Workforce(plan, local_pool(count))) as force:
            # Processes begin and read the kernels before the clock does.
            list(force.rows(keys[:count]))
            times[count], found = once(partial(_rows, force, keys))
        agree(f"rows of {count} workers", sorted(found, key=lambda row: row.key), here)
    part = 100 * (times[1] / alone - 1)
    yield Row(NAME, "a worker's time beyond its paths'", of("%", [part]), target=Target(AT_MOST, 2))
    yield _dask(plan, keys, alone)
    gain = times[1] / times[2]
    yield Row(NAME, "two workers over one", of("x", [gain]), target=Target(AT_LEAST, 1.9))


def _dask(plan: Plan, keys: list[tuple[int, int]], alone: float) -> Row:
    """The same chunks through a Dask scheduler and one worker of it."""
    said, target = "a Dask worker's time beyond its paths'", Target(AT_MOST, 2)
    distributed = peer("distributed")
    if distributed is None:
        return Row(NAME, said, of("%", [nan]), "dask", None)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        closing(Workforce(plan, dask_pool(cluster.scheduler_address))) as force,
    ):
        list(force.rows(keys[:1]))
        took, _ = once(partial(_rows, force, keys))
    return Row(NAME, said, of("%", [100 * (took / alone - 1)]), target=target)


def _rows(force: Workforce, keys: list[tuple[int, int]]) -> list[PathRow]:
    return [row for chunk in force.rows(keys) for row in chunk]


def _tail(paths: int) -> Iterator[Row]:
    """How many plain paths' certainty a second of each way gives, over plain paths'."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "larger.toml"
        text = scenario_path(SCENARIO).read_text(encoding="utf-8")
        assert LARGER[0] in text
        file.write_text(text.replace(*LARGER), encoding="utf-8")
        ways = {
            "plain": Asked(str(file), paths),
            f"{STRATA} strata": Asked(str(file), paths, strata=STRATA),
            f"splitting in {WAYS}": Asked(str(file), paths, 0, WAYS, ("liquidation", "adl")),
        }
        plain = None
        for name, asked in ways.items():
            begun = process_time()
            with ThreadPoolExecutor(1) as one:
                rows = [row for found in sample(asked, one) for row in found]
            worth = design(asked, rows, LOSS).effective() / (process_time() - begun)
            figure = of("paths/s", [worth])
            said = f"mean loss by {name}: worth plain paths, in a second"
            # Few paths may all lose nothing, and are then worth nothing to compare with.
            yield Row(NAME, said, figure, peer="plain" if plain else None, peer_figure=plain)
            plain = plain or (figure if worth else None)
