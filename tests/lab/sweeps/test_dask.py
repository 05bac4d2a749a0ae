"""A sweep on a Dask cluster: the bytes of one on this machine, whoever is killed on the way.

Needs the extra `dask` (requirements/dask.txt), which developers' environments do not have.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from solvent.domain.errors import InputError
from solvent.lab.paths.drawing import scenario_hash
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.sweeps.dask_pool import dask_pool
from solvent.lab.sweeps.plan import Plan, sources_hash
from solvent.lab.sweeps.sweeping import ROWS, begin, sweep
from solvent.lab.sweeps.workers import local_pool
from tests.lab.sweeps.helpers import falling, killed, swept


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://10.0.0.1:8786", "use tls"),
        ("http://127.0.0.1:8786", "is no scheduler"),
        ("tcp://127.0.0.1", "is no scheduler"),
    ],
)
def test_an_address_that_may_not_be_trusted_is_refused(address: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        dask_pool(address)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as found:
        yield found


def plan_of(file: Path, paths: int) -> Plan:
    root = scenario_hash(load_scenario(file))
    return Plan(str(file), root, sources_hash(), ({}, {"fund.balance": "0"}), paths)


def test_a_killed_worker_changes_no_byte(cluster: Any, tmp_path: Path) -> None:
    plan = plan_of(falling(tmp_path / "own"), 12)
    begin(tmp_path / "here", plan)
    sweep(tmp_path / "here", local_pool(1))
    begin(tmp_path / "there", plan)
    first = cluster.workers[0]
    process, told = first.process.process.pid, list[int]()

    def kill(done: int, _whole: int) -> None:
        if not told:
            os.kill(process, signal.SIGKILL)
        told.append(done)

    sweep(tmp_path / "there", dask_pool(cluster.scheduler_address), kill)
    assert (tmp_path / "here" / ROWS).read_bytes() == (tmp_path / "there" / ROWS).read_bytes()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_killed_coordinator_goes_on(cluster: Any, tmp_path: Path) -> None:
    file = falling(tmp_path / "own")
    where = ("--cluster", cluster.scheduler_address)
    whole = swept(file, tmp_path / "here")
    assert whole.returncode == 0, whole.stderr
    lines = (tmp_path / "here" / "rows.log").stat().st_size
    for part, size in enumerate((0, lines // 3, 2 * lines // 3)):
        out = tmp_path / f"there-{part}"
        killed(file, out, size, *where)
        again = swept(file, out, *where)
        assert again.returncode == 0, again.stderr
        assert (out / ROWS).read_bytes() == (tmp_path / "here" / ROWS).read_bytes()
