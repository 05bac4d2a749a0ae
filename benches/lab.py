"""The lab: whole paths a second, what workers cost, and what splitting and strata are worth.

A path is a run of the packaged `jump-day`: population, 180 moments of prices, every stage of the
waterfall, and all figures. Workers are those of a sweep; what they cost is the time in which one of
them computes nothing. Splitting and strata are held against plain paths of the same scenario with
larger jumps, on the lenders' own losses: how many plain paths each is worth, in the same time.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from benches.common.measure import agree, once
from benches.common.rows import AT_LEAST, AT_MOST, Row, Target, of
from solvent.engine.engine import FastEngine, machine
from solvent.lab.paths.drawing import drawn, scenario_hash
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario, scenario_path
from solvent.lab.scenario.model import Scenario
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
    yield from _whole(paths)
    yield from _workers(paths)
    yield from _tail(_QUICK_TAIL if quick else TAIL)


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
    gain = times[1] / times[2]
    yield Row(NAME, "two workers over one", of("x", [gain]), target=Target(AT_LEAST, 1.9))


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
